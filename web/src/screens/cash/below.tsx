// What stands below the fold of Cash: why it changed, who owes us, how good the forecasts were. A file of its own, so that the
// curve does not wait for it.
import type { Cash } from '../../api/cash';
import { Lazy } from '../../parts/charts/lazy';
import { AccuracyPart } from './accuracy';
import type { CashState } from './address';
import { AgeingSummary } from './ageing_summary';
import { BridgePart } from './bridge';

export type BelowProps = { answer: Cash; state: CashState; asTable: boolean; onTable: (asTable: boolean) => void };

export default function Below({ answer, state, ...tables }: BelowProps) {
  return (
    <>
      <div class="money-columns">
        <Lazy height={330}>{() => <BridgePart answer={answer} state={state} {...tables} />}</Lazy>
        <Lazy height={330}>{() => <AgeingSummary asOf={answer.as_of} />}</Lazy>
      </div>
      <Lazy height={120}>{() => <AccuracyPart />}</Lazy>
    </>
  );
}
