// Every keyboard shortcut, said once. A unit test proves that no two that can be active together share a key.

export type Scope = 'global' | 'orders' | 'order' | 'list' | 'differences' | 'sources' | 'jobs' | 'money';

export type Shortcut = { command: string; keys: string[]; scope: Scope; title: string };

// Keys: "j", "g o" (one after the other), "Mod+k" (Ctrl, on a Mac Command), "Shift+?" is written as "?".
export const shortcuts: readonly Shortcut[] = [
  { command: 'palette', keys: ['Mod+k'], scope: 'global', title: 'Open the palette' },
  { command: 'help', keys: ['?'], scope: 'global', title: 'Show shortcuts' },
  { command: 'search', keys: ['/'], scope: 'global', title: 'Search orders' },
  { command: 'go.today', keys: ['g t'], scope: 'global', title: 'Go to Today' },
  { command: 'go.orders', keys: ['g o'], scope: 'global', title: 'Go to Orders' },
  { command: 'go.cash', keys: ['g c'], scope: 'global', title: 'Go to Cash' },
  { command: 'go.differences', keys: ['g d'], scope: 'global', title: 'Go to Differences' },
  { command: 'go.sources', keys: ['g s'], scope: 'global', title: 'Go to Sources' },
  { command: 'go.jobs', keys: ['g j'], scope: 'global', title: 'Go to Jobs' },
  { command: 'go.admin', keys: ['g a'], scope: 'global', title: 'Go to Admin' },
  { command: 'undo', keys: ['u', 'Mod+z'], scope: 'global', title: 'Undo the last action' },
  { command: 'theme', keys: ['d'], scope: 'global', title: 'Next theme: auto, light, dark' },

  { command: 'list.next', keys: ['j'], scope: 'list', title: 'Next row' },
  { command: 'list.previous', keys: ['k'], scope: 'list', title: 'Previous row' },
  { command: 'list.open', keys: ['Enter'], scope: 'list', title: 'Open it' },
  { command: 'list.open_tab', keys: ['o'], scope: 'list', title: 'Open it in a new tab' },

  { command: 'orders.select', keys: ['x'], scope: 'orders', title: 'Select or unselect the row' },
  { command: 'orders.filter', keys: ['f'], scope: 'orders', title: 'Add a filter' },
  { command: 'orders.export', keys: ['e'], scope: 'orders', title: 'Export what is filtered' },
  { command: 'orders.show_new', keys: ['n'], scope: 'orders', title: 'Show new orders' },

  { command: 'order.previous', keys: ['['], scope: 'order', title: 'Previous order of the filtered list' },
  { command: 'order.next', keys: [']'], scope: 'order', title: 'Next order of the filtered list' },
  { command: 'order.provenance', keys: ['i'], scope: 'order', title: 'Where does this value come from?' },
  { command: 'order.close', keys: ['Escape'], scope: 'order', title: 'Close the order' },

  { command: 'differences.choose', keys: ['x'], scope: 'differences', title: 'Let the other side count' },

  { command: 'sources.refresh', keys: ['r'], scope: 'sources', title: 'Refresh all sources now' },

  { command: 'chart.table', keys: ['t'], scope: 'money', title: 'Charts as tables, and back' },

  { command: 'jobs.start', keys: ['n'], scope: 'jobs', title: 'Start a job' },
  { command: 'jobs.end', keys: ['c'], scope: 'jobs', title: 'Cancel the job, discard the dead letter' },
  { command: 'jobs.retry', keys: ['r'], scope: 'jobs', title: 'Try the job again' },
];

export const scopeTitles: Record<Scope, string> = {
  global: 'Everywhere',
  list: 'Lists',
  orders: 'Orders',
  order: 'One order',
  differences: 'Differences',
  sources: 'Sources',
  jobs: 'Jobs',
  money: 'Cash, ageing, costs',
};

// Which scopes can listen at the same moment: an order opens beside the list.
export const activeTogether: readonly (readonly Scope[])[] = [
  ['global', 'list', 'orders', 'order'],
  ['global', 'list', 'differences'],
  ['global', 'sources'],
  ['global', 'list', 'jobs'],
  ['global', 'list', 'money'],
];

// Problems of a table: the same key twice, or a key that is also the start of a two-key shortcut.
export function doubleBindings(table: readonly Shortcut[], together: readonly (readonly Scope[])[]): string[] {
  const problems: string[] = [];
  for (const scopes of together) {
    const bound = table
      .filter((shortcut) => scopes.includes(shortcut.scope))
      .flatMap((shortcut) => shortcut.keys.map((key) => ({ key, command: shortcut.command })));
    bound.forEach((one, at) => {
      for (const other of bound.slice(at + 1)) {
        const clash =
          one.key === other.key || one.key.startsWith(`${other.key} `) || other.key.startsWith(`${one.key} `);
        if (clash) problems.push(`${one.key}: ${one.command} and ${other.command}`);
      }
    });
  }
  return [...new Set(problems)];
}
