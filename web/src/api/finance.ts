// Money documents over HTTP: listed, entered by people, read from files with a preview, put back.
import { get, request } from './client';
import type { Day, Instant, Money } from './types';

export const financeKinds = [
  'invoice', 'credit_note', 'payment', 'write_off', 'bill', 'supplier_credit', 'supplier_payment', 'purchase_order', 'delivery',
  'cost', 'recurring_cost', 'budget', 'tax', 'balance', 'credit_line', 'terms', 'rate',
] as const;
export type FinanceKind = (typeof financeKinds)[number];

// What a kind has no use for is left out or empty.
export type FinanceDocument = {
  kind: FinanceKind;
  number: string;
  source: string;
  version: string;
  entered: boolean; // written here or by a file: may be changed here
  party?: string;
  party_name?: string;
  posted?: Day | null;
  due?: Day | null;
  until?: Day | null;
  paid?: Day | null;
  amount?: Money | null;
  open?: Money | null;
  tax?: Money | null;
  category?: string;
  account?: string;
  reference?: string;
  terms?: string;
  comment?: string;
  every?: string;
  rate?: string;
  origin?: string;
};
export type FinancePage = { documents: FinanceDocument[]; count: number; next_cursor: string | null };

const name = encodeURIComponent;
const address = (kind: string, number: string): string => `/api/v1/finance/${name(kind)}/${name(number)}`;

export const financeDocuments = (query: string, signal?: AbortSignal): Promise<FinancePage> => get<FinancePage>(`/api/v1/finance?${query}`, signal);

// Amounts as text in whole units, days as 2026-11-23; what is empty is left out.
export type FinanceWish = Record<string, string> & { kind: FinanceKind; number: string };

// `version` is what the person saw; "" a document that is not there yet.
export const putFinance = (wish: FinanceWish, version: string): Promise<unknown> =>
  request('PUT', address(wish.kind, wish.number), {
    headers: { 'Content-Type': 'application/json', ...(version === '' ? { 'If-None-Match': '*' } : { 'If-Match': `"${version}"` }) },
    body: JSON.stringify(wish),
  });

export const removeFinance = (document: Pick<FinanceDocument, 'kind' | 'number' | 'version'>): Promise<unknown> =>
  request('DELETE', address(document.kind, document.number), { headers: { 'If-Match': `"${document.version}"` } });

// Files.

export type ImportState = 'new' | 'changed' | 'same' | 'doubtful' | 'refused' | 'skipped';
export type ImportCell = { field: string; text: string; value: string; doubt?: string };
export type ImportRow = { row: number; state: ImportState; cells: ImportCell[]; reason: string };
export type ImportPreview = {
  preview: string;
  kind: FinanceKind;
  format: string;
  guess: { separator?: string; decimal?: string; date?: string; encoding?: string; header_row?: number; columns: Record<string, string> };
  rows: ImportRow[];
  counts: Partial<Record<ImportState, number>>;
};

const typeOf = (file: File): string => (/\.xlsx$/i.test(file.name) ? 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' : 'text/csv');

export const previewImport = (kind: string, file: File): Promise<ImportPreview> =>
  request<ImportPreview>('POST', `/api/v1/finance/import?kind=${name(kind)}&preview=1&name=${name(file.name)}`, { headers: { 'Content-Type': typeOf(file) }, body: file });

export const applyImport = (preview: string, doubtful: 'take' | 'leave'): Promise<{ import: string; applied: number; left: number }> =>
  request('POST', `/api/v1/finance/import?apply=1&preview=${name(preview)}&doubtful=${doubtful}`);

export type FinanceImport = { id: string; kind: string; file?: string; by: string; at: Instant; applied: number; undone: boolean };
export const financeImports = async (signal?: AbortSignal): Promise<FinanceImport[]> => (await get<{ imports: FinanceImport[] }>('/api/v1/finance/imports', signal)).imports;
export const undoImport = (id: string): Promise<unknown> => request('POST', `/api/v1/finance/imports/${name(id)}/undo`);
