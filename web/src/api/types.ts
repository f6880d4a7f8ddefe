// What the server says, typed. Field names are the wire's names: a planner who opens the network view, the export
// and this file reads the same words.

export type Money = { minor: number; currency: string };
export type Day = string; // YYYY-MM-DD, plant calendar
export type Instant = string; // RFC 3339, UTC

export type SourceAge = { id: string; state: string; as_of_time: Instant | null; age_s: number | null };

export type Envelope = { as_of: number; as_of_time: Instant; sources: SourceAge[] };

export type OrderRow = {
  order: string;
  status: string;
  document_status: string;
  customer: string;
  customer_name: string;
  customer_reference: string;
  salesman: string;
  currency: string;
  order_date: Day | null;
  due: Day | null;
  requested: Day | null;
  promise: Day | null;
  lines: number;
  quantity: string;
  open_quantity: string;
  net: Money;
  tax: Money;
  freight: Money;
  total: Money;
  open_amount: Money;
  lateness_days: number | null;
  late: boolean;
  updated: Instant | null;
  changed_at: Instant;
  revision: string;
  format: string;
  path: string;
  source: string;
  flagged: boolean;
  priority: number | null; // written by people, as are the next three and the company's own columns
  hold: string;
  note: string;
  colour: string;
  sequence: number;
};

// A value that a person wrote above what the sources say.
export type Written = {
  field: string;
  value: string;
  beneath: string; // what the sources say now
  said: string; // and when it was written
  author: string;
  time: Instant;
  expires: Instant | null;
};
export type Overlay = { version: number; fields: Written[] };
export type OverlayAnswer = { order: string; overlay: Overlay };
export type OverlayWritten = OverlayAnswer & { edit: number | null };
// One field into which two people wrote; null is nothing.
export type OverlayConflict = { order: string; field: string; before: string | null; theirs: string | null; mine: string | null; by: string; at: Instant };
export type OverlayEdit = {
  edit: number;
  version: number;
  kind: 'written' | 'undone' | 'ended' | 'sheet';
  author: string;
  time: Instant;
  changes: { field: string; before: string | null; after: string | null; expires: Instant | null }[];
};

export type CurrencySum = {
  currency: string;
  orders: number;
  lines: number;
  net: Money;
  total: Money;
  open_amount: Money;
  open_orders: number;
  late_orders: number;
  late_amount: Money;
};

export type OrderWindow = Envelope & {
  data: OrderRow[];
  offset: number;
  total: number;
  total_is_exact: boolean;
  sums: CurrencySum[];
};

export type OrderLine = {
  line_number: number;
  item: string;
  item_name: string;
  manufacturer: string;
  warehouse: string;
  unit: string;
  quantity: string;
  open_quantity: string;
  unit_price: string;
  discount: string;
  line_total: Money;
  open_amount: Money;
  status: 'open' | 'closed' | 'cancelled';
  requested: Day | null;
  promise: Day | null;
  due: Day | null;
  place: string;
};

export type OrderDocument = {
  source: string;
  path: string;
  format: string;
  hash: string;
  modified: Instant | null;
  updated: Instant | null;
  status: string;
  total: Money;
  open_amount: Money;
  lines: number;
  counts: boolean;
  damaged: boolean;
  differs: string[];
};

// What several sources say of one value, whose counts and why. `line` 0 is the order's head.
export type DifferenceValue = { source: string; text: string; updated: Instant | null; path: string };

export type Difference = {
  field: string;
  line: number;
  values: DifferenceValue[];
  counts: string; // a source
  rule: string; // "erp-wins", "newest", "orders-wins", "decided"
  decided_by: string | null;
  decided_at: Instant | null;
};

export type DifferenceRow = Difference & { order: string; customer: string; customer_name: string };

export type Differences = Envelope & { data: DifferenceRow[]; orders: number; undecided: number; next: string | null };

// A value that does not come from the document that counts. `field` "line" is the whole line.
export type Origin = { field: string; line: number; source: string; path: string };

export type Joined = { differences: Difference[]; origins: Origin[] };

export type OrderDetail = OrderRow & Joined & {
  overlay: Overlay;
  payment_terms: string;
  comment: string;
  document_total: Money | null;
  source_key: string;
  extra: Record<string, string>;
  lines_data: OrderLine[];
  documents: OrderDocument[];
  flags: string[];
};

export type OrderAnswer = Envelope & { order: OrderDetail };

export type ProvenanceInput = {
  source: string;
  path: string;
  place: string;
  format: string;
  modified: Instant | null;
  hash: string;
  note: string;
};

export type ProvenanceValue = { field: string; value: string; rule: string; inputs: ProvenanceInput[] };

export type Provenance = Envelope & Joined & { order: string; values: ProvenanceValue[]; documents: OrderDocument[] };

export type FieldChange = { field: string; before: string; after: string };

export type WordedChange = {
  sequence: number;
  at: Instant;
  kind: 'order_new' | 'order_changed' | 'status_changed' | 'order_removed' | 'rejection_new' | 'rejection_solved'
    | 'finance_new' | 'finance_changed' | 'finance_removed';
  order: string;
  customer_name: string;
  text: string;
  fields: FieldChange[];
};

export type History = Envelope & { data: WordedChange[] };
export type Changes = Envelope & { data: WordedChange[]; next_since: number; more: boolean };

export type TotalRow = { key: string; name: string; sums: CurrencySum[] };
export type Totals = Envelope & { group: string; data: TotalRow[]; total: number };

export type Today = Envelope & {
  day: Day;
  sums: CurrencySum[];
  due_soon: CurrencySum[];
  ages: { name: string; sums: CurrencySum[] }[];
  needs_decision: OrderRow[];
  rejections: number;
  differences: number; // orders whose sources differ where no person decided yet
};

export type SourceState =
  | 'starting'
  | 'scanning'
  | 'live'
  | 'polling'
  | 'paused'
  | 'stopped'
  | 'held'
  | 'failed';

export type Word = 'good' | 'fair' | 'poor';

export type SyncRun = {
  started: Instant;
  took_ms: number;
  calls: number;
  bytes: number;
  rows_read: number;
  documents_read: number;
  rows_written: number;
  rows_gone: number;
  outcome: 'good' | 'held' | 'failed';
  message: string;
};

export type StreamStatus = {
  name: string;
  phase: 'first sync' | 'following' | 'off';
  rows: number;
  rows_open: number;
  last_good: Instant | null;
  age_s: number | null;
  verified_as_of: Instant | null; // every row was proven equal to the ERP's then or later
  verified_by: string;
  verified_share: number; // of the running round
  progress_done: number;
  progress_total: number; // 0: nobody knows yet
  runs: SyncRun[]; // newest first
};

export type CallsByKind = { kind: string; calls: number; retries: number; failed: number; bytes: number; time_us: number };

// What a sync would do that nobody expects: waits for a person.
export type HeldSync = {
  source: string;
  stream: string;
  since: Instant;
  why: string;
  rows_before: number;
  rows_gone: number;
  rows_closed: number;
  totals: { currency: string; before: Money; after: Money }[];
  examples: { key: string; number: string; customer: string; what: string }[];
};

export type ServiceStatus = {
  dialect: string;
  address: string;
  company: string;
  insecure: boolean;
  streams: StreamStatus[];
  calls: CallsByKind[];
  breaker: 'closed' | 'open' | 'half_open';
  breaker_until: Instant | null;
  calls_this_hour: number;
  calls_per_hour: number; // 0: no bound
  capabilities: { name: string; value: string }[];
  held: HeldSync[];
};

export type SourceStatus = {
  id: string;
  kind: string;
  root: string;
  state: SourceState;
  state_word: Word;
  message: string;
  as_of_time: Instant | null;
  age_s: number | null;
  refresh: {
    running: boolean;
    count: number;
    with_changes: number;
    started: Instant | null;
    next: Instant | null;
    took_ms: number;
    interval_s: number;
  };
  files: number;
  files_read: number;
  files_unchanged: number;
  bytes_read: number;
  orders: number;
  rejections: number;
  ignored: number;
  pending: number;
  progress: { done: number; total: number; unit: string };
  events: number;
  event_overflows: number;
  watching: boolean;
  file_system: string;
  poll_interval_ms: number;
  delay_max_ms: number;
  delay_why: string;
  hangs_since: Instant | null;
  service: ServiceStatus | null; // an ERP; null of a folder
};

export type Sources = Envelope & { data: SourceStatus[] };

export type Rejection = {
  id: number;
  source: string;
  path: string;
  place: string;
  reason: string;
  value: string;
  outcome: 'reject' | 'keep_previous' | 'ingest_and_flag' | 'superseded' | 'held';
  order: string;
  since: Instant;
};

export type Rejections = Envelope & { data: Rejection[]; total: number };

export type Performance = Envelope & {
  requests: { count: number; rate_1m: number; p50_ms: number; p95_ms: number; p99_ms: number; errors: number };
  routes: { route: string; count: number; p50_ms: number; p95_ms: number; p99_ms: number; errors: number }[];
  // Hit rates in percent, null before anything was asked.
  cache: { hits: number; misses: number; hit_rate: number | null; word: Word; entries: number; bytes: number };
  files: { hits: number; misses: number; hit_rate: number | null; word: Word };
  memory: { rss_bytes: number };
  live: { clients: number };
  record: { database_bytes: number; log_bytes: number; commits: number };
  tips: { text: string }[];
  // How long the last look at a source took when its files were new, and when they had not changed.
  loads: { source: string; fresh_ms: number | null; fresh_files: number; unchanged_ms: number | null; unchanged_files: number }[];
};

export type FieldType = 'text' | 'number' | 'quantity' | 'money' | 'day' | 'instant' | 'flag';

export type FieldRow = {
  name: string;
  type: FieldType;
  title: string;
  filter: boolean;
  sort: boolean;
  help: string;
  own: boolean; // a column that the company named for itself
};

// Live messages, one per line of the socket.
export type LiveHello = { op: 'hello'; as_of: number; version: string; company: string };
export type OrdersDelta = {
  op: 'delta';
  id: string;
  as_of: number;
  as_of_time: Instant;
  from: number;
  total: number;
  sums: CurrencySum[];
  rows?: OrderRow[];
  gone?: string[];
};
export type ChangesDelta = { op: 'delta'; id: string; as_of: number; as_of_time?: Instant; changes: WordedChange[] };
export type SourcesDelta = { op: 'delta'; id: string; as_of: number; sources: SourceStatus[] };
export type RejectionsDelta = { op: 'delta'; id: string; as_of: number; put: Rejection[]; removed: number[] };
