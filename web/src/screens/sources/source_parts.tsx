// What folders and ERPs show and offer alike: facts, run now, pause, how often.
import { ApiProblem, rereadEverything, setRefreshInterval, type SourceAction } from '../../api/client';
import type { SourceStatus } from '../../api/types';
import { done, toast } from '../../parts/app_state';
import { Live } from '../../parts/basics';
import { formatInterval } from '../../parts/format';
import { Icon } from '../../parts/icons';

export type SourceProps = {
  source: SourceStatus;
  onAct: (source: SourceStatus, action: SourceAction) => void;
  onChanged: () => void;
};

export const say = (error: unknown): void =>
  toast({ text: error instanceof ApiProblem || error instanceof Error ? error.message : String(error), tone: 'problem' });

async function changeInterval(source: SourceStatus, seconds: number): Promise<void> {
  const before = source.refresh.interval_s;
  try {
    await setRefreshInterval(source.id, seconds);
    done(`${source.id}: every ${formatInterval(seconds)}`, () => void setRefreshInterval(source.id, before).catch(say));
  } catch (error) {
    say(error);
  }
}

const intervals = {
  folder: [60, 300, 600, 1800, 3600, 21_600, 86_400],
  service: [10, 30, 60, 300, 600, 1800, 3600],
};

// `ticks`: the text changes by itself every second; flashing it would say that something happened.
export function Fact({ title, text, hint, ticks = false }: { title: string; text: string; hint?: string; ticks?: boolean }) {
  return (
    <div title={hint}>
      <dt>{title}</dt>
      <dd>{ticks ? <span class="num">{text}</span> : <Live text={text} />}</dd>
    </div>
  );
}

// A folder tells by itself what changed; an ERP has to be asked, so its turns are short.
const words = {
  folder: { run: 'Refresh now', every: 'Full refresh every', all: 'Read everything again', allHint: 'Opens every file again, also those that did not change', allDone: 'every file is read again' },
  service: { run: 'Sync now', every: 'Ask every', all: 'Compare everything', allHint: 'Compares every row with the ERP again, not only what changed', allDone: 'every row is compared again' },
};

export function SourceActions({ source, onAct, onChanged }: SourceProps) {
  const kind = source.service === null ? 'folder' : 'service';
  const word = words[kind];
  const choices = [...new Set([...intervals[kind], source.refresh.interval_s])].sort((a, b) => a - b);
  const paused = source.state === 'paused';
  // A sync of an ERP takes a moment, many times an hour: a button that comes and goes is worse than a second sync.
  const busy = kind === 'folder' && source.refresh.running;
  return (
    <div class="row source-actions no-print">
      <button type="button" class="button primary" disabled={busy} onClick={() => onAct(source, 'refresh')}>
        <Icon name="refresh" />
        <span>{word.run}</span>
      </button>
      <button type="button" class="button" onClick={() => onAct(source, paused ? 'resume' : 'pause')}>
        <Icon name={paused ? 'play' : 'pause'} />
        <span>{paused ? 'Resume' : 'Pause'}</span>
      </button>
      <label class="inline-label">
        <span>{word.every}</span>
        <select
          value={String(source.refresh.interval_s)}
          onChange={(event) => void changeInterval(source, Number(event.currentTarget.value)).then(onChanged)}
        >
          {choices.map((seconds) => (
            <option key={seconds} value={String(seconds)}>
              {formatInterval(seconds)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="button quiet-button"
        disabled={busy}
        title={word.allHint}
        onClick={() => void rereadEverything(source.id).then(() => toast({ text: `${source.id}: ${word.allDone}.` }), say)}
      >
        {word.all}
      </button>
    </div>
  );
}

