// What the figures of a forecast say, in words: a sign is never left to colour or to a minus alone.
import type { Cash, CashDay, CashWeek, UsedRate } from '../../api/cash';
import type { Day, Money } from '../../api/types';
import { absent, formatDay, formatDayShort, formatMoney, formatMoneyShort, isoWeek } from '../../parts/format';
import type { Tone } from '../../parts/status';

export const layerTitles: Record<string, string> = {
  balance: 'Bank balance',
  invoiced: 'Invoiced',
  delivered: 'Delivered, not invoiced',
  ordered: 'Ordered',
  planned: 'Planned',
  forecast: 'Forecast',
};
export const layerTitle = (name: string): string => layerTitles[name] ?? name;

export const layerHelp: Record<string, string> = {
  balance: 'what the bank says',
  invoiced: 'invoices and bills',
  delivered: 'delivered, not invoiced yet',
  ordered: 'open orders and purchase orders',
  planned: 'costs, wages, tax and rules',
  forecast: 'orders that are not there yet',
};

export const viewTitles = { expected: 'Expected', pessimistic: 'Pessimistic', optimistic: 'Optimistic' } as const;

const positive = (money: Money): Money => ({ ...money, minor: Math.abs(money.minor) });

// "38,000 EUR above the credit line", "12,000 EUR beyond the credit line"
export function headroomWords(headroom: Money, creditLine: Money | null): string {
  const line = creditLine === null || creditLine.minor === 0 ? 'zero' : 'the credit line';
  if (headroom.minor === 0) return `exactly at ${line}`;
  const amount = `${formatMoneyShort(positive(headroom))} ${headroom.currency}`;
  if (headroom.minor > 0) return `${amount} above ${line}`;
  return `${amount} ${line === 'zero' ? 'below zero' : 'beyond the credit line'}`;
}

// In a column whose title says what it is measured against.
export function headroomShort(headroom: Money): string {
  const amount = formatMoneyShort(positive(headroom));
  return headroom.minor < 0 ? `${amount} beyond` : `${amount} left`;
}

export function headroomTone(headroom: Money, balance: Money): Tone {
  if (headroom.minor < 0) return 'poor';
  return balance.minor < 0 ? 'fair' : 'good';
}

export const weekName = (week: Pick<CashWeek, 'start' | 'end'>): string => `Week ${isoWeek(week.start)}, ${formatDayShort(week.start)} to ${formatDayShort(week.end)}`;

export const between = (low: Money | null, high: Money | null): string => (low === null || high === null ? '' : `, between ${formatMoneyShort(low)} and ${formatMoneyShort(high)} in 8 of 10 cases`);

const below = (money: Money): string => (money.minor < 0 ? ', overdrawn' : '');

export function sayDay(day: CashDay): string {
  const moved = [day.receipts.minor === 0 ? '' : `in ${formatMoney(day.receipts)}`, day.payments.minor === 0 ? '' : `out ${formatMoney(positive(day.payments))}`].filter(Boolean).join(', ');
  return `${formatDay(day.day)}: ${formatMoney(day.closing)}${below(day.closing)}${between(day.p10, day.p90)}${moved === '' ? '' : `; ${moved}`}`;
}

export function sayWeek(week: CashWeek): string {
  return `${weekName(week)}: in ${formatMoney(week.receipts)}, out ${formatMoney(positive(week.payments))}, closing ${formatMoney(week.closing)}${below(week.closing)}`;
}

export function flowSentence(answer: Cash): string {
  const worst = answer.weeks.reduce<CashWeek | null>((low, week) => (low === null || net(week) < net(low) ? week : low), null);
  if (worst === null) return 'Nothing moves in these weeks.';
  if (net(worst) >= 0) return 'In no week more goes out than comes in.';
  return `In ${weekName(worst)} ${formatMoney({ minor: -net(worst), currency: answer.currency })} more goes out than comes in, the most of all weeks.`;
}

const net = (week: CashWeek): number => week.receipts.minor + week.payments.minor; // payments are below zero

export const rateWords = (rate: UsedRate): string => `1 ${rate.from} = ${rate.rate} ${rate.to}, of ${formatDay(rate.day)}${rate.path.length > 2 ? `, by way of ${rate.path.slice(1, -1).join(', ')}` : ''}`;

// The last day of the forecast and what is there then.
export function endOf(answer: Cash): { day: Day; closing: Money } | null {
  const last = answer.weeks.at(-1);
  return last === undefined ? null : { day: last.end, closing: last.closing };
}

export const signed = (money: Money): string => `${money.minor > 0 ? '+' : ''}${formatMoney(money)}`;

export const moneyOr = (money: Money | null | undefined): string => (money == null ? absent : formatMoney(money));

// A band that is meant to hold 8 of 10 is too narrow below that, too wide above.
export const coveredTone = (covered: number): Tone => (Math.abs(covered - 0.8) <= 0.1 ? 'good' : 'fair');
