// Merging and filtering of rejections, without a screen.
import type { Rejection } from '../../api/types';

// Newest first; a rejection that is said again replaces the one we had.
export function mergeRejections(known: Rejection[], put: Rejection[], removed: number[]): Rejection[] {
  const gone = new Set([...removed, ...put.map((one) => one.id)]);
  return [...put, ...known.filter((one) => !gone.has(one.id))].sort(
    (a, b) => Date.parse(b.since) - Date.parse(a.since) || b.id - a.id,
  );
}

export function filterRejections(list: Rejection[], text: string, outcome: string): Rejection[] {
  const wanted = text.trim().toLowerCase();
  return list.filter(
    (one) =>
      (outcome === '' || one.outcome === outcome) &&
      (wanted === '' ||
        [one.path, one.place, one.reason, one.value, one.order, one.source].some((part) => part.toLowerCase().includes(wanted))),
  );
}
