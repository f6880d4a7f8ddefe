// Starts a job, once or by the clock: a form made of what the kind says its payload holds.
import { useId, useRef, useState } from 'preact/hooks';

import { type JobKind, type PayloadMember, putSchedule, startJob } from '../../api/jobs';
import { heardSources, toast } from '../../parts/app_state';
import { Mark } from '../../parts/basics';
import { Dialog } from '../../parts/dialog';
import { formatInterval } from '../../parts/format';
import { newKey } from './actions';
import { kindTitle, timingText } from './job_words';
import { type Filled, memberTitle, payloadOf, type Plan, planProblem, startValue } from './payload_form';

// `taken`: names of schedules
type Props = { kinds: JobKind[]; taken: string[]; kind: string; onStarted: () => void; onClose: () => void };

export function StartDialog({ kinds, taken, kind, onStarted, onClose }: Props) {
  const [name, setName] = useState(kind || (kinds[0]?.name ?? ''));
  const chosen = kinds.find((one) => one.name === name);
  return (
    <Dialog title="Start a job" class="job-start" onClose={onClose}>
      <label class="job-field">
        <span class="field-label">Kind</span>
        <select autofocus value={name} onChange={(event) => setName(event.currentTarget.value)}>
          {kinds.map((one) => (
            <option key={one.name} value={one.name}>
              {kindTitle(one.name)}
            </option>
          ))}
        </select>
      </label>
      {chosen !== undefined && <WishForm key={name} kind={chosen} taken={taken} onStarted={onStarted} onClose={onClose} />}
    </Dialog>
  );
}

const priorities = [
  { value: 10, title: 'before others' },
  { value: 0, title: 'normal' },
  { value: -10, title: 'after others' },
];

function WishForm({ kind, taken, onStarted, onClose }: { kind: JobKind } & Pick<Props, 'taken' | 'onStarted' | 'onClose'>) {
  const [filled, setFilled] = useState<Filled>({});
  const [priority, setPriority] = useState(0);
  const [plan, setPlan] = useState<Plan | null>(null);
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const sent = useRef({ wish: '', key: '' }); // the same wish keeps its key: sent twice, it is one job
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const made = payloadOf(kind.members, filled);
    if ('wrong' in made) return setWrong(made.wrong);
    const unplanned = plan === null ? '' : planProblem(plan, taken);
    if (unplanned !== '') return setWrong(unplanned);
    const wish = { kind: kind.name, payload: made.payload, priority };
    const text = JSON.stringify(wish);
    if (sent.current.wish !== text) sent.current = { wish: text, key: newKey() };
    setBusy(true);
    try {
      if (plan === null) await startJob(wish, sent.current.key);
      else await putSchedule({ ...wish, name: plan.name.trim(), timing: plan.timing.trim(), enabled: true });
      const said = plan === null ? `${kindTitle(kind.name)} is in the queue.` : `Schedule ${plan.name.trim()} is set.`;
      toast({ text: kind.paused ? `${said} Its kind is paused, so it waits.` : said });
      onStarted();
      onClose();
    } catch (error) {
      setWrong((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <form class="job-form" noValidate onSubmit={(event) => void submit(event)}>
      <p>{kind.summary}</p>
      <p class="quiet small-text">
        {kind.place === 'worker' ? 'Runs in a process of its own' : 'Runs inside the server'}, for at most {formatInterval(kind.time_max_s)}, up to {kind.tries_max} tries.
      </p>
      {kind.paused && (
        <p>
          <Mark tone="fair">Jobs of this kind are paused: it will wait.</Mark>
        </p>
      )}
      <div class="job-fields">
        {kind.members.map((member) => (
          <MemberField key={member.name} member={member} value={filled[member.name] ?? startValue(member)} onChange={(value) => setFilled({ ...filled, [member.name]: value })} />
        ))}
        <label class="job-field">
          <span class="field-label">Priority</span>
          <select value={String(priority)} onChange={(event) => setPriority(Number(event.currentTarget.value))}>
            {priorities.map((one) => (
              <option key={one.value} value={String(one.value)}>
                {one.title}
              </option>
            ))}
          </select>
        </label>
      </div>
      <PlanFields plan={plan} onChange={setPlan} />
      {wrong !== '' && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      <div class="row row-end">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
        <button type="submit" class="button primary" disabled={busy}>
          {plan === null ? 'Start it' : 'Set the schedule'}
        </button>
      </div>
    </form>
  );
}

const emptyPlan: Plan = { name: '', timing: '' };

function PlanFields({ plan, onChange }: { plan: Plan | null; onChange: (plan: Plan | null) => void }) {
  const id = useId();
  return (
    <div class="job-fields">
      <label class="job-field">
        <span class="field-label">When</span>
        <select value={plan === null ? 'once' : 'clock'} onChange={(event) => onChange(event.currentTarget.value === 'clock' ? emptyPlan : null)}>
          <option value="once">once, now</option>
          <option value="clock">by the clock</option>
        </select>
      </label>
      {plan !== null && (
        <>
          <label class="job-field">
            <span class="field-label">Name of the schedule</span>
            <input type="text" autocomplete="off" placeholder="nightly-backup" value={plan.name} onInput={(event) => onChange({ ...plan, name: event.currentTarget.value })} />
          </label>
          <div class="job-field">
            <label class="field-label" for={id}>
              Timing
            </label>
            <input id={id} type="text" autocomplete="off" placeholder="every 15m" aria-describedby={`${id}-help`} value={plan.timing} onInput={(event) => onChange({ ...plan, timing: event.currentTarget.value })} />
            <span class="quiet small-text" id={`${id}-help`}>
              {plan.timing.trim() === '' ? 'every 15m, or a cron line: 30 2 * * 1-5 is 02:30, Monday to Friday' : timingText(plan.timing)}
            </span>
          </div>
        </>
      )}
    </div>
  );
}

type FieldProps = { member: PayloadMember; value: string; onChange: (value: string) => void };

function MemberField({ member, value, onChange }: FieldProps) {
  const id = useId();
  const help = [member.help, member.type === 'number' && member.standard !== '' ? `${member.standard} when left empty` : ''].filter(Boolean).join('; ');
  const title = memberTitle(member.name);
  const described = help === '' ? undefined : `${id}-help`;
  const hint = help !== '' && (
    <span class="quiet small-text" id={described}>
      {help}
    </span>
  );
  if (member.type === 'flag') {
    return (
      <div class="job-field">
        <label class="inline-label">
          <input type="checkbox" aria-describedby={described} checked={value === 'true'} onChange={(event) => onChange(event.currentTarget.checked ? 'true' : '')} />
          {title}
        </label>
        {hint}
      </div>
    );
  }
  const choices = member.type === 'source' ? heardSources.value.map((source) => source.id) : member.choices;
  const chosen = member.type === 'choice' || member.type === 'source';
  return (
    <div class="job-field">
      <label class="field-label" for={id}>
        {title}
      </label>
      {chosen ? (
        <select id={id} aria-describedby={described} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {member.standard === '' && <option value="">{member.required ? 'choose one' : 'not set'}</option>}
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type="text"
          inputMode={member.type === 'number' ? 'decimal' : 'text'}
          autocomplete="off"
          aria-describedby={described}
          placeholder={member.type === 'filters' ? 'late=true&customer=C1' : member.standard}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {hint}
    </div>
  );
}
