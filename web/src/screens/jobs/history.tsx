// What has ended: how, when, how long it took, and what it left.
import type { Job, JobState } from '../../api/jobs';
import { navigate } from '../../parts/router';
import { tryAgain } from './actions';
import { jobsAddress } from './address';
import type { Board, HistoryFilter } from './board';
import { pageSize } from './board';
import { Block, JobLink, JobTable, Moment, Nothing, ResultLink, spokenName, StateMark } from './job_parts';
import { kindTitle, reasonText, tookText, triesText, whoText } from './job_words';

type Props = { board: Board; filter: HistoryFilter; reload: () => void; onMore: () => void };

function FilterBar({ board, filter }: { board: Board; filter: HistoryFilter }) {
  const go = (part: Partial<HistoryFilter>): void => navigate(jobsAddress({ filter: { ...filter, ...part }, job: '' }));
  const kinds = [...new Set([...board.kinds.map((kind) => kind.name), ...(filter.kind === '' ? [] : [filter.kind])])];
  return (
    <>
      <select class="no-print" aria-label="Outcome" value={filter.state} onChange={(event) => go({ state: event.currentTarget.value as JobState | '' })}>
        <option value="">every outcome</option>
        <option value="done">done</option>
        <option value="failed">failed</option>
        <option value="cancelled">cancelled</option>
      </select>
      <select class="no-print" aria-label="Kind" value={filter.kind} onChange={(event) => go({ kind: event.currentTarget.value })}>
        <option value="">every kind</option>
        {kinds.map((kind) => (
          <option key={kind} value={kind}>
            {kindTitle(kind)}
          </option>
        ))}
      </select>
    </>
  );
}

export function History({ board, filter, reload, onMore }: Props) {
  const { counts } = board;
  const all = counts.done + counts.failed + counts.cancelled;
  const narrowed = filter.state !== '' || filter.kind !== '';
  return (
    <Block id="history" title="History" count={all} tools={<FilterBar board={board} filter={filter} />}>
      {board.history.length === 0 && !narrowed && <Nothing>Nothing has ended yet. Ended jobs stay here for seven days, with their results.</Nothing>}
      {board.history.length === 0 && narrowed && (
        <Nothing>
          None passes this filter. <a href={jobsAddress({ filter: { state: '', kind: '' }, job: '' })}>Clear the filter</a>
        </Nothing>
      )}
      {board.history.length > 0 && (
        <JobTable label="History" columns={[{ title: 'Job' }, { title: 'Outcome' }, { title: 'Result' }, { title: 'Asked for by' }, { title: 'Ended', num: true }, { title: 'Took', num: true }, { title: 'Tries', num: true }]}>
          {board.history.map((job) => (
            <EndedRow key={job.id} job={job} filter={filter} reload={reload} />
          ))}
        </JobTable>
      )}
      {board.historyMore && (
        <button type="button" class="button no-print job-more" onClick={onMore}>
          Show {pageSize} more
        </button>
      )}
    </Block>
  );
}

function EndedRow({ job, filter, reload }: { job: Job; filter: HistoryFilter; reload: () => void }) {
  return (
    <tr data-row={job.id}>
      <th scope="row" data-title="Job" class="job-name">
        <JobLink job={job} filter={filter} />
      </th>
      <td data-title="Outcome" class="job-reason">
        <StateMark job={job} />
        {job.state !== 'done' && job.error !== '' && <span class="job-why">{reasonText(job.error)}</span>}
      </td>
      <td data-title="Result" class="job-result">
        <ResultLink job={job} filter={filter} />
      </td>
      <td data-title="Asked by">{whoText(job)}</td>
      <td data-title="Ended" class="num">
        <Moment at={job.ended_at} />
      </td>
      <td data-title="Took" class="num">
        {tookText(job) || '–'}
      </td>
      <td data-title="Tries" class="num">
        {triesText(job)}
      </td>
      <td class="no-print job-actions">
        {job.retry_url !== null && (
          <button type="button" class="button small" data-do="retry" aria-label={`Try again: ${spokenName(job)}`} onClick={() => void tryAgain(job, reload)}>
            Try again
          </button>
        )}
      </td>
    </tr>
  );
}
