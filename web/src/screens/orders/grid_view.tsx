// Puts the framework-free grid on the screen and keeps it in step with list, columns and sort.
import { useEffect, useRef } from 'preact/hooks';

import type { OrderRow } from '../../api/types';
import { type SortMark, VirtualGrid } from '../../parts/grid/virtual_grid';
import type { SortKey } from '../../parts/order_filters';
import { type ColumnSpec, rowsAsTsv } from './columns';
import type { OrderList } from './order_list';

export type GridViewProps = {
  list: OrderList;
  grid: { current: VirtualGrid<OrderRow> | null };
  columns: ColumnSpec[];
  cards: boolean;
  rowHeight: number;
  sort: SortKey[];
  openOrder: string;
  onOpen: (row: OrderRow, index: number) => void;
  onSort: (column: string, add: boolean) => void;
  onWidth: (column: string, width: number) => void;
};

function sortMarks(sort: SortKey[]): Map<string, SortMark> {
  return new Map(sort.map((key) => [key.field, key.descending ? 'descending' : 'ascending']));
}

export function GridView(props: GridViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const { list, grid, columns, cards, rowHeight, sort, openOrder } = props;

  useEffect(() => {
    if (host.current === null) return;
    const made = new VirtualGrid<OrderRow>(host.current, 'Orders', {
      keyOf: (row) => row.order,
      rowClass: (row) =>
        `${row.order === latest.current.openOrder ? 'open-row ' : ''}${list.hasLeft(row.order) ? 'left-row ' : ''}${row.flagged ? 'flagged-row' : ''}`,
      isSelected: (key) => list.selected.peek().has(key),
      onOpen: (row, index) => latest.current.onOpen(row, index),
      onSelect: (index, extend) => list.select(index, extend),
      onSort: (column, add) => latest.current.onSort(column, add),
      onResize: (column, width) => latest.current.onWidth(column, width),
      onActive: () => undefined,
      copyText: () => {
        const rows = [...list.selected.peek().values()];
        return rows.length === 0 ? '' : rowsAsTsv(rows, latest.current.columns);
      },
    });
    grid.current = made;
    const stopSelection = list.selected.subscribe(() => made.refresh());
    return () => {
      stopSelection();
      made.destroy();
      grid.current = null;
    };
  }, [list]);

  const columnKey = columns.map((column) => `${column.id}:${column.title}`).join();
  useEffect(() => {
    grid.current?.setColumns(columns.map((column) => ({ ...column })), cards ? 'cards' : 'table', rowHeight);
    grid.current?.setSorts(sortMarks(sort));
    grid.current?.setSource({
      get total() {
        return list.windows.total;
      },
      rowAt: (index) => list.windows.rowAt(index),
      want: (range) => list.windows.want(range),
    });
  }, [list, columnKey, cards, rowHeight]);

  const widthKey = columns.map((column) => column.width).join();
  useEffect(() => {
    for (const column of columns) grid.current?.setWidth(column.id, column.width);
  }, [widthKey]);

  useEffect(() => grid.current?.setSorts(sortMarks(sort)), [sort]);
  useEffect(() => grid.current?.refresh(), [openOrder]);

  return <div class={`grid ${list.asOfTime.value === null ? 'is-first' : ''} ${list.loading.value ? 'is-loading' : ''} ${list.total.value === 0 ? 'is-empty' : ''}`} ref={host} />;
}
