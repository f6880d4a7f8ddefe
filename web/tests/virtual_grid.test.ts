// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { type Column, type GridEvents, VirtualGrid } from '../src/parts/grid/virtual_grid';

type Row = { key: string; amount: string };

class Sizes {
  observe(): void {}
  disconnect(): void {}
}

function made(total: number) {
  vi.stubGlobal('ResizeObserver', Sizes);
  const host = document.createElement('div');
  Object.defineProperty(host, 'clientHeight', { value: 360 });
  document.body.replaceChildren(host);
  const rows = Array.from({ length: total }, (_, at): Row => ({ key: `SO-${at}`, amount: `${at}.00` }));
  const selected = new Set<string>();
  const events: GridEvents<Row> = {
    keyOf: (row) => row.key,
    rowClass: () => '',
    isSelected: (key) => selected.has(key),
    onOpen: vi.fn(),
    onSelect: vi.fn(),
    onSort: vi.fn(),
    onResize: vi.fn(),
    onActive: vi.fn(),
    copyText: () => '',
  };
  const columns: Column<Row>[] = [
    { id: 'order', title: 'Order', width: 100, sortable: true, text: (row) => row.key, href: (row) => `/orders/${row.key}` },
    { id: 'amount', title: 'Amount', width: 120, numeric: true, sortable: true, text: (row) => row.amount },
  ];
  const grid = new VirtualGrid<Row>(host, 'Orders', events);
  grid.setColumns(columns, 'table', 36);
  grid.setSource({ total, rowAt: (index) => rows[index], want: () => undefined });
  const press = (key: string, part: KeyboardEventInit = {}): void => {
    const target = document.activeElement === document.body ? host : (document.activeElement ?? host);
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...part }));
  };
  return { host, rows, selected, events, grid, press };
}

const shown = (host: HTMLElement): HTMLElement[] =>
  [...host.querySelectorAll<HTMLElement>('.grid-body [role=row]')].filter((row) => !row.hidden);
const rowOf = (host: HTMLElement, key: string): HTMLElement | undefined =>
  shown(host).find((row) => row.textContent?.includes(key) === true);

describe('the grid', () => {
  beforeEach(() => document.body.replaceChildren());

  it('says how long the list is and draws only what is seen', () => {
    const { host } = made(100_000);
    expect(host.getAttribute('aria-rowcount')).toBe('100001');
    expect(host.getAttribute('aria-colcount')).toBe('3');
    expect(shown(host).length).toBeLessThan(40);
    expect(shown(host)[0]?.getAttribute('aria-rowindex')).toBe('2');
  });

  it('has exactly one tab stop, and arrows move it', () => {
    const { host, grid, press } = made(50);
    grid.focusActive();
    expect(host.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    press('ArrowDown');
    press('ArrowRight');
    expect(document.activeElement?.textContent).toBe('1.00');
    expect(host.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    expect(grid.active).toBe(1);
  });

  it('Control and End go to the last row, Home to the first cell', () => {
    const { grid, press } = made(50);
    grid.focusActive();
    press('End', { ctrlKey: true });
    expect(grid.active).toBe(49);
    press('Home', { ctrlKey: true });
    expect(grid.active).toBe(0);
    press('ArrowUp');
    press('ArrowUp');
    expect(grid.active).toBe(-1);
  });

  it('titles sort with Enter and resize with Shift and arrows', () => {
    const { events, grid, press } = made(5);
    grid.focusActive();
    press('ArrowUp');
    press('Enter');
    expect(events.onSort).toHaveBeenCalledWith('order', false);
    press('Enter', { shiftKey: true });
    expect(events.onSort).toHaveBeenCalledWith('order', true);
    press('ArrowRight', { shiftKey: true });
    expect(events.onResize).toHaveBeenCalledWith('order', 116);
  });

  it('Enter opens, Space selects, Shift and Space select a range', () => {
    const { events, rows, grid, press } = made(5);
    grid.focusActive();
    press('Enter');
    expect(events.onOpen).toHaveBeenCalledWith(rows[0], 0);
    press(' ');
    expect(events.onSelect).toHaveBeenCalledWith(0, false);
    press('ArrowDown');
    press(' ', { shiftKey: true });
    expect(events.onSelect).toHaveBeenLastCalledWith(1, true);
  });

  it('a changed value flashes where it stands, and only that cell', () => {
    const { host, rows, grid } = made(5);
    rows[2] = { key: 'SO-2', amount: '99.00' };
    grid.patch(new Set(['SO-2']));
    const cells = rowOf(host, 'SO-2')?.querySelectorAll('.flash');
    expect(cells).toHaveLength(1);
    expect(cells?.[0]?.textContent).toBe('99.00');
    expect(host.querySelectorAll('.flash')).toHaveLength(1);
  });

  it('a row in another place does not flash', () => {
    const { host, rows, grid } = made(5);
    rows.reverse();
    grid.refresh();
    expect(host.querySelectorAll('.flash')).toHaveLength(0);
  });

  it('selection is told to screen readers', () => {
    const { host, selected, grid } = made(5);
    selected.add('SO-1');
    grid.refresh();
    expect(rowOf(host, 'SO-1')?.getAttribute('aria-selected')).toBe('true');
  });

  it('sort order is told to screen readers', () => {
    const { host, grid } = made(5);
    grid.setSorts(new Map([['amount', 'descending']]));
    const sorts = [...host.querySelectorAll('[role=columnheader][aria-sort]')].map((one) => one.getAttribute('aria-sort'));
    expect(sorts).toEqual(['none', 'descending']);
  });

  it('leaves nothing behind', () => {
    const { host, grid } = made(5);
    grid.destroy();
    expect(host.childElementCount).toBe(0);
  });
});
