// When a hit rate may be called good or poor: not before there was enough to judge, and never for a first read, which
// cannot hit anything.
import type { Performance, SourceStatus } from '../../api/types';

export const looksMin = 100;

const enough = (rate: { hits: number; misses: number }): boolean => rate.hits + rate.misses >= looksMin;

// A sentence why there is no judgement yet; nothing when there is one.
export function answersUnjudged(cache: Performance['cache']): string | null {
  return enough(cache) ? null : `judged after ${looksMin} questions`;
}

const readForTheFirstTime = (source: SourceStatus): boolean => 
  source.refresh.count <= 1 && source.files_read > 0 && source.files_unchanged === 0;

export function filesUnjudged(files: Performance['files'], sources: SourceStatus[]): string | null {
  if (sources.some(readForTheFirstTime)) return 'judged from the next refresh on: this was the first read';
  return enough(files) ? null : `judged after ${looksMin} files`;
}
