// Amounts by age as bars, the number beside each: a table that is also a picture.
import './charts.css';

import type { Money } from '../../api/types';
import { Amount } from '../basics';

export type AgePart = { name: string; money: Money; href: string };

export function AgeBars({ parts }: { parts: AgePart[] }) {
  const most = Math.max(1, ...parts.map((part) => Math.abs(part.money.minor)));
  const currency = parts[0]?.money.currency ?? '';
  return (
    <table class="age-bars">
      <caption class="only-read">Amounts by age in {currency}</caption>
      <tbody>
        {parts.map((part, at) => (
          <tr key={part.name}>
            <th scope="row">
              <a href={part.href}>{part.name}</a>
            </th>
            <td class="age-bar-cell">
              <svg class={`age-bar age-bar-${Math.min(at, 5)}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <rect width={part.money.minor === 0 ? 0 : Math.max((Math.abs(part.money.minor) / most) * 100, 1)} height="10" />
              </svg>
            </td>
            <td class="num">
              <Amount money={part.money} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
