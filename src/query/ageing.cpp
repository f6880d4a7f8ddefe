#include "query/ageing.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "base/text.h"

namespace millrace::query {
namespace {

using planning::AgeingBasis;
using readmodel::FinanceBook;
using readmodel::FinancePtr;
using readmodel::LedgerSide;

constexpr std::int32_t no_day = readmodel::no_day;
constexpr std::int32_t measure_days = 90;

std::vector<planning::PostingColumns> columns_of(const FinanceBook& book, LedgerSide side) {
  std::vector<planning::PostingColumns> columns;
  for (std::size_t c = 0; c < book.chunk_count(side); ++c) {
    const readmodel::LedgerChunk& chunk = book.chunk(side, c);
    columns.push_back({chunk.posted, chunk.due, chunk.amount, chunk.party, chunk.currency, chunk.document});
  }
  return columns;
}

// When each document was posted: the first day something was owed, or paid on account.
std::vector<std::int32_t> posted_days(const FinanceBook& book, LedgerSide side) {
  std::vector<std::int32_t> days;
  for (std::size_t c = 0; c < book.chunk_count(side); ++c) {
    const readmodel::LedgerChunk& chunk = book.chunk(side, c);
    for (std::size_t i = 0; i < chunk.amount.size(); ++i) {
      if (chunk.amount[i] == 0) continue;
      const std::uint32_t document = chunk.document[i];
      if (document >= days.size()) days.resize(std::max<std::size_t>(document + 1, days.size() * 2), no_day);
      if (days[document] == no_day || chunk.posted[i] < days[document]) days[document] = chunk.posted[i];
    }
  }
  return days;
}

// ---- groups

struct Groups {
  std::vector<std::uint32_t> of_party;  // empty: one for all
  std::vector<std::pair<std::string, std::string>> names{{"", ""}};  // key and name
};

// The salesperson or country of a party is what its newest document says.
Groups groups_of(const FinanceBook& book, const AgeingAsked& asked) {
  Groups groups;
  if (asked.group == AgeingGroup::currency) return groups;
  groups.of_party.assign(book.party_count(), 0);
  if (asked.group == AgeingGroup::party) {
    groups.names.clear();
    for (std::uint32_t party = 0; party < book.party_count(); ++party) {
      groups.of_party[party] = party;
      groups.names.emplace_back(book.party(party), book.party_name(party));
    }
    if (groups.names.empty()) groups.names.emplace_back("", "");
    return groups;
  }
  std::map<std::string, std::pair<std::int32_t, std::string>, std::less<>> said;  // party -> newest day and word
  const FinanceKind kind = asked.side == LedgerSide::receivables ? FinanceKind::invoice : FinanceKind::bill;
  book.each(kind, [&](const FinancePtr& document) {
    const std::string& word = asked.group == AgeingGroup::country ? document->country : document->salesperson;
    const std::int32_t day = document->posted ? day_number(*document->posted) : no_day;
    auto& known = said.try_emplace(document->party_code, no_day, std::string()).first->second;
    if (!word.empty() && day >= known.first) known = {day, word};
    return true;
  });
  std::map<std::string, std::uint32_t> places{{"", 0}};
  for (std::uint32_t party = 0; party < book.party_count(); ++party) {
    const auto found = said.find(book.party(party));
    const auto [place, fresh] = places.emplace(found == said.end() ? std::string() : found->second.second, static_cast<std::uint32_t>(places.size()));
    if (fresh) groups.names.emplace_back(place->first, place->first);
    groups.of_party[party] = place->second;
  }
  return groups;
}

// ---- measures

std::int64_t owed_in(const std::vector<planning::PostingColumns>& columns, std::uint16_t currency, std::int32_t day) {
  std::int64_t sum = 0;
  for (const planning::DayAmount& one : planning::owed_by_day(columns, currency, day - measure_days, day)) sum += one.amount;
  return sum;
}

Result<std::vector<AgeingMeasures>> measures_of(const FinanceBook& book, Day day) {
  const std::int32_t today = day_number(day);
  const auto receivables = columns_of(book, LedgerSide::receivables), payables = columns_of(book, LedgerSide::payables);
  planning::AgeingQuestion question;
  question.as_of = today;
  question.bounds.clear();
  question.currency_count = std::max<std::uint32_t>(book.currency_count(), 1);
  const auto owed = planning::ageing(receivables, question), owing = planning::ageing(payables, question);
  if (!owed) return pass_on(owed);
  if (!owing) return pass_on(owing);
  std::vector<AgeingMeasures> all;
  for (std::uint16_t code = 0; code < book.currency_count(); ++code) {
    const std::int64_t open = owed->total(code), not_due = owed->at(0, code, 0);
    const std::int64_t sales = owed_in(receivables, code, today), bills = owed_in(payables, code, today);
    AgeingMeasures measures;
    measures.currency = book.currency(code);
    measures.dso = planning::days_outstanding(open, sales, measure_days);
    measures.best_dso = planning::days_outstanding(not_due, sales, measure_days);
    measures.count_back = planning::days_by_count_back(open, planning::owed_by_day(receivables, code, today - 366, today), today);
    measures.average_days_late = planning::average_days_late(receivables, code, today, measure_days);
    measures.dpo = planning::days_outstanding(owing->total(code), bills, measure_days);
    if (open != 0 || sales != 0 || owing->total(code) != 0 || bills != 0) all.push_back(measures);
  }
  std::ranges::sort(all, {}, [](const AgeingMeasures& measures) { return measures.currency.code(); });
  return all;
}

std::optional<std::int64_t> as_of_amount(std::int32_t posted, std::int64_t amount, std::int32_t day) {
  return amount == 0 || posted > day ? std::nullopt : std::optional(amount);
}

// The oldest day of each party on which something is open.
std::unordered_map<std::uint64_t, std::int32_t> oldest_days(const FinanceBook& book, const AgeingAsked& asked, const std::vector<std::int32_t>& posted) {
  struct Open {
    std::int64_t amount = 0;
    std::int32_t day = no_day;
    std::uint64_t group = 0;
  };
  std::unordered_map<std::uint64_t, Open> open;  // document and basis day
  const std::int32_t day = day_number(asked.day);
  for (std::size_t c = 0; c < book.chunk_count(asked.side); ++c) {
    const readmodel::LedgerChunk& chunk = book.chunk(asked.side, c);
    for (std::size_t i = 0; i < chunk.amount.size(); ++i) {
      const auto amount = as_of_amount(chunk.posted[i], chunk.amount[i], day);
      if (!amount) continue;
      const std::int32_t basis = asked.by == AgeingBasis::due ? chunk.due[i] : posted[chunk.document[i]];
      Open& one = open[(std::uint64_t{chunk.document[i]} << 32) | static_cast<std::uint32_t>(basis)];
      one.amount += *amount;
      one.day = basis;
      one.group = (std::uint64_t{chunk.party[i]} << 16) | chunk.currency[i];
    }
  }
  std::unordered_map<std::uint64_t, std::int32_t> oldest;
  for (const auto& [key, one] : open) {
    if (one.amount <= 0 || one.day == no_day) continue;
    const auto [found, fresh] = oldest.emplace(one.group, one.day);
    if (!fresh) found->second = std::min(found->second, one.day);
  }
  return oldest;
}

}  // namespace

std::optional<AgeingGroup> parse_ageing_group(std::string_view word) {
  if (word == "party") return AgeingGroup::party;
  if (word == "currency") return AgeingGroup::currency;
  if (word == "salesperson") return AgeingGroup::salesperson;
  if (word == "country") return AgeingGroup::country;
  return std::nullopt;
}

Result<std::vector<std::int32_t>> parse_ageing_bounds(std::string_view text) {
  std::vector<std::int32_t> bounds;
  const auto wrong = [] {
    return fail(ErrorCode::invalid_input, "buckets are days that rise, such as 30,60,90: at most " + std::to_string(planning::ageing_bounds_max) + " of them, each between 1 and 36500");
  };
  for (const std::string_view part : split(text, ',')) {
    const std::string_view word = trim(part);
    std::int32_t days = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), days);
    if (error != std::errc() || end != word.data() + word.size() || days < 1 || days > 36500 || (!bounds.empty() && days <= bounds.back())) return wrong();
    bounds.push_back(days);
  }
  if (bounds.size() > planning::ageing_bounds_max) return wrong();
  return bounds;
}

std::vector<std::string> ageing_bucket_names(const std::vector<std::int32_t>& bounds) {
  std::vector<std::string> names{"not_due"};
  std::int32_t from = 1;
  for (const std::int32_t bound : bounds) {
    names.push_back(std::to_string(from) + "-" + std::to_string(bound));
    from = bound + 1;
  }
  names.push_back(std::to_string(from) + "+");
  names.emplace_back("no_date");
  return names;
}

Result<AgeingTable> ageing_table(const FinanceBook& book, const AgeingAsked& asked) {
  const auto columns = columns_of(book, asked.side);
  const std::vector<std::int32_t> posted = asked.by == AgeingBasis::posted ? posted_days(book, asked.side) : std::vector<std::int32_t>();
  const Groups groups = groups_of(book, asked);
  planning::AgeingQuestion question;
  question.as_of = day_number(asked.day);
  question.basis = asked.by;
  question.bounds = asked.bounds;
  question.group_of_party = groups.of_party;
  question.group_count = static_cast<std::uint32_t>(groups.names.size());
  question.currency_count = std::max<std::uint32_t>(book.currency_count(), 1);
  question.document_posted = posted;
  const auto answer = planning::ageing(columns, question);
  if (!answer) return pass_on(answer);
  AgeingTable table;
  table.buckets = ageing_bucket_names(asked.bounds);
  const auto oldest = asked.group == AgeingGroup::party ? oldest_days(book, asked, posted) : std::unordered_map<std::uint64_t, std::int32_t>();
  for (std::uint16_t code = 0; code < book.currency_count(); ++code) {
    AgeingRow total;
    total.currency = book.currency(code);
    total.amounts.resize(table.buckets.size());
    bool any = false;
    for (std::uint32_t group = 0; group < answer->groups(); ++group) {
      const auto amounts = answer->row(group, code);
      if (std::ranges::all_of(amounts, [](std::int64_t amount) { return amount == 0; })) continue;
      any = true;
      AgeingRow row{groups.names[group].first, groups.names[group].second, book.currency(code), {amounts.begin(), amounts.end()}, answer->total(group, code), {}};
      if (asked.group == AgeingGroup::currency) row.key = row.name = row.currency.code();
      if (const auto found = oldest.find((std::uint64_t{group} << 16) | code); found != oldest.end()) row.oldest = day_from_number(found->second);
      for (std::size_t bucket = 0; bucket < amounts.size(); ++bucket) total.amounts[bucket] += amounts[bucket];
      total.total += row.total;
      table.rows.push_back(std::move(row));
    }
    if (any) table.totals.push_back(std::move(total));
  }
  std::ranges::sort(table.totals, {}, [](const AgeingRow& row) { return row.currency.code(); });
  std::ranges::sort(table.rows, [](const AgeingRow& left, const AgeingRow& right) {
    if (left.currency != right.currency) return left.currency.code() < right.currency.code();
    return left.total != right.total ? left.total > right.total : left.key < right.key;
  });
  auto measures = measures_of(book, asked.day);
  if (!measures) return pass_on(measures);
  table.measures = std::move(*measures);
  return table;
}

Result<AgeingItems> ageing_items(const FinanceBook& book, const AgeingItemsAsked& asked) {
  const auto names = ageing_bucket_names(asked.of.bounds);
  const auto place = std::ranges::find(names, asked.bucket);
  if (!asked.bucket.empty() && place == names.end()) return fail(ErrorCode::invalid_input, "there is no bucket \"" + printable(std::string_view(asked.bucket).substr(0, 40)) + "\"; see `buckets` of the table");
  const std::int32_t day = day_number(asked.of.day);
  const std::vector<std::int32_t> posted = asked.of.by == AgeingBasis::posted ? posted_days(book, asked.of.side) : std::vector<std::int32_t>();
  struct Cell {
    std::uint32_t document;
    std::int32_t due;
    auto operator<=>(const Cell&) const = default;
  };
  std::map<Cell, std::int64_t> open;
  for (std::size_t c = 0; c < book.chunk_count(asked.of.side); ++c) {
    const readmodel::LedgerChunk& chunk = book.chunk(asked.of.side, c);
    for (std::size_t i = 0; i < chunk.amount.size(); ++i) {
      const auto amount = as_of_amount(chunk.posted[i], chunk.amount[i], day);
      if (!amount || (!asked.party.empty() && book.party(chunk.party[i]) != asked.party)) continue;
      if (!asked.currency.empty() && book.currency(chunk.currency[i]).code() != asked.currency) continue;
      const std::int32_t basis = asked.of.by == AgeingBasis::due ? chunk.due[i] : posted[chunk.document[i]];
      if (place != names.end() && planning::ageing_bucket(basis, day, asked.of.bounds) != static_cast<std::size_t>(place - names.begin())) continue;
      open[{chunk.document[i], chunk.due[i]}] += *amount;
    }
  }
  AgeingItems answer;
  std::vector<std::tuple<std::int32_t, Cell, std::int64_t>> found;
  for (const auto& [cell, amount] : open) {
    if (amount == 0) continue;
    const std::int32_t basis = asked.of.by == AgeingBasis::due ? cell.due : posted[cell.document];
    found.emplace_back(basis, cell, amount);
  }
  std::ranges::sort(found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [basis, cell, amount] = found[i];
    const FinancePtr document = book.document(cell.document);
    if (!document) continue;
    answer.totals.add({amount, document->currency});
    ++answer.count;
    if (i < asked.offset || answer.items.size() >= asked.limit) continue;
    AgeingItem item;
    item.document = document;
    if (cell.due != no_day) item.due = day_from_number(cell.due);
    item.posted = document->posted;
    item.open = amount;
    item.age = basis == no_day ? 0 : std::max(0, day - basis);
    answer.items.push_back(std::move(item));
  }
  return answer;
}

}  // namespace millrace::query
