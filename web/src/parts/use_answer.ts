// One question to the server for a component: the answer, whether a new one is on its way, what went wrong.
//
// The last good answer stays while a new one loads and after a failure: old data with its age is worth more than an
// empty screen.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { isAbort } from '../api/client';
import { connection } from './app_state';

export type Answer<T> = { data: T | null; loading: boolean; problem: Error | null; reload: () => void };

export function useAnswer<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Answer<T> {
  const [state, setState] = useState<{ key: string; data: T | null; loading: boolean; problem: Error | null }>({
    key,
    data: null,
    loading: true,
    problem: null,
  });
  const latest = useRef(ask);
  latest.current = ask;
  const controller = useRef<AbortController | null>(null);

  const reload = useCallback(() => {
    controller.current?.abort();
    const mine = new AbortController();
    controller.current = mine;
    setState((before) => ({ ...before, loading: true }));
    latest.current(mine.signal).then(
      (data) => {
        if (!mine.signal.aborted) setState({ key, data, loading: false, problem: null });
      },
      (error: unknown) => {
        if (mine.signal.aborted || isAbort(error)) return;
        setState((before) => ({ ...before, loading: false, problem: error as Error }));
      },
    );
  }, [key]);

  useEffect(() => {
    reload();
    return () => controller.current?.abort();
  }, [reload]);

  // A failed question is asked again as soon as the line is back.
  const failed = state.problem !== null;
  useEffect(
    () =>
      connection.subscribe((value) => {
        if (value === 'live' && failed) reload();
      }),
    [failed, reload],
  );

  const data = state.key === key ? state.data : null;
  return { data, loading: state.loading, problem: state.problem, reload };
}
