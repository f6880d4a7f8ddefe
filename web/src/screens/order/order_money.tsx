// Where the money of one order stands: each line's amount is in exactly one state at a time, and the states add up.
import './order_money.css';

import { type MoneyState, moneyStates, type OrderMoney as Answer, orderMoney } from '../../api/cash';
import { ApiProblem } from '../../api/client';
import { Amount, Mark, Problem, Skeleton } from '../../parts/basics';
import { formatDay, formatMoney } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';
import { useLast } from '../../parts/use_last';
import { useLiveMoney } from '../../parts/use_live_money';

export const stateTitles: Record<MoneyState, string> = { open: 'Open', delivered: 'Delivered, not invoiced', invoiced: 'Invoiced, not paid', paid: 'Paid', written_off: 'Written off' };

export default function OrderMoney({ number }: { number: string }) {
  const answer = useAnswer(`${number}/money`, (abort) => orderMoney(number, abort));
  const data = useLast(answer.data);
  useLiveMoney(data?.as_of ?? null, answer.reload);
  // An order that only people know of has no money: not a failure of the screen.
  if (answer.problem instanceof ApiProblem && (answer.problem.status === 404 || answer.problem.status === 403)) return null;
  return (
    <section class="block order-money" aria-label="Money">
      <h3>Money</h3>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={3} />}
      {data !== null && data.order === number && <States answer={data} />}
    </section>
  );
}

function States({ answer }: { answer: Answer }) {
  const shown = moneyStates.filter((state) => answer.states[state].minor !== 0);
  return (
    <>
      <StateBar answer={answer} />
      <dl class="facts">
        {shown.map((state) => (
          <div key={state}>
            <dt>{stateTitles[state]}</dt>
            <dd>
              <Amount money={answer.states[state]} />
            </dd>
          </div>
        ))}
      </dl>
      {answer.over_invoiced !== null && answer.over_invoiced.minor !== 0 && <Mark tone="fair">{formatMoney(answer.over_invoiced)} more is invoiced than was ordered</Mark>}
      <div class="table-box" tabIndex={0} role="region" aria-label="Money of each line">
        <table class="table">
          <thead>
            <tr>
              <th scope="col" class="num">
                #
              </th>
              <th scope="col" class="num">
                Value, {answer.currency}
              </th>
              {shown.map((state) => (
                <th key={state} scope="col" class="num">
                  {stateTitles[state]}
                </th>
              ))}
              <th scope="col">Expected</th>
            </tr>
          </thead>
          <tbody>
            {answer.lines.map((line) => (
              <tr key={line.line}>
                <th scope="row" class="num">
                  {line.line}
                </th>
                <td class="num">
                  <Amount money={line.value} code={false} />
                </td>
                {shown.map((state) => (
                  <td key={state} class={`num ${line.states[state].minor === 0 ? 'quiet' : ''}`}>
                    <Amount money={line.states[state]} code={false} />
                  </td>
                ))}
                <td>
                  {formatDay(line.expected_day)} {line.why !== '' && <span class="quiet small-text">{line.why}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {answer.documents.length > 0 && (
        <ul class="order-money-documents">
          {answer.documents.map((one) => (
            <li key={`${one.kind} ${one.number}`} class="whole-row">
              <a href={`/finance?kind=${encodeURIComponent(one.kind)}&doc=${encodeURIComponent(one.number)}`}>
                {one.kind.replaceAll('_', ' ')} {one.number}
              </a>{' '}
              <span class="quiet">{formatDay(one.posted)}</span> <span class="num">{formatMoney(one.amount)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

// The share of each state; the amounts stand beside it in words.
function StateBar({ answer }: { answer: Answer }) {
  const whole = moneyStates.reduce((sum, state) => sum + Math.max(0, answer.states[state].minor), 0);
  if (whole === 0) return null;
  let from = 0;
  return (
    <svg class="state-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {moneyStates.map((state) => {
        const wide = (Math.max(0, answer.states[state].minor) / whole) * 100;
        const left = from;
        from += wide;
        return wide === 0 ? null : <rect key={state} class={`state-${state}`} x={left} width={wide} height="6" />;
      })}
    </svg>
  );
}
