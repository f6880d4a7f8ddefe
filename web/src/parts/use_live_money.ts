// Asks again whenever the server says that figures of money may have changed.
import { useEffect } from 'preact/hooks';

import { live } from './app_state';

export function useLiveMoney(since: number | null, reload: () => void): void {
  useEffect(() => {
    if (since === null) return;
    return live.subscribe({ topic: 'cash', since, onDelta: reload, onResync: reload });
  }, [since === null, reload]);
}
