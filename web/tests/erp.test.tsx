// @vitest-environment happy-dom
import { render } from 'preact';
import { describe, expect, it } from 'vitest';

import type { Difference, DifferenceRow, HeldSync, OrderDetail, Performance, ServiceStatus, SourceStatus, StreamStatus, SyncRun } from '../src/api/types';
import { Sides } from '../src/parts/difference_sides';
import { differenceTitle, keepDecided, keyOf, nextSide, ruleText, valueText } from '../src/parts/differences';
import { formatUntil, sentence, setFormatLocale } from '../src/parts/format';
import { filterAddress, filterQuery, parseFilter, rowAfter } from '../src/screens/differences/difference_list';
import { isJoined, lineOrigin, originOf, writtenBy } from '../src/screens/order/origins';
import { heldNumbers, HeldSyncs } from '../src/screens/sources/held';
import { answersUnjudged, filesUnjudged } from '../src/screens/sources/judgement';
import { ServiceCard } from '../src/screens/sources/service';
import { barHeights, breakerText, capabilityName, dialectName, runsText, serviceState, verifiedText } from '../src/screens/sources/service_words';

setFormatLocale('en-GB');
const at = '2026-11-21T09:00:00Z';
const now = Date.parse(at) + 12_000;

const run = (took_ms: number, part: Partial<SyncRun> = {}): SyncRun => ({
  started: new Date(now - took_ms).toISOString(), took_ms, calls: 1, bytes: 10, rows_read: 3, documents_read: 0, rows_written: 0, rows_gone: 0, outcome: 'good', message: '', ...part,
});
const stream = (part: Partial<StreamStatus> = {}): StreamStatus => ({
  name: 'orders', phase: 'following', rows: 1200, rows_open: 300, last_good: at, age_s: 12, verified_as_of: at, verified_by: 'full round', verified_share: 0.25,
  progress_done: 0, progress_total: 0, runs: [run(90)], ...part,
});
const service = (part: Partial<ServiceStatus> = {}): ServiceStatus => ({
  dialect: 'sap-b1 v2', address: 'https://sap.example:50000', company: 'NORDWERK', insecure: false, streams: [stream()], calls: [], breaker: 'closed', breaker_until: null,
  calls_this_hour: 17, calls_per_hour: 600, capabilities: [], held: [], ...part,
});
const source = (part: Partial<SourceStatus> = {}): SourceStatus => ({
  id: 'sap', kind: 'service', root: '', state: 'polling', state_word: 'good', message: '', as_of_time: at, age_s: 12,
  refresh: { running: false, count: 5, with_changes: 1, started: at, next: at, took_ms: 90, interval_s: 10 },
  files: 1200, files_read: 0, files_unchanged: 1200, bytes_read: 0, orders: 1200, rejections: 0, ignored: 0, pending: 0, progress: { done: 0, total: 0, unit: 'rows' },
  events: 0, event_overflows: 0, watching: false, file_system: '', poll_interval_ms: 10_000, delay_max_ms: 10_000, delay_why: '', hangs_since: null, service: service(), ...part,
});
const held: HeldSync = {
  source: 'sap', stream: 'orders', since: at, why: 'the sync would remove 412 of 1200 orders; nothing of it was taken over', rows_before: 1200, rows_gone: 412, rows_closed: 3,
  totals: [{ currency: 'EUR', before: { minor: 500_000, currency: 'EUR' }, after: { minor: 120_000, currency: 'EUR' } }],
  examples: [{ key: '4711', number: 'SO-4711', customer: 'ACME', what: 'open amount 120.00 -> 0.00' }],
};
const difference = (part: Partial<DifferenceRow> = {}): DifferenceRow => ({
  order: '43670', customer: 'C1', customer_name: 'ACME', field: 'quantity', line: 1, counts: 'sap', rule: 'erp-wins', decided_by: null, decided_at: null,
  values: [{ source: 'sap', text: '4000', updated: at, path: '' }, { source: 'orders', text: '4500.5', updated: null, path: '' }], ...part,
});
const shown = (what: preact.ComponentChild): HTMLElement => {
  const place = document.createElement('div');
  render(what, place);
  return place;
};

describe('a hit rate', () => {
  const cache = (hits: number, misses: number) => ({ hits, misses }) as Performance['cache'];
  it('is not judged before there were 100 looks', () => {
    expect(answersUnjudged(cache(0, 99))).not.toBeNull();
    expect(answersUnjudged(cache(0, 100))).toBeNull();
  });
  it('of files is not judged while a source was only read for the first time', () => {
    const first = source({ files_read: 3000, files_unchanged: 0, refresh: { ...source().refresh, count: 1 } });
    expect(filesUnjudged(cache(0, 3000), [first])).toMatch(/first read/);
    expect(filesUnjudged(cache(0, 3000), [source(), first])).toMatch(/first read/);
    expect(filesUnjudged(cache(0, 3000), [source()])).toBeNull();
  });
  it('of files is judged after a restart, which proves them unchanged', () => {
    expect(filesUnjudged(cache(3000, 0), [source({ files_unchanged: 3000, refresh: { ...source().refresh, count: 1 } })])).toBeNull();
  });
});

describe('an ERP', () => {
  it('is in step also while a short sync runs', () => {
    expect(serviceState(source({ state: 'scanning', state_word: 'fair' }))).toEqual({ word: 'good', text: 'in step' });
    expect(serviceState(source({ state: 'scanning', state_word: 'fair', as_of_time: null }))).toEqual({ word: 'fair', text: 'first sync' });
    expect(serviceState(source({ state: 'failed', state_word: 'poor' }))).toEqual({ word: 'poor', text: 'not in step' });
    expect(serviceState(source({ state: 'held', state_word: 'poor' })).text).toBe('held');
  });
  it('says what it is verified by, and how far the next round is', () => {
    const said = verifiedText(stream(), now);
    expect(said.word).toBe('good');
    expect(said.text).toMatch(/^verified as of .*\d\d:\d\d/);
    expect(said.more).toBe('by a full round, 25% of the next round is done');
    expect(verifiedText(stream({ verified_as_of: null, phase: 'first sync' }), now)).toEqual({ word: 'fair', text: 'not verified yet, the first sync is still running', more: '' });
  });
  it('tells what the breaker does, and nothing while all is well', () => {
    expect(breakerText(service())).toBeNull();
    expect(breakerText(service({ breaker: 'open', breaker_until: at }))).toMatch(/left alone until \d\d:\d\d:\d\d/);
    expect(breakerText(service({ breaker: 'half_open' }))).toMatch(/one call tries now/);
  });
  it('sums up its last syncs', () => {
    expect(runsText([])).toBe('No sync has ended yet.');
    expect(runsText([run(80), run(90, { rows_written: 1 }), run(400, { outcome: 'failed' })])).toBe('Last 3: 1 not good, usually 90 ms, 1 row changed');
    expect(barHeights([run(100), run(0), run(25)], 28)).toEqual([28, 2, 14]);
  });
  it('names what it is and can do in words', () => {
    expect(dialectName('sap-b1 v2')).toBe('SAP Business One, v2');
    expect(dialectName('odata')).toBe('OData service');
    expect(capabilityName('page_cap.Orders')).toBe('Rows the ERP gives per page: Orders');
    expect(capabilityName('brand_new')).toBe('Brand new');
  });
  it('without a checked certificate says so on its card', () => {
    const card = (insecure: boolean) => {
      const status = service({ insecure });
      return shown(<ServiceCard source={source({ service: status })} service={status} onAct={() => undefined} onChanged={() => undefined} />).textContent ?? '';
    };
    expect(card(true)).toMatch(/Insecure\. The certificate of this ERP is not checked/);
    expect(card(false)).not.toMatch(/Insecure/);
    expect(card(false)).toMatch(/17 of 600/);
  });
});

describe('a held sync', () => {
  it('is said in numbers', () => {
    expect(heldNumbers(held)).toBe('412 of 1,200 orders would go, 3 would close.');
    expect(heldNumbers({ ...held, rows_gone: 0, rows_closed: 0 })).toMatch(/open totals would move/);
  });
  it('shows the totals before and after; nothing shows where nothing is held', () => {
    const part = (list: HeldSync[]) => shown(<HeldSyncs sources={[source({ service: service({ held: list }) })]} onAct={() => undefined} />);
    const cells = [...part([held]).querySelectorAll('.held-totals td')].map((cell) => cell.textContent);
    expect(cells).toEqual(['5,000.00', '1,200.00', '\u22123,800.00']);
    expect(part([]).textContent).toBe('');
  });
});

describe('a difference', () => {
  it('is named and shown as a planner writes it', () => {
    expect(differenceTitle(difference())).toBe('Quantity, line 1');
    expect(differenceTitle(difference({ field: 'requested', line: 0 }))).toBe('Requested date');
    expect(differenceTitle(difference({ field: 'line', line: 2 }))).toBe('Line 2');
    expect(valueText('quantity', '4500.5')).toBe('4,500.5');
    expect(valueText('requested', '2026-03-10')).toBe('10 Mar 2026');
    expect(valueText('source_key', '20022')).toBe('20022');
  });
  it('says why the value counts that counts', () => {
    expect(ruleText(difference())).toBe('rule: the ERP counts');
    expect(ruleText(difference({ rule: 'orders-wins' }))).toBe('rule: orders counts');
    expect(ruleText(difference({ rule: 'decided', decided_by: 'Ann', decided_at: null }))).toBe('decided by Ann');
  });
  it('x takes the next side and comes round', () => {
    expect(nextSide(difference())).toBe('orders');
    expect(nextSide(difference({ counts: 'orders' }))).toBe('sap');
  });
  it('shows both sides, the one that counts pressed', () => {
    const place = shown(<Sides order="43670" one={difference()} onDecided={() => undefined} />);
    expect([...place.querySelectorAll('.side')].map((side) => side.getAttribute('aria-pressed'))).toEqual(['true', 'false']);
    expect(place.textContent).not.toMatch(/Take back/);
    const decided = shown(<Sides order="43670" one={difference({ decided_by: 'Ann' })} onDecided={() => undefined} />);
    expect(decided.textContent).toMatch(/Take back/);
  });
  it('that was decided here keeps its place until the reader leaves', () => {
    const [a, b, c] = [difference({ order: '1' }), difference({ order: '2' }), difference({ order: '3' })] as const;
    const here = new Set([keyOf(b)]);
    expect(keepDecided([a, b, c], [a, c], here).map((row) => row.order)).toEqual(['1', '2', '3']);
    expect(keepDecided([b, c], [c], here).map((row) => row.order)).toEqual(['2', '3']);
    expect(keepDecided([a, b, c], [a, c], new Set()).map((row) => row.order)).toEqual(['1', '3']);
    expect(keepDecided([a, b], [a, b], here)).toHaveLength(2);
  });
  it('is drawn as the order says it after the decision', () => {
    const { order: _, customer: __, customer_name: ___, ...decided } = difference({ counts: 'orders', decided_by: 'Ann' });
    expect(rowAfter(difference(), { differences: [decided] as Difference[] } as OrderDetail)).toMatchObject({ order: '43670', counts: 'orders', decided_by: 'Ann' });
    expect(rowAfter(difference(), { differences: [] as Difference[] } as OrderDetail).counts).toBe('sap');
  });
  it('is filtered by the address; without a word by what is left to decide', () => {
    expect(filterQuery(parseFilter(''))).toBe('decided=0');
    const all = parseFilter('?decided=all&field=quantity');
    expect(filterQuery(all)).toBe('field=quantity');
    expect(filterAddress(all)).toBe('/differences?decided=all&field=quantity');
    expect(filterAddress(parseFilter(''))).toBe('/differences');
  });
});

describe('where a value comes from', () => {
  const order = {
    source: 'sap', differences: [],
    origins: [{ field: 'promise', line: 0, source: 'orders', path: '' }, { field: 'line', line: 2, source: 'orders', path: '' }, { field: 'quantity', line: 1, source: 'orders', path: '' }],
  };
  it('a promise that a person wrote comes from that person', () => {
    const value = { field: 'promised_date', value: '2026-12-15', beneath: '', said: '', author: 'anna', time: '2026-11-22T14:00:00.000Z', expires: null };
    const order = { overlay: { version: 1, fields: [value] } };
    expect([writtenBy(order, 'promise'), writtenBy(order, 'requested'), writtenBy({ overlay: { version: 0, fields: [] } }, 'promise')]).toEqual(['anna', '', '']);
  });

  it('is the source of the document that counts, unless another is named', () => {
    expect([originOf(order, 'promise'), originOf(order, 'status'), originOf(order, 'unit_price', 2)]).toEqual(['orders', 'sap', 'orders']);
    expect([lineOrigin(order, 1), lineOrigin(order, 2), lineOrigin(order, 3)]).toEqual(['sap; quantity from orders', 'orders', 'sap']);
  });
  it('is not said of an order that one source speaks of', () => {
    expect(isJoined({ source: 'orders', origins: [], differences: [] })).toBe(false);
    expect(isJoined(order)).toBe(true);
  });
});

describe('words', () => {
  it('a reason of the server becomes a sentence', () => {
    expect(sentence('the ERP is asked every 10 s')).toBe('The ERP is asked every 10 s.');
    expect([sentence(''), sentence('Done.')]).toEqual(['', 'Done.']);
  });
  it('what comes soon is said from now', () => {
    expect([formatUntil(new Date(now + 6_000).toISOString(), now), formatUntil(at, now), formatUntil(null, now)]).toEqual(['in 6 s', 'now', '–']);
  });
});
