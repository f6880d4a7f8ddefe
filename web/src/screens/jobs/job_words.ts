// Jobs in words: what they are, why they wait, what becomes of them, when a schedule is due.
import type { Job, JobKind, JobState } from '../../api/jobs';
import { counted, formatAge, formatCount, formatPercent, formatRate, formatWhen, sentence } from '../../parts/format';
import type { Tone } from '../../parts/status';

// "restore_test" -> "Restore test"
export function kindTitle(kind: string): string {
  const words = kind.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function valueWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueWords).join(' or ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, one]) => `${name}=${valueWords(one)}`)
    .join(' ');
}

// A payload or a result as names and values, for people.
export const namedValues = (value: unknown): [string, string][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).filter(([, one]) => one !== null && one !== '').map(([name, one]) => [kindTitle(name), valueWords(one)])
    : value === null || value === undefined ? [] : [['', valueWords(value)]];

// "of orders, format csv, filters late=true"
export function payloadWords(payload: Record<string, unknown> | null): string {
  return Object.entries(payload ?? {})
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${valueWords(value)}`)
    .join(', ');
}

export const whoText = (job: Pick<Job, 'schedule' | 'created_by'>): string =>
  job.schedule !== '' ? `schedule ${job.schedule}` : job.created_by === '' ? 'nobody named' : job.created_by;

const states: Record<JobState, { tone: Tone; text: string }> = {
  waiting: { tone: 'idle', text: 'waiting' },
  paused: { tone: 'fair', text: 'paused' },
  running: { tone: 'busy', text: 'running' },
  done: { tone: 'good', text: 'done' },
  failed: { tone: 'poor', text: 'failed' },
  dead: { tone: 'poor', text: 'dead letter' },
  cancelled: { tone: 'idle', text: 'cancelled' },
};

export function stateWord(job: Pick<Job, 'state' | 'cancel_wanted'>): { tone: Tone; text: string } {
  return job.state === 'running' && job.cancel_wanted ? { tone: 'fair', text: 'stopping' } : (states[job.state] ?? { tone: 'idle', text: job.state });
}

// 4.2 s, 45 s, 3 min 20 s, 1 h 40 min
export function spanText(seconds: number): string {
  const whole = Math.max(0, seconds);
  if (whole < 10) return `${formatRate(Math.round(whole * 10) / 10)} s`;
  if (whole < 90) return `${Math.floor(whole)} s`;
  if (whole < 90 * 60) return `${Math.floor(whole / 60)} min ${Math.floor(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const seconds = (from: string, to: number): number => (to - Date.parse(from)) / 1000;

export const elapsedText = (job: Job, now: number): string => (job.started_at === null ? '' : spanText(Math.floor(seconds(job.started_at, now))));

// How long its last try took; a job that was cancelled while it waited took none.
export const tookText = (job: Job): string =>
  job.started_at === null || job.ended_at === null ? '' : spanText(seconds(job.started_at, Date.parse(job.ended_at)));

export const leftText = (job: Job): string => (job.eta_s === null ? 'time left not known' : job.eta_s < 1 ? 'almost done' : `about ${spanText(Math.max(1, Math.round(job.eta_s)))} left`);

// "25 of 100 orders, 25%"; the part that a job says itself stands before it.
export function progressText(job: Job): string {
  const { done, total, unit, text } = job.progress;
  const known = total > 0;
  const numbers = known ? `${formatCount(done)} of ${formatCount(total)} ${unit}, ${formatPercent(Math.min(1, done / total))}` : done > 0 ? `${formatCount(done)} ${unit}` : '';
  return [text, numbers].filter(Boolean).join(': ') || 'has begun';
}

export const triesText = (job: Pick<Job, 'tries' | 'tries_max'>): string => `${formatCount(job.tries)} of ${formatCount(job.tries_max)}`;

type ProblemBody = { title?: string; detail?: string; errors?: { detail?: string }[] };

// What a refusal of our own API says in its details; nothing when the text was cut off.
function problemWords(text: string): string {
  try {
    const body = JSON.parse(text) as ProblemBody;
    const details = (body.errors ?? []).map((one) => one.detail ?? '').filter((one) => one !== '');
    return (details.length > 0 ? details : [body.detail ?? body.title ?? '']).map(sentence).join(' ');
  } catch {
    return '';
  }
}

// The server adds which try it was; the screen says that in its own column. A job that asked our own API and was refused
// holds the whole answer: a person reads its details.
export function reasonText(error: string): string {
  const text = error.replace(/ \(try \d+ of \d+\)$/, '');
  const answer = /^(.*) was answered (\d+): (\{.*)$/s.exec(text);
  if (answer === null) return sentence(text);
  const said = problemWords(answer[3] ?? '');
  return said === '' ? sentence(`${answer[1]} was answered ${answer[2]}`) : said;
}

type Why = { paused: boolean; kinds: JobKind[]; now: number };

export function whyWaits(job: Job, { paused, kinds, now }: Why): string {
  const tried = job.tries === 0 ? '' : `Try ${triesText(job)} did not end well: ${reasonText(job.error)} `;
  const kind = kinds.find((one) => one.name === job.kind);
  if (job.state === 'paused') return `${tried}${paused ? 'The whole queue is paused.' : `Jobs of the kind ${job.kind} are paused.`}`;
  if (job.run_after !== null && Date.parse(job.run_after) > now)
    return job.tries === 0 ? 'It was asked for later.' : `${tried}The next try comes by itself.`;
  if (kind === undefined) return `${tried}This server knows no kind ${job.kind} any more.`;
  return `${tried}${kind.place === 'worker' ? 'Waits for a free worker process.' : 'Waits for a free place inside the server.'}`;
}

export function dueText(job: Pick<Job, 'run_after'>, now: number): string {
  if (job.run_after === null || Date.parse(job.run_after) <= now) return 'now';
  const left = Math.ceil((Date.parse(job.run_after) - now) / 1000);
  return left < 3600 ? `in ${formatAge(left)}` : formatWhen(job.run_after, now);
}

export const priorityText = (priority: number): string =>
  priority === 0 ? 'normal' : `${priority > 0 ? 'before others' : 'after others'} (${formatCount(priority)})`;

export type Ending = { title: string; text: string[]; yes: string; no: string };

// What will happen when somebody ends it. A thread of the server cannot be ended by force, a process can.
export function endingWords(job: Job, kinds: JobKind[]): Ending {
  const name = kindTitle(job.kind);
  const inside = kinds.find((one) => one.name === job.kind)?.place === 'inside';
  if (job.state === 'dead')
    return {
      title: `Discard this dead letter: ${name}?`,
      text: ['It will not be tried again by itself and leaves the list of dead letters.', 'It stays in the history as cancelled, with the reasons of its tries, and can be tried again from there.'],
      yes: 'Discard it',
      no: 'Keep it',
    };
  const again = job.schedule === '' ? [] : [`Its schedule ${job.schedule} goes on: the next turn makes a new job.`];
  if (job.state === 'running')
    return {
      title: `Stop this job: ${name}?`,
      text: [inside ? 'It is asked to stop, and ends at its next step.' : 'It is asked to stop now, and ended by force after 2 seconds.', 'What it did so far is thrown away: result and effect are written only when a job ends well.', ...again],
      yes: 'Stop it',
      no: 'Let it run',
    };
  return {
    title: `Cancel this job: ${name}?`,
    text: ['It will not begin. It stays in the history as cancelled and can be tried again from there.', ...again],
    yes: 'Cancel the job',
    no: 'Let it wait',
  };
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const units: Record<string, [string, string]> = { s: ['second', 'seconds'], m: ['minute', 'minutes'], h: ['hour', 'hours'], d: ['day', 'days'] };

function dayWords(days: string): string | null {
  if (days === '*') return 'every day';
  const range = /^([0-7])-([0-7])$/.exec(days);
  if (range !== null) return `${weekdays[Number(range[1])]} to ${weekdays[Number(range[2])]}`;
  if (!/^[0-7](,[0-7])*$/.test(days)) return null;
  return days
    .split(',')
    .map((day) => weekdays[Number(day)])
    .join(', ');
}

// The usual timings in words; every other cron line is shown as it was written.
export function timingText(timing: string): string {
  const every = /^every (\d+)([smhd])$/.exec(timing.trim());
  if (every !== null) {
    const [one, many] = units[every[2] ?? 's'] ?? ['', ''];
    return every[1] === '1' ? `every ${one}` : `every ${counted(Number(every[1]), one, many)}`;
  }
  const [minute = '', hour = '', day = '', month = '', weekday = '', ...more] = timing.trim().split(/\s+/);
  if (more.length > 0 || month !== '*') return timing;
  const fixed = /^\d+$/;
  if (!fixed.test(minute)) return minute === '*' && hour === '*' && day === '*' && weekday === '*' ? 'every minute' : timing;
  const on = day === '*' ? dayWords(weekday) : fixed.test(day) && weekday === '*' ? `on day ${day} of every month` : null;
  if (on === null) return timing;
  if (hour === '*') return on === 'every day' ? `every hour, at minute ${minute}` : timing;
  if (!fixed.test(hour)) return timing;
  return `at ${hour.padStart(2, '0')}:${minute.padStart(2, '0')}, ${on}`;
}

type Ended = { running: Job[]; history: Job[]; dead: Job[] };

// What of the running jobs has ended between two looks: "Report: done."
export function endedText(before: Pick<Ended, 'running'> | null, after: Ended): string {
  const gone = (before?.running ?? []).filter((one) => !after.running.some((other) => other.id === one.id));
  return gone
    .map((one) => [...after.history, ...after.dead].find((other) => other.id === one.id))
    .filter((one) => one !== undefined)
    .map((one) => `${kindTitle(one.kind)}: ${stateWord(one).text}.`)
    .join(' ');
}
