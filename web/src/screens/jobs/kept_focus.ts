// The focus in lists that change by themselves: a row that moves to another list keeps it; when a row goes, its
// neighbour gets it. Without this, a job that ends under the keyboard throws its reader to the top of the page.
import { type RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

type Held = { row: string; control: string; at: number };

const rowsIn = (place: HTMLElement): HTMLElement[] => [...place.querySelectorAll<HTMLElement>('[data-row]')];
const first = (row: HTMLElement | undefined): HTMLElement | null => row?.querySelector<HTMLElement>('a, button') ?? null;

// A row says `data-row`, its controls say `data-do`. `seen` hears which row has the focus.
export function useKeptFocus(place: RefObject<HTMLElement | null>, seen: (row: string) => void): void {
  const held = useRef<Held | null>(null);
  const tell = useRef(seen);
  tell.current = seen;
  useEffect(() => {
    const hold = (event: Event): void => {
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target?.closest('dialog') ?? false) return; // it gives the focus back
      const row = target?.closest<HTMLElement>('[data-row]') ?? null;
      const list = place.current;
      if (row === null || list === null || !list.contains(row)) {
        held.current = null;
        return;
      }
      if (event.type !== 'focusin') return;
      const name = row.dataset['row'] ?? '';
      held.current = { row: name, control: target?.closest<HTMLElement>('[data-do]')?.dataset['do'] ?? '', at: rowsIn(list).indexOf(row) };
      tell.current(name);
    };
    document.addEventListener('focusin', hold);
    document.addEventListener('pointerdown', hold);
    return () => {
      document.removeEventListener('focusin', hold);
      document.removeEventListener('pointerdown', hold);
    };
  }, []);
  useLayoutEffect(() => {
    const was = held.current;
    const list = place.current;
    if (was === null || list === null || document.activeElement !== document.body) return;
    const rows = rowsIn(list);
    const row = rows.find((one) => one.dataset['row'] === was.row);
    const again = row?.querySelector<HTMLElement>(`[data-do="${was.control}"]`) ?? null;
    (again ?? first(row) ?? first(rows[Math.min(was.at, rows.length - 1)]))?.focus({ preventScroll: true });
  });
}

// The row `step` rows on from the active one gets the focus.
export function moveFocus(place: HTMLElement | null, active: string, step: number): void {
  if (place === null) return;
  const rows = rowsIn(place);
  const at = rows.findIndex((row) => row.dataset['row'] === active);
  const inside = place.contains(document.activeElement) && document.activeElement?.closest('[data-row]') !== null;
  const next = at < 0 ? 0 : inside ? Math.max(0, Math.min(rows.length - 1, at + step)) : at;
  first(rows[next])?.focus();
}
