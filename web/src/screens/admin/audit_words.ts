// A row of the audit trail in words: what was, what is.
import type { AuditRow } from '../../api/people';

export type FieldChange = { field: string; before: string; after: string };

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function text(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// What the row says is new, beside what it was where that differs; of something that went, all that it was.
export function fieldChanges(row: Pick<AuditRow, 'before' | 'after'>): FieldChange[] {
  const before = isFields(row.before) ? row.before : {};
  const after = isFields(row.after) ? row.after : {};
  return Object.keys(isFields(row.after) ? after : before)
    .map((name) => ({ field: name.replaceAll('_', ' '), before: text(before[name]), after: text(after[name]) }))
    .filter((one) => one.before !== one.after);
}

// "user:3" -> "user 3"
export const objectWords = (object: string): string => object.replace(':', ' ');
