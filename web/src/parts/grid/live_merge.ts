// What a live delta means for a list somebody is looking at.
//
// Changed rows repaint where they stand, rows that left are marked, new ones wait behind a pill until the user asks.
// How many are new follows from exact totals: total now = total shown - left + arrived. Rows that changed elsewhere in
// the list are not "new"; they only may have moved.

export type LiveList = {
  totalShown: number; // when the list was loaded
  totalNow: number;
  left: ReadonlySet<string>; // loaded rows that do not match any more
  elsewhere: ReadonlySet<string>; // changed rows that match but are not loaded: new ones or ones further down
};

export type Delta<Row> = { total: number; rows: Row[]; gone: string[] };

export type MergeStep<Row> = { list: LiveList; repaint: Row[]; returned: string[] };

export const freshList = (total: number): LiveList => ({
  totalShown: total,
  totalNow: total,
  left: new Set(),
  elsewhere: new Set(),
});

export function mergeDelta<Row>(
  list: LiveList,
  delta: Delta<Row>,
  keyOf: (row: Row) => string,
  isLoaded: (key: string) => boolean,
): MergeStep<Row> {
  const left = new Set(list.left);
  const elsewhere = new Set(list.elsewhere);
  const repaint: Row[] = [];
  const returned: string[] = [];
  for (const row of delta.rows) {
    const key = keyOf(row);
    if (isLoaded(key)) {
      repaint.push(row);
      if (left.delete(key)) returned.push(key);
    } else elsewhere.add(key);
  }
  for (const key of delta.gone) {
    elsewhere.delete(key);
    if (isLoaded(key)) left.add(key);
  }
  return { list: { totalShown: list.totalShown, totalNow: delta.total, left, elsewhere }, repaint, returned };
}

// Never more than the rows we heard of, never less than what the totals prove.
export function arrivedCount(list: LiveList): number {
  return Math.max(0, Math.min(list.elsewhere.size, list.totalNow - list.totalShown + list.left.size));
}

export type Pill = { kind: 'new'; count: number } | { kind: 'changed' } | null;

export function pillOf(list: LiveList): Pill {
  const arrived = arrivedCount(list);
  if (arrived > 0) return { kind: 'new', count: arrived };
  if (list.left.size > 0 || list.totalNow !== list.totalShown) return { kind: 'changed' };
  return null;
}
