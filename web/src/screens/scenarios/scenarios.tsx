// Scenarios: what if a customer pays later, an order slips, a rate moves. Made, changed, compared side by side, sent as a link.
import './scenarios.css';

import { useEffect, useMemo, useState } from 'preact/hooks';

import { cash, makeScenario, putScenario, removeScenario, type Scenario, type ScenarioChange, scenarios as askScenarios } from '../../api/cash';
import { done, toast } from '../../parts/app_state';
import { Empty, Problem, Skeleton } from '../../parts/basics';
import { Confirm, Dialog } from '../../parts/dialog';
import { Choice, Field, FormError } from '../../parts/form';
import { Icon } from '../../parts/icons';
import { mayPlan } from '../../parts/me';
import { MoneyTabs } from '../../parts/money_tabs';
import { navigate, route } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { useLast } from '../../parts/use_last';
import { useLiveMoney } from '../../parts/use_live_money';
import { cashAddress, emptyCash, scenariosMax } from '../cash/address';
import { Compared } from '../cash/summary';
import { changeKinds, changeOf, changeWords, emptyChange, kindTitles, type TypedChange, typedOf } from './scenario_words';

const chosenIn = (search: string): string[] => new URLSearchParams(search).getAll('scenario').slice(0, scenariosMax);
const addressOf = (chosen: string[]): string => `/scenarios${chosen.length === 0 ? '' : `?${chosen.map((id) => `scenario=${encodeURIComponent(id)}`).join('&')}`}`;

export default function ScenariosScreen() {
  const answer = useAnswer('scenarios', askScenarios);
  const list = useLast(answer.data);
  const search = route.value.search;
  const asked = useMemo(() => chosenIn(search), [search]);
  const [editing, setEditing] = useState<Scenario | 'new' | null>(null);
  const [ending, setEnding] = useState<Scenario | null>(null);
  useEffect(() => {
    document.title = 'Scenarios · Millrace';
  }, []);
  const chosen = asked.filter((id) => list === null || list.some((one) => one.id === id));
  const choose = (id: string, on: boolean): void => navigate(addressOf(on ? [...chosen, id] : chosen.filter((one) => one !== id)), { replace: true });
  const remove = (scenario: Scenario): void => {
    removeScenario(scenario).then(
      () => {
        choose(scenario.id, false);
        answer.reload();
        done(`Scenario “${scenario.name}” removed.`, () => void makeScenario(scenario.name, scenario.changes).then(answer.reload, (error: Error) => toast({ text: error.message, tone: 'problem' })));
      },
      (error: Error) => toast({ text: error.message, tone: 'problem' }),
    );
  };
  return (
    <div class="page money-page scenarios">
      <header class="page-head">
        <div>
          <h1>Scenarios</h1>
          <p class="quiet">What might happen instead. The plan itself stays as it is.</p>
        </div>
        <span class="spring" />
        <button type="button" class="button no-print" onClick={() => print()}>
          <Icon name="print" />
          <span>Print</span>
        </button>
        {mayPlan() && (
          <button type="button" class="button primary no-print" onClick={() => setEditing('new')}>
            Make a scenario
          </button>
        )}
      </header>
      <MoneyTabs screen="scenarios" />
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {list === null && answer.problem === null && <Skeleton rows={5} />}
      {list !== null && list.length === 0 && <Empty title="No scenario yet" why="“A customer pays 30 days later”, “an order slips two weeks”, “the dollar falls by 5 %”: each can be laid over the forecast and compared." />}
      {list !== null && list.length > 0 && (
        <ul class="scenario-list">
          {list.map((one) => (
            <Row key={one.id} scenario={one} chosen={chosen.includes(one.id)} full={chosen.length >= scenariosMax} onChoose={(on) => choose(one.id, on)} onEdit={() => setEditing(one)} onRemove={() => setEnding(one)} />
          ))}
        </ul>
      )}
      {chosen.length > 0 && <SideBySide chosen={chosen} onRemove={(id) => choose(id, false)} />}
      {editing !== null && (
        <ScenarioSheet
          scenario={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
          onSaved={(saved) => {
            setEditing(null);
            answer.reload();
            if (!chosen.includes(saved.id) && chosen.length < scenariosMax) choose(saved.id, true);
          }}
        />
      )}
      {ending !== null && <Confirm title={`Remove “${ending.name}”?`} text={<p>Links to it will no longer show it.</p>} yes="Remove it" no="Keep it" onYes={() => remove(ending)} onClose={() => setEnding(null)} />}
    </div>
  );
}

type RowProps = { scenario: Scenario; chosen: boolean; full: boolean; onChoose: (on: boolean) => void; onEdit: () => void; onRemove: () => void };

function Row({ scenario, chosen, full, onChoose, onEdit, onRemove }: RowProps) {
  return (
    <li class="scenario-row">
      <label class="inline-label">
        <input type="checkbox" checked={chosen} disabled={full && !chosen} onChange={(event) => onChoose(event.currentTarget.checked)} aria-label={`Compare ${scenario.name}`} />
        <strong>{scenario.name}</strong>
      </label>
      <span class="quiet scenario-changes">{scenario.changes.map(changeWords).join('; ')}</span>
      <span class="row no-print" hidden={!mayPlan()}>
        <button type="button" class="button small" aria-label={`Change ${scenario.name}`} onClick={onEdit}>
          Change
        </button>
        <button type="button" class="button small danger" aria-label={`Remove ${scenario.name}`} onClick={onRemove}>
          Remove
        </button>
      </span>
    </li>
  );
}

async function copyLink(address: string): Promise<void> {
  const link = location.origin + address;
  try {
    await navigator.clipboard.writeText(link);
    toast({ text: 'The link is copied. Who opens it sees the same comparison.' });
  } catch {
    toast({ text: `The browser does not allow copying here: ${link}`, tone: 'problem' });
  }
}

function SideBySide({ chosen, onRemove }: { chosen: string[]; onRemove: (id: string) => void }) {
  const query = chosen.map((id) => `scenario=${encodeURIComponent(id)}`).join('&');
  const answer = useAnswer(query, (abort) => cash(query, abort));
  const data = useLast(answer.data);
  useLiveMoney(data?.as_of ?? null, answer.reload);
  const state = { ...emptyCash, scenarios: chosen };
  return (
    <>
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={3} />}
      {data !== null && <Compared answer={data} onRemove={onRemove} />}
      <p class="row no-print">
        <a class="button" href={cashAddress(state)}>
          See it as curves
        </a>
        <button type="button" class="button" onClick={() => void copyLink(addressOf(chosen))}>
          <Icon name="link" />
          <span>Copy link</span>
        </button>
      </p>
    </>
  );
}

type SheetProps = { scenario: Scenario | null; onClose: () => void; onSaved: (scenario: Scenario) => void };

function ScenarioSheet({ scenario, onClose, onSaved }: SheetProps) {
  const [name, setName] = useState(scenario?.name ?? '');
  const [typed, setTyped] = useState<TypedChange[]>(scenario === null ? [emptyChange] : scenario.changes.map(typedOf));
  const [problem, setProblem] = useState<Error | null>(null);
  const [wrong, setWrong] = useState('');
  const set = (at: number, part: Partial<TypedChange>): void => setTyped((before) => before.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const submit = (): void => {
    const read = typed.map(changeOf);
    const bad = read.find((one) => typeof one === 'string');
    if (typeof bad === 'string') return setWrong(bad);
    setWrong('');
    setProblem(null);
    const changes = read as ScenarioChange[];
    const title = name.trim() === '' ? changes.map(changeWords).join('; ') : name.trim();
    (scenario === null ? makeScenario(title, changes) : putScenario({ ...scenario, name: title, changes })).then(onSaved, setProblem);
  };
  return (
    <Dialog title={scenario === null ? 'Make a scenario' : `Change “${scenario.name}”`} class="scenario-sheet" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <FormError problem={problem} />
        <Field label="Name" value={name} onText={setName} autocomplete="off" autofocus placeholder="ACME pays 30 days later" note="Left empty, what it assumes is its name." />
        {typed.map((one, at) => (
          <ChangeFields key={at} typed={one} onChange={(part) => set(at, part)} onRemove={typed.length > 1 ? () => setTyped((before) => before.filter((_, index) => index !== at)) : null} />
        ))}
        {wrong !== '' && (
          <p class="form-error" role="alert">
            {wrong}
          </p>
        )}
        <div class="row">
          <button type="button" class="button" onClick={() => setTyped((before) => [...before, emptyChange])}>
            And also…
          </button>
          <span class="spring" />
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            {scenario === null ? 'Make' : 'Save'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function ChangeFields({ typed, onChange, onRemove }: { typed: TypedChange; onChange: (part: Partial<TypedChange>) => void; onRemove: (() => void) | null }) {
  const { kind } = typed;
  const who = kind === 'order_slips' ? 'Order' : kind === 'supplier_later' ? 'Supplier code' : 'Customer code';
  return (
    <fieldset class="scenario-change">
      <legend class="only-read">What is assumed</legend>
      <Choice label="What" value={kind} onText={(text) => onChange({ kind: changeKinds.find((one) => one === text) ?? kind })}>
        {changeKinds.map((one) => (
          <option key={one} value={one}>
            {kindTitles[one]}
          </option>
        ))}
      </Choice>
      {(kind === 'customer_later' || kind === 'order_slips' || kind === 'supplier_later') && <Field label={who} value={typed.who} onText={(text) => onChange({ who: text })} autocomplete="off" required />}
      {kind === 'rate' && (
        <>
          <Field label="From" value={typed.who} onText={(text) => onChange({ who: text })} autocomplete="off" placeholder="USD" required />
          <Field label="To" value={typed.to} onText={(text) => onChange({ to: text })} autocomplete="off" placeholder="EUR" required />
          <Field label="Percent" value={typed.percent} onText={(text) => onChange({ percent: text })} autocomplete="off" required />
        </>
      )}
      {kind !== 'rate' && kind !== 'no_new_orders' && <Field label="Days later" value={typed.days} onText={(text) => onChange({ days: text })} autocomplete="off" required />}
      {onRemove !== null && (
        <button type="button" class="button small" aria-label={`Leave out: ${kindTitles[kind]}`} onClick={onRemove}>
          Leave out
        </button>
      )}
    </fieldset>
  );
}
