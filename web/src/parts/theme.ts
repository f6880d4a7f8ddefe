// Light, dark or whatever the system says. Colours are tokens in tokens.css; this only picks the set.
import { signal } from '@preact/signals';

import { readSetting, writeSetting } from './settings';

export type Theme = 'auto' | 'light' | 'dark';
export const themes: readonly Theme[] = ['auto', 'light', 'dark'];

export const theme = signal<Theme>('auto');

export function setTheme(next: Theme): void {
  theme.value = next;
  document.documentElement.dataset['theme'] = next;
  writeSetting('theme', next);
}

export function loadTheme(): void {
  const saved = readSetting('theme');
  theme.value = themes.find((one) => one === saved) ?? 'auto';
  document.documentElement.dataset['theme'] = theme.value;
}

export const nextTheme = (now: Theme): Theme => themes[(themes.indexOf(now) + 1) % themes.length] ?? 'auto';
