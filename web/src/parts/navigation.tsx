// Left rail on a desktop, bar at the bottom of a phone.
import { Icon, type IconName } from './icons';
import { maySee } from './me';

const entries: readonly { screen: string; href: string; title: string; icon: IconName; keys: string }[] = [
  { screen: 'today', href: '/', title: 'Today', icon: 'today', keys: 'g t' },
  { screen: 'orders', href: '/orders', title: 'Orders', icon: 'orders', keys: 'g o' },
  { screen: 'differences', href: '/differences', title: 'Differences', icon: 'differences', keys: 'g d' },
  { screen: 'sources', href: '/sources', title: 'Sources', icon: 'sources', keys: 'g s' },
  { screen: 'jobs', href: '/jobs', title: 'Jobs', icon: 'jobs', keys: 'g j' },
  { screen: 'admin', href: '/admin', title: 'Admin', icon: 'admin', keys: 'g a' },
];

export function Navigation({ screen }: { screen: string }) {
  const current = screen === 'order' ? 'orders' : screen;
  return (
    <nav class="rail no-print" aria-label="Screens">
      {entries.filter((entry) => maySee(entry.screen)).map((entry) => (
        <a key={entry.screen} href={entry.href} aria-current={entry.screen === current ? 'page' : undefined} title={`${entry.title}  ${entry.keys}`}>
          <Icon name={entry.icon} />
          <span>{entry.title}</span>
        </a>
      ))}
    </nav>
  );
}
