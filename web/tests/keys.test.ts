import { describe, expect, it } from 'vitest';

import { keyName, resolveKey } from '../src/parts/keys';
import { activeTogether, doubleBindings, type Shortcut, shortcuts } from '../src/parts/shortcuts';

const press = (key: string, part: Partial<KeyboardEvent> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...part,
});

describe('shortcuts', () => {
  it('no key means two things at the same moment', () => {
    expect(doubleBindings(shortcuts, activeTogether)).toEqual([]);
  });
  it('every scope is checked with the ones it can meet', () => {
    const checked = new Set(activeTogether.flat());
    for (const shortcut of shortcuts) expect(checked.has(shortcut.scope), shortcut.command).toBe(true);
  });
  it('a double binding would be found', () => {
    const table: Shortcut[] = [
      { command: 'a', keys: ['g'], scope: 'global', title: '' },
      { command: 'b', keys: ['g t'], scope: 'orders', title: '' },
      { command: 'c', keys: ['j'], scope: 'orders', title: '' },
      { command: 'd', keys: ['j'], scope: 'sources', title: '' },
    ];
    expect(doubleBindings(table, [['global', 'orders']])).toEqual(['g: a and b']);
    expect(doubleBindings(table, [['orders', 'sources']])).toEqual(['j: c and d']);
  });
  it('commands have one row each', () => {
    expect(new Set(shortcuts.map((shortcut) => shortcut.command)).size).toBe(shortcuts.length);
  });
});

describe('keys', () => {
  const all = (): boolean => true;
  it('Ctrl and Command are the same key', () => {
    expect(keyName(press('k', { ctrlKey: true }))).toBe('Mod+k');
    expect(keyName(press('K', { metaKey: true }))).toBe('Mod+k');
    expect(keyName(press('?'))).toBe('?');
  });
  it('g then o goes to the orders', () => {
    const first = resolveKey(shortcuts, all, '', 'g');
    expect(first).toEqual({ command: null, pending: 'g' });
    expect(resolveKey(shortcuts, all, first.pending, 'o')).toEqual({ command: 'go.orders', pending: '' });
  });
  it('a second key that leads nowhere counts by itself', () => {
    expect(resolveKey(shortcuts, all, 'g', 'k')).toEqual({ command: 'list.previous', pending: '' });
  });
  it('a command nobody listens to has no key', () => {
    expect(resolveKey(shortcuts, (command) => command !== 'list.next', '', 'j')).toEqual({ command: null, pending: '' });
  });
});
