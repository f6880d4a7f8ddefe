// Where sources say different things of one value: its words, and a person's decision with the way back.
import { type DifferencePlace, decideDifference, undecideDifference } from '../api/client';
import type { Difference, DifferenceRow, OrderDetail } from '../api/types';
import { done, toast } from './app_state';
import { formatDay, formatDecimal, formatInstant } from './format';

const dayFields = new Set(['order_date', 'requested', 'promise', 'due']);
const numberFields = new Set(['quantity', 'open_quantity', 'unit_price', 'discount', 'line_total', 'tax', 'freight']);

const titles: Record<string, string> = {
  requested: 'Requested date',
  promise: 'Promise date',
  document_status: 'Open, closed or cancelled',
  line: 'Whole lines',
};

export const fieldTitle = (field: string): string =>
  titles[field] ?? field.charAt(0).toUpperCase() + field.slice(1).replace(/_/g, ' ');

export function differenceTitle(one: Pick<Difference, 'field' | 'line'>): string {
  if (one.field === 'line') return `Line ${one.line}`;
  return one.line === 0 ? fieldTitle(one.field) : `${fieldTitle(one.field)}, line ${one.line}`;
}

export function valueText(field: string, text: string): string {
  if (dayFields.has(field) && /^\d{4}-\d{2}-\d{2}$/.test(text)) return formatDay(text);
  return numberFields.has(field) ? formatDecimal(text) : text;
}

// Why the value counts that counts.
export function ruleText(one: Difference): string {
  if (one.decided_by !== null) {
    const who = one.decided_by === 'local' ? 'decided at this machine' : `decided by ${one.decided_by}`;
    return one.decided_at === null ? who : `${who}, ${formatInstant(one.decided_at)}`;
  }
  if (one.rule === 'erp-wins') return 'rule: the ERP counts';
  if (one.rule === 'newest') return 'rule: the newest counts';
  if (one.rule.endsWith('-wins')) return `rule: ${one.rule.slice(0, -'-wins'.length)} counts`;
  return `rule: ${one.rule}`;
}

export const keyOf = (one: DifferencePlace): string => `${one.order} ${one.line} ${one.field}`;

// The side that `x` takes: the one after the side that counts.
export function nextSide(one: Difference): string {
  const at = one.values.findIndex((value) => value.source === one.counts);
  return one.values[(at + 1) % one.values.length]?.source ?? one.counts;
}

// The list of the server in the order it stands on the screen: what was decided here leaves the filter, yet it keeps
// its place until the reader leaves, so that nothing moves under the hand and a slip is seen.
export function keepDecided(shown: DifferenceRow[], fresh: DifferenceRow[], decidedHere: ReadonlySet<string>): DifferenceRow[] {
  const there = new Set(fresh.map(keyOf));
  const answer = [...fresh];
  shown.forEach((row, at) => {
    if (there.has(keyOf(row)) || !decidedHere.has(keyOf(row))) return;
    const before = shown.slice(0, at).reverse().find((one) => there.has(keyOf(one)));
    const place = before === undefined ? 0 : answer.findIndex((one) => keyOf(one) === keyOf(before)) + 1;
    answer.splice(place, 0, row);
    there.add(keyOf(row));
  });
  return answer;
}

type Decided = (order: OrderDetail) => void;

const complain = (error: Error): void => toast({ text: error.message, tone: 'problem' });

// Lets the value of `source` count. Undo brings back what counted: the rule, or the decision before.
export async function decide(place: DifferencePlace, one: Difference, source: string, onDecided: Decided): Promise<void> {
  const before = one.decided_by === null ? null : one.counts;
  try {
    onDecided((await decideDifference(place, source)).order);
  } catch (error) {
    complain(error as Error);
    return;
  }
  const back = (): void => {
    const undone = before === null ? undecideDifference(place) : decideDifference(place, before);
    undone.then((answer) => onDecided(answer.order), complain);
  };
  done(`${place.order}, ${differenceTitle(one).toLowerCase()}: ${source} counts`, back);
}

// Takes a decision back: the rule counts again.
export async function undecide(place: DifferencePlace, one: Difference, onDecided: Decided): Promise<void> {
  try {
    onDecided((await undecideDifference(place)).order);
  } catch (error) {
    complain(error as Error);
    return;
  }
  const back = (): void => void decideDifference(place, one.counts).then((answer) => onDecided(answer.order), complain);
  done(`${place.order}, ${differenceTitle(one).toLowerCase()}: the rule counts again`, back);
}
