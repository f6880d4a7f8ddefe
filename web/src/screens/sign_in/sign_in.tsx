// The door: sign in, or on a new server make the first administrator with the link it printed.
import './sign_in.css';

import { useEffect, useRef, useState } from 'preact/hooks';

import { setUp, signIn } from '../../api/people';
import { Field, FormError, PasswordField } from '../../parts/form';
import { Logo } from '../../parts/icons';
import { me } from '../../parts/me';

const passwordNote = 'At least 10 characters; three words are good.';

export default function Door({ path }: { path: string }) {
  return (
    <main class="door" id="main">
      <div class="door-card">{path === '/setup' ? <SetUp /> : <SignIn />}</div>
    </main>
  );
}

// Everything is loaded anew: nothing of what somebody else saw stays in this page.
function enter(address: string): void {
  location.replace(address);
}

function Head({ title, text }: { title: string; text: string }) {
  useEffect(() => {
    document.title = `${title} · Millrace`;
  }, [title]);
  return (
    <div class="door-head">
      <Logo />
      <div>
        <h1>{title}</h1>
        <p class="quiet">{text}</p>
      </div>
    </div>
  );
}

// One wish at a time, with what went wrong in words.
function useWish(): { busy: boolean; problem: Error | null; run: (wish: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const run = (wish: () => Promise<void>): void => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    wish().catch((error: Error) => {
      setProblem(error);
      setBusy(false);
    });
  };
  return { busy, problem, run };
}

function SignIn() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const { busy, problem, run } = useWish();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (problem !== null) form.current?.querySelector<HTMLInputElement>('input[type=password]')?.select();
  }, [problem]);
  const submit = (): void =>
    run(async () => {
      await signIn(name, password);
      enter(location.pathname === '/sign-in' ? '/' : location.pathname + location.search);
    });
  return (
    <>
      <Head title="Sign in" text="to Millrace" />
      <form
        ref={form}
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <FormError problem={problem} />
        <Field label="Login" value={name} onText={setName} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} autofocus required />
        <PasswordField label="Password" value={password} onText={setPassword} name="password" autocomplete="current-password" required />
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      {me.value?.outside === true && <Outside />}
      {me.value?.setup_needed === true ? (
        <p class="form-note">Nobody has been set up yet. Open the link that the server printed at its start, or make a new one: millrace user setup-link</p>
      ) : (
        <p class="form-note">Forgotten it? An administrator can set another one.</p>
      )}
    </>
  );
}

const outsideWords: Record<string, string> = {
  refused: 'The sign-in of your company did not vouch for you here. Ask an administrator to enter your e-mail address.',
  unavailable: 'The sign-in of your company does not answer. Try again in a moment, or use your password.',
};

// Another place proves who somebody is; the browser goes there and comes back.
function Outside() {
  const search = new URLSearchParams(location.search);
  const wanted = location.pathname === '/sign-in' ? '/' : location.pathname + location.search;
  const said = outsideWords[search.get('outside') ?? ''];
  return (
    <div class="form">
      {said !== undefined && (
        <p class="form-error" role="alert">
          {said}
        </p>
      )}
      <a class="button" href={`/api/v1/sign-in/oidc?return_to=${encodeURIComponent(wanted)}`}>
        Sign in with your company account
      </a>
    </div>
  );
}

class Differs extends Error {}

function SetUp() {
  // Behind the #, which browsers send to nobody; taken out of the address at once.
  const [link] = useState(() => location.hash.slice(1));
  const [name, setName] = useState('');
  const [display, setDisplay] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const { busy, problem, run } = useWish();
  useEffect(() => {
    if (location.hash !== '') history.replaceState(null, '', location.pathname);
  }, []);
  const differs = problem instanceof Differs || (again !== '' && !password.startsWith(again));
  if (link === '')
    return (
      <>
        <Head title="First start" text="The link is not whole" />
        <p>Open the whole link that the server printed; it ends with #setup_… Or make a new one on the server:</p>
        <p class="path">millrace user setup-link</p>
        <a class="button" href="/">
          Go to the start page
        </a>
      </>
    );
  return (
    <>
      <Head title="First start" text="Make the administrator of this server" />
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            if (again !== password) throw new Differs();
            await setUp({ link, name, display_name: display, password });
            enter('/');
          });
        }}
      >
        <FormError problem={problem instanceof Differs ? null : problem} />
        <Field label="Login" value={name} onText={setName} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} autofocus required note="Letters, digits and . _ - @" />
        <Field label="Name (optional)" value={display} onText={setDisplay} name="name" autocomplete="name" />
        <PasswordField label="Password" value={password} onText={setPassword} name="new-password" autocomplete="new-password" required note={passwordNote} />
        <PasswordField label="Password again" value={again} onText={setAgain} name="new-password-again" autocomplete="new-password" required />
        <span class="form-warning" role="status">
          {differs ? '▲ The two passwords differ' : ''}
        </span>
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? 'Setting up…' : 'Make the administrator and sign in'}
        </button>
      </form>
    </>
  );
}
