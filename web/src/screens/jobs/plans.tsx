// Jobs by the clock, and the kinds of work there are.
import { useState } from 'preact/hooks';

import type { JobKind } from '../../api/jobs';
import { now } from '../../parts/app_state';
import { Mark } from '../../parts/basics';
import { Confirm } from '../../parts/dialog';
import { absent, formatCount, formatInstant, formatInterval, formatUntil, formatWhen } from '../../parts/format';
import { dropSchedule, runNow, setEnabled, setPaused } from './actions';
import { jobsAddress } from './address';
import type { Board, HistoryFilter, ScheduleRow } from './board';
import { hasEnded } from './board';
import { Block, JobTable, Nothing, StateMark } from './job_parts';
import { kindTitle, payloadWords, reasonText, timingText } from './job_words';

type Props = { board: Board; filter: HistoryFilter; reload: () => void };

export function Schedules({ board, filter, reload }: Props) {
  return (
    <Block id="schedules" title="Schedules" count={board.schedules.length}>
      {board.schedules.length === 0 ? (
        <Nothing>
          No schedule yet. Start a job and choose “by the clock”, for example a backup every night: it then stands here with its next and last run.
        </Nothing>
      ) : (
        <JobTable label="Schedules" columns={[{ title: 'Schedule' }, { title: 'When' }, { title: 'Next run', num: true }, { title: 'Last run' }, { title: 'Turns', num: true }]}>
          {board.schedules.map((one) => (
            <PlannedRow key={one.name} one={one} filter={filter} reload={reload} />
          ))}
        </JobTable>
      )}
    </Block>
  );
}

function PlannedRow({ one, filter, reload }: { one: ScheduleRow; filter: HistoryFilter; reload: () => void }) {
  const [asking, setAsking] = useState(false);
  const more = payloadWords(one.payload);
  return (
    <tr data-row={`schedule ${one.name}`}>
      <th scope="row" data-title="Schedule" class="job-name">
        <span class="job-schedule">{one.name}</span>
        <span class="quiet small-text job-payload">{[kindTitle(one.kind), more].filter(Boolean).join(', ')}</span>
      </th>
      <td data-title="When" title={`${one.timing}, time zone ${one.time_zone}`}>
        {timingText(one.timing)} {!one.enabled && <Mark tone="fair">paused</Mark>}
        <span class="quiet small-text job-payload">{one.time_zone}</span>
      </td>
      <td data-title="Next" class="num" title={formatInstant(one.next_due)}>
        {one.enabled ? formatWhen(one.next_due, now.value) : absent}
        {one.enabled && one.next_due !== null && <span class="quiet small-text job-payload">{formatUntil(one.next_due, now.value)}</span>}
      </td>
      <td data-title="Last" class="job-reason">
        <LastRun one={one} filter={filter} />
      </td>
      <td data-title="Turns" class="num">
        {formatCount(one.turns)}
        {one.skipped > 0 && <span class="quiet small-text job-payload">{formatCount(one.skipped)} skipped</span>}
      </td>
      <td class="no-print job-actions">
        <button type="button" class="button small" data-do="run" aria-label={`Run now: ${one.name}`} onClick={() => void runNow(one, reload)}>
          Run now
        </button>
        <button type="button" class="button small" data-do="pause" aria-label={`${one.enabled ? 'Pause' : 'Resume'} schedule ${one.name}`} onClick={() => void setEnabled(one, !one.enabled, reload)}>
          {one.enabled ? 'Pause' : 'Resume'}
        </button>
        <button type="button" class="button small" data-do="remove" aria-label={`Remove schedule ${one.name}`} onClick={() => setAsking(true)}>
          Remove
        </button>
        {asking && (
          <Confirm
            title={`Remove the schedule ${one.name}?`}
            text={<p>It makes no more jobs. Those it made stay; one that waits or runs goes on.</p>}
            yes="Remove it"
            no="Keep it"
            onYes={() => void dropSchedule(one, reload)}
            onClose={() => setAsking(false)}
          />
        )}
      </td>
    </tr>
  );
}

function LastRun({ one, filter }: { one: ScheduleRow; filter: HistoryFilter }) {
  const { last } = one;
  if (last === null) return <span class="quiet">{one.turns === 0 ? 'has not run yet' : 'ended more than seven days ago'}</span>;
  return (
    <>
      <a class="job-link" data-do="open" href={jobsAddress({ filter, job: last.id })}>
        {formatWhen(last.ended_at ?? last.started_at ?? last.created_at, now.value)}
      </a>{' '}
      <StateMark job={last} />
      {hasEnded(last.state) && last.error !== '' && last.state !== 'done' && <span class="small-text job-payload">{reasonText(last.error)}</span>}
    </>
  );
}

type KindsProps = { board: Board; reload: () => void; onStart: (kind: string) => void };

export function Kinds({ board, reload, onStart }: KindsProps) {
  return (
    <Block id="kinds" title="Kinds of jobs" count={board.kinds.length}>
      <JobTable label="Kinds of jobs" columns={[{ title: 'Kind' }, { title: 'What it does' }, { title: 'Runs' }, { title: 'At most', num: true }, { title: 'Tries', num: true }]}>
        {board.kinds.map((kind) => (
          <KindRow key={kind.name} kind={kind} reload={reload} onStart={onStart} />
        ))}
      </JobTable>
    </Block>
  );
}

function KindRow({ kind, reload, onStart }: { kind: JobKind } & Pick<KindsProps, 'reload' | 'onStart'>) {
  return (
    <tr data-row={`kind ${kind.name}`}>
      <th scope="row" data-title="Kind" class="job-name">
        {kindTitle(kind.name)} {kind.paused && <Mark tone="fair">paused</Mark>}
      </th>
      <td data-title="Does" class="job-reason">
        {kind.summary}
      </td>
      <td data-title="Runs">{kind.place === 'worker' ? 'in a process of its own' : 'inside the server'}</td>
      <td data-title="At most" class="num">
        {formatInterval(kind.time_max_s)}
      </td>
      <td data-title="Tries" class="num">
        {formatCount(kind.tries_max)}
      </td>
      <td class="no-print job-actions">
        <button type="button" class="button small" data-do="start" aria-label={`Start: ${kindTitle(kind.name)}`} onClick={() => onStart(kind.name)}>
          Start…
        </button>
        <button type="button" class="button small" data-do="pause" aria-label={`${kind.paused ? 'Resume' : 'Pause'} the kind ${kind.name}`} onClick={() => void setPaused(kind.name, !kind.paused, reload)}>
          {kind.paused ? 'Resume' : 'Pause'}
        </button>
      </td>
    </tr>
  );
}
