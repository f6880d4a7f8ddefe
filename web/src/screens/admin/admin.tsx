// Admin: who may enter, what machines may do, what was done by whom, how the server is set up and whether its backup holds.
import './admin.css';

import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

import { route } from '../../parts/router';
import { AuditPart } from './audit';
import { ServerPart } from './server';
import { TokensPart } from './tokens';
import { UsersPart } from './users';

const parts: readonly { id: string; title: string; Shown: ComponentType }[] = [
  { id: 'users', title: 'Users', Shown: UsersPart },
  { id: 'tokens', title: 'Tokens', Shown: TokensPart },
  { id: 'audit', title: 'Audit trail', Shown: AuditPart },
  { id: 'server', title: 'Server', Shown: ServerPart },
];

export default function AdminScreen() {
  const wanted = new URLSearchParams(route.value.search).get('part') ?? 'users';
  const part = parts.find((one) => one.id === wanted) ?? parts[0];
  useEffect(() => {
    document.title = `${part?.title ?? 'Admin'} · Admin · Millrace`;
  }, [part]);
  if (part === undefined) return null;
  return (
    <div class="page admin">
      <header class="page-head">
        <h1>Admin</h1>
      </header>
      <nav class="admin-parts" aria-label="Parts of Admin">
        {parts.map((one) => (
          <a key={one.id} href={`/admin?part=${one.id}`} aria-current={one === part ? 'page' : undefined}>
            {one.title}
          </a>
        ))}
      </nav>
      <part.Shown />
    </div>
  );
}
