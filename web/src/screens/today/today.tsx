// Today: what is open, what is late, what changed, what needs a decision.
import './today.css';

import { useEffect, useRef, useState } from 'preact/hooks';

import { changes, exportAddress, today } from '../../api/client';
import type { ChangesDelta, CurrencySum, OrderRow, Today, WordedChange } from '../../api/types';
import { live, now } from '../../parts/app_state';
import { Amount, Empty, Mark, Problem, Skeleton, SumLines } from '../../parts/basics';
import { counted, formatCount, formatDayLong, formatInstant, formatWhen, isoWeek, latenessText } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { useCommands } from '../../parts/keys';
import { navigate } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { Ages } from './ages';
import { changesKept, kindTone, mergeChanges, sinceChoices, type SinceChoice, summarise } from './changes';
import { HeldBanner, SourcesLine } from './sources_line';

export default function TodayScreen() {
  const answer = useAnswer('today', today);
  const since = answer.data?.as_of ?? null;
  useEffect(() => {
    document.title = 'Today · Millrace';
  }, []);
  useEffect(() => {
    if (since === null) return;
    return live.subscribe({ topic: 'totals', since, onDelta: answer.reload, onResync: answer.reload });
  }, [since === null]);
  const data = answer.data;
  return (
    <div class="today page">
      <header class="page-head">
        <div>
          <h1>Today</h1>
          <p class="quiet">{data === null ? '\u00a0' : `${formatDayLong(data.day)}, week ${isoWeek(data.day)}`}</p>
          <SourcesLine told={data?.sources ?? []} />
        </div>
        <span class="spring" />
        <span class="row no-print">
          <button type="button" class="button" onClick={() => print()}>
            <Icon name="print" />
            <span>Print</span>
          </button>
          <a class="button" href={exportAddress('xlsx', 'late=true&sort=-lateness_days')} download="">
            <Icon name="download" />
            <span>Late orders, XLSX</span>
          </a>
        </span>
      </header>
      <HeldBanner />
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={4} class="card-skeleton" />}
      {data !== null && <Cards data={data} />}
      {/* Loaded beside the cards, shown with them: what one reads does not move. The list that grows comes last. */}
      <div class={`today-columns ${data === null ? 'is-first' : ''}`}>
        <div class="today-main">
          {data !== null && <Decisions rows={data.needs_decision} />}
          <WhatChanged />
        </div>
        <div class="today-side">{data !== null && <Ages ages={data.ages} />}</div>
      </div>
    </div>
  );
}

function Card({ title, href, children }: { title: string; href: string; children: preact.ComponentChildren }) {
  return (
    <a class="card" href={href}>
      <span class="card-title">{title}</span>
      {children}
    </a>
  );
}

const count = (sums: CurrencySum[], pick: (sum: CurrencySum) => number): number =>
  sums.reduce((sum, one) => sum + pick(one), 0);

function Cards({ data }: { data: Today }) {
  const open = count(data.sums, (sum) => sum.open_orders);
  const late = count(data.sums, (sum) => sum.late_orders);
  const soon = count(data.due_soon, (sum) => sum.open_orders);
  const withLate = data.sums.filter((sum) => sum.late_orders > 0);
  return (
    <div class="cards">
      <Card title="Open amount" href="/orders?open_amount=gt.0&sort=-open_amount">
        <span class="card-value">
          <SumLines sums={data.sums} pick={(sum) => sum.open_amount} />
        </span>
        <span class="quiet">in {counted(open, 'open order')}</span>
      </Card>
      <Card title="Late" href="/orders?late=true&sort=-lateness_days">
        <span class="card-value">
          {late === 0 ? <Mark tone="good">none late</Mark> : <Mark tone="poor">{counted(late, 'order')}</Mark>}
        </span>
        <span class="card-lines">
          <SumLines sums={withLate} pick={(sum) => sum.late_amount} />
        </span>
      </Card>
      <Card title="Due within seven days" href="/orders?due=gte.today&due=lte.today%2B7&open_amount=gt.0&sort=due">
        <span class="card-value">{soon === 0 ? 'none' : <Mark tone="fair">{counted(soon, 'order')}</Mark>}</span>
        <span class="card-lines">
          <SumLines sums={data.due_soon} pick={(sum) => sum.open_amount} />
        </span>
      </Card>
      <div class="card-pair">
        <Card title="Rejections" href="/sources#rejections">
          <span class="card-value">
            {data.rejections === 0 ? <Mark tone="good">none</Mark> : <Mark tone="fair">{formatCount(data.rejections)}</Mark>}
          </span>
          <span class="quiet">{data.rejections === 0 ? 'everything could be read' : 'could not be read'}</span>
        </Card>
        {(data.differences > 0 || data.sources.length > 1) && (
          <Card title="Differences" href="/differences">
            <span class="card-value">
              {data.differences > 0 ? <Mark tone="fair">{counted(data.differences, 'order')}</Mark> : <Mark tone="good">none</Mark>}
            </span>
            <span class="quiet">{data.differences > 0 ? 'sources say different things' : 'sources agree, or it is decided'}</span>
          </Card>
        )}
      </div>
    </div>
  );
}

function Decisions({ rows }: { rows: OrderRow[] }) {
  const [active, setActive] = useState(0);
  const body = useRef<HTMLOListElement>(null);
  const move = (step: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, active + step));
    setActive(next);
    body.current?.querySelectorAll<HTMLElement>('a.decision')[next]?.focus();
  };
  const address = (): string => `/orders/${encodeURIComponent(rows[active]?.order ?? '')}`;
  useCommands({
    'list.next': () => move(document.activeElement?.classList.contains('decision') === true ? 1 : 0),
    'list.previous': () => move(-1),
    'list.open': () => navigate(address()),
    'list.open_tab': () => void window.open(address(), '_blank', 'noopener'),
  });
  return (
    <section class="block">
      <h2>
        Needs a decision <span class="quiet">open amount × days late</span>
      </h2>
      {rows.length === 0 ? (
        <Empty title="Nothing is late" why="Orders that are past their due date and still open will stand here, the most urgent first." />
      ) : (
        <ol class="decisions" ref={body}>
          {rows.map((row, at) => (
            <li key={row.order}>
              <a class="decision" href={`/orders/${encodeURIComponent(row.order)}`} onFocus={() => setActive(at)}>
                <span class="decision-order">{row.order}</span>
                <span class="decision-customer">{row.customer_name || row.customer}</span>
                <span class="decision-late">
                  <Mark tone="poor">{latenessText(row.lateness_days)}</Mark>
                </span>
                <span class="decision-status quiet">{row.status}</span>
                <span class="decision-amount">
                  <Amount money={row.open_amount} />
                </span>
              </a>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

const shownAtOnce = 12;

function WhatChanged() {
  const answer = useAnswer('changes', (abort) => changes(-changesKept, changesKept, abort));
  const [heard, setHeard] = useState<WordedChange[]>([]);
  const [choice, setChoice] = useState<SinceChoice>('yesterday');
  const [all, setAll] = useState(false);
  const held = useRef<WordedChange[] | null>(null); // while somebody points at the list it stands still
  const since = answer.data?.as_of ?? null;
  useEffect(() => {
    if (since === null) return;
    return live.subscribe({
      topic: 'changes',
      since,
      onDelta: (delta) => setHeard((before) => mergeChanges(before, (delta as unknown as ChangesDelta).changes)),
      onResync: answer.reload,
    });
  }, [since === null]);
  const known = mergeChanges(answer.data?.data ?? [], heard);
  const from = sinceChoices[choice].from(now.value);
  const recent = known.filter((change) => Date.parse(change.at) >= from);
  const newest = all ? recent : recent.slice(0, shownAtOnce);
  const shown = held.current ?? newest;
  const hold = (): void => {
    held.current ??= newest;
  };
  const release = (): void => {
    held.current = null;
    setHeard((before) => [...before]); // draw what came meanwhile
  };
  return (
    <section class="block">
      <div class="block-head">
        <h2>What changed</h2>
        <span class="spring" />
        <select aria-label="Since" value={choice} onChange={(event) => setChoice(event.currentTarget.value as SinceChoice)}>
          {Object.entries(sinceChoices).map(([name, one]) => (
            <option key={name} value={name}>
              {one.word}
            </option>
          ))}
        </select>
      </div>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && <Skeleton rows={6} />}
      {answer.data !== null && recent.length === 0 && <p class="quiet">Nothing changed in this time.</p>}
      {answer.data !== null && (
        <p class="change-counts">
          {summarise(recent).map((one) => (
            <Mark key={one.text} tone={one.tone}>
              {one.text}
            </Mark>
          ))}
          {known.length >= changesKept && recent.length === known.length && (
            <span class="quiet">of the last {formatCount(changesKept)} changes</span>
          )}
        </p>
      )}
      <ol class="changes" onPointerEnter={hold} onPointerLeave={release} onFocusIn={hold} onFocusOut={release}>
        {/* By place, not by change: a new one writes into the rows that stand there, so that nothing moves. */}
        {shown.map((change, place) => (
          <li key={place} class="change whole-row">
            <time dateTime={change.at} title={formatInstant(change.at)}>
              {formatWhen(change.at, now.value)}
            </time>
            <span class="change-words" title={change.text}>
              <Mark tone={kindTone[change.kind]}>
                {change.order === '' ? <span class="change-text">{change.text}</span> : <a href={`/orders/${encodeURIComponent(change.order)}`}>{change.text}</a>}
              </Mark>
              {change.customer_name !== '' && !change.text.includes(change.customer_name) && <span class="quiet"> {change.customer_name}</span>}
            </span>
          </li>
        ))}
      </ol>
      {recent.length > shown.length && (
        <button type="button" class="button small no-print" onClick={() => setAll(true)}>
          Show {formatCount(recent.length - shown.length)} more
        </button>
      )}
    </section>
  );
}
