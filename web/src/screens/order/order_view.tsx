// One order: what it is, what is open, which document says so, what it was. Shown as a page or beside the list.
import './order.css';

import type { ComponentType, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { history, order } from '../../api/client';
import type { OrderDetail, OrdersDelta } from '../../api/types';
import { live, now, toast } from '../../parts/app_state';
import { Amount, Live, Mark, Problem, Skeleton, StatusMark } from '../../parts/basics';
import { ageOf, counted, formatAge, formatAmount, formatDay, formatDecimal, formatInstant, latenessText } from '../../parts/format';
import { seesHistory, seesMoney } from '../../parts/me';
import { Icon } from '../../parts/icons';
import { useCommands } from '../../parts/keys';
import { navigate } from '../../parts/router';
import { latenessTone } from '../../parts/status';
import { useAnswer } from '../../parts/use_answer';
import { Documents, HistoryList, LinesTable } from './order_parts';
import { OrderDifferences, OriginWord } from './origins';
import { ProvenanceDialog } from './provenance';
import { Written } from './written';

export type OrderViewProps = {
  number: string;
  panel: boolean;
  onClose: () => void;
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
  fullContext?: unknown; // history state for the full page
};

export function OrderView(props: OrderViewProps) {
  const { number, panel, onClose, onPrevious, onNext } = props;
  const detail = useAnswer(number, (abort) => order(number, abort));
  const past = useAnswer(`${number}/history`, (abort) => (seesHistory() ? history(number, abort) : Promise.resolve(null)));
  const [asked, setAsked] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const since = detail.data?.as_of ?? null;

  useEffect(() => {
    if (since === null) return;
    const again = (): void => {
      detail.reload();
      past.reload();
    };
    return live.subscribe({
      topic: `orders?order=${encodeURIComponent(number)}`,
      since,
      onDelta: (delta) => {
        const { rows, gone } = delta as unknown as OrdersDelta;
        if ((rows?.length ?? 0) > 0 || (gone?.includes(number) ?? false)) again();
      },
      onResync: again,
    });
  }, [number, since === null]);
  useEffect(() => setAsked(null), [number]);
  useEffect(() => {
    if (!panel) heading.current?.focus();
  }, [number, panel]);
  useCommands({
    'order.previous': () => onPrevious?.(),
    'order.next': () => onNext?.(),
    'order.close': onClose,
    'order.provenance': () => setAsked(focusedField() ?? 'open_amount'),
  });

  // What a decision answered is shown until the order is read again.
  const [decided, setDecided] = useState<OrderDetail | null>(null);
  useEffect(() => setDecided(null), [detail.data]);
  const data = decided?.order === number ? decided : (detail.data?.order ?? null);
  return (
    <article class={`order-view ${panel ? 'order-panel' : 'order-page'}`} aria-label={`Order ${number}`}>
      <Head view={props} status={data?.status ?? null} heading={heading} />
      <div class="order-scroll" tabIndex={panel ? 0 : undefined} role={panel ? 'region' : undefined} aria-label={panel ? 'Order content' : undefined}>
        {detail.problem !== null && <Problem problem={detail.problem} retry={detail.reload} />}
        {data === null && detail.problem === null && <Skeleton rows={10} />}
        {data !== null && (
          <>
            <Facts order={data} onAsk={setAsked} onDecided={setDecided} />
            <Written key={number} number={number} version={data.overlay.version} />
            <LinesTable order={data} />
            {seesMoney() && <MoneyPart key={`money ${number}`} number={number} />}
            <Documents documents={data.documents} />
            {seesHistory() && <HistoryList past={past} />}
          </>
        )}
      </div>
      {asked !== null && <ProvenanceDialog number={number} field={asked} onField={setAsked} onClose={() => setAsked(null)} />}
    </article>
  );
}

// Where its money stands, in a file of its own: most who open an order look at its lines.
function MoneyPart({ number }: { number: string }) {
  const [Shown, setShown] = useState<ComponentType<{ number: string }> | null>(null);
  useEffect(() => {
    import('./order_money').then(
      (module) => setShown(() => module.default),
      () => toast({ text: 'A part of the page could not be loaded. A new version may be out: reload the page.', tone: 'problem' }),
    );
  }, []);
  return Shown === null ? null : <Shown number={number} />;
}

type HeadProps = { view: OrderViewProps; status: string | null; heading: RefObject<HTMLHeadingElement | null> };

function Head({ view, status, heading }: HeadProps) {
  const { number, panel, onClose, onPrevious, onNext, fullContext } = view;
  const Heading = panel ? 'h2' : 'h1';
  return (
    <header class="order-head">
      <button type="button" class="icon-button no-print" aria-label={panel ? 'Close order' : 'Back to the list'} onClick={onClose}>
        <Icon name={panel ? 'close' : 'left'} />
      </button>
      <Heading ref={heading} tabIndex={-1} class="order-number">
        {number}
      </Heading>
      {status !== null && <StatusMark status={status} />}
      <span class="spring" />
      <span class="row no-print">
        <button type="button" class="icon-button" aria-label="Previous order" title="Previous order  [" disabled={onPrevious === null} onClick={() => onPrevious?.()}>
          <Icon name="left" />
        </button>
        <button type="button" class="icon-button" aria-label="Next order" title="Next order  ]" disabled={onNext === null} onClick={() => onNext?.()}>
          <Icon name="right" />
        </button>
        {panel && (
          <button type="button" class="icon-button" aria-label="Open as a page" title="Open as a page" onClick={() => navigate(`/orders/${encodeURIComponent(number)}`, { state: fullContext })}>
            <Icon name="expand" />
          </button>
        )}
      </span>
    </header>
  );
}

// The field whose ⓘ has the focus, so that `i` asks about it.
function focusedField(): string | null {
  return (document.activeElement?.closest('[data-field]') as HTMLElement | null)?.dataset['field'] ?? null;
}

type Ask = (field: string) => void;

function Ask({ field, title, onAsk }: { field: string; title: string; onAsk: Ask }) {
  return (
    <button type="button" class="ask no-print" data-field={field} aria-label={`Where does ${title} come from?`} title="Where does this come from?  i" onClick={() => onAsk(field)}>
      <Icon name="info" />
    </button>
  );
}

type FactsProps = { order: OrderDetail; onAsk: Ask; onDecided: (order: OrderDetail) => void };

function AmountFacts({ order: row, onAsk }: { order: OrderDetail; onAsk: Ask }) {
  const openLines = row.lines_data.filter((line) => line.open_amount.minor !== 0);
  const only = openLines.length === 1 ? openLines[0] : undefined;
  const formula =
    only === undefined
      ? `Σ of ${counted(openLines.length, 'open line')}`
      : `${formatAmount(only.line_total)} × ${formatDecimal(only.open_quantity)} ÷ ${formatDecimal(only.quantity)}`;
  return (
    <>
      <div class="headline-fact">
        <span class="label">Open amount</span>
        <span class="big">
          <Amount money={row.open_amount} /> <Ask field="open_amount" title="the open amount" onAsk={onAsk} />
        </span>
        <span class="quiet small-text">= {formula}</span>
      </div>
      <div class="headline-fact">
        <span class="label">Total</span>
        <span class="big">
          <Amount money={row.total} /> <Ask field="total" title="the total" onAsk={onAsk} />
        </span>
        <span class="quiet small-text">
          = {formatAmount(row.net)} net + {formatAmount(row.tax)} tax + {formatAmount(row.freight)} freight
        </span>
      </div>
    </>
  );
}

function Facts({ order: row, onAsk, onDecided }: FactsProps) {
  return (
    <>
      <p class="order-customer whole-row">
        <a href={`/orders?customer=${encodeURIComponent(row.customer)}`}>{row.customer_name || row.customer || 'No customer'}</a>
        {row.customer_name !== '' && <span class="quiet"> {row.customer}</span>}
      </p>
      <div class="headline-facts">
        {seesMoney() && <AmountFacts order={row} onAsk={onAsk} />}
        <div class="headline-fact">
          <span class="label">Due</span>
          <span class="big">
            <Live text={formatDay(row.due)} /> <Ask field="due" title="the due date" onAsk={onAsk} />
          </span>
          {row.lateness_days !== null && <Mark tone={latenessTone(row)}>{latenessText(row.lateness_days)}</Mark>}
        </div>
      </div>
      <Flags order={row} />
      <OrderDifferences order={row} onDecided={onDecided} />
      <Details order={row} onAsk={onAsk} />
    </>
  );
}

function Flags({ order: row }: { order: OrderDetail }) {
  const differs = seesMoney() && row.document_total !== null && row.document_total.minor !== row.total.minor;
  if (row.flags.length === 0 && !differs) return null;
  return (
    <ul class="flags">
      {row.flags.map((flag) => (
        <li key={flag}>
          <Mark tone="fair">{flag}</Mark>
        </li>
      ))}
      {differs && row.document_total !== null && (
        <li>
          <Mark tone="fair">
            The document states a total of {formatAmount(row.document_total)} {row.document_total.currency}; the lines,
            tax and freight make {formatAmount(row.total)} {row.total.currency}.
          </Mark>
        </li>
      )}
    </ul>
  );
}

function Details({ order: row, onAsk }: { order: OrderDetail; onAsk: Ask }) {
  const facts: [string, string, string][] = [
    ['order_date', 'Order date', formatDay(row.order_date)],
    ['requested', 'Requested', formatDay(row.requested)],
    ['promise', 'Promise', formatDay(row.promise)],
    ['quantity', 'Quantity', formatDecimal(row.quantity)],
    ['open_quantity', 'Open quantity', formatDecimal(row.open_quantity)],
    ['status', 'Status', row.status || '–'],
    ['document_status', 'Document status', row.document_status || '–'],
    ['customer_reference', 'Customer reference', row.customer_reference || '–'],
    ['salesman', 'Salesman', row.salesman || '–'],
    ['payment_terms', 'Payment terms', row.payment_terms || '–'],
    ['revision', 'Revision', row.revision || '–'],
    ['source_key', 'Key in the source', row.source_key || '–'],
    ['updated', 'Document updated', formatInstant(row.updated)],
    ['changed_at', 'Changed here', `${formatInstant(row.changed_at)}, ${formatAge(ageOf(row.changed_at, now.value))} ago`],
  ];
  const ours = new Set(['changed_at', 'quantity', 'open_quantity']); // sums of lines and our own clock come from nobody
  const asked = new Set(['order_date', 'requested', 'promise', 'quantity', 'open_quantity', 'status']);
  return (
    <dl class="facts">
      {facts.map(([field, title, text]) => (
        <div key={field}>
          <dt>{title}</dt>
          <dd>
            {field === 'changed_at' ? <span class="num">{text}</span> : <Live text={text} />}{' '}
            {asked.has(field) && <Ask field={field} title={title.toLowerCase()} onAsk={onAsk} />}
            {text !== '–' && !ours.has(field) && <OriginWord order={row} field={field} />}
          </dd>
        </div>
      ))}
      {Object.entries(row.extra).map(([title, text]) => (
        <div key={`extra ${title}`}>
          <dt>{title}</dt>
          <dd>{text}</dd>
        </div>
      ))}
      {row.comment !== '' && (
        <div class="wide">
          <dt>Comment</dt>
          <dd>{row.comment}</dd>
        </div>
      )}
    </dl>
  );
}
