// The answer at one glance: what is there, when it is lowest and why, what is there at the end, what is not counted.
import type { Cash, Low, LowCauses } from '../../api/cash';
import { Amount, Mark } from '../../parts/basics';
import { counted, formatDay, formatDayShort, formatMoney, formatMoneyShort } from '../../parts/format';
import { cashAddress, type CashState, wholeFigure } from './address';
import { between, endOf, headroomTone, headroomWords, rateWords, signed } from './cash_words';
import { documentAddress, kindTitle, size } from './items';

type Props = { answer: Cash; state: CashState };

export function Cards({ answer, state }: Props) {
  const low = answer.lowest;
  const end = endOf(answer);
  const last = answer.weeks.at(-1);
  return (
    <div class="money-cards">
      <section class="money-card">
        <h2>In the bank</h2>
        <a class="big" href="/finance?kind=balance">
          <Amount money={answer.opening} />
        </a>
        <span class="quiet">{answer.accounts.length === 0 ? 'no balance is known' : answer.accounts.map((one) => `${one.account} ${formatMoney(one.balance)}${one.day === null ? '' : `, ${formatDayShort(one.day)}`}`).join(' · ')}</span>
      </section>
      {low !== null && (
        <section class="money-card">
          <h2>Low point</h2>
          <a class="big" href={cashAddress({ ...state, figure: wholeFigure(low.day, low.day) })}>
            <Amount money={low.amount} />
          </a>
          <span class="quiet">
            {formatDay(low.day)}
            {low.p10 != null && `; in 1 of 10 cases under ${formatMoneyShort(low.p10)}`}
          </span>
          {low.headroom != null && <Mark tone={headroomTone(low.headroom, low.amount)}>{headroomWords(low.headroom, answer.credit_line)}</Mark>}
          {answer.credit_line !== null && <a href="/finance?kind=credit_line">credit line {formatMoney(answer.credit_line)}</a>}
        </section>
      )}
      {end !== null && last !== undefined && (
        <section class="money-card">
          <h2>On {formatDay(end.day)}</h2>
          <a class="big" href={cashAddress({ ...state, figure: wholeFigure(answer.today, end.day) })}>
            <Amount money={end.closing} />
          </a>
          <span class="quiet">{between(last.p10, last.p90).replace(', b', 'b')}</span>
        </section>
      )}
      <section class="money-card">
        <h2>Not in these figures</h2>
        {answer.no_day !== null && answer.no_day.count > 0 ? (
          <Mark tone="fair">
            {counted(answer.no_day.count, 'document')} without a day, {formatMoney(answer.no_day.amount)}
          </Mark>
        ) : (
          <Mark tone="good">every document has a day</Mark>
        )}
        {answer.without_rate.length > 0 && <Mark tone="fair">no rate for {answer.without_rate.map(formatMoney).join(', ')}</Mark>}
        {answer.rates.length > 0 && <a href="/finance?kind=rate">{answer.rates.map(rateWords).join('; ')}</a>}
      </section>
    </div>
  );
}

// Why it is lowest there, and which late orders would lift it.
export function LowPoint({ low }: { low: Low & LowCauses }) {
  const causes = low.causes ?? [];
  const lifts = low.would_lift ?? [];
  if (causes.length === 0 && lifts.length === 0) return null;
  return (
    <section class="block low-point" aria-labelledby="low-title">
      <h2 id="low-title">Around the low point, {formatDay(low.day)}</h2>
      <div class="money-columns">
        <div>
          <h3>What takes it down</h3>
          {causes.length === 0 && <p class="quiet">No single payment does.</p>}
          <ul class="low-list">
            {causes.map((item) => (
              <li key={item.id} class="whole-row">
                <a href={documentAddress(item)}>
                  {kindTitle(item.kind)} {item.number}
                </a>
                <span class="quiet">{item.party_name || item.category}</span>
                <span class="num">
                  {'\u2212'}
                  {formatMoney(size(item.converted ?? item.amount))}
                </span>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h3>Late orders that would lift it</h3>
          {lifts.length === 0 && <p class="quiet">No late order would.</p>}
          <ul class="low-list">
            {lifts.map((lift) => (
              <li key={lift.order} class="whole-row">
                <a href={`/orders/${encodeURIComponent(lift.order)}`}>{lift.order}</a>
                <span class="quiet">
                  {lift.customer}, {counted(lift.late_days, 'day')} late
                </span>
                <span class="num">{signed(lift.amount)}</span>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </section>
  );
}

// The plan beside what might happen instead.
export function Compared({ answer, onRemove }: { answer: Cash; onRemove: (id: string) => void }) {
  if (answer.scenarios.length === 0) return null;
  const base = answer.lowest;
  const end = answer.weeks.at(-1);
  return (
    <section class="block" aria-labelledby="compared-title">
      <h2 id="compared-title">Side by side</h2>
      <div class="table-box" tabIndex={0} role="region" aria-label="Scenarios side by side">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Plan</th>
              <th scope="col" class="num">Low point, {answer.currency}</th>
              <th scope="col" class="num">Difference</th>
              <th scope="col">Day</th>
              <th scope="col">Room</th>
              <th scope="col" class="num">At the end</th>
              <th scope="col">
                <span class="only-read">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">As it is</th>
              <td class="num">{base === null ? '–' : formatMoney(base.amount)}</td>
              <td class="num">–</td>
              <td class="num-day">{formatDay(base?.day ?? null)}</td>
              <td>{base?.headroom == null ? '–' : <Mark tone={headroomTone(base.headroom, base.amount)}>{headroomWords(base.headroom, answer.credit_line)}</Mark>}</td>
              <td class="num">{end === undefined ? '–' : formatMoney(end.closing)}</td>
              <td />
            </tr>
            {answer.scenarios.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  {one.name}
                  {(one.without_effect ?? []).map((change) => (
                    <span key={change} class="block-mark">
                      <Mark tone="idle">{change}</Mark>
                    </span>
                  ))}
                </th>
                <td class="num">{one.lowest === null ? '–' : formatMoney(one.lowest.amount)}</td>
                <td class="num">{one.lowest === null || base === null ? '–' : signed({ minor: one.lowest.amount.minor - base.amount.minor, currency: answer.currency })}</td>
                <td class="num-day">{formatDay(one.lowest?.day ?? null)}</td>
                <td>{one.lowest?.headroom == null ? '–' : <Mark tone={headroomTone(one.lowest.headroom, one.lowest.amount)}>{headroomWords(one.lowest.headroom, answer.credit_line)}</Mark>}</td>
                <td class="num">{one.weeks.length === 0 ? '–' : formatMoney(one.weeks.at(-1)?.closing ?? answer.opening)}</td>
                <td>
                  <button type="button" class="button small no-print" aria-label={`Remove ${one.name} from the comparison`} onClick={() => onRemove(one.id)}>
                    Remove
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
