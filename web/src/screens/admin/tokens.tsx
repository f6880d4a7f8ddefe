// What machines sign in with.
import { useState } from 'preact/hooks';

import { createToken, revokeToken, tokens as askTokens, users as askUsers } from '../../api/people';
import type { Token } from '../../api/people';
import { now, toast } from '../../parts/app_state';
import { Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { Confirm, Dialog } from '../../parts/dialog';
import { Choice, Field, FormError } from '../../parts/form';
import { formatInstant, formatWhen } from '../../parts/format';
import { useAnswer } from '../../parts/use_answer';

const scopes = { read: 'only reads', write: 'reads and changes', admin: 'also administers' } as const;

export function TokensPart() {
  const answer = useAnswer('tokens', askTokens);
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<Token | null>(null);
  const end = (token: Token): void => {
    revokeToken(token.id).then(
      () => {
        toast({ text: `The token ${token.name} opens nothing any more.` });
        answer.reload();
      },
      (error: Error) => toast({ text: error.message, tone: 'problem' }),
    );
  };
  if (answer.problem !== null) return <Problem problem={answer.problem} retry={answer.reload} />;
  if (answer.data === null) return <Skeleton rows={4} />;
  return (
    <section class="block" aria-labelledby="tokens-title">
      <div class="block-head">
        <h2 id="tokens-title">Tokens</h2>
        <span class="spring" />
        <button type="button" class="button primary" onClick={() => setMaking(true)}>
          Make a token
        </button>
      </div>
      <p class="quiet">A machine sends its token as “Authorization: Bearer …”. It may do what its user may, cut to its scope.</p>
      {answer.data.length === 0 ? <Empty title="No token" why="Exports by script, Excel and BI tools read with one." /> : <TokenTable tokens={answer.data} onEnd={setEnding} />}
      {making && (
        <NewTokenSheet
          onClose={() => {
            setMaking(false);
            answer.reload();
          }}
        />
      )}
      {ending !== null && (
        <Confirm
          title={`End the token ${ending.name}?`}
          text={<p>Whatever uses it is refused from now on, and open connections close.</p>}
          yes="End it"
          onYes={() => end(ending)}
          onClose={() => setEnding(null)}
        />
      )}
    </section>
  );
}

function until(token: Token) {
  if (token.expires === null) return 'no end';
  const over = new Date(token.expires).getTime() <= now.value;
  return over ? <Mark tone="idle">ran out</Mark> : formatWhen(token.expires, now.value);
}

function TokenTable({ tokens, onEnd }: { tokens: Token[]; onEnd: (token: Token) => void }) {
  return (
    <div class="table-box" tabIndex={0} role="group" aria-label="Tokens">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Token</th>
            <th scope="col">Rights of</th>
            <th scope="col">Scope</th>
            <th scope="col">Made</th>
            <th scope="col">Until</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span class="only-read">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.name}</th>
              <td data-title="Rights of">{token.user}</td>
              <td data-title="Scope">{token.scope}</td>
              <td data-title="Made" title={formatInstant(token.created)}>
                {formatWhen(token.created, now.value)} by {token.created_by}
              </td>
              <td data-title="Until">{until(token)}</td>
              <td data-title="Last used">{token.last_used ?? 'never'}</td>
              <td>
                <span class="admin-actions">
                  <button type="button" class="button small danger" aria-label={`End the token ${token.name}`} onClick={() => onEnd(token)}>
                    End
                  </button>
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewTokenSheet({ onClose }: { onClose: () => void }) {
  const users = useAnswer('users', askUsers);
  const [name, setName] = useState('');
  const [user, setUser] = useState('');
  const [scope, setScope] = useState<keyof typeof scopes>('read');
  const [days, setDays] = useState('90');
  const [made, setMade] = useState<Token | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const owner = user === '' ? (users.data?.find((one) => one.active)?.name ?? '') : user;
  const submit = (): void => {
    setProblem(null);
    createToken({ name, scope, user: owner, ...(days === '' ? {} : { expires_days: Number(days) }) }).then(setMade, setProblem);
  };
  if (made !== null)
    return (
      <Dialog title={`Token ${made.name}`} onClose={onClose}>
        <p>Copy it now: it is shown this once.</p>
        <code class="secret" tabIndex={0}>
          {made.secret}
        </code>
        <div class="row row-end">
          <button type="button" class="button" onClick={() => void navigator.clipboard?.writeText(made.secret ?? '').then(() => toast({ text: 'Copied.' }))}>
            Copy
          </button>
          <button type="button" class="button primary" onClick={onClose}>
            Done
          </button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title="Make a token" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <FormError problem={problem} />
        <Field label="Name" value={name} onText={setName} autocomplete="off" autofocus required note="What uses it, such as “nightly export”." />
        <Choice label="Rights of" value={owner} onText={setUser}>
          {(users.data ?? [])
            .filter((one) => one.active)
            .map((one) => (
              <option key={one.id} value={one.name}>
                {one.name} ({one.role})
              </option>
            ))}
        </Choice>
        <Choice label="Scope" value={scope} onText={(text) => setScope(text as keyof typeof scopes)}>
          {Object.entries(scopes).map(([id, text]) => (
            <option key={id} value={id}>
              {id}: {text}
            </option>
          ))}
        </Choice>
        <Field label="Ends after days (empty: never)" value={days} onText={setDays} type="number" min="1" max="3660" />
        <div class="row row-end">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={name.trim() === '' || owner === ''}>
            Make
          </button>
        </div>
      </form>
    </Dialog>
  );
}
