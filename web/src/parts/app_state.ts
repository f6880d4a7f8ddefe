// What every screen shares: the time, the line to the server, how old the sources are, toasts and undo.
import { computed, signal } from '@preact/signals';

import { observeAnswers } from '../api/client';
import { Live, type LiveState } from '../api/live';
import type { Envelope, Instant, SourcesDelta, SourceStatus } from '../api/types';
import type { HeardSource } from './freshness';
import { maySee } from './me';

// Ticks once a second while the page is visible: ages count on by themselves.
export const now = signal(Date.now());

export const connection = signal<LiveState>('connecting');
export const offlineSince = signal<number | null>(null);
export const lastAnswer = signal<{ asOf: number; time: Instant } | null>(null);
export const company = signal('');
export const serverVersion = signal('');
export const heardSources = signal<HeardSource[]>([]);
export const sourceStates = signal<SourceStatus[]>([]); // as the line said last; empty before it did
export const heldSyncs = computed(() => sourceStates.value.flatMap((source) => source.service?.held ?? []));
export const announcement = signal(''); // polite live region

export function noteEnvelope(envelope: Pick<Envelope, 'as_of' | 'as_of_time' | 'sources'>): void {
  if (lastAnswer.value === null || envelope.as_of >= lastAnswer.value.asOf) {
    lastAnswer.value = { asOf: envelope.as_of, time: envelope.as_of_time };
  }
  const heardAt = Date.now();
  if (envelope.sources.length > 0) heardSources.value = envelope.sources.map((source) => ({ ...source, heardAt }));
}

function noteSources(sources: SourceStatus[]): void {
  const heardAt = Date.now();
  sourceStates.value = sources;
  heardSources.value = sources.map((source) => ({
    id: source.id,
    state: source.state,
    as_of_time: source.as_of_time,
    age_s: source.age_s,
    heardAt,
  }));
}

function noteState(state: LiveState): void {
  connection.value = state;
  if (state === 'live') offlineSince.value = null;
  else if (state === 'offline' && offlineSince.value === null) offlineSince.value = Date.now();
}

export const live = new Live({
  address: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`,
  onState: noteState,
  onHello: (hello) => {
    company.value = hello.company;
    serverVersion.value = hello.version;
  },
  onError: (text) => toast({ text, tone: 'problem' }),
});

export const isOffline = computed(() => connection.value === 'offline');

const announceGap = 5000; // milliseconds: a live region that never stops talking is switched off by its users
let announcedAt = 0;

export function announce(text: string): void {
  const time = Date.now();
  if (time - announcedAt < announceGap) return;
  announcedAt = time;
  announcement.value = text;
}

export function startAppState(): void {
  observeAnswers(noteEnvelope);
  setInterval(() => {
    if (document.visibilityState === 'visible') now.value = Date.now();
  }, 1000);
  live.start();
  if (maySee('sources')) {
    live.subscribe({
      topic: 'sources',
      since: 0,
      onDelta: (delta) => noteSources((delta as unknown as SourcesDelta).sources),
      onResync: () => undefined, // the next state of the sources is whole again
    });
  }
  addEventListener('online', () => live.hurry());
  addEventListener('offline', () => live.drop());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible') return;
    now.value = Date.now();
    live.hurry();
  });
}

// Toasts and undo.

export type Toast = { id: number; text: string; tone: 'plain' | 'problem'; undo?: () => void };

export const toasts = signal<Toast[]>([]);
const toastTime = 10_000; // milliseconds
const toastsMax = 4;
const undoMax = 20;
let toastId = 1;
const undoStack: { text: string; undo: () => void }[] = [];

export function dropToast(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function toast(one: { text: string; tone?: Toast['tone']; undo?: () => void }): void {
  const id = toastId++;
  toasts.value = [...toasts.value, { tone: 'plain' as const, ...one, id }].slice(-toastsMax);
  setTimeout(() => dropToast(id), toastTime);
}

// Says what was done and keeps the way back.
export function done(text: string, undo: () => void): void {
  undoStack.push({ text, undo });
  if (undoStack.length > undoMax) undoStack.shift();
  toast({ text, undo: () => undoLast() });
}

export function undoLast(): void {
  const last = undoStack.pop();
  if (last === undefined) {
    toast({ text: 'Nothing to undo.' });
    return;
  }
  last.undo();
  toast({ text: `Undone: ${last.text}` });
}
