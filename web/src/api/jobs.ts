// Jobs over HTTP and on the live line: what the server says of work for later, typed, one function per question.
import { get, request } from './client';
import type { Instant } from './types';

export type JobState = 'waiting' | 'paused' | 'running' | 'done' | 'failed' | 'dead' | 'cancelled';

export type Job = {
  id: string; // grows with every job
  kind: string;
  state: JobState;
  priority: number; // higher goes first
  payload: Record<string, unknown> | null;
  unique_key: string;
  created_by: string;
  schedule: string; // whose turn made it, "" nobody's
  created_at: Instant;
  run_after: Instant | null;
  started_at: Instant | null; // of the last try
  ended_at: Instant | null;
  heartbeat_at: Instant | null;
  tries: number;
  tries_max: number;
  cancel_wanted: boolean;
  error: string;
  progress: { done: number; total: number; unit: string; text: string }; // total 0: not known
  eta_s: number | null;
  attempts: { number: number; began: Instant; ended: Instant; reason: string }[];
  result: unknown;
  file: { name: string; type: string; bytes: number } | null;
  url: string;
  log_url: string;
  cancel_url: string | null;
  retry_url: string | null;
  result_url: string | null;
};

export type JobCounts = Record<JobState, number>;

export type PayloadMember = {
  name: string;
  type: 'text' | 'number' | 'flag' | 'choice' | 'source' | 'filters';
  help: string;
  standard: string; // what counts when it is left out
  required: boolean;
  choices: string[];
};

export type JobKind = {
  name: string;
  summary: string;
  payload: string;
  place: 'inside' | 'worker';
  time_max_s: number;
  tries_max: number;
  right: string;
  paused: boolean;
  members: PayloadMember[];
};

export type JobPage = { data: Job[]; next_cursor: string | null; counts: JobCounts; paused: boolean; kinds: JobKind[] };

export type Schedule = {
  name: string;
  kind: string;
  timing: string; // "30 2 * * 1-5", "every 15m"
  time_zone: string;
  payload: Record<string, unknown> | null;
  priority: number;
  enabled: boolean;
  created_by: string;
  since: Instant;
  last_due: Instant | null;
  next_due: Instant | null;
  last_job: string;
  turns: number;
  skipped: number;
};

export type JobsNews = { revision: number; paused: boolean; counts: JobCounts; running: Job[] };
export type JobsDelta = { op: 'delta'; id: string; as_of: number; jobs: JobsNews };

export type JobQuery = { state?: JobState | ''; kind?: string; limit: number; cursor?: string | null };
export type JobWish = { kind: string; payload: Record<string, unknown>; priority?: number };

const root = '/api/v1/jobs';
const name = encodeURIComponent;

const withBody = (body: object): RequestInit => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

export function jobs(query: JobQuery, signal?: AbortSignal): Promise<JobPage> {
  const words = new URLSearchParams({ limit: String(query.limit) });
  if (query.state) words.set('state', query.state);
  if (query.kind) words.set('kind', query.kind);
  if (query.cursor) words.set('cursor', query.cursor);
  return get<JobPage>(`${root}?${words.toString()}`, signal);
}

export const job = async (id: string, signal?: AbortSignal): Promise<Job> =>
  (await get<{ job: Job }>(`${root}/${name(id)}`, signal)).job;

// The same key and wish twice are one job: a wish whose answer was lost may be sent again.
export async function startJob(wish: JobWish, key: string): Promise<Job> {
  const sent = withBody(wish);
  const answer = await request<{ job: Job }>('POST', root, { ...sent, headers: { ...sent.headers, 'Idempotency-Key': key } });
  return answer.job;
}

export const cancelJob = async (id: string): Promise<Job> =>
  (await request<{ job: Job }>('POST', `${root}/${name(id)}/cancel`)).job;

export const retryJob = async (id: string): Promise<Job> =>
  (await request<{ job: Job }>('POST', `${root}/${name(id)}/retry`)).job;

// "" is every kind.
export const pauseJobs = (kind: string, paused: boolean): Promise<unknown> =>
  request('POST', `${root}/${paused ? 'pause' : 'resume'}${kind === '' ? '' : `?kind=${name(kind)}`}`);

export const schedules = async (signal?: AbortSignal): Promise<Schedule[]> =>
  (await get<{ data: Schedule[] }>(`${root}/schedules`, signal)).data;

export const removeSchedule = (schedule: string): Promise<unknown> => request('DELETE', `${root}/schedules/${name(schedule)}`);

export const putSchedule = (schedule: Pick<Schedule, 'name' | 'kind' | 'timing' | 'payload' | 'priority' | 'enabled'>): Promise<unknown> =>
  request('PUT', `${root}/schedules/${name(schedule.name)}`, withBody({
    kind: schedule.kind, timing: schedule.timing, payload: schedule.payload ?? {}, priority: schedule.priority, enabled: schedule.enabled,
  }));
