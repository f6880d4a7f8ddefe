// Everybody who may sign in, or might.
import { useState } from 'preact/hooks';

import { ApiProblem } from '../../api/client';
import { changeUser, createUser, endSessions, roles as askRoles, setUserPassword, users as askUsers } from '../../api/people';
import type { Role, User } from '../../api/people';
import { now, toast } from '../../parts/app_state';
import { Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { Confirm, Dialog } from '../../parts/dialog';
import { Choice, Field, FormError, PasswordField } from '../../parts/form';
import { formatInstant, formatWhen } from '../../parts/format';
import { me } from '../../parts/me';
import { useAnswer } from '../../parts/use_answer';

const passwordNote = 'At least 10 characters; three words are good.';

type Sheet = { kind: 'new' } | { kind: 'change' | 'password' | 'deactivate'; user: User };

export function UsersPart() {
  const answer = useAnswer('users', askUsers);
  const roles = useAnswer('roles', askRoles);
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const close = (): void => setSheet(null);
  const done = (text: string): void => {
    toast({ text });
    close();
    answer.reload();
  };
  const act = (wish: Promise<unknown>, text: string): void => {
    wish.then(
      () => done(text),
      (error: Error) => toast({ text: error.message, tone: 'problem' }),
    );
  };
  if (answer.problem !== null) return <Problem problem={answer.problem} retry={answer.reload} />;
  if (answer.data === null || roles.data === null) return <Skeleton rows={5} />;
  return (
    <section class="block" aria-labelledby="users-title">
      <div class="block-head">
        <h2 id="users-title">Users</h2>
        <span class="spring" />
        <button type="button" class="button primary" onClick={() => setSheet({ kind: 'new' })}>
          Add a user
        </button>
      </div>
      {me.value?.sign_in_needed === false && (
        <p>
          <Mark tone="fair">Nobody has to sign in now.</Mark> Once there is a user, the server asks for it from its next start on.
        </p>
      )}
      {answer.data.length === 0 ? (
        <Empty title="Nobody yet" why="Make an administrator first; he makes the others." />
      ) : (
        <UserTable users={answer.data} onSheet={setSheet} onEndSessions={(user) => act(endSessions(user.id), `${user.name} is signed out everywhere.`)} onActivate={(user) => act(changeUser(user, { active: true }), `${user.name} may sign in again.`)} />
      )}
      <RoleHelp roles={roles.data} />
      {sheet?.kind === 'new' && <NewUserSheet roles={roles.data} first={answer.data.length === 0} onDone={done} onClose={close} />}
      {sheet?.kind === 'change' && <ChangeSheet user={sheet.user} roles={roles.data} onDone={done} onClose={close} onStale={answer.reload} />}
      {sheet?.kind === 'password' && <PasswordSheet user={sheet.user} onDone={done} onClose={close} />}
      {sheet?.kind === 'deactivate' && (
        <Confirm
          title={`Keep ${sheet.user.name} out?`}
          text={<p>{sheet.user.name} cannot sign in any more, open sessions end and tokens stop working. Nothing of what was done goes away, and you can let {sheet.user.name} in again.</p>}
          yes="Keep out"
          onYes={() => act(changeUser(sheet.user, { active: false }), `${sheet.user.name} cannot sign in any more.`)}
          onClose={close}
        />
      )}
    </section>
  );
}

function stateOf(user: User) {
  if (!user.active) return <Mark tone="idle">inactive</Mark>;
  if (!user.has_password && !user.has_outside_sign_in) return <Mark tone="fair">no password</Mark>;
  return <Mark tone="good">active</Mark>;
}

type TableProps = { users: User[]; onSheet: (sheet: Sheet) => void; onEndSessions: (user: User) => void; onActivate: (user: User) => void };

function UserTable({ users, onSheet, onEndSessions, onActivate }: TableProps) {
  return (
    <div class="table-box" tabIndex={0} role="group" aria-label="Users">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">User</th>
            <th scope="col">Role</th>
            <th scope="col">Sees</th>
            <th scope="col">State</th>
            <th scope="col">Last sign-in</th>
            <th scope="col" class="num">
              Sessions
            </th>
            <th scope="col">
              <span class="only-read">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.id}>
              <th scope="row">
                <span class="admin-name">
                  <strong>{user.display_name === '' ? user.name : user.display_name}</strong>
                  <span class="quiet small-text">{[user.display_name === '' ? '' : user.name, user.email].filter(Boolean).join(' · ')}</span>
                </span>
              </th>
              <td data-title="Role">{user.role}</td>
              <td data-title="Sees">{user.own_orders === '' ? 'all orders' : `orders of ${user.own_orders}`}</td>
              <td>{stateOf(user)}</td>
              <td data-title="Last sign-in" title={formatInstant(user.last_sign_in)}>
                {user.last_sign_in === null ? 'never' : formatWhen(user.last_sign_in, now.value)}
              </td>
              <td class="num" data-title="Sessions">
                {user.sessions}
              </td>
              <td>
                <span class="admin-actions">
                  <button type="button" class="button small" aria-label={`Change ${user.name}`} onClick={() => onSheet({ kind: 'change', user })}>
                    Change
                  </button>
                  <button type="button" class="button small" aria-label={`Password of ${user.name}`} onClick={() => onSheet({ kind: 'password', user })}>
                    Password
                  </button>
                  {user.sessions > 0 && (
                    <button type="button" class="button small" aria-label={`Sign out ${user.name}`} onClick={() => onEndSessions(user)}>
                      Sign out
                    </button>
                  )}
                  {user.active ? (
                    <button type="button" class="button small danger" aria-label={`Deactivate ${user.name}`} onClick={() => onSheet({ kind: 'deactivate', user })}>
                      Deactivate
                    </button>
                  ) : (
                    <button type="button" class="button small" aria-label={`Activate ${user.name}`} onClick={() => onActivate(user)}>
                      Activate
                    </button>
                  )}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RoleHelp({ roles }: { roles: Role[] }) {
  return (
    <details>
      <summary>What the roles may do</summary>
      <dl class="server-facts">
        {roles.map((role) => (
          <>
            <dt key={role.name}>
              <strong>{role.name}</strong>
            </dt>
            <dd>
              {role.help} <span class="quiet small-text">({role.rights.join(', ')})</span>
            </dd>
          </>
        ))}
      </dl>
    </details>
  );
}

// Sends one wish; what went wrong stands in the sheet, which stays open.
function useSheet(onDone: (text: string) => void): { problem: Error | null; busy: boolean; send: (wish: () => Promise<unknown>, text: string) => void } {
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const send = (wish: () => Promise<unknown>, text: string): void => {
    setBusy(true);
    setProblem(null);
    wish().then(
      () => onDone(text),
      (error: Error) => {
        setProblem(error);
        setBusy(false);
      },
    );
  };
  return { problem, busy, send };
}

function SheetButtons({ yes, ready, onClose }: { yes: string; ready: boolean; onClose: () => void }) {
  return (
    <div class="row row-end">
      <button type="button" class="button" onClick={onClose}>
        Cancel
      </button>
      <button type="submit" class="button primary" disabled={!ready}>
        {yes}
      </button>
    </div>
  );
}

type SheetProps = { onDone: (text: string) => void; onClose: () => void };

function NewUserSheet({ roles, first, onDone, onClose }: SheetProps & { roles: Role[]; first: boolean }) {
  const [wish, setWish] = useState({ name: '', display_name: '', email: '', role: first ? 'admin' : 'viewer', own_orders: '', password: '' });
  const { problem, busy, send } = useSheet(onDone);
  const set = (part: Partial<typeof wish>): void => setWish({ ...wish, ...part });
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          send(() => createUser(wish), `${wish.name} may sign in as ${wish.role}.`);
        }}
      >
        <FormError problem={problem} />
        <Field label="Login" value={wish.name} onText={(name) => set({ name })} autocomplete="off" autocapitalize="none" spellcheck={false} autofocus required />
        <Field label="Name (optional)" value={wish.display_name} onText={(display_name) => set({ display_name })} autocomplete="off" />
        <Field label="E-mail (optional)" value={wish.email} onText={(email) => set({ email })} type="email" autocomplete="off" />
        <RoleAndOrders roles={roles} role={wish.role} ownOrders={wish.own_orders} onChange={set} />
        <PasswordField label="First password" value={wish.password} onText={(password) => set({ password })} autocomplete="new-password" note={`${passwordNote} Tell it in person; it can be changed after signing in.`} required />
        <SheetButtons yes="Add" ready={!busy && wish.name.trim() !== '' && wish.password !== ''} onClose={onClose} />
      </form>
    </Dialog>
  );
}

type RoleProps = { roles: Role[]; role: string; ownOrders: string; onChange: (part: { role?: string; own_orders?: string }) => void };

function RoleAndOrders({ roles, role, ownOrders, onChange }: RoleProps) {
  return (
    <>
      <Choice label="Role" value={role} onText={(text) => onChange({ role: text, ...(text === 'admin' ? { own_orders: '' } : {}) })} note={roles.find((one) => one.name === role)?.help ?? ''}>
        {roles.map((one) => (
          <option key={one.name} value={one.name}>
            {one.name}
          </option>
        ))}
      </Choice>
      {role !== 'admin' && (
        <Field label="Only orders of salesperson (optional)" value={ownOrders} onText={(own_orders) => onChange({ own_orders })} autocomplete="off" note="Exactly as the orders write it; empty: all orders." />
      )}
    </>
  );
}

function ChangeSheet({ user, roles, onDone, onClose, onStale }: SheetProps & { user: User; roles: Role[]; onStale: () => void }) {
  const [wish, setWish] = useState({ display_name: user.display_name, email: user.email, role: user.role, own_orders: user.own_orders });
  const { problem, busy, send } = useSheet(onDone);
  const set = (part: Partial<typeof wish>): void => setWish({ ...wish, ...part });
  const stale = problem instanceof ApiProblem && problem.status === 412;
  return (
    <Dialog title={`Change ${user.name}`} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          send(() => changeUser(user, wish), `${user.name} is changed.`);
        }}
      >
        <FormError problem={problem} />
        {stale && (
          <button
            type="button"
            class="button"
            onClick={() => {
              onClose();
              onStale();
            }}
          >
            Look at the newest state
          </button>
        )}
        <Field label="Name" value={wish.display_name} onText={(display_name) => set({ display_name })} autocomplete="off" autofocus />
        <Field label="E-mail" value={wish.email} onText={(email) => set({ email })} type="email" autocomplete="off" />
        <RoleAndOrders roles={roles} role={wish.role} ownOrders={wish.own_orders} onChange={set} />
        <p class="form-note">Another role or limit ends {user.name}'s open sessions.</p>
        <SheetButtons yes="Save" ready={!busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}

function PasswordSheet({ user, onDone, onClose }: SheetProps & { user: User }) {
  const [password, setPassword] = useState('');
  const { problem, busy, send } = useSheet(onDone);
  return (
    <Dialog title={`New password for ${user.name}`} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          send(() => setUserPassword(user.id, password), `${user.name} has a new password; open sessions have ended.`);
        }}
      >
        <FormError problem={problem} />
        <PasswordField label="New password" value={password} onText={setPassword} autocomplete="new-password" autofocus required note={passwordNote} />
        <SheetButtons yes="Set" ready={!busy && password !== ''} onClose={onClose} />
      </form>
    </Dialog>
  );
}
