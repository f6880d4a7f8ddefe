// Addresses and the back button.
import { signal } from '@preact/signals';

export type Route = { path: string; search: string; state: unknown };

const read = (): Route => ({ path: location.pathname, search: location.search, state: history.state as unknown });

export const route = signal<Route>({ path: '/', search: '', state: null });

export function navigate(address: string, options: { replace?: boolean; state?: unknown } = {}): void {
  if (options.replace === true) history.replaceState(options.state ?? null, '', address);
  else history.pushState(options.state ?? null, '', address);
  route.value = read();
}

// Typing replaces the address; when it is done, the address from before gets its own entry again, so that Back undoes
// the whole word and not its last letter.
export function commitTyping(before: string): void {
  const now = location.pathname + location.search;
  if (now === before) return;
  history.replaceState(history.state, '', before);
  history.pushState(null, '', now);
  route.value = read();
}

function appAddress(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = (event.target as Element | null)?.closest('a');
  if (link === null || link === undefined) return null;
  if (link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return null;
  if (link.pathname.startsWith('/api/') || (link.hash !== '' && link.pathname === location.pathname)) return null;
  return link.pathname + link.search + link.hash;
}

export function startRouter(): void {
  route.value = read();
  addEventListener('popstate', () => {
    route.value = read();
  });
  document.addEventListener('click', (event) => {
    const address = appAddress(event);
    if (address === null) return;
    event.preventDefault();
    if (address !== location.pathname + location.search + location.hash) navigate(address);
  });
}
