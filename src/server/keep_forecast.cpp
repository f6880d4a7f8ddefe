#include "server/keep_forecast.h"

#include "query/cash_forecasts.h"

namespace millrace::server {

Result<ingest::ForecastHead> keep_forecast(const readmodel::SnapshotPtr& snapshot, query::CashKeeper& keeper, ingest::CashDoor& desk, Instant now,
                                           const std::string& by) {
  const Day today = utc_day(now);
  query::CashQuestion question;
  question.currency = query::company_currency(*snapshot, snapshot->finance());
  const auto board = keeper.board(snapshot, today, question.currency);
  if (!board) return pass_on(board);
  const planning::PlanAnswer plan = query::cash_plan(**board, question);
  const auto band = keeper.band(**board, question);
  if (!band) return pass_on(band);
  const planning::KeptForecast kept = query::kept_forecast(**board, question.weeks);
  ingest::ForecastHead head;
  head.made = now;
  head.by = by;
  head.as_of = snapshot->as_of();
  head.currency = question.currency;
  head.first_day = kept.first_day;
  head.opening = (*board)->opening;
  head.closing = plan.days.back().closing;
  head.lowest_day = plan.days.at(plan.lowest).day;
  head.lowest = plan.days.at(plan.lowest).closing;
  for (const planning::PlanWeek& week : plan.weeks) {
    const planning::BandDay& last = band->at(static_cast<std::size_t>(week.last - kept.first_day));
    head.weeks.push_back({week.first, week.sums.receipts, week.sums.payments, week.closing, last.p10, last.p90});
  }
  return desk.keep_forecast(std::move(head), planning::encode(kept));
}

}  // namespace millrace::server
