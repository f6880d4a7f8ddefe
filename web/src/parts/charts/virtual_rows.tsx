// A table of any length: only the rows one sees are elements; when the end comes near, more is asked for.
//
// Invariants
//   * Every row has the same height, so that the scroll bar tells the truth.
//   * A screen reader hears how many rows there are (`total`) and which one it reads.
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
      <div ref={box} role="rowgroup" class="virtual-body" tabIndex={0} style={{ height: `${viewport}px` }} onScroll={() => setScrollTop(box.current?.scrollTop ?? 0)}>
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
