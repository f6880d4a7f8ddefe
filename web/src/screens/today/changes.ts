// The morning's news: merging, counting and the choice of "since".
import type { WordedChange } from '../../api/types';
import { counted } from '../../parts/format';
import type { Tone } from '../../parts/status';

export const changesKept = 100;

export type SinceChoice = 'yesterday' | 'day' | 'hour' | 'all';

// 18:00 of the day before, in the reader's own clock: when the office went home.
export function yesterdayEvening(now: number): number {
  const date = new Date(now);
  date.setDate(date.getDate() - 1);
  date.setHours(18, 0, 0, 0);
  return date.getTime();
}

export const sinceChoices: Record<SinceChoice, { word: string; from: (now: number) => number }> = {
  yesterday: { word: 'since yesterday 18:00', from: yesterdayEvening },
  day: { word: 'last 24 hours', from: (now) => now - 86_400_000 },
  hour: { word: 'last hour', from: (now) => now - 3_600_000 },
  all: { word: `last ${changesKept} changes`, from: () => 0 },
};

// Newest first, each change once, a bounded number.
export function mergeChanges(known: WordedChange[], added: WordedChange[]): WordedChange[] {
  const bySequence = new Map<string, WordedChange>();
  for (const change of [...known, ...added]) bySequence.set(`${change.sequence} ${change.kind} ${change.text}`, change);
  return [...bySequence.values()].sort((a, b) => b.sequence - a.sequence).slice(0, changesKept);
}

export const kindTone: Record<WordedChange['kind'], Tone> = {
  order_new: 'good',
  order_changed: 'plain',
  status_changed: 'busy',
  order_removed: 'idle',
  rejection_new: 'fair',
  rejection_solved: 'good',
  finance_new: 'plain',
  finance_changed: 'plain',
  finance_removed: 'idle',
};

const kindWords: Record<WordedChange['kind'], [string, string]> = {
  order_new: ['new order', 'new orders'],
  order_changed: ['order changed', 'orders changed'],
  status_changed: ['status moved', 'statuses moved'],
  order_removed: ['order gone', 'orders gone'],
  rejection_new: ['new rejection', 'new rejections'],
  rejection_solved: ['rejection solved', 'rejections solved'],
  finance_new: ['new money document', 'new money documents'],
  finance_changed: ['money document changed', 'money documents changed'],
  finance_removed: ['money document gone', 'money documents gone'],
};

export function summarise(changes: WordedChange[]): { text: string; tone: Tone }[] {
  const counts = new Map<WordedChange['kind'], number>();
  for (const change of changes) counts.set(change.kind, (counts.get(change.kind) ?? 0) + 1);
  return (Object.keys(kindWords) as WordedChange['kind'][])
    .filter((kind) => (counts.get(kind) ?? 0) > 0)
    .map((kind) => ({ text: counted(counts.get(kind) ?? 0, ...kindWords[kind]), tone: kindTone[kind] }));
}
