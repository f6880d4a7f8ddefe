// Adds or changes one filter: which field, how to compare, with what.
import { useEffect, useId, useState } from 'preact/hooks';

import { totals } from '../../api/client';
import { decimalToMinor, minorToDecimal } from '../../parts/format';
import type { Filter, FilterOp } from '../../parts/order_filters';
import { fieldOf, filterFields, opChoices, suggestionGroup, typedDecimals } from './fields';

export type FilterEditorProps = {
  filter: Filter | null; // null: choose a field first
  currency: string | null;
  onApply: (filter: Filter) => void;
};

const firstFields = ['status', 'customer', 'customer_name', 'due', 'late', 'open_amount', 'item', 'manufacturer', 'salesman', 'currency'];

export function FilterEditor({ filter, currency, onApply }: FilterEditorProps) {
  const [name, setName] = useState(filter?.name ?? '');
  if (name !== '') {
    return <ValueForm key={name} filter={filter} name={name} currency={currency} onApply={onApply} />;
  }
  const rank = (field: string): number => (firstFields.includes(field) ? firstFields.indexOf(field) : firstFields.length);
  const sorted = [...filterFields.value].sort((a, b) => rank(a.name) - rank(b.name));
  return (
    <div class="choices" role="group" aria-label="Filter by">
      {sorted.map((field) => (
        <button type="button" class="choice" key={field.name} title={field.help} onClick={() => setName(field.name)}>
          {field.title}
        </button>
      ))}
      {sorted.length === 0 && <p class="quiet">The list of fields has not arrived yet.</p>}
    </div>
  );
}

function useSuggestions(name: string): string[] {
  const [values, setValues] = useState<string[]>([]);
  useEffect(() => {
    const group = suggestionGroup(name);
    if (group === null) return;
    const abort = new AbortController();
    totals(group, '', 200, abort.signal).then(
      (answer) => setValues(answer.data.map((row) => (name === 'customer_name' ? row.name : row.key)).filter(Boolean)),
      () => setValues([]), // suggestions are a comfort: typing works without them
    );
    return () => abort.abort();
  }, [name]);
  return values;
}

type ValueFormProps = { filter: Filter | null; name: string; currency: string | null; onApply: (filter: Filter) => void };

// The typed text as a filter, or what is wrong with it.
function typedFilter(name: string, op: FilterOp, text: string, decimals: number): Filter | string {
  const clean = text.trim();
  if (clean === '') return 'Enter a value.';
  if (fieldOf(name).type === 'money') {
    const minor = decimalToMinor(clean, decimals);
    if (minor === undefined) return `An amount with at most ${decimals} decimals, for example 1250.50.`;
    return { name, op, values: [String(minor)] };
  }
  return { name, op, values: op === 'in' ? clean.split(',').map((one) => one.trim()).filter(Boolean) : [clean] };
}

function ValueForm({ filter, name, currency, onApply }: ValueFormProps) {
  const field = fieldOf(name);
  const known = filter?.name === name ? filter : null;
  const decimals = typedDecimals(currency);
  const typed = (value: string): string =>
    field.type === 'money' && /^-?\d+$/.test(value) ? minorToDecimal(Number(value), decimals) : value;
  const [op, setOp] = useState<FilterOp>(known?.op ?? opChoices[field.type][0]?.op ?? 'eq');
  const [text, setText] = useState((known?.values ?? []).map(typed).join(', '));
  const [wrong, setWrong] = useState('');
  const id = useId();
  if (field.type === 'flag') return <FlagChoice name={name} title={field.title} onApply={onApply} />;
  const submit = (event: Event): void => {
    event.preventDefault();
    const made = typedFilter(name, op, text, decimals);
    if (typeof made === 'string') setWrong(made);
    else onApply(made);
  };
  return (
    <form class="filter-form" onSubmit={submit}>
      <label class="field-label" for={`${id}v`}>
        {field.title}
        {field.type === 'money' && currency !== null ? `, ${currency}` : ''}
      </label>
      <div class="row">
        <select aria-label="Compare" value={op} onChange={(event) => setOp(event.currentTarget.value as FilterOp)}>
          {opChoices[field.type].map((choice) => (
            <option key={choice.op} value={choice.op}>
              {choice.word}
            </option>
          ))}
        </select>
        <ValueInput id={id} name={name} text={text} wrong={wrong !== ''} onText={setText} />
      </div>
      {field.type === 'day' && <RelativeDays name={name} op={op} onApply={onApply} />}
      {wrong !== '' && (
        <p class="wrong" id={`${id}w`} role="alert">
          {wrong}
        </p>
      )}
      <p class="quiet small-text" id={`${id}h`}>
        {op === 'in' ? 'Several values, separated by commas. ' : ''}
        {field.type === 'text' && op === 'eq' ? 'A * at either end stands for anything. ' : ''}
        {field.help}
      </p>
      <div class="row row-end">
        <button type="submit" class="button primary">
          Apply filter
        </button>
      </div>
    </form>
  );
}

type ValueInputProps = { id: string; name: string; text: string; wrong: boolean; onText: (text: string) => void };

function ValueInput({ id, name, text, wrong, onText }: ValueInputProps) {
  const type = fieldOf(name).type;
  const suggestions = useSuggestions(name);
  return (
    <>
      <input
        id={`${id}v`}
        autofocus
        type={type === 'day' && /^(\d{4}-\d{2}-\d{2})?$/.test(text) ? 'date' : 'text'}
        inputMode={['money', 'number', 'quantity'].includes(type) ? 'decimal' : undefined}
        list={suggestions.length > 0 ? `${id}s` : undefined}
        autocomplete="off"
        value={text}
        aria-describedby={wrong ? `${id}w` : `${id}h`}
        aria-invalid={wrong}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <datalist id={`${id}s`}>
        {suggestions.map((value) => (
          <option key={value} value={value} />
        ))}
      </datalist>
    </>
  );
}

function FlagChoice({ name, title, onApply }: { name: string; title: string; onApply: (filter: Filter) => void }) {
  return (
    <div class="choices" role="group" aria-label={title}>
      {['true', 'false'].map((value) => (
        <button type="button" class="choice" key={value} onClick={() => onApply({ name, op: 'eq', values: [value] })}>
          {title}: {value === 'true' ? 'yes' : 'no'}
        </button>
      ))}
    </div>
  );
}

function RelativeDays({ name, op, onApply }: { name: string; op: FilterOp; onApply: (filter: Filter) => void }) {
  return (
    <div class="row" role="group" aria-label="Relative days">
      {['today', 'today+7', 'today+30', 'none'].map((value) => (
        <button
          type="button"
          class="button small"
          key={value}
          onClick={() => onApply({ name, op: value === 'none' ? 'eq' : op, values: [value] })}
        >
          {value === 'none' ? 'no date' : value.replace('+', ' + ')}
        </button>
      ))}
    </div>
  );
}
