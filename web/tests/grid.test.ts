import { describe, expect, it, vi } from 'vitest';

import {
  bodyHeight,
  heightMax,
  rowOffset,
  scrollToRow,
  topRow,
  type View,
  visibleRange,
  windowsFor,
} from '../src/parts/grid/grid_math';
import { arrivedCount, freshList, mergeDelta, pillOf } from '../src/parts/grid/live_merge';
import { RowWindows, type WindowAnswer, windowSize } from '../src/parts/grid/row_windows';

const view = (part: Partial<View>): View => ({ scrollTop: 0, viewport: 720, rowHeight: 36, total: 1000, ...part });

describe('which rows are visible', () => {
  it('a short list never asks for rows it does not have', () => {
    expect(visibleRange(view({ total: 3 }), 6)).toEqual({ first: 0, last: 2 });
    expect(visibleRange(view({ total: 0 }), 6)).toEqual({ first: 0, last: -1 });
  });
  it('a scrolled list shows the rows at its edge', () => {
    expect(visibleRange(view({ scrollTop: 3600 }), 0)).toEqual({ first: 100, last: 120 });
  });
  it('five million rows stay below the height browsers can draw', () => {
    expect(bodyHeight(5_000_000, 36)).toBe(heightMax);
  });
  it('the end of the scroll bar is the end of a list of any length', () => {
    for (const total of [1, 19, 20, 21, 1000, 222_222, 222_223, 1_000_000, 5_000_000]) {
      for (const rowHeight of [28, 36, 44, 84]) {
        const height = bodyHeight(total, rowHeight);
        const bottom = view({ total, rowHeight, scrollTop: Math.max(0, height - 720) });
        expect(visibleRange(bottom, 0).last, `${total} rows of ${rowHeight}`).toBe(total - 1);
        const last = rowOffset(bottom, total - 1) + rowHeight;
        expect(Math.abs(last - Math.max(height, Math.min(720, total * rowHeight)))).toBeLessThan(1);
      }
    }
  });
  it('a row scrolled to is in view, from wherever one comes', () => {
    for (const total of [500, 1_000_000]) {
      for (const from of [0, 0.3, 1]) {
        for (const row of [0, 7, Math.floor(total / 3), total - 1]) {
          const start = view({ total, scrollTop: from * (bodyHeight(total, 36) - 720) });
          const there = { ...start, scrollTop: scrollToRow(start, row) };
          const top = topRow(there);
          expect(row, `${total} rows, from ${from}`).toBeGreaterThanOrEqual(Math.floor(top + 0.001));
          expect(row + 1).toBeLessThanOrEqual(top + 20 + 0.01);
        }
      }
    }
  });
  it('a range is covered by aligned windows', () => {
    expect(windowsFor({ first: 95, last: 205 }, 100)).toEqual([0, 100, 200]);
    expect(windowsFor({ first: 0, last: -1 }, 100)).toEqual([]);
  });
});

type Row = { key: string; value: number };
const rowOf = (index: number): Row => ({ key: `SO-${index}`, value: index });

function server(total: number) {
  const asked: number[] = [];
  const fetchWindow = (offset: number, limit: number): Promise<WindowAnswer<Row>> => {
    asked.push(offset);
    const rows = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, at) => rowOf(offset + at));
    return Promise.resolve({ rows, total, asOf: 1 });
  };
  return { asked, fetchWindow };
}

function windows(onProblem: (error: unknown) => void = () => undefined) {
  const onChange = vi.fn();
  return { list: new RowWindows<Row>({ keyOf: (row) => row.key, onChange, onProblem }), onChange };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

describe('rows in windows', () => {
  it('only what is seen is fetched, and only once', async () => {
    const { list } = windows();
    const { asked, fetchWindow } = server(10_000);
    await list.replace(fetchWindow);
    list.want({ first: 5000, last: 5030 });
    await settled();
    list.want({ first: 5001, last: 5031 });
    await settled();
    expect(asked).toEqual([0, 5000]);
    expect(list.rowAt(5030)).toEqual(rowOf(5030));
    expect(list.rowAt(9000)).toBeUndefined();
  });

  it('the old list stays until the new one has arrived', async () => {
    const { list } = windows();
    await list.replace(server(50).fetchWindow);
    let arrive: (answer: WindowAnswer<Row>) => void = () => undefined;
    const replacing = list.replace(() => new Promise((resolve) => (arrive = resolve)));
    expect(list.rowAt(49)).toEqual(rowOf(49));
    arrive({ rows: [], total: 0, asOf: 2 });
    expect(await replacing).toBe(true);
    expect(list.total).toBe(0);
  });

  it('an answer that was overtaken is thrown away', async () => {
    const { list } = windows();
    let arrive: (answer: WindowAnswer<Row>) => void = () => undefined;
    const slow = list.replace(() => new Promise((resolve) => (arrive = resolve)));
    await list.replace(server(7).fetchWindow);
    arrive({ rows: [rowOf(99)], total: 1, asOf: 1 });
    expect(await slow).toBe(false);
    expect(list.total).toBe(7);
  });

  it('memory is bounded however far one scrolls', async () => {
    const { list } = windows();
    await list.replace(server(100_000).fetchWindow);
    for (let row = 0; row < 100_000; row += windowSize) {
      list.want({ first: row, last: row + 1 });
      await settled();
    }
    expect([...list.loaded()].length).toBeLessThanOrEqual(40 * windowSize);
  });

  it('a window that failed is not asked for in a circle', async () => {
    const problems: unknown[] = [];
    const { list } = windows((error) => problems.push(error));
    const good = server(1000);
    await list.replace((offset, limit) => (offset === 0 ? good.fetchWindow(offset, limit) : Promise.reject(new Error('no'))));
    list.want({ first: 500, last: 520 });
    await settled();
    list.want({ first: 500, last: 520 });
    await settled();
    expect(problems).toHaveLength(1);
    list.retry();
    await settled();
    expect(problems).toHaveLength(2);
  });

  it('a changed row takes the place of the old one', async () => {
    const { list } = windows();
    await list.replace(server(10).fetchWindow);
    expect(list.patch({ key: 'SO-3', value: 77 })).toEqual(rowOf(3));
    expect(list.rowAt(3)?.value).toBe(77);
    expect(list.patch({ key: 'SO-99', value: 1 })).toBeUndefined();
  });
});

describe('live deltas', () => {
  const keyOf = (row: Row): string => row.key;
  const loaded = (key: string): boolean => ['SO-1', 'SO-2'].includes(key);

  it('a changed row repaints and moves nothing', () => {
    const step = mergeDelta(freshList(10), { total: 10, rows: [rowOf(1)], gone: [] }, keyOf, loaded);
    expect(step.repaint).toEqual([rowOf(1)]);
    expect(pillOf(step.list)).toBeNull();
  });
  it('new orders wait behind the pill', () => {
    const step = mergeDelta(freshList(10), { total: 12, rows: [rowOf(90), rowOf(91)], gone: [] }, keyOf, loaded);
    expect(pillOf(step.list)).toEqual({ kind: 'new', count: 2 });
  });
  it('a change further down the list is not a new order', () => {
    const step = mergeDelta(freshList(10), { total: 10, rows: [rowOf(90)], gone: [] }, keyOf, loaded);
    expect(arrivedCount(step.list)).toBe(0);
    expect(pillOf(step.list)).toBeNull();
  });
  it('one that leaves and one that comes are both seen', () => {
    const step = mergeDelta(freshList(10), { total: 10, rows: [rowOf(90)], gone: ['SO-1'] }, keyOf, loaded);
    expect(pillOf(step.list)).toEqual({ kind: 'new', count: 1 });
    expect(step.list.left.has('SO-1')).toBe(true);
  });
  it('an order that comes back is not new', () => {
    const gone = mergeDelta(freshList(10), { total: 9, rows: [], gone: ['SO-1'] }, keyOf, loaded);
    expect(pillOf(gone.list)).toEqual({ kind: 'changed' });
    const back = mergeDelta(gone.list, { total: 10, rows: [rowOf(1)], gone: [] }, keyOf, loaded);
    expect(pillOf(back.list)).toBeNull();
    expect(back.returned).toEqual(['SO-1']);
  });
  it('changes that never belonged to this list say nothing', () => {
    const step = mergeDelta(freshList(10), { total: 10, rows: [], gone: ['SO-500'] }, keyOf, loaded);
    expect(pillOf(step.list)).toBeNull();
  });
});
