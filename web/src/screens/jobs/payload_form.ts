// From what a person filled in to the payload of a job. The server checks it again and has the last word.
import type { PayloadMember } from '../../api/jobs';

export type Filled = Record<string, string>; // by member; a flag is "true" or ""

export const startValue = (member: PayloadMember): string => (member.type === 'choice' ? member.standard : '');

// "?late=true&customer=C1", also as a whole address -> {"late": "true", "customer": "C1"}
export function filtersOf(text: string): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text.slice(text.indexOf('?') + 1))) {
    const before = found[name];
    found[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return found;
}

export const memberTitle = (name: string): string => {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

// The payload, or a sentence about the member that is wrong.
export function payloadOf(members: PayloadMember[], filled: Filled): { payload: Record<string, unknown> } | { wrong: string } {
  const payload: Record<string, unknown> = {};
  for (const member of members) {
    const text = (filled[member.name] ?? startValue(member)).trim();
    const title = memberTitle(member.name);
    if (text === '') {
      if (member.required) return { wrong: `${title} is missing: ${member.help || 'say which'}.` };
      continue;
    }
    if (member.type === 'number') {
      const number = Number(text.replace(',', '.'));
      if (!Number.isFinite(number)) return { wrong: `${title} is a number, not “${text}”.` };
      payload[member.name] = number;
    } else if (member.type === 'flag') {
      payload[member.name] = true;
    } else if (member.type === 'filters') {
      if (!text.includes('=')) return { wrong: `${title} is written as in the address of the order list, for example late=true.` };
      payload[member.name] = filtersOf(text);
    } else {
      payload[member.name] = text;
    }
  }
  return { payload };
}

export type Plan = { name: string; timing: string };

// Why a schedule cannot be made like this, "" it may. A name that is taken would replace that schedule.
export function planProblem(plan: Plan, taken: string[]): string {
  const name = plan.name.trim();
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(name)) return 'The name of a schedule has 1 to 60 letters, digits, - and _.';
  if (taken.includes(name)) return `There is a schedule ${name} already. Choose another name, or remove that one first.`;
  return plan.timing.trim() === '' ? 'Timing is missing: say every 15m, or write a cron line.' : '';
}
