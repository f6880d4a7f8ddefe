// Cash: what comes and goes in the next weeks, how sure that is, when it is lowest, and why it changed.
import './cash.css';

import type { ComponentType } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';

import { type Cash, cash, cashItems } from '../../api/cash';
import { toast } from '../../parts/app_state';
import { Empty, Problem, Skeleton } from '../../parts/basics';
import { Lazy } from '../../parts/charts/lazy';
import { useTables } from '../../parts/charts/use_table';
import { formatDay, formatDayShort, formatInstant } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { MoneyTabs } from '../../parts/money_tabs';
import { navigate, route } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { useLast } from '../../parts/use_last';
import { useLiveMoney } from '../../parts/use_live_money';
import { cashAddress, cashQuery, type CashState, type Figure, figureQuery, parseCash, wholeFigure } from './address';
import { BalanceChart } from './balance_chart';
import type { BelowProps } from './below';
import { layerTitle, viewTitles } from './cash_words';
import { Controls, LayerSwitches } from './controls';
import { FlowChart } from './flow_chart';
import { ItemsDialog, pageSize } from './items';
import { Cards, Compared, LowPoint } from './summary';
import { Weeks } from './weeks';

// Asked as soon as this file is here, beside the question who looks at it; whoever may not see it is refused, and told so by
// the screen when it asks again.
let ahead = location.pathname === '/cash' ? { query: cashQuery(parseCash(location.search)), answer: cash(cashQuery(parseCash(location.search))).catch(() => null) } : null;

async function askCash(query: string, abort: AbortSignal): Promise<Cash> {
  const early = ahead?.query === query ? await ahead.answer : null;
  ahead = null;
  return early ?? cash(query, abort);
}

export default function CashScreen() {
  const search = route.value.search;
  const state = useMemo(() => parseCash(search), [search]);
  const answer = useAnswer(cashQuery(state), (abort) => askCash(cashQuery(state), abort));
  const data = useLast(answer.data);
  useLiveMoney(data?.as_of ?? null, answer.reload);
  useEffect(() => {
    document.title = 'Cash · Millrace';
  }, []);
  return (
    <div class="page money-page cash">
      <header class="page-head">
        <div>
          <h1>Cash</h1>
          <p class="quiet">{data === null ? '\u00a0' : `${formatDay(data.today)}, ${state.weeks} weeks, ${viewTitles[data.view].toLowerCase()}, ${data.currency}; as of ${formatInstant(data.as_of_time)}`}</p>
        </div>
        <span class="spring" />
        <button type="button" class="button no-print" onClick={() => print()}>
          <Icon name="print" />
          <span>Print</span>
        </button>
      </header>
      <MoneyTabs screen="cash" />
      <Controls answer={data} state={state} onKept={answer.reload} />
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={2} class="cash-skeleton" />}
      {data !== null && (
        <div class={`cash-body ${answer.data === null && answer.problem === null ? 'is-stale' : ''}`} aria-busy={answer.data === null && answer.problem === null}>
          <Body answer={data} state={state} />
        </div>
      )}
      {state.figure !== null && <FigureDialog state={state} figure={state.figure} asOf={data?.as_of ?? 0} />}
    </div>
  );
}

function Body({ answer, state }: { answer: Cash; state: CashState }) {
  const tables = useTables();
  const open = (figure: Figure): void => navigate(cashAddress({ ...state, figure }));
  const nothing = answer.layers.every((layer) => layer.receipts.minor === 0 && layer.payments.minor === 0) && answer.opening.minor === 0;
  if (nothing && state.layers === null)
    return (
      <Empty
        title="Money will stand here"
        why="No balance, invoice, order or cost has brought an amount yet. A source of the ERP brings them, a file does, or you enter them."
        action={
          <a class="button primary" href="/finance">
            Enter or import documents
          </a>
        }
      />
    );
  return (
    <>
      <Cards answer={answer} state={state} />
      <div class="panel balance-panel">
        <BalanceChart answer={answer} {...tables} onDay={(day) => open(wholeFigure(day.day, day.day))} />
        <LayerSwitches answer={answer} state={state} />
      </div>
      <Compared answer={answer} onRemove={(id) => navigate(cashAddress({ ...state, scenarios: state.scenarios.filter((one) => one !== id) }))} />
      <div class="panel flow-panel">
        <Lazy height={300}>{() => <FlowChart answer={answer} {...tables} onWeek={(week) => open(wholeFigure(week.start, week.end))} />}</Lazy>
      </div>
      <Weeks answer={answer} state={state} />
      {answer.lowest !== null && <LowPoint low={answer.lowest} />}
      <Lazy height={470}>{() => <Below answer={answer} state={state} {...tables} />}</Lazy>
    </>
  );
}

function Below(props: BelowProps) {
  const [Shown, setShown] = useState<ComponentType<BelowProps> | null>(null);
  useEffect(() => {
    import('./below').then(
      (module) => setShown(() => module.default),
      () => toast({ text: 'A part of the page could not be loaded. A new version may be out: reload the page.', tone: 'problem' }),
    );
  }, []);
  return Shown === null ? null : <Shown {...props} />;
}

function figureTitle(figure: Figure): string {
  const what = figure.direction === 'in' ? 'In' : figure.direction === 'out' ? 'Out' : 'In and out';
  const which = [figure.layer === '' ? '' : layerTitle(figure.layer).toLowerCase(), figure.category, figure.party].filter(Boolean).join(', ');
  const when = figure.from === figure.to ? formatDay(figure.from) : `${formatDayShort(figure.from)} to ${formatDay(figure.to)}`;
  return `${what}${which === '' ? '' : `, ${which}`}: ${when}`;
}

function FigureDialog({ state, figure, asOf }: { state: CashState; figure: Figure; asOf: number }) {
  const query = figureQuery(state, figure);
  return (
    <ItemsDialog
      title={figureTitle(figure)}
      question={`${query} ${asOf}`}
      ask={(cursor, abort) => cashItems(`${query}&limit=${pageSize}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, abort)}
      onClose={() => {
        // Following a link out of the list has changed the address already.
        if (location.pathname === '/cash') navigate(cashAddress({ ...parseCash(location.search), figure: null }));
      }}
    />
  );
}
