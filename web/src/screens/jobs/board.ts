// What the Jobs screen shows, as one whole: a job is never in two places nor in none, because all lists come from one
// look at the server. The live line moves progress at once and says when it is time for the next look.
import { ApiProblem } from '../../api/client';
import { type Job, job, type JobCounts, type JobKind, type JobPage, jobs, type JobsNews, type JobState, type Schedule, schedules } from '../../api/jobs';

export type HistoryFilter = { state: JobState | ''; kind: string };

export type ScheduleRow = Schedule & { last: Job | null }; // the job of its last turn; null: none yet, or forgotten

export type Board = {
  running: Job[];
  waiting: Job[];
  dead: Job[];
  history: Job[];
  historyMore: boolean;
  schedules: ScheduleRow[];
  counts: JobCounts;
  paused: boolean;
  kinds: JobKind[];
  heard: number; // browser time in ms of the newest word from the server
};

export const pageSize = 50;
const liveMax = 200; // rows of one list; beyond them the screen says how many there are

export const hasEnded = (state: JobState): boolean => ['done', 'failed', 'dead', 'cancelled'].includes(state);
const inHistory = (one: Job): boolean => hasEnded(one.state) && one.state !== 'dead'; // dead letters have a list of their own

// Higher priority first; among equals the one that was asked for first. What is not due yet comes behind, by its time.
export function inLine(list: Job[], now: number): Job[] {
  const due = (one: Job): number => Math.max(one.run_after === null ? 0 : Date.parse(one.run_after), now);
  return [...list].sort((a, b) => due(a) - due(b) || b.priority - a.priority || (a.id < b.id ? -1 : 1));
}

// The first page holds most of it; what it lacks of a state is asked for alone.
async function ofState(state: JobState, first: JobPage, signal: AbortSignal): Promise<Job[]> {
  const found = first.data.filter((one) => one.state === state);
  if (found.length >= first.counts[state] || first.next_cursor === null) return found;
  return (await jobs({ state, limit: liveMax }, signal)).data;
}

async function historyOf(filter: HistoryFilter, pages: number, first: JobPage, signal: AbortSignal): Promise<{ rows: Job[]; more: boolean }> {
  const plain = filter.state === '' && filter.kind === '';
  let page = plain ? first : await jobs({ ...filter, limit: pageSize }, signal);
  const rows = page.data.filter(inHistory);
  for (let at = 1; at < pages && page.next_cursor !== null; at += 1) {
    page = await jobs({ ...filter, limit: pageSize, cursor: page.next_cursor }, signal);
    rows.push(...page.data.filter(inHistory));
  }
  return { rows, more: page.next_cursor !== null };
}

async function lastJob(id: string, known: Job[], signal: AbortSignal): Promise<Job | null> {
  if (id === '') return null;
  const here = known.find((one) => one.id === id);
  if (here !== undefined) return here;
  try {
    return await job(id, signal);
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return null; // ended jobs are forgotten after seven days
    throw error;
  }
}

export async function lookAtJobs(filter: HistoryFilter, pages: number, signal: AbortSignal): Promise<Board> {
  const [first, planned] = await Promise.all([jobs({ limit: pageSize }, signal), schedules(signal)]);
  const [running, waiting, paused, dead, history, last] = await Promise.all([
    ofState('running', first, signal),
    ofState('waiting', first, signal),
    ofState('paused', first, signal),
    ofState('dead', first, signal),
    historyOf(filter, pages, first, signal),
    Promise.all(planned.map((one) => lastJob(one.last_job, first.data, signal))),
  ]);
  const heard = Date.now();
  return {
    running: [...running].sort((a, b) => (a.id < b.id ? -1 : 1)),
    waiting: [...waiting, ...paused],
    dead,
    history: history.rows,
    historyMore: history.more,
    schedules: planned.map((one, at) => ({ ...one, last: last[at] ?? null })),
    counts: first.counts,
    paused: first.paused,
    kinds: first.kinds,
    heard,
  };
}

// Progress of the jobs that are shown. Which jobs are shown changes with the next look only.
export function withNews(board: Board, news: JobsNews, heard: number): Board {
  const fresh = new Map(news.running.map((one) => [one.id, one]));
  return { ...board, running: board.running.map((one) => fresh.get(one.id) ?? one), heard };
}

// Whether the news tell of more than progress.
export function tellsOfMore(board: Board, news: JobsNews): boolean {
  const facts = (running: Job[], counts: JobCounts, paused: boolean): string =>
    JSON.stringify([running.map((one) => `${one.id} ${one.tries} ${one.cancel_wanted}`).sort(), Object.entries(counts).sort(), paused]);
  return facts(board.running, board.counts, board.paused) !== facts(news.running, news.counts, news.paused);
}
