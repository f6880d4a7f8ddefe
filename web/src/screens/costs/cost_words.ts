// Costs by month, in words and as columns.
import type { CostRow, Costs } from '../../api/cash';
import type { Money } from '../../api/types';
import { formatMoney } from '../../parts/format';

export type Month = { month: string; rows: CostRow[]; actual: Money; planned: Money; budget: Money; difference: Money };

// The server's rows under their month; sums of one month are of one currency.
export function monthsOf(answer: Costs): Month[] {
  const byMonth = new Map<string, CostRow[]>();
  for (const row of answer.rows) byMonth.set(row.month, [...(byMonth.get(row.month) ?? []), row]);
  const sum = (rows: CostRow[], pick: (row: CostRow) => Money): Money => ({ minor: rows.reduce((all, row) => all + pick(row).minor, 0), currency: answer.currency });
  return [...byMonth]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([month, rows]) => ({ month, rows, actual: sum(rows, (row) => row.actual), planned: sum(rows, (row) => row.planned), budget: sum(rows, (row) => row.budget), difference: sum(rows, (row) => row.difference) }));
}

// "1,200.00 EUR over budget", "nothing is budgeted"
export function againstBudget(actual: Money, budget: Money): string {
  if (budget.minor === 0) return 'nothing is budgeted';
  const difference = actual.minor - budget.minor;
  if (difference === 0) return 'exactly as budgeted';
  return `${formatMoney({ minor: Math.abs(difference), currency: actual.currency })} ${difference > 0 ? 'over' : 'under'} budget`;
}

export function costSentence(answer: Costs): string {
  const { actual, budget } = answer.totals;
  if (answer.rows.length === 0) return 'No cost is known in these months.';
  return `${formatMoney(actual)} spent, ${againstBudget(actual, budget)}.`;
}

export type CostCell = { month: string; category: string; counts: 'actual' | 'planned' | 'budget' };
export type CostState = { from: string; to: string; category: string; cell: CostCell | null; table: boolean };

export function parseCosts(search: string): CostState {
  const words = new URLSearchParams(search);
  const day = (name: string): string => (/^\d{4}-\d{2}-\d{2}$/.test(words.get(name) ?? '') ? (words.get(name) ?? '') : '');
  const month = words.get('cell') ?? '';
  const counts = words.get('counts');
  const cell: CostCell | null = /^\d{4}-\d{2}$/.test(month) ? { month, category: words.get('cell_category') ?? '', counts: counts === 'planned' || counts === 'budget' ? counts : 'actual' } : null;
  return { from: day('from'), to: day('to'), category: words.get('category') ?? '', cell, table: words.get('table') === '1' };
}

export function costsQuery({ from, to, category }: CostState): string {
  const words = new URLSearchParams();
  if (from !== '') words.set('from', from);
  if (to !== '') words.set('to', to);
  if (category !== '') words.set('category', category);
  return words.toString();
}

export function lastDay(month: string): string {
  const day = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate();
  return `${month}-${String(day).padStart(2, '0')}`;
}

// The documents of one month and category, as far as they lie in the days that are shown.
export function cellQuery(state: CostState, cell: CostCell): string {
  const [first, last] = [`${cell.month}-01`, lastDay(cell.month)];
  const words = new URLSearchParams({ from: state.from > first ? state.from : first, to: state.to !== '' && state.to < last ? state.to : last });
  if (cell.category !== '' || state.category !== '') words.set('category', cell.category === '' ? state.category : cell.category);
  return words.toString();
}

// The address of this screen with another cell open, or none.
export function cellAddress(search: string, cell: CostCell | null): string {
  const words = new URLSearchParams(search);
  for (const name of ['cell', 'cell_category', 'counts']) words.delete(name);
  if (cell !== null) {
    words.set('cell', cell.month);
    if (cell.category !== '') words.set('cell_category', cell.category);
    if (cell.counts !== 'actual') words.set('counts', cell.counts);
  }
  const text = words.toString();
  return `/costs${text === '' ? '' : `?${text}`}`;
}
