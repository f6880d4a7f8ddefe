// An ERP: how far it is in step, proven when and by what, what it costs it, and what it can do.
import './service.css';

import type { ComponentChildren } from 'preact';

import type { ServiceStatus, StreamStatus, SyncRun } from '../../api/types';
import { heardSources, now } from '../../parts/app_state';
import { Mark } from '../../parts/basics';
import {
  absent,
  ageOf,
  counted,
  formatAge,
  formatBytes,
  formatClock,
  formatCount,
  formatInterval,
  formatMilliseconds,
  formatUntil,
  formatWhen,
  sentence,
} from '../../parts/format';
import { ageNow } from '../../parts/freshness';
import type { Tone } from '../../parts/status';
import { barHeights, breakerText, capabilityName, dialectName, insecureText, runsText, serviceState, verifiedText } from './service_words';
import { Fact, SourceActions, type SourceProps } from './source_parts';

export function ServiceCard({ source, service, onAct, onChanged }: SourceProps & { service: ServiceStatus }) {
  const heard = heardSources.value.find((one) => one.id === source.id);
  const seconds = heard === undefined ? source.age_s : ageNow(heard, now.value);
  const state = serviceState(source);
  const { refresh } = source;
  return (
    <article class="source" aria-label={`Source ${source.id}`}>
      <header class="source-head">
        <h2>{source.id}</h2>
        <Mark tone={state.word}>{state.text}</Mark>
        <span class="quiet">{dialectName(service.dialect)}</span>
        <span class="quiet path">{[service.company, service.address].filter(Boolean).join(' · ')}</span>
      </header>
      <Notices source={source} service={service} />
      <dl class="facts source-facts">
        <Fact ticks title="Last in step" text={formatWhen(source.as_of_time, now.value)} hint="Everything the ERP had at this moment is here" />
        <Fact ticks title="Age" text={seconds === null ? absent : formatAge(seconds)} />
        <Fact ticks title="Next sync" text={refresh.running ? 'running' : formatUntil(refresh.next, now.value)} hint={sentence(source.delay_why)} />
        <Fact title="Asked every" text={formatInterval(refresh.interval_s)} hint={sentence(source.delay_why)} />
        <Fact title="Orders" text={formatCount(source.orders)} />
        <Fact ticks title="Syncs" text={`${formatCount(refresh.count)}, ${formatCount(refresh.with_changes)} with changes`} />
        <Fact ticks title="Last sync took" text={refresh.count === 0 ? absent : formatMilliseconds(refresh.took_ms)} />
        <Budget service={service} />
        <Fact title="Rejections" text={formatCount(source.rejections)} />
      </dl>
      <div class="streams">
        {service.streams.map((stream) => (
          <Stream key={stream.name} stream={stream} />
        ))}
      </div>
      <SourceActions source={source} onAct={onAct} onChanged={onChanged} />
      <div class="service-more">
        <Calls service={service} />
        <Capabilities service={service} />
      </div>
    </article>
  );
}

// What a person should read first; a held sync has its own part above and is not said twice.
function Notices({ source, service }: { source: SourceProps['source']; service: ServiceStatus }) {
  const breaker = breakerText(service);
  const held = service.held.length > 0;
  return (
    <>
      {held && (
        <p class="source-message tone-box-poor">
          A sync is held and waits for a decision. <a href="#held">Look at it</a>
        </p>
      )}
      {!held && source.message !== '' && <p class={`source-message tone-box-${source.state_word}`}>{sentence(source.message)}</p>}
      {breaker !== null && <p class="source-message tone-box-poor">{breaker}</p>}
      {source.hangs_since !== null && (
        <p class="source-message tone-box-poor">
          The ERP has not answered since {formatClock(source.hangs_since)}. What was read before stays; nothing is removed meanwhile.
        </p>
      )}
      {service.insecure && (
        <p class="source-message tone-box-fair">
          <Mark tone="fair">Insecure.</Mark> {insecureText}
        </p>
      )}
    </>
  );
}

function Budget({ service }: { service: ServiceStatus }) {
  const { calls_this_hour: calls, calls_per_hour: bound } = service;
  if (bound === 0) return <Fact ticks title="Calls this hour" text={`${formatCount(calls)}, no bound`} />;
  return (
    <div>
      <dt>Calls this hour</dt>
      <dd>
        <span class="num">
          {formatCount(calls)} of {formatCount(bound)}
        </span>
        <meter class="budget" aria-label="Calls this hour of those allowed" min={0} max={bound} low={bound * 0.8} high={bound * 0.95} optimum={0} value={Math.min(calls, bound)} />
      </dd>
    </div>
  );
}

const phaseTone: Record<StreamStatus['phase'], Tone> = { 'first sync': 'busy', following: 'plain', off: 'idle' };

function Stream({ stream }: { stream: StreamStatus }) {
  const verified = verifiedText(stream, now.value);
  const { last_good: good } = stream;
  return (
    <section class="stream" aria-label={`Stream ${stream.name}`}>
      <p class="stream-head">
        <strong>{stream.name.replaceAll('-', ' ')}</strong> <Mark tone={phaseTone[stream.phase]}>{stream.phase}</Mark>
        <span class="stream-good quiet num small-text">{good === null ? 'never good yet' : `good ${formatAge(ageOf(good, now.value))} ago, ${formatWhen(good, now.value)}`}</span>
      </p>
      <p class="stream-rows num">
        <span class="stream-count">{formatCount(stream.rows)}</span> rows
        {stream.rows_open > 0 && <span class="quiet">, {formatCount(stream.rows_open)} open</span>}
      </p>
      {stream.phase === 'first sync' && <FirstSync stream={stream} />}
      {stream.phase !== 'off' && (
        <p class="verified">
          <Mark tone={verified.word}>{verified.text}</Mark> <span class="quiet">{verified.more}</span>
        </p>
      )}
      {stream.runs.length > 0 && <Runs stream={stream} />}
    </section>
  );
}

function FirstSync({ stream }: { stream: StreamStatus }) {
  const { progress_done: read, progress_total: total } = stream;
  const known = total > 0;
  return (
    <div class="progress">
      <progress aria-label={`First sync of ${stream.name}`} max={known ? total : undefined} value={known ? Math.min(read, total) : undefined} />
      <span class="num">
        {formatCount(read)}
        {known && ` of ${formatCount(total)}`} rows
      </span>
    </div>
  );
}

const barTop = 28;
const barStep = 7;
const barsMax = 24;

function Bars({ runs }: { runs: SyncRun[] }) {
  const shown = [...runs].reverse(); // time runs to the right
  const heights = barHeights(shown, barTop);
  const first = barsMax - shown.length;
  return (
    <svg class="run-bars" viewBox={`0 0 ${barsMax * barStep} ${barTop}`} preserveAspectRatio="xMaxYMax meet" role="img" aria-label={runsText(runs)}>
      {shown.map((run, at) => (
        <rect key={run.started} class={`run-${run.outcome}`} x={(first + at) * barStep} y={barTop - (heights[at] ?? 0)} width={barStep - 2} height={heights[at]} rx="1">
          <title>{`${formatClock(run.started)}, ${formatMilliseconds(run.took_ms)}, ${counted(run.rows_written + run.rows_gone, 'row')} changed, ${run.outcome}`}</title>
        </rect>
      ))}
    </svg>
  );
}

const outcomeTone: Record<SyncRun['outcome'], Tone> = { good: 'good', held: 'poor', failed: 'poor' };

function Runs({ stream }: { stream: StreamStatus }) {
  const bad = stream.runs.find((run) => run.outcome !== 'good' && run.message !== '');
  return (
    <>
      <div class="runs">
        <Bars runs={stream.runs} />
        <span class="quiet small-text">{runsText(stream.runs)}</span>
      </div>
      {bad !== undefined && (
        <p class="small-text">
          <span class="quiet num">{formatWhen(bad.started, now.value)}</span> {sentence(bad.message)}
        </p>
      )}
      <Folded title={`Last syncs of ${stream.name}`} region={`Syncs of ${stream.name}`} heads={['Started', 'Took', 'Calls', 'Rows read', 'Documents', 'Written', 'Gone', 'Outcome']} text={[0, 7]}>
        {stream.runs.map((run) => (
          <tr key={run.started} title={sentence(run.message)}>
            <th scope="row" class="num">
              {formatWhen(run.started, now.value)}
            </th>
            <td class="num">{formatMilliseconds(run.took_ms)}</td>
            <td class="num">{formatCount(run.calls)}</td>
            <td class="num">{formatCount(run.rows_read)}</td>
            <td class="num">{formatCount(run.documents_read)}</td>
            <td class="num">{formatCount(run.rows_written)}</td>
            <td class="num">{formatCount(run.rows_gone)}</td>
            <td>
              <Mark tone={outcomeTone[run.outcome]}>{run.outcome}</Mark>
            </td>
          </tr>
        ))}
      </Folded>
    </>
  );
}

type FoldedProps = { title: string; region: string; heads: string[]; text: number[]; children: ComponentChildren };

// A table one opens when one wants to know; `text` names the columns that are not numbers.
function Folded({ title, region, heads, text, children }: FoldedProps) {
  return (
    <details class="routes">
      <summary>{title}</summary>
      <div class="table-box" tabIndex={0} role="region" aria-label={region}>
        <table class="table">
          <thead>
            <tr>
              {heads.map((head, at) => (
                <th key={head} scope="col" class={text.includes(at) ? undefined : 'num'}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </details>
  );
}

function Calls({ service }: { service: ServiceStatus }) {
  if (service.calls.length === 0) return null;
  const all = service.calls.reduce((sum, one) => sum + one.calls, 0);
  return (
    <Folded title={`Calls by kind, ${formatCount(all)} since the start`} region="Calls by kind" heads={['Kind', 'Calls', 'Tried again', 'Failed', 'Answered', 'Time each']} text={[0]}>
      {service.calls.map((one) => (
        <tr key={one.kind}>
          <th scope="row">{one.kind}</th>
          <td class="num">{formatCount(one.calls)}</td>
          <td class="num">{formatCount(one.retries)}</td>
          <td class="num">{formatCount(one.failed)}</td>
          <td class="num">{formatBytes(one.bytes)}</td>
          <td class="num">{one.calls === 0 ? absent : formatMilliseconds(one.time_us / 1000 / one.calls)}</td>
        </tr>
      ))}
    </Folded>
  );
}

function Capabilities({ service }: { service: ServiceStatus }) {
  if (service.capabilities.length === 0) return null;
  return (
    <Folded title="What this ERP can do" region="What this ERP can do" heads={['What we found out', 'Answer']} text={[0, 1]}>
      {service.capabilities.map((one) => (
        <tr key={one.name}>
          <th scope="row">{capabilityName(one.name)}</th>
          <td>{one.value}</td>
        </tr>
      ))}
    </Folded>
  );
}
