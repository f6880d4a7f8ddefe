// How one customer pays: in a sentence, as a picture over time, as a distribution, invoice by invoice.
import { useEffect } from 'preact/hooks';

import { type Paid, type PaymentProfile, paymentProfile } from '../../api/cash';
import { Empty, Mark, Problem, Skeleton } from '../../parts/basics';
import { bins } from '../../parts/charts/chart_math';
import { BinsChart } from '../../parts/charts/bins_chart';
import { Lazy } from '../../parts/charts/lazy';
import { PointsChart } from '../../parts/charts/points_chart';
import { useTables } from '../../parts/charts/use_table';
import { type RowColumn, VirtualRows } from '../../parts/charts/virtual_rows';
import { counted, formatDay, formatDayShort, formatMoney, formatPercent } from '../../parts/format';
import { Icon } from '../../parts/icons';
import { MoneyTabs } from '../../parts/money_tabs';
import { navigate } from '../../parts/router';
import { useAnswer } from '../../parts/use_answer';
import { useLast } from '../../parts/use_last';
import { useLiveMoney } from '../../parts/use_live_money';
import { binTitle, daysLate, exposureWords, trendWords } from './payment_words';

type Settled = Paid & { days_late: number };
const isPaid = (one: Paid): one is Settled => one.paid !== null && one.days_late !== null;

export default function PaymentsScreen({ number: code }: { number: string }) {
  const answer = useAnswer(code, (abort) => paymentProfile(code, abort));
  const last = useLast(answer.data);
  const data = last?.party === code || answer.data !== null ? last : null;
  useLiveMoney(data?.as_of ?? null, answer.reload);
  useEffect(() => {
    document.title = `${data?.party_name || code} pays · Millrace`;
  }, [code, data?.party_name]);
  return (
    <div class="page money-page payments">
      <header class="page-head">
        <div>
          <h1>{data?.party_name || code}</h1>
          <p class="quiet">
            How {code} pays · <a href={`/orders?customer=${encodeURIComponent(code)}`}>their orders</a>
          </p>
        </div>
        <span class="spring" />
        <button type="button" class="button no-print" onClick={() => print()}>
          <Icon name="print" />
          <span>Print</span>
        </button>
      </header>
      <MoneyTabs screen="payments" />
      {answer.problem !== null && <Problem problem={answer.problem} retry={answer.reload} />}
      {data === null && answer.problem === null && <Skeleton rows={8} />}
      {data !== null && <Profile profile={data} />}
    </div>
  );
}

function Profile({ profile }: { profile: PaymentProfile }) {
  const tables = useTables();
  const paid = profile.history.filter(isPaid);
  const oldestFirst = [...paid].sort((a, b) => (a.posted ?? '').localeCompare(b.posted ?? ''));
  const open = (at: number, list: Paid[]): void => {
    const one = list[at];
    if (one !== undefined) navigate(`/finance?kind=invoice&doc=${encodeURIComponent(one.number)}`);
  };
  return (
    <>
      <p class="money-sentence">
        <strong>{profile.sentence}</strong>
      </p>
      <Facts profile={profile} />
      {paid.length === 0 ? (
        <Empty title="No invoice of this customer is paid yet" why="Until then what all customers do stands in for it; the sentence above says so." />
      ) : (
        <div class="money-columns">
          <div class="panel">
            <PointsChart
              title="Over time"
              sentence={trendWords(profile.trend_days_per_month)}
              unit="d"
              points={oldestFirst.map((one) => ({ label: one.posted === null ? '' : formatDayShort(one.posted), value: one.days_late, odd: one.outlier, said: `Invoice ${one.number} of ${formatDay(one.posted)}: ${daysLate(one.days_late)}${one.outlier ? ', one-off, not counted as usual' : ''}` }))}
              band={profile.p10 === null || profile.p50 === null || profile.p90 === null ? null : { low: profile.p10, middle: profile.p50, high: profile.p90 }}
              table={{ columns: ['Invoice', 'Posted', 'Paid', 'Days late'], rows: oldestFirst.map((one) => [one.number, formatDay(one.posted), formatDay(one.paid), String(one.days_late)]) }}
              onOpen={(at) => open(at, oldestFirst)}
              {...tables}
            />
          </div>
          <div class="panel">
            <Lazy height={280}>{() => <Distribution paid={paid} profile={profile} {...tables} />}</Lazy>
          </div>
        </div>
      )}
      <History profile={profile} />
    </>
  );
}

function Facts({ profile }: { profile: PaymentProfile }) {
  const exposure = exposureWords(profile.exposure, profile.credit_limit);
  return (
    <div class="money-cards">
      <section class="money-card">
        <h2>Usual delay</h2>
        <span class="big num">{profile.p50 === null ? 'not known' : daysLate(profile.p50)}</span>
        <span class="quiet">{profile.p10 === null || profile.p90 === null ? '' : `8 of 10 between ${profile.p10} and ${profile.p90} days`}</span>
      </section>
      <section class="money-card">
        <h2>Paid late</h2>
        <span class="big num">{profile.late_share === null ? 'not known' : formatPercent(profile.late_share)}</span>
        <span class="quiet">of {counted(profile.invoices, 'invoice')}</span>
      </section>
      <section class="money-card">
        <h2>Open</h2>
        <span class="big num">{counted(profile.open.count, 'invoice')}</span>
        <span class="quiet">{profile.open.amounts.map(formatMoney).join(' · ')}</span>
      </section>
      <section class="money-card">
        <h2>Credit limit</h2>
        <span class="big num">{profile.credit_limit === null ? 'none set' : formatMoney(profile.credit_limit)}</span>
        {exposure !== null && <Mark tone={exposure.tone}>{exposure.text}</Mark>}
      </section>
    </div>
  );
}

type DistributionProps = { paid: Settled[]; profile: PaymentProfile; asTable: boolean; onTable: (asTable: boolean) => void };

function Distribution({ paid, profile, ...tables }: DistributionProps) {
  const usual = paid.filter((one) => !one.outlier);
  const odd = paid.length - usual.length;
  const found = bins(
    usual.map((one) => one.days_late),
    12,
  );
  const late = paid.filter((one) => one.days_late > 0).length;
  return (
    <BinsChart
      title="How late"
      sentence={`${formatPercent(late / Math.max(1, paid.length))} of ${counted(paid.length, 'paid invoice')} came after the due day${profile.p50 === null ? '' : `; half of them by ${daysLate(profile.p50)}`}.${odd === 0 ? '' : ` ${counted(odd, 'one-off')} not drawn.`}`}
      bins={found}
      title_of={binTitle}
      {...tables}
    />
  );
}

const columns: readonly RowColumn<Paid>[] = [
  { title: 'Invoice', width: 'minmax(60px,1fr)', cell: (one) => <a href={`/finance?kind=invoice&doc=${encodeURIComponent(one.number)}`}>{one.number}</a> },
  { title: 'Posted', width: '100px', cell: (one) => formatDay(one.posted), narrow: false },
  { title: 'Due', width: '100px', cell: (one) => formatDay(one.due), narrow: false },
  { title: 'Paid', width: '100px', cell: (one) => (one.paid === null ? 'open' : formatDay(one.paid)), narrow: false },
  { title: 'Late', width: 'minmax(84px,1fr)', cell: (one) => (one.days_late === null ? '–' : one.outlier ? <Mark tone="fair">{daysLate(one.days_late)}, one-off</Mark> : <span>{daysLate(one.days_late)}</span>) },
  { title: 'Amount', width: 'minmax(96px,1fr)', numeric: true, cell: (one) => formatMoney(one.amount) },
];

function History({ profile }: { profile: PaymentProfile }) {
  const rows = [...profile.history].sort((a, b) => (b.posted ?? '').localeCompare(a.posted ?? ''));
  const odd = rows.filter((one) => one.outlier).length;
  return (
    <section class="block" aria-labelledby="history-title">
      <h2 id="history-title">
        Invoice by invoice <span class="quiet">{odd === 0 ? 'none of them a one-off' : `${counted(odd, 'one-off')} that the usual delay does not follow`}</span>
      </h2>
      {rows.length === 0 ? <p class="quiet">No invoice yet.</p> : <VirtualRows label="Invoices" rows={rows} total={rows.length} columns={columns} rowHeight={38} height={420} keyOf={(one) => one.number} />}
    </section>
  );
}
