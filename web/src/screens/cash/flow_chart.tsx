// What comes and what goes, week by week: receipts by how sure they are, payments by what they are for.
import { type Cash, type CashWeek, layers } from '../../api/cash';
import type { Look } from '../../parts/charts/axes';
import { largest } from '../../parts/charts/chart_math';
import { type Column, ColumnsChart } from '../../parts/charts/columns_chart';
import { formatDayShort, formatMoney } from '../../parts/format';
import { flowSentence, layerTitle, sayWeek, weekName } from './cash_words';

const categoriesShown = 4;
const inLooks: Record<string, Look> = { invoiced: 'a', delivered: 'b', ordered: 'c', forecast: 'd', planned: 'j', balance: 'j' };
const outLooks: readonly Look[] = ['e', 'f', 'g', 'h', 'i'];

type Flow = { columns: Column[]; looks: Map<string, Look> };

export function flowOf(weeks: readonly CashWeek[]): Flow {
  const present = layers.filter((layer) => weeks.some((week) => week.receipts_by.some((part) => part.layer === layer && part.amount.minor !== 0)));
  const sums = new Map<string, number>();
  for (const part of weeks.flatMap((week) => week.payments_by)) sums.set(part.category, (sums.get(part.category) ?? 0) - part.amount.minor);
  const { shown, rest } = largest(sums, categoriesShown);
  const outName = (category: string): string => `Out: ${rest.includes(category) ? 'other' : category || 'without category'}`;
  const looks = new Map<string, Look>();
  for (const layer of present) looks.set(`In: ${layerTitle(layer)}`, inLooks[layer] ?? 'j');
  [...shown.map(outName), ...(rest.length > 0 ? ['Out: other'] : [])].forEach((name, at) => looks.set(name, outLooks[at] ?? 'i'));
  const columns = weeks.map((week) => {
    const out = new Map<string, number>();
    for (const part of week.payments_by) out.set(outName(part.category), (out.get(outName(part.category)) ?? 0) + part.amount.minor);
    return {
      label: formatDayShort(week.start),
      name: weekName(week),
      segments: [
        ...week.receipts_by.map((part) => ({ name: `In: ${layerTitle(part.layer)}`, value: part.amount.minor })),
        ...[...out].map(([name, value]) => ({ name, value })),
      ].filter((segment) => segment.value !== 0),
    };
  });
  return { columns, looks };
}

export type FlowProps = { answer: Cash; asTable: boolean; onTable: (asTable: boolean) => void; onWeek: (week: CashWeek) => void };

export function FlowChart({ answer, asTable, onTable, onWeek }: FlowProps) {
  const { weeks, currency } = answer;
  const { columns, looks } = flowOf(weeks);
  const names = [...looks.keys()];
  const cell = (column: Column, name: string): string => {
    const part = column.segments.find((segment) => segment.name === name);
    return part === undefined ? '–' : formatMoney({ minor: part.value, currency });
  };
  return (
    <ColumnsChart
      title="In and out by week"
      sentence={flowSentence(answer)}
      currency={currency}
      columns={columns}
      looks={looks}
      table={{ columns: ['Week', ...names], rows: columns.map((column) => [column.name, ...names.map((name) => cell(column, name))]) }}
      asTable={asTable}
      onTable={onTable}
      say={(at) => (weeks[at] === undefined ? '' : sayWeek(weeks[at]))}
      onOpen={(at) => weeks[at] !== undefined && onWeek(weeks[at])}
    />
  );
}
