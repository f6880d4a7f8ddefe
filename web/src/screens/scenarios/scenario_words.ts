// What a scenario assumes, in words, and what a person typed as a change.
import type { ScenarioChange } from '../../api/cash';
import { counted } from '../../parts/format';

export const changeKinds: readonly ScenarioChange['kind'][] = ['customer_later', 'order_slips', 'supplier_later', 'pay_later', 'rate', 'no_new_orders'];

export const kindTitles: Record<ScenarioChange['kind'], string> = {
  customer_later: 'A customer pays later',
  order_slips: 'An order slips',
  supplier_later: 'A supplier is paid later',
  pay_later: 'We pay everybody later',
  rate: 'A rate moves',
  no_new_orders: 'No new orders come',
};

const later = (days: number): string => (days < 0 ? `${counted(-days, 'day')} earlier` : `${counted(days, 'day')} later`);

export function changeWords(change: ScenarioChange): string {
  switch (change.kind) {
    case 'customer_later':
      return `customer ${change.party} pays ${later(change.days)}`;
    case 'order_slips':
      return `order ${change.order} ships ${later(change.days)}`;
    case 'supplier_later':
      return `supplier ${change.party} is paid ${later(change.days)}`;
    case 'pay_later':
      return `we pay ${later(change.days)}`;
    case 'rate':
      return `${change.from}/${change.to} ${change.percent < 0 ? `falls by ${-change.percent} %` : `rises by ${change.percent} %`}`;
    case 'no_new_orders':
      return 'no new orders';
  }
}

export type TypedChange = { kind: ScenarioChange['kind']; who: string; days: string; to: string; percent: string };
export const emptyChange: TypedChange = { kind: 'customer_later', who: '', days: '14', to: '', percent: '-5' };

export function typedOf(change: ScenarioChange): TypedChange {
  const typed = { ...emptyChange, kind: change.kind };
  switch (change.kind) {
    case 'customer_later':
    case 'supplier_later':
      return { ...typed, who: change.party, days: String(change.days) };
    case 'order_slips':
      return { ...typed, who: change.order, days: String(change.days) };
    case 'pay_later':
      return { ...typed, days: String(change.days) };
    case 'rate':
      return { ...typed, who: change.from, to: change.to, percent: String(change.percent) };
    case 'no_new_orders':
      return typed;
  }
}

const daysMax = 366;

// The change, or the sentence that says what is wrong with it.
export function changeOf(typed: TypedChange): ScenarioChange | string {
  const { kind } = typed;
  const who = typed.who.trim();
  if (kind === 'no_new_orders') return { kind };
  if (kind === 'rate') {
    const percent = Number(typed.percent.replace('\u2212', '-').replace(',', '.'));
    const from = who.toUpperCase();
    const to = typed.to.trim().toUpperCase();
    if (!/^[A-Z]{3}$/.test(from) || !/^[A-Z]{3}$/.test(to) || from === to) return 'A rate has two different currencies, such as USD and EUR.';
    if (typed.percent.trim() === '' || !Number.isFinite(percent) || percent <= -100 || percent > 1000) return `“${typed.percent}” is no percentage between −100 and 1000.`;
    return { kind, from, to, percent };
  }
  const days = Number(typed.days.replace('\u2212', '-'));
  if (typed.days.trim() === '' || !Number.isInteger(days) || Math.abs(days) > daysMax) return `“${typed.days}” is no whole number of days up to ${daysMax}.`;
  if (kind === 'pay_later') return { kind, days };
  if (who === '') return kind === 'order_slips' ? 'Say which order slips.' : `Say which ${kind === 'supplier_later' ? 'supplier' : 'customer'}.`;
  return kind === 'order_slips' ? { kind, order: who, days } : { kind, party: who, days };
}
