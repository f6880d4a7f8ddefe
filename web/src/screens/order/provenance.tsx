// Where a value comes from: the rule and the files, rows and cells it was computed from.
import { provenance } from '../../api/client';
import type { Difference, ProvenanceInput, ProvenanceValue } from '../../api/types';
import { now } from '../../parts/app_state';
import { Problem, Skeleton } from '../../parts/basics';
import { differenceTitle, ruleText, valueText } from '../../parts/differences';
import { Dialog } from '../../parts/dialog';
import { ageOf, formatAge, formatInstant, shortHash } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';

const title = (field: string): string => field.charAt(0).toUpperCase() + field.slice(1).replace(/_/g, ' ');

function Input({ input }: { input: ProvenanceInput }) {
  return (
    <li class="input">
      <p>
        <span class="origin">{input.source}</span> <span class="path">{input.path || input.source}</span>
        {input.place !== '' && <strong class="place"> {input.place}</strong>}
      </p>
      {input.note !== '' && <p class="note">{input.note}</p>}
      <p class="quiet small-text">
        {[
          input.format,
          input.modified === null ? '' : `modified ${formatInstant(input.modified)}, ${formatAge(ageOf(input.modified, now.value))} ago`,
        ]
          .filter(Boolean)
          .join(' · ')}
        {input.hash !== '' && <span title={input.hash}> · hash {shortHash(input.hash)}</span>}
      </p>
    </li>
  );
}

function Value({ value }: { value: ProvenanceValue }) {
  return (
    <div class="provenance-value">
      <p class="big num">{value.value || '–'}</p>
      <p class="rule">
        <span class="label">Rule</span> {value.rule}
      </p>
      <p class="label">Inputs</p>
      {value.inputs.length === 0 ? (
        <p class="quiet">No file states this value.</p>
      ) : (
        <ul class="inputs">
          {value.inputs.map((input, at) => (
            <Input key={`${input.path} ${input.place} ${at}`} input={input} />
          ))}
        </ul>
      )}
    </div>
  );
}

// What the other sources say of this value, or of the lines it is made of.
function AlsoSaid({ differences }: { differences: Difference[] }) {
  if (differences.length === 0) return null;
  return (
    <div class="also-said">
      <p class="label">Sources differ</p>
      <ul>
        {differences.map((one) => (
          <li key={`${one.field} ${one.line}`}>
            {differenceTitle(one)}: {one.values.map((value) => `${value.source} says ${valueText(one.field, value.text)}`).join(', ')}.{' '}
            <strong>{one.counts} counts</strong> <span class="quiet">({ruleText(one)})</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

// The differences that enter a value. Amounts are made of the lines' quantities and prices.
const entering: Record<string, readonly string[]> = {
  open_amount: ['quantity', 'open_quantity', 'unit_price', 'discount', 'line_total', 'line'],
  total: ['quantity', 'unit_price', 'discount', 'line_total', 'tax', 'freight', 'line'],
  quantity: ['quantity', 'line'],
  open_quantity: ['quantity', 'open_quantity', 'line'],
  due: ['requested', 'promise'],
  status: ['status', 'document_status'],
};

const about = (field: string, differences: Difference[]): Difference[] =>
  differences.filter((one) => (entering[field] ?? [field]).includes(one.field));

type ProvenanceDialogProps = { number: string; field: string; onField: (field: string) => void; onClose: () => void };

export function ProvenanceDialog({ number, field, onField, onClose }: ProvenanceDialogProps) {
  const answer = useAnswer(`${number}/provenance`, (abort) => provenance(number, abort));
  const values = answer.data?.values ?? [];
  const value = values.find((one) => one.field === field) ?? values[0];
  return (
    <Dialog title="Where this comes from" class="provenance" onClose={onClose}>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {answer.data === null && answer.problem === null && <Skeleton rows={6} />}
      {value !== undefined && (
        <>
          <label class="inline-label">
            <span>Value of order {number}</span>
            <select value={value.field} onChange={(event) => onField(event.currentTarget.value)}>
              {values.map((one) => (
                <option key={one.field} value={one.field}>
                  {title(one.field)}
                </option>
              ))}
            </select>
          </label>
          <Value value={value} />
          <AlsoSaid differences={about(value.field, answer.data?.differences ?? [])} />
        </>
      )}
      {answer.data !== null && value === undefined && <p class="quiet">This order states no value that has an origin.</p>}
    </Dialog>
  );
}
