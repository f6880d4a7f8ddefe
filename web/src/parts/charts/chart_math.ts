// Where values lie on a chart: pure numbers, no element.
//
// Invariants
//   * A scale never divides by nothing: an empty or flat range is widened.
//   * Ticks are round (1, 2 or 5 times a power of ten), include zero when the range does, and enclose the range.

export type Scale = (value: number) => number;

export function linear(from: readonly [number, number], to: readonly [number, number]): Scale {
  const span = from[1] - from[0];
  const factor = span === 0 ? 0 : (to[1] - to[0]) / span;
  return (value) => to[0] + (value - from[0]) * factor;
}

function niceStep(span: number, steps: number): number {
  const rough = Math.max(span / Math.max(1, steps), 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

export function ticks(low: number, high: number, steps: number): number[] {
  const [from, to] = low === high ? [Math.min(low, 0), Math.max(high, low === 0 ? 1 : 0)] : [low, high];
  const step = niceStep(to - from, steps);
  const first = Math.floor(from / step);
  const last = Math.ceil(to / step);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step + 0); // + 0: never -0
}

export const extent = (values: readonly number[]): [number, number] =>
  values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];

const rounded = (value: number): string => String(Math.round(value * 10) / 10);

// "M0,5L10,7": the points of a line.
export function linePath(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${rounded(x)},${rounded(y)}`).join('');
}

// A balance holds until the day it changes: steps, not slopes.
export function stepPath(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], at) => (at === 0 ? `M${rounded(x)},${rounded(y)}` : `H${rounded(x)}V${rounded(y)}`)).join('');
}

// The area between two lines over the same x.
export function bandPath(upper: readonly (readonly [number, number])[], lower: readonly (readonly [number, number])[]): string {
  return upper.length === 0 ? '' : `${linePath(upper)}${linePath([...lower].reverse()).replace('M', 'L')}Z`;
}

export type Segment = { name: string; value: number };
export type Stacked = { name: string; from: number; to: number };

// Positive values grow up from zero, negative ones down.
export function stack(segments: readonly Segment[]): Stacked[] {
  let up = 0;
  let down = 0;
  return segments.map(({ name, value }) => {
    const from = value >= 0 ? up : down;
    const to = from + value;
    if (value >= 0) up = to;
    else down = to;
    return { name, from, to };
  });
}

// Every how many labels fit: 13 labels of 60 px in 400 px are shown by twos or threes.
export const labelEvery = (count: number, width: number, each: number): number =>
  Math.max(1, Math.ceil((count * each) / Math.max(1, width)));

// The largest `most` names by their sum; what is left over is one name at the end.
export function largest(sums: ReadonlyMap<string, number>, most: number): { shown: string[]; rest: string[] } {
  const names = [...sums].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]) || a[0].localeCompare(b[0])).map(([name]) => name);
  return names.length <= most ? { shown: names, rest: [] } : { shown: names.slice(0, most - 1), rest: names.slice(most - 1) };
}

export type Bin = { from: number; to: number; count: number }; // from <= value <= to, whole numbers

// Whole days into at most `most` bins of equal width, round in size.
export function bins(values: readonly number[], most: number): Bin[] {
  if (values.length === 0) return [];
  const [low, high] = extent(values);
  const wide = niceStep((high - low + 1), most);
  const first = Math.floor(low / wide);
  const out: Bin[] = Array.from({ length: Math.floor(high / wide) - first + 1 }, (_, at) => ({ from: (first + at) * wide + 0, to: (first + at + 1) * wide - 1, count: 0 }));
  for (const value of values) {
    const bin = out[Math.floor(value / wide) - first];
    if (bin !== undefined) bin.count += 1;
  }
  return out;
}
