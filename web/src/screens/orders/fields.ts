// What may be filtered: the server's own table, asked once.
import { signal } from '@preact/signals';

import { type FieldCatalogue, fields } from '../../api/client';
import type { FieldRow, FieldType } from '../../api/types';
import { currencyDecimals, formatAmount, formatDay } from '../../parts/format';
import type { Filter, FilterOp, ListState } from '../../parts/order_filters';

export type FilterField = { name: string; title: string; type: FieldType; help: string };

export const filterFields = signal<FilterField[]>([]);
export const ownColumns = signal<{ name: string; title: string }[]>([]);

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replace(/_/g, ' ');

export function filterable(catalogue: FieldCatalogue): FilterField[] {
  const columns = catalogue.fields
    .filter((field: FieldRow) => field.filter)
    .map(({ name, title, type, help }) => ({ name, title, type, help }));
  const lines = catalogue.lineFilters
    .filter((field) => field.name !== 'q' && !columns.some((column) => column.name === field.name))
    .map(({ name, help }) => ({ name, title: capital(name), type: 'text' as const, help }));
  return [...columns, ...lines];
}

export async function loadFields(): Promise<void> {
  if (filterFields.value.length > 0) return;
  const catalogue = await fields();
  filterFields.value = filterable(catalogue);
  ownColumns.value = catalogue.fields.filter((field) => field.own);
}

export const fieldOf = (name: string): FilterField =>
  filterFields.value.find((field) => field.name === name) ?? { name, title: capital(name), type: 'text', help: '' };

export const opChoices: Record<FieldType, readonly { op: FilterOp; word: string }[]> = {
  text: [
    { op: 'eq', word: 'is' },
    { op: 'ne', word: 'is not' },
    { op: 'has', word: 'contains' },
    { op: 'in', word: 'is one of' },
  ],
  number: [
    { op: 'gte', word: 'at least' },
    { op: 'lte', word: 'at most' },
    { op: 'eq', word: 'is' },
    { op: 'ne', word: 'is not' },
  ],
  quantity: [
    { op: 'gte', word: 'at least' },
    { op: 'lte', word: 'at most' },
    { op: 'eq', word: 'is' },
  ],
  money: [
    { op: 'gte', word: 'at least' },
    { op: 'lte', word: 'at most' },
    { op: 'gt', word: 'more than' },
    { op: 'lt', word: 'less than' },
  ],
  day: [
    { op: 'lt', word: 'before' },
    { op: 'lte', word: 'until' },
    { op: 'eq', word: 'on' },
    { op: 'gte', word: 'from' },
    { op: 'gt', word: 'after' },
  ],
  instant: [
    { op: 'gte', word: 'from' },
    { op: 'lte', word: 'until' },
  ],
  flag: [{ op: 'eq', word: 'is' }],
};

// The currency amounts of this list are typed in: its filter's, or the only one there is.
export function typedCurrency(state: ListState, currencies: string[]): string | null {
  const chosen = state.filters.find((filter) => filter.name === 'currency' && filter.op === 'eq')?.values[0];
  if (chosen !== undefined) return chosen;
  return currencies.length === 1 ? (currencies[0] ?? null) : null;
}

export const typedDecimals = (currency: string | null): number => (currency === null ? 2 : currencyDecimals(currency));

export function showValue(type: FieldType, currency: string | null): (value: string) => string {
  return (value) => {
    if (type === 'day' && /^\d{4}-\d{2}-\d{2}$/.test(value)) return formatDay(value);
    if (type === 'day' && value === 'none') return 'no usable date';
    if (type === 'flag') return value === 'true' ? 'yes' : 'no';
    if (type === 'money' && /^-?\d+$/.test(value)) {
      const amount = formatAmount({ minor: Number(value), currency: currency ?? 'EUR' });
      return currency === null ? amount : `${amount} ${currency}`;
    }
    return value;
  };
}

// Sums of a filter's group names for suggestions, where the server groups by that field.
export const suggestionGroup = (name: string): string | null => {
  if (['status', 'customer', 'salesman', 'currency', 'item', 'manufacturer'].includes(name)) return name;
  return name === 'customer_name' ? 'customer' : null;
};

export const sameFilter = (one: Filter, other: Filter): boolean =>
  one.name === other.name && one.op === other.op && one.values.join('\n') === other.values.join('\n');
