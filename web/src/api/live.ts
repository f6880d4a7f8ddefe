// One WebSocket for all screens: subscribes by topic, remembers how far each subscription has read, and asks for the
// rest after a gap.
//
// Invariants
//   * A subscription hears deltas in order of `as_of`; after a gap it hears either the missing deltas or `resync`.
//   * Reconnects wait longer each time, with jitter, so that a restarted server is not met by all screens at once.
//   * A silent line is proved alive by asking the server once a while: a laptop that slept holds a dead socket that
//     looks open.
import type { LiveHello } from './types';

export type LiveState = 'connecting' | 'live' | 'offline';

export type LiveDelta = { op: 'delta'; id: string; as_of: number; as_of_time?: string };

export type Subscription = {
  topic: string;
  since: number;
  onDelta: (delta: LiveDelta) => void;
  onResync: () => void;
};

type Message =
  | LiveHello
  | { op: 'subscribed'; id: string; as_of: number }
  | { op: 'resync'; id: string; as_of: number }
  | { op: 'error'; id: string; problem: { detail?: string; title?: string } }
  | LiveDelta;

export type LiveOptions = {
  address: string;
  onState: (state: LiveState) => void;
  onHello: (hello: LiveHello) => void;
  onError: (text: string) => void;
  open?: (address: string) => WebSocket;
  random?: () => number;
};

const delayMin = 500; // milliseconds
const delayMax = 15_000;
const silenceMax = 45_000;
const probeTimeout = 8_000;

// Half fixed, half random: 0.25-0.5 s after the first failure, at most 7.5-15 s.
export function reconnectDelay(attempt: number, random: number): number {
  const full = Math.min(delayMax, delayMin * 2 ** Math.min(attempt, 10));
  return Math.round(full / 2 + (full / 2) * random);
}

export class Live {
  private readonly options: LiveOptions;
  private readonly subscriptions = new Map<string, Subscription>();
  private socket: WebSocket | null = null;
  private ready = false;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private probe: ReturnType<typeof setInterval> | undefined;
  private lastHeard = 0;
  private nextId = 1;
  private stopped = true;

  constructor(options: LiveOptions) {
    this.options = options;
  }

  start(): void {
    this.stopped = false;
    this.connect();
    this.probe = setInterval(() => void this.proveAlive(), silenceMax / 3);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearInterval(this.probe);
    this.socket?.close();
    this.socket = null;
  }

  // The network came back or the page was shown again: no reason to wait.
  hurry(): void {
    if (this.stopped || this.socket !== null) return;
    clearTimeout(this.timer);
    this.attempt = 0;
    this.connect();
  }

  // The browser says the network is gone.
  drop(): void {
    this.lost();
  }

  subscribe(subscription: Subscription): () => void {
    const id = `s${this.nextId++}`;
    this.subscriptions.set(id, subscription);
    if (this.ready) this.send({ op: 'sub', id, topic: subscription.topic, since: subscription.since });
    return () => {
      this.subscriptions.delete(id);
      if (this.ready) this.send({ op: 'unsub', id });
    };
  }

  private send(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }

  private connect(): void {
    this.options.onState(this.attempt === 0 ? 'connecting' : 'offline');
    const socket = (this.options.open ?? ((address) => new WebSocket(address)))(this.options.address);
    this.socket = socket;
    socket.onmessage = (event) => this.heard(JSON.parse(String(event.data)) as Message);
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  private lost(): void {
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    if (socket !== null && socket.readyState < 2) socket.close();
    if (this.stopped) return;
    this.options.onState('offline');
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => this.connect(),
      reconnectDelay(this.attempt++, (this.options.random ?? Math.random)()),
    );
  }

  private heard(message: Message): void {
    this.lastHeard = Date.now();
    switch (message.op) {
      case 'hello':
        this.ready = true;
        this.attempt = 0;
        this.options.onState('live');
        this.options.onHello(message);
        for (const [id, { topic, since }] of this.subscriptions) this.send({ op: 'sub', id, topic, since });
        return;
      case 'subscribed':
        return;
      case 'delta': {
        const subscription = this.subscriptions.get(message.id);
        if (subscription === undefined) return;
        subscription.since = Math.max(subscription.since, message.as_of);
        subscription.onDelta(message);
        return;
      }
      case 'resync': {
        const subscription = this.subscriptions.get(message.id);
        if (subscription === undefined) return;
        subscription.since = Math.max(subscription.since, message.as_of);
        subscription.onResync();
        return;
      }
      case 'error':
        this.options.onError(message.problem.detail ?? message.problem.title ?? 'The live line refused a topic.');
        return;
    }
  }

  private async proveAlive(): Promise<void> {
    const socket = this.socket;
    if (!this.ready || socket === null || Date.now() - this.lastHeard < silenceMax) return;
    try {
      await fetch('/livez', { signal: AbortSignal.timeout(probeTimeout), cache: 'no-store' });
      this.lastHeard = Date.now();
    } catch {
      if (this.socket === socket) this.lost();
    }
  }
}
