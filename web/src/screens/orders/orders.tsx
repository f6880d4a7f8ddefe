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
import { type ColumnSpec, orderColumns, pickColumns, type Room, rowsAsTsv } from './columns';
import { loadFields, ownColumns, typedCurrency } from './fields';
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
function useColumns(state: ListState, currency: string | null, room: Room) {
  const [widths, setWidths] = useState<Widths>(() => readJson('widths', isWidths, {}));
  const own = ownColumns.value;
  const specs = useMemo(
    () => orderColumns(currency, own).map((spec) => ({ ...spec, width: widths[spec.id] ?? spec.width })),
    [currency, widths, own],
  );
  const shown = useMemo(() => pickColumns(specs, state.columns, room), [specs, state.columns?.join(), room]);
  const setWidth = (column: string, width: number): void => {
    setWidths((before) => {
      const next = { ...before, [column]: width };
      writeSetting('widths', JSON.stringify(next));
      return next;
    });
  };
  return { specs, shown, setWidth };
}

// The list on screen and what can be done with it.
type Model = {
  state: ListState;
  query: string;
  phone: boolean;
  list: OrderList;
  grid: { current: VirtualGrid<OrderRow> | null };
  go: (next: ListState) => void;
  open: (row: OrderRow, index: number) => void;
  showNew: () => void;
};

function useOrders(): Model {
  const search = route.value.search;
  const state = useMemo(() => parseListState(search), [search]);
  const query = serverQuery(state);
  const phone = useMedia('(max-width: 719px)');
  const grid = useRef<VirtualGrid<OrderRow> | null>(null);
  const list = useMemo(
    () =>
      new OrderList({
        onRows: () => grid.current?.refresh(),
        onPatch: (keys) => grid.current?.patch(keys),
        onReplaced: () => grid.current?.toTop(),
        firstVisible: () => grid.current?.visible().first ?? 0,
      }),
    [],
  );
  useEffect(() => () => list.stop(), [list]);
  useEffect(() => {
    list.clearSelection();
    void list.load(query);
  }, [list, query]);
  const arrived = list.asOfTime.value !== null;
  useEffect(() => {
    const index = list.windows.indexOf(state.panel);
    if (index !== undefined && grid.current !== null && !grid.current.hasFocus) grid.current.setActive(index, false);
  }, [state.panel, arrived]);

  const go = (next: ListState): void => navigate(listAddress(next));
  const open = (row: OrderRow, index: number): void => {
    if (phone) {
      const context = { query, index, total: list.windows.total };
      navigate(`/orders/${encodeURIComponent(row.order)}`, { state: listState(context) });
    } else navigate(listAddress({ ...state, panel: row.order }), { replace: state.panel !== '' });
  };
  const showNew = (): void => void list.reload(Math.max(0, grid.current?.visible().first ?? 0));
  return { state, query, phone, list, grid, go, open, showNew };
}

function useListKeys({ list, grid, open, showNew }: Model, onMenu: (menu: OpenMenu) => void): void {
  const move = (step: number): void => {
    const at = grid.current;
    if (at !== null) at.setActive(at.hasFocus ? at.active + step : at.active, true);
  };
  const atActive = (act: (row: OrderRow, index: number) => void): void => {
    const index = grid.current?.active ?? 0;
    const row = list.windows.rowAt(index);
    if (row !== undefined) act(row, index);
  };
  const openTab = (row: OrderRow): void =>
    void window.open(`/orders/${encodeURIComponent(row.order)}`, '_blank', 'noopener');
  useCommands({
    'list.next': () => move(1),
    'list.previous': () => move(-1),
    'list.open': () => atActive(open),
    'list.open_tab': () => atActive(openTab),
    'orders.select': () => list.select(grid.current?.active ?? 0, false),
    'orders.filter': () => onMenu('filter'),
    'orders.export': () => onMenu('export'),
    'orders.show_new': showNew,
  });
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
  const model = useOrders();
  const { state, phone, list, grid, go, open, showNew } = model;
  const [menu, setMenu] = useState<OpenMenu>('');
  const [density, setDensity] = useState<Density>(readDensity);
  const currencies = list.sums.value.map((sum) => sum.currency);
  const currency = currencies.length === 1 ? (currencies[0] ?? null) : null;
  const { specs, shown, setWidth } = useColumns(state, currency, phone ? 'cards' : state.panel === '' ? 'wide' : 'narrow');
  useListKeys(model, setMenu);
  useEffect(() => {
    document.title = 'Orders · Millrace';
    loadFields().catch((error: Error) => toast({ text: `Filters: ${error.message}`, tone: 'problem' }));
  }, []);

  const setRows = (one: Density): void => {
    setDensity(one);
    writeSetting('density', String(one));
  };
  const sortBy = (column: string, add: boolean): void => go({ ...state, sort: nextSort(state.sort, column, add), panel: '' });
  const withPanel = state.panel !== '' && !phone;
  return (
    <div class={`orders-screen ${withPanel ? 'with-panel' : ''}`}>
      <section class="orders-main" aria-label="Orders">
        <h1 class="only-read">Orders</h1>
        <Toolbar
          state={state}
          currency={typedCurrency(state, currencies)}
          specs={specs}
          shown={shown}
          density={density}
          total={list.total.value}
          menu={menu}
          onMenu={setMenu}
          onState={go}
          onDensity={setRows}
          onWidth={setWidth}
        />
        <Summary list={list} onShow={showNew} />
        {list.problem.value !== null && <Problem problem={list.problem.value} retry={() => list.retry()} />}
        {state.group !== '' && <Grouped state={state} />}
        {state.group === '' && (
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
        )}
        {state.group === '' && <ListNote list={list} state={state} onClear={() => go({ ...state, filters: [], q: '' })} />}
        <SelectionBar list={list} onCopy={() => void copyRows([...list.selected.value.values()], shown)} />
      </section>
      {withPanel && <Panel model={model} />}
    </div>
  );
}

// The open order beside the list; [ and ] walk through the list while it stands still.
function Panel({ model: { state, query, list, grid, go } }: { model: Model }) {
  const index = list.windows.indexOf(state.panel);
  const walk = (step: number): void => {
    const next = (index ?? grid.current?.active ?? 0) + step;
    const row = list.windows.rowAt(next);
    if (row === undefined) return;
    grid.current?.setActive(next, false);
    navigate(listAddress({ ...state, panel: row.order }), { replace: true });
  };
  const close = (): void => {
    go({ ...state, panel: '' });
    grid.current?.focusActive();
  };
  return (
    <OrderView
      number={state.panel}
      panel
      onClose={close}
      onPrevious={() => walk(-1)}
      onNext={() => walk(1)}
      fullContext={listState({ query, index: index ?? 0, total: list.windows.total })}
    />
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

