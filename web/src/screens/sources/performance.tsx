// The performance panel: how well we remember what we read, how fast we answer, when the next refresh comes.
import { useEffect, useState } from 'preact/hooks';

import { performance, type SourceAction } from '../../api/client';
import type { Performance, SourceStatus, Word } from '../../api/types';
import { connection, now, serverVersion } from '../../parts/app_state';
import { Mark, Problem, Skeleton } from '../../parts/basics';
import { counted, formatBytes, formatCount, formatInterval, formatMilliseconds, formatPercent, formatRate, formatWhen } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';
import { answersUnjudged, filesUnjudged } from './judgement';

const pollEvery = 5000; // milliseconds, while the page is visible

type PanelProps = { sources: SourceStatus[]; onAct: (source: SourceStatus, action: SourceAction) => void };

export function PerformancePanel({ sources, onAct }: PanelProps) {
  const answer = useAnswer('performance', performance);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && connection.value === 'live') answer.reload();
    }, pollEvery);
    return () => clearInterval(timer);
  }, [answer.reload]);
  const data = answer.data;
  return (
    <section class="block performance" aria-labelledby="performance-title">
      <h2 id="performance-title">Performance</h2>
      {answer.problem !== null && data === null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={4} />}
      {data !== null && (
        <>
          <Rates data={data} sources={sources} />
          <Refreshes sources={sources} onAct={onAct} />
          <Loads data={data} />
          <Tips data={data} />
          <Routes data={data} />
        </>
      )}
    </section>
  );
}

type HitRateProps = { title: string; percent: number | null; word: Word; hits: number; misses: number; unit: string; unjudged: string | null };

function HitRate({ title, percent, word, hits, misses, unit, unjudged }: HitRateProps) {
  const rate = (percent ?? 0) / 100;
  return (
    <div class="gauge">
      <span class="label">{title}</span>
      {percent === null || unjudged !== null ? (
        <>
          <span class="gauge-value">{percent === null ? 'not asked yet' : 'too early to say'}</span>
          {unjudged !== null && <span class="quiet small-text">{unjudged}</span>}
        </>
      ) : (
        <>
          <span class="gauge-value">
            <Mark tone={word}>{`${formatPercent(rate)} ${word}`}</Mark>
          </span>
          <meter aria-label={title} min={0} max={1} low={0.6} high={0.8} optimum={1} value={rate} />
        </>
      )}
      <span class="quiet small-text num">
        {formatCount(hits)} {unit}, {counted(misses, 'miss', 'misses')}
      </span>
    </div>
  );
}

function Rates({ data, sources }: { data: Performance; sources: SourceStatus[] }) {
  const { cache, files, requests, live, memory, record } = data;
  return (
    <div class="gauges">
      <HitRate title="Kept answers" percent={cache.hit_rate} word={cache.word} hits={cache.hits} misses={cache.misses} unit="hits" unjudged={answersUnjudged(cache)} />
      <HitRate title="Files proven unchanged" percent={files.hit_rate} word={files.word} hits={files.hits} misses={files.misses} unit="unchanged" unjudged={filesUnjudged(files, sources)} />
      <div class="gauge">
        <span class="label">Service</span>
        <span class="gauge-value">{connection.value === 'live' ? <Mark tone="good">running</Mark> : <Mark tone="poor">no connection</Mark>}</span>
        <span class="quiet small-text">
          {serverVersion.value === '' ? '' : `version ${serverVersion.value}, `}
          {counted(live.clients, 'open screen')}
        </span>
      </div>
      <div class="gauge">
        <span class="label">Requests</span>
        <span class="gauge-value num">{formatRate(requests.rate_1m)} /s</span>
        <span class="quiet small-text num">
          p50 {formatMilliseconds(requests.p50_ms)} · p95 {formatMilliseconds(requests.p95_ms)} · p99 {formatMilliseconds(requests.p99_ms)} · {counted(requests.errors, 'error')}
        </span>
      </div>
      <div class="gauge">
        <span class="label">Size</span>
        <span class="gauge-value num">{formatBytes(memory.rss_bytes)}</span>
        <span class="quiet small-text num">
          memory · kept answers {formatBytes(cache.bytes)} · record {formatBytes(record.database_bytes)}
        </span>
      </div>
    </div>
  );
}

function Refreshes({ sources, onAct }: PanelProps) {
  return (
    <ul class="refreshes">
      {sources.map((source) => {
        const paused = source.state === 'paused';
        const read = `${formatCount(source.files_read)} of ${counted(source.files, source.service === null ? 'file' : 'document')} read`;
        return (
          <li key={source.id}>
            <span>
              <strong>{source.id}</strong> background refresh {paused ? <Mark tone="fair">paused</Mark> : <Mark tone="good">on</Mark>}, every{' '}
              {formatInterval(source.refresh.interval_s)}
            </span>
            <span class="quiet num">
              last {formatWhen(source.refresh.started, now.value)} ({formatMilliseconds(source.refresh.took_ms)}, {read}) · next {formatWhen(source.refresh.next, now.value)}
            </span>
            <span class="row no-print">
              <button type="button" class="button small" aria-label={`Refresh now: ${source.id}`} disabled={source.refresh.running} onClick={() => onAct(source, 'refresh')}>
                Refresh now
              </button>
              <button type="button" class="button small" aria-label={`${paused ? 'Resume' : 'Pause'}: ${source.id}`} onClick={() => onAct(source, paused ? 'resume' : 'pause')}>
                {paused ? 'Resume' : 'Pause'}
              </button>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Loads({ data }: { data: Performance }) {
  const shown = data.loads.filter((load) => load.fresh_ms !== null || load.unchanged_ms !== null);
  if (shown.length === 0) return null;
  return (
    <ul class="loads">
      {shown.map((load) => (
        <li key={load.source}>
          <strong>{load.source}</strong>
          {load.fresh_ms !== null && (
            <span class="num">
              {' '}
              read fresh: {formatMilliseconds(load.fresh_ms)} for {counted(load.fresh_files, 'file')}
            </span>
          )}
          {load.unchanged_ms !== null && (
            <span class="num">
              {' '}
              · looked again, unchanged: {formatMilliseconds(load.unchanged_ms)} for {counted(load.unchanged_files, 'file')}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Tips({ data }: { data: Performance }) {
  if (data.tips.length === 0) return null;
  return (
    <div class="tips">
      <p class="label">What this means</p>
      <ul>
        {data.tips.map((tip) => (
          <li key={tip.text}>{tip.text}</li>
        ))}
      </ul>
    </div>
  );
}

const routesFirst = 8;

function Routes({ data }: { data: Performance }) {
  const [all, setAll] = useState(false);
  const sorted = [...data.routes].sort((a, b) => b.p95_ms - a.p95_ms);
  if (sorted.length === 0) return null;
  const shown = all ? sorted : sorted.slice(0, routesFirst);
  return (
    <details class="routes">
      <summary>Slowest routes</summary>
      <div class="table-box" tabIndex={0} role="region" aria-label="Routes">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col" class="num">Requests</th>
              <th scope="col" class="num">p50</th>
              <th scope="col" class="num">p95</th>
              <th scope="col" class="num">p99</th>
              <th scope="col" class="num">Errors</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((route) => (
              <tr key={route.route}>
                <th scope="row" class="path">
                  {route.route}
                </th>
                <td class="num">{formatCount(route.count)}</td>
                <td class="num">{formatMilliseconds(route.p50_ms)}</td>
                <td class="num">{formatMilliseconds(route.p95_ms)}</td>
                <td class="num">{formatMilliseconds(route.p99_ms)}</td>
                <td class="num">{formatCount(route.errors)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length > shown.length && (
        <button type="button" class="button small" onClick={() => setAll(true)}>
          Show all {formatCount(sorted.length)}
        </button>
      )}
    </details>
  );
}
