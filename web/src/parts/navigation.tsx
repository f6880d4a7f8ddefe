// Left rail on a desktop; on a phone a bar at the bottom with five entries, the last of which opens the others.
import { useEffect, useState } from 'preact/hooks';

import { Icon, type IconName } from './icons';
import { maySee } from './me';
import { Menu } from './menu';
import { route } from './router';
import { useMedia } from './use_media';

export type NavigationEntry = { screen: string; href: string; title: string; icon: IconName; keys: string; more?: true }; // more: behind More on a phone

export const entries: readonly NavigationEntry[] = [
  { screen: 'today', href: '/', title: 'Today', icon: 'today', keys: 'g t' },
  { screen: 'orders', href: '/orders', title: 'Orders', icon: 'orders', keys: 'g o' },
  { screen: 'cash', href: '/cash', title: 'Cash', icon: 'cash', keys: 'g c', more: true },
  { screen: 'differences', href: '/differences', title: 'Differences', icon: 'differences', keys: 'g d' },
  { screen: 'sources', href: '/sources', title: 'Sources', icon: 'sources', keys: 'g s' },
  { screen: 'jobs', href: '/jobs', title: 'Jobs', icon: 'jobs', keys: 'g j', more: true },
  { screen: 'admin', href: '/admin', title: 'Admin', icon: 'admin', keys: 'g a', more: true },
];

export const barMax = 5; // entries under a thumb

// What stands in the bar of a phone, and what behind More.
export function barOf(seen: readonly NavigationEntry[]): { bar: NavigationEntry[]; more: NavigationEntry[] } {
  if (seen.length <= barMax) return { bar: [...seen], more: [] };
  const bar = seen.filter((entry) => entry.more !== true).slice(0, barMax - 1);
  return { bar, more: seen.filter((entry) => !bar.includes(entry)) };
}

const parents: Record<string, string> = { order: 'orders', ageing: 'cash', costs: 'cash', scenarios: 'cash', payments: 'cash', finance: 'cash' };

export function Navigation({ screen }: { screen: string }) {
  const phone = useMedia('(max-width: 719px)');
  const current = parents[screen] ?? screen;
  const seen = entries.filter((entry) => maySee(entry.screen));
  const { bar, more } = phone ? barOf(seen) : { bar: seen, more: [] };
  return (
    <nav class="rail no-print" aria-label="Screens">
      {bar.map((entry) => (
        <a key={entry.screen} href={entry.href} aria-current={entry.screen === current ? 'page' : undefined} title={`${entry.title}  ${entry.keys}`}>
          <Icon name={entry.icon} />
          <span>{entry.title}</span>
        </a>
      ))}
      {more.length > 0 && <More entries={more} current={current} />}
    </nav>
  );
}

function More({ entries: behind, current }: { entries: NavigationEntry[]; current: string }) {
  const [open, setOpen] = useState(false);
  const here = behind.find((entry) => entry.screen === current);
  useEffect(() => setOpen(false), [route.value.path]);
  return (
    <Menu label={here === undefined ? 'More' : here.title} icon={here?.icon ?? 'more'} open={open} onOpen={setOpen} align="end" class={`rail-more ${here === undefined ? '' : 'is-here'}`}>
      <div class="choices">
        {behind.map((entry) => (
          <a key={entry.screen} class="choice" href={entry.href} aria-current={entry.screen === current ? 'page' : undefined} onClick={() => setOpen(false)}>
            <Icon name={entry.icon} /> {entry.title}
          </a>
        ))}
      </div>
    </Menu>
  );
}
