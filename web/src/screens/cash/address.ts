// The state of the Cash screen and its address: one text that is the URL, the link in a mail and the question.
//
// Invariant   parseCash(cashSearch(state)) is state again; what equals the default is left out.
import { type CashView, type Direction, type Layer, layers } from '../../api/cash';
import type { Day } from '../../api/types';

// Which figure is open: its movements are shown above the screen.
export type Figure = { from: Day; to: Day; direction: Direction | ''; layer: string; category: string; party: string };

export type CashState = {
  weeks: number;
  view: CashView;
  currency: string; // "" the company's
  layers: Layer[] | null; // null: all
  scenarios: string[]; // ids, at most four
  expanded: Day[]; // weeks shown by layer and category
  from: string; // the kept forecast that the bridge begins at, "" the newest of the week before
  table: boolean;
  figure: Figure | null;
};

export const weekChoices = [4, 8, 13, 26, 52] as const;
export const weeksDefault = 13;
export const scenariosMax = 4;
export const views: readonly CashView[] = ['expected', 'pessimistic', 'optimistic'];

export const emptyCash: CashState = { weeks: weeksDefault, view: 'expected', currency: '', layers: null, scenarios: [], expanded: [], from: '', table: false, figure: null };

export const wholeFigure = (from: Day, to: Day, part: Partial<Figure> = {}): Figure => ({ from, to, direction: '', layer: '', category: '', party: '', ...part });

export const dayBefore = (day: Day): Day => new Date(Date.parse(`${day}T12:00:00Z`) - 86_400_000).toISOString().slice(0, 10);

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text);
const listed = (text: string): string[] => text.split(',').filter((part) => part !== '');

function parseFigure(words: URLSearchParams): Figure | null {
  const [from = '', to = ''] = (words.get('of') ?? '').split('..');
  if (!isDay(from) || !isDay(to)) return null;
  const direction = words.get('direction');
  const named = (name: string): string => words.get(name) ?? '';
  return { from, to, direction: direction === 'in' || direction === 'out' ? direction : '', layer: named('layer'), category: named('category'), party: named('party') };
}

export function parseCash(search: string): CashState {
  const words = new URLSearchParams(search);
  const weeks = Number(words.get('weeks') ?? weeksDefault);
  const wanted = words.get('layers');
  return {
    weeks: Number.isInteger(weeks) && weeks >= 1 && weeks <= 53 ? weeks : weeksDefault,
    view: views.find((one) => one === words.get('view')) ?? 'expected',
    currency: words.get('currency') ?? '',
    layers: wanted === null ? null : layers.filter((one) => listed(wanted).includes(one)),
    scenarios: words.getAll('scenario').slice(0, scenariosMax),
    expanded: listed(words.get('week') ?? '').filter(isDay),
    from: words.get('from') ?? '',
    table: words.get('table') === '1',
    figure: parseFigure(words),
  };
}

function asked(state: CashState): URLSearchParams {
  const words = new URLSearchParams();
  if (state.weeks !== weeksDefault) words.set('weeks', String(state.weeks));
  if (state.view !== 'expected') words.set('view', state.view);
  if (state.currency !== '') words.set('currency', state.currency);
  if (state.layers !== null) words.set('layers', state.layers.join(','));
  for (const id of state.scenarios) words.append('scenario', id);
  return words;
}

// What the server is asked.
export const cashQuery = (state: CashState): string => readable(asked(state));

const readable = (words: URLSearchParams): string => words.toString().replace(/%2C/g, ',');

export function cashSearch(state: CashState): string {
  const words = asked(state);
  if (state.expanded.length > 0) words.set('week', state.expanded.join(','));
  if (state.from !== '') words.set('from', state.from);
  if (state.table) words.set('table', '1');
  if (state.figure !== null) {
    const { from, to, ...rest } = state.figure;
    words.set('of', `${from}..${to}`);
    for (const [name, value] of Object.entries(rest)) if (value !== '') words.set(name, value);
  }
  const text = readable(words);
  return text === '' ? '' : `?${text}`;
}

export const cashAddress = (state: CashState): string => `/cash${cashSearch(state)}`;

// The movements behind a figure: of the plan itself, in the view, layers and currency that the screen shows.
export function figureQuery(state: CashState, figure: Figure): string {
  const words = asked({ ...state, scenarios: [] });
  words.set('from', figure.from);
  words.set('to', figure.to);
  for (const name of ['direction', 'layer', 'category', 'party'] as const) if (figure[name] !== '') words.set(name, figure[name]);
  return readable(words);
}
