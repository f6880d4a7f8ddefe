// The Excel round trip: a workbook people wrote into comes back; exactly what it changes is shown before it is written, with
// what is refused and why, and where somebody else wrote meanwhile. All of it is written as one, and undone as one.
import './sheet.css';

import { useRef, useState } from 'preact/hooks';

import { applySheet, previewSheet, type SheetDifference, type SheetPreview, type SheetRefusal, undoSheet } from '../../api/client';
import { done, now, toast } from '../../parts/app_state';
import { Mark, Skeleton } from '../../parts/basics';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { Dialog } from '../../parts/dialog';
import { FormError } from '../../parts/form';
import { counted, formatMinute, formatWhen } from '../../parts/format';
import { writtenText, writtenTitle } from '../order/written_words';
import { sheetWords } from './sheet_words';

const order = (number: string) => (number === '' ? <span class="quiet">–</span> : <a href={`/orders/${encodeURIComponent(number)}`}>{number}</a>);

const differenceColumns: readonly RowColumn<SheetDifference>[] = [
  { title: 'Cell', width: '60px', cell: (one) => one.cell },
  { title: 'Order', width: 'minmax(80px,1fr)', cell: (one) => order(one.order) },
  { title: 'Field', width: 'minmax(80px,1fr)', cell: (one) => writtenTitle(one.field) },
  { title: 'Stands now', width: 'minmax(0,1.4fr)', cell: (one) => writtenText(one.field, one.before), narrow: false },
  { title: 'Will stand', width: 'minmax(0,1.4fr)', cell: (one) => (one.after === null ? <Mark tone="fair">taken away</Mark> : <strong>{writtenText(one.field, one.after)}</strong>) },
];

function Reason({ one }: { one: SheetRefusal }) {
  if (one.conflict === null) return <span title={one.reason}>{one.reason}</span>;
  const { by, at, theirs, mine, field } = one.conflict;
  const words = `${by} wrote “${writtenText(field, theirs)}” ${formatWhen(at, now.value)}; the sheet says “${writtenText(field, mine)}”.`;
  return (
    <span class="two-lines" title={words}>
      <Mark tone="fair">somebody else wrote there</Mark>
      <span class="small-text">{words}</span>
    </span>
  );
}

const refusalColumns: readonly RowColumn<SheetRefusal>[] = [
  { title: 'Cell', width: '60px', cell: (one) => one.cell },
  { title: 'Order', width: 'minmax(80px,0.6fr)', cell: (one) => order(one.order), narrow: false },
  { title: 'Field', width: 'minmax(80px,0.6fr)', cell: (one) => (one.field === '' ? '–' : writtenTitle(one.field)), narrow: false },
  { title: 'Why not', width: 'minmax(0,3fr)', cell: (one) => <Reason one={one} /> },
];

export default function SheetDialog({ onClose }: { onClose: () => void }) {
  const [preview, setPreview] = useState<SheetPreview | null>(null);
  const [file, setFile] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const read = (chosen: File | undefined): void => {
    if (chosen === undefined) return;
    setFile(chosen.name);
    setBusy(true);
    setProblem(null);
    setPreview(null);
    previewSheet(chosen)
      .then(setPreview, setProblem)
      .finally(() => setBusy(false));
  };
  const apply = (): void => {
    if (preview === null) return;
    setBusy(true);
    applySheet(preview.preview).then(
      ({ group, orders }) => {
        const text = `${counted(preview.differences.length, 'cell')} of ${file} written on ${counted(orders, 'order')}.`;
        if (group === null) toast({ text });
        else done(text, () => void undoSheet(group).then(() => undefined, (error: Error) => toast({ text: error.message, tone: 'problem' })));
        onClose();
      },
      (error: Error) => {
        setProblem(error);
        setPreview(null); // it may have run out, or somebody wrote meanwhile: the sheet is read again
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title="Bring an Excel sheet back" class="sheet-dialog" onClose={onClose}>
      <FormError problem={problem} />
      <div class="row">
        <input ref={input} type="file" accept=".xlsx" class="only-read" tabIndex={-1} aria-label="Workbook" onChange={(event) => read(event.currentTarget.files?.[0])} />
        <button type="button" class="button" autofocus onClick={() => input.current?.click()}>
          {preview === null ? 'Choose the workbook…' : 'Choose another…'}
        </button>
        {file !== '' && <strong>{file}</strong>}
      </div>
      {preview === null && !busy && <p class="quiet">The workbook is the one from “Excel sheet to write into”. Only its coloured columns are read back; nothing is written before you have seen what changes.</p>}
      {busy && preview === null && <Skeleton rows={5} />}
      {preview !== null && <Previewed preview={preview} busy={busy} onApply={apply} onClose={onClose} />}
    </Dialog>
  );
}

function Previewed({ preview, busy, onApply, onClose }: { preview: SheetPreview; busy: boolean; onApply: () => void; onClose: () => void }) {
  const { differences, refused } = preview;
  return (
    <>
      <p role="status">
        <strong>{sheetWords(preview)}</strong> <span class="quiet">This preview holds until {formatMinute(Date.parse(preview.until))}.</span>
      </p>
      {differences.length > 0 && <VirtualRows label="What will be written" rows={differences} total={differences.length} columns={differenceColumns} rowHeight={36} height={280} keyOf={(one) => one.cell} />}
      {refused.length > 0 && (
        <>
          <h3>Not written</h3>
          <VirtualRows label="What is not written" rows={refused} total={refused.length} columns={refusalColumns} rowHeight={48} height={200} keyOf={(one) => `${one.cell} ${one.reason}`} />
        </>
      )}
      <div class="row row-end">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="button primary" disabled={busy || differences.length === 0} onClick={onApply}>
          {differences.length === 0 ? 'Nothing to write' : `Write ${counted(differences.length, 'cell')}`}
        </button>
      </div>
    </>
  );
}
