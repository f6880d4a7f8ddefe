// From a key press to a command. Screens say what a command does while they are shown; the table in shortcuts.ts says
// which key it has. A screen opened later wins.
//
// Single keys can be switched off (WCAG 2.1.4): people who dictate must not start actions by speaking.
import { useEffect, useRef } from 'preact/hooks';

import { shortcuts, type Shortcut } from './shortcuts';
import { readSetting, writeSetting } from './settings';

export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>;

const chordWindow = 1200; // milliseconds between the two keys of "g o"

// "Mod+k" for Ctrl or Command; Shift is already in the character.
export function keyName(press: KeyPress): string {
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.altKey) return `Alt+${key}`;
  return press.ctrlKey || press.metaKey ? `Mod+${key}` : key;
}

export type Resolution = { command: string | null; pending: string };

// One step of the two-key machine. `pending` is the first key of a shortcut that may still become whole.
export function resolveKey(
  table: readonly Shortcut[],
  isActive: (command: string) => boolean,
  pending: string,
  key: string,
): Resolution {
  const active = table.filter((shortcut) => isActive(shortcut.command));
  const chord = pending === '' ? key : `${pending} ${key}`;
  for (const candidate of pending === '' ? [chord] : [chord, key]) {
    const hit = active.find((shortcut) => shortcut.keys.includes(candidate));
    if (hit !== undefined) return { command: hit.command, pending: '' };
    if (active.some((shortcut) => shortcut.keys.some((text) => text.startsWith(`${candidate} `)))) {
      return { command: null, pending: candidate };
    }
  }
  return { command: null, pending: '' };
}

type Handler = () => void;
const handlers = new Map<string, Handler[]>(); // the last one wins

let pending = '';
let pendingSince = 0;

export const singleKeysOn = (): boolean => readSetting('single_keys') !== 'off';
export function setSingleKeys(on: boolean): void {
  writeSetting('single_keys', on ? 'on' : 'off');
}

export function runCommand(command: string): boolean {
  const handler = handlers.get(command)?.at(-1);
  handler?.();
  return handler !== undefined;
}

export const isCommandActive = (command: string): boolean => (handlers.get(command)?.length ?? 0) > 0;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

// Enter and Escape belong to the control that has the focus before they belong to a screen.
function isOwnKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog, [role=menu], [role=listbox]') !== null) return true;
  if (key !== 'Enter') return false;
  return ['A', 'BUTTON', 'SUMMARY'].includes(target.tagName) || target.closest('[role=grid]') !== null;
}

export function listenForKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const key = keyName(event);
    const modified = key.startsWith('Mod+');
    if (isTyping(event.target) && !(modified && key !== 'Mod+z')) return;
    if (!modified && (isOwnKey(event.target, event.key) || (!singleKeysOn() && event.key.length === 1))) return;
    const start = performance.now() - pendingSince < chordWindow ? pending : '';
    const step = resolveKey(shortcuts, isCommandActive, start, key);
    pending = step.pending;
    pendingSince = performance.now();
    if (step.command !== null && runCommand(step.command)) event.preventDefault();
  });
}

// Binds commands while the component is mounted. The handlers may change on every render without rebinding.
export function useCommands(commands: Record<string, Handler>): void {
  const latest = useRef(commands);
  latest.current = commands;
  useEffect(() => {
    const bound = Object.keys(latest.current).map((command) => {
      const handler = (): void => latest.current[command]?.();
      const stack = handlers.get(command) ?? [];
      stack.push(handler);
      handlers.set(command, stack);
      return { command, handler };
    });
    return () => {
      for (const { command, handler } of bound) {
        handlers.set(
          command,
          (handlers.get(command) ?? []).filter((other) => other !== handler),
        );
      }
    };
  }, []);
}
