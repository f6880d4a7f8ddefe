// The documents behind a figure: loaded by pages, of any length, their sum in the head so that it can be compared.
import { useEffect, useRef, useState } from 'preact/hooks';

import type { CashItem, ItemPage } from '../../api/cash';
import type { Money } from '../../api/types';
import { Mark, Problem, Skeleton } from '../../parts/basics';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { Dialog } from '../../parts/dialog';
import { counted, formatAmount, formatDay, formatMoney } from '../../parts/format';
import { useMedia } from '../../parts/use_media';
import { layerTitle } from './cash_words';

export const pageSize = 200;
export type Ask = (cursor: string, signal: AbortSignal) => Promise<ItemPage>;

// Pages of one question; `key` is the question, a new one begins again.
export function usePages(key: string, ask: Ask) {
  const [state, setState] = useState<{ key: string; page: ItemPage; rows: CashItem[] } | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const [again, setAgain] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const asking = useRef<AbortController | null>(null);
  const load = (cursor: string): void => {
    asking.current?.abort();
    const abort = new AbortController();
    asking.current = abort;
    latest.current(cursor, abort.signal).then(
      (page) => {
        if (abort.signal.aborted) return;
        asking.current = null;
        setProblem(null);
        setState((before) => ({ key, page, rows: cursor === '' || before === null ? page.items : [...before.rows, ...page.items] }));
      },
      (error: Error) => {
        if (!abort.signal.aborted) setProblem(error);
      },
    );
  };
  useEffect(() => {
    load('');
    return () => asking.current?.abort();
  }, [key, again]);
  const more = (): void => {
    if (asking.current === null && state?.page.next_cursor != null) load(state.page.next_cursor);
  };
  return { state, problem, more, retry: () => setAgain((count) => count + 1) };
}

// Where a document is opened: an order on its own screen, everything else in the list of its kind.
export function documentAddress(item: Pick<CashItem, 'kind' | 'number' | 'order'>): string {
  const isOrder = item.kind === 'order' || item.kind === 'delivered' || item.number === '';
  if (isOrder) return `/orders/${encodeURIComponent(item.order !== '' ? item.order : item.number)}`;
  return `/finance?kind=${encodeURIComponent(item.kind)}&doc=${encodeURIComponent(item.number)}`;
}

export const kindTitle = (kind: string): string => kind === 'delivered' ? 'Delivered, order' : kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' ');

function Document({ item }: { item: CashItem }) {
  return (
    <span class="two-lines">
      <span>
        <a href={documentAddress(item)}>
          {kindTitle(item.kind)} {item.number}
        </a>
      </span>
      <span class="quiet small-text">
        {item.order !== '' && !documentAddress(item).startsWith('/orders/') ? (
          <a href={`/orders/${encodeURIComponent(item.order)}`}>order {item.order}</a>
        ) : (
          item.category
        )}
      </span>
    </span>
  );
}

function Who({ item }: { item: CashItem }) {
  const name = item.party_name || item.party;
  if (name === '') return <span class="quiet">{item.category || '–'}</span>;
  return item.direction === 'in' && item.party !== '' ? <a href={`/customers/${encodeURIComponent(item.party)}/payments`}>{name}</a> : <span>{name}</span>;
}

// The direction says what comes and what goes.
export const size = (money: Money): Money => ({ ...money, minor: Math.abs(money.minor) });

function Sum({ item }: { item: CashItem }) {
  const other = item.converted !== null && item.converted.currency !== item.amount.currency;
  return (
    <span class="two-lines">
      <span class="num">
        {item.direction === 'out' ? '\u2212' : '+'}
        {formatAmount(size(item.converted ?? item.amount))} <span class="code">{(item.converted ?? item.amount).currency}</span>
      </span>
      {(other || item.converted === null) && <span class="quiet small-text num">{item.converted === null ? 'no rate' : formatMoney(size(item.amount))}</span>}
    </span>
  );
}

export const itemColumns: readonly RowColumn<CashItem>[] = [
  { title: 'Day', width: '92px', cell: (item) => formatDay(item.day) },
  { title: 'Document', width: 'minmax(110px,1fr)', cell: (item) => <Document item={item} /> },
  { title: 'Who', width: 'minmax(0,1fr)', cell: (item) => <Who item={item} />, narrow: false },
  {
    title: 'Why then',
    width: 'minmax(0,1.5fr)',
    cell: (item) => (
      <span class="two-lines" title={item.why}>
        <span>{item.why || '–'}</span>
        <span class="quiet small-text">{layerTitle(item.layer)}</span>
      </span>
    ),
    narrow: false,
  },
  { title: 'Amount', width: '150px', numeric: true, cell: (item) => <Sum item={item} /> },
];

export type ItemsDialogProps = { title: string; question: string; ask: Ask; columns?: readonly RowColumn<CashItem>[]; onClose: () => void };

const rowHeight = 54; // pixels, two lines

export function ItemsDialog({ title, question, ask, columns = itemColumns, onClose }: ItemsDialogProps) {
  const { state, problem, more, retry } = usePages(question, ask);
  const phone = useMedia('(max-width: 719px)');
  return (
    <Dialog title={title} class="items-dialog" onClose={onClose}>
      {problem !== null && <Problem problem={problem} retry={retry} />}
      {state === null && problem === null && <Skeleton rows={6} />}
      {state !== null && (
        <>
          <p>
            {state.page.count === 0 ? (
              <Mark tone="idle">No document stands behind this figure.</Mark>
            ) : (
              <>
                {counted(state.page.count, 'document')}, together <strong class="num">{(state.page.totals ?? [state.page.total]).map(formatMoney).join(' and ')}</strong>
              </>
            )}
          </p>
          {state.rows.length > 0 && <VirtualRows label={title} rows={state.rows} total={state.page.count} columns={columns} rowHeight={rowHeight} height={phone ? 460 : 430} keyOf={(item) => `${item.id} ${item.kind} ${item.number} ${item.order_line ?? ''}`} onMore={more} />}
        </>
      )}
    </Dialog>
  );
}
