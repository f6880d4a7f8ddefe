// The frame around every screen: header, navigation, the screen of the address, toasts and the sheets above all.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { Header, OfflineBanner } from './parts/header';
import { Navigation } from './parts/navigation';
import { announcement, dropToast, live, startAppState, toasts, undoLast } from './parts/app_state';
import { Empty, Problem, Skeleton } from './parts/basics';
import { Icon } from './parts/icons';
import { useCommands } from './parts/keys';
import { loadMe, may, maySee, me, meProblem } from './parts/me';
import { navigate, route } from './parts/router';
import { nextTheme, setTheme, theme } from './parts/theme';

type Screen = ComponentType<{ number: string; path: string }>;
type Load = () => Promise<{ default: ComponentType<{ number: string }> | ComponentType<{ path: string }> | ComponentType }>;

const screens: Record<string, Load> = {
  today: () => import('./screens/today/today'),
  orders: () => import('./screens/orders/orders'),
  order: () => import('./screens/order/order'),
  cash: () => import('./screens/cash/cash'),
  ageing: () => import('./screens/ageing/ageing'),
  costs: () => import('./screens/costs/costs'),
  scenarios: () => import('./screens/scenarios/scenarios'),
  payments: () => import('./screens/payments/payments'),
  finance: () => import('./screens/finance/finance'),
  differences: () => import('./screens/differences/differences'),
  sources: () => import('./screens/sources/sources'),
  jobs: () => import('./screens/jobs/jobs'),
  admin: () => import('./screens/admin/admin'),
  door: () => import('./screens/sign_in/sign_in'),
};

export type Place = { screen: string; number: string };

export function placeOf(path: string): Place {
  const order = /^\/orders\/([^/]+)\/?$/.exec(path);
  if (order !== null) return { screen: 'order', number: decoded(order[1] ?? '') };
  const customer = /^\/customers\/([^/]+)\/payments\/?$/.exec(path);
  if (customer !== null) return { screen: 'payments', number: decoded(customer[1] ?? '') };
  const clean = path.replace(/\/+$/, '');
  if (clean === '' || clean === '/today') return { screen: 'today', number: '' };
  if (clean === '/orders') return { screen: 'orders', number: '' };
  const money = ['cash', 'ageing', 'costs', 'scenarios', 'finance'].find((name) => clean === `/${name}`);
  if (money !== undefined) return { screen: money, number: '' };
  if (clean === '/differences') return { screen: 'differences', number: '' };
  if (clean === '/sources' || clean === '/performance') return { screen: 'sources', number: '' };
  if (clean === '/jobs') return { screen: 'jobs', number: '' };
  if (clean === '/admin') return { screen: 'admin', number: '' };
  if (clean === '/sign-in' || clean === '/setup') return { screen: 'door', number: '' };
  return { screen: '', number: '' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % in a typed address: the server will say that there is no such order
  }
}

// The screen of the address comes while the page asks who looks at it. A failure is told when the screen is shown: it is
// asked for again then.
export function fetchAhead(path: string): void {
  screens[placeOf(path).screen]?.().catch(() => undefined);
}

const loaded = new Map<string, Screen>();

// Screens arrive in their own files; the one before stays until the new one is here.
function useScreen(name: string): { Shown: Screen | null; problem: Error | null } {
  const [, redraw] = useState(0);
  const [problem, setProblem] = useState<Error | null>(null);
  useEffect(() => {
    const load = screens[name];
    if (load === undefined || loaded.has(name)) return;
    load().then(
      (module) => {
        loaded.set(name, module.default as Screen);
        setProblem(null);
        redraw((count) => count + 1);
      },
      () => setProblem(new Error('This part of the page could not be loaded. A new version may be out: reload the page.')),
    );
  }, [name]);
  return { Shown: loaded.get(name) ?? null, problem };
}

type Overlay = ComponentType<{ onClose: () => void }>;

// Who has not signed in sees the door, whatever the address; it stays, and is shown as soon as he has.
export function App() {
  const who = me.value;
  if (who === null) return meProblem.value === null ? <Skeleton rows={8} class="page" /> : <NoAnswer problem={meProblem.value} />;
  return who.signed_in && placeOf(route.value.path).screen !== 'door' ? <Frame /> : <Door />;
}

function NoAnswer({ problem }: { problem: Error }) {
  return (
    <main class="page" id="main">
      <Problem problem={problem} retry={() => void loadMe()} />
    </main>
  );
}

function Door() {
  const { Shown, problem } = useScreen('door');
  // A sign-in page for somebody who is in, or needs no sign-in, would be a dead end.
  const inside = me.value?.signed_in === true && route.value.path !== '/setup';
  useEffect(() => {
    if (inside) navigate('/', { replace: true });
  }, [inside]);
  if (problem !== null) return <NoAnswer problem={problem} />;
  return Shown === null || inside ? null : <Shown number="" path={route.value.path} />;
}

// Without amounts there is no morning's answer; the list of orders is the first screen then.
function placeFor(path: string): Place {
  const place = placeOf(path);
  if (place.screen === 'today' && !maySee('today')) return { screen: 'orders', number: '' };
  return maySee(place.screen) ? place : { screen: 'closed', number: '' };
}

function Frame() {
  const place = placeFor(route.value.path);
  const { Shown, problem } = useScreen(place.screen);
  useEffect(() => {
    startAppState();
    return () => live.stop();
  }, []);
  const [sheet, setSheet] = useState<{ Shown: Overlay } | null>(null);
  const openSheet = (load: () => Promise<{ default: Overlay }>): void =>
    void load().then((module) => setSheet({ Shown: module.default }));
  const openPalette = (): void => openSheet(() => import('./parts/palette'));
  const openHelp = (): void => openSheet(() => import('./parts/shortcut_sheet'));
  useCommands({
    palette: openPalette,
    help: openHelp,
    search: () => document.getElementById('search')?.focus(),
    'go.today': () => navigate('/'),
    'go.orders': () => navigate('/orders'),
    'go.cash': () => maySee('cash') && navigate('/cash'),
    'go.differences': () => navigate('/differences'),
    'go.sources': () => navigate('/sources'),
    'go.jobs': () => navigate('/jobs'),
    'go.admin': () => may('admin') && navigate('/admin'),
    undo: undoLast,
    theme: () => setTheme(nextTheme(theme.value)),
  });
  return (
    <div class="frame">
      <a class="skip no-print" href="#main">
        Skip to content
      </a>
      <Header onPalette={openPalette} onHelp={openHelp} />
      <Navigation screen={place.screen} />
      <main id="main" class={`main main-${place.screen}`} tabIndex={-1}>
        <OfflineBanner />
        {problem !== null && <Problem problem={problem} retry={() => location.reload()} />}
        {Shown !== null && <Shown key={place.screen} number={place.number} path={route.value.path} />}
        {Shown === null && problem === null && place.screen in screens && <Skeleton rows={8} class="page" />}
        {place.screen === '' && <NotFound />}
        {place.screen === 'closed' && <Closed />}
      </main>
      <Toasts />
      <div class="only-read" role="status" aria-live="polite">
        {announcement.value}
      </div>
      {sheet !== null && <sheet.Shown onClose={() => setSheet(null)} />}
    </div>
  );
}

function Closed() {
  useEffect(() => {
    document.title = 'Not for you · Millrace';
  }, []);
  return (
    <div class="page">
      <h1 class="only-read">Not for you</h1>
      <Empty
        title="This screen is not open to you"
        why={`You are signed in as ${me.value?.display_name ?? ''}, ${me.value?.role ?? ''}. An administrator can give you another role.`}
        action={
          <a class="button primary" href="/orders">
            Go to Orders
          </a>
        }
      />
    </div>
  );
}

function NotFound() {
  useEffect(() => {
    document.title = 'Not here · Millrace';
  }, []);
  return (
    <div class="page">
      <h1 class="only-read">Not here</h1>
      <Empty
        title="Nothing lives at this address"
        why={route.value.path}
        action={
          <a class="button primary" href="/">
            Go to Today
          </a>
        }
      />
    </div>
  );
}

function Toasts() {
  return (
    <div class="toasts no-print" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div class={`toast toast-${one.tone}`} key={one.id}>
          <span>{one.text}</span>
          {one.undo !== undefined && (
            <button
              type="button"
              class="button small"
              onClick={() => {
                dropToast(one.id);
                one.undo?.();
              }}
            >
              Undo
            </button>
          )}
          <button type="button" class="icon-button" aria-label="Close message" onClick={() => dropToast(one.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
