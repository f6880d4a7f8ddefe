// What each kind of document is called and which fields a person fills in. The order is the order on the form.
import type { FinanceDocument, FinanceKind } from '../../api/finance';
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
  payment: { title: 'Payment', many: 'Payments', group: 'Customers', fields: [number('Number'), ...party('Customer'), day('posted', 'Came on', true), ...amount, text('settles', 'Settles', 'Invoices, such as 9001 or 9001: 500.00, 9002: 120.00'), text('account', 'Account'), comment] },
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
    const value: unknown = document[name as keyof FinanceDocument];
    if (kind === 'currency') out[name] = document.amount?.currency ?? '';
    else if (kind === 'amount') out[name] = document.amount == null ? '' : minorToDecimal(document.amount.minor, currencyDecimals(document.amount.currency));
    else out[name] = typeof value === 'string' ? value : '';
  }
  return out;
}

// What is sent; or the sentence that says what is missing.
export function wishOf(kind: FinanceKind, typed: Typed): Typed | string {
  const out: Typed = { kind };
  for (const field of kinds[kind].fields ?? []) {
    const value = (typed[field.name] ?? '').trim();
    if (value === '' && field.required === true) return `${field.title} is missing.`;
    if (field.kind === 'currency' && !/^[A-Za-z]{3}$/.test(value)) return `“${value}” is no currency; write EUR or USD.`;
    if (value !== '') out[field.name] = field.kind === 'currency' ? value.toUpperCase() : field.kind === 'amount' ? value.replace(/[\s']/g, '').replace('\u2212', '-').replace(',', '.') : value;
  }
  return out;
}
