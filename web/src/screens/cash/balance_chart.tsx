// The balance day by day: what is expected, how sure it is, where it is lowest and how far the credit line is.
import type { Cash, CashDay, ScenarioOutcome } from '../../api/cash';
import { AmountAxis, amountScale, plotOf, type Plot, TimeAxis } from '../../parts/charts/axes';
import { Chart, type Picture } from '../../parts/charts/chart';
import { bandPath, linear, linePath, type Scale, stepPath } from '../../parts/charts/chart_math';
import { formatDay, formatDayShort, formatMoney, formatMoneyShort } from '../../parts/format';
import { moneyOr, sayDay } from './cash_words';

export type BalanceProps = { answer: Cash; asTable: boolean; onTable: (asTable: boolean) => void; onDay: (day: CashDay) => void };

const height = 300; // pixels

export function BalanceChart({ answer, asTable, onTable, onDay }: BalanceProps) {
  const { days, currency } = answer;
  const place = (x: number, width: number): number => {
    const plot = plotOf(width, height);
    return Math.round(((x - plot.left) / (plot.right - plot.left)) * (days.length - 1));
  };
  const table = {
    columns: ['Day', `In, ${currency}`, `Out, ${currency}`, `Balance, ${currency}`, 'Lower edge (p10)', 'Upper edge (p90)'],
    rows: days.map((day) => [formatDay(day.day), formatMoney(day.receipts), formatMoney(day.payments), formatMoney(day.closing), moneyOr(day.p10), moneyOr(day.p90)]),
  };
  const hasBand = days.some((day) => day.p10 !== null && day.p90 !== null);
  return (
    <Chart
      title="Balance"
      sentence={answer.sentence}
      table={table}
      asTable={asTable}
      onTable={onTable}
      height={height}
      points={days.length}
      place={place}
      say={(at) => (days[at] === undefined ? '' : sayDay(days[at]))}
      onOpen={(at) => days[at] !== undefined && onDay(days[at])}
      legend={<Legend answer={answer} hasBand={hasBand} />}
    >
      {(picture) => <Lines answer={answer} {...picture} />}
    </Chart>
  );
}

function Legend({ answer, hasBand }: { answer: Cash; hasBand: boolean }) {
  const sample = (name: string) => (
    <svg viewBox="0 0 22 12" width="22" height="12" aria-hidden="true" focusable="false">
      {name === 'band' ? <rect class="band" width="22" height="12" /> : <line x1="0" x2="22" y1="6" y2="6" class={name} />}
    </svg>
  );
  return (
    <>
      <span class="legend-key">{sample('balance-line')} balance</span>
      {hasBand && <span class="legend-key">{sample('band')} 8 of 10 cases (p10 to p90)</span>}
      {hasLine(answer) && <span class="legend-key">{sample('credit-line')} end of the credit line</span>}
      {answer.scenarios.map((scenario, at) => (
        <span class="legend-key" key={scenario.id}>
          {sample(`other-line other-line-${at}`)} {scenario.name}
        </span>
      ))}
    </>
  );
}

const hasLine = (answer: Cash): boolean => (answer.credit_line?.minor ?? 0) !== 0;

function Lines({ answer, width, height, at }: Picture & { answer: Cash }) {
  const { days } = answer;
  const plot = plotOf(width, height);
  const line = hasLine(answer) ? -(answer.credit_line?.minor ?? 0) : null;
  const closings = answer.scenarios.flatMap((scenario) => scenario.weeks.map((week) => week.closing.minor));
  const values = [...days.flatMap((day) => [day.closing.minor, day.p10?.minor ?? day.closing.minor, day.p90?.minor ?? day.closing.minor]), ...closings, ...(line === null ? [] : [line])];
  const { y, marks } = amountScale(plot, Math.min(...values, 0), Math.max(...values, 0));
  const x = linear([0, Math.max(1, days.length - 1)], [plot.left, plot.right]);
  // The words of the line stand where those of the low point do not.
  const flagIsLeft = days.findIndex((day) => day.day === answer.lowest?.day) < days.length / 2;
  const edge = (pick: (day: CashDay) => number | undefined): [number, number][] => days.flatMap((day, index) => (pick(day) === undefined ? [] : [[x(index), y(pick(day) ?? 0)] as [number, number]]));
  return (
    <>
      <AmountAxis plot={plot} y={y} marks={marks} currency={answer.currency} />
      <path class="band" d={bandPath(edge((day) => day.p90?.minor), edge((day) => day.p10?.minor))} />
      {line !== null && (
        <>
          <line class="credit-line" x1={plot.left} x2={plot.right} y1={y(line)} y2={y(line)} />
          <text class="credit-text" x={flagIsLeft ? plot.right : plot.left + 4} y={y(line) - 5} text-anchor={flagIsLeft ? 'end' : 'start'}>
            credit line {formatMoneyShort({ minor: line, currency: answer.currency })}
          </text>
        </>
      )}
      {answer.scenarios.map((scenario, index) => (
        <path key={scenario.id} class={`other-line other-line-${index}`} d={scenarioPath(answer, scenario, x, y)} />
      ))}
      <path class="balance-line" d={stepPath(edge((day) => day.closing.minor))} />
      <LowFlag answer={answer} plot={plot} x={x} y={y} />
      <WeekLabels answer={answer} plot={plot} x={x} />
      {at !== null && days[at] !== undefined && (
        <>
          <line class="cursor-line" x1={x(at)} x2={x(at)} y1={plot.top} y2={plot.bottom} />
          <circle class="point" cx={x(at)} cy={y(days[at].closing.minor)} r="4" />
        </>
      )}
    </>
  );
}

function scenarioPath(answer: Cash, scenario: ScenarioOutcome, x: Scale, y: Scale): string {
  const places = new Map(answer.days.map((day, at) => [day.day, at]));
  const ends = new Map(answer.weeks.map((week) => [week.start, week.end]));
  const points = scenario.weeks.flatMap((week): [number, number][] => {
    const at = places.get(ends.get(week.start) ?? '');
    return at === undefined ? [] : [[x(at), y(week.closing.minor)]];
  });
  return linePath([[x(0), y(answer.opening.minor)], ...points]);
}

function LowFlag({ answer, plot, x, y }: { answer: Cash; plot: Plot; x: Scale; y: Scale }) {
  const low = answer.lowest;
  const at = low === null ? -1 : answer.days.findIndex((day) => day.day === low.day);
  if (low === null || at < 0) return null;
  const left = x(at);
  const top = y(low.amount.minor);
  const anchor = left > plot.right - 140 ? 'end' : left < plot.left + 140 ? 'start' : 'middle';
  const breach = (low.headroom?.minor ?? low.amount.minor) < 0;
  const words = plot.bottom - top < 24 ? -14 : 18; // nothing of the curve lies beneath its lowest point
  return (
    <g>
      <path class={`low-flag ${breach ? 'breach' : ''}`} d={`M${left},${top}l-6,-9h12z`} />
      <text class="low-text" x={left} y={top + words} text-anchor={anchor}>
        {breach ? 'beyond the line: ' : 'low '}
        {formatMoneyShort(low.amount)}, {formatDayShort(low.day)}
      </text>
    </g>
  );
}

// Mondays; where not all fit, every second or third.
function WeekLabels({ answer, plot, x }: { answer: Cash; plot: Plot; x: Scale }) {
  const places = answer.weeks.flatMap((week) => {
    const at = answer.days.findIndex((day) => day.day === week.start);
    return at < 0 ? [] : [{ at, text: formatDayShort(week.start) }];
  });
  return <TimeAxis plot={plot} labels={places.map((place) => place.text)} x={(index) => Math.max(plot.left + 12, x(places[index]?.at ?? 0))} />;
}
