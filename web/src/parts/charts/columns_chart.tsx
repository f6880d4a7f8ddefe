// Columns of stacked parts over time: what comes stands above zero, what goes below; a short line marks a plan.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

import { AmountAxis, amountScale, Hatchings, type Look, LegendKey, plotOf, TimeAxis } from './axes';
import { Chart, type ChartTable } from './chart';
import { type Segment, stack } from './chart_math';

export type Column = { label: string; name: string; segments: Segment[]; mark?: number | null }; // minor units; `name` said in full

export type ColumnsChartProps = {
  title: string;
  sentence: string;
  currency: string;
  columns: Column[];
  looks: ReadonlyMap<string, Look>; // of each segment's name
  table: ChartTable;
  asTable: boolean;
  onTable: (asTable: boolean) => void;
  say: (at: number) => string;
  onOpen?: (at: number) => void;
  markWord?: string;
  height?: number;
  actions?: ComponentChildren;
};

export function ColumnsChart({ title, sentence, currency, columns, looks, markWord, height = 220, ...frame }: ColumnsChartProps) {
  const id = useId();
  const stacks = columns.map((column) => stack(column.segments));
  const ends = stacks.flatMap((one) => one.map((part) => part.to));
  const marks = columns.flatMap((column) => (column.mark == null ? [] : [column.mark]));
  const place = (x: number, width: number): number => {
    const plot = plotOf(width, height);
    return Math.floor(((x - plot.left) / (plot.right - plot.left)) * columns.length);
  };
  const legend = (
    <>
      {[...looks].map(([name, look]) => (
        <LegendKey key={name} id={`${id}-${name.replace(/\W/g, '_')}`} look={look}>
          {name}
        </LegendKey>
      ))}
      {markWord !== undefined && (
        <span class="legend-key">
          <svg viewBox="0 0 16 12" width="16" height="12" aria-hidden="true" focusable="false">
            <line x1="0" x2="16" y1="6" y2="6" class="plan-line" />
          </svg>
          {markWord}
        </span>
      )}
    </>
  );
  return (
    <Chart title={title} sentence={sentence} height={height} points={columns.length} place={place} legend={legend} {...frame}>
      {({ width, height: tall, at }) => {
        const plot = plotOf(width, tall);
        const scale = amountScale(plot, Math.min(0, ...ends, ...marks), Math.max(0, ...ends, ...marks));
        const each = (plot.right - plot.left) / Math.max(1, columns.length);
        const wide = Math.max(3, Math.min(each * 0.68, 46));
        const middle = (index: number): number => plot.left + each * (index + 0.5);
        return (
          <>
            <Hatchings id={id} />
            {at !== null && <rect class="cursor-band" x={plot.left + each * at} y={plot.top} width={each} height={plot.bottom - plot.top} />}
            <AmountAxis plot={plot} y={scale.y} marks={scale.marks} currency={currency} />
            {stacks.map((parts, column) =>
              parts.map((part) => (
                <rect
                  key={`${column}${part.name}`}
                  x={middle(column) - wide / 2}
                  y={Math.min(scale.y(part.from), scale.y(part.to))}
                  width={wide}
                  height={Math.abs(scale.y(part.from) - scale.y(part.to))}
                  fill={`url(#${id}-${looks.get(part.name) ?? 'a'})`}
                  class="part"
                />
              )),
            )}
            {columns.map((column, index) =>
              column.mark == null ? null : <line key={index} class="plan-line" x1={middle(index) - wide / 2 - 4} x2={middle(index) + wide / 2 + 4} y1={scale.y(column.mark)} y2={scale.y(column.mark)} />,
            )}
            <TimeAxis plot={plot} labels={columns.map((column) => column.label)} x={middle} />
          </>
        );
      }}
    </Chart>
  );
}
