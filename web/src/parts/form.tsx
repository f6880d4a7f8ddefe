// Fields of a form with their labels, hints and errors.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

import { ApiProblem } from '../api/client';

export type FieldProps = {
  label: string;
  value: string;
  onText: (text: string) => void;
  note?: string;
  type?: 'text' | 'password' | 'email' | 'number';
  name?: string;
  autocomplete?: string;
  autocapitalize?: 'none';
  spellcheck?: boolean;
  autofocus?: boolean;
  required?: boolean;
  placeholder?: string;
  min?: string;
  max?: string;
  onKey?: (event: KeyboardEvent) => void;
};

export function Field({ label, value, onText, note, onKey, ...more }: FieldProps) {
  const id = useId();
  const attributes: Record<string, unknown> = { ...more, 'aria-describedby': note === undefined ? undefined : `${id}-note`, onKeyDown: onKey, onKeyUp: onKey };
  return (
    <div class="form-field">
      <label for={id}>{label}</label>
      <input {...attributes} id={id} value={value} onInput={(event) => onText(event.currentTarget.value)} />
      {note !== undefined && (
        <span class="form-note" id={`${id}-note`}>
          {note}
        </span>
      )}
    </div>
  );
}

// A password, with a word when Caps Lock is on: the commonest reason why a right one is wrong.
export function PasswordField(props: FieldProps) {
  const [caps, setCaps] = useState(false);
  const look = (event: KeyboardEvent): void => setCaps(event.getModifierState?.('CapsLock') ?? false);
  return (
    <div>
      <Field {...props} type="password" onKey={look} />
      <span class="form-warning" role="status">
        {caps ? '▲ Caps Lock is on' : ''}
      </span>
    </div>
  );
}

export function Choice({ label, value, onText, children, note }: { label: string; value: string; onText: (text: string) => void; children: ComponentChildren; note?: string }) {
  const id = useId();
  return (
    <div class="form-field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onText(event.currentTarget.value)}>
        {children}
      </select>
      {note !== undefined && <span class="form-note">{note}</span>}
    </div>
  );
}

// Said by a screen reader as soon as it stands there.
export function FormError({ problem }: { problem: Error | null }) {
  if (problem === null) return null;
  const text = problem instanceof ApiProblem ? problem.message : 'Something went wrong on this page; try again.';
  return (
    <p class="form-error" role="alert">
      {text.charAt(0).toUpperCase() + text.slice(1)}
      {/[.!?]$/.test(text) ? '' : '.'}
    </p>
  );
}
