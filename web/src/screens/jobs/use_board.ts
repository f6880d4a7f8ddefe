// The board of a component: looked at once, moved by the live line, looked at again when more than progress changed.
import { useEffect, useRef, useState } from 'preact/hooks';

import type { JobsDelta } from '../../api/jobs';
import { announce, connection, live } from '../../parts/app_state';
import { useAnswer } from '../../parts/use_answer';
import { type Board, type HistoryFilter, lookAtJobs, tellsOfMore, withNews } from './board';
import { endedText } from './job_words';

const newsPause = 5_000; // milliseconds: news that only a closer look explains, as a kind that somebody paused
const lookEvery = 15_000; // schedules move without any news

export type BoardState = { board: Board | null; problem: Error | null; reload: () => void };

export function useBoard(filter: HistoryFilter, pages: number): BoardState {
  const answer = useAnswer(`jobs ${filter.state} ${filter.kind} ${pages}`, (signal) => lookAtJobs(filter, pages, signal));
  const [board, setBoard] = useState<Board | null>(null);
  const shown = useRef<Board | null>(null);
  const looked = useRef(0);
  const { data, reload } = answer;
  useEffect(() => {
    if (data === null) return;
    looked.current = data.heard;
    const said = endedText(shown.current, data);
    if (said !== '') announce(said);
    shown.current = data;
    setBoard(data);
  }, [data]);
  useEffect(
    () =>
      live.subscribe({
        topic: 'jobs',
        since: 0,
        onDelta: (delta) => {
          if (shown.current === null) return;
          const { jobs: news } = delta as unknown as JobsDelta;
          const heard = Date.now();
          if (tellsOfMore(shown.current, news) || heard - looked.current > newsPause) reload();
          shown.current = withNews(shown.current, news, heard);
          setBoard(shown.current);
        },
        onResync: reload,
      }),
    [reload],
  );
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && connection.value === 'live') reload();
    }, lookEvery);
    return () => clearInterval(timer);
  }, [reload]);
  return { board, problem: answer.problem, reload };
}
