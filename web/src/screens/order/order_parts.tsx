// Lines, documents and history of one order.
import type { History, OrderDetail, OrderDocument, OrderLine } from '../../api/types';
import { now } from '../../parts/app_state';
import { Amount, Mark, Problem, Skeleton } from '../../parts/basics';
import { absent, ageOf, counted, formatAge, formatDay, formatDecimal, formatInstant, formatWhen, shortHash } from '../../parts/format';
import { seesMoney } from '../../parts/me';
import type { Tone } from '../../parts/status';
import type { Answer } from '../../parts/use_answer';
import { isJoined, lineOrigin } from './origins';

const lineTone: Record<OrderLine['status'], Tone> = { open: 'plain', closed: 'idle', cancelled: 'idle' };

export function LinesTable({ order }: { order: OrderDetail }) {
  const joined = isJoined(order);
  return (
    <section class="block">
      <h3>
        Lines <span class="quiet">{order.lines_data.length}</span>
      </h3>
      <div class="table-box" tabIndex={0} role="region" aria-label="Order lines">
        <table class="table">
          <thead>
            <tr>
              <th scope="col" class="num">#</th>
              <th scope="col">Item</th>
              <th scope="col" class="num">Quantity</th>
              <th scope="col" class="num">Open</th>
              {seesMoney() && (
                <>
                  <th scope="col" class="num">Unit price</th>
                  <th scope="col" class="num">Discount, %</th>
                  <th scope="col" class="num">Line total, {order.currency}</th>
                  <th scope="col" class="num">Open amount, {order.currency}</th>
                </>
              )}
              <th scope="col">Status</th>
              <th scope="col" class="num">Due</th>
              {joined && <th scope="col">From</th>}
              <th scope="col">Place</th>
            </tr>
          </thead>
          <tbody>
            {order.lines_data.map((line) => (
              <tr key={line.line_number}>
                <td class="num">{line.line_number}</td>
                <th scope="row" class="item whole-row">
                  <a href={`/orders?item=${encodeURIComponent(line.item)}`}>{line.item || absent}</a>
                  <span class="item-name">{[line.item_name, line.manufacturer].filter(Boolean).join(' · ')}</span>
                </th>
                <td class="num">
                  {formatDecimal(line.quantity)} {line.unit}
                </td>
                <td class="num">{formatDecimal(line.open_quantity)}</td>
                {seesMoney() && (
                  <>
                    <td class="num">{formatDecimal(line.unit_price)}</td>
                    <td class={`num ${line.discount === '0' ? 'quiet' : ''}`}>{formatDecimal(line.discount)}</td>
                    <td class="num">
                      <Amount money={line.line_total} code={false} />
                    </td>
                    <td class="num">
                      <Amount money={line.open_amount} code={false} />
                    </td>
                  </>
                )}
                <td>
                  <Mark tone={lineTone[line.status]}>{line.status}</Mark>
                </td>
                <td class="num">{formatDay(line.due)}</td>
                {joined && <td class="from-cell">{lineOrigin(order, line.line_number)}</td>}
                <td class="quiet num place-cell">{line.place || absent}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function DocumentLine({ document }: { document: OrderDocument }) {
  return (
    <li class={document.counts ? 'document counts' : 'document'}>
      <p class="document-head">
        {document.counts ? <Mark tone="good">counts</Mark> : <Mark tone="idle">does not count</Mark>}
        {document.damaged && <Mark tone="poor">damaged</Mark>}
        <span class="path">{document.path}</span>
      </p>
      <p class="quiet small-text">
        {document.source} · {document.format}
        {document.modified !== null && ` · modified ${formatInstant(document.modified)}, ${formatAge(ageOf(document.modified, now.value))} ago`}
        {document.updated !== null && ` · updated ${formatInstant(document.updated)}`} · {counted(document.lines, 'line')} ·{' '}
        <span title={document.hash}>hash {shortHash(document.hash)}</span>
      </p>
      {!document.counts && seesMoney() && (
        <p class="small-text document-values">
          {document.status || absent} · total <Amount money={document.total} /> · open <Amount money={document.open_amount} />
        </p>
      )}
      {document.differs.length > 0 && (
        <p class="small-text">
          <Mark tone="fair">differs in {document.differs.map((field) => field.replace(/_/g, ' ')).join(', ')}</Mark>
        </p>
      )}
    </li>
  );
}

export function Documents({ documents }: { documents: OrderDocument[] }) {
  return (
    <section class="block">
      <h3>
        Documents <span class="quiet">{documents.length}</span>
      </h3>
      <ul class="documents">
        {documents.map((document) => (
          <DocumentLine key={`${document.source}/${document.path}`} document={document} />
        ))}
      </ul>
    </section>
  );
}

export function HistoryList({ past }: { past: Answer<History | null> }) {
  return (
    <section class="block">
      <h3>History</h3>
      {past.problem !== null && <Problem problem={past.problem} retry={past.reload} />}
      {past.data === null && past.problem === null && <Skeleton rows={3} />}
      {past.data !== null && past.data.data.length === 0 && <p class="quiet">Nothing has changed since this order was first read.</p>}
      {past.data !== null && past.data.data.length > 0 && (
        <ol class="history">
          {past.data.data.map((change) => (
            <li key={change.sequence}>
              <time dateTime={change.at} title={formatInstant(change.at)}>
                {formatWhen(change.at, now.value)}
              </time>
              <span class="history-text">
                {change.text}
                {change.fields.length > 1 && (
                  <span class="history-fields">
                    {change.fields.map((field) => (
                      <span key={field.field}>
                        {field.field.replace(/_/g, ' ')}: <del>{field.before || absent}</del> → <ins>{field.after || absent}</ins>
                      </span>
                    ))}
                  </span>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
