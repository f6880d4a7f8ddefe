// Differences: where a folder and the ERP say different things of one order, to be decided one by one.
import './differences.css';

import { useEffect, useRef, useState } from 'preact/hooks';

import type { DifferenceRow, OrderDetail } from '../../api/types';
import { heardSources, live } from '../../parts/app_state';
import { Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { Sides } from '../../parts/difference_sides';
import { decide, differenceTitle, fieldTitle, keepDecided, keyOf, nextSide } from '../../parts/differences';
import { counted, formatCount } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { useCommands } from '../../parts/keys';
import { navigate, route } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { type Filter, filterAddress, filterQuery, firstPages, pageSize, parseFilter, rowAfter } from './difference_list';

export default function DifferencesScreen() {
  useEffect(() => {
    document.title = 'Differences · Millrace';
  }, []);
  const filter = parseFilter(route.value.search);
  return (
    <div class="page differences">
      <header class="page-head">
        <div>
          <h1>Differences</h1>
          <p class="quiet">Where sources say different things of the same order. One value counts; you may say which.</p>
        </div>
        <span class="spring" />
        <a class="button no-print" href={`/api/v1/differences.csv?${filterQuery(filter)}`} download="">
          <Icon name="download" />
          <span>CSV</span>
        </a>
      </header>
      <DifferenceList key={filterQuery(filter)} filter={filter} />
    </div>
  );
}

function DifferenceList({ filter }: { filter: Filter }) {
  const [pages, setPages] = useState(1);
  const answer = useAnswer(`differences ${filterQuery(filter)} ${pages}`, (abort) => firstPages(filter, pages, abort));
  const [rows, setRows] = useState<DifferenceRow[] | null>(null);
  const decidedHere = useRef(new Set<string>());
  const since = answer.data?.as_of ?? null;
  const known = since !== null || rows !== null;
  useEffect(() => {
    const fresh = answer.data?.data;
    if (fresh !== undefined) setRows((before) => keepDecided(before ?? [], fresh, decidedHere.current));
  }, [answer.data]);
  const asOf = useRef(0);
  asOf.current = since ?? asOf.current;
  useEffect(() => {
    if (!known) return;
    return live.subscribe({ topic: 'totals', since: asOf.current, onDelta: answer.reload, onResync: answer.reload });
  }, [known, answer.reload]);
  const onDecided = (row: DifferenceRow, order: OrderDetail): void => {
    decidedHere.current.add(keyOf(row));
    setRows((before) => before?.map((one) => (one.order === row.order ? rowAfter(one, order) : one)) ?? null);
    answer.reload();
  };
  const left = answer.data?.undecided;
  return (
    <>
      <div class="difference-bar no-print">
        <FilterBar filter={filter} rows={rows ?? []} />
        <span class="spring" />
        {left !== undefined && (left === 0 ? <Mark tone="good">nothing left to decide</Mark> : <Mark tone="fair">{counted(left, 'order')} to decide</Mark>)}
      </div>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {rows === null && answer.problem === null && <Skeleton rows={8} />}
      {rows !== null && rows.length === 0 && <Nothing filter={filter} />}
      {rows !== null && rows.length > 0 && <Rows rows={rows} onDecided={onDecided} />}
      {(answer.data?.next ?? null) !== null && (
        <button type="button" class="button no-print" onClick={() => setPages(pages + 1)}>
          Show {formatCount(pageSize)} more
        </button>
      )}
    </>
  );
}

function Nothing({ filter }: { filter: Filter }) {
  const narrowed = filter.field !== '' || filter.source !== '' || filter.decided === '1';
  return narrowed ? (
    <Empty
      title="None passes this filter"
      why="Differences of other values or sources may be there."
      action={
        <a class="button" href="/differences">
          Clear the filter
        </a>
      }
    />
  ) : (
    <Empty title="No difference waits" why="When a file and the ERP say different things of one order, both values will stand here, with the one that counts and why." />
  );
}

// What one filters by: the values and sources that are in the list, and the one that is chosen.
function choices(known: Iterable<string>, chosen: string): string[] {
  return [...new Set([...known, ...(chosen === '' ? [] : [chosen])])].sort();
}

function FilterBar({ filter, rows }: { filter: Filter; rows: DifferenceRow[] }) {
  const go = (part: Partial<Filter>): void => navigate(filterAddress({ ...filter, ...part }));
  const fields = choices(rows.map((row) => row.field), filter.field);
  const sources = choices(heardSources.value.map((source) => source.id), filter.source);
  return (
    <>
      <select aria-label="Decided" value={filter.decided} onChange={(event) => go({ decided: event.currentTarget.value as Filter['decided'] })}>
        <option value="0">to decide</option>
        <option value="1">decided</option>
        <option value="">all</option>
      </select>
      <select aria-label="Value" value={filter.field} onChange={(event) => go({ field: event.currentTarget.value })}>
        <option value="">every value</option>
        {fields.map((field) => (
          <option key={field} value={field}>
            {fieldTitle(field)}
          </option>
        ))}
      </select>
      <select aria-label="Source" value={filter.source} onChange={(event) => go({ source: event.currentTarget.value })}>
        <option value="">every source</option>
        {sources.map((source) => (
          <option key={source} value={source}>
            {source}
          </option>
        ))}
      </select>
    </>
  );
}

type RowsProps = { rows: DifferenceRow[]; onDecided: (row: DifferenceRow, order: OrderDetail) => void };

function Rows({ rows, onDecided }: RowsProps) {
  const [active, setActive] = useState(0);
  const body = useRef<HTMLOListElement>(null);
  const at = Math.min(active, rows.length - 1);
  const row = rows[at];
  const address = `/orders/${encodeURIComponent(row?.order ?? '')}`;
  const move = (step: number): void => {
    const inside = body.current?.contains(document.activeElement) ?? false;
    const next = Math.max(0, Math.min(rows.length - 1, inside ? at + step : at));
    setActive(next);
    body.current?.querySelectorAll<HTMLElement>('a.difference-order')[next]?.focus();
  };
  useCommands({
    'list.next': () => move(1),
    'list.previous': () => move(-1),
    'list.open': () => navigate(address),
    'list.open_tab': () => void window.open(address, '_blank', 'noopener'),
    'differences.choose': () => {
      if (row !== undefined) void decide(row, row, nextSide(row), (order) => onDecided(row, order));
    },
  });
  return (
    <ol class="difference-rows" ref={body}>
      {rows.map((one, index) => (
        <li key={keyOf(one)} class={`difference ${index === at ? 'is-active' : ''}`} onFocusIn={() => setActive(index)}>
          <div class="difference-what">
            <p>
              <a class="difference-order" href={`/orders/${encodeURIComponent(one.order)}`}>
                {one.order}
              </a>{' '}
              <span class="difference-customer">{one.customer_name || one.customer}</span>
            </p>
            <p class="difference-field">{differenceTitle(one)}</p>
          </div>
          <Sides order={one.order} one={one} onDecided={(order) => onDecided(one, order)} />
        </li>
      ))}
    </ol>
  );
}
