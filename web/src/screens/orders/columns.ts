// The columns of the order list on screen. Names are the server's field names: the same in the address, the export and
// the answer.
import type { OrderRow } from '../../api/types';
import {
  absent,
  counted,
  formatAmount,
  formatCount,
  formatDay,
  formatDecimal,
  formatInstant,
  formatMoney,
  formatShortInstant,
  latenessText,
} from '../../parts/format';
import type { Column } from '../../parts/grid/virtual_grid';
import { seesMoney } from '../../parts/me';
import { latenessTone, shapes, statusText, statusTone } from '../../parts/status';

export type ColumnSpec = Column<OrderRow> & { usual: boolean };

const orText = (text: string): string => (text === '' ? absent : text);

function latenessCell(row: OrderRow): string {
  const tone = latenessTone(row);
  const shape = tone === 'idle' ? '' : `${shapes[tone]} `;
  return shape + latenessText(row.lateness_days);
}

// With one currency in the list the unit stands in the header, with several behind each amount.
function moneyColumn(
  id: 'open_amount' | 'total' | 'net' | 'tax' | 'freight',
  title: string,
  currency: string | null,
  usual: boolean,
): ColumnSpec {
  return {
    id,
    title: currency === null ? title : `${title}, ${currency}`,
    width: currency === null ? 150 : 132,
    numeric: true,
    sortable: true,
    usual,
    text: (row) => (currency === null ? formatMoney(row[id]) : formatAmount(row[id])),
    tone: (row) => (row[id].minor === 0 ? 'quiet' : ''),
  };
}

const dayColumn = (id: 'order_date' | 'due' | 'requested' | 'promise', title: string, usual: boolean): ColumnSpec => ({
  id,
  title,
  width: 112,
  numeric: true,
  sortable: true,
  usual,
  text: (row) => formatDay(row[id]),
});

const textColumn = (
  id: 'hold' | 'note' | 'colour' | 'customer' | 'customer_reference' | 'salesman' | 'revision' | 'format' | 'path' | 'source' | 'document_status',
  title: string,
  width: number,
): ColumnSpec => ({ id, title, width, sortable: true, usual: false, text: (row) => orText(row[id]) });

// What people write into a column that the company named for itself.
const ownColumn = ({ name, title }: { name: string; title: string }): ColumnSpec => ({
  id: name,
  title,
  width: 150,
  sortable: true,
  usual: true,
  text: (row) => orText(String(row[name as keyof OrderRow] ?? '')),
});

const amounts = ['open_amount', 'total', 'net', 'tax', 'freight'];

export function orderColumns(currency: string | null, own: { name: string; title: string }[] = []): ColumnSpec[] {
  return allColumns(currency, own).filter((spec) => seesMoney() || !amounts.includes(spec.id));
}

function allColumns(currency: string | null, own: { name: string; title: string }[]): ColumnSpec[] {
  return [
    {
      id: 'order',
      title: 'Order',
      width: 84,
      sortable: true,
      usual: true,
      text: (row) => row.order,
      href: (row) => `/orders/${encodeURIComponent(row.order)}`,
    },
    {
      id: 'customer_name',
      title: 'Customer',
      width: 216,
      sortable: true,
      usual: true,
      text: (row) => orText(row.customer_name === '' ? row.customer : row.customer_name),
    },
    {
      id: 'status',
      title: 'Status',
      width: 132,
      sortable: true,
      usual: true,
      text: (row) => statusText(row.status),
      tone: (row) => `tone-${statusTone(row.status)}`,
    },
    dayColumn('due', 'Due', true),
    {
      id: 'lateness_days',
      title: 'Lateness',
      width: 112,
      sortable: true,
      usual: true,
      text: latenessCell,
      tone: (row) => `tone-${latenessTone(row)}`,
    },
    moneyColumn('open_amount', 'Open amount', currency, true),
    moneyColumn('total', 'Total', currency, true),
    {
      id: 'lines',
      title: 'Lines',
      width: 70,
      numeric: true,
      sortable: true,
      usual: false,
      text: (row) => formatCount(row.lines),
    },
    {
      id: 'open_quantity',
      title: 'Open quantity',
      width: 116,
      numeric: true,
      sortable: true,
      usual: false,
      text: (row) => formatDecimal(row.open_quantity),
    },
    {
      id: 'changed_at',
      title: 'Changed',
      width: 124,
      numeric: true,
      sortable: true,
      usual: true,
      text: (row) => formatShortInstant(row.changed_at),
      tone: () => 'quiet',
    },
    {
      id: 'quantity',
      title: 'Quantity',
      width: 100,
      numeric: true,
      sortable: true,
      usual: false,
      text: (row) => formatDecimal(row.quantity),
    },
    moneyColumn('net', 'Net', currency, false),
    moneyColumn('tax', 'Tax', currency, false),
    moneyColumn('freight', 'Freight', currency, false),
    dayColumn('order_date', 'Order date', false),
    dayColumn('requested', 'Requested', false),
    dayColumn('promise', 'Promise', false),
    {
      id: 'priority',
      title: 'Priority',
      width: 84,
      numeric: true,
      sortable: true,
      usual: false,
      text: (row) => (row.priority === null ? absent : String(row.priority)),
    },
    ...own.map(ownColumn),
    textColumn('hold', 'Hold', 150),
    textColumn('note', 'Note', 220),
    textColumn('colour', 'Colour', 90),
    textColumn('customer', 'Customer code', 120),
    textColumn('customer_reference', 'Customer reference', 150),
    textColumn('salesman', 'Salesman', 110),
    textColumn('document_status', 'Document status', 130),
    textColumn('revision', 'Revision', 84),
    textColumn('format', 'Format', 76),
    textColumn('source', 'Source', 90),
    textColumn('path', 'File', 260),
    {
      id: 'updated',
      title: 'Document updated',
      width: 152,
      numeric: true,
      sortable: true,
      usual: false,
      text: (row) => formatInstant(row.updated),
    },
  ];
}

const cardColumns = ['order', 'status', 'customer_name', 'open_amount', 'lateness_days'];

// The usual columns when an order stands beside the list.
const narrowColumns = ['order', 'customer_name', 'status', 'lateness_days', 'open_amount'];

export type Room = 'wide' | 'narrow' | 'cards';

export function pickColumns(specs: ColumnSpec[], names: string[] | null, room: Room): ColumnSpec[] {
  if (room === 'cards') return specs.filter((spec) => cardColumns.includes(spec.id));
  if (names === null && room === 'narrow') return specs.filter((spec) => narrowColumns.includes(spec.id));
  if (names === null) return specs.filter((spec) => spec.usual);
  const picked = names
    .map((name) => specs.find((spec) => spec.id === name))
    .filter((spec): spec is ColumnSpec => spec !== undefined);
  return picked.length === 0 ? specs.filter((spec) => spec.usual) : picked;
}

// Tab-separated text for a spreadsheet: the wire's own numbers, so that the sheet can calculate.
export function rowsAsTsv(rows: OrderRow[], columns: ColumnSpec[]): string {
  const clean = (text: string): string => text.replace(/[\t\r\n]+/g, ' ');
  const head = columns.map((column) => clean(column.title)).join('\t');
  const lines = rows.map((row) => columns.map((column) => clean(plainText(row, column.id))).join('\t'));
  return [head, ...lines].join('\n');
}

function plainText(row: OrderRow, id: string): string {
  const value = row[id as keyof OrderRow];
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return formatMoneyPlain(value);
  return String(value);
}

function formatMoneyPlain(money: OrderRow['net']): string {
  return formatAmount(money).replace(/\u2212/g, '-');
}

export const rowSummary = (row: OrderRow): string =>
  `${row.order}, ${row.customer_name}, ${row.status}, ${counted(row.lines, 'line')}`;
