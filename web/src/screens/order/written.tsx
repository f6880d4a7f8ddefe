// What people wrote on the order: each value in place, the source's beneath, who and when; two people see each other.
import './written.css';

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { ApiProblem, overlay, overlayEdits, type OverlayPatch, undoOverlay, writeOverlay } from '../../api/client';
import type { Overlay, OverlayAnswer, OverlayConflict, OverlayEdit, Written as WrittenValue } from '../../api/types';
import { done, now, toast } from '../../parts/app_state';
import { Problem, Skeleton } from '../../parts/basics';
import { Dialog } from '../../parts/dialog';
import { absent, formatInstant, formatWhen } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';
import { beneathText, colours, editText, inputKind, writtenText, writtenTitle } from './written_words';

// Two people met: what both say, and the way on if a person wants his own all the same.
type Meeting = { conflicts: OverlayConflict[]; insist: () => void };

export function Written({ number, version }: { number: string; version: number }) {
  const asked = useAnswer(`${number}/overlay`, (abort) => overlay(number, abort));
  const [written, setWritten] = useState<Overlay | null>(null); // newer than what was asked
  const [editing, setEditing] = useState<{ field: string; seen: number } | null>(null); // what the person saw when he began
  const section = useRef<HTMLElement>(null);
  const [meeting, setMeeting] = useState<Meeting | null>(null);
  useEffect(() => setWritten(null), [asked.data]);
  const shown = written ?? asked.data?.overlay ?? null;
  useEffect(() => {
    if (shown !== null && version > shown.version) asked.reload(); // somebody else wrote
  }, [version]);

  const stopEditing = (): void => {
    const field = editing?.field;
    setEditing(null);
    if (field !== undefined) requestAnimationFrame(() => section.current?.querySelector<HTMLElement>(`[data-edit="${field}"]`)?.focus());
  };
  const heard = (error: unknown, insist: (current: OverlayAnswer | null) => void): void => {
    if (!(error instanceof ApiProblem)) throw error;
    if (error.conflicts.length === 0) return toast({ text: error.message, tone: 'problem' });
    if (error.current !== null) setWritten(error.current.overlay);
    setMeeting({ conflicts: error.conflicts, insist: () => insist(error.current) });
  };
  const undo = (edit: number, alsoLater: boolean): void => {
    undoOverlay(number, edit, alsoLater).then(
      (answer) => {
        setWritten(answer.overlay);
        toast({ text: 'Undone: what stood before stands again.' });
      },
      (error: unknown) => heard(error, () => undo(edit, true)),
    );
  };
  const write = (patch: OverlayPatch, seen: number): void => {
    writeOverlay(number, seen, patch).then(
      (answer) => {
        setWritten(answer.overlay);
        stopEditing();
        const { edit } = answer;
        if (edit !== null) done(`${Object.keys(patch).map(writtenTitle).join(', ')} of order ${number} written.`, () => undo(edit, false));
      },
      (error: unknown) =>
        heard(error, (current) => write(patch, current?.overlay.version ?? seen)),
    );
  };

  return (
    <section ref={section} class="block written" aria-label="Written by us">
      <h3>Written by us</h3>
      {asked.problem !== null && <Problem problem={asked.problem} retry={asked.reload} />}
      {shown === null && asked.problem === null && <Skeleton rows={2} />}
      {shown !== null && (
        <dl class="facts">
          {(asked.data?.writable ?? []).map((field) => {
            const value = shown.fields.find((one) => one.field === field) ?? null;
            return (
              <div key={field}>
                <dt>{writtenTitle(field)}</dt>
                <dd>
                  {editing?.field === field ? (
                    <Editor field={field} value={value} onCancel={stopEditing} onWrite={(patch) => write(patch, editing.seen)} />
                  ) : (
                    <Value field={field} value={value} onEdit={() => setEditing({ field, seen: shown.version })} />
                  )}
                </dd>
              </div>
            );
          })}
        </dl>
      )}
      {shown !== null && shown.version > 0 && <Edits number={number} version={shown.version} onUndo={(edit) => undo(edit, false)} />}
      {meeting !== null && <MeetingDialog meeting={meeting} onClose={() => setMeeting(null)} />}
    </section>
  );
}

function Value({ field, value, onEdit }: { field: string; value: WrittenValue | null; onEdit: () => void }) {
  const beneath = value === null ? '' : beneathText(value);
  return (
    <>
      <span>
        <span class="written-value">{value === null ? absent : writtenText(field, value.value)}</span>{' '}
        <button type="button" class="button small quiet-button no-print" data-edit={field} aria-label={`Edit ${writtenTitle(field).toLowerCase()}`} onClick={onEdit}>
          Edit
        </button>
      </span>
      {beneath !== '' && <span class="quiet small-text">{beneath}</span>}
      {value !== null && (
        <span class="quiet small-text" title={formatInstant(value.time)}>
          {value.author}, {formatWhen(value.time, now.value)}
          {value.expires !== null && `, until ${formatInstant(value.expires)}`}
        </span>
      )}
    </>
  );
}

type EditorProps = { field: string; value: WrittenValue | null; onCancel: () => void; onWrite: (patch: OverlayPatch) => void };

function Editor({ field, value, onCancel, onWrite }: EditorProps) {
  const [text, setText] = useState(value?.value ?? '');
  const [until, setUntil] = useState('');
  const title = writtenTitle(field);
  const kind = inputKind(field);
  const typed = (event: Event): void => setText((event.currentTarget as HTMLInputElement).value);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>('input, select, textarea')?.focus(), []);
  const common = { name: field, value: text, onInput: typed };
  const save = (event: Event): void => {
    event.preventDefault();
    if (text.trim() === '') return onWrite({ [field]: null });
    onWrite({ [field]: until === '' ? text : { value: text, expires: new Date(until).toISOString() } });
  };
  return (
    <form
      ref={form}
      onSubmit={save}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onCancel();
      }}
    >
      <label>
        {title}
        {kind === 'lines' && <textarea {...common} rows={3} maxLength={2000} />}
        {kind === 'line' && <input {...common} type="text" maxLength={200} />}
        {kind === 'day' && <input {...common} type="date" />}
        {(kind === 'priority' || kind === 'colour') && (
          <select {...common}>
            <option value="">none</option>
            {(kind === 'colour' ? colours : [...'9876543210']).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        )}
      </label>
      <label>
        Until (optional)
        <input type="datetime-local" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button small primary">
        Save
      </button>
      <button type="button" class="button small" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}

function Edits({ number, version, onUndo }: { number: string; version: number; onUndo: (edit: number) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>Who wrote what</summary>
      {open && <EditList key={version} number={number} version={version} onUndo={onUndo} />}
    </details>
  );
}

function EditList({ number, version, onUndo }: { number: string; version: number; onUndo: (edit: number) => void }) {
  const edits = useAnswer(`${number}/overlay/edits/${version}`, (abort) => overlayEdits(number, abort));
  if (edits.problem !== null) return <Problem problem={edits.problem} retry={edits.reload} />;
  if (edits.data === null) return <Skeleton rows={2} />;
  return (
    <ul class="written-edits">
      {edits.data.data.map((one) => (
        <EditLine key={one.edit} edit={one} onUndo={onUndo} />
      ))}
    </ul>
  );
}

function EditLine({ edit, onUndo }: { edit: OverlayEdit; onUndo: (edit: number) => void }) {
  const ended = edit.kind === 'ended';
  return (
    <li>
      <time dateTime={edit.time} title={formatInstant(edit.time)}>
        {formatWhen(edit.time, now.value)}
      </time>
      <span>
        {ended ? 'its time ended' : `${edit.author}${edit.kind === 'undone' ? ' undid' : ''}`}: {editText(edit)}
      </span>
      {!ended && (
        <button type="button" class="button small quiet-button no-print" aria-label={`Undo edit ${edit.version}: ${editText(edit)}`} onClick={() => onUndo(edit.edit)}>
          Undo
        </button>
      )}
    </li>
  );
}

function MeetingDialog({ meeting, onClose }: { meeting: Meeting; onClose: () => void }) {
  return (
    <Dialog title="Somebody else wrote there" onClose={onClose}>
      <p class="dialog-text">Nothing was changed. Look at both values and choose.</p>
      <ul>
        {meeting.conflicts.map((one) => (
          <li key={one.field} class="conflict">
            <strong>{writtenTitle(one.field)}</strong>
            <dl>
              <dt>Before</dt>
              <dd>{writtenText(one.field, one.before)}</dd>
              <dt>
                {one.by}, {formatWhen(one.at, now.value)}
              </dt>
              <dd>{writtenText(one.field, one.theirs)}</dd>
              <dt>Yours</dt>
              <dd>{writtenText(one.field, one.mine)}</dd>
            </dl>
          </li>
        ))}
      </ul>
      <div class="row row-end">
        <button type="button" class="button" autofocus onClick={onClose}>
          Keep theirs
        </button>
        <button
          type="button"
          class="button primary"
          onClick={() => {
            meeting.insist();
            onClose();
          }}
        >
          Write mine
        </button>
      </div>
    </Dialog>
  );
}
