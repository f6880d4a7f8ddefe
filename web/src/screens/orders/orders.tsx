// Orders: filter, sort, select and open; an order opens beside the list.
import './orders.css';

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { OrderRow } from '../../api/types';
import { toast } from '../../parts/app_state';
import { Empty, Problem, Skeleton } from '../../parts/basics';
import { counted } from '../../parts/format';
import type { VirtualGrid } from '../../parts/grid/virtual_grid';
import { useCommands } from '../../parts/keys';
import { listState } from '../../parts/list_context';
import { listAddress, type ListState, nextSort, parseListState, serverQuery } from '../../parts/order_filters';
import { navigate, route } from '../../parts/router';
import { readJson, readSetting, writeSetting } from '../../parts/settings';
import { useMedia } from '../../parts/use_media';
import { OrderView } from '../order/order_view';
import { type ColumnSpec, orderColumns, pickColumns, rowsAsTsv } from './columns';
import { loadFields, typedCurrency } from './fields';
import { GridView } from './grid_view';
import { Grouped } from './grouped';
import { OrderList } from './order_list';
import { SelectionBar, Summary } from './summary';
import { densities, type Density, type OpenMenu, Toolbar } from './toolbar';

const cardHeight = 84; // pixels, three lines of a card

type Widths = Record<string, number>;
const isWidths = (value: unknown): value is Widths =>
  typeof value === 'object' && value !== null && Object.values(value).every((width) => typeof width === 'number');

function readDensity(): Density {
  const saved = Number(readSetting('density'));
  return densities.find((one) => one === saved) ?? 36;
}

// Columns of this list: the currency decides their titles, this browser their widths.
function useColumns(state: ListState, currency: string | null, cards: boolean) {
  const [widths, setWidths] = useState<Widths>(() => readJson('widths', isWidths, {}));
  const specs = useMemo(
    () => orderColumns(currency).map((spec) => ({ ...spec, width: widths[spec.id] ?? spec.width })),
    [currency, widths],
  );
  const shown = useMemo(() => pickColumns(specs, state.columns, cards), [specs, state.columns?.join(), cards]);
  const setWidth = (column: string, width: number): void => {
    setWidths((before) => {
      const next = { ...before, [column]: width };
      writeSetting('widths', JSON.stringify(next));
      return next;
    });
  };
  return { specs, shown, setWidth };
}

function useOrderList() {
  const grid = useRef<VirtualGrid<OrderRow> | null>(null);
  const list = useMemo(
    () =>
      new OrderList({
        onRows: () => grid.current?.refresh(),
        onPatch: (keys) => grid.current?.patch(keys),
        onReplaced: () => grid.current?.toTop(),
      }),
    [],
  );
  useEffect(() => () => list.stop(), [list]);
  return { grid, list };
}

async function copyRows(rows: OrderRow[], columns: ColumnSpec[]): Promise<void> {
  try {
    await navigator.clipboard.writeText(rowsAsTsv(rows, columns));
    toast({ text: `${counted(rows.length, 'order')} copied as a table.` });
  } catch {
    toast({ text: 'The browser does not allow copying here. Ctrl+C in the list works.', tone: 'problem' });
  }
}

export default function OrdersScreen() {
  const search = route.value.search;
  const state = useMemo(() => parseListState(search), [search]);
  const query = serverQuery(state);
  const phone = useMedia('(max-width: 719px)');
  const [menu, setMenu] = useState<OpenMenu>('');
  const [density, setDensity] = useState<Density>(readDensity);
  const { grid, list } = useOrderList();
  const sums = list.sums.value;
  const mixed = new Set(sums.map((sum) => sum.currency)).size !== 1;
  const currency = mixed ? null : (sums[0]?.currency ?? null);
  const { specs, shown, setWidth } = useColumns(state, currency, phone);

  useEffect(() => {
    document.title = 'Orders · Millrace';
    loadFields().catch((error: Error) => toast({ text: `Filters: ${error.message}`, tone: 'problem' }));
  }, []);
  useEffect(() => {
    list.clearSelection();
    void list.load(query);
  }, [list, query]);

  const rows = list.asOfTime.value !== null;
  useEffect(() => {
    const index = list.windows.indexOf(state.panel);
    if (index !== undefined && grid.current !== null && !grid.current.hasFocus) grid.current.setActive(index, false);
  }, [state.panel, rows]);

  const go = (next: ListState): void => navigate(listAddress(next));
  const open = (row: OrderRow, index: number): void => {
    if (phone) {
      const context = { query, index, total: list.windows.total };
      navigate(`/orders/${encodeURIComponent(row.order)}`, { state: listState(context) });
    } else if (state.panel === '') go({ ...state, panel: row.order });
    else navigate(listAddress({ ...state, panel: row.order }), { replace: true });
  };
  const sortBy = (column: string, add: boolean): void => go({ ...state, sort: nextSort(state.sort, column, add), panel: '' });
  const showNew = (): void => void list.reload(grid.current?.visible().first ?? 0);
  const move = (step: number): void => {
    const at = grid.current;
    if (at === null) return;
    at.setActive(at.hasFocus ? at.active + step : at.active, true);
  };
  const atActive = (act: (row: OrderRow, index: number) => void): void => {
    const index = grid.current?.active ?? 0;
    const row = list.windows.rowAt(index);
    if (row !== undefined) act(row, index);
  };
  const walk = (step: number): void => {
    const from = list.windows.indexOf(state.panel) ?? grid.current?.active ?? 0;
    const row = list.windows.rowAt(from + step);
    if (row === undefined) return;
    grid.current?.setActive(from + step, false);
    navigate(listAddress({ ...state, panel: row.order }), { replace: true });
  };
  useCommands({
    'list.next': () => move(1),
    'list.previous': () => move(-1),
    'list.open': () => atActive(open),
    'list.open_tab': () => atActive((row) => window.open(`/orders/${encodeURIComponent(row.order)}`, '_blank', 'noopener')),
    'orders.select': () => list.select(grid.current?.active ?? 0, false),
    'orders.filter': () => setMenu('filter'),
    'orders.export': () => setMenu('export'),
    'orders.show_new': showNew,
  });

  const closePanel = (): void => {
    go({ ...state, panel: '' });
    grid.current?.focusActive();
  };
  return (
    <div class={`orders-screen ${state.panel !== '' && !phone ? 'with-panel' : ''}`}>
      <section class="orders-main" aria-label="Orders">
        <h1 class="only-read">Orders</h1>
        <Toolbar
          state={state}
          currency={typedCurrency(state, sums.map((sum) => sum.currency))}
          specs={specs}
          shown={shown}
          density={density}
          total={list.total.value}
          menu={menu}
          onMenu={setMenu}
          onState={go}
          onDensity={(one) => {
            setDensity(one);
            writeSetting('density', String(one));
          }}
          onWidth={setWidth}
        />
        <Summary list={list} onShow={showNew} />
        {list.problem.value !== null && <Problem problem={list.problem.value} retry={() => void list.load(query)} />}
        {state.group !== '' ? (
          <Grouped state={state} />
        ) : (
          <>
            <GridView
              list={list}
              grid={grid}
              columns={shown}
              cards={phone}
              rowHeight={phone ? cardHeight : density}
              sort={state.sort}
              openOrder={state.panel}
              onOpen={open}
              onSort={sortBy}
              onWidth={setWidth}
            />
            <ListNote list={list} state={state} onClear={() => go({ ...state, filters: [], q: '' })} />
          </>
        )}
        <SelectionBar list={list} onCopy={() => void copyRows([...list.selected.value.values()], shown)} />
      </section>
      {state.panel !== '' && !phone && (
        <OrderView
          number={state.panel}
          panel
          onClose={closePanel}
          onPrevious={() => walk(-1)}
          onNext={() => walk(1)}
          fullContext={listState({
            query,
            index: list.windows.indexOf(state.panel) ?? 0,
            total: list.windows.total,
          })}
        />
      )}
    </div>
  );
}

// What stands where rows would be: the first load, or why there are none.
function ListNote({ list, state, onClear }: { list: OrderList; state: ListState; onClear: () => void }) {
  if (list.total.value > 0) return null;
  if (list.problem.value !== null) return null;
  if (list.loading.value) return <Skeleton rows={12} class="grid-skeleton" />;
  const filtered = state.filters.length > 0 || state.q !== '';
  if (filtered) {
    return (
      <Empty
        title="No order passes this filter"
        why="Every order is left out by what is asked for above."
        action={
          <button type="button" class="button primary" onClick={onClear}>
            Clear the filter
          </button>
        }
      />
    );
  }
  return (
    <Empty
      title="Orders will stand here"
      why="No source has brought an order yet. Sources say what they read and what they could not."
      action={
        <a class="button primary" href="/sources">
          Look at the sources
        </a>
      }
    />
  );
}

