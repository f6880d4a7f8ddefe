// Open amount by how late it is: one small bar chart per currency, with the numbers beside it as a table.
import type { CurrencySum, Today } from '../../api/types';
import { Amount } from '../../parts/basics';

const words: Record<string, string> = {
  not_due: 'not due yet',
  '1-7': '1–7 days late',
  '8-30': '8–30 days late',
  '31-60': '31–60 days late',
  '61+': 'more than 60 days',
  no_date: 'no usable date',
};

const addresses: Record<string, string> = {
  not_due: 'lateness_days=lte.0',
  '1-7': 'lateness_days=gte.1&lateness_days=lte.7',
  '8-30': 'lateness_days=gte.8&lateness_days=lte.30',
  '31-60': 'lateness_days=gte.31&lateness_days=lte.60',
  '61+': 'lateness_days=gte.61',
  no_date: 'due=none',
};

const sumOf = (sums: CurrencySum[], currency: string): CurrencySum | undefined =>
  sums.find((sum) => sum.currency === currency);

export function Ages({ ages }: { ages: Today['ages'] }) {
  const currencies = [...new Set(ages.flatMap((age) => age.sums.map((sum) => sum.currency)))].sort();
  return (
    <section class="block">
      <h2>Open amount by age</h2>
      {currencies.length === 0 && <p class="quiet">Nothing is open.</p>}
      {currencies.map((currency) => {
        const most = Math.max(1, ...ages.map((age) => sumOf(age.sums, currency)?.open_amount.minor ?? 0));
        return (
          <table class="ages" key={currency}>
            <caption class="only-read">Open amount by age in {currency}</caption>
            <tbody>
              {ages.map((age) => {
                const sum = sumOf(age.sums, currency);
                if (sum === undefined) return null; // nothing of this age: a row of dashes says no more
                const share = sum.open_amount.minor / most;
                return (
                  <tr key={age.name}>
                    <th scope="row">
                      <a href={`/orders?currency=${currency}&open_amount=gt.0&${addresses[age.name] ?? ''}`}>{words[age.name] ?? age.name}</a>
                    </th>
                    <td class="bar-cell">
                      <svg class={`bar bar-${age.name.replace('+', '')}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                        <rect width={Math.max(share * 100, share > 0 ? 1 : 0)} height="10" rx="1" />
                      </svg>
                    </td>
                    <td class="num">
                      <Amount money={sum.open_amount} />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        );
      })}
    </section>
  );
}
