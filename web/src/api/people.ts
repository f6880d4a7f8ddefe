// The door, users, tokens and the audit trail.
import { refusedBySession, request, setCsrf } from './client';
import type { Instant } from './types';

export type Me = {
  signed_in: boolean;
  sign_in_needed: boolean;
  setup_needed: boolean;
  outside?: boolean; // people may sign in with the company's own provider
  by?: 'session' | 'token' | 'local';
  user?: number;
  name?: string;
  display_name?: string;
  role?: string;
  own_orders?: string;
  rights?: string[];
  csrf?: string;
};

export type Role = { name: string; help: string; rights: string[] };

export type User = {
  id: number;
  name: string;
  display_name: string;
  email: string;
  role: string;
  active: boolean;
  own_orders: string;
  has_password: boolean;
  has_outside_sign_in: boolean;
  created: Instant;
  last_sign_in: Instant | null;
  sessions: number;
  tokens: number;
  version: number;
};

export type Token = {
  id: number;
  user: string;
  name: string;
  scope: 'read' | 'write' | 'admin';
  created: Instant;
  created_by: string;
  expires: Instant | null;
  last_used: string | null;
  secret?: string;
};

export type AuditRow = {
  number: number;
  at: Instant;
  who: string;
  via: string;
  address: string;
  verb: string;
  object: string;
  before: unknown;
  after: unknown;
  hash: string;
};

export type AuditPage = { data: AuditRow[]; next_cursor: string | null; count: number };

export type SettingRow = { name: string; value: string | string[]; origin: string; is_default: boolean; help: string };

export type Health = { status: string; version: string; commit: string; orders: number; checks: { name: string; good: boolean; detail: string }[] };

export type AdminJob = {
  id: string;
  kind: string;
  state: string;
  created_at: Instant;
  ended_at: Instant | null;
  error: string;
  result: Record<string, unknown> | null;
};

export const rememberCsrf = setCsrf;
export const onSignedOut = refusedBySession;

const json = (body: object, more: Record<string, string> = {}): RequestInit => ({
  headers: { 'Content-Type': 'application/json', ...more },
  body: JSON.stringify(body),
});
const data = async <T>(answer: Promise<{ data: T }>): Promise<T> => (await answer).data;

export const me = () => data(request<{ data: Me }>('GET', '/api/v1/me'));
export const signIn = (name: string, password: string) => data(request<{ data: Me }>('POST', '/api/v1/sign-in', json({ name, password })));
export const signOut = () => request<unknown>('POST', '/api/v1/sign-out');
export const setUp = (wish: { link: string; name: string; display_name: string; password: string }) =>
  data(request<{ data: Me }>('POST', '/api/v1/setup', json(wish)));
export const changePassword = (old: string, fresh: string) => data(request<{ data: Me }>('POST', '/api/v1/me/password', json({ old, new: fresh })));

export const roles = (signal?: AbortSignal) => data(request<{ data: Role[] }>('GET', '/api/v1/roles', { signal: signal ?? null }));
export const users = (signal?: AbortSignal) => data(request<{ data: User[] }>('GET', '/api/v1/users', { signal: signal ?? null }));
export type NewUser = { name: string; role: string; password: string; display_name: string; email: string; own_orders: string };
export const createUser = (wish: NewUser) => data(request<{ data: User }>('POST', '/api/v1/users', json(wish)));
export type UserChange = Partial<Pick<User, 'display_name' | 'email' | 'role' | 'active' | 'own_orders'>>;
// `looked_at`: the state the change was made for; when somebody was first the answer is 412.
export const changeUser = (lookedAt: User, change: UserChange) =>
  data(request<{ data: User }>('PATCH', `/api/v1/users/${lookedAt.id}`, json(change, { 'If-Match': `"${lookedAt.version}"` })));
export const setUserPassword = (id: number, password: string) => data(request<{ data: User }>('POST', `/api/v1/users/${id}/password`, json({ password })));
export const endSessions = (id: number) => data(request<{ data: User }>('POST', `/api/v1/users/${id}/end-sessions`));

export const tokens = (signal?: AbortSignal) => data(request<{ data: Token[] }>('GET', '/api/v1/tokens', { signal: signal ?? null }));
export type NewToken = { name: string; scope: string; user?: string; expires_days?: number };
export const createToken = (wish: NewToken) => data(request<{ data: Token }>('POST', '/api/v1/tokens', json(wish)));
export const revokeToken = (id: number) => request<unknown>('DELETE', `/api/v1/tokens/${id}`);

export const audit = (query: string, signal?: AbortSignal) => request<AuditPage>('GET', `/api/v1/audit?${query}`, { signal: signal ?? null });
export const settings = (signal?: AbortSignal) => request<{ files: string[]; settings: SettingRow[] }>('GET', '/api/v1/settings', { signal: signal ?? null });
export const health = (signal?: AbortSignal) => request<Health>('GET', '/health', { signal: signal ?? null });
export const newestJob = async (kind: string, signal?: AbortSignal): Promise<AdminJob | null> =>
  (await request<{ data: AdminJob[] }>('GET', `/api/v1/jobs?kind=${kind}&limit=1`, { signal: signal ?? null })).data[0] ?? null;
export const startJob = (kind: string) => request<{ job: AdminJob }>('POST', '/api/v1/jobs', json({ kind, payload: {} }));
