// One money document on a form: entered, changed, removed. What a source brought is only shown.
import { useId, useState } from 'preact/hooks';

import { type FinanceDocument, type FinanceKind, putFinance, removeFinance } from '../../api/finance';
import { done, toast } from '../../parts/app_state';
import { Dialog } from '../../parts/dialog';
import { Field, FormError } from '../../parts/form';
import { formatDay, formatMoney } from '../../parts/format';
import { may } from '../../parts/me';
import { everyWords, type FieldSpec, kinds, type Typed, typedOf, wishOf } from './kinds';

export type EntryProps = { kind: FinanceKind; document: FinanceDocument | null; given?: Typed; onClose: () => void; onSaved: () => void };

const said = (error: Error): void => toast({ text: error.message, tone: 'problem' });

export function EntrySheet({ kind, document, given = {}, onClose, onSaved }: EntryProps) {
  const spec = kinds[kind];
  const [typed, setTyped] = useState<Typed>(() => (document === null ? given : typedOf(document)));
  const [problem, setProblem] = useState<Error | null>(null);
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const mayChange = may('edit_money') && spec.fields !== null && (document === null || document.editable);
  const submit = (): void => {
    const wish = wishOf(kind, typed, document);
    if (typeof wish === 'string') return setWrong(wish);
    setWrong('');
    setProblem(null);
    setBusy(true);
    putFinance(wish, document?.version ?? '').then(
      () => {
        toast({ text: `${spec.title} ${wish.number} is written.` });
        onSaved();
      },
      (error: Error) => {
        setProblem(error);
        setBusy(false);
      },
    );
  };
  const remove = (): void => {
    if (document === null) return;
    const before = wishOf(kind, typedOf(document), document);
    removeFinance(document).then(() => {
      if (typeof before !== 'string') done(`${spec.title} ${document.number} removed.`, () => void putFinance(before, '').then(onSaved, said));
      onSaved();
    }, setProblem);
  };
  const title = document === null ? `Enter: ${spec.title.toLowerCase()}` : `${spec.title} ${document.number}`;
  if (!mayChange) return <Shown title={title} document={document} onClose={onClose} />;
  return (
    <Dialog title={title} class="entry-sheet" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <FormError problem={problem} />
        <div class="entry-fields">
          {(spec.fields ?? []).map((field, at) => (
            <EntryField key={field.name} field={field} fixed={document !== null && (field.name === 'number' || (kind === 'rate' && field.name === 'posted'))} first={at === 0} value={typed[field.name] ?? ''} onText={(text) => setTyped((before) => ({ ...before, [field.name]: text }))} />
          ))}
        </div>
        {wrong !== '' && (
          <p class="form-error" role="alert">
            {wrong}
          </p>
        )}
        <div class="row">
          {document !== null && (
            <button type="button" class="button danger" onClick={remove}>
              Remove
            </button>
          )}
          <span class="spring" />
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

type EntryFieldProps = { field: FieldSpec; value: string; fixed: boolean; first: boolean; onText: (text: string) => void };

function EntryField({ field, value, fixed, first, onText }: EntryFieldProps) {
  const id = useId();
  if (field.kind === 'every')
    return (
      <div class="form-field">
        <label for={id}>{field.title}</label>
        <select id={id} value={value} required onChange={(event) => onText(event.currentTarget.value)}>
          <option value="">choose</option>
          {everyWords.map((word) => (
            <option key={word} value={word}>
              {word}
            </option>
          ))}
        </select>
      </div>
    );
  if (field.kind === 'day' && !fixed)
    return (
      <div class="form-field">
        <label for={id}>{field.title}</label>
        <input id={id} type="date" value={value} required={field.required === true} onInput={(event) => onText(event.currentTarget.value)} />
      </div>
    );
  if (fixed)
    return (
      <div class="form-field">
        <label for={id}>{field.title}</label>
        <input id={id} type="text" value={value} readOnly />
      </div>
    );
  return <Field label={field.title} value={value} onText={onText} autocomplete="off" autofocus={first} required={field.required === true} {...(field.note === undefined ? {} : { note: field.note })} {...(field.kind === 'amount' ? { placeholder: '120.50' } : {})} />;
}

// Every field that says something.
export function factsOf(document: FinanceDocument): [string, string][] {
  const facts: [string, string][] = [];
  const put = (title: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') facts.push([title, value]);
  };
  put('Who', [document.party_name, document.party].filter(Boolean).join(', '));
  put('Amount', document.amount === undefined ? '' : formatMoney(document.amount));
  put('Tax in it', document.tax === undefined || document.tax.minor === 0 ? '' : formatMoney(document.tax));
  put('State', document.cancelled ? 'cancelled' : document.closed ? 'closed' : '');
  put('Posted', document.posted === null ? '' : formatDay(document.posted));
  put('Due', document.due === null ? '' : formatDay(document.due));
  put('Paid', document.paid === null ? '' : formatDay(document.paid));
  put('Until', document.until === null ? '' : formatDay(document.until));
  put('Category', document.category);
  put('Account', document.account);
  put('Settles', document.settles.map((one) => `${one.kind.replaceAll('_', ' ')} ${one.number}${typeof one.amount === 'object' ? `, ${formatMoney(one.amount)}` : ''}`).join('; '));
  put('Instalments', document.instalments.map((part) => `${formatMoney(part.amount)} on ${formatDay(part.due)}`).join('; '));
  put('Every', document.every);
  put('Rate', document.rate === undefined ? '' : `1 ${document.rate.from} = ${document.rate.rate} ${document.rate.to}`);
  put('Payment terms', document.terms);
  put('Reference', document.reference);
  put('Comment', document.comment);
  put('From', document.origin === '' ? document.source : `${document.origin} (${document.source})`);
  return facts;
}

function Shown({ title, document, onClose }: { title: string; document: FinanceDocument | null; onClose: () => void }) {
  return (
    <Dialog title={title} class="entry-sheet" onClose={onClose}>
      {document === null ? (
        <p class="quiet">This kind is written by systems only, or your role does not enter documents.</p>
      ) : (
        <dl class="facts">
          {factsOf(document).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </Dialog>
  );
}
