#include "query/cash_forecasts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/text.h"
#include "query/ledger_dues.h"

namespace millrace::query {
namespace {

using readmodel::FinancePtr;

// "invoice/sap/9001/1", as CashMoves::id writes it; the number may hold slashes, the source may not.
struct ItemId {
  std::string_view kind, source, number;
  std::int32_t part = 0;
};
std::optional<ItemId> parse_id(std::string_view id) {
  const std::size_t first = id.find('/'), last = id.rfind('/');
  if (first == std::string_view::npos || last == first) return std::nullopt;
  const std::size_t second = id.find('/', first + 1);
  if (second == std::string_view::npos || second == last) return std::nullopt;
  ItemId parsed{id.substr(0, first), id.substr(first + 1, second - first - 1), id.substr(second + 1, last - second - 1), 0};
  const auto [end, error] = std::from_chars(id.data() + last + 1, id.data() + id.size(), parsed.part);
  if (error != std::errc()) return std::nullopt;
  return parsed;
}

const RateRoad* road_of(const planning::KeptForecast& forecast, Currency currency) {
  const auto found = std::ranges::find(forecast.rates, currency, &RateRoad::from);
  return found == forecast.rates.end() ? nullptr : &*found;
}

std::int64_t converted(const planning::KeptForecast& forecast, Currency currency, std::int64_t amount) {
  if (currency == forecast.currency) return amount;
  const RateRoad* road = road_of(forecast, currency);
  if (road == nullptr) return 0;
  const auto minor = road->convert(amount);
  return minor ? *minor : 0;
}

// What payments since the day took from the document.
std::int64_t paid_since(const readmodel::FinanceBook& book, FinanceKind kind, std::string_view number, std::int32_t day) {
  std::int64_t paid = 0;
  for (const FinancePtr& payment : book.settling(kind, number)) {
    const bool money = payment->kind == FinanceKind::payment || payment->kind == FinanceKind::supplier_payment;
    if (!money || payment->cancelled || !payment->posted || day_number(*payment->posted) < day) continue;
    for (const Allocation& allocation : payment->allocations)
      if (allocation.kind == kind && allocation.number == number) paid += allocation.amount;
  }
  return paid;
}

}  // namespace

planning::KeptForecast kept_forecast(const CashBoard& board, std::int32_t weeks) {
  const planning::PlanFrame frame = board.frame(weeks);
  planning::KeptForecast kept;
  kept.currency = board.currency;
  kept.first_day = frame.first_day;
  kept.end_day = frame.end_day();
  kept.rates = board.roads;
  kept.items.reserve(board.items.size());
  std::map<Currency, planning::KeptItem> there;  // what is in the accounts is one item per currency: its documents are others every day
  for (const planning::CashItem& item : board.items) {
    if (item.layer == planning::CashLayer::balance && board.is_converted(item)) {
      const Currency currency = Currency::from_packed(item.currency);
      planning::KeptItem& sum = there.try_emplace(currency, planning::KeptItem{"balance/accounts/" + currency.code() + "/0", "", frame.first_day, 0, 0, currency, 0}).first->second;
      sum.amount += item.amount;
      sum.converted += item.converted;
      continue;
    }
    const std::int32_t day = planning::counted_day(item, planning::CashView::expected, frame);
    if (day == planning::cash_no_day || !board.is_converted(item)) continue;
    kept.items.push_back({board.moves->id(item.id), std::string(board.moves->party_name(item.id)), day, item.amount, item.converted, Currency::from_packed(item.currency), static_cast<std::uint8_t>(item.layer)});
  }
  for (auto& [currency, sum] : there) kept.items.push_back(std::move(sum));
  kept.sort_items();
  return kept;
}

planning::Settled settled_since(const planning::KeptForecast& before, const CashBoard& after, const readmodel::FinanceBook& book) {
  planning::Settled settled;
  std::map<std::string, std::int64_t, std::less<>> left;  // of each invoice: paid and not yet given to an instalment
  for (const planning::KeptItem& item : before.items) {
    const auto id = parse_id(item.id);
    if (!id || item.layer == static_cast<std::uint8_t>(planning::CashLayer::balance)) continue;
    const auto kind = parse_finance_kind(id->kind);
    if (kind == FinanceKind::invoice || kind == FinanceKind::bill) {
      const std::string document = std::string(id->kind) + "/" + std::string(id->number);
      auto found = left.find(document);
      if (found == left.end()) found = left.emplace(document, paid_since(book, *kind, id->number, before.first_day)).first;
      const std::int64_t owed = item.amount < 0 ? -item.amount : item.amount;
      const std::int64_t taken = std::clamp<std::int64_t>(found->second, 0, owed);
      found->second -= taken;
      if (taken != 0) settled[item.id] = converted(before, item.currency, item.amount < 0 ? -taken : taken);
    } else if ((kind == FinanceKind::cost || kind == FinanceKind::recurring_cost || kind == FinanceKind::tax) && item.day < after.moves->finance->today) {
      settled[item.id] = item.converted;
    }
  }
  return settled;
}

// ---- how good they were

namespace {

class Actuals {
 public:
  Actuals(const CashFinance& finance, const readmodel::FinanceBook& book, Currency currency) : finance_(finance), currency_(currency) {
    book.each(FinanceKind::payment, [&](const FinancePtr& payment) {
      if (!payment->cancelled && payment->posted) receipts_[day_number(*payment->posted)].add({payment->amount, payment->currency});
      return true;
    });
    book.each(FinanceKind::balance, [&](const FinancePtr& balance) {
      if (!balance->cancelled && balance->posted) balances_[balance->account][day_number(*balance->posted)] = {balance->amount, balance->currency};
      return true;
    });
  }

  Result<std::int64_t> receipts(std::int32_t from, std::int32_t to) const {
    std::int64_t sum = 0;
    for (auto day = receipts_.lower_bound(from); day != receipts_.end() && day->first <= to; ++day)
      for (const Money& money : day->second.sums()) {
        const auto amount = convert(money, day->first);
        if (!amount) return pass_on(amount);
        sum += *amount;
      }
    return sum;
  }
  // Nothing where an account has no balance of the week before the day.
  std::optional<std::int64_t> balance(std::int32_t day) const {
    std::int64_t sum = 0;
    for (const auto& [account, days] : balances_) {
      auto after = days.upper_bound(day);
      if (after == days.begin() || (--after)->first < day - 7) return std::nullopt;
      const auto amount = convert(after->second, day);
      if (!amount) return std::nullopt;
      sum += *amount;
    }
    return balances_.empty() ? std::nullopt : std::optional(sum);
  }

 private:
  Result<std::int64_t> convert(const Money& money, std::int32_t day) const {
    if (money.currency == currency_) return money.minor;
    const auto road = finance_.rates.road(money.currency, currency_, day_from_number(day));
    if (!road) return 0;  // no rate: in no forecast either
    return road->convert(money.minor);
  }
  const CashFinance& finance_;
  const Currency currency_;
  std::map<std::int32_t, MoneyByCurrency> receipts_;
  std::map<std::string, std::map<std::int32_t, Money>> balances_;
};

struct WeekSums {
  std::uint32_t count = 0, known = 0, covered = 0;
  std::int64_t off = 0, actual = 0, bias = 0;
};

}  // namespace

Result<std::vector<WeekAccuracy>> week_accuracy(const std::vector<PastForecast>& forecasts, const CashFinance& finance, const readmodel::FinanceBook& book, Currency currency) {
  const Actuals actuals(finance, book, currency);
  std::map<std::int32_t, WeekSums> sums;
  for (const PastForecast& forecast : forecasts)
    for (std::size_t k = 0; k + 1 < forecast.weeks.size(); ++k) {
      const PastWeek& week = forecast.weeks[k];
      const std::int32_t end = forecast.weeks[k + 1].start - 1;
      if (end >= finance.today) break;
      const auto came = actuals.receipts(week.start, end);
      if (!came) return pass_on(came);
      WeekSums& sum = sums[static_cast<std::int32_t>(k + 1)];
      ++sum.count;
      sum.off += std::abs(*came - week.receipts);
      sum.actual += std::abs(*came);
      sum.bias += week.receipts - *came;
      if (const auto balance = actuals.balance(end)) {
        ++sum.known;
        if (*balance >= week.p10 && *balance <= week.p90) ++sum.covered;
      }
    }
  std::vector<WeekAccuracy> answer;
  for (const auto& [week, sum] : sums) {
    WeekAccuracy row{week, sum.count, {}, static_cast<std::int64_t>(divide_half_away(sum.bias, sum.count)), {}};
    if (sum.actual != 0) row.wape = static_cast<double>(sum.off) / static_cast<double>(sum.actual);
    if (sum.known != 0) row.covered = static_cast<double>(sum.covered) / sum.known;
    answer.push_back(row);
  }
  return answer;
}

std::vector<CustomerAccuracy> customer_accuracy(const std::vector<planning::KeptForecast>& forecasts, const readmodel::FinanceBook& book) {
  std::map<std::pair<std::string, std::int32_t>, LedgerDue> paid;  // invoice number and instalment
  for (const LedgerDue& due : ledger_dues(book, readmodel::LedgerSide::receivables)) {
    if (due.owed <= 0 || due.open > 0 || due.settled == readmodel::no_day) continue;
    const FinancePtr document = book.document(due.document);
    if (!document) continue;
    std::int32_t part = 1;
    for (std::size_t i = 0; i < document->instalments.size(); ++i)
      if (document->instalments[i].due && day_number(*document->instalments[i].due) == due.due) part = static_cast<std::int32_t>(i + 1);
    paid[{document->source + "/" + document->number, part}] = due;
  }
  struct Sum {
    std::int64_t days = 0;
    std::uint32_t count = 0;
  };
  std::map<std::uint32_t, Sum> parties;
  for (const planning::KeptForecast& forecast : forecasts)
    for (const planning::KeptItem& item : forecast.items) {
      const auto id = parse_id(item.id);
      if (!id || id->kind != "invoice") continue;
      const auto found = paid.find({std::string(id->source) + "/" + std::string(id->number), id->part});
      if (found == paid.end() || found->second.settled < forecast.first_day) continue;
      Sum& sum = parties[found->second.party];
      sum.days += std::abs(found->second.settled - item.day);
      ++sum.count;
    }
  std::vector<CustomerAccuracy> answer;
  for (const auto& [party, sum] : parties) answer.push_back({std::string(book.party(party)), std::string(book.party_name(party)), static_cast<double>(sum.days) / sum.count, sum.count});
  std::ranges::stable_sort(answer, [](const CustomerAccuracy& left, const CustomerAccuracy& right) { return left.invoices > right.invoices; });
  return answer;
}

}  // namespace millrace::query
