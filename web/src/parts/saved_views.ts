// A saved view is a name and an address. It lives in this browser until people have accounts.
import { signal } from '@preact/signals';

import { readJson, writeSetting } from './settings';

export type SavedView = { name: string; query: string };

const isViews = (value: unknown): value is SavedView[] =>
  Array.isArray(value) &&
  value.every((one) => typeof one === 'object' && one !== null && 'name' in one && 'query' in one);

// Two that every planner asks for first. They cannot be deleted.
export const givenViews: readonly SavedView[] = [
  { name: 'Late, worst first', query: 'late=true&sort=-lateness_days,-open_amount' },
  { name: 'Due in seven days', query: 'due=gte.today&due=lte.today%2B7&open_amount=gt.0&sort=due' },
  { name: 'Changed last', query: 'sort=-changed_at' },
];

export const savedViews = signal<SavedView[]>([]);

export function loadViews(): void {
  savedViews.value = readJson('views', isViews, []);
}

export function putView(views: SavedView[], view: SavedView): SavedView[] {
  return [...views.filter((other) => other.name !== view.name), view].sort((a, b) => a.name.localeCompare(b.name));
}

// False when the browser keeps nothing.
export function storeViews(views: SavedView[]): boolean {
  savedViews.value = views;
  return writeSetting('views', JSON.stringify(views));
}
