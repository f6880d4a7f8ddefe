// Who did what to which thing, with before and after, newest first.
import { useEffect, useState } from 'preact/hooks';

import { audit as askAudit } from '../../api/people';
import type { AuditRow } from '../../api/people';
import { now } from '../../parts/app_state';
import { Empty, Problem, Skeleton } from '../../parts/basics';
import { Field } from '../../parts/form';
import { formatCount, formatInstant, formatWhen } from '../../parts/format';
import { fieldChanges, objectWords } from './audit_words';

const pageSize = 50;
const typingPause = 250; // milliseconds

type Filter = { who: string; object: string; verb: string };

function queryOf(filter: Filter, cursor: string): string {
  const query = new URLSearchParams({ limit: String(pageSize) });
  for (const [name, value] of Object.entries(filter)) if (value.trim() !== '') query.set(name, value.trim());
  if (cursor !== '') query.set('cursor', cursor);
  return query.toString();
}

type State = { rows: AuditRow[]; next: string | null; count: number };

// Pages that grow: each asks for what is older than the last row shown.
function useTrail(filter: Filter): { state: State | null; problem: Error | null; more: () => void; reload: () => void } {
  const [state, setState] = useState<State | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      askAudit(queryOf(filter, ''), abort.signal).then(
        (page) => {
          setProblem(null);
          setState({ rows: page.data, next: page.next_cursor, count: page.count });
        },
        (error: Error) => {
          if (!abort.signal.aborted) setProblem(error);
        },
      );
    }, state === null ? 0 : typingPause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [filter.who, filter.object, filter.verb, round]);
  const more = (): void => {
    if (state?.next == null) return;
    askAudit(queryOf(filter, state.next)).then((page) => setState({ rows: [...state.rows, ...page.data], next: page.next_cursor, count: page.count }), setProblem);
  };
  return { state, problem, more, reload: () => setRound(round + 1) };
}

export function AuditPart() {
  const [filter, setFilter] = useState<Filter>({ who: '', object: '', verb: '' });
  const { state, problem, more, reload } = useTrail(filter);
  const set = (part: Partial<Filter>): void => setFilter({ ...filter, ...part });
  return (
    <section class="block" aria-labelledby="audit-title">
      <div class="block-head">
        <h2 id="audit-title">
          Audit trail {state !== null && <span class="quiet">{formatCount(state.count)} rows</span>}
        </h2>
        <span class="spring" />
        <button type="button" class="button" onClick={reload}>
          Look again
        </button>
      </div>
      <div class="audit-filter">
        <Field label="Who" value={filter.who} onText={(who) => set({ who })} autocomplete="off" autocapitalize="none" placeholder="login" />
        <Field label="What" value={filter.object} onText={(object) => set({ object })} autocomplete="off" autocapitalize="none" placeholder="order:4711, user:" />
        <Field label="Deed" value={filter.verb} onText={(verb) => set({ verb })} autocomplete="off" autocapitalize="none" placeholder="user.change, source." />
      </div>
      {problem !== null && <Problem problem={problem} retry={reload} />}
      {state === null && problem === null && <Skeleton rows={8} />}
      {state !== null && state.rows.length === 0 && <Empty title="No row" why="Nothing of this kind was done, or it is older than what one question looks through." />}
      {state !== null && state.rows.length > 0 && <Trail rows={state.rows} />}
      {state?.next != null && (
        <button type="button" class="button" onClick={more}>
          Show older rows
        </button>
      )}
    </section>
  );
}

function Trail({ rows }: { rows: AuditRow[] }) {
  return (
    <div class="table-box" tabIndex={0} role="group" aria-label="Audit trail">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Deed</th>
            <th scope="col">To what</th>
            <th scope="col">Before → after</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.number}>
              <td title={`${formatInstant(row.at)}, row ${row.number}`}>{formatWhen(row.at, now.value)}</td>
              <td>
                <span class="admin-name">
                  <strong>{row.who}</strong>
                  <span class="quiet small-text">{[row.via, row.address].filter(Boolean).join(' · ')}</span>
                </span>
              </td>
              <td>{row.verb}</td>
              <td>{objectWords(row.object)}</td>
              <td>
                <span class="audit-changes">
                  {fieldChanges(row).map((one) => (
                    <span key={one.field}>
                      {one.field}: {one.before !== '' && <del>{one.before}</del>}
                      {one.before !== '' && one.after !== '' && ' → '}
                      {one.after !== '' && <ins>{one.after}</ins>}
                      {one.after === '' && one.before !== '' && ' → –'}
                    </span>
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
