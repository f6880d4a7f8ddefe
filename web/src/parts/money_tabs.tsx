// The parts of Cash: one entry in the navigation, five screens.
import './money_tabs.css';

const tabs: readonly { screen: string; href: string; title: string }[] = [
  { screen: 'cash', href: '/cash', title: 'Forecast' },
  { screen: 'ageing', href: '/ageing', title: 'Ageing' },
  { screen: 'costs', href: '/costs', title: 'Costs' },
  { screen: 'scenarios', href: '/scenarios', title: 'Scenarios' },
  { screen: 'finance', href: '/finance', title: 'Documents' },
];

export function MoneyTabs({ screen }: { screen: string }) {
  return (
    <nav class="money-tabs no-print" aria-label="Parts of Cash">
      {tabs.map((tab) => (
        <a key={tab.screen} href={tab.href} aria-current={tab.screen === screen ? 'page' : undefined}>
          {tab.title}
        </a>
      ))}
    </nav>
  );
}
