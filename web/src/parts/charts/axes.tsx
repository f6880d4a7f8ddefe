// Lines and words around a picture: amounts on the left, time below, hatchings that tell layers apart without colour.
import type { Money } from '../../api/types';
import { formatAxis } from '../format';
import { labelEvery, linear, type Scale, ticks } from './chart_math';

export type Plot = { left: number; right: number; top: number; bottom: number };

export const plotOf = (width: number, height: number): Plot => ({ left: width < 480 ? 46 : 62, right: width - 10, top: 12, bottom: height - 26 });

// Amounts to pixels, with its ticks.
export function amountScale(plot: Plot, low: number, high: number): { y: Scale; marks: number[] } {
  const marks = ticks(Math.min(low, 0), Math.max(high, 0), plot.bottom - plot.top < 140 ? 3 : 5);
  const y = linear([marks[0] ?? 0, marks.at(-1) ?? 1], [plot.bottom, plot.top]);
  return { y, marks };
}

export function AmountAxis({ plot, y, marks, currency }: { plot: Plot; y: Scale; marks: number[]; currency: string }) {
  return (
    <g class="axis">
      {marks.map((mark) => (
        <g key={mark}>
          <line class={mark === 0 ? 'zero-line' : 'grid-line'} x1={plot.left} x2={plot.right} y1={y(mark)} y2={y(mark)} />
          <text x={plot.left - 6} y={y(mark) + 4} text-anchor="end">
            {formatAxis({ minor: mark, currency } satisfies Money)}
          </text>
        </g>
      ))}
    </g>
  );
}

// Labels under places; where not all fit, every second, third and so on.
export function TimeAxis({ plot, labels, x, each = 58 }: { plot: Plot; labels: string[]; x: (at: number) => number; each?: number }) {
  const every = labelEvery(labels.length, plot.right - plot.left, each);
  return (
    <g class="axis">
      {labels.map((label, at) =>
        at % every === 0 ? (
          <text key={at} x={x(at)} y={plot.bottom + 18} text-anchor="middle">
            {label}
          </text>
        ) : null,
      )}
    </g>
  );
}

// The look of a named part: colour and hatching go together, so that print and colour-blind eyes see the same parts.
export const looks = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] as const;
export type Look = (typeof looks)[number];
const hatchings: Record<Look, string> = {
  a: '',
  b: 'M-2,2l4,-4M0,8l8,-8M6,10l4,-4',
  c: 'M0,4h8M4,0v8',
  d: 'M0,2h8M0,6h8',
  e: 'M2,2h1v1h-1zM6,6h1v1h-1z',
  f: 'M2,0v8M6,0v8',
  g: '',
  h: 'M-2,6l4,4M0,0l8,8M6,-2l4,4',
  i: 'M0,4h8',
  j: 'M4,0v8',
};

export const lookAt = (index: number): Look => looks[index % looks.length] ?? 'a';

// `id` keeps the patterns of two charts on one page apart.
export function Hatchings({ id }: { id: string }) {
  return (
    <defs>
      {looks.map((look) => (
        <pattern key={look} id={`${id}-${look}`} width="8" height="8" patternUnits="userSpaceOnUse">
          <rect width="8" height="8" class={`look-${look}`} />
          {hatchings[look] !== '' && <path d={hatchings[look]} class="hatching" />}
        </pattern>
      ))}
    </defs>
  );
}

export function LegendKey({ id, look, children }: { id: string; look: Look; children: preact.ComponentChildren }) {
  return (
    <span class="legend-key">
      <svg viewBox="0 0 16 12" width="16" height="12" aria-hidden="true" focusable="false">
        <Hatchings id={`${id}-key-${look}`} />
        <rect width="16" height="12" rx="2" fill={`url(#${id}-key-${look}-${look})`} />
      </svg>
      {children}
    </span>
  );
}
