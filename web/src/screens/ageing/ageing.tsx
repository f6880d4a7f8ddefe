// Ageing: who owes us, or what we owe, how old it is, as of any day. Every cell opens its documents.
import './ageing.css';

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { type Ageing, ageing, ageingItems, type AgeingRow, type CashItem } from '../../api/cash';
import { Empty, Live, Mark, Problem, Skeleton } from '../../parts/basics';
import { Lazy } from '../../parts/charts/lazy';
import { AgeBars } from '../../parts/charts/age_bars';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { useTables } from '../../parts/charts/use_table';
import { counted, formatAmount, formatDay, formatInstant, formatMoney, formatMoneyShort, formatRate } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { MoneyTabs } from '../../parts/money_tabs';
import { navigate, route } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { useLast } from '../../parts/use_last';
import { useLiveMoney } from '../../parts/use_live_money';
import { ItemsDialog, itemColumns, pageSize } from '../cash/items';
import { ageingAddress, ageingQuery, ageingSentence, type AgeingState, bucketShort, bucketTitle, cellQuery, cleanBuckets, type Group, groups, groupTitles, isOverdue, overdueOf, parseAgeing } from './ageing_words';

const go = (state: AgeingState, replace = false): void => navigate(ageingAddress(state), { replace });

export default function AgeingScreen() {
  const search = route.value.search;
  const state = useMemo(() => parseAgeing(search), [search]);
  const query = ageingQuery(state);
  const answer = useAnswer(query, (abort) => ageing(query, abort));
  const data = useLast(answer.data);
  useLiveMoney(data?.as_of ?? null, answer.reload);
  useEffect(() => {
    document.title = 'Ageing · Millrace';
  }, []);
  return (
    <div class="page money-page ageing">
      <header class="page-head">
        <div>
          <h1>{state.side === 'receivables' ? 'Who owes us' : 'What we owe'}</h1>
          <p class="quiet">{data === null ? '\u00a0' : `as of the end of ${formatDay(data.day)}, by ${data.by === 'due' ? 'due day' : 'posting day'}; data as of ${formatInstant(data.as_of_time)}`}</p>
        </div>
        <span class="spring" />
        <button type="button" class="button no-print" onClick={() => print()}>
          <Icon name="print" />
          <span>Print</span>
        </button>
      </header>
      <MoneyTabs screen="ageing" />
      <Controls state={state} today={data?.day ?? ''} />
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={10} />}
      {data !== null && (
        <div class={`money-body ${answer.data === null && answer.problem === null ? 'is-stale' : ''}`} aria-busy={answer.data === null && answer.problem === null}>
          <p class="money-sentence">{ageingSentence(data)}</p>
          <Measures answer={data} />
          {data.rows.length === 0 ? <NothingOpen state={state} /> : <Rows answer={data} state={state} />}
        </div>
      )}
      {state.cell !== null && <CellDialog state={state} cell={state.cell} asOf={data?.as_of ?? 0} />}
    </div>
  );
}

function NothingOpen({ state }: { state: AgeingState }) {
  const why = state.day === '' ? 'Invoices and bills will stand here as soon as a source brings them, a file does or somebody enters one.' : 'On the chosen day nothing was open.';
  return <Empty title={state.side === 'receivables' ? 'Nobody owes anything' : 'Nothing is to be paid'} why={why} />;
}

function Controls({ state, today }: { state: AgeingState; today: string }) {
  return (
    <div class="cash-controls no-print" role="group" aria-label="What is shown">
      <div class="segmented" role="radiogroup" aria-label="Side">
        {(['receivables', 'payables'] as const).map((side) => (
          <label key={side}>
            <input type="radio" name="side" checked={state.side === side} onChange={() => go({ ...state, side, cell: null })} />
            <span>{side === 'receivables' ? 'Receivables' : 'Payables'}</span>
          </label>
        ))}
      </div>
      <label class="inline-label">
        <span>As of</span>
        <input type="date" value={state.day === '' ? today : state.day} onChange={(event) => go({ ...state, day: event.currentTarget.value })} />
      </label>
      {state.day !== '' && (
        <button type="button" class="button small" onClick={() => go({ ...state, day: '' })}>
          Today
        </button>
      )}
      <label class="inline-label">
        <span>By</span>
        <select value={state.by} onChange={(event) => go({ ...state, by: event.currentTarget.value === 'posted' ? 'posted' : 'due' })}>
          <option value="due">due day</option>
          <option value="posted">posting day</option>
        </select>
      </label>
      <BucketField state={state} />
      <label class="inline-label">
        <span>Group</span>
        <select value={state.group} onChange={(event) => go({ ...state, group: event.currentTarget.value as Group, cell: null })}>
          {groups.map((group) => (
            <option key={group} value={group}>
              {group === 'party' && state.side === 'payables' ? 'Supplier' : groupTitles[group]}
            </option>
          ))}
        </select>
      </label>
      <NameField state={state} />
    </div>
  );
}

const typingPause = 250; // milliseconds: while somebody types, nothing is asked

// A text that is written into the address when the typing pauses.
function useTyped(value: string, put: (text: string) => void): { text: string; type: (text: string) => void } {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (next: string): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = next;
      put(next);
    }, typingPause);
  };
  return { text, type };
}

function BucketField({ state }: { state: AgeingState }) {
  const { text, type } = useTyped(state.buckets, (next) => {
    const clean = cleanBuckets(next);
    if (clean !== undefined) go({ ...parseAgeing(location.search), buckets: clean }, true);
  });
  const wrong = cleanBuckets(text) === undefined;
  return (
    <label class="inline-label">
      <span>Days</span>
      <input type="text" inputMode="numeric" class="bucket-input" placeholder="30,60,90" autocomplete="off" aria-invalid={wrong} value={text} onInput={(event) => type(event.currentTarget.value)} />
      {wrong && <span class="wrong">rising days, such as 30,60,90</span>}
    </label>
  );
}

function NameField({ state }: { state: AgeingState }) {
  const { text, type } = useTyped(state.q, (next) => go({ ...parseAgeing(location.search), q: next.trim() }, true));
  return (
    <label class="inline-label">
      <span>Find</span>
      <input type="search" autocomplete="off" placeholder="name or code" value={text} onInput={(event) => type(event.currentTarget.value)} />
    </label>
  );
}

function Measures({ answer }: { answer: Ageing }) {
  const days = (value: number | null | undefined): string => (value == null ? 'not known' : `${formatRate(value)} days`);
  const { dso, best_dso, average_days_late, dpo } = answer.measures;
  const cards: [string, string, string][] =
    answer.side === 'receivables'
      ? [
          ['Days of sales outstanding', days(dso), 'how long our money is out'],
          ['Best possible', days(best_dso), 'if nobody were late'],
          ['Average lateness', days(average_days_late), 'of what was paid, by amount'],
        ]
      : [
          ['Days of payables outstanding', days(dpo), 'how long we keep suppliers waiting'],
          ['Average lateness', days(average_days_late), 'of what we paid'],
        ];
  return (
    <div class="money-cards">
      {answer.totals.map((total) => {
        const overdue = overdueOf(answer.buckets, total);
        return (
          <section class="money-card" key={total.currency}>
            <h2>Open, {total.currency}</h2>
            <span class="big num">
              <Live text={formatMoneyShort(total.total)} />
            </span>
            {overdue.minor > 0 ? <Mark tone="fair">{formatMoneyShort(overdue)} overdue</Mark> : <Mark tone="good">nothing overdue</Mark>}
          </section>
        );
      })}
      {cards.map(([title, value, help]) => (
        <section class="money-card" key={title}>
          <h2>{title}</h2>
          <span class="big num">{value}</span>
          <span class="quiet">{help}</span>
        </section>
      ))}
    </div>
  );
}

function Rows({ answer, state }: { answer: Ageing; state: AgeingState }) {
  const { asTable } = useTables();
  const wanted = state.q.toLowerCase();
  const rows = useMemo(() => {
    const found = wanted === '' ? answer.rows : answer.rows.filter((row) => `${row.name} ${row.key}`.toLowerCase().includes(wanted));
    return [...found].sort((a, b) => a.currency.localeCompare(b.currency) || b.total.minor - a.total.minor);
  }, [answer.rows, wanted]);
  const many = answer.totals.length > 1;
  const link = (row: AgeingRow | null, bucket: string, money: { minor: number; currency: string }) =>
    money.minor === 0 ? (
      <span class="quiet">–</span>
    ) : row !== null && state.group !== 'party' && state.group !== 'currency' ? (
      <Live text={formatAmount(money)} />
    ) : (
      <a class="figure-link" href={ageingAddress({ ...state, cell: { bucket, key: row?.key ?? '', currency: money.currency } })}>
        <span class="only-read">{`${row === null ? 'All' : row.name || row.key}, ${bucket === 'all' ? 'all ages' : bucketTitle(bucket)}: `}</span>
        <Live text={formatAmount(money)} />
      </a>
    );
  const columns: RowColumn<AgeingRow>[] = [
    { title: state.group === 'party' ? (state.side === 'payables' ? 'Supplier' : 'Customer') : groupTitles[state.group], width: 'minmax(90px,1.9fr)', cell: (row) => <Name row={row} state={state} /> },
    ...(many ? [{ title: 'Currency', width: '62px', cell: (row: AgeingRow) => row.currency }] : []),
    ...answer.buckets.map((bucket, at): RowColumn<AgeingRow> => ({ title: bucketShort(bucket), width: 'minmax(0,1fr)', numeric: true, cell: (row) => link(row, bucket, row.amounts[at] ?? { minor: 0, currency: row.currency }), narrow: false })),
    { title: 'Total', width: 'minmax(100px,1fr)', numeric: true, cell: (row) => link(row, 'all', row.total) },
    { title: 'Oldest', width: '92px', numeric: true, cell: (row) => formatDay(row.oldest), narrow: false },
  ];
  return (
    <>
      {!asTable && (
        <div class="money-columns">
          {answer.totals.map((total) => (
            <section class="block" key={total.currency}>
              <h2>
                By age <span class="quiet">{total.currency}</span>
              </h2>
              <AgeBars parts={answer.buckets.map((bucket, at) => ({ name: bucketTitle(bucket), money: total.amounts[at] ?? { minor: 0, currency: total.currency }, href: ageingAddress({ ...state, cell: { bucket, key: '', currency: total.currency } }) }))} />
            </section>
          ))}
        </div>
      )}
      {asTable && <Totals answer={answer} link={(bucket, money) => link(null, bucket, money)} />}
      <section class="block" aria-label="One by one">
        <h2>
          One by one <span class="quiet">{counted(rows.length, 'row')}{wanted === '' ? '' : ` of ${answer.rows.length}`}; every amount opens its documents</span>
        </h2>
        <Lazy height={Math.min(460, rows.length * 40 + 40)}>
          {() => <VirtualRows label="Ageing" rows={rows} total={rows.length} columns={columns} rowHeight={40} height={460} keyOf={(row) => `${row.key} ${row.currency}`} />}
        </Lazy>
      </section>
    </>
  );
}

function Name({ row, state }: { row: AgeingRow; state: AgeingState }) {
  const name = row.name || row.key || 'not said';
  return state.group === 'party' && state.side === 'receivables' && row.key !== '' ? <a href={`/customers/${encodeURIComponent(row.key)}/payments`}>{name}</a> : <span>{name}</span>;
}

type TotalsProps = { answer: Ageing; link: (bucket: string, money: { minor: number; currency: string }) => preact.ComponentChildren };

// The bars as a table (`t`).
function Totals({ answer, link }: TotalsProps) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Totals by age">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Currency</th>
            {answer.buckets.map((bucket) => (
              <th key={bucket} scope="col" class="num">
                {isOverdue(bucket) ? `${bucketTitle(bucket)} overdue` : bucketTitle(bucket)}
              </th>
            ))}
            <th scope="col" class="num">
              Total
            </th>
          </tr>
        </thead>
        <tbody>
          {answer.totals.map((total) => (
            <tr key={total.currency}>
              <th scope="row">{total.currency}</th>
              {answer.buckets.map((bucket, at) => (
                <td key={bucket} class="num">
                  {link(bucket, total.amounts[at] ?? { minor: 0, currency: total.currency })}
                </td>
              ))}
              <td class="num">{link('all', total.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const cellColumns: readonly RowColumn<CashItem>[] = itemColumns.map((column) => {
  if (column.title === 'Day') return { ...column, title: 'Due', cell: (item) => formatDay(item.due) };
  return column.title === 'Amount' ? { ...column, cell: (item) => formatMoney(item.amount) } : column;
});

function CellDialog({ state, cell, asOf }: { state: AgeingState; cell: NonNullable<AgeingState['cell']>; asOf: number }) {
  const query = cellQuery(state, cell);
  const title = [cell.key, cell.bucket === 'all' ? 'all ages' : bucketTitle(cell.bucket), cell.currency].filter(Boolean).join(', ');
  return (
    <ItemsDialog
      title={title}
      question={`${query} ${asOf}`}
      columns={cellColumns}
      ask={(cursor, abort) => ageingItems(`${query}&limit=${pageSize}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, abort)}
      onClose={() => {
        if (location.pathname === '/ageing') go({ ...parseAgeing(location.search), cell: null });
      }}
    />
  );
}
