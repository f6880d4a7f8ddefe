// The filtered orders summed up by customer, item, month ... A row opens its orders.
import { totals } from '../../api/client';
import type { CurrencySum, TotalRow } from '../../api/types';
import { Amount, Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { counted, formatCount, formatMonth } from '../../parts/format';
import { filterQuery, groupFilters, listAddress, type ListState, withFilters } from '../../parts/order_filters';
import { useAnswer } from '../../parts/use_answer';
import { live } from '../../parts/app_state';
import { useEffect } from 'preact/hooks';

const rowsMax = 500;

export function groupName(group: string, row: Pick<TotalRow, 'key' | 'name'>): string {
  if (group === 'due_month') return /^\d{4}-\d{2}$/.test(row.key) ? formatMonth(row.key) : 'No usable date';
  if (row.name !== '') return row.name;
  return row.key === '' || row.key === 'none' ? 'Not given' : row.key;
}

function GroupRow({ group, row, state }: { group: string; row: TotalRow; state: ListState }) {
  const address = listAddress({ ...withFilters(state, groupFilters(group, row.key)), group: '' });
  return (
    <>
      {row.sums.map((sum: CurrencySum, at) => (
        <tr key={sum.currency}>
          <th scope="row">
            {at === 0 ? <a href={address}>{groupName(group, row)}</a> : <span class="only-read">{groupName(group, row)}</span>}
            {at === 0 && row.name !== '' && <span class="quiet"> {row.key}</span>}
          </th>
          <td class="num">{formatCount(sum.orders)}</td>
          <td class="num">{formatCount(sum.open_orders)}</td>
          <td class="num">{sum.late_orders > 0 ? <Mark tone="poor">{formatCount(sum.late_orders)} late</Mark> : '–'}</td>
          <td class="num">
            <Amount money={sum.open_amount} />
          </td>
          <td class="num">
            <Amount money={sum.total} />
          </td>
        </tr>
      ))}
    </>
  );
}

export function Grouped({ state }: { state: ListState }) {
  const query = filterQuery(state);
  const answer = useAnswer(`${state.group}?${query}`, (abort) => totals(state.group, query, rowsMax, abort));
  const since = answer.data?.as_of ?? null;
  useEffect(() => {
    if (since === null) return;
    return live.subscribe({
      topic: query === '' ? 'orders' : `orders?${query}`,
      since,
      onDelta: answer.reload,
      onResync: answer.reload,
    });
  }, [state.group, query, since === null]);
  if (answer.problem !== null && answer.data === null) return <Problem problem={answer.problem} retry={answer.reload} />;
  if (answer.data === null) return <Skeleton rows={8} />;
  const rows = answer.data.data;
  if (rows.length === 0) {
    return <Empty title="No groups" why="No order passes this filter, so there is nothing to sum up." />;
  }
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Grouped orders">
      <table class="table">
        <caption>
          {counted(answer.data.total, 'group')} by {state.group.replace('_', ' ')}
          {answer.data.total > rows.length ? `, the ${formatCount(rows.length)} largest shown` : ''}
        </caption>
        <thead>
          <tr>
            <th scope="col">{state.group === 'due_month' ? 'Due month' : state.group.charAt(0).toUpperCase() + state.group.slice(1)}</th>
            <th scope="col" class="num">Orders</th>
            <th scope="col" class="num">Open</th>
            <th scope="col" class="num">Late</th>
            <th scope="col" class="num">Open amount</th>
            <th scope="col" class="num">Total</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <GroupRow key={row.key} group={state.group} row={row} state={state} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
