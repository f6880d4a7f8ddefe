// The order list as it is on screen: rows in windows, live deltas, selection. Knows nothing of the layout.
//
// Invariants
//   * `sums` and `total` are the server's exact answers for the whole filter, never sums of what happens to be loaded.
//   * A selected row stays selected when it scrolls away, and its amount counts with its newest known value.
import { batch, computed, signal } from '@preact/signals';

import { isAbort, orderWindow } from '../../api/client';
import type { CurrencySum, Money, OrderRow, OrdersDelta } from '../../api/types';
import { announce, live, noteEnvelope } from '../../parts/app_state';
import { counted } from '../../parts/format';
import { freshList, type LiveList, mergeDelta, pillOf } from '../../parts/grid/live_merge';
import { RowWindows } from '../../parts/grid/row_windows';

export type ListEvents = {
  onRows: () => void; // draw again
  onPatch: (keys: ReadonlySet<string>) => void; // these rows changed where they stand
  onReplaced: () => void; // another list: start at its top
  firstVisible: () => number;
};

const keyOf = (row: OrderRow): string => row.order;

export class OrderList {
  readonly total = signal(0);
  readonly sums = signal<CurrencySum[]>([]);
  readonly asOfTime = signal<string | null>(null);
  readonly loading = signal(true);
  readonly problem = signal<Error | null>(null);
  readonly state = signal<LiveList>(freshList(0));
  readonly selected = signal<ReadonlyMap<string, OrderRow>>(new Map());
  readonly pill = computed(() => pillOf(this.state.value));
  readonly windows: RowWindows<OrderRow>;
  private readonly events: ListEvents;
  private query = '';
  private unsubscribe: (() => void) | null = null;
  private selectedFrom = -1;

  constructor(events: ListEvents) {
    this.events = events;
    this.windows = new RowWindows<OrderRow>({
      keyOf,
      onChange: () => events.onRows(),
      onProblem: (error) => {
        this.problem.value = error as Error;
      },
    });
  }

  stop(): void {
    this.unsubscribe?.();
    this.windows.stop();
  }

  // Loads the list of `query`; the old one stays until the new one is here.
  async load(query: string, keepPlace = false, around = 0): Promise<void> {
    this.query = query;
    this.loading.value = true;
    try {
      const first = { sums: [] as CurrencySum[], asOf: 0, time: '' };
      const replaced = await this.windows.replace(async (offset, limit, abort) => {
        const answer = await orderWindow(query, offset, limit, abort);
        if (first.asOf === 0) Object.assign(first, { sums: answer.sums, asOf: answer.as_of, time: answer.as_of_time });
        return { rows: answer.data, total: answer.total, asOf: answer.as_of };
      }, around);
      if (!replaced) return;
      batch(() => {
        this.total.value = this.windows.total;
        this.sums.value = first.sums;
        this.asOfTime.value = first.time;
        this.state.value = freshList(this.windows.total);
        this.problem.value = null;
        this.loading.value = false;
      });
      this.listen(query, first.asOf);
      if (!keepPlace) this.events.onReplaced();
      this.events.onRows();
    } catch (error) {
      if (isAbort(error)) return;
      batch(() => {
        this.problem.value = error as Error;
        this.loading.value = false;
      });
    }
  }

  // After a failure: the whole list when nothing came, else only the windows that did not.
  retry(): void {
    if (this.windows.total === 0) void this.load(this.query);
    else {
      this.problem.value = null;
      this.windows.retry();
    }
  }

  reload(around: number): Promise<void> {
    return this.load(this.query, true, around);
  }

  private listen(query: string, since: number): void {
    this.unsubscribe?.();
    this.unsubscribe = live.subscribe({
      topic: query === '' ? 'orders' : `orders?${query}`,
      since,
      onDelta: (delta) => this.apply(delta as unknown as OrdersDelta),
      onResync: () => void this.reload(this.events.firstVisible()),
    });
  }

  private apply(delta: OrdersDelta): void {
    const isLoaded = (key: string): boolean => this.windows.indexOf(key) !== undefined;
    const change = { total: delta.total, rows: delta.rows ?? [], gone: delta.gone ?? [] };
    const step = mergeDelta(this.state.value, change, keyOf, isLoaded);
    const keys = new Set([...step.returned, ...change.gone]);
    for (const row of step.repaint) {
      this.windows.patch(row);
      keys.add(row.order);
    }
    batch(() => {
      this.state.value = step.list;
      this.total.value = delta.total;
      this.sums.value = delta.sums;
      this.asOfTime.value = delta.as_of_time;
      this.refreshSelected(change.rows);
    });
    noteEnvelope({ as_of: delta.as_of, as_of_time: delta.as_of_time, sources: [] });
    this.events.onPatch(keys);
    const pill = this.pill.value;
    if (pill?.kind === 'new') announce(`${counted(pill.count, 'new order')}. Press n to show.`);
  }

  hasLeft(key: string): boolean {
    return this.state.value.left.has(key);
  }

  // Selection

  private refreshSelected(rows: OrderRow[]): void {
    const touched = rows.filter((row) => this.selected.value.has(row.order));
    if (touched.length === 0) return;
    const next = new Map(this.selected.value);
    for (const row of touched) next.set(row.order, row);
    this.selected.value = next;
  }

  select(index: number, extend: boolean): void {
    const row = this.windows.rowAt(index);
    if (row === undefined) return;
    const next = new Map(this.selected.value);
    if (extend && this.selectedFrom >= 0) {
      const [from, to] = [Math.min(this.selectedFrom, index), Math.max(this.selectedFrom, index)];
      for (let at = from; at <= to; at += 1) {
        const between = this.windows.rowAt(at);
        if (between !== undefined) next.set(between.order, between);
      }
    } else if (next.has(row.order)) next.delete(row.order);
    else next.set(row.order, row);
    this.selectedFrom = index;
    this.selected.value = next;
  }

  clearSelection(): void {
    this.selected.value = new Map();
    this.selectedFrom = -1;
  }
}

// Open amounts of some rows, one sum per currency.
export function openSums(rows: Iterable<OrderRow>): Money[] {
  const sums = new Map<string, number>();
  for (const row of rows) {
    if (row.open_amount === undefined) continue; // whoever may not see amounts gets none
    const { currency, minor } = row.open_amount;
    sums.set(currency, (sums.get(currency) ?? 0) + minor);
  }
  return [...sums]
    .map(([currency, minor]) => ({ currency, minor }))
    .sort((a, b) => a.currency.localeCompare(b.currency));
}
