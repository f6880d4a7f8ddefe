// Status is always colour, shape and word together. The words are the company's own; shape and colour follow from
// what kind of word it is.
import type { OrderRow, Word } from '../api/types';

export type Tone = 'good' | 'fair' | 'poor' | 'busy' | 'idle' | 'plain';

export const shapes: Record<Tone, string> = {
  good: '●',
  fair: '▲',
  poor: '■',
  busy: '◆',
  idle: '○',
  plain: '●',
};

const kinds: readonly [RegExp, Tone][] = [
  [/hold|block|stop|wait|überf|sperr|bloque/i, 'fair'],
  [/ready|packed|bereit|listo/i, 'good'],
  [/cancel|void|storn|anul/i, 'idle'],
  [/clos|complet|done|ship|deliver|invoic|finish|geliefert|geschlossen|cerrad/i, 'idle'],
  [/produc|progress|work|releas|picking|fertig|proceso/i, 'busy'],
];

export const statusTone = (status: string): Tone => kinds.find(([pattern]) => pattern.test(status))?.[1] ?? 'plain';

export const statusText = (status: string): string =>
  status === '' ? '–' : `${shapes[statusTone(status)]} ${status}`;

export function latenessTone(row: Pick<OrderRow, 'late' | 'lateness_days'>): Tone {
  if (row.late) return 'poor';
  if (row.lateness_days !== null && row.lateness_days >= -7) return 'fair';
  return 'idle';
}

export const wordText = (word: Word): string => `${shapes[word]} ${word}`;
