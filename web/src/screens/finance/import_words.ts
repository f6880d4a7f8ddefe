// What a file would do, in words.
import type { ImportPreview, ImportState } from '../../api/finance';
import type { Tone } from '../../parts/status';

export const stateWords: Record<ImportState, { tone: Tone; text: string }> = {
  new: { tone: 'good', text: 'new' },
  changed: { tone: 'plain', text: 'changes one' },
  same: { tone: 'idle', text: 'stands already' },
  doubtful: { tone: 'fair', text: 'doubtful' },
  refused: { tone: 'poor', text: 'refused' },
  skipped: { tone: 'idle', text: 'left out' },
};

export function countsWords(counts: ImportPreview['counts']): string {
  const parts = (Object.keys(stateWords) as ImportState[]).flatMap((state) => ((counts[state] ?? 0) === 0 ? [] : [`${counts[state]} ${stateWords[state].text}`]));
  return parts.length === 0 ? 'No row of this file says anything.' : `${parts.join(', ')}.`;
}

const separators: Record<string, string> = { ';': 'semicolons', ',': 'commas', '\t': 'tabs' };

export function guessWords({ format, guess }: ImportPreview): string {
  const parts = [
    format.toUpperCase(),
    guess.separator === undefined || guess.separator === '' ? '' : `separated by ${separators[guess.separator] ?? guess.separator}`,
    guess.decimal === undefined || guess.decimal === '' ? '' : `decimals after “${guess.decimal}”`,
    guess.date === undefined || guess.date === '' ? '' : `days as ${guess.date}`,
    guess.encoding === undefined || guess.encoding === '' ? '' : guess.encoding,
  ].filter(Boolean);
  return `Read as ${parts.join(', ')}.`;
}

export function rowsToTake({ counts }: ImportPreview, doubtful: 'take' | 'leave'): number {
  return (counts.new ?? 0) + (counts.changed ?? 0) + (doubtful === 'take' ? (counts.doubtful ?? 0) : 0);
}

