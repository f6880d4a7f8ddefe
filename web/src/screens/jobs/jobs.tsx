// Jobs: what runs, what waits and why, what was tried in vain, what comes by the clock, what has ended.
import './jobs.css';

import { useEffect, useRef, useState } from 'preact/hooks';

import type { Job, JobKind } from '../../api/jobs';
import { connection } from '../../parts/app_state';
import { Mark, Problem, Skeleton } from '../../parts/basics';
import { Confirm } from '../../parts/dialog';
import { counted, formatClock, formatCount } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { useCommands } from '../../parts/keys';
import { navigate, route } from '../../parts/router';
import { endJob, setPaused, tryAgain } from './actions';
import { jobsAddress, parseAddress } from './address';
import type { Board } from './board';
import { History } from './history';
import { spokenName } from './job_parts';
import { JobSheet } from './job_sheet';
import { endingWords, whoText } from './job_words';
import { moveFocus, useKeptFocus } from './kept_focus';
import { DeadLetters, RunningJobs, WaitingJobs } from './live_rows';
import { Kinds, Schedules } from './plans';
import { StartDialog } from './start_dialog';
import { useBoard } from './use_board';

const everyJob = (board: Board): Job[] => [...board.running, ...board.waiting, ...board.dead, ...board.history];

export default function JobsScreen() {
  useEffect(() => {
    document.title = 'Jobs · Millrace';
  }, []);
  const { filter, job: open } = parseAddress(route.value.search);
  const [pages, setPages] = useState(1);
  const { board, problem, reload } = useBoard(filter, pages);
  const [starting, setStarting] = useState<string | null>(null); // a kind, "" any
  const [ending, setEnding] = useState<Job | null>(null);
  const [active, setActive] = useState('');
  const lists = useRef<HTMLDivElement>(null);
  useKeptFocus(lists, setActive);
  const job = board === null ? undefined : everyJob(board).find((one) => one.id === active);
  useCommands({
    'list.next': () => moveFocus(lists.current, active, 1),
    'list.previous': () => moveFocus(lists.current, active, -1),
    'list.open': () => void (job !== undefined && navigate(jobsAddress({ filter, job: job.id }))),
    'list.open_tab': () => void (job !== undefined && window.open(jobsAddress({ filter, job: job.id }), '_blank', 'noopener')),
    'jobs.start': () => setStarting(''),
    'jobs.end': () => void (job?.cancel_url && !job.cancel_wanted && setEnding(job)),
    'jobs.retry': () => void (job?.retry_url && tryAgain(job, reload)),
  });
  const shared = { filter, reload, onEnd: setEnding };
  return (
    <div class="page jobs">
      <Head board={board} reload={reload} onStart={() => setStarting('')} />
      {problem !== null && <Problem problem={problem} retry={reload} />}
      {board === null && problem === null && <Skeleton rows={10} />}
      <div class="job-lists" ref={lists}>
        {board !== null && (
          <>
            {board.paused && <PausedNotice reload={reload} />}
            <RunningJobs board={board} {...shared} />
            <WaitingJobs board={board} {...shared} />
            <DeadLetters board={board} {...shared} />
            <Schedules board={board} filter={filter} reload={reload} />
            <History board={board} filter={filter} reload={reload} onMore={() => setPages(pages + 1)} />
            <Kinds board={board} reload={reload} onStart={setStarting} />
          </>
        )}
      </div>
      {open !== '' && (
        <JobSheet
          key={open}
          id={open}
          heard={board?.heard ?? 0}
          live={board?.running.find((one) => one.id === open) ?? null}
          filter={filter}
          onEnd={setEnding}
          reload={reload}
          onClose={() => navigate(jobsAddress({ filter, job: '' }), { replace: true })}
        />
      )}
      {starting !== null && board !== null && <StartDialog kinds={board.kinds} taken={board.schedules.map((one) => one.name)} kind={starting} onStarted={reload} onClose={() => setStarting(null)} />}
      {ending !== null && <Ending job={ending} kinds={board?.kinds ?? []} reload={reload} onClose={() => setEnding(null)} />}
    </div>
  );
}

function Ending({ job, kinds, reload, onClose }: { job: Job; kinds: JobKind[]; reload: () => void; onClose: () => void }) {
  const { title, text, yes, no } = endingWords(job, kinds);
  return (
    <Confirm
      title={title}
      text={
        <>
          <p class="quiet">
            {spokenName(job)}, asked for by {whoText(job)}
          </p>
          {text.map((one) => (
            <p key={one}>{one}</p>
          ))}
        </>
      }
      yes={yes}
      no={no}
      onYes={() => void endJob(job, reload)}
      onClose={onClose}
    />
  );
}

function Head({ board, reload, onStart }: { board: Board | null; reload: () => void; onStart: () => void }) {
  return (
    <header class="page-head">
      <div>
        <h1>Jobs</h1>
        <p class="quiet job-summary">{board === null ? 'Work that goes on while you do something else.' : <Summary board={board} />}</p>
      </div>
      <span class="spring" />
      {board !== null && (
        <div class="row no-print">
          <button type="button" class="button" onClick={() => void setPaused('', !board.paused, reload)}>
            <Icon name={board.paused ? 'play' : 'pause'} />
            <span>{board.paused ? 'Resume the queue' : 'Pause the queue'}</span>
          </button>
          <button type="button" class="button primary" onClick={onStart}>
            <Icon name="play" />
            <span>Start a job…</span>
          </button>
        </div>
      )}
    </header>
  );
}

function Summary({ board }: { board: Board }) {
  const { counts } = board;
  return (
    <>
      <span class="num">
        {formatCount(counts.running)} running, {formatCount(counts.waiting + counts.paused)} waiting
      </span>
      {counts.dead > 0 && (
        <>
          {' · '}
          <a href="#dead">
            <Mark tone="poor">{counted(counts.dead, 'dead letter')}</Mark>
          </a>
        </>
      )}
      {' · '}
      <span class="num as-of">
        as of {formatClock(new Date(board.heard).toISOString())} {connection.value === 'live' ? <Mark tone="good">live</Mark> : <Mark tone="fair">not live</Mark>}
      </span>
    </>
  );
}

function PausedNotice({ reload }: { reload: () => void }) {
  return (
    <div class="job-paused" role="status">
      <p>
        <Mark tone="fair">The queue is paused.</Mark> What runs goes on; nothing new begins until somebody lets it.
      </p>
      <button type="button" class="button no-print" onClick={() => void setPaused('', false, reload)}>
        Resume the queue
      </button>
    </div>
  );
}
