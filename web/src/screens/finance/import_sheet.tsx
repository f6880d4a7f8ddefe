// A file of documents: what it would do, row by row, with every doubtful cell marked and said; then all of it at once.
import './finance.css';

import { useRef, useState } from 'preact/hooks';

import { applyImport, type FinanceKind, financeImports, type ImportCell, type ImportPreview, type ImportRow, type ImportSay, previewImport, undoImport } from '../../api/finance';
import { done, now, toast } from '../../parts/app_state';
import { Mark, Problem, Skeleton } from '../../parts/basics';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { Dialog } from '../../parts/dialog';
import { FormError } from '../../parts/form';
import { counted, formatWhen } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';
import { countsWords, guessWords, rowsToTake, stateWords } from './import_words';
import { kinds } from './kinds';

const said = (error: Error): void => toast({ text: error.message, tone: 'problem' });

const unsaid: ImportSay = { decimal: '', date: '', currency: '', map: {} };

export function ImportSheet({ kind, onClose, onDone }: { kind: FinanceKind; onClose: () => void; onDone: () => void }) {
  const [preview, setPreview] = useState<ImportPreview | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const [say, setSay] = useState<ImportSay>(unsaid);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const read = (chosen: File | null | undefined, said: ImportSay): void => {
    if (chosen == null) return;
    setFile(chosen);
    setSay(said);
    setBusy(true);
    setProblem(null);
    if (chosen !== file) setPreview(null);
    previewImport(kind, chosen, said)
      .then(setPreview, setProblem)
      .finally(() => setBusy(false));
  };
  const apply = (doubtful: 'take' | 'leave'): void => {
    if (preview === null) return;
    setBusy(true);
    applyImport(preview.preview, doubtful).then(
      (answer) => {
        done(`${counted(answer.applied, 'row')} of ${file?.name ?? 'the file'} taken${answer.left > 0 ? `, ${answer.left} left out` : ''}.`, () => void undoImport(answer.import).then(onDone, said));
        onDone();
        onClose();
      },
      (error: Error) => {
        setProblem(error);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={`Import ${kinds[kind].many.toLowerCase()} from a file`} class="items-dialog import-sheet" onClose={onClose}>
      <FormError problem={problem} />
      <div class="row">
        <input ref={input} type="file" accept=".csv,.txt,.xlsx" class="only-read" tabIndex={-1} aria-label="File" onChange={(event) => read(event.currentTarget.files?.[0], unsaid)} />
        <button type="button" class="button" autofocus onClick={() => input.current?.click()}>
          {preview === null ? 'Choose a CSV or XLSX file…' : 'Choose another file…'}
        </button>
        {file !== null && <strong>{file.name}</strong>}
      </div>
      {preview === null && !busy && <p class="quiet">Nothing is written before you have seen what each row would do. Its first line names the columns; names in several languages are known.</p>}
      {busy && preview === null && <Skeleton rows={6} />}
      {preview !== null && <Corrections preview={preview} say={say} onSay={(said) => read(file, said)} />}
      {preview !== null && preview.missing.length === 0 && <Previewed preview={preview} busy={busy} onApply={apply} />}
    </Dialog>
  );
}

// What the file means where the guess is wrong, or where it cannot know.
function Corrections({ preview, say, onSay }: { preview: ImportPreview; say: ImportSay; onSay: (say: ImportSay) => void }) {
  const choose = (title: string, value: string, guess: string, choices: [string, string][], put: (value: string) => ImportSay) => (
    <label class="inline-label" key={title}>
      <span>{title}</span>
      <select value={value} onChange={(event) => onSay(put(event.currentTarget.value))}>
        <option value="">{guess}</option>
        {choices.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
  const { guess, missing } = preview;
  const asked = [...new Set([...missing, ...Object.keys(say.map)])];
  return (
    <div class="cash-controls" role="group" aria-label="How the file is read">
      {choose('Days', say.date, `as it seems${guess.date === undefined || guess.date === '' ? '' : `: ${guess.date}`}`, [['dmy', 'day first'], ['mdy', 'month first'], ['ymd', 'year first']], (date) => ({ ...say, date }))}
      {choose('Decimals after', say.decimal, `as it seems${guess.decimal === undefined || guess.decimal === '' ? '' : `: ${guess.decimal}`}`, [['.', 'a point'], [',', 'a comma']], (decimal) => ({ ...say, decimal }))}
      {asked.map((field) => choose(field.replaceAll('_', ' '), say.map[field] ?? '', 'which column?', guess.unused.concat(say.map[field] ?? []).map((column) => [column, column]), (column) => ({ ...say, map: { ...say.map, [field]: column } })))}
      {missing.length > 0 && <Mark tone="poor">No column says {missing.map((field) => field.replaceAll('_', ' ')).join(', ')}; choose it, or name it in the file.</Mark>}
    </div>
  );
}

function Cell({ cell }: { cell: ImportCell | undefined }) {
  if (cell === undefined) return <span class="quiet">–</span>;
  const doubt = cell.doubt ?? '';
  if (doubt === '') return <span title={cell.text}>{cell.value || cell.text || '–'}</span>;
  return (
    <span class="doubtful" title={`The file says “${cell.text}”: ${doubt}`}>
      <span>
        <span aria-hidden="true">▲ </span>
        {cell.value || cell.text}
      </span>
      <span class="small-text">{doubt}</span>
    </span>
  );
}

function columnsOf(preview: ImportPreview): RowColumn<ImportRow>[] {
  const fields = [...new Set(preview.rows.flatMap((row) => row.cells.map((cell) => cell.field)))];
  return [
    { title: 'Row', width: '48px', numeric: true, cell: (row) => row.row },
    { title: 'What it does', width: '150px', cell: (row) => <RowState row={row} /> },
    ...fields.map((field): RowColumn<ImportRow> => ({ title: field.replaceAll('_', ' '), width: 'minmax(110px,1fr)', cell: (row) => <Cell cell={row.cells.find((cell) => cell.field === field)} /> })),
  ];
}

function RowState({ row }: { row: ImportRow }) {
  const { tone, text } = stateWords[row.state] ?? { tone: 'idle' as const, text: row.state };
  return (
    <span class="two-lines" title={row.reason}>
      <Mark tone={tone}>{text}</Mark>
      {row.reason !== '' && <span class="quiet small-text">{row.reason}</span>}
    </span>
  );
}

function Previewed({ preview, busy, onApply }: { preview: ImportPreview; busy: boolean; onApply: (doubtful: 'take' | 'leave') => void }) {
  const [only, setOnly] = useState(false);
  const rows = only ? preview.rows.filter((row) => row.state === 'doubtful' || row.state === 'refused') : preview.rows;
  const doubtful = preview.counts.doubtful ?? 0;
  const sure = rowsToTake(preview, 'leave');
  const all = rowsToTake(preview, 'take');
  return (
    <>
      <p>
        <strong>{countsWords(preview.counts)}</strong> <span class="quiet">{guessWords(preview)}</span>
        {preview.rows_left_out > 0 && <span class="quiet"> {counted(preview.rows_left_out, 'row')} without a doubt not listed.</span>}
      </p>
      <label class="inline-label">
        <input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} />
        <span>Only what needs a look</span>
      </label>
      {rows.length > 0 && (
        <div class="import-scroll" tabIndex={0} role="region" aria-label="Preview">
          <VirtualRows label="Rows of the file" rows={rows} total={rows.length} columns={columnsOf(preview)} rowHeight={48} height={360} keyOf={(row) => String(row.row)} />
        </div>
      )}
      {rows.length === 0 && <p class="quiet">No row needs a look.</p>}
      <div class="row row-end">
        {doubtful > 0 && (
          <button type="button" class="button" disabled={busy || all === 0} onClick={() => onApply('take')}>
            Take {counted(all, 'row')}, doubtful ones as shown
          </button>
        )}
        <button type="button" class="button primary" disabled={busy || sure === 0} onClick={() => onApply('leave')}>
          {sure === 0 ? 'Nothing to take' : `Take ${counted(sure, 'row')}${doubtful > 0 ? ', leave the doubtful' : ''}`}
        </button>
      </div>
    </>
  );
}

// Files that were taken, each with its way back.
export function Imports({ version, onDone }: { version: number; onDone: () => void }) {
  const answer = useAnswer(`imports ${version}`, financeImports);
  const list = answer.data ?? [];
  const undo = (id: string): void => {
    undoImport(id).then(() => {
      toast({ text: 'Undone: what stood before stands again.' });
      onDone();
      answer.reload();
    }, said);
  };
  if (answer.problem !== null) return <Problem problem={answer.problem} retry={answer.reload} />;
  if (list.length === 0) return null;
  return (
    <section class="block" aria-labelledby="imports-title">
      <h2 id="imports-title">Files that were taken</h2>
      <ul class="low-list">
        {list.map((one) => (
          <li key={one.import}>
            <strong>{one.file === '' ? (kinds[one.kind as FinanceKind]?.many ?? one.kind) : one.file}</strong>
            <span class="quiet">
              {counted(one.applied, 'row')}, {one.by}, {formatWhen(one.at, now.value)}
            </span>
            {one.undone_by !== '' ? (
              <Mark tone="idle">undone by {one.undone_by}</Mark>
            ) : one.undoable ? (
              <button type="button" class="button small no-print" aria-label={`Undo the import of ${one.file === '' ? one.kind : one.file}`} onClick={() => undo(one.import)}>
                Undo
              </button>
            ) : (
              <Mark tone="good">taken</Mark>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
