// Rows of a long list, fetched in windows as they come into view.
//
// Invariants
//   * Old rows stay until new ones are here: `replace` swaps only when its first window has arrived.
//   * A row keeps its place until the next `replace`, whatever happens to it: nothing moves under the pointer.
//   * At most `windowsKept` windows stay in memory, the ones used last.
import { type Range, windowsFor } from './grid_math';

export type WindowAnswer<Row> = { rows: Row[]; total: number; asOf: number };
export type FetchWindow<Row> = (offset: number, limit: number, signal: AbortSignal) => Promise<WindowAnswer<Row>>;

export type RowWindowsOptions<Row> = {
  keyOf: (row: Row) => string;
  onChange: () => void; // something visible may have changed
  onProblem: (error: unknown) => void;
};

export const windowSize = 100;
const windowsKept = 40;
const requestsMax = 3;

export class RowWindows<Row> {
  private fetchWindow: FetchWindow<Row> | null = null;
  private readonly options: RowWindowsOptions<Row>;
  private windows = new Map<number, Row[]>(); // offset -> rows, last used last
  private indexes = new Map<string, number>();
  private requests = new Map<number, AbortController>();
  private generation = 0;
  private replacing: AbortController | null = null;
  private wanted: Range = { first: 0, last: -1 };
  private failed = new Set<number>(); // asked again only by retry()
  total = 0;
  asOf = 0;

  constructor(options: RowWindowsOptions<Row>) {
    this.options = options;
  }

  // Starts a new list. `around` is the row that should be visible first. Answers false when a newer one overtook it.
  async replace(fetchWindow: FetchWindow<Row>, around = 0): Promise<boolean> {
    const generation = ++this.generation;
    this.replacing?.abort();
    const controller = new AbortController();
    this.replacing = controller;
    const offset = Math.floor(around / windowSize) * windowSize;
    const answer = await fetchWindow(offset, windowSize, controller.signal);
    if (generation !== this.generation) return false;
    for (const request of this.requests.values()) request.abort();
    this.requests.clear();
    this.failed.clear();
    this.fetchWindow = fetchWindow;
    this.windows = new Map();
    this.indexes = new Map();
    this.total = answer.total;
    this.asOf = answer.asOf;
    if (answer.rows.length > 0) this.keep(offset, answer.rows);
    this.options.onChange();
    this.fill();
    return true;
  }

  rowAt(index: number): Row | undefined {
    const offset = Math.floor(index / windowSize) * windowSize;
    return this.windows.get(offset)?.[index - offset];
  }

  indexOf(key: string): number | undefined {
    return this.indexes.get(key);
  }

  // Rows in memory, in list order.
  *loaded(): Generator<Row> {
    for (const offset of [...this.windows.keys()].sort((a, b) => a - b)) yield* this.windows.get(offset) ?? [];
  }

  want(range: Range): void {
    this.wanted = range;
    this.fill();
  }

  // Puts a newer version of a row into its place; answers the row it replaces.
  patch(row: Row): Row | undefined {
    const index = this.indexes.get(this.options.keyOf(row));
    if (index === undefined) return undefined;
    const offset = Math.floor(index / windowSize) * windowSize;
    const rows = this.windows.get(offset);
    const before = rows?.[index - offset];
    if (rows === undefined || before === undefined) return undefined;
    rows[index - offset] = row;
    return before;
  }

  retry(): void {
    this.failed.clear();
    this.fill();
  }

  stop(): void {
    this.generation += 1;
    this.replacing?.abort();
    for (const request of this.requests.values()) request.abort();
    this.requests.clear();
  }

  private keep(offset: number, rows: Row[]): void {
    this.windows.delete(offset);
    this.windows.set(offset, rows);
    rows.forEach((row, at) => this.indexes.set(this.options.keyOf(row), offset + at));
    for (const [old, dropped] of this.windows) {
      if (this.windows.size <= windowsKept) break;
      this.windows.delete(old);
      for (const row of dropped) this.indexes.delete(this.options.keyOf(row));
    }
  }

  private fill(): void {
    const fetchWindow = this.fetchWindow;
    if (fetchWindow === null) return;
    const last = Math.min(this.wanted.last, this.total - 1);
    const needed = windowsFor({ first: this.wanted.first, last }, windowSize);
    for (const [offset, request] of this.requests) {
      if (!needed.includes(offset)) {
        request.abort(); // scrolled past before it came
        this.requests.delete(offset);
      }
    }
    for (const offset of needed) {
      const rows = this.windows.get(offset);
      if (rows !== undefined) {
        this.windows.delete(offset);
        this.windows.set(offset, rows); // used now
        continue;
      }
      if (this.requests.has(offset) || this.failed.has(offset) || this.requests.size >= requestsMax) continue;
      void this.fetchOne(fetchWindow, offset);
    }
  }

  private async fetchOne(fetchWindow: FetchWindow<Row>, offset: number): Promise<void> {
    const controller = new AbortController();
    const generation = this.generation;
    this.requests.set(offset, controller);
    try {
      const answer = await fetchWindow(offset, windowSize, controller.signal);
      if (generation !== this.generation || controller.signal.aborted) return;
      this.requests.delete(offset);
      this.keep(offset, answer.rows);
      if (answer.rows.length === 0) this.failed.add(offset); // the list became shorter since; do not ask for ever
      this.options.onChange();
      this.fill();
    } catch (error) {
      if (controller.signal.aborted) return;
      this.requests.delete(offset);
      this.failed.add(offset);
      this.options.onProblem(error);
    }
  }
}
