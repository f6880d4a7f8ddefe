// Sources & rejections: is everything read, how old is it, what could not be read, and how fast are we.
import './sources.css';

import { useEffect, useState } from 'preact/hooks';

import { sourceAction, type SourceAction, sources } from '../../api/client';
import type { SourcesDelta, SourceStatus } from '../../api/types';
import { done, heardSources, live, now, toast } from '../../parts/app_state';
import { Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { Confirm } from '../../parts/dialog';
import {
  absent,
  counted,
  formatAge,
  formatCount,
  formatMilliseconds,
  formatWhen,
  sentence,
} from '../../parts/format';
import { ageNow } from '../../parts/freshness';
import { useCommands } from '../../parts/keys';
import { useAnswer } from '../../parts/use_answer';
import { HeldSyncs } from './held';
import { PerformancePanel } from './performance';
import { RejectionList } from './rejections';
import { ServiceCard } from './service';
import { Fact, say, SourceActions, type SourceProps } from './source_parts';

export default function SourcesScreen() {
  const answer = useAnswer('sources', sources);
  const [heard, setHeard] = useState<SourceStatus[] | null>(null);
  const since = answer.data?.as_of ?? null;
  useEffect(() => {
    document.title = 'Sources · Millrace';
  }, []);
  useEffect(() => {
    if (since === null) return;
    return live.subscribe({
      topic: 'sources',
      since,
      onDelta: (delta) => setHeard((delta as unknown as SourcesDelta).sources),
      onResync: answer.reload,
    });
  }, [since === null]);
  const list = heard ?? answer.data?.data ?? null;
  // "#held", "#rejections": the part is there only now.
  useEffect(() => {
    if (list !== null && location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }, [list === null]);
  const act = (source: SourceStatus, action: SourceAction): void => void actOn(source, action).then(answer.reload);
  useCommands({ 'sources.refresh': () => list?.forEach((source) => act(source, 'refresh')) });

  return (
    <div class="page sources">
      <header class="page-head">
        <h1>Sources &amp; rejections</h1>
      </header>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {list === null && answer.problem === null && <Skeleton rows={4} />}
      {list !== null && list.length === 0 && (
        <Empty title="No source yet" why="Start the server with --orders and a folder, and its files will be read here." />
      )}
      {list !== null && <HeldSyncs sources={list} onAct={act} />}
      {list !== null && list.length > 0 && <SourceTable list={list} onAct={act} onChanged={answer.reload} />}
      <PerformancePanel sources={list ?? []} onAct={act} />
      <RejectionList />
    </div>
  );
}

const words: Record<SourceAction, string> = {
  refresh: 'is being refreshed',
  pause: 'is paused',
  resume: 'runs again',
  'accept-vanished': 'accepted: its orders are being removed',
  'accept-held': 'accepted: what was held is being taken over',
  'reject-held': 'rejected: the last good state stays, and the next sync looks again',
};

async function actOn(source: SourceStatus, action: SourceAction): Promise<void> {
  try {
    await sourceAction(source.id, action);
    const back: SourceAction | null = action === 'pause' ? 'resume' : action === 'resume' ? 'pause' : null;
    const text = `${source.id} ${words[action]}`;
    if (back === null) toast({ text: `${text}.` });
    else done(text, () => void sourceAction(source.id, back).catch(say));
  } catch (error) {
    say(error);
  }
}

type TableProps = Omit<SourceProps, 'source'> & { list: SourceStatus[] };

function SourceTable({ list, onAct, onChanged }: TableProps) {
  return (
    <section class="block" aria-label="Sources">
      <div class="source-list">
        {list.map((source) =>
          source.service === null ? (
            <SourceCard key={source.id} source={source} onAct={onAct} onChanged={onChanged} />
          ) : (
            <ServiceCard key={source.id} source={source} service={source.service} onAct={onAct} onChanged={onChanged} />
          ),
        )}
      </div>
    </section>
  );
}

function SourceCard({ source, onAct, onChanged }: SourceProps) {
  const heard = heardSources.value.find((one) => one.id === source.id);
  const seconds = heard === undefined ? source.age_s : ageNow(heard, now.value);
  const age = seconds === null ? absent : formatAge(seconds);
  const refresh = source.refresh;
  return (
    <article class="source" aria-label={`Source ${source.id}`}>
      <header class="source-head">
        <h2>{source.id}</h2>
        <Mark tone={source.state_word}>{`${source.state}, ${source.state_word}`}</Mark>
        <span class="quiet path">
          {source.kind} · {source.root}
        </span>
      </header>
      {source.message !== '' && <p class={`source-message tone-box-${source.state_word}`}>{sentence(source.message)}</p>}
      {source.state === 'held' && <Held source={source} onAct={onAct} />}
      {refresh.running && <Progress source={source} />}
      <dl class="facts source-facts">
        <Fact ticks title="Last agreed" text={formatWhen(source.as_of_time, now.value)} hint="The record agreed with the source at this moment" />
        <Fact ticks title="Age" text={age} />
        <Fact
          title="Follows"
          text={source.poll_interval_ms === 0 ? 'file events, at once' : `listed every ${formatMilliseconds(source.poll_interval_ms)}, seen within ${formatMilliseconds(source.delay_max_ms)}`}
          hint={source.delay_why}
        />
        <Fact title="Orders" text={formatCount(source.orders)} />
        <Fact title="Files" text={formatCount(source.files)} />
        <Fact
          title="Last refresh"
          text={refresh.count === 0 ? absent : `${formatMilliseconds(refresh.took_ms)}, ${counted(source.files_read, 'file')} read`}
          hint={`${formatCount(source.files_unchanged)} files proven unchanged without opening them`}
        />
        <Fact title="Refreshes" text={`${formatCount(refresh.count)}, ${formatCount(refresh.with_changes)} with changes`} />
        <Fact ticks title="Next" text={formatWhen(refresh.next, now.value)} />
        <Fact title="Rejections" text={formatCount(source.rejections)} />
        <Fact title="Ignored files" text={formatCount(source.ignored)} />
        <Fact title="Waiting" text={formatCount(source.pending)} hint="Files that settle or wait to be read" />
        <Fact title="File events" text={`${formatCount(source.events)}${source.event_overflows > 0 ? `, ${counted(source.event_overflows, 'overflow')}` : ''}`} />
      </dl>
      <SourceActions source={source} onAct={onAct} onChanged={onChanged} />
    </article>
  );
}

function Progress({ source }: { source: SourceStatus }) {
  const { done: read, total, unit } = source.progress;
  const known = total > 0;
  return (
    <div class="progress">
      <progress aria-label={`Refresh of ${source.id}`} max={known ? total : undefined} value={known ? Math.min(read, total) : undefined} />
      <span class="num">
        {formatCount(read)}
        {known && ` of ${formatCount(total)}`} {unit}
      </span>
    </div>
  );
}

function Held({ source, onAct }: { source: SourceStatus; onAct: SourceProps['onAct'] }) {
  const [asking, setAsking] = useState(false);
  return (
    <div class="held" role="alert">
      <p>
        <Mark tone="poor">Nothing was deleted.</Mark> The folder vanished or came back empty, so its{' '}
        {counted(source.orders, 'order')} stay as they were until it is back or you say that this is right.
      </p>
      <button type="button" class="button danger" onClick={() => setAsking(true)}>
        Accept: orders were really removed
      </button>
      {asking && (
        <Confirm
          title={`Remove the orders of ${source.id}?`}
          text={
            <p>
              {counted(source.orders, 'order')} of this source will leave every list and total. Their history stays. They
              come back when their files do.
            </p>
          }
          yes="Accept, remove them"
          onYes={() => onAct(source, 'accept-vanished')}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
