// The address of the Jobs screen: what of the history is shown, and which job is open.
import type { JobState } from '../../api/jobs';
import type { HistoryFilter } from './board';

export type JobsAddress = { filter: HistoryFilter; job: string };

const outcomes: readonly JobState[] = ['done', 'failed', 'cancelled'];

export function parseAddress(search: string): JobsAddress {
  const asked = new URLSearchParams(search);
  const state = outcomes.find((one) => one === asked.get('state')) ?? '';
  return { filter: { state, kind: asked.get('kind') ?? '' }, job: asked.get('job') ?? '' };
}

export function jobsAddress({ filter, job }: JobsAddress): string {
  const words = new URLSearchParams();
  if (filter.state !== '') words.set('state', filter.state);
  if (filter.kind !== '') words.set('kind', filter.kind);
  if (job !== '') words.set('job', job);
  const text = words.toString();
  return text === '' ? '/jobs' : `/jobs?${text}`;
}
