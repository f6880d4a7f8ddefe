// How values look: the only place that turns wire values into text.
//
// Invariants
//   * Amounts are formatted from whole minor units as decimal text, never through floating point.
//   * Minus is U+2212, as wide as the digits beside it.
//   * An absent value is "–", never 0 and never an empty gap that looks like a bug.
import type { Day, Instant, Money } from '../api/types';

export const absent = '–';

let locale = 'en-GB';
const cached = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

export function setFormatLocale(tag: string): void {
  locale = tag;
  cached.clear();
}

function numbers(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  let format = cached.get(key) as Intl.NumberFormat | undefined;
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, options);
    cached.set(key, format);
  }
  return format;
}

function dates(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let format = cached.get(key) as Intl.DateTimeFormat | undefined;
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale, options);
    cached.set(key, format);
  }
  return format;
}

const withMinus = (text: string): string => text.replace(/-/g, '\u2212');

const decimalsKnown = new Map<string, number>();

// Decimals of a currency by ISO 4217; 2 for a code nobody knows.
export function currencyDecimals(currency: string): number {
  let decimals = decimalsKnown.get(currency);
  if (decimals === undefined) {
    try {
      decimals =
        new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
    } catch {
      decimals = 2;
    }
    decimalsKnown.set(currency, decimals);
  }
  return decimals;
}

// 8412050 with 2 decimals -> "84120.50"; plain ASCII, for copying and for Intl.
export function minorToDecimal(minor: number, decimals: number): string {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0');
  const sign = minor < 0 ? '-' : '';
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

// "84120.5" with 2 decimals -> 8412050; nothing when it is no amount or has more decimals than the currency.
export function decimalToMinor(text: string, decimals: number): number | undefined {
  const match = /^([-\u2212]?)(\d{1,15})(?:[.,](\d*))?$/.exec(text.trim().replace(/[\s']/g, ''));
  if (match === null) return undefined;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return undefined;
  const minor = Number(match[2] + fraction.padEnd(decimals, '0'));
  if (!Number.isSafeInteger(minor)) return undefined;
  return match[1] === '' ? minor : -minor;
}

export function formatAmount(money: Money): string {
  const decimals = currencyDecimals(money.currency);
  const format = numbers(`amount${decimals}`, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return withMinus(format.format(minorToDecimal(money.minor, decimals) as Intl.StringNumericLiteral));
}

// With its currency code behind, so that the digits of a mixed column still stand under each other.
export const formatMoney = (money: Money): string => `${formatAmount(money)} ${money.currency}`;

// Whole units for headlines: "4,812,300 EUR". The exact amount belongs beside or behind it.
export function formatMoneyShort(money: Money): string {
  const decimals = currencyDecimals(money.currency);
  const format = numbers('whole', { maximumFractionDigits: 0 });
  return withMinus(format.format(minorToDecimal(money.minor, decimals) as Intl.StringNumericLiteral));
}

// For the side of a chart: "1.2M". The exact amount stands in its table and under its cursor.
export function formatAxis(money: Money): string {
  const format = numbers('axis', { notation: 'compact', maximumFractionDigits: 1 });
  return withMinus(format.format(minorToDecimal(money.minor, currencyDecimals(money.currency)) as Intl.StringNumericLiteral));
}

const decimalText = /^[-+]?\d+(\.\d+)?$/;

// Quantities and prices travel as decimal text and may have any number of decimals.
export function formatDecimal(text: string): string {
  if (!decimalText.test(text)) return text === '' ? absent : text;
  const fraction = text.split('.')[1]?.length ?? 0;
  const format = numbers(`decimal${fraction}`, { minimumFractionDigits: fraction, maximumFractionDigits: fraction });
  return withMinus(format.format(text as Intl.StringNumericLiteral));
}

export const formatCount = (count: number): string => withMinus(numbers('count', {}).format(count));

// "1 order", "1,284 orders"
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

export const formatPercent = (ratio: number): string =>
  withMinus(numbers('percent', { style: 'percent', maximumFractionDigits: 0 }).format(ratio));

export function formatRate(value: number): string {
  const decimals = value >= 100 ? 0 : value >= 1 ? 1 : 2;
  return withMinus(numbers(`rate${decimals}`, { maximumFractionDigits: decimals }).format(value));
}

export const formatMilliseconds = (ms: number): string =>
  ms >= 1000 ? `${formatRate(ms / 1000)} s` : `${formatRate(ms)} ms`;

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${numbers(`bytes${value < 10 && unit > 0}`, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 }).format(value)} ${units[unit]}`;
}

const noon = (day: Day): Date => new Date(`${day}T12:00:00Z`);

export function formatDay(day: Day | null): string {
  if (day === null || day === '') return absent;
  const format = dates('day', { day: '2-digit', month: 'short', year: 'numeric', timeZone: 'UTC' });
  return format.format(noon(day));
}

// Without the year: under a chart, in a narrow column.
export const formatDayShort = (day: Day): string => dates('dayShort', { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(noon(day));

export function formatDayLong(day: Day): string {
  const format = dates('dayLong', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
  return format.format(noon(day));
}

export const formatMonthShort = (month: string): string =>
  dates('monthShort', { month: 'short', year: '2-digit', timeZone: 'UTC' }).format(noon(`${month}-15`));

export function formatMonth(month: string): string {
  return dates('month', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(noon(`${month}-15`));
}

// ISO 8601 week: the week of the year's first Thursday is week 1.
export function isoWeek(day: Day): number {
  const date = noon(day);
  const weekday = (date.getUTCDay() + 6) % 7;
  date.setUTCDate(date.getUTCDate() - weekday + 3);
  const first = new Date(Date.UTC(date.getUTCFullYear(), 0, 4, 12));
  const firstWeekday = (first.getUTCDay() + 6) % 7;
  first.setUTCDate(first.getUTCDate() - firstWeekday + 3);
  return 1 + Math.round((date.getTime() - first.getTime()) / (7 * 86_400_000));
}

export function formatClock(instant: Instant | null): string {
  if (instant === null) return absent;
  return dates('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(
    new Date(instant),
  );
}

export function formatMinute(time: number): string {
  return dates('minute', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(time));
}

export function formatInstant(instant: Instant | null): string {
  if (instant === null) return absent;
  const format = dates('instant', {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return format.format(new Date(instant));
}

// Without the year: for narrow columns of recent things.
export function formatShortInstant(instant: Instant | null): string {
  if (instant === null) return absent;
  const format = dates('shortInstant', {
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return format.format(new Date(instant));
}

// The clock alone for today, the day too for everything older.
export function formatWhen(instant: Instant | null, now: number): string {
  if (instant === null) return absent;
  return new Date(instant).toDateString() === new Date(now).toDateString()
    ? formatClock(instant)
    : formatInstant(instant);
}

export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 90 * 60) return `${Math.floor(whole / 60)} min`;
  if (whole < 36 * 3600) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86_400)} d`;
}

export const ageOf = (instant: Instant, now: number): number => (now - Date.parse(instant)) / 1000;

export function formatInterval(seconds: number): string {
  if (seconds % 86_400 === 0) return counted(seconds / 86_400, 'day');
  if (seconds % 3600 === 0) return counted(seconds / 3600, 'hour');
  if (seconds % 60 === 0) return `${formatCount(seconds / 60)} min`;
  return `${formatCount(seconds)} s`;
}

// "6 d late", "due today", "in 3 d"
export function latenessText(days: number | null): string {
  if (days === null) return absent;
  if (days > 0) return `${formatCount(days)} d late`;
  if (days === 0) return 'due today';
  return `in ${formatCount(-days)} d`;
}

// The server's reasons begin small, so that they can stand inside a sentence; on their own they are one.
export function sentence(text: string): string {
  const words = text.trim();
  if (words === '') return '';
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?…]$/.test(words) ? '' : '.');
}

// "in 6 s", "now": for what comes soon and by itself.
export const formatUntil = (instant: Instant | null, now: number): string => {
  if (instant === null) return absent;
  const seconds = -ageOf(instant, now);
  return seconds < 1 ? 'now' : `in ${formatAge(seconds)}`;
};

export function shortHash(hash: string): string {
  return hash.length > 12 ? `${hash.slice(0, 12)}…` : hash;
}
