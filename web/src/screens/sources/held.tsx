// Syncs that would do what nobody expects: the reason, the numbers before and after, examples, and the decision.
import { useState } from 'preact/hooks';

import type { SourceAction } from '../../api/client';
import type { HeldSync, SourceStatus } from '../../api/types';
import { now } from '../../parts/app_state';
import { Mark } from '../../parts/basics';
import { Confirm } from '../../parts/dialog';
import { ageOf, counted, formatAge, formatAmount, formatCount, formatInstant, formatWhen, sentence } from '../../parts/format';
import type { SourceProps } from './source_parts';

type HeldProps = { sources: SourceStatus[]; onAct: SourceProps['onAct'] };

export function HeldSyncs({ sources, onAct }: HeldProps) {
  const list = sources.flatMap((source) => (source.service?.held ?? []).map((held) => ({ source, held })));
  if (list.length === 0) return null;
  return (
    <section class="block" id="held" tabIndex={-1} aria-labelledby="held-title">
      <h2 id="held-title">Waits for your decision</h2>
      {list.map(({ source, held }) => (
        <HeldPart key={`${source.id} ${held.stream}`} source={source} held={held} onAct={onAct} />
      ))}
    </section>
  );
}

// "412 of 1,200 orders would go, 3 would close."
export function heldNumbers(held: HeldSync): string {
  const parts = [
    held.rows_gone > 0 ? `${formatCount(held.rows_gone)} of ${formatCount(held.rows_before)} ${held.stream} would go` : '',
    held.rows_closed > 0 ? `${formatCount(held.rows_closed)} would close` : '',
  ].filter(Boolean);
  return parts.length === 0 ? 'No row would go, but the open totals would move.' : `${parts.join(', ')}.`;
}

function HeldPart({ source, held, onAct }: { source: SourceStatus; held: HeldSync; onAct: SourceProps['onAct'] }) {
  const [asking, setAsking] = useState<SourceAction | null>(null);
  return (
    <article class="held held-sync" aria-label={`Held sync of ${source.id}`}>
      <header class="held-head">
        <div role="alert">
          <h3>
            <Mark tone="poor">
              {source.id}: a sync of {held.stream} is held. Nothing was changed.
            </Mark>
          </h3>
        </div>
        <span class="quiet small-text num" title={formatInstant(held.since)}>
          since {formatWhen(held.since, now.value)}, {formatAge(ageOf(held.since, now.value))} ago
        </span>
      </header>
      <p>{sentence(held.why)}</p>
      <HeldTotals held={held} />
      <Examples held={held} />
      <div class="row no-print">
        <button type="button" class="button danger" onClick={() => setAsking('accept-held')}>
          Accept: the ERP is right
        </button>
        <button type="button" class="button" onClick={() => setAsking('reject-held')}>
          Reject: keep what is here
        </button>
      </div>
      {asking !== null && (
        <Confirm
          title={asking === 'accept-held' ? `Let ${source.id} change this?` : `Keep what is here of ${source.id}?`}
          text={
            <>
              <p>
                <strong>{heldNumbers(held)}</strong>
              </p>
              <HeldTotals held={held} />
              <p>
                {asking === 'accept-held'
                  ? 'What goes leaves every list and total. Its history stays, and it comes back when the ERP shows it again.'
                  : 'The last good state stays. The next sync looks again; if the ERP still says this, it is held again.'}
              </p>
            </>
          }
          yes={asking === 'accept-held' ? 'Accept, take it over' : 'Reject, keep what is here'}
          onYes={() => onAct(source, asking)}
          onClose={() => setAsking(null)}
        />
      )}
    </article>
  );
}

function HeldTotals({ held }: { held: HeldSync }) {
  if (held.totals.length === 0) return null;
  return (
    <table class="held-totals">
      <caption class="only-read">Open totals before and after</caption>
      <thead>
        <tr>
          <th scope="col">Open total</th>
          <th scope="col" class="num">
            Now
          </th>
          <th scope="col" class="num">
            After it
          </th>
          <th scope="col" class="num">
            Change
          </th>
        </tr>
      </thead>
      <tbody>
        {held.totals.map(({ currency, before, after }) => (
          <tr key={currency}>
            <th scope="row">{currency}</th>
            <td class="num" data-title="Now">{formatAmount(before)}</td>
            <td class="num" data-title="After it">{formatAmount(after)}</td>
            <td class="num" data-title="Change">{formatAmount({ minor: after.minor - before.minor, currency })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Examples({ held }: { held: HeldSync }) {
  if (held.examples.length === 0) return null;
  return (
    <details class="routes">
      <summary>{counted(held.examples.length, 'example')}</summary>
      <div class="table-box examples" tabIndex={0} role="region" aria-label={`Examples of the held sync of ${held.source}`}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Order</th>
              <th scope="col">Customer</th>
              <th scope="col">What would happen</th>
            </tr>
          </thead>
          <tbody>
            {held.examples.map((example) => (
              <tr key={example.key}>
                <th scope="row">{held.stream === 'orders' && example.number !== '' ? <a href={`/orders/${encodeURIComponent(example.number)}`}>{example.number}</a> : example.number || example.key}</th>
                <td>{example.customer}</td>
                <td>{example.what.replace('->', '→')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
