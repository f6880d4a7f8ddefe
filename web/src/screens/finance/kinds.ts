// What each kind of document is called and which fields a person fills in. The order is the order on the form.
import type { FinanceDocument, FinanceKind, FinanceWish, Settled } from '../../api/finance';
import { currencyDecimals, minorToDecimal } from '../../parts/format';

export type FieldKind = 'text' | 'day' | 'amount' | 'currency' | 'every';
export type FieldSpec = { name: string; title: string; kind: FieldKind; required?: true; note?: string };

const number = (title: string): FieldSpec => ({ name: 'number', title, kind: 'text', required: true });
const party = (title: string): FieldSpec[] => [{ name: 'party', title: `${title} code`, kind: 'text', required: true }, { name: 'party_name', title: `${title} name`, kind: 'text' }];
const day = (name: string, title: string, required = false): FieldSpec => ({ name, title, kind: 'day', ...(required ? { required: true as const } : {}) });
const amount: FieldSpec[] = [{ name: 'amount', title: 'Amount', kind: 'amount', required: true }, { name: 'currency', title: 'Currency', kind: 'currency', required: true }];
const text = (name: string, title: string, note = ''): FieldSpec => ({ name, title, kind: 'text', ...(note === '' ? {} : { note }) });
const needed = (name: string, title: string, note = ''): FieldSpec => ({ ...text(name, title, note), required: true });
const comment = text('comment', 'Comment');

export type KindSpec = { title: string; many: string; group: string; fields: FieldSpec[] | null }; // null: only systems write it

export const kinds: Record<FinanceKind, KindSpec> = {
  invoice: { title: 'Invoice', many: 'Invoices', group: 'Customers', fields: [number('Number'), ...party('Customer'), day('posted', 'Posted', true), day('due', 'Due'), ...amount, text('terms', 'Payment terms'), text('reference', 'Their reference'), comment] },
  credit_note: { title: 'Credit note', many: 'Credit notes', group: 'Customers', fields: [number('Number'), ...party('Customer'), day('posted', 'Posted', true), ...amount, comment] },
  payment: { title: 'Payment', many: 'Payments', group: 'Customers', fields: [number('Number'), ...party('Customer'), day('posted', 'Came on', true), ...amount, text('settles', 'Settles', 'Invoices: 9001, or 9001: 500.00; 9002: 120.00'), text('account', 'Account'), comment] },
  write_off: { title: 'Write-off', many: 'Write-offs', group: 'Customers', fields: [number('Number'), ...party('Customer'), day('posted', 'Posted', true), ...amount, text('settles', 'Of invoices'), comment] },
  bill: { title: 'Bill', many: 'Bills', group: 'Suppliers', fields: [number('Number'), ...party('Supplier'), day('posted', 'Posted', true), day('due', 'Due'), ...amount, text('terms', 'Payment terms'), text('reference', 'Their number'), comment] },
  supplier_credit: { title: 'Supplier credit', many: 'Supplier credits', group: 'Suppliers', fields: [number('Number'), ...party('Supplier'), day('posted', 'Posted', true), ...amount, text('settles', 'Of bills'), comment] },
  supplier_payment: { title: 'Supplier payment', many: 'Supplier payments', group: 'Suppliers', fields: [number('Number'), ...party('Supplier'), day('posted', 'Went on', true), ...amount, text('settles', 'Settles bills'), text('account', 'Account'), comment] },
  purchase_order: { title: 'Purchase order', many: 'Purchase orders', group: 'Suppliers', fields: [number('Number'), ...party('Supplier'), day('posted', 'Ordered', true), day('due', 'Delivery'), ...amount, text('terms', 'Payment terms'), comment] },
  delivery: { title: 'Delivery', many: 'Deliveries', group: 'Customers', fields: null },
  cost: { title: 'Cost', many: 'Costs', group: 'Our own', fields: [number('Number'), day('posted', 'Day', true), needed('category', 'Category', 'Such as Operating or Wages.'), ...amount, day('paid', 'Paid on'), text('account', 'Account'), comment] },
  recurring_cost: { title: 'Recurring cost', many: 'Recurring costs', group: 'Our own', fields: [number('Number'), day('posted', 'First day', true), { name: 'every', title: 'Every', kind: 'every', required: true }, day('until', 'Until'), needed('category', 'Category'), ...amount, text('account', 'Account'), comment] },
  budget: { title: 'Budget', many: 'Budgets', group: 'Our own', fields: [number('Number'), day('posted', 'First day of the month', true), needed('category', 'Category'), ...amount, comment] },
  tax: { title: 'Tax', many: 'Taxes', group: 'Our own', fields: [number('Number'), day('posted', 'Posted', true), day('due', 'Due', true), needed('category', 'Category', 'Such as VAT.'), ...amount, day('paid', 'Paid on'), comment] },
  balance: { title: 'Bank balance', many: 'Bank balances', group: 'Bank', fields: [number('Number'), day('posted', 'At the end of', true), needed('account', 'Account'), ...amount, comment] },
  credit_line: { title: 'Credit line', many: 'Credit lines', group: 'Bank', fields: [number('Number'), day('posted', 'From', true), day('until', 'Until'), text('account', 'Account'), ...amount, comment] },
  terms: { title: 'Payment terms', many: 'Payment terms', group: 'Rules', fields: null },
  rate: { title: 'Exchange rate', many: 'Exchange rates', group: 'Rules', fields: [{ ...number('Currencies'), note: 'Such as USD/EUR: what one dollar costs in euros.' }, day('posted', 'From', true), needed('rate', 'Rate', 'Such as 0.9231'), comment] },
};

export const everyWords = ['week', 'month', 'quarter', 'year'] as const;

export type Typed = Record<string, string>;

// A document as it stands on the form.
export function typedOf(document: FinanceDocument): Typed {
  const out: Typed = {};
  for (const { name, kind } of kinds[document.kind].fields ?? []) {
    if (name === 'amount') out[name] = document.amount === undefined ? '' : minorToDecimal(document.amount.minor, currencyDecimals(document.amount.currency));
    else if (name === 'rate') out[name] = document.rate?.rate ?? '';
    else if (name === 'settles') out[name] = settlesText(document.settles);
    else if (kind === 'currency') out[name] = document.currency;
    else {
      const value: unknown = document[name as keyof FinanceDocument];
      out[name] = typeof value === 'string' ? value : '';
    }
  }
  return out;
}

const plain = (text: string): string => text.replace(/[\s']/g, '').replace('\u2212', '-').replace(',', '.');

function settlesText(settles: readonly Settled[]): string {
  return settles.map((one) => (typeof one.amount === 'object' ? `${one.number}: ${minorToDecimal(one.amount.minor, currencyDecimals(one.amount.currency))}` : one.number)).join('; ');
}

// "9001", "9001: 500.00; 9002: 120.00"; one alone is settled with the whole amount.
function settlesOf(text: string, kind: FinanceKind, amount: string): Settled[] | string {
  const of = kind === 'supplier_payment' || kind === 'supplier_credit' ? 'bill' : 'invoice';
  const parts = text.split(';').map((part) => part.trim()).filter((part) => part !== '');
  const read = parts.map((part) => {
    const [, number = '', sum = ''] = /^([^:]*)(?::(.*))?$/.exec(part) ?? [];
    return { kind: of, number: number.trim(), amount: sum.trim() === '' && parts.length === 1 ? amount : plain(sum) };
  });
  const wrong = read.find((one) => one.number === '' || one.amount === '');
  return wrong === undefined ? read : `Say how much of “${wrong.number}” is settled, such as ${wrong.number || '9001'}: 500.00.`;
}

// What is sent; or the sentence that says what is missing. What `before` says beside the form stays as it is.
export function wishOf(kind: FinanceKind, typed: Typed, before: FinanceDocument | null = null): FinanceWish | string {
  const out: FinanceWish = { ...before, kind, number: (typed['number'] ?? '').trim() };
  for (const field of kinds[kind].fields ?? []) {
    const value = (typed[field.name] ?? '').trim();
    if (value === '' && field.required === true) return `${field.title} is missing.`;
    if (field.kind === 'currency' && !/^[A-Za-z]{3}$/.test(value)) return `“${value}” is no currency; write EUR or USD.`;
    if (field.name === 'settles') {
      const settles = settlesOf(value, kind, plain(typed['amount'] ?? ''));
      if (typeof settles === 'string') return settles;
      out['settles'] = settles;
    } else if (field.name === 'rate') {
      const [from = '', to = ''] = out.number.toUpperCase().split('/');
      out.number = `${from}/${to}`;
      out['rate'] = { from, to, rate: plain(value) };
    } else out[field.name] = field.kind === 'currency' ? value.toUpperCase() : field.kind === 'amount' ? plain(value) : value;
  }
  if (before !== null && typedOf(before)['amount'] !== typed['amount']) out['instalments'] = []; // they added up to another amount
  return out;
}
