// A table of any length: only the rows one sees are elements; when the end comes near, more is asked for.
//
// Invariants
//   * Every row has the same height, so that the scroll bar tells the truth.
//   * A screen reader hears how many rows there are (`total`) and which one it reads.
//   * Tab stops at the table and in one row of it, never in thousands; arrows, Page, Home and End go from row to row.
import './charts.css';

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { visibleRange } from '../grid/grid_math';
import { useMedia } from '../use_media';

export type RowColumn<Row> = {
  title: string;
  width: string; // a track of the grid: "88px", "minmax(0,1fr)"
  numeric?: boolean;
  cell: (row: Row) => ComponentChildren;
  narrow?: false; // left out on a phone
};

export type VirtualRowsProps<Row> = {
  label: string;
  rows: readonly Row[];
  total: number; // at least rows.length; what has not come yet is asked for
  columns: readonly RowColumn<Row>[];
  rowHeight: number; // pixels
  height: number; // of the box at most
  keyOf: (row: Row) => string;
  onMore?: () => void;
};

const overscan = 6;
const printedMax = 1000; // rows on paper, about thirty sheets

// Paper does not scroll: while something is printed all rows are there.
function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const begin = (): void => setPrinting(true);
    const end = (): void => setPrinting(false);
    addEventListener('beforeprint', begin);
    addEventListener('afterprint', end);
    return () => {
      removeEventListener('beforeprint', begin);
      removeEventListener('afterprint', end);
    };
  }, []);
  return printing;
}

const focusable = 'a[href], button, input, select';
const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

// One row holds the stops of Tab. Answers what a key press in the table does.
function useRowFocus(box: { current: HTMLDivElement | null }, count: number, rowHeight: number): (event: KeyboardEvent) => void {
  const active = useRef(0);
  const wanted = useRef(false); // the focus goes to the active row as soon as that is there
  const [, draw] = useState(0);
  useLayoutEffect(() => {
    const body = box.current;
    if (body === null) return;
    active.current = Math.max(0, Math.min(active.current, count - 1));
    const drawn = [...body.querySelectorAll<HTMLElement>('[role=row]')];
    const indexOf = (row: HTMLElement): number => Number(row.getAttribute('aria-rowindex')) - 2;
    // Scrolled away by hand: Tab goes on where one looks.
    const holder = drawn.find((row) => indexOf(row) === active.current) ?? (wanted.current ? undefined : drawn[0]);
    if (holder !== undefined) active.current = indexOf(holder);
    for (const row of drawn) for (const stop of row.querySelectorAll<HTMLElement>(focusable)) stop.tabIndex = row === holder ? 0 : -1;
    if (!wanted.current || holder === undefined) return;
    wanted.current = false;
    (holder.querySelector<HTMLElement>(focusable) ?? body).focus({ preventScroll: true });
  });
  return (event) => {
    const body = box.current;
    const step = steps[event.key];
    if (body === null || step === undefined || event.altKey || event.ctrlKey || event.metaKey || (event.target as HTMLElement).matches('input, select')) return;
    event.preventDefault();
    const inside = event.target !== body;
    active.current = Math.max(0, Math.min(count - 1, inside ? active.current + step : active.current));
    wanted.current = true;
    const top = active.current * rowHeight;
    if (top < body.scrollTop) body.scrollTop = top;
    else if (top + rowHeight > body.scrollTop + body.clientHeight) body.scrollTop = top + rowHeight - body.clientHeight;
    draw((time) => time + 1);
  };
}

export function VirtualRows<Row>({ label, rows, total, columns: all, rowHeight, height, keyOf, onMore }: VirtualRowsProps<Row>) {
  const phone = useMedia('(max-width: 719px)');
  const columns = phone ? all.filter((column) => column.narrow !== false) : all;
  const box = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const viewport = Math.min(height, rows.length * rowHeight + 2);
  const printing = usePrinting();
  const { first, last } = printing ? { first: 0, last: Math.min(rows.length, printedMax) - 1 } : visibleRange({ scrollTop, viewport, rowHeight, total: rows.length }, overscan);
  const wantsMore = !printing && onMore !== undefined && rows.length < total && last >= rows.length - 1 - overscan;
  useLayoutEffect(() => {
    if (wantsMore) onMore?.();
  }, [wantsMore, rows.length]);
  const onKeyDown = useRowFocus(box, rows.length, rowHeight);
  const tracks = { gridTemplateColumns: columns.map((column) => column.width).join(' ') };
  return (
    <div class="virtual" role="table" aria-label={label} aria-rowcount={total + 1}>
      <div role="rowgroup" class="virtual-head">
        <div role="row" aria-rowindex={1} class="virtual-row" style={tracks}>
          {columns.map((column) => (
            <span key={column.title} role="columnheader" class={column.numeric === true ? 'num' : undefined}>
              {column.title}
            </span>
          ))}
        </div>
      </div>
      <div ref={box} role="rowgroup" class="virtual-body" tabIndex={0} style={{ height: `${viewport}px` }} onKeyDown={onKeyDown} onScroll={() => setScrollTop(box.current?.scrollTop ?? 0)}>
        <div role="presentation" class="virtual-all" style={{ height: `${rows.length * rowHeight}px` }}>
          {rows.slice(first, last + 1).map((row, at) => (
            <div key={keyOf(row)} role="row" aria-rowindex={first + at + 2} class="virtual-row" style={{ ...tracks, height: `${rowHeight}px`, top: `${(first + at) * rowHeight}px` }}>
              {columns.map((column) => (
                <span key={column.title} role="cell" class={column.numeric === true ? 'num' : undefined}>
                  {column.cell(row)}
                </span>
              ))}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
