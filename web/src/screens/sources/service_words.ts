// What an ERP source shows, in words; without a screen.
import type { ServiceStatus, SourceStatus, StreamStatus, SyncRun, Word } from '../../api/types';
import { formatClock, formatCount, formatMilliseconds, formatPercent, formatWhen } from '../../parts/format';

const products: readonly [string, string][] = [
  ['sap-b1', 'SAP Business One'],
  ['odata', 'OData service'],
];

export function dialectName(dialect: string): string {
  const known = products.find(([start]) => dialect.startsWith(start));
  return known === undefined ? dialect : `${known[1]}, ${dialect.slice(known[0].length).replace(/^[\s-]+/, '')}`.replace(/, $/, '');
}

// Short syncs come many times an hour: only the first one makes the state itself change.
export function serviceState(source: SourceStatus): { word: Word; text: string } {
  if (source.state === 'scanning') {
    return source.as_of_time === null ? { word: 'fair', text: 'first sync' } : { word: 'good', text: 'in step' };
  }
  const text = { polling: 'in step', live: 'in step', starting: 'connecting', failed: 'not in step' }[source.state as string] ?? source.state;
  return { word: source.state_word, text };
}

// Whether every row was proven equal to the ERP's, when and by what; and how far the next proof is.
export function verifiedText(stream: StreamStatus, now: number): { word: Word; text: string; more: string } {
  const running = stream.phase !== 'first sync' && stream.verified_share > 0 && stream.verified_share < 1;
  const round = running ? `${formatPercent(stream.verified_share)} of the next round is done` : '';
  if (stream.verified_as_of === null) {
    const why = stream.phase === 'first sync' ? 'the first sync is still running' : 'no full round has ended';
    return { word: 'fair', text: `not verified yet, ${why}`, more: round };
  }
  const by = stream.verified_by === '' ? '' : `by a ${stream.verified_by}`;
  return { word: 'good', text: `verified as of ${formatWhen(stream.verified_as_of, now)}`, more: [by, round].filter(Boolean).join(', ') };
}

export function breakerText(service: ServiceStatus): string | null {
  if (service.breaker === 'closed') return null;
  const until = service.breaker_until === null ? '' : ` until ${formatClock(service.breaker_until)}`;
  return service.breaker === 'open'
    ? `The ERP failed several times in a row, so it is left alone${until}; then one call tries whether it is well again.`
    : 'The ERP failed several times in a row; one call tries now whether it is well again.';
}

export const insecureText =
  'The certificate of this ERP is not checked: whoever sits on the way can read the password and change what is answered. ' +
  'Name its authority with ca_file or its key with pin in the settings, and take insecure out.';

// What the bars of the last syncs say, for those who do not see them.
export function runsText(runs: SyncRun[]): string {
  if (runs.length === 0) return 'No sync has ended yet.';
  const sorted = runs.map((run) => run.took_ms).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const bad = runs.filter((run) => run.outcome !== 'good').length;
  const written = runs.reduce((sum, run) => sum + run.rows_written + run.rows_gone, 0);
  const ended = bad === 0 ? 'all good' : `${formatCount(bad)} not good`;
  return `Last ${formatCount(runs.length)}: ${ended}, usually ${formatMilliseconds(median)}, ${formatCount(written)} ${written === 1 ? 'row' : 'rows'} changed`;
}

// Heights of 1..`top`, the slowest sync being the highest bar; the root keeps short ones visible beside a long one.
export function barHeights(runs: SyncRun[], top: number): number[] {
  const slowest = Math.max(1, ...runs.map((run) => run.took_ms));
  return runs.map((run) => Math.max(2, Math.round(top * Math.sqrt(Math.max(0, run.took_ms) / slowest))));
}

const capabilityWords: Record<string, string> = {
  product: 'Product',
  lines: 'Lines of a document',
  page_cap: 'Rows the ERP gives per page',
  page_proven: 'Longest page seen',
  etags_in_scans: 'Says a version with every row',
  optional_parts: 'Optional parts of a question',
  server_clock_offset_ms: 'Its clock against ours, ms',
  stamp_zone: 'Time zone of its stamps',
};

// "page_cap.Orders" -> "Rows the ERP gives per page: Orders"
export function capabilityName(name: string): string {
  const [key = '', part] = name.split('.', 2);
  const words = capabilityWords[key] ?? key.replace(/_/g, ' ').replace(/^./, (letter) => letter.toUpperCase());
  return part === undefined ? words : `${words}: ${part}`;
}
