// The line under the tools: how many, how much, as of when, what waits behind the pill, what is selected.
import type { CurrencySum } from '../../api/types';
import { Live, Mark } from '../../parts/basics';
import { connection } from '../../parts/app_state';
import { counted, formatAmount, formatClock, formatCount } from '../../parts/format';
import { seesMoney } from '../../parts/me';
import { openSums, type OrderList } from './order_list';

function Sums({ sums }: { sums: CurrencySum[] }) {
  return (
    <>
      {sums.map((sum) => (
        <span class="sum" key={sum.currency}>
          <Live text={formatAmount(sum.open_amount)} /> <span class="code">{sum.currency}</span>
        </span>
      ))}
    </>
  );
}

export function Summary({ list, onShow }: { list: OrderList; onShow: () => void }) {
  const pill = list.pill.value;
  const sums = list.sums.value;
  const late = sums.reduce((count, sum) => count + sum.late_orders, 0);
  return (
    <div class="summary">
      <span class="summary-count" data-total={list.total.value}>
        <Live text={formatCount(list.total.value)} /> {list.total.value === 1 ? 'order' : 'orders'}
      </span>
      {sums.length > 0 && seesMoney() && (
        <span>
          open amount <Sums sums={sums} />
        </span>
      )}
      {late > 0 && <Mark tone="poor">{counted(late, 'order')} late</Mark>}
      <span class="quiet as-of">
        as of {formatClock(list.asOfTime.value)}{' '}
        {connection.value === 'live' ? <Mark tone="good">live</Mark> : <Mark tone="fair">not live</Mark>}
      </span>
      {pill !== null && (
        <button type="button" class="pill" onClick={onShow}>
          {pill.kind === 'new' ? `${counted(pill.count, 'new order')}, show` : 'List changed, show'}
        </button>
      )}
    </div>
  );
}

export function SelectionBar({ list, onCopy }: { list: OrderList; onCopy: () => void }) {
  const rows = list.selected.value;
  if (rows.size === 0) return null;
  return (
    <div class="selection no-print" role="status">
      <strong>{formatCount(rows.size)} selected</strong>
      {seesMoney() && (
        <span>
          open amount{' '}
          {openSums(rows.values()).map((sum) => (
            <span class="sum" key={sum.currency}>
              <span class="num">{formatAmount(sum)}</span> <span class="code">{sum.currency}</span>
            </span>
          ))}
        </span>
      )}
      <span class="spring" />
      <button type="button" class="button small" onClick={onCopy}>
        Copy as table
      </button>
      <button type="button" class="button small" onClick={() => list.clearSelection()}>
        Unselect
      </button>
    </div>
  );
}
