// Points over time with a line at zero: how many days late each invoice was paid.
import { plotOf, TimeAxis } from './axes';
import { Chart, type ChartTable } from './chart';
import { extent, linear, ticks } from './chart_math';

export type Point = { label: string; value: number; odd: boolean; said: string }; // odd: one that does not count as usual

export type PointsChartProps = {
  title: string;
  sentence: string;
  points: Point[];
  band: { low: number; middle: number; high: number } | null;
  unit: string;
  table: ChartTable;
  asTable: boolean;
  onTable: (asTable: boolean) => void;
  onOpen?: (at: number) => void;
};

const height = 200; // pixels

export function PointsChart({ title, sentence, points, band, unit, ...frame }: PointsChartProps) {
  const place = (x: number, width: number): number => {
    const plot = plotOf(width, height);
    return Math.floor(((x - plot.left) / (plot.right - plot.left)) * points.length);
  };
  const values = [...points.map((point) => point.value), ...(band === null ? [] : [band.low, band.high]), 0];
  return (
    <Chart title={title} sentence={sentence} height={height} points={points.length} place={place} say={(at) => points[at]?.said ?? ''} {...frame}>
      {({ width, height: tall, at }) => {
        const plot = plotOf(width, tall);
        const [low, high] = extent(values);
        const marks = ticks(low, high, 4);
        const y = linear([marks[0] ?? 0, marks.at(-1) ?? 1], [plot.bottom, plot.top]);
        const each = (plot.right - plot.left) / Math.max(1, points.length);
        const x = (index: number): number => plot.left + each * (index + 0.5);
        return (
          <>
            {at !== null && <rect class="cursor-band" x={plot.left + each * at} y={plot.top} width={Math.max(each, 2)} height={plot.bottom - plot.top} />}
            {band !== null && <rect class="band" x={plot.left} width={plot.right - plot.left} y={y(band.high)} height={Math.max(0, y(band.low) - y(band.high))} />}
            <g class="axis">
              {marks.map((mark) => (
                <g key={mark}>
                  <line class={mark === 0 ? 'zero-line' : 'grid-line'} x1={plot.left} x2={plot.right} y1={y(mark)} y2={y(mark)} />
                  <text x={plot.left - 6} y={y(mark) + 4} text-anchor="end">
                    {mark} {unit}
                  </text>
                </g>
              ))}
            </g>
            {band !== null && <line class="balance-line" x1={plot.left} x2={plot.right} y1={y(band.middle)} y2={y(band.middle)} />}
            {points.map((point, index) =>
              point.odd ? (
                <path key={index} class="odd-point" d={`M${x(index) - 4},${y(point.value) - 4}l8,8m0,-8l-8,8`} />
              ) : (
                <circle key={index} class="point" cx={x(index)} cy={y(point.value)} r="3.2" />
              ),
            )}
            <TimeAxis plot={plot} labels={points.map((point) => point.label)} x={x} each={74} />
          </>
        );
      }}
    </Chart>
  );
}
