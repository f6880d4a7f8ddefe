// How often a value came: bars of counts.
import { plotOf, TimeAxis } from './axes';
import { Chart } from './chart';
import { type Bin, linear, ticks } from './chart_math';

export type BinsProps = { title: string; sentence: string; bins: Bin[]; title_of: (bin: Bin) => string; asTable: boolean; onTable: (asTable: boolean) => void };

const height = 200; // pixels

export function BinsChart({ title, sentence, bins, title_of, ...frame }: BinsProps) {
  const place = (x: number, width: number): number => {
    const plot = plotOf(width, height);
    return Math.floor(((x - plot.left) / (plot.right - plot.left)) * bins.length);
  };
  const say = (at: number): string => (bins[at] === undefined ? '' : `${title_of(bins[at])} days late: ${bins[at].count}`);
  const marks = ticks(0, Math.max(1, ...bins.map((bin) => bin.count)), 4).filter(Number.isInteger);
  return (
    <Chart title={title} sentence={sentence} height={height} points={bins.length} place={place} say={say} table={{ columns: ['Days late', 'Invoices'], rows: bins.map((bin) => [title_of(bin), String(bin.count)]) }} {...frame}>
      {({ width, height: tall, at }) => {
        const plot = plotOf(width, tall);
        const y = linear([0, marks.at(-1) ?? 1], [plot.bottom, plot.top]);
        const each = (plot.right - plot.left) / Math.max(1, bins.length);
        return (
          <>
            {at !== null && <rect class="cursor-band" x={plot.left + each * at} y={plot.top} width={each} height={plot.bottom - plot.top} />}
            <g class="axis">
              {marks.map((mark) => (
                <g key={mark}>
                  <line class={mark === 0 ? 'zero-line' : 'grid-line'} x1={plot.left} x2={plot.right} y1={y(mark)} y2={y(mark)} />
                  <text x={plot.left - 6} y={y(mark) + 4} text-anchor="end">
                    {mark}
                  </text>
                </g>
              ))}
            </g>
            {bins.map((bin, index) => (
              <rect key={bin.from} class={bin.from > 0 ? 'look-d' : 'look-b'} x={plot.left + each * index + 1} width={Math.max(1, each - 2)} y={y(bin.count)} height={plot.bottom - y(bin.count)} />
            ))}
            <TimeAxis plot={plot} labels={bins.map(title_of)} x={(index) => plot.left + each * (index + 0.5)} each={54} />
          </>
        );
      }}
    </Chart>
  );
}
