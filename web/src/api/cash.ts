// Money over HTTP: the forecast, ageing, costs, scenarios and the documents behind every figure, typed, one function per
// question. The words are those of docs/cash.md.
import { get, request } from './client';
import type { Day, Instant, Money } from './types';

export const layers = ['balance', 'invoiced', 'delivered', 'ordered', 'planned', 'forecast'] as const;
export type Layer = (typeof layers)[number];
export type CashView = 'expected' | 'pessimistic' | 'optimistic';
export type Direction = 'in' | 'out';

// What stands behind a figure: one movement of money on one day.
export type CashItem = {
  id: string;
  kind: string;
  number: string;
  layer: string;
  direction: Direction;
  party: string;
  party_name: string;
  amount: Money;
  converted: Money | null; // null: no rate
  day: Day | null;
  due: Day | null;
  order: string;
  order_line: number | null;
  category: string;
  why: string;
};
export type ItemPage = { total: Money; totals?: Money[]; count: number; items: CashItem[]; next_cursor: string | null };

export type Low = { day: Day; week?: Day; amount: Money; p10?: Money | null; headroom?: Money | null };
export type LowCauses = { causes?: CashItem[]; would_lift?: { order: string; customer: string; amount: Money; late_days: number }[] };

export type CashWeek = {
  start: Day;
  end: Day;
  opening: Money;
  receipts: Money;
  receipts_by: { layer: string; amount: Money }[];
  payments: Money;
  payments_by: { category: string; amount: Money }[];
  closing: Money;
  low: { day: Day; amount: Money };
  p10: Money | null;
  p90: Money | null;
  headroom: Money | null;
};
export type CashDay = { day: Day; receipts: Money; payments: Money; closing: Money; p10: Money | null; p90: Money | null };
export type UsedRate = { from: string; to: string; rate: string; day: Day; path: string[]; document: string };

export type BridgePart = 'timing' | 'amount' | 'new' | 'gone' | 'rate';
export const bridgeParts: readonly BridgePart[] = ['timing', 'amount', 'new', 'gone', 'rate'];
export type BridgeItem = {
  part: BridgePart;
  id: string;
  kind: string;
  number: string;
  party_name: string;
  before: Money | null;
  after: Money | null;
  day_before: Day | null;
  day_after: Day | null;
  change?: Money; // what it adds to the difference
};
export type Bridge = {
  from: { id: string; made: Instant; as_of: number; closing: Money };
  to_closing: Money;
  weeks_end: Day;
  parts: Record<BridgePart, Money>;
  difference: Money;
  item_count?: number; // `items` may be the first of them
  items: BridgeItem[];
};

export type ScenarioOutcome = { id: string; name: string; lowest: Low | null; weeks: { start: Day; closing: Money }[]; without_effect?: string[] };

export type Cash = {
  as_of: number;
  as_of_time: Instant;
  today: Day;
  currency: string;
  weeks_asked: number;
  view: CashView;
  sentence: string;
  opening: Money;
  accounts: { account: string; day: Day | null; balance: Money; converted: Money | null }[];
  credit_line: Money | null;
  layers: { name: Layer; on: boolean; receipts: Money; payments: Money }[];
  weeks: CashWeek[];
  days: CashDay[];
  lowest: (Low & LowCauses) | null;
  rates: UsedRate[];
  without_rate: Money[];
  no_day: { count: number; amount: Money } | null;
  bridge: Bridge | null;
  scenarios: ScenarioOutcome[];
};

export const cash = (query: string, signal?: AbortSignal): Promise<Cash> => get<Cash>(`/api/v1/cash${query === '' ? '' : `?${query}`}`, signal);

export const cashItems = (query: string, signal?: AbortSignal): Promise<ItemPage> => get<ItemPage>(`/api/v1/cash/items?${query}`, signal);

export const cashBridge = (query: string, signal?: AbortSignal): Promise<Bridge> =>
  get<Bridge>(`/api/v1/cash/bridge${query === '' ? '' : `?${query}`}`, signal);

export type KeptForecast = { id: string; made: Instant; by: string; as_of: number; closing: Money; lowest: Low | null };
export const keptForecasts = async (signal?: AbortSignal): Promise<KeptForecast[]> =>
  (await get<{ forecasts: KeptForecast[] }>('/api/v1/cash/forecasts', signal)).forecasts;
export const keepForecast = (): Promise<unknown> => request('POST', '/api/v1/cash/forecasts');

export type Accuracy = {
  weeks_ahead: { week: number; forecasts: number; wape: number | null; bias: Money; covered: number | null }[];
  customers: { party: string; party_name: string; mae_days: number; invoices: number }[];
};
export const accuracy = (signal?: AbortSignal): Promise<Accuracy> => get<Accuracy>('/api/v1/cash/accuracy', signal);

// Ageing.

export type AgeingRow = { key: string; name: string; currency: string; amounts: Money[]; total: Money; oldest: Day | null };
export type Ageing = {
  as_of: number;
  as_of_time: Instant;
  side: 'receivables' | 'payables';
  day: Day;
  by: 'due' | 'posted';
  buckets: string[];
  totals: { currency: string; amounts: Money[]; total: Money }[];
  rows: AgeingRow[];
  measures: { currency?: string; dso?: number | null; best_dso?: number | null; average_days_late?: number | null; dpo?: number | null };
};
export const ageing = (query: string, signal?: AbortSignal): Promise<Ageing> => get<Ageing>(`/api/v1/ageing?${query}`, signal);
export const ageingItems = (query: string, signal?: AbortSignal): Promise<ItemPage> => get<ItemPage>(`/api/v1/ageing/items?${query}`, signal);

// Costs.

export type CostRow = { month: string; category: string; actual: Money; planned: Money; budget: Money; difference: Money; documents: number };
export type Costs = {
  as_of: number;
  as_of_time: Instant;
  currency: string;
  rows: CostRow[];
  categories: string[];
  totals: { actual: Money; planned: Money; budget: Money };
  revenue: { month: string; invoiced: Money; paid: Money; ordered: Money }[];
};
export const costs = (query: string, signal?: AbortSignal): Promise<Costs> => get<Costs>(`/api/v1/costs${query === '' ? '' : `?${query}`}`, signal);

// The documents behind a figure of the costs.
export type CostItem = { kind: string; number: string; day: Day; counts_as: 'actual' | 'planned' | 'budget'; category: string; comment: string; amount: Money };
export const costItems = (query: string, signal?: AbortSignal): Promise<{ count: number; items: CostItem[] }> => get<{ count: number; items: CostItem[] }>(`/api/v1/costs/items?${query}`, signal);

// How a customer pays.

export type Paid = { number: string; posted: Day | null; due: Day | null; paid: Day | null; amount: Money; days_late: number | null; outlier: boolean };
export type PaymentProfile = {
  as_of: number;
  as_of_time: Instant;
  party: string;
  party_name: string;
  sentence: string;
  p50: number | null;
  p10: number | null;
  p90: number | null;
  trend_days_per_month: number | null;
  invoices: number;
  open: { count: number; amounts: Money[] };
  late_share: number | null;
  credit_limit: Money | null;
  exposure: Money | null;
  history: Paid[];
};
export const paymentProfile = (code: string, signal?: AbortSignal): Promise<PaymentProfile> =>
  get<PaymentProfile>(`/api/v1/customers/${encodeURIComponent(code)}/payments`, signal);

// The money of one order.

export const moneyStates = ['open', 'delivered', 'invoiced', 'paid', 'written_off'] as const;
export type MoneyState = (typeof moneyStates)[number];
export type OrderMoney = {
  as_of: number;
  as_of_time: Instant;
  order: string;
  currency: string;
  value: Money;
  states: Record<MoneyState, Money>;
  over_invoiced: Money | null;
  lines: { line: number; value: Money; states: Record<MoneyState, Money>; expected_day: Day | null; why: string }[];
  documents: { kind: string; number: string; posted: Day | null; amount: Money }[];
};
export const orderMoney = (order: string, signal?: AbortSignal): Promise<OrderMoney> =>
  get<OrderMoney>(`/api/v1/orders/${encodeURIComponent(order)}/money`, signal);

// Scenarios.

export type ScenarioChange =
  | { kind: 'customer_later'; party: string; days: number }
  | { kind: 'order_slips'; order: string; days: number }
  | { kind: 'supplier_later'; party: string; days: number }
  | { kind: 'pay_later'; days: number }
  | { kind: 'rate'; from: string; to: string; percent: number }
  | { kind: 'no_new_orders' };
export type Scenario = { id: string; name: string; version: number; changes: ScenarioChange[] };

const json = (body: object, version?: number): RequestInit => ({
  headers: { 'Content-Type': 'application/json', ...(version === undefined ? {} : { 'If-Match': `"${version}"` }) },
  body: JSON.stringify(body),
});

export const scenarios = async (signal?: AbortSignal): Promise<Scenario[]> =>
  (await get<{ scenarios: Scenario[] }>('/api/v1/scenarios', signal)).scenarios;
export const makeScenario = (name: string, changes: ScenarioChange[]): Promise<Scenario> =>
  request<Scenario>('POST', '/api/v1/scenarios', json({ name, changes }));
export const putScenario = ({ id, name, version, changes }: Scenario): Promise<Scenario> =>
  request<Scenario>('PUT', `/api/v1/scenarios/${encodeURIComponent(id)}`, json({ name, changes }, version));
export const removeScenario = ({ id, version }: Scenario): Promise<unknown> =>
  request('DELETE', `/api/v1/scenarios/${encodeURIComponent(id)}`, { headers: { 'If-Match': `"${version}"` } });
