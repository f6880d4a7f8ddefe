// One job, opened: everything that is known of it, and what can be done with it.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

import { type Job, job as askJob } from '../../api/jobs';
import { now } from '../../parts/app_state';
import { Problem, Skeleton } from '../../parts/basics';
import { Dialog } from '../../parts/dialog';
import { formatInstant } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';
import { tryAgain } from './actions';
import type { HistoryFilter } from './board';
import { Block, ProgressLines, ResultLink, StateMark } from './job_parts';
import { dueText, elapsedText, kindTitle, namedValues, priorityText, reasonText, tookText, triesText, whoText } from './job_words';

type Props = { id: string; heard: number; live: Job | null; filter: HistoryFilter; onEnd: (job: Job) => void; reload: () => void; onClose: () => void };

// `heard`: when the server was heard of last; what the live line tells of this job counts before the answer.
export function JobSheet({ id, heard, live, filter, onEnd, reload, onClose }: Props) {
  const answer = useAnswer(`job ${id}`, (signal) => askJob(id, signal));
  useEffect(() => {
    if (answer.data !== null && live === null) answer.reload();
  }, [heard, live === null]);
  const job = live ?? answer.data;
  return (
    <Dialog title={job === null ? 'Job' : kindTitle(job.kind)} class="job-sheet" onClose={onClose}>
      {answer.problem !== null && job === null && <Problem problem={answer.problem} retry={answer.reload} />}
      {job === null && answer.problem === null && <Skeleton rows={6} />}
      {job !== null && <Sheet job={job} filter={filter} onEnd={onEnd} reload={reload} />}
    </Dialog>
  );
}

function Fact({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Sheet({ job, filter, onEnd, reload }: { job: Job } & Pick<Props, 'filter' | 'onEnd' | 'reload'>) {
  const ended = job.ended_at !== null;
  return (
    <>
      <p class="row">
        <StateMark job={job} />
        <span class="quiet">
          try {triesText(job)} · asked for by {whoText(job)}
        </span>
      </p>
      {job.state === 'running' && <ProgressLines job={job} />}
      {job.error !== '' && job.state !== 'done' && <p class="job-error">{reasonText(job.error)}</p>}
      <dl class="facts">
        <Fact title="Asked for">{formatInstant(job.created_at)}</Fact>
        {!ended && job.state !== 'running' && <Fact title="Due">{dueText(job, now.value)}</Fact>}
        <Fact title="Began">{formatInstant(job.started_at)}</Fact>
        <Fact title="Ended">{formatInstant(job.ended_at)}</Fact>
        <Fact title="Took">{(ended ? tookText(job) : elapsedText(job, now.value)) || '–'}</Fact>
        <Fact title="Priority">{priorityText(job.priority)}</Fact>
        <Fact title="Id">{<span class="path">{job.id}</span>}</Fact>
      </dl>
      {job.file !== null && (
        <p class="whole-row">
          <ResultLink job={job} filter={filter} />
        </p>
      )}
      <Tries job={job} />
      <Values id="job-wish" title="What was asked for" value={job.payload} />
      {job.state === 'done' && <Values id="job-result" title="Result" value={job.result} />}
      <div class="row row-end no-print">
        <a class="button quiet-button" href={job.log_url} target="_blank" rel="noopener">
          Log
        </a>
        {job.retry_url !== null && (
          <button type="button" class="button" onClick={() => void tryAgain(job, reload)}>
            Try again
          </button>
        )}
        {job.cancel_url !== null && (
          <button type="button" class="button danger" disabled={job.cancel_wanted} onClick={() => onEnd(job)}>
            {job.state === 'dead' ? 'Discard' : job.state === 'running' ? 'Stop' : 'Cancel the job'}
          </button>
        )}
      </div>
    </>
  );
}

function Tries({ job }: { job: Job }) {
  if (job.attempts.length === 0) return null;
  return (
    <Block id="job-tries" title="Tries that did not end well">
      <ol class="job-tries">
        {job.attempts.map((one) => (
          <li key={`${one.number} ${one.began}`}>
            <span class="quiet num">
              try {one.number}, {formatInstant(one.ended)}
            </span>{' '}
            {reasonText(one.reason)}
          </li>
        ))}
      </ol>
    </Block>
  );
}

function Values({ id, title, value }: { id: string; title: string; value: unknown }) {
  const rows = namedValues(value);
  if (rows.length === 0) return null;
  return (
    <Block id={id} title={title}>
      <dl class="facts job-values">
        {rows.map(([name, text]) => (
          <Fact key={name} title={name}>
            {text}
          </Fact>
        ))}
      </dl>
    </Block>
  );
}
