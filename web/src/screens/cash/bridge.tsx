// Why it is another figure than last week's: the difference in parts that add up to the minor unit.
import { useState } from 'preact/hooks';

import { type Bridge, type BridgeItem, type BridgePart as BridgePartName, bridgeParts, type Cash, cashBridge, keptForecasts } from '../../api/cash';
import { Empty, Problem, Skeleton } from '../../parts/basics';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { Waterfall } from '../../parts/charts/waterfall';
import { Dialog } from '../../parts/dialog';
import { absent, counted, formatDay, formatDayShort, formatInstant, formatMoney } from '../../parts/format';
import { navigate } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { cashAddress, type CashState } from './address';
import { moneyOr, signed } from './cash_words';
import { documentAddress, kindTitle } from './items';

export const partTitles: Record<BridgePartName, string> = { timing: 'Timing', amount: 'Amounts', new: 'New', gone: 'Gone', rate: 'Rates' };
const partHelp: Record<BridgePartName, string> = {
  timing: 'moved to another day',
  amount: 'another amount',
  new: 'was not there',
  gone: 'is not there any more',
  rate: 'another rate',
};

export function bridgeSentence(bridge: Bridge): string {
  if (bridge.difference.minor === 0) return `The balance of ${formatDay(bridge.weeks_end)} is what it was on ${formatInstant(bridge.from.made)}.`;
  const most = [...bridgeParts].sort((a, b) => Math.abs(bridge.parts[b].minor) - Math.abs(bridge.parts[a].minor))[0] ?? 'new';
  return `The balance of ${formatDay(bridge.weeks_end)} is ${signed(bridge.difference)} against ${formatInstant(bridge.from.made)}, mostly “${partTitles[most].toLowerCase()}”: ${signed(bridge.parts[most])}.`;
}

type Props = { answer: Cash; state: CashState; asTable: boolean; onTable: (asTable: boolean) => void };

// From the forecast that was chosen; without a choice the one that came with the answer.
export function BridgePart({ answer, state, ...tables }: Props) {
  const kept = useAnswer('forecasts', keptForecasts);
  const chosen = useAnswer(`${state.from} ${answer.as_of}`, (abort) => (state.from === '' ? Promise.resolve(null) : cashBridge(new URLSearchParams({ from: state.from, weeks: String(state.weeks) }).toString(), abort)));
  const bridge = state.from === '' ? answer.bridge : (chosen.data ?? (chosen.problem === null ? answer.bridge : null));
  const list = [...(kept.data ?? [])].sort((a, b) => b.made.localeCompare(a.made));
  return (
    <div class="panel">
      {list.length > 0 && (
        <label class="inline-label no-print bridge-from">
          <span>Against</span>
          <select value={state.from} onChange={(event) => navigate(cashAddress({ ...state, from: event.currentTarget.value }))}>
            <option value="">the newest of the week before</option>
            {list.map((one) => (
              <option key={one.id} value={one.id}>
                {formatInstant(one.made)}
                {one.by === '' || one.by === 'time' ? '' : `, ${one.by}`}
              </option>
            ))}
          </select>
        </label>
      )}
      {chosen.problem !== null && <Problem problem={chosen.problem} retry={chosen.reload} />}
      <BridgeChart bridge={bridge} {...tables} />
    </div>
  );
}

function BridgeChart({ bridge, asTable, onTable }: { bridge: Bridge | null; asTable: boolean; onTable: (asTable: boolean) => void }) {
  const [open, setOpen] = useState<BridgePartName | null>(null);
  if (bridge === null)
    return (
      <>
        <h2>Why it changed</h2>
        <Empty title="No forecast to compare with yet" why="One is kept every day, and whenever somebody keeps one; from then on the difference is explained here." />
      </>
    );
  const steps = [
    { name: formatDayShort(bridge.from.made.slice(0, 10)), value: bridge.from.closing.minor, whole: true },
    ...bridgeParts.map((part) => ({ name: partTitles[part], value: bridge.parts[part].minor })),
    { name: 'Now', value: bridge.to_closing.minor, whole: true },
  ];
  const ends = [bridge.from.closing, bridge.to_closing];
  const partAt = (at: number): BridgePartName | undefined => bridgeParts[at - 1];
  const say = (at: number): string => {
    const part = partAt(at);
    if (part !== undefined) return `${partTitles[part]}, ${partHelp[part]}: ${signed(bridge.parts[part])}`;
    return at === 0 ? `Then: ${moneyOr(ends[0])}` : `Now: ${moneyOr(ends[1])}`;
  };
  const link = (part: BridgePartName) => (
    <button type="button" class="link-button" onClick={() => setOpen(part)}>
      {signed(bridge.parts[part])}
    </button>
  );
  return (
    <>
      <Waterfall
        title="Why it changed"
        sentence={bridgeSentence(bridge)}
        currency={bridge.difference.currency}
        steps={steps}
        table={{
          columns: ['Step', 'Amount'],
          rows: [[`Balance expected on ${formatInstant(bridge.from.made)}`, formatMoney(bridge.from.closing)], ...bridgeParts.map((part) => [`${partTitles[part]}: ${partHelp[part]}`, link(part)]), ['Balance expected now', formatMoney(bridge.to_closing)]],
        }}
        asTable={asTable}
        onTable={onTable}
        say={say}
        onOpen={(at) => setOpen(partAt(at) ?? null)}
      />
      {open !== null && <PartDialog bridge={bridge} part={open} onClose={() => setOpen(null)} />}
    </>
  );
}

const columns: readonly RowColumn<BridgeItem>[] = [
  {
    title: 'Document',
    width: 'minmax(0,1fr)',
    cell: (item) => (
      <span class="two-lines">
        <span>
          <a href={documentAddress({ ...item, order: '' })}>
            {kindTitle(item.kind)} {item.number}
          </a>
        </span>
        <span class="quiet small-text">{item.party_name}</span>
      </span>
    ),
  },
  { title: 'Day', width: '170px', cell: (item) => (item.day_before === item.day_after ? formatDay(item.day_after) : `${item.day_before === null ? absent : formatDayShort(item.day_before)} → ${formatDay(item.day_after)}`), narrow: false },
  { title: 'Then', width: '130px', numeric: true, cell: (item) => moneyOr(item.before), narrow: false },
  { title: 'Now', width: '130px', numeric: true, cell: (item) => moneyOr(item.after) },
  { title: 'Difference', width: '130px', numeric: true, cell: (item) => (item.change === undefined ? absent : signed(item.change)), narrow: false },
];

function PartDialog({ bridge, part, onClose }: { bridge: Bridge; part: BridgePartName; onClose: () => void }) {
  const whole = useAnswer(bridge.from.id, (abort) => cashBridge(`from=${encodeURIComponent(bridge.from.id)}`, abort)); // beside the forecast stand only the first
  const items = (whole.data ?? bridge).items.filter((item) => item.part === part);
  return (
    <Dialog title={`${partTitles[part]}: ${signed(bridge.parts[part])}`} class="items-dialog" onClose={onClose}>
      {whole.problem !== null && <Problem problem={whole.problem} retry={whole.reload} />}
      {whole.data === null && items.length === 0 && whole.problem === null && <Skeleton rows={4} />}
      <p class="quiet">
        {counted(items.length, 'document')}: {partHelp[part]} since {formatInstant(bridge.from.made)}.
      </p>
      {items.length > 0 && <VirtualRows label={partTitles[part]} rows={items} total={items.length} columns={columns} rowHeight={54} height={430} keyOf={(item) => `${item.part}${item.kind}${item.id}`} />}
    </Dialog>
  );
}
