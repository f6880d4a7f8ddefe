// What the lists of jobs have in common.
import type { ComponentChildren } from 'preact';

import type { Job } from '../../api/jobs';
import { now } from '../../parts/app_state';
import { Mark } from '../../parts/basics';
import { formatBytes, formatInstant, formatWhen } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { jobsAddress } from './address';
import type { HistoryFilter } from './board';
import { elapsedText, kindTitle, leftText, payloadWords, progressText, stateWord } from './job_words';

export type ListProps = {
  filter: HistoryFilter; // stays in the address when a job is opened
  onEnd: (job: Job) => void; // asks before it acts
  reload: () => void;
};

export function JobLink({ job, filter }: { job: Job; filter: HistoryFilter }) {
  const more = payloadWords(job.payload);
  return (
    <>
      <a class="job-link" data-do="open" href={jobsAddress({ filter, job: job.id })}>
        {kindTitle(job.kind)}
      </a>
      {more !== '' && <span class="quiet small-text job-payload">{more}</span>}
    </>
  );
}

export function StateMark({ job }: { job: Job }) {
  const state = stateWord(job);
  return <Mark tone={state.tone}>{state.text}</Mark>;
}

// A name that tells two jobs of one kind apart for those who do not see the row.
export const spokenName = (job: Job): string => [kindTitle(job.kind), payloadWords(job.payload)].filter(Boolean).join(', ');

export function ProgressBar({ job }: { job: Job }) {
  const { done, total } = job.progress;
  const known = total > 0;
  return known ? (
    <progress class="job-bar" aria-label={`Progress of ${spokenName(job)}`} max={total} value={Math.min(done, total)} />
  ) : (
    <div class="job-bar job-bar-unknown" role="progressbar" aria-label={`Progress of ${spokenName(job)}`} aria-valuetext={progressText(job)} />
  );
}

// The lines change every second and keep their places: nothing beside or below them moves.
export function ProgressLines({ job }: { job: Job }) {
  return (
    <div class="job-progress">
      <ProgressBar job={job} />
      <span class="num job-progress-text">{job.cancel_wanted ? 'asked to stop' : progressText(job)}</span>
      <span class="num quiet job-progress-left">{leftText(job)}</span>
      <span class="num quiet job-progress-elapsed">{elapsedText(job, now.value)} so far</span>
    </div>
  );
}

export function Moment({ at }: { at: string | null }) {
  return (
    <span class="num" title={formatInstant(at)}>
      {formatWhen(at, now.value)}
    </span>
  );
}

export function ResultLink({ job, filter }: { job: Job; filter: HistoryFilter }) {
  if (job.result_url === null) return <span class="quiet">–</span>;
  if (job.file === null)
    return (
      <a data-do="result" href={jobsAddress({ filter, job: job.id })} aria-label={`Show the result of ${spokenName(job)}`}>
        Show
      </a>
    );
  return (
    <a class="job-file" data-do="result" href={job.result_url} download={job.file.name}>
      <Icon name="download" />
      <span>
        {job.file.name} <span class="quiet num">{formatBytes(job.file.bytes)}</span>
      </span>
    </a>
  );
}

type BlockProps = { id: string; title: string; count?: number; tools?: ComponentChildren; children: ComponentChildren };

export function Block({ id, title, count, tools, children }: BlockProps) {
  return (
    <section class="block" id={id} aria-labelledby={`${id}-title`}>
      <div class="block-head">
        <h2 id={`${id}-title`}>
          {title} {count !== undefined && <span class="quiet num">{count}</span>}
        </h2>
        {tools !== undefined && <span class="spring" />}
        {tools}
      </div>
      {children}
    </section>
  );
}

export const Nothing = ({ children }: { children: ComponentChildren }) => <p class="job-nothing quiet">{children}</p>;

export type Column = { title: string; num?: boolean };

type TableProps = { label: string; columns: Column[]; long?: boolean; children: ComponentChildren };

// `long`: scrolls by itself, so that a thousand rows do not push away what comes after them.
export function JobTable({ label, columns, long = false, children }: TableProps) {
  return (
    <div class={`table-box ${long ? 'job-long' : ''}`} tabIndex={0} role="region" aria-label={label}>
      <table class="table job-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={column.num === true ? 'num' : undefined}>
                {column.title}
              </th>
            ))}
            <th scope="col" class="no-print">
              <span class="only-read">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
