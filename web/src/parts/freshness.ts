// How old what you see is, in one word. The worst source that feeds the screen decides.
import type { SourceAge, Word } from '../api/types';

export type Freshness = { word: Word; text: string; ageSeconds: number | null; source: string };

export type HeardSource = SourceAge & { heardAt: number }; // heardAt: browser time in ms when the age was said

const poorStates = new Set(['held', 'failed', 'stopped']);
const fairStates = new Set(['paused', 'starting']);
const rank: Record<Word, number> = { good: 0, fair: 1, poor: 2 };

export function sourceWord(state: string): Word {
  if (poorStates.has(state)) return 'poor';
  return fairStates.has(state) ? 'fair' : 'good';
}

export const ageNow = (source: HeardSource, now: number): number | null =>
  source.age_s === null ? null : source.age_s + Math.max(0, now - source.heardAt) / 1000;

export function freshness(sources: HeardSource[], now: number): Freshness | null {
  let worst: Freshness | null = null;
  for (const source of sources) {
    const age = ageNow(source, now);
    const one: Freshness = {
      word: sourceWord(source.state),
      text: source.state,
      ageSeconds: age,
      source: source.id,
    };
    const isWorse =
      worst === null ||
      rank[one.word] > rank[worst.word] ||
      (one.word === worst.word && (age ?? Infinity) > (worst.ageSeconds ?? Infinity));
    if (isWorse) worst = one;
  }
  return worst;
}
