// How a customer pays, in words.
import type { Money } from '../../api/types';
import { counted, formatMoneyShort, formatRate } from '../../parts/format';
import type { Tone } from '../../parts/status';
import type { Bin } from '../../parts/charts/chart_math';

// "9 days late", "on the day", "3 days early"
export function daysLate(days: number): string {
  const whole = Math.round(days);
  if (whole === 0) return 'on the day';
  return whole > 0 ? `${counted(whole, 'day')} late` : `${counted(-whole, 'day')} early`;
}

const steady = 0.1; // days a month: less than this is no trend

export function trendWords(perMonth: number | null): string {
  if (perMonth === null) return 'Too few invoices to see a trend.';
  if (Math.abs(perMonth) < steady) return 'Pays as it always did.';
  return perMonth > 0 ? `Becomes slower by ${formatRate(perMonth)} days a month.` : `Becomes faster by ${formatRate(-perMonth)} days a month.`;
}

export function exposureWords(exposure: Money | null, limit: Money | null): { tone: Tone; text: string } | null {
  if (exposure === null) return null;
  const amount = `${formatMoneyShort(exposure)} ${exposure.currency}`;
  if (limit === null || limit.minor === 0) return { tone: 'idle', text: `${amount} at stake` };
  const left = limit.minor - exposure.minor;
  const rest = `${formatMoneyShort({ ...limit, minor: Math.abs(left) })} ${limit.currency}`;
  return left >= 0 ? { tone: 'good', text: `${amount} used, ${rest} left` } : { tone: 'poor', text: `${rest} beyond the limit` };
}

export const binTitle = (bin: Bin): string => (bin.from === bin.to ? String(bin.from) : `${bin.from}…${bin.to}`);
