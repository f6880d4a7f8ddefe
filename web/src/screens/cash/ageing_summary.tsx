// Who owes us, how old: the short form of the Ageing screen.
import { type Ageing, ageing } from '../../api/cash';
import { Problem, Skeleton } from '../../parts/basics';
import { AgeBars } from '../../parts/charts/age_bars';
import { formatMoney } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';
import { useLast } from '../../parts/use_last';
import { bucketTitle, debtorsOf } from '../ageing/ageing_words';

const debtorsShown = 5;

export function AgeingSummary({ asOf }: { asOf: number }) {
  const answer = useAnswer(`ageing ${asOf}`, (abort) => ageing('side=receivables', abort));
  const data = useLast(answer.data);
  return (
    <section class="block" aria-labelledby="ageing-title">
      <div class="block-head">
        <h2 id="ageing-title">Who owes us, how old</h2>
        <span class="spring" />
        <a href="/ageing">All of it</a>
      </div>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={6} />}
      {data !== null && <Short answer={data} />}
    </section>
  );
}

function Short({ answer }: { answer: Ageing }) {
  const debtors = debtorsOf(answer, debtorsShown);
  if (answer.totals.length === 0) return <p class="quiet">Nobody owes anything.</p>;
  return (
    <>
      {answer.totals.map((total) => (
        <AgeBars key={total.currency} parts={answer.buckets.map((bucket, at) => ({ name: bucketTitle(bucket), money: total.amounts[at] ?? { minor: 0, currency: total.currency }, href: `/ageing?cell=${encodeURIComponent(bucket)}&cell_currency=${total.currency}` }))} />
      ))}
      <h3>Most overdue</h3>
      {debtors.length === 0 && <p class="quiet">Nothing is overdue.</p>}
      <ul class="low-list">
        {debtors.map((one) => (
          <li key={`${one.row.key} ${one.row.currency}`} class="whole-row">
            <a href={`/customers/${encodeURIComponent(one.row.key)}/payments`}>{one.row.name || one.row.key}</a>
            <span class="quiet">of {formatMoney(one.row.total)} open</span>
            <span class="num">{formatMoney(one.overdue)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
