// Ageing in words, and its address.
import type { Ageing, AgeingRow } from '../../api/cash';
import type { Money } from '../../api/types';
import { formatMoney } from '../../parts/format';

export const groups = ['party', 'currency', 'salesperson', 'country'] as const;
export type Group = (typeof groups)[number];
export const groupTitles: Record<Group, string> = { party: 'Customer', currency: 'Currency', salesperson: 'Salesperson', country: 'Country' };

export function bucketTitle(bucket: string): string {
  if (bucket === 'not_due') return 'not due yet';
  if (bucket === 'no_date') return 'no due date';
  const beyond = /^(\d+)\+$/.exec(bucket);
  if (beyond !== null) return `more than ${Number(beyond[1]) - 1} days`;
  return `${bucket.replace('-', '–')} days`;
}

// Over a narrow column.
export const bucketShort = (bucket: string): string => bucketTitle(bucket).replace('more than ', '> ');

export const isOverdue = (bucket: string): boolean => bucket !== 'not_due' && bucket !== 'no_date';

export function overdueOf(buckets: readonly string[], row: Pick<AgeingRow, 'amounts' | 'currency'>): Money {
  return { minor: buckets.reduce((sum, bucket, at) => sum + (isOverdue(bucket) ? (row.amounts[at]?.minor ?? 0) : 0), 0), currency: row.currency };
}

// Who owes most that is overdue; each currency by itself, as amounts of two are never compared.
export function debtorsOf(answer: Ageing, most: number): { row: AgeingRow; overdue: Money }[] {
  const perCurrency = new Map<string, { row: AgeingRow; overdue: Money }[]>();
  for (const row of answer.rows) {
    const overdue = overdueOf(answer.buckets, row);
    if (overdue.minor > 0) perCurrency.set(row.currency, [...(perCurrency.get(row.currency) ?? []), { row, overdue }]);
  }
  return [...perCurrency.values()].flatMap((list) => list.sort((a, b) => b.overdue.minor - a.overdue.minor).slice(0, most)).slice(0, most);
}

export function ageingSentence(answer: Ageing): string {
  if (answer.totals.length === 0) return answer.side === 'receivables' ? 'Nobody owes anything.' : 'Nothing is to be paid.';
  const parts = answer.totals.map((total) => {
    const overdue = overdueOf(answer.buckets, total);
    return `${formatMoney(total.total)} ${answer.side === 'receivables' ? 'is owed to us' : 'is to be paid'}, ${overdue.minor === 0 ? 'nothing of it overdue' : `${formatMoney(overdue)} of it overdue`}`;
  });
  return `${parts.join('; ')}.`;
}

export type AgeingState = {
  side: 'receivables' | 'payables';
  day: string; // "" today
  by: 'due' | 'posted';
  buckets: string; // "30,60,90"; "" the usual ones
  group: Group;
  q: string; // of the names, on this screen only
  cell: { bucket: string; key: string; currency: string } | null;
  table: boolean;
};

export function parseAgeing(search: string): AgeingState {
  const words = new URLSearchParams(search);
  const cell = words.get('cell');
  const day = words.get('as_of') ?? '';
  return {
    side: words.get('side') === 'payables' ? 'payables' : 'receivables',
    day: /^\d{4}-\d{2}-\d{2}$/.test(day) ? day : '',
    by: words.get('by') === 'posted' ? 'posted' : 'due',
    buckets: words.get('buckets') ?? '',
    group: groups.find((one) => one === words.get('group')) ?? 'party',
    q: words.get('q') ?? '',
    cell: cell === null ? null : { bucket: cell, key: words.get('cell_key') ?? '', currency: words.get('cell_currency') ?? '' },
    table: words.get('table') === '1',
  };
}

function asked(state: AgeingState): URLSearchParams {
  const words = new URLSearchParams();
  if (state.side !== 'receivables') words.set('side', state.side);
  if (state.day !== '') words.set('as_of', state.day);
  if (state.by !== 'due') words.set('by', state.by);
  if (state.buckets !== '') words.set('buckets', state.buckets);
  return words;
}

const readable = (words: URLSearchParams): string => words.toString().replace(/%2C/g, ',');

export function ageingQuery(state: AgeingState): string {
  const words = asked(state);
  words.set('side', state.side);
  if (state.group !== 'party') words.set('group', state.group);
  return readable(words);
}

export function ageingAddress(state: AgeingState): string {
  const words = asked(state);
  if (state.group !== 'party') words.set('group', state.group);
  if (state.q !== '') words.set('q', state.q);
  if (state.table) words.set('table', '1');
  if (state.cell !== null) {
    words.set('cell', state.cell.bucket);
    if (state.cell.key !== '') words.set('cell_key', state.cell.key);
    if (state.cell.currency !== '') words.set('cell_currency', state.cell.currency);
  }
  const text = readable(words);
  return `/ageing${text === '' ? '' : `?${text}`}`;
}

// The documents of one cell.
export function cellQuery(state: AgeingState, cell: NonNullable<AgeingState['cell']>): string {
  const words = asked(state);
  words.set('side', state.side);
  if (cell.bucket !== 'all') words.set('bucket', cell.bucket);
  if (cell.key !== '' && state.group === 'party') words.set('party', cell.key);
  if (cell.currency !== '') words.set('currency', cell.currency);
  return readable(words);
}

// "30, 60,90" -> "30,60,90"; nothing when it is no rising list of whole days.
export function cleanBuckets(text: string): string | undefined {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== '');
  if (parts.length === 0) return '';
  if (parts.length > 8 || parts.some((part) => !/^\d{1,4}$/.test(part) || Number(part) === 0)) return undefined;
  const days = parts.map(Number);
  return days.every((day, at) => at === 0 || day > (days[at - 1] ?? 0)) ? days.join(',') : undefined;
}
