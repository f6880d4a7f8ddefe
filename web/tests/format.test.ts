import { beforeAll, describe, expect, it } from 'vitest';

import {
  counted,
  currencyDecimals,
  decimalToMinor,
  formatAge,
  formatAmount,
  formatBytes,
  formatDay,
  formatDecimal,
  formatInterval,
  formatMoney,
  isoWeek,
  latenessText,
  minorToDecimal,
  setFormatLocale,
} from '../src/parts/format';

beforeAll(() => setFormatLocale('en-GB'));

describe('amounts', () => {
  it('show the decimals of their currency', () => {
    expect(formatMoney({ minor: 8_411_991, currency: 'EUR' })).toBe('84,119.91 EUR');
    expect(formatMoney({ minor: 8412, currency: 'JPY' })).toBe('8,412 JPY');
    expect(formatMoney({ minor: 8412, currency: 'KWD' })).toBe('8.412 KWD');
  });
  it('are exact up to the largest whole number a browser knows', () => {
    expect(formatAmount({ minor: Number.MAX_SAFE_INTEGER, currency: 'EUR' })).toBe('90,071,992,547,409.91');
  });
  it('use a minus as wide as a digit', () => {
    expect(formatAmount({ minor: -5, currency: 'EUR' })).toBe('\u22120.05');
  });
  it('follow the locale of the reader', () => {
    setFormatLocale('de-DE');
    expect(formatMoney({ minor: 120_340_050, currency: 'EUR' })).toBe('1.203.400,50 EUR');
    setFormatLocale('en-GB');
  });
  it('treat an unknown currency as one with two decimals', () => {
    expect(currencyDecimals('??')).toBe(2);
  });
  it('typed and shown again are the same', () => {
    for (const decimals of [0, 2, 3]) {
      for (const minor of [0, 1, 9, 10, 99, 100, 12_345, -1, -12_345, 9_007_199_254_740_991]) {
        const text = minorToDecimal(minor, decimals);
        // Sixteen digits are one more than a person types; the reader refuses instead of rounding.
        if (Math.abs(minor) < 1e15) expect(decimalToMinor(text, decimals), text).toBe(minor);
      }
    }
  });
  it('with too many decimals are refused, not rounded', () => {
    expect(decimalToMinor('1.005', 2)).toBeUndefined();
    expect(decimalToMinor('1,50', 2)).toBe(150);
    expect(decimalToMinor('twelve', 2)).toBeUndefined();
    expect(decimalToMinor('1.500', 2)).toBe(150);
  });
});

describe('quantities', () => {
  it('keep every decimal they came with', () => {
    expect(formatDecimal('12345.1230')).toBe('12,345.1230');
    expect(formatDecimal('-4')).toBe('\u22124');
    expect(formatDecimal('')).toBe('–');
  });
});

describe('days', () => {
  it('do not move with the time zone of the reader', () => {
    expect(formatDay('2026-11-01')).toBe('01 Nov 2026');
    expect(formatDay(null)).toBe('–');
  });
  it('know their ISO week', () => {
    expect(isoWeek('2026-11-21')).toBe(47);
    expect(isoWeek('2027-01-01')).toBe(53);
    expect(isoWeek('2024-12-30')).toBe(1);
  });
  it('late is a word, not only a sign', () => {
    expect(latenessText(6)).toBe('6 d late');
    expect(latenessText(0)).toBe('due today');
    expect(latenessText(-3)).toBe('in 3 d');
    expect(latenessText(null)).toBe('–');
  });
});

describe('ages and sizes', () => {
  it('change their unit before they become unreadable', () => {
    expect([0, 89, 90, 5399, 5400, 129_600].map(formatAge)).toEqual(['0 s', '89 s', '1 min', '89 min', '1 h', '1 d']);
    expect(formatAge(-4)).toBe('0 s');
    expect([999, 1500, 212_000_000].map(formatBytes)).toEqual(['999 B', '1.5 kB', '212 MB']);
    expect([10, 600, 3600, 86_400].map(formatInterval)).toEqual(['10 s', '10 min', '1 hour', '1 day']);
  });
  it('one order is not "1 orders"', () => {
    expect(counted(1, 'order')).toBe('1 order');
    expect(counted(1284, 'order')).toBe('1,284 orders');
  });
});
