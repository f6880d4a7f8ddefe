// Who is signed in, and the way out.
import { useState } from 'preact/hooks';

import { changePassword, rememberCsrf, signOut } from '../api/people';
import { toast } from './app_state';
import { Mark } from './basics';
import { Dialog } from './dialog';
import { FormError, PasswordField } from './form';
import { me } from './me';
import { Menu } from './menu';

export function UserMenu() {
  const [open, setOpen] = useState(false);
  const [changing, setChanging] = useState(false);
  const who = me.value;
  // Nobody signs in here, so nobody can sign out; that everybody may do everything stands on every screen.
  if (who?.by === 'local')
    return (
      <a class="freshness desktop-only" href="/admin" title="Nobody has to sign in: whoever reaches this server may do everything">
        <Mark tone="idle">no sign-in</Mark>
      </a>
    );
  if (who?.by !== 'session') return null;
  const leave = (): void => {
    signOut().then(
      () => location.replace('/sign-in'),
      (error: Error) => toast({ text: error.message, tone: 'problem' }),
    );
  };
  return (
    <>
      <Menu label={`Signed in as ${who.display_name}`} icon="user" open={open} onOpen={setOpen} align="end" compact class="user-menu">
        <p class="user-menu-name">
          <strong>{who.display_name}</strong>
          <span class="quiet">
            {who.name} · {who.role}
            {who.own_orders !== '' && ` · orders of ${who.own_orders}`}
          </span>
        </p>
        <button
          type="button"
          class="button quiet-button"
          onClick={() => {
            setOpen(false);
            setChanging(true);
          }}
        >
          Change password
        </button>
        <button type="button" class="button" onClick={leave}>
          Sign out
        </button>
      </Menu>
      {changing && <ChangePassword onClose={() => setChanging(false)} />}
    </>
  );
}

function ChangePassword({ onClose }: { onClose: () => void }) {
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await changePassword(old, fresh);
      rememberCsrf(answer.csrf ?? '');
      toast({ text: 'Your password is changed. You are signed out everywhere else.' });
      onClose();
    } catch (error) {
      setProblem(error as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Change password" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (old !== '' && fresh !== '') void submit();
        }}
      >
        <FormError problem={problem} />
        <input type="text" name="username" autocomplete="username" value={me.value?.name ?? ''} hidden readOnly />
        <PasswordField label="Password so far" value={old} onText={setOld} autocomplete="current-password" autofocus required />
        <PasswordField label="New password" value={fresh} onText={setFresh} autocomplete="new-password" required note="At least 10 characters; three words are good." />
        <div class="row row-end">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy || old === '' || fresh === ''}>
            Change
          </button>
        </div>
      </form>
    </Dialog>
  );
}
