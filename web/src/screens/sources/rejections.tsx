// What could not be read: file, place, reason, value and what became of it. Fix the file and it leaves by itself;
// Replay reads it again at once.
import { useEffect, useState } from 'preact/hooks';

import { rejections, replay } from '../../api/client';
import type { Rejection, RejectionsDelta } from '../../api/types';
import { live, now, toast } from '../../parts/app_state';
import { Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { absent, counted, formatInstant, formatWhen } from '../../parts/format';
import { Icon } from '../../parts/icons';
import type { Tone } from '../../parts/status';
import { useAnswer } from '../../parts/use_answer';
import { filterRejections, mergeRejections } from './rejection_list';

const outcomes: Record<Rejection['outcome'], { word: string; tone: Tone }> = {
  reject: { word: 'refused', tone: 'poor' },
  keep_previous: { word: 'previous kept', tone: 'fair' },
  ingest_and_flag: { word: 'read, flagged', tone: 'fair' },
  superseded: { word: 'superseded', tone: 'idle' },
  held: { word: 'held', tone: 'poor' },
};

async function replayOne(rejection: Rejection): Promise<void> {
  try {
    await replay(rejection.id);
    toast({ text: `${rejection.path} is being read again.` });
  } catch (error) {
    toast({ text: (error as Error).message, tone: 'problem' });
  }
}

export function RejectionList() {
  const answer = useAnswer('rejections', rejections);
  const [list, setList] = useState<Rejection[]>([]);
  const [text, setText] = useState('');
  const [outcome, setOutcome] = useState('');
  const since = answer.data?.as_of ?? null;
  useEffect(() => {
    if (answer.data !== null) setList(answer.data.data);
  }, [answer.data]);
  useEffect(() => {
    if (since === null) return;
    return live.subscribe({
      topic: 'rejections',
      since,
      onDelta: (delta) => {
        const { put, removed } = delta as unknown as RejectionsDelta;
        setList((before) => mergeRejections(before, put, removed));
      },
      onResync: answer.reload,
    });
  }, [since === null]);

  const shown = filterRejections(list, text, outcome);
  return (
    <section class="block" id="rejections" aria-labelledby="rejections-title">
      <div class="block-head">
        <h2 id="rejections-title">
          Rejections <span class="quiet num">{list.length}</span>
        </h2>
        <span class="spring" />
        <input class="no-print" type="search" aria-label="Filter rejections" placeholder="Filter by file, reason, value" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <select class="no-print" aria-label="Outcome" value={outcome} onChange={(event) => setOutcome(event.currentTarget.value)}>
          <option value="">every outcome</option>
          {Object.entries(outcomes).map(([name, one]) => (
            <option key={name} value={name}>
              {one.word}
            </option>
          ))}
        </select>
        <a class="button no-print" href="/api/v1/rejections.csv" download="">
          <Icon name="download" />
          <span>CSV</span>
        </a>
      </div>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && <Skeleton rows={3} />}
      {answer.data !== null && list.length === 0 && (
        <Empty title="No rejections" why="Every file and every row could be read. What cannot be read will stand here with file, place and reason." />
      )}
      {list.length > 0 && shown.length === 0 && (
        <Empty
          title="None passes this filter"
          why={`The filter leaves out ${counted(list.length, 'rejection')}.`}
          action={
            <button type="button" class="button" onClick={() => (setText(''), setOutcome(''))}>
              Clear the filter
            </button>
          }
        />
      )}
      {shown.length > 0 && <RejectionTable list={shown} />}
    </section>
  );
}

function RejectionTable({ list }: { list: Rejection[] }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Rejections">
      <table class="table rejections">
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col">Place</th>
            <th scope="col">Reason</th>
            <th scope="col">Value</th>
            <th scope="col">Outcome</th>
            <th scope="col">Order</th>
            <th scope="col" class="num">Since</th>
            <th scope="col" class="no-print">
              <span class="only-read">Action</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((rejection) => (
            <tr key={rejection.id} data-path={rejection.path}>
              <th scope="row" class="path" data-title="File">
                {rejection.path}
                <span class="quiet"> {rejection.source}</span>
              </th>
              <td data-title="Place">{rejection.place || absent}</td>
              <td data-title="Reason" class="reason">
                {rejection.reason}
              </td>
              <td data-title="Value" class="value">
                {rejection.value || absent}
              </td>
              <td data-title="Outcome">
                <Mark tone={outcomes[rejection.outcome]?.tone ?? 'fair'}>{outcomes[rejection.outcome]?.word ?? rejection.outcome}</Mark>
              </td>
              <td data-title="Order" class="whole-row">
                {rejection.order === '' ? absent : <a href={`/orders/${encodeURIComponent(rejection.order)}`}>{rejection.order}</a>}
              </td>
              <td data-title="Since" class="num" title={formatInstant(rejection.since)}>
                {formatWhen(rejection.since, now.value)}
              </td>
              <td class="no-print">
                <button type="button" class="button small" aria-label={`Replay ${rejection.path}`} onClick={() => void replayOne(rejection)}>
                  Replay
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
