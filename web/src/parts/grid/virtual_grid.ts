// The list widget: a table of any length in a handful of elements.
//
// Plain DOM, no framework: rows are pooled, a cell is one text node, and only what changed is written. Columns share one
// custom property, so that a resize is a single style change.
//
// Keyboard (WAI-ARIA grid): arrows, Home/End, Ctrl+Home/End, Page keys move one tab stop through cells and headers;
// Enter opens or sorts; Shift+arrows on a header resize; Space selects; Ctrl+C copies as tab-separated text.
import { bodyHeight, rowOffset, scrollToRow, type View, visibleRange } from './grid_math';

export type Column<Row> = {
  id: string;
  title: string;
  width: number;
  numeric?: boolean;
  sortable?: boolean;
  text: (row: Row) => string;
  tone?: (row: Row) => string; // class of the cell's colour
  href?: (row: Row) => string; // the cell is a link
};

export type SortMark = 'ascending' | 'descending' | 'none';

export type RowSource<Row> = { total: number; rowAt: (index: number) => Row | undefined; want: (range: { first: number; last: number }) => void };

export type GridEvents<Row> = {
  keyOf: (row: Row) => string;
  rowClass: (row: Row) => string;
  isSelected: (key: string) => boolean;
  onOpen: (row: Row, index: number) => void;
  onSelect: (index: number, extend: boolean) => void;
  onSort: (column: string, add: boolean) => void;
  onResize: (column: string, width: number) => void;
  onActive: (index: number) => void;
  copyText: () => string; // of the selection; "" when nothing is selected
};

type Slot = {
  element: HTMLElement;
  cells: HTMLElement[];
  texts: Text[];
  index: number; // -1: parked
  key: string;
  row: unknown; // what is drawn: the same object needs no second look
  top: number;
};

export const widthMin = 48;
export const widthMax = 640;
const widthStep = 16;
const overscan = 6;
const selectColumn = 'select';

export class VirtualGrid<Row> {
  private readonly scroller: HTMLElement;
  private readonly head: HTMLElement;
  private readonly body: HTMLElement;
  private readonly observer: ResizeObserver;
  private readonly events: GridEvents<Row>;
  private columns: Column<Row>[] = [];
  private sorts = new Map<string, SortMark>();
  private source: RowSource<Row> = { total: 0, rowAt: () => undefined, want: () => undefined };
  private slots: Slot[] = [];
  private rowHeight = 36;
  private frame = 0;
  private activeRow = 0; // -1 is the header
  private activeColumn = 1;
  private viewportHeight = 0;

  constructor(scroller: HTMLElement, label: string, events: GridEvents<Row>) {
    this.scroller = scroller;
    this.events = events;
    this.head = document.createElement('div');
    this.head.className = 'grid-head';
    this.head.setAttribute('role', 'rowgroup');
    this.body = document.createElement('div');
    this.body.className = 'grid-body';
    this.body.setAttribute('role', 'rowgroup');
    scroller.append(this.head, this.body);
    scroller.setAttribute('role', 'grid');
    scroller.setAttribute('aria-label', label);
    scroller.setAttribute('aria-multiselectable', 'true');
    scroller.addEventListener('scroll', () => this.schedule(), { passive: true });
    scroller.addEventListener('keydown', (event) => this.onKey(event));
    scroller.addEventListener('click', (event) => this.onClick(event));
    scroller.addEventListener('pointerdown', (event) => this.onPointerDown(event));
    scroller.addEventListener('copy', (event) => this.onCopy(event));
    this.observer = new ResizeObserver(() => {
      this.viewportHeight = scroller.clientHeight;
      this.schedule();
    });
    this.observer.observe(scroller);
  }

  destroy(): void {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.scroller.replaceChildren();
  }

  setColumns(columns: Column<Row>[], layout: 'table' | 'cards', rowHeight: number): void {
    const focused = this.hasFocus;
    this.columns = columns;
    this.rowHeight = rowHeight;
    this.activeColumn = Math.min(this.activeColumn, columns.length);
    this.slots = [];
    this.body.replaceChildren();
    this.scroller.dataset['layout'] = layout;
    this.scroller.style.setProperty('--row-height', `${rowHeight}px`);
    this.scroller.setAttribute('aria-colcount', String(columns.length + 1));
    this.drawHead();
    this.applyWidths();
    this.refresh();
    if (focused) this.focusActive();
  }

  setSorts(sorts: Map<string, SortMark>): void {
    this.sorts = sorts;
    for (const cell of this.head.querySelectorAll<HTMLElement>('[data-column]')) {
      const mark = sorts.get(cell.dataset['column'] ?? '') ?? 'none';
      if (cell.hasAttribute('aria-sort')) cell.setAttribute('aria-sort', mark);
    }
  }

  setSource(source: RowSource<Row>): void {
    this.source = source;
    this.refresh();
  }

  // The list was replaced: start at the top with the first row active.
  toTop(): void {
    this.scroller.scrollTop = 0;
    this.activeRow = 0;
  }

  // Draws again what is visible, without flashing.
  refresh(): void {
    this.scroller.setAttribute('aria-rowcount', String(this.source.total + 1));
    this.body.style.height = `${bodyHeight(this.source.total, this.rowHeight)}px`;
    if (this.activeRow >= this.source.total) this.activeRow = Math.max(0, this.source.total - 1);
    this.draw(true);
  }

  // Repaints these rows where they are and flashes the cells whose text changed.
  patch(keys: ReadonlySet<string>): void {
    for (const slot of this.slots) if (keys.has(slot.key)) this.fill(slot, slot.index, true);
  }

  get active(): number {
    return this.activeRow;
  }

  setActive(index: number, focus: boolean): void {
    if (this.source.total === 0) return;
    this.activeRow = Math.max(0, Math.min(index, this.source.total - 1));
    this.scrollIntoView();
    this.draw(true);
    if (focus) this.focusActive();
    this.events.onActive(this.activeRow);
  }

  focusActive(): void {
    this.activeCell()?.focus({ preventScroll: true });
  }

  get hasFocus(): boolean {
    return this.scroller.contains(document.activeElement);
  }

  visible(): { first: number; last: number } {
    return visibleRange(this.view(), 0);
  }

  private view(): View {
    const height = this.viewportHeight === 0 ? this.scroller.clientHeight : this.viewportHeight;
    const viewport = Math.max(this.rowHeight, height - this.head.offsetHeight);
    return { scrollTop: this.scroller.scrollTop, viewport, rowHeight: this.rowHeight, total: this.source.total };
  }

  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw(false);
    });
  }

  private draw(again: boolean): void {
    const view = this.view();
    const range = visibleRange(view, overscan);
    const needed = Math.max(0, range.last - range.first + 1);
    // One slot more than visible and never fewer than before: a row keeps its element while it scrolls.
    while (this.slots.length < needed) this.slots.push(this.makeSlot());
    const taken = new Set<Slot>();
    for (let index = range.first; index <= range.last; index += 1) {
      const slot = this.slots[index % this.slots.length];
      if (slot === undefined) continue;
      taken.add(slot);
      this.place(slot, index, rowOffset(view, index), again);
    }
    for (const slot of this.slots) if (!taken.has(slot)) this.park(slot);
    this.source.want(visibleRange(view, overscan * 3));
  }

  private park(slot: Slot): void {
    if (slot.index === -1) return;
    this.keepFocus(slot);
    slot.index = -1;
    slot.element.hidden = true;
  }

  // The focused row is about to leave: the grid keeps the focus, so that the next arrow key still works.
  private keepFocus(slot: Slot): void {
    if (!slot.element.contains(document.activeElement)) return;
    this.scroller.tabIndex = -1;
    this.scroller.focus({ preventScroll: true });
  }

  private place(slot: Slot, index: number, top: number, again: boolean): void {
    const moved = slot.index !== index;
    if (moved) {
      this.keepFocus(slot);
      slot.index = index;
      slot.element.hidden = false;
      slot.element.setAttribute('aria-rowindex', String(index + 2));
    }
    if (slot.top !== top) {
      slot.top = top;
      slot.element.style.transform = `translateY(${top}px)`;
    }
    if (again || moved || slot.row !== this.source.rowAt(index)) this.fill(slot, index, false);
  }

  private fill(slot: Slot, index: number, flash: boolean): void {
    const row = this.source.rowAt(index);
    const key = row === undefined ? '' : this.events.keyOf(row);
    const sameRow = slot.key === key && key !== '';
    slot.key = key;
    slot.row = row;
    const selected = row !== undefined && this.events.isSelected(key);
    const rowClass = row === undefined ? 'loading' : this.events.rowClass(row);
    const classes = `grid-row ${rowClass}${index % 2 === 1 ? ' odd' : ''}${index === this.activeRow ? ' active' : ''}`;
    if (slot.element.className !== classes) slot.element.className = classes;
    slot.element.setAttribute('aria-selected', String(selected));
    this.fillCell(slot, 0, selected ? '✓' : '', 'cell-select', false, sameRow);
    slot.cells[0]?.setAttribute('aria-label', selected ? 'selected' : 'not selected');
    this.columns.forEach((column, at) => {
      const text = row === undefined ? '' : column.text(row);
      const tone = row === undefined ? '' : (column.tone?.(row) ?? '');
      this.fillCell(slot, at + 1, text, `${column.numeric === true ? 'num ' : ''}${tone}`, flash && sameRow, sameRow);
      if (column.href !== undefined && row !== undefined) {
        const link = slot.cells[at + 1]?.firstChild as HTMLAnchorElement;
        const href = column.href(row);
        if (link.getAttribute('href') !== href) link.setAttribute('href', href);
      }
    });
  }

  private fillCell(slot: Slot, at: number, text: string, tone: string, flash: boolean, sameRow: boolean): void {
    const cell = slot.cells[at];
    const node = slot.texts[at];
    if (cell === undefined || node === undefined) return;
    const changed = node.data !== text;
    if (changed) node.data = text;
    const flashing = cell.classList.contains('flash');
    if (flash && changed && flashing) {
      cell.classList.remove('flash');
      void cell.offsetWidth; // restart the animation
    }
    const shines = changed ? flash : flashing && sameRow;
    const classes = `cell ${tone}${shines ? ' flash' : ''}`;
    if (cell.className !== classes) cell.className = classes;
    const stop = slot.index === this.activeRow && at === this.activeColumn ? 0 : -1;
    if (cell.tabIndex !== stop) cell.tabIndex = stop;
  }

  private makeSlot(): Slot {
    const element = document.createElement('div');
    element.setAttribute('role', 'row');
    element.hidden = true;
    const cells: HTMLElement[] = [];
    const texts: Text[] = [];
    for (const column of [null, ...this.columns]) {
      const cell = document.createElement('div');
      cell.setAttribute('role', 'gridcell');
      cell.setAttribute('aria-colindex', String(cells.length + 1));
      cell.dataset['column'] = column?.id ?? selectColumn;
      cell.tabIndex = -1;
      const text = document.createTextNode('');
      if (column?.href !== undefined) {
        const link = document.createElement('a');
        link.tabIndex = -1;
        link.append(text);
        cell.append(link);
      } else cell.append(text);
      cells.push(cell);
      texts.push(text);
      element.append(cell);
    }
    this.body.append(element);
    element.addEventListener('animationend', (event) => (event.target as Element).classList.remove('flash'));
    return { element, cells, texts, index: -1, key: '', row: null, top: -1 };
  }

  private drawHead(): void {
    const row = document.createElement('div');
    row.className = 'grid-row grid-titles';
    row.setAttribute('role', 'row');
    row.setAttribute('aria-rowindex', '1');
    [null, ...this.columns].forEach((column, at) => {
      const cell = document.createElement('div');
      cell.className = `cell title${column?.numeric === true ? ' num' : ''}`;
      cell.setAttribute('role', 'columnheader');
      cell.setAttribute('aria-colindex', String(at + 1));
      cell.dataset['column'] = column?.id ?? selectColumn;
      cell.tabIndex = -1;
      const text = document.createElement('span');
      text.textContent = column?.title ?? 'Selected';
      if (column === null) text.className = 'only-read';
      else cell.title = column.title;
      cell.append(text);
      if (column?.sortable === true) cell.setAttribute('aria-sort', this.sorts.get(column.id) ?? 'none');
      if (column !== null) {
        const handle = document.createElement('span');
        handle.className = 'resize';
        handle.setAttribute('aria-hidden', 'true');
        cell.append(handle);
      }
      row.append(cell);
    });
    this.head.replaceChildren(row);
  }

  private applyWidths(): void {
    const widths = this.columns.map((column) => `${column.width}px`);
    this.scroller.style.setProperty('--columns', `34px ${widths.join(' ')} 1fr`);
    const whole = 34 + this.columns.reduce((sum, column) => sum + column.width, 0);
    this.scroller.style.setProperty('--whole', `${whole}px`);
  }

  // A width chosen elsewhere (the columns sheet); says nothing back.
  setWidth(id: string, width: number): void {
    const column = this.columns.find((one) => one.id === id);
    if (column === undefined || column.width === width) return;
    column.width = width;
    this.applyWidths();
  }

  private resize(id: string, width: number): void {
    const column = this.columns.find((one) => one.id === id);
    if (column === undefined) return;
    column.width = Math.round(Math.max(widthMin, Math.min(widthMax, width)));
    this.applyWidths();
    this.events.onResize(id, column.width);
  }

  private activeCell(): HTMLElement | null {
    if (this.activeRow < 0) return (this.head.firstChild?.childNodes[this.activeColumn] as HTMLElement) ?? null;
    return this.slots.find((slot) => slot.index === this.activeRow)?.cells[this.activeColumn] ?? null;
  }

  private scrollIntoView(): void {
    if (this.activeRow < 0) return;
    const view = this.view();
    const wanted = scrollToRow(view, this.activeRow);
    if (wanted !== view.scrollTop) this.scroller.scrollTop = wanted;
  }

  private moveTo(row: number, column: number): void {
    this.activeRow = Math.max(-1, Math.min(row, this.source.total - 1));
    this.activeColumn = Math.max(0, Math.min(column, this.columns.length));
    this.scrollIntoView();
    this.draw(true);
    const cell = this.activeCell();
    if (this.activeRow < 0 && cell !== null) cell.tabIndex = 0;
    cell?.focus({ preventScroll: true });
    cell?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (this.activeRow >= 0) this.events.onActive(this.activeRow);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.altKey) return;
    const page = Math.max(1, Math.floor(this.view().viewport / this.rowHeight) - 1);
    const wide = event.ctrlKey || event.metaKey;
    const inHead = this.activeRow < 0;
    const { activeRow: row, activeColumn: column } = this;
    const moves: Record<string, () => void> = {
      ArrowDown: () => this.moveTo(row + 1, column),
      ArrowUp: () => this.moveTo(row - 1, column),
      ArrowRight: () => (inHead && event.shiftKey ? this.resizeActive(widthStep) : this.moveTo(row, column + 1)),
      ArrowLeft: () => (inHead && event.shiftKey ? this.resizeActive(-widthStep) : this.moveTo(row, column - 1)),
      Home: () => this.moveTo(wide ? 0 : row, wide ? column : 0),
      End: () => this.moveTo(wide ? this.source.total - 1 : row, wide ? column : this.columns.length),
      PageDown: () => this.moveTo(row + page, column),
      PageUp: () => this.moveTo(Math.max(0, row - page), column),
      Enter: () => (inHead ? this.sortActive(event.shiftKey) : this.openActive()),
      ' ': () => (inHead ? this.sortActive(event.shiftKey) : this.events.onSelect(row, event.shiftKey)),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }

  private resizeActive(step: number): void {
    const column = this.columns[this.activeColumn - 1];
    if (column !== undefined) this.resize(column.id, column.width + step);
  }

  private sortActive(add: boolean): void {
    const column = this.columns[this.activeColumn - 1];
    if (column?.sortable === true) this.events.onSort(column.id, add);
  }

  private openActive(): void {
    const row = this.source.rowAt(this.activeRow);
    if (row !== undefined) this.events.onOpen(row, this.activeRow);
  }

  private cellOf(target: EventTarget | null): { slot: Slot | null; cell: HTMLElement } | null {
    const cell = (target as Element | null)?.closest<HTMLElement>('.cell') ?? null;
    if (cell === null) return null;
    return { slot: this.slots.find((slot) => slot.element.contains(cell)) ?? null, cell };
  }

  private onClick(event: MouseEvent): void {
    const hit = this.cellOf(event.target);
    if (hit === null || (event.target as Element).classList.contains('resize')) return;
    const column = hit.cell.dataset['column'] ?? '';
    if (hit.slot === null) {
      const known = this.columns.find((one) => one.id === column);
      if (known?.sortable === true) this.events.onSort(column, event.shiftKey);
      return;
    }
    if (event.ctrlKey || event.metaKey) return; // the browser's own "open in a new tab"
    event.preventDefault();
    this.activeColumn = Math.max(0, this.columns.findIndex((one) => one.id === column) + 1);
    this.setActive(hit.slot.index, true);
    if (column === selectColumn || event.shiftKey) {
      this.events.onSelect(hit.slot.index, event.shiftKey);
      return;
    }
    const marked = getSelection();
    if (marked !== null && !marked.isCollapsed && this.scroller.contains(marked.anchorNode)) return;
    this.openActive();
  }

  private onPointerDown(event: PointerEvent): void {
    const handle = event.target as HTMLElement;
    if (!handle.classList.contains('resize')) return;
    event.preventDefault();
    const id = handle.parentElement?.dataset['column'] ?? '';
    const column = this.columns.find((one) => one.id === id);
    if (column === undefined) return;
    const startWidth = column.width;
    const startX = event.clientX;
    handle.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => this.resize(id, startWidth + moved.clientX - startX);
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', () => handle.removeEventListener('pointermove', move), { once: true });
  }

  private onCopy(event: ClipboardEvent): void {
    const marked = getSelection();
    if (marked !== null && !marked.isCollapsed) return;
    const text = this.events.copyText() || (this.activeCell()?.textContent ?? '');
    if (text === '') return;
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  }
}
