// How far each source is, in one line under the date, and what it holds back for a person.
import type { Today } from '../../api/types';
import { heardSources, heldSyncs, now, sourceStates } from '../../parts/app_state';
import { Mark } from '../../parts/basics';
import { absent, counted, formatAge, formatCount, formatMinute, sentence } from '../../parts/format';
import { ageNow, sourceWord } from '../../parts/freshness';

// "sap 12 s ago, verified 06:41"
export function SourcesLine({ told }: { told: Today['sources'] }) {
  const list = heardSources.value.length > 0 ? heardSources.value : told.map((source) => ({ ...source, heardAt: now.value }));
  return (
    <ul class="sources-line" aria-label="Age of the sources">
      {list.map((source) => {
        const age = ageNow(source, now.value);
        const verified = verifiedAt(source.id);
        return (
          <li key={source.id}>
            <a href="/sources">
              <Mark tone={sourceWord(source.state)}>{source.id}</Mark>{' '}
              <span class="quiet num">
                {age === null ? absent : `${formatAge(age)} ago`}
                {verified !== null && `, verified ${formatMinute(verified)}`}
              </span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

// The oldest proof of the source's streams: what is verified since then is all of it.
function verifiedAt(id: string): number | null {
  const streams = sourceStates.value.find((source) => source.id === id)?.service?.streams ?? [];
  const times = streams.filter((stream) => stream.phase !== 'off').map((stream) => (stream.verified_as_of === null ? NaN : Date.parse(stream.verified_as_of)));
  const oldest = Math.min(...times);
  return times.length === 0 || Number.isNaN(oldest) ? null : oldest;
}

export function HeldBanner() {
  const list = heldSyncs.value;
  const first = list[0];
  if (first === undefined) return null;
  return (
    <section class="held-banner" role="alert" aria-label="Held syncs">
      <p>
        <Mark tone="poor">
          {list.length === 1 ? `${first.source}: a sync waits for your decision.` : `${counted(list.length, 'sync')} wait for your decision.`}
        </Mark>{' '}
        Nothing was changed. {list.length === 1 ? sentence(first.why.split(';')[0] ?? first.why) : `${formatCount(list.reduce((sum, one) => sum + one.rows_gone, 0))} rows would go.`}
      </p>
      <a class="button no-print" href="/sources#held">
        Look and decide
      </a>
    </section>
  );
}
