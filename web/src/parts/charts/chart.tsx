// The frame of every chart: its sentence, the picture or the same data as a table (`t`), a cursor for the arrow keys.
//
// Invariants
//   * The picture and the table show the same points; the table is what a screen reader and a copy get.
//   * Moving the cursor by keyboard is said by a polite live region; by pointer it is only shown.
//   * The picture keeps its height whatever it draws: nothing below it moves.
import './charts.css';

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

export type ChartTable = { columns: string[]; rows: ComponentChildren[][] }; // the first column names the row

export type Picture = { width: number; height: number; at: number | null };

export type ChartProps = {
  title: string;
  sentence: string;
  table: ChartTable;
  asTable: boolean;
  onTable: (asTable: boolean) => void;
  height: number;
  points: number; // how many places the cursor has
  say: (at: number) => string; // what stands at one of them
  place: (x: number, width: number) => number; // the point under a pointer
  onOpen?: (at: number) => void; // its documents
  legend?: ComponentChildren;
  actions?: ComponentChildren;
  children: (picture: Picture) => ComponentChildren; // inside an <svg> as wide as its place
};

const widthBefore = 720; // until it is measured
const printed = { width: 560, height: 180 }; // pixels: half a sheet, so that the words are as large as those beside them

// Known before any chart hears of it: one that is made for the paper alone is drawn for it at once.
let onPaper = false;
addEventListener('beforeprint', () => (onPaper = true));
addEventListener('afterprint', () => (onPaper = false));

// Pixels of a box, measured before the first paint.
function useWidth(): [preact.RefObject<HTMLDivElement | null>, number, boolean] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(widthBefore);
  const [paper, setPaper] = useState(onPaper);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = (): void => {
      setPaper(onPaper);
      if (onPaper) setWidth(printed.width);
      else if (element.clientWidth > 0) setWidth(element.clientWidth);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    addEventListener('beforeprint', measure);
    addEventListener('afterprint', measure);
    return () => {
      observer.disconnect();
      removeEventListener('beforeprint', measure);
      removeEventListener('afterprint', measure);
    };
  }, []);
  return [box, width, paper];
}

export function Chart(props: ChartProps) {
  const { title, sentence, asTable, onTable, legend, actions } = props;
  const id = useId();
  return (
    <figure class="chart" aria-labelledby={`${id}-title`}>
      <figcaption class="chart-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <span class="spring" />
        {actions}
        <button type="button" class="button small no-print" aria-pressed={asTable} title="The same as a table  t" aria-label={`${title} as a table`} onClick={() => onTable(!asTable)}>
          Table
        </button>
        <p class="chart-sentence" id={`${id}-sentence`}>
          {sentence}
        </p>
      </figcaption>
      {asTable ? <TableOf title={title} table={props.table} /> : <Drawn {...props} id={id} />}
      {!asTable && legend !== undefined && <div class="legend">{legend}</div>}
    </figure>
  );
}

function TableOf({ title, table }: { title: string; table: ChartTable }) {
  return (
    <div class="table-box chart-table" tabIndex={0} role="region" aria-label={`${title} as a table`}>
      <table class="table">
        <thead>
          <tr>
            {table.columns.map((column, at) => (
              <th key={column} scope="col" class={at === 0 ? undefined : 'num'}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={column} class="num">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// When the first picture of this page stood, for whoever measures.
const firstChart = 'first chart';
function noteFirstChart(): void {
  if (performance.getEntriesByName(firstChart).length === 0) requestAnimationFrame(() => performance.mark(firstChart));
}

function Drawn({ id, title, height: tall, points, say, place, onOpen, children }: ChartProps & { id: string }) {
  const [box, width, paper] = useWidth();
  const height = paper ? Math.min(tall, printed.height) : tall;
  useEffect(noteFirstChart, []);
  const [at, setAt] = useState<number | null>(null);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (at !== null && at >= points) setAt(null);
  }, [points]);
  const put = (next: number): void => {
    const kept = Math.max(0, Math.min(points - 1, next));
    setAt(kept);
    setSaid(say(kept));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (points === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowRight') put(at === null ? 0 : at + 1);
    else if (event.key === 'ArrowLeft') put(at === null ? points - 1 : at - 1);
    else if (event.key === 'Home') put(0);
    else if (event.key === 'End') put(points - 1);
    else if (event.key === 'Escape' && at !== null) setAt(null);
    else if (event.key === 'Enter' && at !== null && onOpen !== undefined) onOpen(at);
    else return;
    event.preventDefault();
  };
  const under = (event: MouseEvent): number => {
    const left = box.current?.getBoundingClientRect().left ?? 0;
    return Math.max(0, Math.min(points - 1, place(event.clientX - left, width)));
  };
  const keys = `Left and right arrow move through it${onOpen === undefined ? '' : ', Enter opens the documents'}.`;
  return (
    <>
      <div
        ref={box}
        class={`chart-picture ${onOpen === undefined ? '' : 'opens'}`}
        tabIndex={0}
        role="group"
        aria-roledescription="chart"
        aria-label={`${title}. ${keys}`}
        aria-describedby={`${id}-sentence`}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => points > 0 && setAt(under(event))}
        onPointerLeave={() => setAt(null)}
        onClick={(event) => points > 0 && onOpen?.(under(event))}
      >
        <svg viewBox={`0 0 ${width} ${height}`} height={height} aria-hidden="true" focusable="false">
          {children({ width, height, at })}
        </svg>
      </div>
      <p class="chart-cursor no-print" aria-hidden="true">
        {at === null || points === 0 ? <span class="quiet">{onOpen === undefined ? '← → move through it' : '← → move through it; Enter or a click opens documents'}</span> : say(at)}
      </p>
      <p class="only-read" role="status" aria-live="polite">
        {said}
      </p>
    </>
  );
}
