// How good the forecasts were: by week ahead, and by customer. What was forecast is kept, what came is known.
import { type Accuracy, accuracy } from '../../api/cash';
import { Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { absent, counted, formatPercent, formatRate } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';
import { coveredTone, signed } from './cash_words';

const customersShown = 8;

export function AccuracyPart() {
  const answer = useAnswer('accuracy', accuracy);
  return (
    <section class="block" aria-labelledby="accuracy-title">
      <h2 id="accuracy-title">How good the forecasts were</h2>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && <Skeleton rows={3} />}
      {answer.data !== null && <Scores scores={answer.data} />}
    </section>
  );
}

function Scores({ scores }: { scores: Accuracy }) {
  const weeks = scores.weeks_ahead.filter((week) => week.forecasts > 0);
  const customers = [...scores.customers].sort((a, b) => b.mae_days - a.mae_days).slice(0, customersShown);
  if (weeks.length === 0 && customers.length === 0) return <Empty title="Nothing to score yet" why="A kept forecast is scored as soon as the week it spoke of is over." />;
  return (
    <div class="money-columns">
      <div class="table-box" tabIndex={0} role="region" aria-label="Score by week ahead">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Weeks ahead</th>
              <th scope="col" class="num">
                Forecasts
              </th>
              <th scope="col" class="num">
                Off by
              </th>
              <th scope="col" class="num">
                Bias
              </th>
              <th scope="col">Inside the band</th>
            </tr>
          </thead>
          <tbody>
            {weeks.map((week) => (
              <tr key={week.week}>
                <th scope="row">{week.week}</th>
                <td class="num">{week.forecasts}</td>
                <td class="num">{week.wape === null ? absent : formatPercent(week.wape)}</td>
                <td class="num">{signed(week.bias)}</td>
                <td>{week.covered === null ? absent : <Mark tone={coveredTone(week.covered)}>{formatPercent(week.covered)}, 80% is right</Mark>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div>
        <h3>Customers who surprised most</h3>
        {customers.length === 0 && <p class="quiet">No invoice of a kept forecast is paid yet.</p>}
        <ul class="low-list">
          {customers.map((one) => (
            <li key={one.party} class="whole-row">
              <a href={`/customers/${encodeURIComponent(one.party)}/payments`}>{one.party_name || one.party}</a>
              <span class="quiet">{counted(one.invoices, 'invoice')}</span>
              <span class="num">off by {formatRate(one.mae_days)} days</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
