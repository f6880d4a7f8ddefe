// The list of differences: its filter in the address and its pages.
import { differences } from '../../api/client';
import type { Difference, DifferenceRow, Differences, OrderDetail } from '../../api/types';
import { keyOf } from '../../parts/differences';

export const pageSize = 100;

export type Filter = { decided: '0' | '1' | ''; field: string; source: string };

// Without a word in the address: what is left to decide.
export function parseFilter(search: string): Filter {
  const asked = new URLSearchParams(search);
  const decided = asked.get('decided');
  return {
    decided: decided === '1' ? '1' : decided === 'all' ? '' : '0',
    field: asked.get('field') ?? '',
    source: asked.get('source') ?? '',
  };
}

export function filterAddress(filter: Filter): string {
  const words = new URLSearchParams();
  if (filter.decided !== '0') words.set('decided', filter.decided === '' ? 'all' : filter.decided);
  if (filter.field !== '') words.set('field', filter.field);
  if (filter.source !== '') words.set('source', filter.source);
  const text = words.toString();
  return text === '' ? '/differences' : `/differences?${text}`;
}

export function filterQuery(filter: Filter): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== '') words.set(name, value);
  return words.toString();
}

// The first `pages` pages as one answer.
export async function firstPages(filter: Filter, pages: number, signal: AbortSignal): Promise<Differences> {
  const query = filterQuery(filter);
  const answer = await differences(query, '', pageSize, signal);
  for (let page = 1; page < pages && answer.next !== null; page += 1) {
    const more = await differences(query, answer.next, pageSize, signal);
    answer.data = [...answer.data, ...more.data];
    answer.next = more.next;
  }
  return answer;
}

// The row as the order says it after a decision. A difference that is no longer one keeps what it said last.
export function rowAfter(row: DifferenceRow, order: OrderDetail): DifferenceRow {
  const fresh = order.differences.find((one: Difference) => keyOf({ ...one, order: row.order }) === keyOf(row));
  return fresh === undefined ? row : { ...row, ...fresh };
}
