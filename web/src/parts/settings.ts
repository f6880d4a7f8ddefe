// What this browser remembers: theme, column widths, saved views. A browser that refuses storage still works, it only
// forgets.

const prefix = 'millrace.';

export function readSetting(name: string): string | null {
  try {
    return localStorage.getItem(prefix + name);
  } catch {
    return null; // storage is blocked by the user's policy: defaults apply
  }
}

// False when the browser refuses: the caller says so where it matters (saved views).
export function writeSetting(name: string, value: string): boolean {
  try {
    localStorage.setItem(prefix + name, value);
    return true;
  } catch {
    return false;
  }
}

export function readJson<T>(name: string, check: (value: unknown) => value is T, fallback: T): T {
  const text = readSetting(name);
  if (text === null) return fallback;
  try {
    const value: unknown = JSON.parse(text);
    return check(value) ? value : fallback;
  } catch {
    return fallback; // written by another version
  }
}
