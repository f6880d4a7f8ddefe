import { describe, expect, it } from 'vitest';

import {
  emptyList,
  filterLabel,
  groupFilters,
  listAddress,
  listSearch,
  type ListState,
  nextSort,
  parseFilter,
  parseListState,
  serverQuery,
  viewQuery,
  withFilters,
} from '../src/parts/order_filters';
import { givenViews } from '../src/parts/saved_views';

const state = (part: Partial<ListState>): ListState => ({ ...emptyList, ...part });

// A small seeded generator: the same cases on every run, and the seed is in the message when one fails.
function generator(seed: number): (below: number) => number {
  let value = seed;
  return (below) => {
    value = (Math.imul(value, 1_103_515_245) + 12_345) & 0x7fffffff;
    return value % below;
  };
}

describe('the address of a list', () => {
  it('is the same text the server is asked with', () => {
    const list = parseListState('?status=in.(open,late)&due=lt.2026-12-01&q=alpen&sort=-due,order&panel=43659');
    expect(serverQuery(list)).toBe('status=in.(open,late)&due=lt.2026-12-01&q=alpen&sort=-due,order');
    expect(list.panel).toBe('43659');
  });

  it('keeps what this version does not know, so that the server can refuse it in words', () => {
    expect(serverQuery(parseListState('?colour=red'))).toBe('colour=red');
  });

  it('brings back what was put in, whatever a person types', () => {
    const alphabet = ['a', 'Z', '7', '.', ',', '(', ')', '*', '+', '&', '=', '%', ' ', 'ü', 'in.', 'lt.', '"'];
    const seed = 20_261_121;
    const next = generator(seed);
    const word = (): string => Array.from({ length: 1 + next(5) }, () => alphabet[next(alphabet.length)]).join('');
    for (let round = 0; round < 2000; round += 1) {
      const plain = word();
      const listed = [word(), word()].map((one) => one.replace(/"/g, ''));
      if (listed.includes('')) continue;
      const before = state({
        q: word(),
        filters: [
          { name: 'customer', op: 'eq', values: [plain] },
          { name: 'customer_name', op: 'has', values: [word()] },
          { name: 'status', op: 'in', values: listed },
        ],
        sort: [{ field: 'due', descending: next(2) === 1 }],
        group: 'status',
        columns: ['order', 'due'],
        panel: word(),
      });
      expect(parseListState(listSearch(before)), `seed ${seed}, round ${round}`).toEqual(before);
    }
  });

  it('writes plus as %2B, because a bare plus is a space', () => {
    const list = state({ filters: [{ name: 'due', op: 'lte', values: ['today+7'] }] });
    expect(listAddress(list)).toBe('/orders?due=lte.today%2B7');
  });

  it('a saved view is everything but the open order', () => {
    expect(viewQuery(parseListState('?status=Open&group=customer&panel=1'))).toBe('status=Open&group=customer');
  });

  it('the given views are written as the screen writes them', () => {
    for (const view of givenViews) expect(viewQuery(parseListState(view.query))).toBe(view.query);
  });
});

describe('filters', () => {
  it('a value that looks like an operator stays a value', () => {
    expect(parseFilter('customer', 'eq.lt.5')).toEqual({ name: 'customer', op: 'eq', values: ['lt.5'] });
  });
  it('a comma inside quotes belongs to the value', () => {
    expect(parseFilter('status', 'in.("a,b",c)').values).toEqual(['a,b', 'c']);
  });
  it('read like a sentence', () => {
    const label = filterLabel(parseFilter('due', 'lt.2026-12-01'), 'Due', (value) => value);
    expect(label).toBe('Due < 2026-12-01');
  });
  it('a group row opens exactly its orders', () => {
    expect(groupFilters('due_month', '2028-02')).toEqual([
      { name: 'due', op: 'gte', values: ['2028-02-01'] },
      { name: 'due', op: 'lte', values: ['2028-02-29'] },
    ]);
    expect(groupFilters('due_month', 'none')).toEqual([{ name: 'due', op: 'eq', values: ['none'] }]);
    const list = state({ filters: [{ name: 'status', op: 'eq', values: ['Open'] }] });
    expect(withFilters(list, groupFilters('customer', 'C1')).filters).toHaveLength(2);
    expect(withFilters(list, groupFilters('status', 'Late')).filters).toHaveLength(1);
  });
});

describe('sorting by a click', () => {
  it('goes ascending, descending, unsorted', () => {
    const once = nextSort([], 'due', false);
    const twice = nextSort(once, 'due', false);
    expect([once, twice, nextSort(twice, 'due', false)]).toEqual([
      [{ field: 'due', descending: false }],
      [{ field: 'due', descending: true }],
      [],
    ]);
  });
  it('with Shift keeps the columns before it', () => {
    const sort = nextSort([{ field: 'status', descending: false }], 'due', true);
    expect(sort.map((key) => key.field)).toEqual(['status', 'due']);
    expect(nextSort(sort, 'status', true)[0]).toEqual({ field: 'status', descending: true });
  });
});
