#include "query/finance_list.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace millrace::query {
namespace {

// Where a document stands in the list: later days are smaller.
struct Rank {
  std::int64_t day = INT64_MAX;
  std::string key;
  std::string source;
  auto operator<=>(const Rank&) const = default;
};

Rank rank_of(const FinanceDocument& document) {
  const auto day = listed_day(document);
  return {day ? -std::int64_t{day_number(*day)} : INT64_MAX, finance_key(document), document.source};
}

// "-20500~sap~9001"
std::string cursor_of(const Rank& rank) { return std::to_string(rank.day) + "~" + rank.source + "~" + rank.key; }

std::optional<Rank> rank_of(std::string_view cursor) {
  const std::size_t first = cursor.find('~'), second = first == std::string_view::npos ? first : cursor.find('~', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Rank rank;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + first, rank.day);
  if (error != std::errc() || end != cursor.data() + first) return std::nullopt;
  rank.source = cursor.substr(first + 1, second - first - 1);
  rank.key = cursor.substr(second + 1);
  return rank;
}

bool matches(const FinanceDocument& document, const FinanceQuestion& question, const std::string& folded) {
  if (!question.party.empty() && document.party_code != question.party) return false;
  if (!question.source.empty() && document.source != question.source) return false;
  const auto day = listed_day(document);
  if (question.from && (!day || std::chrono::sys_days(*day) < std::chrono::sys_days(*question.from))) return false;
  if (question.to && (!day || std::chrono::sys_days(*day) > std::chrono::sys_days(*question.to))) return false;
  if (folded.empty()) return true;
  for (const std::string* text : {&document.number, &document.party_code, &document.party_name, &document.category, &document.account, &document.reference, &document.comment})
    if (!text->empty() && search_fold(*text).find(folded) != std::string::npos) return true;
  return false;
}

}  // namespace

std::optional<Day> listed_day(const FinanceDocument& document) { return document.posted ? document.posted : document.due; }

Result<FinanceList> finance_list(const readmodel::FinanceBook& book, const FinanceQuestion& question) {
  std::optional<Rank> after;
  if (!question.cursor.empty()) {
    after = rank_of(question.cursor);
    if (!after) return fail(ErrorCode::invalid_input, "\"" + printable(std::string_view(question.cursor).substr(0, 64)) + "\" is no cursor of this list; begin without one");
  }
  const std::string folded = search_fold(trim(question.text));
  const std::size_t limit = std::clamp<std::size_t>(question.limit, 1, finance_list_max);
  FinanceList list;
  // The best of what comes, never more than a page and one: a heap whose top is the worst.
  using Row = std::pair<Rank, readmodel::FinancePtr>;
  const auto better = [](const Row& left, const Row& right) { return left.first < right.first; };
  std::vector<Row> page;
  book.each(question.kind, [&](const readmodel::FinancePtr& document) {
    if (!matches(*document, question, folded)) return true;
    ++list.count;
    if (!document->cancelled && !document->currency.empty()) list.sums.add({document->amount, document->currency});
    Row row{rank_of(*document), document};
    if (after && !(*after < row.first)) return true;
    if (page.size() > limit && !better(row, page.front())) return true;
    page.push_back(std::move(row));
    std::ranges::push_heap(page, better);
    if (page.size() > limit + 1) {
      std::ranges::pop_heap(page, better);
      page.pop_back();
    }
    return true;
  });
  std::ranges::sort_heap(page, better);
  if (page.size() > limit) {
    page.pop_back();
    list.next_cursor = cursor_of(page.back().first);
  }
  for (Row& row : page) list.documents.push_back(std::move(row.second));
  return list;
}

}  // namespace millrace::query
