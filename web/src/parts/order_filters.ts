// The order list's state and its address: one text that is the URL, the saved view and the question to the server.
//
// Invariants
//   * parse(search(state)) is state again; unknown parameters become filters, so that the server can say what is wrong
//     with them instead of the screen dropping them in silence.
//   * Filters, `q` and `sort` go to the server; `group`, `columns` and `panel` stay here.

export type FilterOp = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'has';
export type Filter = { name: string; op: FilterOp; values: string[] };
export type SortKey = { field: string; descending: boolean };
export type ListState = {
  filters: Filter[];
  q: string;
  sort: SortKey[];
  group: string;
  columns: string[] | null; // null: the usual ones
  panel: string; // order shown beside the list, "" none
};

export const groups = ['customer', 'item', 'manufacturer', 'salesman', 'status', 'due_month', 'currency'] as const;

export const emptyList: ListState = { filters: [], q: '', sort: [], group: '', columns: null, panel: '' };

const ops: readonly FilterOp[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'has'];

export function parseFilter(name: string, text: string): Filter {
  const dot = text.indexOf('.');
  const op = ops.find((known) => dot > 0 && known === text.slice(0, dot));
  if (op === undefined) return { name, op: 'eq', values: [text] };
  const rest = text.slice(dot + 1);
  if (op !== 'in') return { name, op, values: [rest] };
  if (!rest.startsWith('(') || !rest.endsWith(')')) return { name, op: 'eq', values: [text] };
  return { name, op, values: splitList(rest.slice(1, -1)) };
}

// a,"b,c",d: a comma inside double quotes belongs to the value.
function splitList(text: string): string[] {
  const values: string[] = [];
  let value = '';
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      values.push(value);
      value = '';
    } else value += character;
  }
  return [...values, value];
}

const listed = (value: string): string => (/[,()]/.test(value) ? `"${value}"` : value);

export function filterText(filter: Filter): string {
  const first = filter.values[0] ?? '';
  if (filter.op === 'in') return `in.(${filter.values.map(listed).join(',')})`;
  if (filter.op !== 'eq') return `${filter.op}.${first}`;
  // A plain value that happens to look like an operator needs its own operator said.
  const read = parseFilter(filter.name, first);
  return read.op === 'eq' && !first.startsWith('in.') ? first : `eq.${first}`;
}

// Brackets, commas and colons stay readable: people paste these addresses into mails.
const escape = (text: string): string =>
  encodeURIComponent(text).replace(/%2C/gi, ',').replace(/%3A/gi, ':').replace(/%2F/gi, '/');

function parseSort(text: string): SortKey[] {
  return text
    .split(',')
    .filter((part) => part !== '' && part !== '-')
    .map((part) =>
      part.startsWith('-') ? { field: part.slice(1), descending: true } : { field: part, descending: false },
    );
}

export const sortText = (sort: SortKey[]): string =>
  sort.map((key) => (key.descending ? `-${key.field}` : key.field)).join(',');

export function parseListState(search: string): ListState {
  const state: ListState = { ...emptyList, filters: [] };
  for (const [name, value] of new URLSearchParams(search)) {
    if (name === 'q') state.q = value;
    else if (name === 'sort') state.sort = parseSort(value);
    else if (name === 'group') state.group = (groups as readonly string[]).includes(value) ? value : '';
    else if (name === 'columns') state.columns = value.split(',').filter((part) => part !== '');
    else if (name === 'panel') state.panel = value;
    else if (name !== '' && value !== '') state.filters.push(parseFilter(name, value));
  }
  return state;
}

function parts(filters: Filter[], q: string): string[] {
  const out = filters.map((filter) => `${escape(filter.name)}=${escape(filterText(filter))}`);
  if (q !== '') out.push(`q=${escape(q)}`);
  return out;
}

// Filters alone: for totals, which have no order.
export const filterQuery = (state: ListState): string => parts(state.filters, state.q).join('&');

// What the server is asked for: filters and sort, in the order a person added them.
export function serverQuery(state: ListState): string {
  const out = parts(state.filters, state.q);
  if (state.sort.length > 0) out.push(`sort=${escape(sortText(state.sort))}`);
  return out.join('&');
}

// What a saved view keeps: everything but the open panel.
export function viewQuery(state: ListState): string {
  const out = serverQuery(state) === '' ? [] : [serverQuery(state)];
  if (state.group !== '') out.push(`group=${escape(state.group)}`);
  if (state.columns !== null) out.push(`columns=${escape(state.columns.join(','))}`);
  return out.join('&');
}

export function listSearch(state: ListState): string {
  const out = viewQuery(state) === '' ? [] : [viewQuery(state)];
  if (state.panel !== '') out.push(`panel=${escape(state.panel)}`);
  return out.length === 0 ? '' : `?${out.join('&')}`;
}

export const listAddress = (state: ListState): string => `/orders${listSearch(state)}`;

// Click: this column alone, ascending, then descending, then unsorted. With `add`: beside the others.
export function nextSort(sort: SortKey[], field: string, add: boolean): SortKey[] {
  const present = sort.find((key) => key.field === field);
  const others = add ? sort.filter((key) => key.field !== field) : [];
  if (present === undefined) return [...others, { field, descending: false }];
  if (!present.descending) {
    const turned = { field, descending: true };
    return add ? sort.map((key) => (key.field === field ? turned : key)) : [turned];
  }
  return others;
}

// The filters that show the orders of one group row.
export function groupFilters(group: string, key: string): Filter[] {
  if (group !== 'due_month') return [{ name: group, op: 'eq', values: [key === '' ? 'none' : key] }];
  if (!/^\d{4}-\d{2}$/.test(key)) return [{ name: 'due', op: 'eq', values: ['none'] }];
  const last = new Date(Date.UTC(Number(key.slice(0, 4)), Number(key.slice(5)), 0)).getUTCDate();
  return [
    { name: 'due', op: 'gte', values: [`${key}-01`] },
    { name: 'due', op: 'lte', values: [`${key}-${String(last).padStart(2, '0')}`] },
  ];
}

export function withFilters(state: ListState, added: Filter[]): ListState {
  const names = new Set(added.map((filter) => filter.name));
  return { ...state, filters: [...state.filters.filter((filter) => !names.has(filter.name)), ...added] };
}

const opWords: Record<FilterOp, string> = {
  eq: '',
  ne: 'not',
  lt: '<',
  lte: '≤',
  gt: '>',
  gte: '≥',
  in: '',
  has: 'contains',
};

// "Due < 01 Dec 2026"; `show` turns one value into the user's words.
export function filterLabel(filter: Filter, title: string, show: (value: string) => string): string {
  const word = opWords[filter.op];
  return `${title}${word === '' ? ':' : ` ${word}`} ${filter.values.map(show).join(', ')}`;
}
