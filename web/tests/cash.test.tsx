// @vitest-environment happy-dom
import { render } from 'preact';
import { describe, expect, it } from 'vitest';

import type { Ageing, Bridge, Cash, CashWeek, Costs } from '../src/api/cash';
import { bandPath, bins, labelEvery, largest, linear, linePath, stack, stepPath, ticks } from '../src/parts/charts/chart_math';
import { withParameter } from '../src/parts/charts/use_table';
import { keyOf } from '../src/api/finance';
import { VirtualRows } from '../src/parts/charts/virtual_rows';
import { barsOf } from '../src/parts/charts/waterfall';
import { setFormatLocale } from '../src/parts/format';
import type { Me } from '../src/api/people';
import { maySee, me } from '../src/parts/me';
import { barMax, barOf, entries } from '../src/parts/navigation';
import { ageingAddress, ageingQuery, ageingSentence, bucketTitle, cellQuery, cleanBuckets, debtorsOf, parseAgeing } from '../src/screens/ageing/ageing_words';
import { cashAddress, cashQuery, emptyCash, figureQuery, parseCash, wholeFigure } from '../src/screens/cash/address';
import { bridgeSentence } from '../src/screens/cash/bridge';
import { flowSentence, headroomShort, headroomTone, headroomWords, sayDay, sayWeek } from '../src/screens/cash/cash_words';
import { flowOf } from '../src/screens/cash/flow_chart';
import { documentAddress } from '../src/screens/cash/items';
import { againstBudget, cellQuery as costCell, lastDay, monthsOf, parseCosts } from '../src/screens/costs/cost_words';
import { countsWords, rowsToTake } from '../src/screens/finance/import_words';
import { kinds, typedOf, wishOf } from '../src/screens/finance/kinds';
import { daysLate, exposureWords, trendWords } from '../src/screens/payments/payment_words';
import { changeOf, changeWords, emptyChange, typedOf as typedChange } from '../src/screens/scenarios/scenario_words';

setFormatLocale('en-GB');
const money = (minor: number, currency = 'EUR') => ({ minor, currency });
const week = (start: string, end: string, part: Partial<CashWeek> = {}): CashWeek => ({
  start, end, opening: money(100), receipts: money(0), receipts_by: [], payments: money(0), payments_by: [], closing: money(100), low: { day: start, amount: money(100) }, p10: null, p90: null, headroom: null, ...part,
});

describe('where values lie on a chart', () => {
  it('ticks are round, hold zero and enclose the range', () => {
    expect(ticks(-250_000, 1_900_000, 5)).toEqual([-500_000, 0, 500_000, 1_000_000, 1_500_000, 2_000_000]);
    expect(ticks(0, 0, 4)).toEqual([0, 1]);
    expect(ticks(-3, -1, 4)).toEqual([-3, -2, -1]);
  });
  it('a flat range divides by nothing', () => {
    expect(linear([5, 5], [0, 100])(5)).toBe(0);
    expect(linear([0, 10], [100, 0])(2.5)).toBe(75);
  });
  it('a balance holds until the day it changes', () => {
    expect(stepPath([[0, 1], [10, 5]])).toBe('M0,1H10V5');
    expect(linePath([[0, 1], [10, 5.26]])).toBe('M0,1L10,5.3');
    expect(bandPath([[0, 1], [10, 2]], [[0, 4], [10, 6]])).toBe('M0,1L10,2L10,6L0,4Z');
    expect(bandPath([], [])).toBe('');
  });
  it('what comes stands above zero, what goes below', () => {
    expect(stack([{ name: 'a', value: 5 }, { name: 'x', value: -2 }, { name: 'b', value: 3 }, { name: 'y', value: -4 }])).toEqual([
      { name: 'a', from: 0, to: 5 }, { name: 'x', from: 0, to: -2 }, { name: 'b', from: 5, to: 8 }, { name: 'y', from: -2, to: -6 },
    ]);
  });
  it('the small ones become one', () => {
    const sums = new Map([['Rent', 5], ['Wages', 90], ['Tax', 20], ['Tea', 1]]);
    expect(largest(sums, 3)).toEqual({ shown: ['Wages', 'Tax'], rest: ['Rent', 'Tea'] });
    expect(largest(sums, 4).rest).toEqual([]);
  });
  it('labels that do not fit are left out evenly', () => {
    expect([labelEvery(13, 800, 60), labelEvery(13, 300, 60), labelEvery(53, 300, 60)]).toEqual([1, 3, 11]);
  });
  it('days fall into bins of round width, every one of them', () => {
    const values = [-3, -1, 0, 0, 9, 17, 19, 23];
    const found = bins(values, 6);
    expect(found.map((bin) => [bin.from, bin.to, bin.count])).toEqual([[-5, -1, 2], [0, 4, 2], [5, 9, 1], [10, 14, 0], [15, 19, 2], [20, 24, 1]]);
    expect(found.reduce((sum, bin) => sum + bin.count, 0)).toBe(values.length);
    expect(bins([], 6)).toEqual([]);
  });
  it('steps of a bridge stand on each other', () => {
    expect(barsOf([{ name: 'then', value: 10, whole: true }, { name: 'timing', value: -4 }, { name: 'new', value: 3 }, { name: 'now', value: 9, whole: true }]).map((bar) => [bar.from, bar.to])).toEqual([[0, 10], [10, 6], [6, 9], [0, 9]]);
  });
});

describe('the address of Cash', () => {
  it('keeps everything that is on the screen, and nothing of the usual', () => {
    expect(cashAddress(emptyCash)).toBe('/cash');
    const state = { weeks: 26, view: 'pessimistic' as const, currency: 'USD', layers: ['invoiced' as const, 'ordered' as const], scenarios: ['s1', 's 2'], expanded: ['2026-11-23'], from: 'f12', table: true, figure: wholeFigure('2026-11-23', '2026-11-29', { direction: 'in', layer: 'invoiced' }) };
    const address = cashAddress(state);
    expect(address).toBe('/cash?weeks=26&view=pessimistic&currency=USD&layers=invoiced,ordered&scenario=s1&scenario=s+2&week=2026-11-23&from=f12&table=1&of=2026-11-23..2026-11-29&direction=in&layer=invoiced');
    expect(parseCash(address.slice(5))).toEqual(state);
  });
  it('asks the server only what it answers', () => {
    const state = parseCash('?weeks=8&week=2026-11-23&from=f12&table=1&of=2026-11-23..2026-11-29');
    expect(cashQuery(state)).toBe('weeks=8');
    expect(figureQuery(state, wholeFigure('2026-11-23', '2026-11-29', { direction: 'out', category: 'Wages' }))).toBe('weeks=8&from=2026-11-23&to=2026-11-29&direction=out&category=Wages');
  });
  it('a typed address that makes no sense shows the usual', () => {
    expect(parseCash('?weeks=900&view=rosy&layers=hope&of=yesterday..today')).toEqual({ ...emptyCash, layers: [] });
  });
  it('no layer at all is not the same as all of them', () => {
    expect([cashQuery({ ...emptyCash, layers: [] }), cashQuery(emptyCash)]).toEqual(['layers=', '']);
  });
  it('one parameter changes, the others stay', () => {
    expect([withParameter('?weeks=8&table=1', 'table', ''), withParameter('?weeks=8', 'table', '1'), withParameter('?table=1', 'table', '')]).toEqual(['?weeks=8', '?weeks=8&table=1', '']);
  });
});

describe('a forecast in words', () => {
  it('a breach of the credit line is worded, not only red', () => {
    expect(headroomWords(money(3_800_000), money(25_000_000))).toBe('38,000 EUR above the credit line');
    expect(headroomWords(money(-1_200_000), money(25_000_000))).toBe('12,000 EUR beyond the credit line');
    expect(headroomWords(money(-1_200_000), null)).toBe('12,000 EUR below zero');
    expect(headroomWords(money(0), money(100))).toBe('exactly at the credit line');
    expect([headroomShort(money(-1_200_000)), headroomShort(money(700))]).toEqual(['12,000 beyond', '7 left']);
    expect([headroomTone(money(-1), money(5)), headroomTone(money(1), money(-5)), headroomTone(money(1), money(5))]).toEqual(['poor', 'fair', 'good']);
  });
  it('a day says its balance, how sure it is and what moved', () => {
    expect(sayDay({ day: '2027-01-14', receipts: money(0), payments: money(-28_000_000), closing: money(-500), p10: money(-90_000), p90: money(80_000) })).toBe('14 Jan 2027: −5.00 EUR, overdrawn, between −900 and 800 in 8 of 10 cases; out 280,000.00 EUR');
    expect(sayWeek(week('2026-11-23', '2026-11-29', { receipts: money(500), payments: money(-300) }))).toBe('Week 48, 23 Nov to 29 Nov: in 5.00 EUR, out 3.00 EUR, closing 1.00 EUR');
  });
  it('names the week that costs most', () => {
    const weeks = [week('2026-11-23', '2026-11-29', { receipts: money(500) }), week('2026-11-30', '2026-12-06', { payments: money(-900), receipts: money(100) })];
    expect(flowSentence({ weeks, currency: 'EUR' } as Cash)).toMatch(/^In Week 49.* 8\.00 EUR more goes out/);
    expect(flowSentence({ weeks: weeks.slice(0, 1), currency: 'EUR' } as Cash)).toBe('In no week more goes out than comes in.');
  });
  it('parts of a column add up to the week', () => {
    const by = (names: string[]) => names.map((category, at) => ({ category, amount: money((at + 1) * -100) }));
    const { columns, looks } = flowOf([week('2026-11-23', '2026-11-29', { receipts_by: [{ layer: 'invoiced', amount: money(700) }, { layer: 'ordered', amount: money(50) }], payments_by: by(['a', 'b', 'c', 'd', 'e', 'f']) })]);
    const values = columns[0]?.segments.map((segment) => segment.value) ?? [];
    expect(values.filter((value) => value > 0).reduce((sum, value) => sum + value, 0)).toBe(750);
    expect(values.filter((value) => value < 0).reduce((sum, value) => sum + value, 0)).toBe(-2100);
    expect([...looks.keys()]).toEqual(['In: Invoiced', 'In: Ordered', 'Out: f', 'Out: e', 'Out: d', 'Out: other']);
    expect(new Set(looks.values()).size).toBe(looks.size);
  });
  it('a bridge names its largest part', () => {
    const parts = { timing: money(-6100), amount: money(200), new: money(2400), gone: money(-4300), rate: money(-200) };
    const bridge: Bridge = { from: { id: 'f1', made: '2026-11-15T06:00:00Z', as_of: 1, closing: money(29_200) }, to_closing: money(21_200), weeks_end: '2027-02-21', parts, difference: money(-8000), items: [] };
    expect(bridgeSentence(bridge)).toMatch(/is −80\.00 EUR against 15 Nov 2026.*mostly “timing”: −61\.00 EUR\.$/);
  });
  it('a document is opened where it lives', () => {
    expect(documentAddress({ kind: 'invoice', number: '90/1', order: '7' })).toBe('/finance?kind=invoice&doc=90%2F1');
    expect(documentAddress({ kind: 'order', number: '7', order: '7' })).toBe('/orders/7');
  });
});

describe('ageing', () => {
  const answer: Ageing = {
    as_of: 1, as_of_time: '', side: 'receivables', day: '2026-11-22', by: 'due', buckets: ['not_due', '1-30', '31+', 'no_date'], measures: {},
    totals: [{ currency: 'EUR', amounts: [money(100), money(50), money(25), money(5)], total: money(180) }],
    rows: [
      { key: 'C1', name: 'ACME', currency: 'EUR', amounts: [money(100), money(10), money(0), money(5)], total: money(115), oldest: null },
      { key: 'C2', name: 'Rhein', currency: 'EUR', amounts: [money(0), money(40), money(25), money(0)], total: money(65), oldest: null },
    ],
  };
  it('no due date is not overdue, and stands apart', () => {
    expect(ageingSentence(answer)).toBe('1.80 EUR is owed to us, 0.75 EUR of it overdue.');
    expect(debtorsOf(answer, 5).map((one) => [one.row.key, one.overdue.minor])).toEqual([['C2', 65], ['C1', 10]]);
    expect(answer.buckets.map(bucketTitle)).toEqual(['not due yet', '1–30 days', 'more than 30 days', 'no due date']);
  });
  it('own steps rise and are whole days', () => {
    expect([cleanBuckets(' 15, 30;60 '), cleanBuckets(''), cleanBuckets('30,15'), cleanBuckets('a'), cleanBuckets('0,30')]).toEqual(['15,30,60', '', undefined, undefined, undefined]);
  });
  it('keeps its state in the address', () => {
    const search = '?side=payables&as_of=2026-10-31&by=posted&buckets=15,30&group=country&q=ac&cell=31%2B&cell_key=DE&cell_currency=EUR';
    const state = parseAgeing(search);
    expect(parseAgeing(ageingAddress(state).slice(7))).toEqual(state);
    expect(ageingQuery(state)).toBe('side=payables&as_of=2026-10-31&by=posted&buckets=15,30&group=country');
    expect(cellQuery(parseAgeing('?cell=all&cell_key=C1'), { bucket: 'all', key: 'C1', currency: 'EUR' })).toBe('side=receivables&party=C1&currency=EUR');
  });
});

describe('costs', () => {
  const row = (month: string, category: string, actual: number, budget: number) => ({ month, category, actual: money(actual), planned: money(0), budget: money(budget), difference: money(actual - budget), documents: 1 });
  it('months add up by themselves, oldest first', () => {
    const months = monthsOf({ currency: 'EUR', rows: [row('2026-11', 'Rent', 500, 400), row('2026-10', 'Rent', 300, 0), row('2026-11', 'Wages', 700, 700)] } as Costs);
    expect(months.map((month) => [month.month, month.actual.minor, month.budget.minor])).toEqual([['2026-10', 300, 0], ['2026-11', 1200, 1100]]);
  });
  it('over and under are words', () => {
    expect([againstBudget(money(1200), money(1100)), againstBudget(money(1000), money(1100)), againstBudget(money(5), money(0)), againstBudget(money(5), money(5))]).toEqual(['1.00 EUR over budget', '1.00 EUR under budget', 'nothing is budgeted', 'exactly as budgeted']);
  });
  it('a cell opens the documents of its month and category', () => {
    const state = parseCosts('?from=2026-11-10&cell=2026-11&cell_category=Wages&counts=budget');
    expect(state.cell).toEqual({ month: '2026-11', category: 'Wages', counts: 'budget' });
    expect([lastDay('2026-02'), lastDay('2024-02'), state.cell === null ? '' : costCell(state, state.cell)]).toEqual(['2026-02-28', '2024-02-29', 'from=2026-11-10&to=2026-11-30&category=Wages']);
  });
});

describe('what people enter', () => {
  const written = {
    kind: 'cost' as const, key: 'C-17', number: 'C-17', source: 'entered', editable: true, version: 'a', party: '', party_name: '', posted: '2026-11-22', due: null, until: null, paid: null, currency: 'EUR', amount: money(100),
    cancelled: false, closed: false, category: 'Operating', account: '', reference: '', terms: '', comment: '', every: '', settles: [], instalments: [], origin: '',
  };
  it('settles what is named, the whole amount when only one is', () => {
    const typed = { number: 'P1', party: 'C1', posted: '2026-11-22', amount: '620,00', currency: 'EUR' };
    expect(wishOf('payment', { ...typed, settles: '9001' })).toMatchObject({ settles: [{ kind: 'invoice', number: '9001', amount: '620.00' }] });
    expect(wishOf('payment', { ...typed, settles: '9001: 500.00; 9002: 120' })).toMatchObject({ settles: [{ number: '9001', amount: '500.00' }, { number: '9002', amount: '120' }] });
    expect(wishOf('payment', { ...typed, settles: '9001; 9002: 120' })).toBe('Say how much of “9001” is settled, such as 9001: 500.00.');
  });
  it('a rate has its two currencies and its day as key', () => {
    const wish = wishOf('rate', { number: 'usd/eur', posted: '2026-11-20', rate: '0,9231' });
    expect(wish).toMatchObject({ number: 'USD/EUR', rate: { from: 'USD', to: 'EUR', rate: '0.9231' } });
    expect(typeof wish === 'string' ? '' : keyOf(wish)).toBe('USD/EUR 2026-11-20');
  });
  it('what the form does not show stays; instalments of another amount do not', () => {
    const before = { ...written, kind: 'invoice' as const, number: '9', party: 'C1', terms: '30', instalments: [{ due: null, amount: money(100) }], tax: money(19) };
    const typed = typedOf(before);
    expect(wishOf('invoice', typed, before)).toMatchObject({ tax: money(19), instalments: before.instalments, amount: '1.00' });
    expect(wishOf('invoice', { ...typed, amount: '2.00' }, before)).toMatchObject({ instalments: [], amount: '2.00' });
  });
  it('goes as it was written, and misses nothing it needs', () => {
    expect(wishOf('cost', { number: 'C-17', posted: '2026-11-22', category: 'Operating', amount: "1'200,50", currency: 'eur' })).toMatchObject({ kind: 'cost', number: 'C-17', posted: '2026-11-22', category: 'Operating', amount: '1200.50', currency: 'EUR' });
    expect(wishOf('cost', { number: 'C-17', posted: '2026-11-22', amount: '5', currency: 'EUR' })).toBe('Category is missing.');
    expect(wishOf('cost', { number: 'C-17', posted: '2026-11-22', category: 'x', amount: '5', currency: 'euros' })).toMatch(/is no currency/);
  });
  it('comes back onto the form', () => {
    expect(typedOf({ ...written, amount: money(12_050) })).toMatchObject({ number: 'C-17', posted: '2026-11-22', amount: '120.50', currency: 'EUR', category: 'Operating', comment: '' });
  });
  it('every kind has a name', () => {
    for (const spec of Object.values(kinds)) expect([spec.title, spec.many].every((text) => text !== '')).toBe(true);
  });
  it('a file says in words what it would do; doubtful rows are taken only when asked for', () => {
    const preview = { preview: 'p', until: '2026-11-22T10:00:00Z', kind: 'cost' as const, format: 'csv', guess: { columns: {}, unused: [] }, missing: [], rows: [], rows_left_out: 0, counts: { new: 10, changed: 1, doubtful: 2, refused: 1 } };
    expect(countsWords(preview.counts)).toBe('10 new, 1 changes one, 2 doubtful, 1 refused.');
    expect([rowsToTake(preview, 'leave'), rowsToTake(preview, 'take')]).toEqual([11, 13]);
    expect(countsWords({})).toBe('No row of this file says anything.');
  });
});

describe('scenarios', () => {
  it('say what they assume', () => {
    expect(changeWords({ kind: 'customer_later', party: 'C1', days: 30 })).toBe('customer C1 pays 30 days later');
    expect(changeWords({ kind: 'rate', from: 'USD', to: 'EUR', percent: -5 })).toBe('USD/EUR falls by 5 %');
    expect(changeWords({ kind: 'pay_later', days: -3 })).toBe('we pay 3 days earlier');
  });
  it('what was typed becomes a change, or the sentence that is wrong with it', () => {
    expect(changeOf({ ...emptyChange, who: 'C1', days: '30' })).toEqual({ kind: 'customer_later', party: 'C1', days: 30 });
    expect(changeOf({ ...emptyChange, who: '', days: '30' })).toBe('Say which customer.');
    expect(changeOf({ ...emptyChange, who: 'C1', days: 'soon' })).toMatch(/no whole number of days/);
    expect(changeOf({ ...emptyChange, kind: 'rate', who: 'usd', to: 'eur', percent: '−5' })).toEqual({ kind: 'rate', from: 'USD', to: 'EUR', percent: -5 });
    expect(changeOf({ ...emptyChange, kind: 'rate', who: 'USD', to: 'USD' })).toMatch(/two different currencies/);
    expect(changeOf(typedChange({ kind: 'order_slips', order: '43659', days: 14 }))).toEqual({ kind: 'order_slips', order: '43659', days: 14 });
  });
});

describe('how a customer pays', () => {
  it('in words', () => {
    expect([daysLate(9), daysLate(1), daysLate(0), daysLate(-3)]).toEqual(['9 days late', '1 day late', 'on the day', '3 days early']);
    expect([trendWords(0.4), trendWords(-1), trendWords(0.02), trendWords(null)]).toEqual(['Becomes slower by 0.4 days a month.', 'Becomes faster by 1 days a month.', 'Pays as it always did.', 'Too few invoices to see a trend.']);
    expect(exposureWords(money(5_600_000), money(5_000_000))).toEqual({ tone: 'poor', text: '6,000 EUR beyond the limit' });
    expect(exposureWords(money(1_000_000), money(5_000_000))?.text).toBe('10,000 EUR used, 40,000 EUR left');
  });
});

describe('who may see it', () => {
  it('without the right to see money there is no entry and no screen; limited to own orders neither', () => {
    const person = (part: Partial<Me>): Me => ({ signed_in: true, rights: ['see_orders'], own_orders: '', ...part }) as Me;
    const screens = ['cash', 'ageing', 'costs', 'scenarios', 'finance', 'payments'];
    const seen = (): string[] => screens.filter(maySee);
    me.value = person({});
    expect([seen(), entries.filter((entry) => maySee(entry.screen)).map((entry) => entry.screen)]).toEqual([[], ['orders']]);
    me.value = person({ rights: ['see_orders', 'see_money'] });
    expect(seen()).toEqual(screens);
    me.value = person({ rights: ['see_orders', 'see_money'], own_orders: 'Ann' });
    expect(seen()).toEqual([]);
    me.value = null;
  });
});

describe('the bar of a phone', () => {
  it('has five entries at most, the rest behind More', () => {
    const { bar, more } = barOf(entries);
    expect(bar.length).toBe(barMax - 1);
    expect(more.map((entry) => entry.screen)).toContain('cash');
    expect([...bar, ...more].length).toBe(entries.length);
    expect(barOf(entries.slice(0, 5)).more).toEqual([]);
  });
});

describe('a long table', () => {
  it('draws what one sees and says how long it is', () => {
    globalThis.matchMedia ??= (() => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined })) as unknown as typeof matchMedia;
    const place = document.createElement('div');
    const rows = Array.from({ length: 5000 }, (_, at) => at);
    render(<VirtualRows label="Numbers" rows={rows} total={9000} columns={[{ title: 'Number', width: '1fr', cell: (row: number) => `n${row}` }]} rowHeight={20} height={200} keyOf={String} />, place);
    const table = place.querySelector('[role=table]');
    expect(table?.getAttribute('aria-rowcount')).toBe('9001');
    expect(place.querySelectorAll('.virtual-all [role=row]').length).toBeLessThan(40);
    expect(place.querySelector('.virtual-all [role=row]')?.getAttribute('aria-rowindex')).toBe('2');
  });
});
