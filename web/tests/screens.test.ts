import { describe, expect, it } from 'vitest';

import type { OrderRow, Rejection, WordedChange } from '../src/api/types';
import { freshness } from '../src/parts/freshness';
import { neighbour, readContext } from '../src/parts/list_context';
import { putView } from '../src/parts/saved_views';
import { latenessTone, statusText, statusTone } from '../src/parts/status';
import { orderColumns, pickColumns, rowsAsTsv } from '../src/screens/orders/columns';
import { filterable, showValue, typedCurrency } from '../src/screens/orders/fields';
import { emptyList } from '../src/parts/order_filters';
import { filterRejections, mergeRejections } from '../src/screens/sources/rejection_list';
import { mergeChanges, summarise, yesterdayEvening } from '../src/screens/today/changes';

const money = (minor: number) => ({ minor, currency: 'EUR' });
const row: OrderRow = {
  order: '43659', status: 'Open', document_status: 'open', customer: 'C1', customer_name: 'Tab\tand\nline', customer_reference: '', salesman: '',
  currency: 'EUR', order_date: null, due: null, requested: null, promise: null, lines: 1, quantity: '1', open_quantity: '1',
  net: money(-100), tax: money(0), freight: money(0), total: money(-100), open_amount: money(5), lateness_days: 6, late: true,
  updated: null, changed_at: '2026-11-21T09:00:00Z', revision: '', format: 'json', path: '', source: 'orders', flagged: false, priority: null, hold: '', note: '', colour: '', sequence: 1,
};

describe('status', () => {
  it('is shape and word, whatever the company calls it', () => {
    expect(statusText('In Production')).toBe('◆ In Production');
    expect(statusText('Something new')).toBe('● Something new');
    expect(statusTone('On Hold')).toBe('fair');
    expect(statusText('Ready to ship')).toBe('● Ready to ship');
  });
  it('late is poor, due within a week is fair', () => {
    expect(latenessTone(row)).toBe('poor');
    expect(latenessTone({ late: false, lateness_days: -7 })).toBe('fair');
    expect(latenessTone({ late: false, lateness_days: -8 })).toBe('idle');
  });
});

describe('columns', () => {
  it('have one name each', () => {
    const names = orderColumns(null).map((column) => column.id);
    expect(new Set(names).size).toBe(names.length);
  });
  it('of the company itself stand beside the others, with what people wrote', () => {
    const truck = orderColumns(null, [{ name: 'truck', title: 'Truck' }]).find((column) => column.id === 'truck');
    expect([truck?.title, truck?.text(row), truck?.text({ ...row, truck: 'T 9' } as OrderRow)]).toEqual(['Truck', '–', 'T 9']);
  });
  it('name the currency once when there is only one', () => {
    const open = (currency: string | null) => orderColumns(currency).find((column) => column.id === 'open_amount');
    expect([open('EUR')?.title, open('EUR')?.text(row)]).toEqual(['Open amount, EUR', '0.05']);
    expect([open(null)?.title, open(null)?.text(row)]).toEqual(['Open amount', '0.05 EUR']);
  });
  it('keep the order of the address; unknown names fall back to the usual ones', () => {
    expect(pickColumns(orderColumns(null), ['due', 'order'], 'wide').map((one) => one.id)).toEqual(['due', 'order']);
    expect(pickColumns(orderColumns(null), ['nonsense'], 'wide').length).toBeGreaterThan(5);
  });
  it('copied rows stay one line each and numbers stay numbers', () => {
    const columns = pickColumns(orderColumns('EUR'), ['order', 'customer_name', 'total'], 'wide');
    expect(rowsAsTsv([row], columns)).toBe('Order\tCustomer\tTotal, EUR\n43659\tTab and line\t-1.00');
  });
});

describe('filters in words', () => {
  it('amounts are typed in the only currency there is', () => {
    expect(typedCurrency(emptyList, ['EUR'])).toBe('EUR');
    expect(typedCurrency(emptyList, ['EUR', 'USD'])).toBeNull();
    expect(showValue('money', 'EUR')('500000')).toBe('5,000.00 EUR');
  });
  it('search is not offered twice', () => {
    const fields = filterable({
      fields: [{ name: 'due', type: 'day', title: 'Due', filter: true, sort: true, own: false, help: '' }],
      lineFilters: [{ name: 'item', help: '' }, { name: 'q', help: '' }],
    });
    expect(fields.map((field) => field.name)).toEqual(['due', 'item']);
  });
});

describe('freshness', () => {
  const source = (id: string, state: string, age: number) => ({ id, state, as_of_time: null, age_s: age, heardAt: 1000 });
  it('is the worst source of the screen, and ages count on', () => {
    const worst = freshness([source('a', 'live', 2), source('b', 'held', 1)], 4000);
    expect(worst).toMatchObject({ word: 'poor', source: 'b', ageSeconds: 4 });
    expect(freshness([], 0)).toBeNull();
  });
  it('among equals the oldest speaks', () => {
    expect(freshness([source('a', 'live', 2), source('b', 'live', 60)], 1000)?.source).toBe('b');
  });
});

describe('what changed', () => {
  const change = (sequence: number, kind: WordedChange['kind'] = 'order_changed'): WordedChange => ({
    sequence, at: '2026-11-21T09:00:00Z', kind, order: '1', customer_name: '', text: `t${sequence}`, fields: [],
  });
  it('newest first, each once, never without end', () => {
    const merged = mergeChanges([change(1), change(2)], [change(2), change(3)]);
    expect(merged.map((one) => one.sequence)).toEqual([3, 2, 1]);
    expect(mergeChanges([], Array.from({ length: 500 }, (_, at) => change(at)))).toHaveLength(100);
  });
  it('is counted by kind', () => {
    expect(summarise([change(1, 'order_new'), change(2, 'order_new')]).map((one) => one.text)).toEqual(['2 new orders']);
  });
  it('yesterday evening is six o’clock of the day before', () => {
    const evening = new Date(yesterdayEvening(new Date(2026, 10, 21, 9).getTime()));
    expect([evening.getDate(), evening.getHours()]).toEqual([20, 18]);
  });
});

describe('rejections', () => {
  const rejection = (id: number, path: string): Rejection => ({
    id, source: 'orders', path, place: 'line 1', reason: 'not a date', value: '31/02', outcome: 'reject', order: '', since: `2026-11-21T0${id}:00:00Z`,
  });
  it('a solved one leaves, a repeated one stays one', () => {
    const list = mergeRejections([rejection(1, 'a'), rejection(2, 'b')], [rejection(2, 'b2'), rejection(3, 'c')], [1]);
    expect(list.map((one) => one.path)).toEqual(['c', 'b2']);
  });
  it('are found by any of their words', () => {
    const list = [rejection(1, 'Open/x.json'), rejection(2, 'y.csv')];
    expect(filterRejections(list, 'OPEN', '')).toHaveLength(1);
    expect(filterRejections(list, '', 'held')).toHaveLength(0);
  });
});

describe('walking through a list', () => {
  it('stops at both ends', () => {
    const context = { query: 'status=Open', index: 0, total: 2 };
    expect([neighbour(context, -1), neighbour(context, 1)]).toEqual([undefined, 1]);
  });
  it('survives a foreign history entry', () => {
    expect(readContext({ list: { query: 1 } })).toBeNull();
    expect(readContext(null)).toBeNull();
    expect(readContext({ list: { query: '', index: 3, total: 9 } })).toEqual({ query: '', index: 3, total: 9 });
  });
});

describe('saved views', () => {
  it('a name is kept once, in alphabetical order', () => {
    const views = putView(putView([{ name: 'b', query: '1' }], { name: 'a', query: '2' }), { name: 'b', query: '3' });
    expect(views).toEqual([{ name: 'a', query: '2' }, { name: 'b', query: '3' }]);
  });
});
