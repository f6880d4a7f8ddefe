// What people write on orders, in words: titles of the fields and the kinds of their inputs.
import type { OverlayEdit, Written } from '../../api/types';
import { absent, formatDay } from '../../parts/format';

const titles: Record<string, string> = {
  promised_date: 'Promised date',
  priority: 'Priority',
  hold: 'Hold',
  note: 'Note',
  colour: 'Colour',
};

export const writtenTitle = (field: string): string =>
  titles[field] ?? field.charAt(0).toUpperCase() + field.slice(1).replace(/_/g, ' ');

export const colours = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'grey'];

export type InputKind = 'day' | 'priority' | 'colour' | 'lines' | 'line';
const kinds: Record<string, InputKind> = { promised_date: 'day', priority: 'priority', colour: 'colour', note: 'lines' };
export const inputKind = (field: string): InputKind => kinds[field] ?? 'line';

export const writtenText = (field: string, value: string | null): string => {
  if (value === null || value === '') return absent;
  return field === 'promised_date' ? formatDay(value) : value;
};

// What stands beneath a value, when a source says something there and it matters.
export function beneathText(value: Written): string {
  if (value.field !== 'promised_date') return '';
  const beneath = value.beneath === '' ? 'The sources promise nothing' : `The sources say ${formatDay(value.beneath)}`;
  if (value.said === value.beneath) return beneath;
  return `${beneath}; ${value.said === '' ? 'nothing' : formatDay(value.said)} when this was written`;
}

export const editText = (edit: OverlayEdit): string =>
  edit.changes
    .map((change) => `${writtenTitle(change.field)}: ${writtenText(change.field, change.before)} → ${writtenText(change.field, change.after)}`)
    .join('; ');
