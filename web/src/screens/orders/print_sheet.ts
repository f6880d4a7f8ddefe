// The list on paper: a plain table of the filter's rows, with the filter and the as-of in its head, because the list on
// screen holds only the rows one sees.
import { orderWindow } from '../../api/client';
import { counted, formatCount, formatInstant, formatMoney } from '../../parts/format';
import { seesMoney } from '../../parts/me';
import { filterLabel, type ListState, serverQuery } from '../../parts/order_filters';
import type { ColumnSpec } from './columns';
import { fieldOf, showValue } from './fields';

const printedMax = 1000; // rows the server gives at once; about thirty sheets

function element(name: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function filterWords(state: ListState, currency: string | null): string {
  const words = state.filters.map((filter) => {
    const field = fieldOf(filter.name);
    return filterLabel(filter, field.title, showValue(field.type, currency));
  });
  if (state.q !== '') words.push(`Search: ${state.q}`);
  return words.length === 0 ? 'All orders' : words.join(' · ');
}

export async function printList(state: ListState, columns: ColumnSpec[], currency: string | null): Promise<void> {
  const answer = await orderWindow(serverQuery(state), 0, printedMax);
  const sheet = document.createElement('div');
  sheet.className = 'print-sheet';
  sheet.append(element('h1', 'Orders'));
  const shown = answer.data.length < answer.total ? `first ${formatCount(answer.data.length)} of ` : '';
  const open = seesMoney() ? `, open amount ${answer.sums.map((sum) => formatMoney(sum.open_amount)).join(' · ')}` : '';
  sheet.append(
    element('p', `${filterWords(state, currency)}. ${shown}${counted(answer.total, 'order')}${open}. As of ${formatInstant(answer.as_of_time)}.`),
  );
  const table = element('table', '', 'table');
  const head = document.createElement('tr');
  head.append(...columns.map((column) => element('th', column.title, column.numeric === true ? 'num' : '')));
  const thead = document.createElement('thead');
  thead.append(head);
  const body = document.createElement('tbody');
  for (const row of answer.data) {
    const line = document.createElement('tr');
    line.append(...columns.map((column) => element('td', column.text(row), column.numeric === true ? 'num' : '')));
    body.append(line);
  }
  table.append(thead, body);
  sheet.append(table);
  document.body.append(sheet);
  addEventListener('afterprint', () => sheet.remove(), { once: true });
  print();
}
