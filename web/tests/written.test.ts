import { describe, expect, it } from 'vitest';

import type { OverlayEdit, Written } from '../src/api/types';
import { beneathText, editText, inputKind, writtenTitle } from '../src/screens/order/written_words';

const value = (more: Partial<Written>): Written => ({
  field: 'promised_date', value: '2026-12-01', beneath: '', said: '', author: 'Ann', time: '2026-11-01T08:00:00Z', expires: null, ...more,
});

describe('what people wrote', () => {
  it('has a title and an input of its kind; own columns are one line of text', () => {
    expect(writtenTitle('promised_date')).toBe('Promised date');
    expect(writtenTitle('packing_list')).toBe('Packing list');
    expect(['promised_date', 'priority', 'note', 'packing_list'].map(inputKind)).toEqual(['day', 'priority', 'lines', 'line']);
  });
  it('shows what the sources say beneath, and that they changed their mind since', () => {
    expect(beneathText(value({}))).toBe('The sources promise nothing');
    expect(beneathText(value({ beneath: '2026-11-08', said: '2026-11-08' }))).toMatch(/^The sources say [^;]*$/);
    expect(beneathText(value({ beneath: '2026-11-08', said: '' }))).toMatch(/; nothing when this was written$/);
    expect(beneathText(value({ field: 'note' }))).toBe('');
  });
  it('an edit is told with what stood before and after', () => {
    const edit: OverlayEdit = { edit: 3, version: 2, kind: 'written', author: 'Ann', time: '2026-11-01T08:00:00Z', changes: [{ field: 'note', before: 'one', after: null, expires: null }] };
    expect(editText(edit)).toBe('Note: one → –');
  });
});
