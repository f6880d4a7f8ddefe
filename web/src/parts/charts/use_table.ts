// Whether charts are shown as tables: one switch for the screen, kept in the address, on the key `t`.
import { useCommands } from '../keys';
import { navigate, route } from '../router';

export function withParameter(search: string, name: string, value: string): string {
  const words = new URLSearchParams(search);
  if (value === '') words.delete(name);
  else words.set(name, value);
  const text = words.toString();
  return text === '' ? '' : `?${text}`;
}

export function useTables(): { asTable: boolean; onTable: (asTable: boolean) => void } {
  const { path, search } = route.value;
  const asTable = new URLSearchParams(search).get('table') === '1';
  const onTable = (next: boolean): void => navigate(path + withParameter(search, 'table', next ? '1' : ''), { replace: true });
  useCommands({ 'chart.table': () => onTable(!asTable) });
  return { asTable, onTable };
}
