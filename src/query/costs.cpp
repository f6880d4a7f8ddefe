#include "query/costs.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

namespace millrace::query {
namespace {

using readmodel::FinanceBook;
using readmodel::FinancePtr;

std::string month_text(Day day) {
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u", int{day.year()}, unsigned{day.month()});
  return text;
}
Day month_end(const std::string& month) {
  const std::chrono::year_month first = std::chrono::year(std::stoi(month.substr(0, 4))) / std::chrono::month(static_cast<unsigned>(std::stoi(month.substr(5))));
  return Day(first / std::chrono::last);
}

std::string category_of(const FinanceDocument& document) {
  if (!document.category.empty()) return document.category;
  return document.kind == FinanceKind::tax ? "Tax" : document.kind == FinanceKind::recurring_cost ? "Recurring" : "Costs";
}

// Calls for every document that counts in the time, with its day and what it counts as.
class Walk {
 public:
  using Visit = std::function<void(const FinancePtr&, Day, std::string_view)>;
  Walk(const FinanceBook& book, const CashFinance& finance, const CostsAsked& asked) : book_(book), finance_(finance), asked_(asked), today_(day_from_number(finance.today)) {}

  void run(const Visit& visit) const {
    for (const FinanceKind kind : {FinanceKind::cost, FinanceKind::tax})
      book_.each(kind, [&](const FinancePtr& cost) {
        const auto day = cost->paid ? cost->paid : cost->due ? cost->due : cost->posted;
        if (!cost->cancelled && day) say(visit, cost, *day, std::chrono::sys_days(*day) <= std::chrono::sys_days(today_) ? "actual" : "planned");
        return true;
      });
    book_.each(FinanceKind::budget, [&](const FinancePtr& budget) {
      if (!budget->cancelled && budget->posted) say(visit, budget, *budget->posted, "budget");
      return true;
    });
    // The turns that are still to come are movements already.
    for (std::size_t i = 0; i < finance_.list.items.size(); ++i) {
      const CashSource& source = finance_.list.sources[i];
      if (source.is_order_line() || source.finance_kind() != FinanceKind::recurring_cost || source.due <= finance_.today) continue;
      say(visit, finance_.documents[source.origin], day_from_number(source.due), "planned");
    }
  }

 private:
  void say(const Visit& visit, const FinancePtr& document, Day day, std::string_view counts_as) const {
    if (std::chrono::sys_days(day) < std::chrono::sys_days(asked_.from) || std::chrono::sys_days(day) > std::chrono::sys_days(asked_.to)) return;
    if (!asked_.category.empty() && category_of(*document) != asked_.category) return;
    visit(document, day, counts_as);
  }
  const FinanceBook& book_;
  const CashFinance& finance_;
  const CostsAsked& asked_;
  const Day today_;
};

// Sums per month and currency, converted when all are there.
class Converter {
 public:
  Converter(const CashFinance& finance, Currency to, MoneyByCurrency& without_rate) : finance_(finance), to_(to), without_rate_(without_rate) {}
  Result<std::int64_t> operator()(const std::string& month, Currency from, std::int64_t amount) {
    if (from == to_ || amount == 0) return amount;
    const Day end = month_end(month), today = day_from_number(finance_.today);
    const auto road = finance_.rates.road(from, to_, std::chrono::sys_days(end) < std::chrono::sys_days(today) ? end : today);
    if (road) return road->convert(amount);
    without_rate_.add({amount, from});
    return 0;
  }

 private:
  const CashFinance& finance_;
  const Currency to_;
  MoneyByCurrency& without_rate_;
};

using MonthSums = std::map<std::pair<std::string, Currency>, std::int64_t>;

bool is_inside(const CostsAsked& asked, Day day) {
  return std::chrono::sys_days(day) >= std::chrono::sys_days(asked.from) && std::chrono::sys_days(day) <= std::chrono::sys_days(asked.to);
}

MonthSums document_sums(const FinanceBook& book, const CostsAsked& asked, std::span<const std::pair<FinanceKind, int>> kinds, bool net) {
  MonthSums sums;
  for (const auto& [kind, sign] : kinds)
    book.each(kind, [&, sign = sign](const FinancePtr& document) {
      if (!document->cancelled && document->posted && is_inside(asked, *document->posted))
        sums[{month_text(*document->posted), document->currency}] += sign * (document->amount - (net ? document->tax : 0));
      return true;
    });
  return sums;
}

MonthSums ordered_sums(const readmodel::Snapshot& snapshot, const CostsAsked& asked) {
  const std::int32_t from = day_number(asked.from), to = day_number(asked.to);
  std::map<std::pair<std::int32_t, std::uint32_t>, std::int64_t> days;
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    const readmodel::OrderChunk& chunk = snapshot.chunk(c);
    for (std::size_t i = 0; i < chunk.used; ++i) {
      if (!chunk.live[i] || (chunk.bits[i] & readmodel::order_cancelled) != 0) continue;
      const std::int32_t day = chunk.order_date[i];
      if (day != readmodel::no_day && day >= from && day <= to) days[{day, chunk.currency[i]}] += chunk.net[i];
    }
  }
  MonthSums sums;
  for (const auto& [key, amount] : days) sums[{month_text(day_from_number(key.first)), Currency::from_packed(key.second)}] += amount;
  return sums;
}

Result<void> add_series(const MonthSums& sums, Converter& convert, std::map<std::string, RevenueRow>& months, std::int64_t RevenueRow::*field) {
  for (const auto& [key, amount] : sums) {
    const auto converted = convert(key.first, key.second, amount);
    if (!converted) return pass_on(converted);
    months[key.first].*field += *converted;
  }
  return {};
}

Result<std::vector<RevenueRow>> revenue(const readmodel::Snapshot& snapshot, const FinanceBook& book, const CostsAsked& asked, Converter& convert) {
  std::map<std::string, RevenueRow> months;
  for (auto day = std::chrono::year_month_day(asked.from.year() / asked.from.month() / 1); std::chrono::sys_days(day) <= std::chrono::sys_days(asked.to); day += std::chrono::months(1)) months[month_text(day)];
  const std::array<std::pair<FinanceKind, int>, 2> invoiced{{{FinanceKind::invoice, 1}, {FinanceKind::credit_note, -1}}};
  const std::array<std::pair<FinanceKind, int>, 1> paid{{{FinanceKind::payment, 1}}};
  if (const auto added = add_series(document_sums(book, asked, invoiced, true), convert, months, &RevenueRow::invoiced); !added) return pass_on(added);
  if (const auto added = add_series(document_sums(book, asked, paid, false), convert, months, &RevenueRow::paid); !added) return pass_on(added);
  if (const auto added = add_series(ordered_sums(snapshot, asked), convert, months, &RevenueRow::ordered); !added) return pass_on(added);
  std::vector<RevenueRow> rows;
  for (auto& [month, row] : months) {
    row.month = month;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

Result<Costs> costs(const readmodel::Snapshot& snapshot, const FinanceBook& book, const CashFinance& finance, const CostsAsked& asked) {
  struct Key {
    std::string month, category;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, std::map<Currency, CostSums>> sums;
  Walk(book, finance, asked).run([&](const FinancePtr& document, Day day, std::string_view counts_as) {
    CostSums& sum = sums[{month_text(day), category_of(*document)}][document->currency];
    (counts_as == "actual" ? sum.actual : counts_as == "planned" ? sum.planned : sum.budget) += document->amount;
    ++sum.documents;
  });
  Costs answer;
  Converter convert(finance, asked.currency, answer.without_rate);
  std::map<Key, CostSums> rows;
  for (const auto& [key, by_currency] : sums) {
    CostSums& row = rows[{asked.by_month ? key.month : std::string(), key.category}];
    for (const auto& [currency, sum] : by_currency) {
      for (const auto field : {&CostSums::actual, &CostSums::planned, &CostSums::budget}) {
        const auto converted = convert(key.month, currency, sum.*field);
        if (!converted) return pass_on(converted);
        row.*field += *converted;
        answer.totals.*field += *converted;
      }
      row.documents += sum.documents;
      answer.totals.documents += sum.documents;
    }
  }
  for (const auto& [key, sum] : rows) answer.rows.push_back({key.month, key.category, sum});
  std::set<std::string> categories;
  for (const FinanceKind kind : {FinanceKind::cost, FinanceKind::recurring_cost, FinanceKind::tax, FinanceKind::budget})
    book.each(kind, [&](const FinancePtr& document) {
      categories.insert(category_of(*document));
      return true;
    });
  answer.categories.assign(categories.begin(), categories.end());
  auto series = revenue(snapshot, book, asked, convert);
  if (!series) return pass_on(series);
  answer.revenue = std::move(*series);
  return answer;
}

std::vector<CostItem> cost_items(const FinanceBook& book, const CashFinance& finance, const CostsAsked& asked) {
  std::vector<CostItem> items;
  Walk(book, finance, asked).run([&](const FinancePtr& document, Day day, std::string_view counts_as) { items.push_back({document, day, counts_as}); });
  std::ranges::stable_sort(items, {}, [](const CostItem& item) { return std::chrono::sys_days(item.day); });
  return items;
}

}  // namespace millrace::query
