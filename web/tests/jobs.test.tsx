// @vitest-environment happy-dom
import { render } from 'preact';
import { describe, expect, it } from 'vitest';

import type { Job, JobCounts, JobKind, JobsNews, PayloadMember } from '../src/api/jobs';
import { setFormatLocale } from '../src/parts/format';
import { jobsAddress, parseAddress } from '../src/screens/jobs/address';
import { type Board, hasEnded, inLine, tellsOfMore, withNews } from '../src/screens/jobs/board';
import { ResultLink } from '../src/screens/jobs/job_parts';
import { dueText, endedText, endingWords, kindTitle, leftText, namedValues, payloadWords, progressText, reasonText, spanText, stateWord, timingText, tookText, whoText, whyWaits } from '../src/screens/jobs/job_words';
import { DeadLetters, RunningJobs, WaitingJobs } from '../src/screens/jobs/live_rows';
import { filtersOf, payloadOf, planProblem } from '../src/screens/jobs/payload_form';

setFormatLocale('en-GB');
const at = '2026-11-22T09:00:00Z';
const now = Date.parse(at) + 12_000;
const later = new Date(now + 90_000).toISOString();

const job = (part: Partial<Job> = {}): Job => ({
  id: 'j1', kind: 'report', state: 'waiting', priority: 0, payload: { of: 'orders', format: 'csv' }, unique_key: '', created_by: 'Ann', schedule: '', created_at: at, run_after: null,
  started_at: null, ended_at: null, heartbeat_at: null, tries: 0, tries_max: 3, cancel_wanted: false, error: '', progress: { done: 0, total: 0, unit: '', text: '' }, eta_s: null, attempts: [],
  result: null, file: null, url: '/api/v1/jobs/j1', log_url: '/api/v1/jobs/j1/log', cancel_url: '/api/v1/jobs/j1/cancel', retry_url: null, result_url: null, ...part,
});
const running = (part: Partial<Job> = {}): Job => job({ state: 'running', started_at: at, tries: 1, progress: { done: 25, total: 100, unit: 'orders', text: '' }, eta_s: 36, ...part });
const kind = (part: Partial<JobKind> = {}): JobKind => ({ name: 'report', summary: 'A report.', payload: '', place: 'worker', time_max_s: 300, tries_max: 3, right: 'run_jobs', paused: false, members: [], ...part });
const counts = (part: Partial<JobCounts> = {}): JobCounts => ({ waiting: 0, paused: 0, running: 0, done: 0, failed: 0, dead: 0, cancelled: 0, ...part });
const board = (part: Partial<Board> = {}): Board => ({ running: [], waiting: [], dead: [], history: [], historyMore: false, schedules: [], counts: counts(), paused: false, kinds: [kind()], heard: now, ...part });
const news = (part: Partial<JobsNews> = {}): JobsNews => ({ revision: 2, paused: false, counts: counts({ running: 1 }), running: [running()], ...part });
const shown = (what: preact.ComponentChild): HTMLElement => {
  const place = document.createElement('div');
  render(what, place);
  return place;
};
const nothing = (): void => undefined;
const shared = { filter: { state: '', kind: '' } as const, onEnd: nothing, reload: nothing };

describe('a job', () => {
  it('is named by its kind and what was asked for', () => {
    expect(kindTitle('restore_test')).toBe('Restore test');
    expect(payloadWords({ of: 'orders', filters: { late: 'true', customer: ['C1', 'C2'] } })).toBe('of orders, filters late=true customer=C1 or C2');
    expect(namedValues({ rows: 3, digest: '', until_try: 2 })).toEqual([['Rows', '3'], ['Until try', '2']]);
    expect([payloadWords(null), namedValues(null)]).toEqual(['', []]);
  });
  it('was asked for by a schedule, a person or nobody', () => {
    expect([whoText(job({ schedule: 'nightly' })), whoText(job()), whoText(job({ created_by: '' }))]).toEqual(['schedule nightly', 'Ann', 'nobody named']);
  });
  it('that is asked to stop is stopping, and a word of a newer server is shown as it is', () => {
    expect(stateWord(running({ cancel_wanted: true })).text).toBe('stopping');
    expect(stateWord(job({ state: 'dead' }))).toEqual({ tone: 'poor', text: 'dead letter' });
    expect(stateWord(job({ state: 'resting' as Job['state'] }))).toEqual({ tone: 'idle', text: 'resting' });
  });
  it('tells how far it is and how long it takes, as far as it is known', () => {
    expect(progressText(running())).toBe('25 of 100 orders, 25%');
    expect(progressText(running({ progress: { done: 7, total: 0, unit: 'rows', text: 'verifying' } }))).toBe('verifying: 7 rows');
    expect(progressText(running({ progress: { done: 0, total: 0, unit: '', text: '' } }))).toBe('has begun');
    expect([leftText(running()), leftText(running({ eta_s: 0 })), leftText(running({ eta_s: null }))]).toEqual(['about 36 s left', 'almost done', 'time left not known']);
    expect([spanText(4.24), spanText(45), spanText(200), spanText(6000)]).toEqual(['4.2 s', '45 s', '3 min 20 s', '1 h 40 min']);
    expect(tookText(job({ state: 'done', started_at: at, ended_at: '2026-11-22T09:00:02.5Z' }))).toBe('2.5 s');
    expect(tookText(job({ state: 'cancelled', ended_at: at }))).toBe('');
  });
});

describe('a job that waits says why', () => {
  const why = (part: Partial<Job>, of: Partial<Parameters<typeof whyWaits>[1]> = {}) => whyWaits(job(part), { paused: false, kinds: [kind()], now, ...of });
  it('a place, its time, a pause, the next try', () => {
    expect(why({})).toBe('Waits for a free worker process.');
    expect(why({}, { kinds: [kind({ place: 'inside' })] })).toBe('Waits for a free place inside the server.');
    expect(why({ run_after: later })).toBe('It was asked for later.');
    expect(why({ state: 'paused' })).toBe('Jobs of the kind report are paused.');
    expect(why({ state: 'paused' }, { paused: true })).toBe('The whole queue is paused.');
    expect(why({ tries: 1, run_after: later, error: 'the ERP does not answer (try 1 of 3)' })).toBe('Try 1 of 3 did not end well: The ERP does not answer. The next try comes by itself.');
    expect(why({}, { kinds: [] })).toMatch(/knows no kind report/);
  });
  it('and when it is due', () => {
    expect([dueText(job(), now), dueText(job({ run_after: at }), now), dueText(job({ run_after: later }), now)]).toEqual(['now', 'now', 'in 1 min']);
  });
  it('in the order in which they will begin', () => {
    const list = [job({ id: 'j1', priority: -10 }), job({ id: 'j2', run_after: later, priority: 100 }), job({ id: 'j3' }), job({ id: 'j4' }), job({ id: 'j5', priority: 10 })];
    expect(inLine(list, now).map((one) => one.id)).toEqual(['j5', 'j3', 'j4', 'j1', 'j2']);
    expect(inLine(list, Date.parse(later))[0]?.id).toBe('j2');
  });
});

describe('a reason', () => {
  it('is a sentence without the number of the try', () => {
    expect(reasonText('its worker was killed by signal 11 (try 3 of 3)')).toBe('Its worker was killed by signal 11.');
  });
  it('of our own API is its detail, not its JSON', () => {
    const refused = (body: string) => reasonText(`asking /api/v1/orders.csv was answered 400: ${body}`);
    expect(refused('{"title":"No","detail":"d","errors":[{"detail":"there is no parameter \\"colour\\""}]}')).toBe('There is no parameter "colour".');
    expect(refused('{"title":"No","detail":"the filter is wrong"}')).toBe('The filter is wrong.');
    expect(refused('{"title":"cut o')).toBe('Asking /api/v1/orders.csv was answered 400.');
  });
});

describe('before a job is ended', () => {
  it('the screen says what will happen', () => {
    expect(endingWords(running(), [kind()]).text.join(' ')).toMatch(/ended by force after 2 seconds.*thrown away/);
    expect(endingWords(running(), [kind({ place: 'inside' })]).text[0]).toMatch(/ends at its next step/);
    expect(endingWords(job({ schedule: 'nightly' }), [kind()]).text.join(' ')).toMatch(/will not begin.*schedule nightly goes on/);
    expect(endingWords(job({ state: 'dead' }), [kind()])).toMatchObject({ title: 'Discard this dead letter: Report?', yes: 'Discard it', no: 'Keep it' });
  });
});

describe('a timing', () => {
  it('is said in words where it is usual, else as it was written', () => {
    const said = (text: string) => timingText(text);
    expect([said('every 15m'), said('every 1d'), said('30 2 * * *'), said('30 2 * * 1-5')]).toEqual(['every 15 minutes', 'every day', 'at 02:30, every day', 'at 02:30, Monday to Friday']);
    expect([said('0 6 * * 1,4'), said('0 6 1 * *'), said('5 * * * *'), said('* * * * *')]).toEqual(['at 06:00, Monday, Thursday', 'at 06:00, on day 1 of every month', 'every hour, at minute 5', 'every minute']);
    for (const odd of ['*/5 * * * *', '0 6 1 1 *', '0 6 13 * 5', '0 6-8 * * *', '5 * * * 1', 'now', '']) expect(said(odd)).toBe(odd);
  });
});

describe('the board', () => {
  it('takes progress from the live line and keeps its rows', () => {
    const before = board({ running: [running(), running({ id: 'j2' })] });
    const after = withNews(before, news({ running: [running({ progress: { done: 50, total: 100, unit: 'orders', text: '' } }), running({ id: 'j3' })] }), now + 1000);
    expect(after.running.map((one) => `${one.id} ${one.progress.done}`)).toEqual(['j1 50', 'j2 25']);
    expect(after.heard).toBe(now + 1000);
  });
  it('looks again when more than progress changed', () => {
    const before = board({ running: [running()], counts: counts({ running: 1 }) });
    expect(tellsOfMore(before, news({ running: [running({ eta_s: 1 })] }))).toBe(false);
    expect(tellsOfMore(before, news({ running: [] }))).toBe(true);
    expect(tellsOfMore(before, news({ running: [running({ cancel_wanted: true })] }))).toBe(true);
    expect(tellsOfMore(before, news({ counts: counts({ running: 1, done: 1 }) }))).toBe(true);
    expect(tellsOfMore(before, news({ paused: true }))).toBe(true);
  });
  it('says aloud what ended between two looks', () => {
    const after = board({ history: [job({ state: 'done' })], dead: [job({ id: 'j2', kind: 'backup', state: 'dead' })] });
    expect(endedText(board({ running: [running(), running({ id: 'j2' }), running({ id: 'gone' })] }), after)).toBe('Report: done. Backup: dead letter.');
    expect([endedText(null, after), endedText(after, after)]).toEqual(['', '']);
  });
  it('knows what has ended', () => {
    expect(['waiting', 'paused', 'running', 'done', 'failed', 'dead', 'cancelled'].filter((state) => hasEnded(state as Job['state']))).toEqual(['done', 'failed', 'dead', 'cancelled']);
  });
});

describe('the address', () => {
  it('keeps the filter of the history and the open job', () => {
    const asked = parseAddress('?state=failed&kind=sync&job=j7');
    expect(asked).toEqual({ filter: { state: 'failed', kind: 'sync' }, job: 'j7' });
    expect(jobsAddress(asked)).toBe('/jobs?state=failed&kind=sync&job=j7');
    expect(jobsAddress(parseAddress('?state=running'))).toBe('/jobs');
  });
});

describe('what was filled in', () => {
  const member = (part: Partial<PayloadMember>): PayloadMember => ({ name: 'x', type: 'text', help: '', standard: '', required: false, choices: [], ...part });
  it('becomes a payload; what is empty is left out', () => {
    const members = [member({ name: 'of', type: 'choice', standard: 'orders', choices: ['orders', 'lines'] }), member({ name: 'keep', type: 'number' }), member({ name: 'silent', type: 'flag' }), member({ name: 'name' }), member({ name: 'filters', type: 'filters' })];
    expect(payloadOf(members, {})).toEqual({ payload: { of: 'orders' } });
    expect(payloadOf(members, { of: 'lines', keep: '0,5', silent: 'true', name: ' late ', filters: 'late=true' })).toEqual({ payload: { of: 'lines', keep: 0.5, silent: true, name: 'late', filters: { late: 'true' } } });
  });
  it('and is wrong is said by name', () => {
    expect(payloadOf([member({ name: 'until_try', type: 'number' })], { until_try: 'soon' })).toEqual({ wrong: 'Until try is a number, not “soon”.' });
    expect(payloadOf([member({ name: 'source', type: 'source', required: true, help: 'its id' })], {})).toEqual({ wrong: 'Source is missing: its id.' });
    expect(payloadOf([member({ name: 'filters', type: 'filters' })], { filters: 'late' })).toMatchObject({ wrong: expect.stringMatching(/late=true/) as string });
  });
  it('filters may be a whole address of the order list', () => {
    expect(filtersOf('https://host/orders?late=true&customer=C1&customer=C2&customer=C3')).toEqual({ late: 'true', customer: ['C1', 'C2', 'C3'] });
  });
  it('a schedule has a name of its own and a timing', () => {
    expect(planProblem({ name: 'nightly', timing: 'every 1d' }, ['weekly'])).toBe('');
    expect(planProblem({ name: 'night ly', timing: 'every 1d' }, [])).toMatch(/letters, digits/);
    expect(planProblem({ name: 'nightly', timing: 'every 1d' }, ['nightly'])).toMatch(/already/);
    expect(planProblem({ name: 'nightly', timing: ' ' }, [])).toMatch(/missing/);
  });
});

describe('the lists', () => {
  it('say in words what will stand where nothing stands', () => {
    expect(shown(<RunningJobs board={board()} {...shared} />).textContent).toMatch(/Nothing runs\. A job that begins/);
    expect(shown(<RunningJobs board={board({ paused: true })} {...shared} />).textContent).toMatch(/the queue is paused/);
    expect(shown(<WaitingJobs board={board()} {...shared} />).textContent).toMatch(/Nothing waits/);
    expect(shown(<DeadLetters board={board()} {...shared} />).textContent).toBe('');
  });
  it('show progress, and a job asked to stop cannot be asked twice', () => {
    const list = shown(<RunningJobs board={board({ running: [running(), running({ id: 'j2', cancel_wanted: true })], counts: counts({ running: 2 }) })} {...shared} />);
    expect([...list.querySelectorAll('progress')].map((bar) => `${bar.getAttribute('value')}/${bar.getAttribute('max')}`)).toEqual(['25/100', '25/100']);
    expect([...list.querySelectorAll('button')].map((button) => button.hasAttribute('disabled'))).toEqual([false, true]);
  });
  it('do not hide that there are more', () => {
    expect(shown(<WaitingJobs board={board({ waiting: [job()], counts: counts({ waiting: 1200, paused: 34 }) })} {...shared} />).textContent).toMatch(/newest 1 of 1,234 jobs/);
  });
  it('a markup text in a payload stays a text', () => {
    const list = shown(<WaitingJobs board={board({ waiting: [job({ payload: { name: '<img src=x onerror=alert(1)>' }, created_by: '<b>Ann</b>' })], counts: counts({ waiting: 1 }) })} {...shared} />);
    expect(list.querySelector('img, b')).toBeNull();
    expect(list.textContent).toMatch(/<img src=x/);
  });
  it('a file is downloaded under its name, a small result is opened', () => {
    const done = job({ state: 'done', result_url: '/api/v1/jobs/j1/result' });
    const file = shown(<ResultLink job={{ ...done, file: { name: 'late.csv', type: 'text/csv', bytes: 2900 } }} filter={shared.filter} />).querySelector('a');
    expect([file?.getAttribute('href'), file?.getAttribute('download'), file?.textContent]).toEqual(['/api/v1/jobs/j1/result', 'late.csv', 'late.csv 2.9 kB']);
    expect(shown(<ResultLink job={done} filter={shared.filter} />).querySelector('a')?.getAttribute('href')).toBe('/jobs?job=j1');
    expect(shown(<ResultLink job={job()} filter={shared.filter} />).querySelector('a')).toBeNull();
  });
});
