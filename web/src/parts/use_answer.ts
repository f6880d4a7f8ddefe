// One question to the server for a component: the answer, whether a new one is on its way, what went wrong.
//
// The last good answer stays while a new one loads and after a failure: old data with its age is worth more than an
// empty screen.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { connection } from './app_state';

export type Answer<T> = { data: T | null; loading: boolean; problem: Error | null; reload: () => void };

type State<T> = { key: string; data: T | null; loading: boolean; problem: Error | null };

export function useAnswer<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Answer<T> {
  const [state, setState] = useState<State<T>>({
    key,
    data: null,
    loading: true,
    problem: null,
  });
  const latest = useRef(ask);
  latest.current = ask;
  const asking = useRef<{ key: string; abort: AbortController; again: boolean } | null>(null);

  // While a question is on its way, further wishes become one more question after it: a stream of changes must not
  // abort answer after answer.
  const reload = useCallback(() => {
    if (asking.current?.key === key) {
      asking.current.again = true;
      return;
    }
    const mine = { key, abort: new AbortController(), again: false };
    asking.current?.abort.abort();
    asking.current = mine;
    setState((before) => ({ ...before, loading: true }));
    const finish = (next: (before: State<T>) => State<T>): void => {
      if (mine.abort.signal.aborted) return;
      asking.current = null;
      setState(next);
      if (mine.again) reload();
    };
    latest.current(mine.abort.signal).then(
      (data) => finish(() => ({ key, data, loading: false, problem: null })),
      (error: unknown) => finish((before) => ({ ...before, loading: false, problem: error as Error })),
    );
  }, [key]);

  useEffect(() => {
    reload();
    return () => {
      asking.current?.abort.abort();
      asking.current = null;
    };
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
