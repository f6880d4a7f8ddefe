// What runs, what waits and why, and what was tried in vain.
import { useRef } from 'preact/hooks';

import type { Job } from '../../api/jobs';
import { now } from '../../parts/app_state';
import { counted } from '../../parts/format';
import { tryAgain } from './actions';
import { type Board, inLine } from './board';
import { Block, JobLink, JobTable, type ListProps, Moment, Nothing, ProgressLines, spokenName, StateMark } from './job_parts';
import { dueText, priorityText, reasonText, triesText, whoText, whyWaits } from './job_words';

type Props = ListProps & { board: Board };

const beyond = (shown: number, all: number) => (all > shown ? <Nothing>The newest {shown} of {counted(all, 'job')} are shown.</Nothing> : null);

const roomMax = 6;

// Short jobs come and go many times a minute: the list keeps the room it once had, so that what is below stands still.
function useRoom(rows: number): number {
  const most = useRef(1);
  most.current = Math.max(most.current, Math.min(rows, roomMax));
  return most.current;
}

export function RunningJobs({ board, filter, onEnd }: Props) {
  const room = useRoom(board.running.length);
  return (
    <Block id="running" title="Runs now" count={board.counts.running}>
      <div class="job-room" data-rows={room}>
        {board.running.length === 0 ? (
          <Nothing>{board.paused ? 'Nothing runs: the queue is paused.' : 'Nothing runs. A job that begins shows its progress here.'}</Nothing>
        ) : (
          <ul class="job-runs">
            {board.running.map((job) => (
              <li key={job.id} class="job-run" data-row={job.id}>
                <div class="job-what">
                  <span class="job-name">
                    <JobLink job={job} filter={filter} />
                  </span>
                  <span class="quiet small-text">
                    <StateMark job={job} /> · asked for by {whoText(job)}
                    {job.tries > 1 && ` · try ${triesText(job)}`}
                  </span>
                </div>
                <ProgressLines job={job} />
                <button type="button" class="button small no-print" data-do="end" aria-label={`Stop ${spokenName(job)}`} disabled={job.cancel_wanted} onClick={() => onEnd(job)}>
                  Stop
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      {beyond(board.running.length, board.counts.running)}
    </Block>
  );
}

export function WaitingJobs({ board, filter, onEnd }: Props) {
  const count = board.counts.waiting + board.counts.paused;
  return (
    <Block id="waiting" title="Waits" count={count}>
      {board.waiting.length === 0 ? (
        <Nothing>Nothing waits. A job stands here until a place is free, its time has come, or it is tried again.</Nothing>
      ) : (
        <JobTable long label="Waiting jobs" columns={[{ title: 'Job' }, { title: 'Why it waits' }, { title: 'Due' }, { title: 'Priority' }, { title: 'Asked for by' }, { title: 'Asked', num: true }]}>
          {inLine(board.waiting, now.value).map((job) => (
            <WaitingRow key={job.id} job={job} board={board} filter={filter} onEnd={onEnd} />
          ))}
        </JobTable>
      )}
      {beyond(board.waiting.length, count)}
    </Block>
  );
}

function WaitingRow({ job, board, filter, onEnd }: { job: Job; board: Board } & Pick<Props, 'filter' | 'onEnd'>) {
  return (
    <tr data-row={job.id}>
      <th scope="row" data-title="Job" class="job-name">
        <JobLink job={job} filter={filter} />
      </th>
      <td data-title="Why" class="job-reason">
        <StateMark job={job} />
        <span class="job-why">{whyWaits(job, { paused: board.paused, kinds: board.kinds, now: now.value })}</span>
      </td>
      <td data-title="Due" class="num-start">
        {dueText(job, now.value)}
      </td>
      <td data-title="Priority">{priorityText(job.priority)}</td>
      <td data-title="Asked by">{whoText(job)}</td>
      <td data-title="Asked" class="num">
        <Moment at={job.created_at} />
      </td>
      <td class="no-print job-actions">
        <button type="button" class="button small" data-do="end" aria-label={`Cancel ${spokenName(job)}`} onClick={() => onEnd(job)}>
          Cancel
        </button>
      </td>
    </tr>
  );
}

export function DeadLetters({ board, filter, onEnd, reload }: Props) {
  if (board.counts.dead === 0 && board.dead.length === 0) return null;
  return (
    <Block id="dead" title="Dead letters" count={board.counts.dead}>
      <p class="quiet">Tried as often as they may be. Mend what the reason names, then let them try again.</p>
      <JobTable label="Dead letters" columns={[{ title: 'Job' }, { title: 'Why the last try ended' }, { title: 'Tries', num: true }, { title: 'Asked for by' }, { title: 'Given up', num: true }]}>
        {board.dead.map((job) => (
          <tr key={job.id} data-row={job.id}>
            <th scope="row" data-title="Job" class="job-name">
              <JobLink job={job} filter={filter} />
            </th>
            <td data-title="Reason" class="job-reason">
              <StateMark job={job} />
              <span class="job-why">{reasonText(job.error)}</span>
            </td>
            <td data-title="Tries" class="num">
              {triesText(job)}
            </td>
            <td data-title="Asked by">{whoText(job)}</td>
            <td data-title="Given up" class="num">
              <Moment at={job.ended_at} />
            </td>
            <td class="no-print job-actions">
              <button type="button" class="button small" data-do="retry" aria-label={`Try again: ${spokenName(job)}`} onClick={() => void tryAgain(job, reload)}>
                Try again
              </button>
              <button type="button" class="button small" data-do="end" aria-label={`Discard ${spokenName(job)}`} onClick={() => onEnd(job)}>
                Discard
              </button>
            </td>
          </tr>
        ))}
      </JobTable>
      {beyond(board.dead.length, board.counts.dead)}
    </Block>
  );
}
