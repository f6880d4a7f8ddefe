// Ctrl K: screens, actions, orders and customers in one box. ">" actions only, "#" orders, "@" customers.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { orderSearch, totals } from '../api/client';
import { maySee, seesMoney } from './me';
import { Dialog } from './dialog';
import { isCommandActive, runCommand } from './keys';
import { navigate } from './router';
import { shortcuts } from './shortcuts';
import { statusText } from './status';

export type Entry = { kind: string; title: string; detail: string; run: () => void };

const allScreens: readonly [string, string, string][] = [
  ['today', 'Today', '/'],
  ['orders', 'Orders', '/orders'],
  ['orders', 'Late orders', '/orders?late=true&sort=-lateness_days'],
  ['cash', 'Cash: forecast of the next 13 weeks', '/cash'],
  ['ageing', 'Ageing: who owes us, how old', '/ageing'],
  ['ageing', 'Ageing of what we owe', '/ageing?side=payables'],
  ['costs', 'Costs and budget', '/costs'],
  ['scenarios', 'Scenarios', '/scenarios'],
  ['finance', 'Invoices, payments and other money documents', '/finance'],
  ['differences', 'Differences', '/differences'],
  ['sources', 'Sources and rejections', '/sources'],
  ['jobs', 'Jobs', '/jobs'],
  ['admin', 'Admin: users, tokens, audit trail', '/admin'],
];
const screens = (): [string, string][] => allScreens.filter(([screen]) => maySee(screen)).map(([, title, address]) => [title, address]);

const typingPause = 120; // milliseconds
const found = 8;

export function fits(title: string, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => title.toLowerCase().includes(word));
}

function actions(): Entry[] {
  return shortcuts
    .filter((shortcut) => shortcut.command !== 'palette' && isCommandActive(shortcut.command))
    .map((shortcut) => ({
      kind: 'Action',
      title: shortcut.title,
      detail: (shortcut.keys[0] ?? '').replace('Mod+', 'Ctrl '),
      run: () => void setTimeout(() => runCommand(shortcut.command)), // after the palette gave the focus back
    }));
}

const places = (): Entry[] =>
  screens().map(([title, address]) => ({ kind: 'Screen', title, detail: '', run: () => navigate(address) }));

async function findOrders(text: string, abort: AbortSignal): Promise<Entry[]> {
  const query = `q=${encodeURIComponent(text)}&limit=${found}&fields=order,customer_name,status`;
  const answer = await orderSearch(query, abort);
  return answer.data.map((row) => ({
    kind: 'Order',
    title: `${row.order}  ${row.customer_name}`,
    detail: statusText(row.status),
    run: () => navigate(`/orders/${encodeURIComponent(row.order)}`),
  }));
}

async function findCustomers(text: string, abort: AbortSignal): Promise<Entry[]> {
  const answer = await totals('customer', `customer_name=has.${encodeURIComponent(text)}`, found, abort);
  return answer.data.map((row) => ({
    kind: 'Customer',
    title: row.name === '' ? row.key : row.name,
    detail: row.key,
    run: () => navigate(`/orders?customer=${encodeURIComponent(row.key)}`),
  }));
}

function useFound(prefix: string, text: string): { entries: Entry[]; problem: string } {
  const [state, setState] = useState<{ entries: Entry[]; problem: string }>({ entries: [], problem: '' });
  useEffect(() => {
    const abort = new AbortController();
    const asks = text === '' || prefix === '>' ? [] : [
      ...(prefix === '@' ? [] : [findOrders]),
      ...(prefix === '#' || !seesMoney() ? [] : [findCustomers]),
    ];
    const timer = setTimeout(() => {
      Promise.all(asks.map((ask) => ask(text, abort.signal))).then(
        (lists) => setState({ entries: lists.flat(), problem: '' }),
        (error: Error) => {
          if (!abort.signal.aborted) setState({ entries: [], problem: error.message });
        },
      );
    }, typingPause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [prefix, text]);
  return state;
}

export default function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const prefix = /^[>#@]/.exec(typed)?.[0] ?? '';
  const text = typed.slice(prefix.length).trim();
  const own = useMemo(() => [...places(), ...actions()], []);
  const result = useFound(prefix, text);
  const entries = [
    ...own.filter((one) => (prefix === '' || (prefix === '>' && one.kind === 'Action')) && fits(one.title, text)),
    ...result.entries,
  ];
  const active = Math.min(at, Math.max(0, entries.length - 1));
  useEffect(() => list.current?.children[active]?.scrollIntoView({ block: 'nearest' }), [active]);
  const run = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    onClose();
    entry.run();
  };
  return (
    <Dialog title="Palette" bare class="palette" onClose={onClose}>
      <input
        autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries.length > 0 ? `palette-${active}` : undefined}
        aria-label="Go to a screen, an order, a customer or an action"
        placeholder="Screens, orders, customers, actions    > actions   # orders   @ customers"
        autocomplete="off"
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
          if (step !== 0) setAt((active + step + entries.length) % Math.max(1, entries.length));
          else if (event.key === 'Enter') run(entries[active]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Results" ref={list}>
        {entries.map((entry, index) => (
          <li key={`${entry.kind}${entry.title}`} id={`palette-${index}`} role="option" aria-selected={index === active} onClick={() => run(entry)} onPointerMove={() => setAt(index)}>
            <span class="palette-kind">{entry.kind}</span>
            <span class="palette-title">{entry.title}</span>
            <span class="quiet">{entry.detail}</span>
          </li>
        ))}
      </ul>
      {result.problem !== '' && <p class="wrong">{result.problem}</p>}
      {entries.length === 0 && result.problem === '' && <p class="quiet palette-none">Nothing found.</p>}
    </Dialog>
  );
}
