// Who looks at the screens, and what he may see: asked once, before anything else is.
import { signal } from '@preact/signals';

import { me as askMe, onSignedOut, rememberCsrf } from '../api/people';
import type { Me } from '../api/people';

export const me = signal<Me | null>(null); // null: not known yet
export const meProblem = signal<Error | null>(null);

export async function loadMe(): Promise<void> {
  try {
    const answer = await askMe();
    rememberCsrf(answer.csrf ?? '');
    me.value = answer;
    meProblem.value = null;
  } catch (error) {
    meProblem.value = error as Error;
  }
}

// The session ended while somebody worked: the door is shown in place of what he may not see any more.
onSignedOut(() => {
  if (me.value?.signed_in === true) void loadMe();
});

export const may = (right: string): boolean => me.value?.rights?.includes(right) ?? false;
export const seesMoney = (): boolean => me.value === null || may('see_money');
export const seesHistory = (): boolean => seesMoney() && (me.value === null || may('see_changes'));
// Whoever may start work may think aloud: scenarios and kept forecasts change no document.
export const mayPlan = (): boolean => may('run_jobs');
// Answers about all orders are closed to whoever sees one salesperson's only.
export const seesAll = (): boolean => (me.value?.own_orders ?? '') === '';

export function maySee(screen: string): boolean {
  switch (screen) {
    case 'today':
      return seesMoney();
    case 'differences':
      return seesMoney() && may('see_sources') && seesAll();
    case 'sources':
      return may('see_sources') && seesAll();
    case 'jobs':
      return may('run_jobs') && seesAll();
    case 'cash':
    case 'ageing':
    case 'costs':
    case 'scenarios':
    case 'finance':
    case 'payments':
      return seesMoney() && seesAll();
    case 'admin':
      return may('admin');
    default:
      return true;
  }
}
