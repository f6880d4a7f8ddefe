// Money documents over HTTP: listed, entered by people, read from files with a preview, put back.
import { get, request } from './client';
import type { Day, Instant, Money } from './types';

export const financeKinds = [
  'invoice', 'credit_note', 'payment', 'write_off', 'bill', 'supplier_credit', 'supplier_payment', 'purchase_order', 'delivery',
  'cost', 'recurring_cost', 'budget', 'tax', 'balance', 'credit_line', 'terms', 'rate',
] as const;
export type FinanceKind = (typeof financeKinds)[number];

export type Settled = { kind: string; number: string; instalment?: number; currency?: string; amount?: Money | string };
export type Rate = { from: string; to: string; rate: string };

// What a kind has no use for is empty.
export type FinanceDocument = {
  kind: FinanceKind;
  key: string; // in its address: the number, of a rate with its day
  number: string;
  source: string;
  editable: boolean; // written here or by a file
  version?: string; // of an editable one
  party: string;
  party_name: string;
  posted: Day | null;
  due: Day | null;
  until: Day | null;
  paid: Day | null;
  currency: string;
  amount?: Money;
  tax?: Money;
  cancelled: boolean;
  closed: boolean;
  category: string;
  account: string;
  reference: string;
  terms: string;
  comment: string;
  every: string;
  settles: Settled[];
  instalments: { due: Day | null; amount: Money }[];
  rate?: Rate;
  origin: string;
};
export type FinancePage = { count: number; sums: Money[]; documents: FinanceDocument[]; next_cursor: string | null };

const name = encodeURIComponent;
const address = (kind: string, key: string): string => `/api/v1/finance/${name(kind)}/${name(key)}`;

export const financeDocuments = (query: string, signal?: AbortSignal): Promise<FinancePage> => get<FinancePage>(`/api/v1/finance?${query}`, signal);

export const financeDocument = async (kind: string, key: string, signal?: AbortSignal): Promise<FinanceDocument> =>
  (await get<{ document: FinanceDocument }>(address(kind, key), signal)).document;

// Amounts as text in whole units or as money, days as 2026-11-23.
export type FinanceWish = { kind: FinanceKind; number: string; posted?: string | null } & Record<string, unknown>;

export const keyOf = ({ kind, number, posted }: FinanceWish): string => (kind === 'rate' ? `${number} ${posted ?? ''}` : number);

// `version` is what the person saw; "" nothing stands there yet.
export const putFinance = (wish: FinanceWish, version: string): Promise<unknown> =>
  request('PUT', address(wish.kind, keyOf(wish)), {
    headers: { 'Content-Type': 'application/json', ...(version === '' ? {} : { 'If-Match': `"${version}"` }) },
    body: JSON.stringify(wish),
  });

export const removeFinance = (document: Pick<FinanceDocument, 'kind' | 'key' | 'version'>): Promise<unknown> =>
  request('DELETE', address(document.kind, document.key), { headers: { 'If-Match': `"${document.version ?? ''}"` } });

// Files.

export type ImportState = 'new' | 'changed' | 'same' | 'doubtful' | 'refused' | 'skipped';
export type ImportCell = { field: string; text: string; value: string; doubt?: string };
export type ImportRow = { row: number; state: ImportState; cells: ImportCell[]; reason: string };
export type ImportPreview = {
  preview: string;
  until: Instant;
  kind: FinanceKind;
  format: string;
  guess: { separator?: string; decimal?: string; date?: string; encoding?: string; currency?: string; header_row?: number; columns: Record<string, string>; unused: string[] };
  missing: string[]; // fields that no column holds: there are no rows then
  rows: ImportRow[];
  rows_left_out: number; // fine ones that are not listed
  counts: Partial<Record<ImportState, number>>;
};

// What a person says about the file instead of the guess; "" the guess.
export type ImportSay = { decimal: string; date: string; currency: string; map: Record<string, string> };

const workbook = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

export function previewImport(kind: string, file: File, say: ImportSay): Promise<ImportPreview> {
  const words = new URLSearchParams({ kind, preview: '1', name: file.name });
  for (const part of ['decimal', 'date', 'currency'] as const) if (say[part] !== '') words.set(part, say[part]);
  for (const [field, column] of Object.entries(say.map)) if (column !== '') words.append('map', `${field}:${column}`);
  const type = /\.xlsx$/i.test(file.name) ? workbook : 'text/csv';
  return request<ImportPreview>('POST', `/api/v1/finance/import?${words.toString()}`, { headers: { 'Content-Type': type }, body: file });
}

export type FinanceImport = { import: string; kind: string; file: string; by: string; at: Instant; applied: number; left: number; undoable: boolean; undone_by: string };

export const applyImport = (preview: string, doubtful: 'take' | 'leave'): Promise<FinanceImport> =>
  request<FinanceImport>('POST', `/api/v1/finance/import?apply=1&preview=${name(preview)}&doubtful=${doubtful}`);

export const financeImports = async (signal?: AbortSignal): Promise<FinanceImport[]> => (await get<{ imports: FinanceImport[] }>('/api/v1/finance/imports?limit=20', signal)).imports;
export const undoImport = (id: string): Promise<unknown> => request('POST', `/api/v1/finance/imports/${name(id)}/undo`);
