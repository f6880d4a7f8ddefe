// Finance documents of a kind, as people look through them.
//
// Invariants
//   * Newest day first, then by key; a document without a day comes last. Pages by cursor neither repeat nor leave out what
//     did not change meanwhile.
//   * `count` and `sums` are of everything that matches, not of the page.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "domain/money.h"
#include "readmodel/finance_book.h"

namespace millrace::query {

struct FinanceQuestion {
  FinanceKind kind = FinanceKind::cost;
  std::string text;    // in number, party, category, account, reference, comment; case and accents do not matter
  std::string party;   // code
  std::string source;  // id
  std::optional<Day> from, to;  // of the day that the list is sorted by
  std::size_t limit = 100;
  std::string cursor;
};
inline constexpr std::size_t finance_list_max = 1'000;

struct FinanceList {
  std::uint64_t count = 0;
  MoneyByCurrency sums;
  std::vector<readmodel::FinancePtr> documents;
  std::string next_cursor;  // "" no more
};

// The day a document is known by: posted, else due.
std::optional<Day> listed_day(const FinanceDocument& document);

// Errors   invalid_input  the cursor is none of this list
Result<FinanceList> finance_list(const readmodel::FinanceBook& book, const FinanceQuestion& question);

}  // namespace millrace::query
