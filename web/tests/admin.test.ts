// Rows of the audit trail in words, and which screens are open to whom.
import { beforeEach, describe, expect, it } from 'vitest';

import { maySee, me, seesHistory, seesMoney } from '../src/parts/me';
import { fieldChanges, objectWords } from '../src/screens/admin/audit_words';

const words = (before: unknown, after: unknown): string[] => fieldChanges({ before, after }).map((one) => `${one.field}: ${one.before} -> ${one.after}`);

describe('A row of the audit trail', () => {
  it('tells only what differs when both sides are whole', () => {
    expect(words({ name: 'bert', role: 'floor', own_orders: '' }, { name: 'bert', role: 'planner', own_orders: '' })).toEqual(['role: floor -> planner']);
  });
  it('tells what is new of a thing that was changed in part', () => {
    expect(words({ state: 'live', interval_s: 1800 }, { interval_s: 900 })).toEqual(['interval s: 1800 -> 900']);
  });
  it('tells everything of what came and of what went', () => {
    expect(words(null, { name: 'export', scope: 'read' })).toEqual(['name:  -> export', 'scope:  -> read']);
    expect(words({ name: 'export' }, null)).toEqual(['name: export -> ']);
    expect(words(null, null)).toEqual([]);
  });
  it('names things as people do', () => {
    expect(objectWords('order:500123')).toBe('order 500123');
    expect(objectWords('')).toBe('');
  });
});

describe('Screens', () => {
  const as = (rights: string[], own = ''): void => {
    me.value = { signed_in: true, sign_in_needed: true, setup_needed: false, by: 'session', rights, own_orders: own };
  };
  beforeEach(() => {
    me.value = null;
  });
  const open = (): string[] => ['today', 'orders', 'order', 'differences', 'sources', 'admin'].filter(maySee);

  it('are those of the role', () => {
    as(['see_orders']);
    expect(open()).toEqual(['orders', 'order']);
    expect(seesMoney()).toBe(false);
    as(['see_orders', 'see_money', 'see_changes', 'see_sources']);
    expect(open()).toEqual(['today', 'orders', 'order', 'differences', 'sources']);
    expect(seesHistory()).toBe(true);
    as(['see_orders', 'see_money', 'see_changes', 'see_sources', 'admin']);
    expect(open()).toContain('admin');
  });
  it('about all orders are closed to whoever sees one salesperson’s', () => {
    as(['see_orders', 'see_money', 'see_changes', 'see_sources'], '279');
    expect(open()).toEqual(['today', 'orders', 'order']);
  });
});
