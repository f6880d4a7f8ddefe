// What people do to jobs. Each answers when the server has it in its record, and says so.
import { type Job, cancelJob, pauseJobs, putSchedule, removeSchedule, retryJob, type Schedule, startJob } from '../../api/jobs';
import { done, toast } from '../../parts/app_state';
import { kindTitle } from './job_words';

const say = (error: unknown): void => toast({ text: error instanceof Error ? error.message : String(error), tone: 'problem' });

// 128 random bits. crypto.randomUUID would be shorter, but is missing on pages without TLS.
export const newKey = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

export type Reload = () => void;

async function attempt(act: () => Promise<unknown>, reload: Reload): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    say(error);
    return false;
  } finally {
    reload();
  }
}

const undoBy = (act: () => Promise<unknown>, reload: Reload) => () => void attempt(act, reload);

export async function endJob(job: Job, reload: Reload): Promise<void> {
  const name = kindTitle(job.kind);
  if (!(await attempt(() => cancelJob(job.id), reload))) return;
  if (job.state === 'dead') toast({ text: `${name} was discarded. It stays in the history.` });
  else if (job.state === 'running') toast({ text: `${name} is asked to stop.` });
  else done(`${name} was cancelled.`, undoBy(() => retryJob(job.id), reload));
}

export async function tryAgain(job: Job, reload: Reload): Promise<void> {
  if (await attempt(() => retryJob(job.id), reload)) toast({ text: `${kindTitle(job.kind)} waits again, with all its tries.` });
}

export async function setPaused(kind: string, paused: boolean, reload: Reload): Promise<void> {
  const what = kind === '' ? 'The queue' : kindTitle(kind);
  if (!(await attempt(() => pauseJobs(kind, paused), reload))) return;
  done(paused ? `${what} is paused. What runs goes on.` : `${what} goes on.`, undoBy(() => pauseJobs(kind, !paused), reload));
}

export async function setEnabled(schedule: Schedule, enabled: boolean, reload: Reload): Promise<void> {
  if (!(await attempt(() => putSchedule({ ...schedule, enabled }), reload))) return;
  done(`Schedule ${schedule.name} ${enabled ? 'goes on' : 'is paused'}.`, undoBy(() => putSchedule(schedule), reload));
}

export async function dropSchedule(schedule: Schedule, reload: Reload): Promise<void> {
  if (!(await attempt(() => removeSchedule(schedule.name), reload))) return;
  done(`Schedule ${schedule.name} was removed. Its jobs stay.`, undoBy(() => putSchedule(schedule), reload));
}

export async function runNow(schedule: Schedule, reload: Reload): Promise<void> {
  const wish = { kind: schedule.kind, payload: schedule.payload ?? {}, priority: schedule.priority };
  if (await attempt(() => startJob(wish, newKey()), reload)) toast({ text: `${kindTitle(schedule.kind)} of the schedule ${schedule.name} is in the queue. Its next turn stays.` });
}
