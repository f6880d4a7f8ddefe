// The weeks as a table: every figure opens its movements, every week opens by layer and category.
import type { Cash, CashWeek } from '../../api/cash';
import type { Money } from '../../api/types';
import { Live, Mark } from '../../parts/basics';
import { absent, formatDayShort, formatMoney, formatMoneyShort, isoWeek } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { navigate } from '../../parts/router';
import { cashAddress, type CashState, dayBefore, type Figure, wholeFigure } from './address';
import { headroomShort, headroomTone, headroomWords, layerTitle } from './cash_words';

type Props = { answer: Cash; state: CashState };

export function Weeks({ answer, state }: Props) {
  return (
    <section class="block" aria-labelledby="weeks-title">
      <h2 id="weeks-title">
        Week by week <span class="quiet">{answer.currency}; every amount opens its documents</span>
      </h2>
      <div class="table-box" tabIndex={0} role="region" aria-label="Weeks">
        <table class="table weeks">
          <thead>
            <tr>
              <th scope="col">Week</th>
              {titles.map(([title, kind]) => (
                <th key={title} scope="col" class={`num ${kind}`}>
                  {title}
                </th>
              ))}
              <th scope="col" class="wide-only">{answer.credit_line === null || answer.credit_line.minor === 0 ? 'Above zero' : 'Room'}</th>
            </tr>
          </thead>
          {answer.weeks.map((week) => (
            <Week key={week.start} week={week} answer={answer} state={state} />
          ))}
        </table>
      </div>
    </section>
  );
}

const titles: readonly [string, '' | 'wide-only'][] = [
  ['Opening', 'wide-only'],
  ['In', ''],
  ['Out', ''],
  ['Closing', ''],
  ['Lowest day', 'wide-only'],
  ['Closing, 8 of 10 cases', 'wide-only'],
];

// Whole units on screen; to the minor unit in the tooltip and in the list that opens.
function Cell({ money, state, figure, what }: { money: Money; state: CashState; figure: Figure; what: string }) {
  return (
    <td class="num">
      <a href={cashAddress({ ...state, figure })} title={formatMoney(money)}>
        <span class="only-read">{what} </span>
        <Live text={formatMoneyShort(money)} />
      </a>
    </td>
  );
}

// What the banks say, or all that moves until the week begins.
function openingAddress(week: CashWeek, answer: Cash, state: CashState): string {
  if (week.start <= answer.today || week === answer.weeks[0]) return '/finance?kind=balance';
  return cashAddress({ ...state, figure: wholeFigure(answer.today, dayBefore(week.start)) });
}

function Week({ week, answer, state }: { week: CashWeek; answer: Cash; state: CashState }) {
  const open = state.expanded.includes(week.start);
  const lowWeek = answer.lowest !== null && answer.lowest.day >= week.start && answer.lowest.day <= week.end;
  const toggle = (): void => navigate(cashAddress({ ...state, expanded: open ? state.expanded.filter((one) => one !== week.start) : [...state.expanded, week.start] }), { replace: true });
  const figure = (part: Partial<Figure> = {}): Figure => wholeFigure(week.start, week.end, part);
  return (
    <tbody class={lowWeek ? 'low-week' : undefined}>
      <tr>
        <th scope="row">
          <button type="button" class="week-button" aria-expanded={open} onClick={toggle}>
            <Icon name={open ? 'down' : 'right'} />
            <span>
              Week {isoWeek(week.start)}{' '}
              <span class="quiet">
                {formatDayShort(week.start)}
                <span class="wide-only"> – {formatDayShort(week.end)}</span>
              </span>
              {week.headroom !== null && week.headroom.minor < 0 && (
                <span class="phone-only">
                  <Mark tone="poor">{headroomShort(week.headroom)}</Mark>
                </span>
              )}
            </span>
          </button>
        </th>
        <td class="num wide-only">
          <a href={openingAddress(week, answer, state)} title={formatMoney(week.opening)}>
            <span class="only-read">Opening </span>
            <Live text={formatMoneyShort(week.opening)} />
          </a>
        </td>
        <Cell money={week.receipts} state={state} figure={figure({ direction: 'in' })} what="In" />
        <Cell money={week.payments} state={state} figure={figure({ direction: 'out' })} what="Out" />
        <Cell money={week.closing} state={state} figure={figure()} what="Closing" />
        <td class="num wide-only">
          <a href={cashAddress({ ...state, figure: wholeFigure(week.low.day, week.low.day) })} title={formatMoney(week.low.amount)}>
            <Live text={formatMoneyShort(week.low.amount)} /> <span class="quiet">{formatDayShort(week.low.day)}</span>
          </a>
        </td>
        <td class="num quiet wide-only">{week.p10 === null || week.p90 === null ? absent : `${formatMoneyShort(week.p10)} – ${formatMoneyShort(week.p90)}`}</td>
        <td class="wide-only">{week.headroom === null ? absent : <span title={headroomWords(week.headroom, answer.credit_line)}><Mark tone={headroomTone(week.headroom, week.low.amount)}>{headroomShort(week.headroom)}</Mark></span>}</td>
      </tr>
      {open && <Parts week={week} state={state} figure={figure} />}
    </tbody>
  );
}

function Parts({ week, state, figure }: { week: CashWeek; state: CashState; figure: (part: Partial<Figure>) => Figure }) {
  const rows = [
    ...week.receipts_by.map((part) => ({ title: `in: ${layerTitle(part.layer)}`, amount: part.amount, figure: figure({ direction: 'in', layer: part.layer }), out: false })),
    ...week.payments_by.map((part) => ({ title: `out: ${part.category || 'without category'}`, amount: part.amount, figure: figure({ direction: 'out', category: part.category }), out: true })),
  ].filter((row) => row.amount.minor !== 0);
  if (rows.length === 0)
    return (
      <tr class="week-part">
        <td colSpan={8} class="quiet">
          Nothing comes or goes in this week.
        </td>
      </tr>
    );
  return (
    <>
      {rows.map((row) => (
        <tr key={row.title} class="week-part">
          <td>{row.title}</td>
          <td class="wide-only" />
          {row.out && <td />}
          <Cell money={row.amount} state={state} figure={row.figure} what={row.title} />
          <td colSpan={row.out ? 4 : 5} class="wide-only" />
        </tr>
      ))}
    </>
  );
}
