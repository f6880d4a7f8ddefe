// Both sides of a difference as buttons: what each source says, how old that is, which counts and why.
import './difference_sides.css';

import type { DifferencePlace } from '../api/client';
import type { Difference, DifferenceValue, OrderDetail } from '../api/types';
import { now } from './app_state';
import { Mark } from './basics';
import { decide, differenceTitle, ruleText, undecide, valueText } from './differences';
import { ageOf, formatAge, formatInstant } from './format';

type SidesProps = { order: string; one: Difference; onDecided: (order: OrderDetail) => void };

export function Sides({ order, one, onDecided }: SidesProps) {
  const place: DifferencePlace = { order, field: one.field, line: one.line };
  return (
    <div class="sides">
      <div class="side-buttons" role="group" aria-label={`${differenceTitle(one)} of order ${order}: whose value counts`}>
        {one.values.map((value) => (
          <Side key={value.source} one={one} value={value} onChoose={() => void decide(place, one, value.source, onDecided)} />
        ))}
      </div>
      <p class="side-rule small-text">
        {one.decided_by === null ? <span class="quiet">{ruleText(one)}</span> : <Mark tone="good">{ruleText(one)}</Mark>}
        {one.decided_by !== null && (
          <button type="button" class="button small quiet-button no-print" aria-label={`Take back: ${differenceTitle(one)} of order ${order}`} onClick={() => void undecide(place, one, onDecided)}>
            Take back
          </button>
        )}
      </p>
    </div>
  );
}

function Side({ one, value, onChoose }: { one: Difference; value: DifferenceValue; onChoose: () => void }) {
  const counts = value.source === one.counts;
  // Pressing the side that counts by a rule makes it a decision: the person looked and agreed.
  return (
    <button type="button" class="side" aria-pressed={counts} disabled={counts && one.decided_by !== null} title={value.path} onClick={onChoose}>
      <span class="side-value num">{valueText(one.field, value.text)}</span>
      <span class="side-source">
        {value.source}
        {value.updated !== null && (
          <span class="quiet" title={formatInstant(value.updated)}>
            , {formatAge(ageOf(value.updated, now.value))} old
          </span>
        )}
      </span>
      <span class="side-state">{counts ? <Mark tone="good">counts</Mark> : <span class="quiet">use this</span>}</span>
    </button>
  );
}
