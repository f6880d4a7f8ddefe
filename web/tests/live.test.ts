import { describe, expect, it, vi } from 'vitest';

import { Live, type LiveState, reconnectDelay } from '../src/api/live';

class FakeSocket {
  sent: Record<string, unknown>[] = [];
  readyState = 1;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

function line() {
  const sockets: FakeSocket[] = [];
  const states: LiveState[] = [];
  const live = new Live({
    address: 'ws://plant/api/v1/live',
    onState: (state) => states.push(state),
    onHello: () => undefined,
    onError: () => undefined,
    random: () => 0,
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
  });
  return { live, sockets, states };
}

const hello = { op: 'hello', as_of: 10, version: '1', company: 'c' };

describe('the live line', () => {
  it('waits longer after each failure, never the same for all, never more than 15 s', () => {
    expect([0, 1, 2, 3].map((attempt) => reconnectDelay(attempt, 0))).toEqual([250, 500, 1000, 2000]);
    expect(reconnectDelay(0, 1)).toBe(500);
    expect(reconnectDelay(50, 1)).toBe(15_000);
  });

  it('asks for what it missed after a gap', () => {
    vi.useFakeTimers();
    const { live, sockets, states } = line();
    const deltas: number[] = [];
    live.start();
    live.subscribe({ topic: 'orders', since: 7, onDelta: (delta) => deltas.push(delta.as_of), onResync: () => undefined });
    sockets[0]?.say(hello);
    expect(sockets[0]?.sent).toEqual([{ op: 'sub', id: 's1', topic: 'orders', since: 7 }]);
    sockets[0]?.say({ op: 'delta', id: 's1', as_of: 12 });
    sockets[0]?.close();
    vi.advanceTimersByTime(250);
    sockets[1]?.say(hello);
    expect(sockets[1]?.sent).toEqual([{ op: 'sub', id: 's1', topic: 'orders', since: 12 }]);
    expect(deltas).toEqual([12]);
    expect(states).toEqual(['connecting', 'live', 'offline', 'offline', 'live']);
    live.stop();
    vi.useRealTimers();
  });

  it('tells the screen to fetch again when the server no longer knows the gap', () => {
    const { live, sockets } = line();
    const onResync = vi.fn();
    live.start();
    live.subscribe({ topic: 'orders', since: 1, onDelta: () => undefined, onResync });
    sockets[0]?.say(hello);
    sockets[0]?.say({ op: 'resync', id: 's1', as_of: 9000 });
    expect(onResync).toHaveBeenCalledOnce();
    live.stop();
  });

  it('a screen that left hears nothing more', () => {
    const { live, sockets } = line();
    const onDelta = vi.fn();
    live.start();
    const leave = live.subscribe({ topic: 'orders', since: 1, onDelta, onResync: () => undefined });
    sockets[0]?.say(hello);
    leave();
    sockets[0]?.say({ op: 'delta', id: 's1', as_of: 2 });
    expect(onDelta).not.toHaveBeenCalled();
    expect(sockets[0]?.sent.at(-1)).toEqual({ op: 'unsub', id: 's1' });
    live.stop();
  });

  it('a stopped line does not come back by itself', () => {
    vi.useFakeTimers();
    const { live, sockets } = line();
    live.start();
    live.stop();
    vi.advanceTimersByTime(60_000);
    live.hurry();
    expect(sockets).toHaveLength(1);
    vi.useRealTimers();
  });
});
