// An order that several sources speak of: which value came from whom, and where they differ.
import type { OrderDetail, Origin } from '../../api/types';
import { Mark } from '../../parts/basics';
import { Sides } from '../../parts/difference_sides';
import { differenceTitle, fieldTitle } from '../../parts/differences';
import { counted } from '../../parts/format';

type Known = Pick<OrderDetail, 'source' | 'origins' | 'differences'>;

export const isJoined = (order: Known): boolean => order.origins.length > 0 || order.differences.length > 0;

// Whose value it is: the source of the document that counts, unless an origin says another. A whole line may come from
// elsewhere, and one value of it again.
export function originOf(order: Known, field: string, line = 0): string {
  const said = (name: string): Origin | undefined => order.origins.find((one) => one.line === line && one.field === name);
  return (said(field) ?? (line === 0 ? undefined : said('line')))?.source ?? order.source;
}

// "sap; promise from orders": where a line comes from, with the values that come from elsewhere.
export function lineOrigin(order: Known, line: number): string {
  const whole = originOf(order, 'line', line);
  const others = order.origins.filter((one) => one.line === line && one.field !== 'line' && one.source !== whole);
  return [whole, ...others.map((one) => `${fieldTitle(one.field).toLowerCase()} from ${one.source}`)].join('; ');
}

// Who wrote the value that stands above the sources'; '' when theirs counts.
export function writtenBy(order: Pick<OrderDetail, 'overlay'>, field: string): string {
  return field === 'promise' ? (order.overlay.fields.find((one) => one.field === 'promised_date')?.author ?? '') : '';
}

export function OriginWord({ order, field }: { order: OrderDetail; field: string }) {
  const author = writtenBy(order, field);
  if (author !== '')
    return (
      <span class="origin origin-other" title={`Written by ${author}`}>
        {author}
      </span>
    );
  if (!isJoined(order)) return null;
  const source = originOf(order, field);
  return (
    <span class={`origin ${source === order.source ? '' : 'origin-other'}`} title={`This value comes from ${source}`}>
      {source}
    </span>
  );
}

export function OrderDifferences({ order, onDecided }: { order: OrderDetail; onDecided: (order: OrderDetail) => void }) {
  if (order.differences.length === 0) return null;
  const left = order.differences.filter((one) => one.decided_by === null).length;
  return (
    <section class="block order-differences" aria-label="Differences between the sources">
      <h3>
        The sources differ {left === 0 ? <Mark tone="good">all decided</Mark> : <Mark tone="fair">{counted(left, 'value')} to decide</Mark>}
      </h3>
      <ul>
        {order.differences.map((one) => (
          <li key={`${one.field} ${one.line}`}>
            <p class="difference-name">{differenceTitle(one)}</p>
            <Sides order={order.order} one={one} onDecided={onDecided} />
          </li>
        ))}
      </ul>
    </section>
  );
}
