// The server itself: version, whether its backup holds, and its settings with their origin.
import { useState } from 'preact/hooks';

import { health as askHealth, newestJob, settings as askSettings, startJob } from '../../api/people';
import type { AdminJob, SettingRow } from '../../api/people';
import { now, toast } from '../../parts/app_state';
import { Mark, Problem, Skeleton } from '../../parts/basics';
import { formatInstant, formatWhen } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';

export function ServerPart() {
  return (
    <>
      <About />
      <Backup />
      <SettingList />
    </>
  );
}

function About() {
  const answer = useAnswer('health', askHealth);
  return (
    <section class="block" aria-labelledby="about-title">
      <h2 id="about-title">Version and checks</h2>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && <Skeleton rows={3} />}
      {answer.data !== null && (
        <dl class="server-facts">
          <dt>Millrace</dt>
          <dd>
            {answer.data.version} <span class="quiet">commit {answer.data.commit}</span>
          </dd>
          {answer.data.checks.map((check) => (
            <>
              <dt key={check.name}>{check.name}</dt>
              <dd>
                <Mark tone={check.good ? 'good' : 'poor'}>{check.good ? 'good' : 'not good'}</Mark> {check.detail}
              </dd>
            </>
          ))}
        </dl>
      )}
    </section>
  );
}

const stateTone = { done: 'good', running: 'busy', waiting: 'busy' } as const;

function JobFact({ job }: { job: AdminJob | null }) {
  if (job === null) return <Mark tone="fair">never by this server</Mark>;
  const tone = stateTone[job.state as keyof typeof stateTone] ?? 'poor';
  const when = job.ended_at ?? job.created_at;
  return (
    <>
      <Mark tone={tone}>{job.state}</Mark> <span title={formatInstant(when)}>{formatWhen(when, now.value)}</span>{' '}
      <span class="quiet">{job.error !== '' ? job.error : resultWords(job)}</span>
    </>
  );
}

function resultWords(job: AdminJob): string {
  return Object.entries(job.result ?? {})
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`)
    .join(', ');
}

function Backup() {
  const backup = useAnswer('job backup', (abort) => newestJob('backup', abort));
  const restore = useAnswer('job restore_test', (abort) => newestJob('restore_test', abort));
  const [busy, setBusy] = useState(false);
  const start = (kind: string, text: string): void => {
    setBusy(true);
    startJob(kind)
      .then(
        () => toast({ text }),
        (error: Error) => toast({ text: error.message, tone: 'problem' }),
      )
      .finally(() => {
        setBusy(false);
        backup.reload();
        restore.reload();
      });
  };
  const problem = backup.problem ?? restore.problem;
  return (
    <section class="block" aria-labelledby="backup-title">
      <div class="block-head">
        <h2 id="backup-title">Backup</h2>
        <span class="spring" />
        <button type="button" class="button" disabled={busy} onClick={() => start('backup', 'A backup is being written.')}>
          Back up now
        </button>
        <button type="button" class="button" disabled={busy} onClick={() => start('restore_test', 'The newest backup is restored aside and compared.')}>
          Test a restore
        </button>
      </div>
      {problem !== null && <Problem problem={problem} retry={backup.reload} />}
      <dl class="server-facts">
        <dt>Newest backup</dt>
        <dd>
          <JobFact job={backup.data} />
        </dd>
        <dt>Newest tested restore</dt>
        <dd>
          <JobFact job={restore.data} />
        </dd>
      </dl>
    </section>
  );
}

const valueWords = (row: SettingRow): string => {
  const value = Array.isArray(row.value) ? row.value.join(', ') : row.value;
  return value === '' ? '–' : value;
};

function SettingList() {
  const answer = useAnswer('settings', askSettings);
  return (
    <section class="block" aria-labelledby="settings-title">
      <h2 id="settings-title">
        Settings <span class="quiet">changed in files and the environment, and read at the start</span>
      </h2>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && <Skeleton rows={8} />}
      {answer.data !== null && (
        <div class="table-box" tabIndex={0} role="group" aria-label="Settings">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Setting</th>
                <th scope="col">Value</th>
                <th scope="col">Comes from</th>
                <th scope="col">What it does</th>
              </tr>
            </thead>
            <tbody>
              {answer.data.settings.map((row) => (
                <tr key={row.name}>
                  <th scope="row">{row.name}</th>
                  <td class="path">{valueWords(row)}</td>
                  <td data-title="From">{row.is_default ? <span class="quiet">default</span> : row.origin}</td>
                  <td class="quiet small-text setting-help">{row.help}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
