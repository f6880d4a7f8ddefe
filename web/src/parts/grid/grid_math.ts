// Which rows a scrolled grid shows.
//
// Browsers stop growing an element somewhere above eight million pixels. Beyond that the scroll bar is mapped: its
// travel stands for the row numbers, and rows are placed around the scroll position instead of at their true height.

export const heightMax = 8_000_000; // pixels

export type View = { scrollTop: number; viewport: number; rowHeight: number; total: number };
export type Range = { first: number; last: number }; // both inside; last < first when empty

export const bodyHeight = (total: number, rowHeight: number): number => Math.min(total * rowHeight, heightMax);

const isMapped = (view: View): boolean => view.total * view.rowHeight > heightMax;

// Position of the view's top edge in rows, with its fraction.
export function topRow(view: View): number {
  if (!isMapped(view)) return view.scrollTop / view.rowHeight;
  const travel = bodyHeight(view.total, view.rowHeight) - view.viewport;
  const rows = view.total - view.viewport / view.rowHeight;
  return travel <= 0 ? 0 : (Math.min(view.scrollTop, travel) / travel) * rows;
}

export function visibleRange(view: View, overscan: number): Range {
  const top = topRow(view);
  const first = Math.max(0, Math.floor(top) - overscan);
  const last = Math.min(view.total - 1, Math.ceil(top + view.viewport / view.rowHeight) + overscan);
  return { first, last };
}

// Pixel offset of a row inside the body.
export function rowOffset(view: View, index: number): number {
  if (!isMapped(view)) return index * view.rowHeight;
  return view.scrollTop + (index - topRow(view)) * view.rowHeight;
}

// The scrollTop that brings a row fully into view below `cover` pixels of sticky header; unchanged if it is already.
export function scrollToRow(view: View, index: number): number {
  const top = topRow(view);
  const rowsInView = view.viewport / view.rowHeight;
  let wanted = top;
  if (index < top) wanted = index;
  else if (index + 1 > top + rowsInView) wanted = index + 1 - rowsInView;
  if (wanted === top) return view.scrollTop;
  if (!isMapped(view)) return wanted * view.rowHeight;
  const travel = bodyHeight(view.total, view.rowHeight) - view.viewport;
  return (wanted / (view.total - rowsInView)) * travel;
}

// The aligned windows that cover a range: offsets of `size` rows each.
export function windowsFor(range: Range, size: number): number[] {
  const out: number[] = [];
  if (range.last < range.first) return out;
  for (let offset = Math.floor(range.first / size) * size; offset <= range.last; offset += size) out.push(offset);
  return out;
}
