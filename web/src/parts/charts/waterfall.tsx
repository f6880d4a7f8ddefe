// From one amount to another by steps that add up: why a figure changed.
import { useId } from 'preact/hooks';

import { AmountAxis, amountScale, Hatchings, type Look, plotOf } from './axes';
import { Chart, type ChartTable } from './chart';

export type Step = { name: string; value: number; whole?: boolean }; // whole: an amount that stands, not a step

export type WaterfallProps = {
  title: string;
  sentence: string;
  currency: string;
  steps: Step[];
  table: ChartTable;
  asTable: boolean;
  onTable: (asTable: boolean) => void;
  say: (at: number) => string;
  onOpen?: (at: number) => void;
};

type Bar = { from: number; to: number; look: Look };

export function barsOf(steps: readonly Step[]): Bar[] {
  let level = 0;
  return steps.map(({ value, whole }) => {
    const from = whole === true ? 0 : level;
    level = whole === true ? value : level + value;
    return { from, to: level, look: whole === true ? 'a' : value < 0 ? 'f' : 'b' };
  });
}

const height = 220; // pixels

export function Waterfall({ title, sentence, currency, steps, ...frame }: WaterfallProps) {
  const id = useId();
  const bars = barsOf(steps);
  const levels = bars.flatMap((bar) => [bar.from, bar.to]);
  const place = (x: number, width: number): number => {
    const plot = plotOf(width, height);
    return Math.floor(((x - plot.left) / (plot.right - plot.left)) * steps.length);
  };
  return (
    <Chart title={title} sentence={sentence} height={height} points={steps.length} place={place} {...frame}>
      {({ width, height: tall, at }) => {
        const plot = plotOf(width, tall);
        const { y, marks } = amountScale(plot, Math.min(0, ...levels), Math.max(0, ...levels));
        const each = (plot.right - plot.left) / Math.max(1, steps.length);
        const wide = Math.min(each * 0.6, 64);
        const narrow = each < 58; // then the words stand in two lines
        return (
          <>
            <Hatchings id={id} />
            {at !== null && <rect class="cursor-band" x={plot.left + each * at} y={plot.top} width={each} height={plot.bottom - plot.top} />}
            <AmountAxis plot={plot} y={y} marks={marks} currency={currency} />
            {bars.map((bar, index) => {
              const left = plot.left + each * (index + 0.5) - wide / 2;
              return (
                <g key={index}>
                  <rect class="part" x={left} y={Math.min(y(bar.from), y(bar.to))} width={wide} height={Math.max(1, Math.abs(y(bar.from) - y(bar.to)))} fill={`url(#${id}-${bar.look})`} />
                  {index + 1 < bars.length && <line class="grid-line" x1={left + wide} x2={left + each} y1={y(bar.to)} y2={y(bar.to)} />}
                  <text class="axis-text" x={left + wide / 2} y={plot.bottom + (narrow && index % 2 === 1 ? 24 : 13)} text-anchor="middle">
                    {steps[index]?.name}
                  </text>
                </g>
              );
            })}
          </>
        );
      }}
    </Chart>
  );
}
