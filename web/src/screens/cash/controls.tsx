// What is asked: how many weeks, how sure, in which currency, which layers, compared with which scenarios.
import { type Cash, type CashView, keepForecast, layers, scenarios as askScenarios } from '../../api/cash';
import { toast } from '../../parts/app_state';
import { formatMoneyShort } from '../../parts/format';
import { mayPlan } from '../../parts/me';
import { navigate } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { cashAddress, type CashState, scenariosMax, views, weekChoices } from './address';
import { layerHelp, layerTitle, viewTitles } from './cash_words';

type Props = { answer: Cash | null; state: CashState };

const go = (next: CashState): void => navigate(cashAddress(next));

export function currenciesOf(answer: Cash | null, asked: string): string[] {
  const known = answer === null ? [] : [answer.currency, ...answer.accounts.map((one) => one.balance.currency), ...answer.rates.flatMap((rate) => [rate.from, rate.to]), ...answer.without_rate.map((money) => money.currency)];
  return [...new Set([...known, ...(asked === '' ? [] : [asked])])].sort();
}

export function Controls({ answer, state, onKept }: Props & { onKept: () => void }) {
  const currencies = currenciesOf(answer, state.currency);
  const weeks = [...new Set([...weekChoices, state.weeks])].sort((a, b) => a - b);
  const keep = (): void => {
    keepForecast().then(
      () => {
        toast({ text: 'This forecast is kept: later ones are compared with it.' });
        onKept();
      },
      (error: Error) => toast({ text: error.message, tone: 'problem' }),
    );
  };
  return (
    <div class="cash-controls no-print" role="group" aria-label="What is shown">
      <label class="inline-label">
        <span>Weeks</span>
        <select value={state.weeks} onChange={(event) => go({ ...state, weeks: Number(event.currentTarget.value), expanded: [] })}>
          {weeks.map((count) => (
            <option key={count} value={count}>
              {count} weeks
            </option>
          ))}
        </select>
      </label>
      <div class="segmented" role="radiogroup" aria-label="View">
        {views.map((view: CashView) => (
          <label key={view}>
            <input type="radio" name="view" checked={state.view === view} onChange={() => go({ ...state, view })} />
            <span>{viewTitles[view]}</span>
          </label>
        ))}
      </div>
      <label class="inline-label">
        <span>Currency</span>
        <select value={state.currency === '' ? (answer?.currency ?? '') : state.currency} onChange={(event) => go({ ...state, currency: event.currentTarget.value })}>
          {currencies.map((currency) => (
            <option key={currency} value={currency}>
              {currency}
            </option>
          ))}
        </select>
      </label>
      <ScenarioChoice state={state} />
      <span class="spring" />
      {mayPlan() && (
        <button type="button" class="button" onClick={keep}>
          Keep this forecast
        </button>
      )}
    </div>
  );
}

function ScenarioChoice({ state }: { state: CashState }) {
  const known = useAnswer('scenarios', askScenarios);
  const left = (known.data ?? []).filter((one) => !state.scenarios.includes(one.id));
  const full = state.scenarios.length >= scenariosMax;
  return (
    <label class="inline-label">
      <span>Compare with</span>
      <select
        value=""
        disabled={full}
        onChange={(event) => {
          const id = event.currentTarget.value;
          if (id === 'make') navigate('/scenarios');
          else if (id !== '') go({ ...state, scenarios: [...state.scenarios, id] });
          event.currentTarget.value = '';
        }}
      >
        <option value="">{full ? `${scenariosMax} at most` : 'a scenario…'}</option>
        {left.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
        <option value="make">{mayPlan() ? 'Make or change scenarios…' : 'See all scenarios…'}</option>
      </select>
    </label>
  );
}

export function LayerSwitches({ answer, state }: { answer: Cash; state: CashState }) {
  const on = (name: string): boolean => state.layers === null || state.layers.some((one) => one === name);
  const turn = (name: (typeof layers)[number]): void => {
    const next = layers.filter((one) => (one === name ? !on(one) : on(one)));
    go({ ...state, layers: next.length === layers.length ? null : next });
  };
  return (
    <fieldset class="layer-switches">
      <legend>Layers, the surest first</legend>
      {layers.map((name) => {
        const layer = answer.layers.find((one) => one.name === name);
        const sums = layer === undefined ? [] : [layer.receipts.minor === 0 ? '' : `in ${formatMoneyShort(layer.receipts)}`, layer.payments.minor === 0 ? '' : `out ${formatMoneyShort({ ...layer.payments, minor: -layer.payments.minor })}`].filter(Boolean);
        return (
          <label key={name} class="layer-switch" title={layerHelp[name]}>
            <input type="checkbox" role="switch" checked={on(name)} onChange={() => turn(name)} />
            <span>
              {layerTitle(name)} <span class="quiet num">{on(name) ? sums.join(', ') : 'left out'}</span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
