// Where in which list an order was opened from, so that [ and ] walk on in that list. Travels in the history entry and
// survives a reload.
export type ListContext = { query: string; index: number; total: number };

export const listState = (context: ListContext): { list: ListContext } => ({ list: context });

export function readContext(state: unknown): ListContext | null {
  if (typeof state !== 'object' || state === null || !('list' in state)) return null;
  const list = state.list as Partial<ListContext> | null;
  if (typeof list?.query !== 'string' || typeof list.index !== 'number' || typeof list.total !== 'number') return null;
  return { query: list.query, index: list.index, total: list.total };
}

// The neighbour's index, nothing at either end.
export function neighbour(context: ListContext, step: 1 | -1): number | undefined {
  const index = context.index + step;
  return index < 0 || index >= context.total ? undefined : index;
}
