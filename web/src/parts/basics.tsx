// Small parts every screen uses: marks, empty and error states, skeletons, flashing values.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { ApiProblem } from '../api/client';
import type { CurrencySum, Money } from '../api/types';
import { toast } from './app_state';
import { formatAmount, formatMoneyShort } from './format';
import { shapes, statusTone, type Tone } from './status';

export function Mark({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`mark tone-${tone}`}>
      <span class="shape" aria-hidden="true">
        {shapes[tone]}
      </span>{' '}
      {children}
    </span>
  );
}

export const StatusMark = ({ status }: { status: string }) => <Mark tone={statusTone(status)}>{status || '–'}</Mark>;

// A value that flashes for a second when it changes under the reader's eyes.
export function Live({ text, class: extra }: { text: string; class?: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  const before = useRef(text);
  useEffect(() => {
    const element = ref.current;
    if (before.current === text || element === null) return;
    before.current = text;
    element.classList.remove('flash');
    void element.offsetWidth; // restart the animation when changes follow each other
    element.classList.add('flash');
  }, [text]);
  return (
    <span ref={ref} class={`live-value num ${extra ?? ''}`}>
      {text}
    </span>
  );
}

export function Amount({ money, code = true }: { money: Money; code?: boolean }) {
  return (
    <span class="num amount">
      <Live text={formatAmount(money)} />
      {code && <span class="code"> {money.currency}</span>}
    </span>
  );
}

// One line per currency: they are never added together.
export function SumLines({ sums, pick }: { sums: CurrencySum[]; pick: (sum: CurrencySum) => Money }) {
  if (sums.length === 0) return <span class="quiet">–</span>;
  return (
    <>
      {sums.map((sum) => (
        <span class="sum-line" key={sum.currency} title={`${formatAmount(pick(sum))} ${sum.currency}`}>
          <Live text={formatMoneyShort(pick(sum))} /> <span class="code">{sum.currency}</span>
        </span>
      ))}
    </>
  );
}

export function Empty({ title, why, action }: { title: string; why: string; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg class="empty-art" viewBox="0 0 120 48" aria-hidden="true" focusable="false">
        <path d="M4 16c14 0 14-8 28-8s14 8 28 8 14-8 28-8 14 8 28 8" />
        <path d="M4 28c14 0 14-8 28-8s14 8 28 8 14-8 28-8 14 8 28 8" />
        <path d="M4 40c14 0 14-8 28-8s14 8 28 8 14-8 28-8 14 8 28 8" />
      </svg>
      <p class="empty-title">{title}</p>
      <p class="quiet">{why}</p>
      {action}
    </div>
  );
}

async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast({ text: 'Copied.' });
  } catch {
    toast({ text: `The browser does not allow copying here: ${text}`, tone: 'problem' });
  }
}

export function Problem({ problem, retry }: { problem: Error; retry?: () => void }) {
  const known = problem instanceof ApiProblem ? problem : null;
  const details = known?.errors.map((one) => one.detail ?? one.code ?? '').filter((text) => text !== '') ?? [];
  const id = known?.requestId ?? '';
  return (
    <div class="problem" role="alert">
      <p class="problem-title">
        <Mark tone="poor">{known?.title ?? 'Something went wrong on this page'}</Mark>
      </p>
      <p>{problem.message}</p>
      {details.length > 0 && (
        <ul>
          {details.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <p class="row">
        {retry !== undefined && (
          <button type="button" class="button" onClick={retry}>
            Retry
          </button>
        )}
        <button
          type="button"
          class="button quiet-button"
          onClick={() => void copyText([known?.title, problem.message, ...details, id && `request ${id}`].filter(Boolean).join('\n'))}
        >
          Copy details
        </button>
        {id !== '' && <span class="quiet">request {id}</span>}
      </p>
    </div>
  );
}

const skeletonDelay = 150; // milliseconds: quick answers never flicker

export function Skeleton({ rows, class: extra = '' }: { rows: number; class?: string }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), skeletonDelay);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class={`skeleton ${shown ? 'shown' : ''} ${extra}`} aria-hidden="true">
      {Array.from({ length: rows }, (_, at) => (
        <span key={at} />
      ))}
    </div>
  );
}
