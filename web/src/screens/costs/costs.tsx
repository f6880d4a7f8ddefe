// Costs: by month and category against the budget, and what comes in beside them. Entered here, or by a file.
import '../finance/finance.css';

import { useEffect, useMemo, useState } from 'preact/hooks';

import { type CostItem, costItems, type Costs, costs } from '../../api/cash';
import { Empty, Live, Mark, Problem, Skeleton } from '../../parts/basics';
import { type Look, lookAt } from '../../parts/charts/axes';
import { largest } from '../../parts/charts/chart_math';
import { ColumnsChart } from '../../parts/charts/columns_chart';
import { Lazy } from '../../parts/charts/lazy';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { Dialog } from '../../parts/dialog';
import { useTables, withParameter } from '../../parts/charts/use_table';
import { counted, formatDay, formatInstant, formatMoney, formatMonth, formatMonthShort } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { may } from '../../parts/me';
import { MoneyTabs } from '../../parts/money_tabs';
import { navigate, route } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { useLast } from '../../parts/use_last';
import { useLiveMoney } from '../../parts/use_live_money';
import { kindTitle } from '../cash/items';
import { EntrySheet } from '../finance/entry';
import { Imports, ImportSheet } from '../finance/import_sheet';
import { againstBudget, cellAddress, cellQuery, type CostCell, costSentence, costsQuery, type CostState, lastDay, type Month, monthsOf, parseCosts } from './cost_words';

const change = (name: string, value: string): void => navigate(`/costs${withParameter(location.search, name, value)}`);

export default function CostsScreen() {
  const search = route.value.search;
  const state = useMemo(() => parseCosts(search), [search]);
  const query = costsQuery(state);
  const answer = useAnswer(query, (abort) => costs(query, abort));
  const data = useLast(answer.data);
  const [sheet, setSheet] = useState<'' | 'enter' | 'import' | 'budget'>('');
  const [version, setVersion] = useState(0); // of the list of imports
  useLiveMoney(data?.as_of ?? null, answer.reload);
  useEffect(() => {
    document.title = 'Costs · Millrace';
  }, []);
  const again = (): void => {
    setVersion((count) => count + 1);
    answer.reload();
  };
  return (
    <div class="page money-page costs">
      <header class="page-head">
        <div>
          <h1>Costs</h1>
          <p class="quiet">{data === null ? '\u00a0' : `${data.currency}; as of ${formatInstant(data.as_of_time)}`}</p>
        </div>
        <span class="spring" />
        <button type="button" class="button no-print" onClick={() => print()}>
          <Icon name="print" />
          <span>Print</span>
        </button>
        {may('edit_money') && (
          <span class="row no-print">
            <button type="button" class="button" onClick={() => setSheet('import')}>
              Import a file
            </button>
            <button type="button" class="button" onClick={() => setSheet('budget')}>
              Enter a budget
            </button>
            <button type="button" class="button primary" onClick={() => setSheet('enter')}>
              Enter a cost
            </button>
          </span>
        )}
      </header>
      <MoneyTabs screen="costs" />
      <Controls state={state} categories={data?.categories ?? []} />
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={8} />}
      {data !== null && (
        <div class={`money-body ${answer.data === null && answer.problem === null ? 'is-stale' : ''}`} aria-busy={answer.data === null && answer.problem === null}>
          <Body answer={data} />
        </div>
      )}
      {may('edit_money') && data !== null && <Imports version={version} onDone={again} />}
      {state.cell !== null && <CellDialog state={state} cell={state.cell} asOf={data?.as_of ?? 0} />}
      {(sheet === 'enter' || sheet === 'budget') && (
        <EntrySheet
          kind={sheet === 'enter' ? 'cost' : 'budget'}
          document={null}
          given={{ currency: data?.currency ?? '', category: state.category }}
          onClose={() => setSheet('')}
          onSaved={() => {
            setSheet('');
            again();
          }}
        />
      )}
      {sheet === 'import' && <ImportSheet kind="cost" onClose={() => setSheet('')} onDone={again} />}
    </div>
  );
}

function Controls({ state, categories }: { state: CostState; categories: string[] }) {
  return (
    <div class="cash-controls no-print" role="group" aria-label="What is shown">
      <label class="inline-label">
        <span>From</span>
        <input type="date" value={state.from} onChange={(event) => change('from', event.currentTarget.value)} />
      </label>
      <label class="inline-label">
        <span>To</span>
        <input type="date" value={state.to} onChange={(event) => change('to', event.currentTarget.value)} />
      </label>
      <label class="inline-label">
        <span>Category</span>
        <select value={state.category} onChange={(event) => change('category', event.currentTarget.value)}>
          <option value="">all</option>
          {[...new Set([...categories, ...(state.category === '' ? [] : [state.category])])].map((category) => (
            <option key={category} value={category}>
              {category}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Body({ answer }: { answer: Costs }) {
  const tables = useTables();
  const months = useMemo(() => monthsOf(answer), [answer]);
  if (months.length === 0 && answer.revenue.length === 0) return <Empty title="No cost in these months" why="Costs come from a source, from a file, or you enter them: a day, a category and an amount are enough." />;
  return (
    <>
      <div class="money-columns">
        <div class="panel">
          <CostChart answer={answer} months={months} {...tables} />
        </div>
        <div class="panel">
          <Lazy height={310}>{() => <RevenueChart answer={answer} {...tables} />}</Lazy>
        </div>
      </div>
      <Months months={months} />
    </>
  );
}

type ChartProps = { answer: Costs; asTable: boolean; onTable: (asTable: boolean) => void };

function CostChart({ answer, months, ...tables }: ChartProps & { months: Month[] }) {
  const sums = new Map<string, number>();
  for (const row of answer.rows) sums.set(row.category, (sums.get(row.category) ?? 0) + row.actual.minor);
  const { shown, rest } = largest(sums, 6);
  const named = (category: string): string => (rest.includes(category) ? 'other' : category || 'without category');
  const looks = new Map<string, Look>([...shown.map(named), ...(rest.length > 0 ? ['other'] : [])].map((name, at) => [name, lookAt(at)]));
  const columns = months.map((month) => {
    const parts = new Map<string, number>();
    for (const row of month.rows) parts.set(named(row.category), (parts.get(named(row.category)) ?? 0) + row.actual.minor);
    return { label: formatMonthShort(month.month), name: formatMonth(month.month), segments: [...parts].map(([name, value]) => ({ name, value })), mark: month.budget.minor === 0 ? null : month.budget.minor };
  });
  return (
    <ColumnsChart
      title="Costs by month"
      sentence={costSentence(answer)}
      currency={answer.currency}
      columns={columns}
      looks={looks}
      markWord="budget"
      table={{ columns: ['Month', `Actual, ${answer.currency}`, 'Planned', 'Budget', 'Against budget'], rows: months.map((month) => [formatMonth(month.month), formatMoney(month.actual), formatMoney(month.planned), formatMoney(month.budget), againstBudget(month.actual, month.budget)]) }}
      say={(at) => (months[at] === undefined ? '' : `${formatMonth(months[at].month)}: ${formatMoney(months[at].actual)}, ${againstBudget(months[at].actual, months[at].budget)}`)}
      onOpen={(at) => months[at] !== undefined && navigate(cellAddress(location.search, { month: months[at].month, category: '', counts: 'actual' }))}
      {...tables}
    />
  );
}

function RevenueChart({ answer, ...tables }: ChartProps) {
  const { revenue, currency } = answer;
  const looks = new Map<string, Look>([['invoiced', 'a']]);
  const latest = revenue.at(-1);
  return (
    <ColumnsChart
      title="Revenue by month"
      sentence={latest === undefined ? 'Nothing is invoiced in these months.' : `${formatMonth(latest.month)}: ${formatMoney(latest.invoiced)} invoiced, ${formatMoney(latest.paid)} paid, ${formatMoney(latest.ordered)} ordered.`}
      currency={currency}
      columns={revenue.map((month) => ({ label: formatMonthShort(month.month), name: formatMonth(month.month), segments: [{ name: 'invoiced', value: month.invoiced.minor }], mark: month.paid.minor }))}
      looks={looks}
      markWord="paid"
      table={{ columns: ['Month', `Invoiced, ${currency}`, 'Paid', 'Ordered'], rows: revenue.map((month) => [formatMonth(month.month), formatMoney(month.invoiced), formatMoney(month.paid), formatMoney(month.ordered)]) }}
      say={(at) => (revenue[at] === undefined ? '' : `${formatMonth(revenue[at].month)}: ${formatMoney(revenue[at].invoiced)} invoiced, ${formatMoney(revenue[at].paid)} paid`)}
      onOpen={(at) => revenue[at] !== undefined && navigate(`/finance?kind=invoice&from=${revenue[at].month}-01&to=${lastDay(revenue[at].month)}`)}
      {...tables}
    />
  );
}

function Months({ months }: { months: Month[] }) {
  const newestFirst = [...months].reverse();
  return (
    <section class="block" aria-labelledby="months-title">
      <h2 id="months-title">
        Month by month <span class="quiet">every amount opens its documents</span>
      </h2>
      <div class="table-box" tabIndex={0} role="region" aria-label="Costs by month and category">
        <table class="table costs-table">
          <thead>
            <tr>
              <th scope="col">Month</th>
              <th scope="col">Category</th>
              <th scope="col" class="num">
                Actual
              </th>
              <th scope="col" class="num">
                Planned
              </th>
              <th scope="col" class="num">
                Budget
              </th>
              <th scope="col">Against budget</th>
            </tr>
          </thead>
          <tbody>
            {newestFirst.flatMap((month) =>
              month.rows.map((row, at) => (
                <tr key={`${row.month} ${row.category}`}>
                  <th scope="row">{at === 0 ? formatMonth(row.month) : <span class="only-read">{formatMonth(row.month)}</span>}</th>
                  <td>{row.category || 'without category'}</td>
                  {(['actual', 'planned', 'budget'] as const).map((counts) => (
                    <td key={counts} class="num">
                      {row[counts].minor === 0 ? (
                        <span class="quiet">–</span>
                      ) : (
                        <a class="figure-link" href={cellAddress(route.value.search, { month: row.month, category: row.category, counts })}>
                          <Live text={formatMoney(row[counts])} />
                        </a>
                      )}
                    </td>
                  ))}
                  <td>{row.budget.minor === 0 ? <span class="quiet">nothing is budgeted</span> : <Mark tone={row.actual.minor > row.budget.minor ? 'fair' : 'good'}>{againstBudget(row.actual, row.budget)}</Mark>}</td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const itemColumns: readonly RowColumn<CostItem>[] = [
  { title: 'Day', width: '100px', cell: (item) => formatDay(item.day) },
  {
    title: 'Document',
    width: 'minmax(0,1fr)',
    cell: (item) => (
      <a href={`/finance?kind=${encodeURIComponent(item.kind)}&doc=${encodeURIComponent(item.number)}`}>
        {kindTitle(item.kind)} {item.number}
      </a>
    ),
  },
  { title: 'Category', width: 'minmax(0,1fr)', cell: (item) => item.category || '–', narrow: false },
  { title: 'Comment', width: 'minmax(0,1.4fr)', cell: (item) => item.comment || '–', narrow: false },
  { title: 'Amount', width: '150px', numeric: true, cell: (item) => formatMoney(item.amount) },
];

function CellDialog({ state, cell, asOf }: { state: CostState; cell: CostCell; asOf: number }) {
  const query = `${cellQuery(state, cell)}&limit=1000`;
  const answer = useAnswer(`${query} ${asOf}`, (abort) => costItems(query, abort));
  const items = (useLast(answer.data)?.items ?? []).filter((item) => item.counts_as === cell.counts);
  const title = [{ actual: 'Spent', planned: 'Planned', budget: 'Budget' }[cell.counts], cell.category, formatMonth(cell.month)].filter(Boolean).join(', ');
  return (
    <Dialog title={title} class="items-dialog" onClose={() => location.pathname === '/costs' && navigate(cellAddress(location.search, null))}>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && items.length === 0 && <Skeleton rows={4} />}
      {answer.data !== null && <p>{counted(items.length, 'document')}</p>}
      {items.length > 0 && <VirtualRows label={title} rows={items} total={items.length} columns={itemColumns} rowHeight={40} height={430} keyOf={(item) => `${item.kind} ${item.number} ${item.day}`} />}
    </Dialog>
  );
}
