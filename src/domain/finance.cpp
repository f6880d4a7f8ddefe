#include "domain/finance.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "domain/decimal.h"

namespace millrace {
namespace {

constexpr std::array<std::string_view, finance_kind_count> kind_words = {
    "",     "invoice",        "credit_note", "payment", "write_off", "bill",        "supplier_credit", "supplier_payment", "purchase_order",
    "delivery", "cost", "recurring_cost", "budget",  "tax",     "balance",     "credit_line",     "terms",            "rate"};

constexpr std::array<std::string_view, 5> every_words = {"", "week", "month", "quarter", "year"};

// The same day of another month, the last one of a shorter month.
Day months_later(Day day, std::int32_t months) {
  const auto month = day.year() / day.month() + std::chrono::months(months);
  const auto last = (month / std::chrono::last).day();
  return month / std::min(day.day(), last);
}

Day days_later(Day day, std::int32_t days) { return day_from_number(day_number(day) + days); }

// What `days` of the rule and of its parts are counted from.
Day base_day(const TermsRule& rule, Day posted) {
  const Day day = rule.months == 0 ? posted : months_later(posted, rule.months);
  return rule.month_end ? Day{day.year() / day.month() / std::chrono::last} : day;
}

}  // namespace

std::string_view word(FinanceKind kind) {
  const auto place = static_cast<std::size_t>(kind);
  return place < kind_words.size() ? kind_words[place] : std::string_view();
}

std::optional<FinanceKind> parse_finance_kind(std::string_view text) {
  for (std::size_t i = 1; i < kind_words.size(); ++i)
    if (kind_words[i] == text) return static_cast<FinanceKind>(i);
  return std::nullopt;
}

std::string_view word(Every every) {
  const auto place = static_cast<std::size_t>(every);
  return place < every_words.size() ? every_words[place] : std::string_view();
}

FinanceParty party_of(FinanceKind kind) {
  switch (kind) {
    case FinanceKind::invoice:
    case FinanceKind::credit_note:
    case FinanceKind::payment:
    case FinanceKind::write_off:
    case FinanceKind::delivery: return FinanceParty::customer;
    case FinanceKind::bill:
    case FinanceKind::supplier_credit:
    case FinanceKind::supplier_payment:
    case FinanceKind::purchase_order: return FinanceParty::supplier;
    default: return FinanceParty::none;
  }
}

Day due_day(const TermsRule& rule, Day posted) {
  std::int32_t days = rule.days;
  if (!rule.parts.empty()) days = std::ranges::max(rule.parts, {}, &TermsRule::Part::days).days;
  return days_later(base_day(rule, posted), days);
}

std::vector<Instalment> instalments_of(const TermsRule& rule, Day posted, std::int64_t amount) {
  std::int64_t whole = 0;
  for (const TermsRule::Part& part : rule.parts) whole += std::max<std::int64_t>(0, part.part.micros);
  if (rule.parts.empty() || whole <= 0) return {{due_day(rule, posted), amount}};
  check(amount >= 0, "an amount in instalments is not below zero");
  const Day base = base_day(rule, posted);
  std::vector<Instalment> result;
  std::vector<std::pair<Int128, std::size_t>> remainders;  // the largest first, of equal ones the earlier part
  std::int64_t left = amount;
  for (const TermsRule::Part& part : rule.parts) {
    const Int128 share = static_cast<Int128>(amount) * std::max<std::int64_t>(0, part.part.micros);
    const auto floor = static_cast<std::int64_t>(share / whole);
    remainders.emplace_back(-(share % whole), result.size());
    result.push_back({days_later(base, part.days), floor});
    left -= floor;
  }
  std::ranges::sort(remainders);
  for (std::size_t i = 0; left > 0; ++i, --left) ++result[remainders[i].second].amount;
  return result;
}

Day recurrence(Day first, Every every, std::int32_t n) {
  switch (every) {
    case Every::none: return first;
    case Every::week: return days_later(first, 7 * n);
    case Every::month: return months_later(first, n);
    case Every::quarter: return months_later(first, 3 * n);
    case Every::year: break;
  }
  return months_later(first, 12 * n);
}

std::string finance_key(const FinanceDocument& document) {
  if (document.kind != FinanceKind::rate || !document.posted) return document.number;
  return document.number + " " + iso(*document.posted);
}

bool equal_but_origin(const FinanceDocument& left, const FinanceDocument& right) {
  if (left.origin == right.origin && left.place == right.place) return left == right;
  FinanceDocument same = right;
  same.origin = left.origin;
  same.place = left.place;
  return left == same;
}

}  // namespace millrace
