// Money documents by kind: found, opened, entered, imported. What a source brought is shown, what was entered may be changed.
import './finance.css';

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { type FinanceDocument, financeDocument, financeDocuments, type FinanceKind, financeKinds, type FinancePage } from '../../api/finance';
import { Empty, Problem, Skeleton } from '../../parts/basics';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { withParameter } from '../../parts/charts/use_table';
import { Dialog } from '../../parts/dialog';
import { counted, formatDay, formatMoney } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { may } from '../../parts/me';
import { MoneyTabs } from '../../parts/money_tabs';
import { navigate, route } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { useLiveMoney } from '../../parts/use_live_money';
import { EntrySheet } from './entry';
import { Imports, ImportSheet } from './import_sheet';
import { kinds } from './kinds';

type State = { kind: FinanceKind; q: string; from: string; to: string; category: string; doc: string };

export function parseFinance(search: string): State {
  const words = new URLSearchParams(search);
  const day = (name: string): string => (/^\d{4}-\d{2}-\d{2}$/.test(words.get(name) ?? '') ? (words.get(name) ?? '') : '');
  return { kind: financeKinds.find((one) => one === words.get('kind')) ?? 'invoice', q: words.get('q') ?? '', from: day('from'), to: day('to'), category: words.get('category') ?? '', doc: words.get('doc') ?? '' };
}

const pageSize = 200;

function listQuery({ kind, q, from, to, category }: State): string {
  const words = new URLSearchParams({ kind, limit: String(pageSize) });
  if (q !== '' || category !== '') words.set('q', q === '' ? category : q);
  if (from !== '') words.set('from', from);
  if (to !== '') words.set('to', to);
  return words.toString();
}

// Pages of the list; a new question begins again.
function useDocuments(query: string) {
  const answer = useAnswer(query, (abort) => financeDocuments(query, abort));
  const [more, setMore] = useState<{ query: string; page: FinancePage; rows: FinanceDocument[] } | null>(null);
  const asking = useRef(false);
  useEffect(() => setMore(null), [answer.data]);
  const first = answer.data;
  const rows = more !== null && more.query === query ? more.rows : (first?.documents ?? []);
  const cursor = (more !== null && more.query === query ? more.page.next_cursor : first?.next_cursor) || null; // "" is the end too
  const next = (): void => {
    if (cursor === null || asking.current) return;
    asking.current = true;
    financeDocuments(`${query}&cursor=${encodeURIComponent(cursor)}`)
      .then((page) => setMore({ query, page, rows: [...rows, ...page.documents] }))
      .catch(() => answer.reload()) // the list changed meanwhile: it begins anew
      .finally(() => (asking.current = false));
  };
  return { answer, rows, total: first?.count ?? rows.length, next };
}

export default function FinanceScreen() {
  const search = route.value.search;
  const state = useMemo(() => parseFinance(search), [search]);
  const { answer, rows, total, next } = useDocuments(listQuery(state));
  const [entering, setEntering] = useState(false);
  const [importing, setImporting] = useState(false);
  const [version, setVersion] = useState(0); // of the list of imports
  const spec = kinds[state.kind];
  const change = (name: string, value: string): void => navigate(`/finance${withParameter(location.search, name, value)}`, { replace: name === 'q' });
  const again = (): void => {
    setVersion((count) => count + 1);
    answer.reload();
  };
  useLiveMoney(answer.data === null ? null : 0, answer.reload);
  useEffect(() => {
    document.title = `${spec.many} · Millrace`;
  }, [spec]);
  return (
    <div class="page money-page finance">
      <header class="page-head">
        <div>
          <h1>{spec.many}</h1>
          <p class="quiet">{answer.data === null ? '\u00a0' : `${counted(total, spec.title.toLowerCase(), spec.many.toLowerCase())}${(answer.data.sums ?? []).length === 0 ? '' : `, together ${answer.data.sums.map(formatMoney).join(' and ')}`}`}</p>
        </div>
        <span class="spring" />
        <button type="button" class="button no-print" onClick={() => print()}>
          <Icon name="print" />
          <span>Print</span>
        </button>
        {may('edit_money') && spec.fields !== null && (
          <span class="row no-print">
            <button type="button" class="button" onClick={() => setImporting(true)}>
              Import a file
            </button>
            <button type="button" class="button primary" onClick={() => setEntering(true)}>
              Enter
            </button>
          </span>
        )}
      </header>
      <MoneyTabs screen="finance" />
      <Controls state={state} onChange={change} />
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && <Skeleton rows={10} />}
      {answer.data !== null && rows.length === 0 && <NoDocuments state={state} onClear={() => navigate(`/finance?kind=${state.kind}`)} />}
      {rows.length > 0 && <VirtualRows label={spec.many} rows={rows} total={total} columns={columnsFor(state.kind)} rowHeight={44} height={560} keyOf={(one) => `${one.source} ${one.key}`} onMore={next} />}
      {may('edit_money') && answer.data !== null && <Imports version={version} onDone={again} />}
      {state.doc !== '' && <OneDocument kind={state.kind} number={state.doc} onClose={() => location.pathname === '/finance' && change('doc', '')} onSaved={again} />}
      {entering && (
        <EntrySheet
          kind={state.kind}
          document={null}
          onClose={() => setEntering(false)}
          onSaved={() => {
            setEntering(false);
            again();
          }}
        />
      )}
      {importing && <ImportSheet kind={state.kind} onClose={() => setImporting(false)} onDone={again} />}
    </div>
  );
}

function Controls({ state, onChange }: { state: State; onChange: (name: string, value: string) => void }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const groups = [...new Set(financeKinds.map((kind) => kinds[kind].group))];
  return (
    <div class="cash-controls no-print" role="group" aria-label="Which documents">
      <label class="inline-label">
        <span>Kind</span>
        <select value={state.kind} onChange={(event) => navigate(`/finance?kind=${event.currentTarget.value}`)}>
          {groups.map((group) => (
            <optgroup key={group} label={group}>
              {financeKinds
                .filter((kind) => kinds[kind].group === group)
                .map((kind) => (
                  <option key={kind} value={kind}>
                    {kinds[kind].many}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      </label>
      <label class="inline-label">
        <span>Find</span>
        <input
          type="search"
          autocomplete="off"
          placeholder="number, name, category"
          defaultValue={state.q}
          onInput={(event) => {
            const text = event.currentTarget.value.trim();
            clearTimeout(timer.current);
            timer.current = setTimeout(() => onChange('q', text), 250); // ms: while somebody types nothing is asked
          }}
        />
      </label>
      <label class="inline-label">
        <span>From</span>
        <input type="date" value={state.from} onChange={(event) => onChange('from', event.currentTarget.value)} />
      </label>
      <label class="inline-label">
        <span>To</span>
        <input type="date" value={state.to} onChange={(event) => onChange('to', event.currentTarget.value)} />
      </label>
    </div>
  );
}

function NoDocuments({ state, onClear }: { state: State; onClear: () => void }) {
  const filtered = state.q !== '' || state.from !== '' || state.to !== '' || state.category !== '';
  if (filtered)
    return (
      <Empty
        title="Nothing of this kind passes the filter"
        why="Every document is left out by what is asked for above."
        action={
          <button type="button" class="button primary" onClick={onClear}>
            Clear the filter
          </button>
        }
      />
    );
  return <Empty title={`No ${kinds[state.kind].many.toLowerCase()} yet`} why="A source of the ERP brings them, a file does, or somebody enters one here." />;
}

function columnsFor(kind: FinanceKind): RowColumn<FinanceDocument>[] {
  const fields = new Set((kinds[kind].fields ?? []).map((field) => field.name));
  const withParty = fields.has('party') || kind === 'delivery';
  const href = (one: FinanceDocument): string => `/finance${withParameter(location.search, 'doc', one.key)}`;
  return [
    { title: 'Number', width: 'minmax(100px,1fr)', cell: (one) => <a href={href(one)}>{one.number}</a> },
    { title: 'Day', width: '100px', cell: (one) => formatDay(one.posted) },
    ...(withParty ? [{ title: 'Who', width: 'minmax(0,1.4fr)', cell: (one: FinanceDocument) => one.party_name || one.party || '–', narrow: false as const }] : []),
    ...(fields.has('due') ? [{ title: 'Due', width: '100px', cell: (one: FinanceDocument) => formatDay(one.due), narrow: false as const }] : []),
    ...(fields.has('category') ? [{ title: 'Category', width: 'minmax(0,1fr)', cell: (one: FinanceDocument) => one.category || '–', narrow: false as const }] : []),
    ...(fields.has('account') && !withParty ? [{ title: 'Account', width: 'minmax(0,1fr)', cell: (one: FinanceDocument) => one.account || '–', narrow: false as const }] : []),
    ...(kind === 'rate' ? [{ title: 'Rate', width: 'minmax(90px,1fr)', numeric: true, cell: (one: FinanceDocument) => one.rate?.rate ?? '–' }] : []),
    ...(kind === 'rate' || kind === 'terms' || kind === 'delivery' ? [] : [{ title: 'Amount', width: 'minmax(120px,1fr)', numeric: true, cell: (one: FinanceDocument) => (one.amount === undefined ? '–' : formatMoney(one.amount)) }]),
    { title: 'From', width: 'minmax(0,0.8fr)', cell: (one) => <span class="quiet">{one.origin || one.source}</span>, narrow: false },
  ];
}

// Shown, or changed when it was entered here.
function OneDocument({ kind, number, onClose, onSaved }: { kind: FinanceKind; number: string; onClose: () => void; onSaved: () => void }) {
  const answer = useAnswer(`${kind} ${number}`, (abort) => financeDocument(kind, number, abort));
  const saved = (): void => {
    onClose();
    onSaved();
  };
  if (answer.problem !== null)
    return (
      <Dialog title={`${kinds[kind].title} ${number}`} class="entry-sheet" onClose={onClose}>
        <Problem problem={answer.problem} retry={answer.reload} />
      </Dialog>
    );
  return answer.data === null ? null : <EntrySheet key={answer.data.version ?? answer.data.key} kind={kind} document={answer.data} onClose={onClose} onSaved={saved} />;
}
