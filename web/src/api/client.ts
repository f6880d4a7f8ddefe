// The HTTP side of the contract, one function per question.
//
// Errors   every refusal becomes an `ApiProblem` with a sentence for a person and the request id for the one who
//          looks into it. A dead network is a problem with status 0, so that screens treat all failures alike.
import type {
  Changes,
  Differences,
  Envelope,
  FieldRow,
  History,
  OrderAnswer,
  OrderRow,
  OrderWindow,
  OverlayAnswer,
  OverlayConflict,
  OverlayEdit,
  OverlayWritten,
  Performance,
  Provenance,
  Rejections,
  Sources,
  SourceStatus,
  Today,
  Totals,
} from './types';

export type ProblemDetail = { pointer?: string; parameter?: string; code?: string; detail?: string };

export class ApiProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly kind: string; // the last part of its type: "not-found"
  readonly detail: string;
  readonly requestId: string;
  readonly errors: ProblemDetail[];
  readonly conflicts: OverlayConflict[]; // where somebody else wrote first
  readonly current: OverlayAnswer | null; // and what stands there now

  constructor(fields: {
    status: number;
    title: string;
    detail: string;
    requestId: string;
    kind?: string;
    errors?: ProblemDetail[];
    conflicts?: OverlayConflict[];
    current?: OverlayAnswer | null;
  }) {
    super(fields.detail === '' ? fields.title : fields.detail);
    this.name = 'ApiProblem';
    this.status = fields.status;
    this.title = fields.title;
    this.kind = fields.kind ?? '';
    this.detail = fields.detail;
    this.requestId = fields.requestId;
    this.errors = fields.errors ?? [];
    this.conflicts = fields.conflicts ?? [];
    this.current = fields.current ?? null;
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

type Observer = (envelope: Envelope) => void;
const observers = new Set<Observer>();

// Called with the as-of part of every data answer, so that the header can say how old things are.
export function observeAnswers(observer: Observer): void {
  observers.add(observer);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const fallback = {
    status: response.status,
    title: response.statusText === '' ? `Answer ${response.status}` : response.statusText,
    detail: `The server answered ${response.status}.`,
    requestId: response.headers.get('X-Request-Id') ?? '',
  };
  if (!(response.headers.get('Content-Type') ?? '').includes('json')) return new ApiProblem(fallback);
  try {
    const body = (await response.json()) as {
      type?: string;
      title?: string;
      detail?: string;
      instance?: string;
      errors?: ProblemDetail[];
      conflicts?: OverlayConflict[];
      current?: OverlayAnswer;
    };
    return new ApiProblem({
      status: response.status,
      title: body.title ?? fallback.title,
      kind: body.type?.split('/').pop() ?? '',
      detail: body.detail ?? fallback.detail,
      requestId: body.instance ?? fallback.requestId,
      errors: body.errors ?? [],
      conflicts: body.conflicts ?? [],
      current: body.current ?? null,
    });
  } catch {
    return new ApiProblem(fallback); // the body was cut: status and request id are still worth showing
  }
}

// Milliseconds of the last answer: who asks while somebody types waits about as long, so that a fast server is asked at
// every letter and a slow one is not flooded.
let lastAnswerTime = 0;
export const answerTime = (): number => lastAnswerTime;

// What a page of ours repeats with every write; no page of another site can read it.
let csrf = '';
export function setCsrf(text: string): void {
  csrf = text;
}

const signedOutObservers = new Set<() => void>();
// Called when the server says that nobody is signed in (any more).
export function refusedBySession(observer: () => void): void {
  signedOutObservers.add(observer);
}

export async function request<T>(method: string, path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  const asked = globalThis.performance.now();
  const proof: Record<string, string> = method === 'GET' || csrf === '' ? {} : { 'X-CSRF-Token': csrf };
  try {
    response = await fetch(path, { ...init, method, headers: { Accept: 'application/json', ...proof, ...init.headers } });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiProblem({
      status: 0,
      title: 'No connection',
      detail: 'The server did not answer. The page keeps the last data and tries again by itself.',
      requestId: '',
    });
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 && problem.kind !== 'sign-in-refused') for (const observer of signedOutObservers) observer();
    throw problem;
  }
  lastAnswerTime = globalThis.performance.now() - asked;
  const body = (await response.json()) as T;
  const envelope = body as Partial<Envelope>;
  if (typeof envelope.as_of === 'number' && Array.isArray(envelope.sources)) {
    for (const observer of observers) observer(envelope as Envelope);
  }
  return body;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> =>
  request<T>('GET', path, signal === undefined ? {} : { signal });

const post = <T>(path: string): Promise<T> => request<T>('POST', path);

const name = encodeURIComponent;

// `query` is a ready query string of filters and sort, without "?".
function withQuery(path: string, ...queries: string[]): string {
  const text = queries.filter((query) => query !== '').join('&');
  return text === '' ? path : `${path}?${text}`;
}

export const orderWindow = (query: string, offset: number, limit: number, signal?: AbortSignal) =>
  get<OrderWindow>(withQuery('/api/v1/orders/window', query, `offset=${offset}&limit=${limit}`), signal);

export const orderSearch = (query: string, signal?: AbortSignal) =>
  get<Envelope & { data: OrderRow[]; total: number }>(withQuery('/api/v1/orders', query), signal);

export const order = (number: string, signal?: AbortSignal) =>
  get<OrderAnswer>(`/api/v1/orders/${name(number)}`, signal);

export const provenance = (number: string, signal?: AbortSignal) =>
  get<Provenance>(`/api/v1/orders/${name(number)}/provenance`, signal);

export const history = (number: string, signal?: AbortSignal) =>
  get<History>(`/api/v1/orders/${name(number)}/history`, signal);

export const totals = (group: string, query: string, limit: number, signal?: AbortSignal) =>
  get<Totals>(withQuery('/api/v1/totals', `group=${name(group)}&limit=${limit}`, query), signal);

export const today = (signal?: AbortSignal) => get<Today>('/api/v1/today', signal);

export const changes = (since: number, limit: number, signal?: AbortSignal) =>
  get<Changes>(`/api/v1/changes?since=${since}&limit=${limit}`, signal);

export const sources = (signal?: AbortSignal) => get<Sources>('/api/v1/sources', signal);

export const rejections = (signal?: AbortSignal) => get<Rejections>('/api/v1/rejections', signal);

export const performance = (signal?: AbortSignal) => get<Performance>('/api/v1/performance', signal);

export type DifferencePlace = { order: string; field: string; line: number };

export const differences = (query: string, cursor: string, limit: number, signal?: AbortSignal) =>
  get<Differences>(
    withQuery('/api/v1/differences', query, `limit=${limit}`, cursor === '' ? '' : `cursor=${name(cursor)}`),
    signal,
  );

// The value of `source` counts from now on, until any source says another; answers the order as it counts.
export const decideDifference = ({ order, field, line }: DifferencePlace, source: string) =>
  request<OrderAnswer>('POST', `/api/v1/orders/${name(order)}/differences`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ field, line, source }),
  });

export const undecideDifference = ({ order, field, line }: DifferencePlace) =>
  request<OrderAnswer>('DELETE', withQuery(`/api/v1/orders/${name(order)}/differences`, `field=${name(field)}&line=${line}`));

const overlayAddress = (order: string): string => `/api/v1/orders/${name(order)}/overlay`;

export const overlay = (order: string, signal?: AbortSignal) =>
  get<OverlayAnswer & { writable: string[] }>(overlayAddress(order), signal);

// Fields by name; null takes away what was written. `version` is what the person saw: who wrote the same field since is a
// problem with `conflicts`, other fields merge.
export type OverlayPatch = Record<string, string | null | { value: string; expires: string }>;
export const writeOverlay = (order: string, version: number, patch: OverlayPatch) =>
  request<OverlayWritten>('PATCH', overlayAddress(order), {
    headers: { 'Content-Type': 'application/merge-patch+json', 'If-Match': `"${version}"` },
    body: JSON.stringify(patch),
  });

export const undoOverlay = (order: string, edit: number, alsoLater = false) =>
  request<OverlayWritten>('POST', `${overlayAddress(order)}/undo`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ edit, also_later: alsoLater }),
  });

export const overlayEdits = (order: string, signal?: AbortSignal) =>
  get<{ data: OverlayEdit[]; next: number | null }>(`${overlayAddress(order)}/edits?limit=50`, signal);

// The workbook people write into, and what it changes when it comes back.
export type SheetDifference = { cell: string; order: string; field: string; before: string | null; after: string | null };
export type SheetRefusal = { cell: string; order: string; field: string; reason: string; conflict: OverlayConflict | null };
export type SheetPreview = { preview: string; until: string; rows: number; differences: SheetDifference[]; refused: SheetRefusal[] };

export const sheetAddress = (query: string): string => withQuery('/api/v1/overlay/sheet.xlsx', query);

export const previewSheet = (workbook: Blob) =>
  request<SheetPreview>('POST', '/api/v1/overlay/sheet?preview=1', {
    headers: { 'Content-Type': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' },
    body: workbook,
  });

export const applySheet = (preview: string) =>
  request<{ group: number | null; orders: number }>('POST', `/api/v1/overlay/sheet?apply=1&preview=${name(preview)}`);

export const undoSheet = (group: number) =>
  request('POST', '/api/v1/overlay/undo', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ group, also_later: false }) });

export type SourceAction = 'refresh' | 'pause' | 'resume' | 'accept-vanished' | 'accept-held' | 'reject-held';

export const sourceAction = (id: string, action: SourceAction) =>
  post<{ source: SourceStatus }>(`/api/v1/sources/${name(id)}/${action}`);

export const rereadEverything = (id: string) =>
  post<{ source: SourceStatus }>(`/api/v1/sources/${name(id)}/refresh?reread=1`);

export const setRefreshInterval = (id: string, seconds: number) =>
  request<{ source: SourceStatus }>('PATCH', `/api/v1/sources/${name(id)}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ interval_s: seconds }),
  });

export const replay = (id: number) => post<{ id: number; state: string }>(`/api/v1/rejections/${id}/replay`);

export type FieldCatalogue = { fields: FieldRow[]; lineFilters: { name: string; help: string }[] };

export async function fields(signal?: AbortSignal): Promise<FieldCatalogue> {
  const answer = await get<{ data: FieldRow[]; line_filters?: { name: string; help: string }[] }>(
    '/api/v1/fields',
    signal,
  );
  return { fields: answer.data, lineFilters: answer.line_filters ?? [] };
}

export const exportAddress = (format: 'csv' | 'xlsx' | 'json' | 'ndjson', query: string) =>
  withQuery(`/api/v1/orders.${format}`, query);
