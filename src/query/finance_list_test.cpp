#include "query/finance_list.h"

#include <doctest/doctest.h>

#include "readmodel/read_model.h"

namespace millrace::query {
namespace {

FinanceDocument cost(const std::string& number, const std::string& day, const std::string& category, std::int64_t cents, const std::string& currency = "EUR") {
  FinanceDocument document;
  document.kind = FinanceKind::cost;
  document.source = "entered";
  document.number = number;
  document.posted = parse_iso_day(day);
  document.category = category;
  document.currency = *Currency::parse(currency);
  document.amount = cents;
  return document;
}

readmodel::SnapshotPtr snapshot_of(const std::vector<FinanceDocument>& documents) {
  readmodel::ReadModel model;
  std::vector<feed::Change> changes;
  for (const FinanceDocument& document : documents) {
    feed::Change change = feed::finance_put(document, "");
    change.sequence = feed::Sequence{changes.size() + 1};
    changes.push_back(std::move(change));
  }
  REQUIRE(model.apply(changes));
  return model.current();
}

std::string listed(const Result<FinanceList>& list) {
  if (!list) return list.error().text();
  std::string text;
  for (const auto& document : list->documents) text += document->number + " ";
  text += "of " + std::to_string(list->count);
  for (const Money& sum : list->sums.sums()) text += ", " + sum.currency.code() + " " + decimal_text(sum);
  return text;
}

TEST_CASE("Documents are listed newest first with the sums of all that match, page by page") {
  const auto snapshot = snapshot_of({cost("a", "2026-03-01", "Rent", 100), cost("b", "2026-03-03", "Fuel", 200), cost("c", "2026-03-02", "Réntal", 400), cost("d", "2026-03-03", "Fuel", 800, "USD"), cost("e", "2026-02-01", "Rent", 1600)});
  const auto& book = snapshot->finance();
  FinanceQuestion all;
  CHECK(listed(finance_list(book, all)) == "b d c a e of 5, EUR 23.00, USD 8.00");
  FinanceQuestion rent;
  rent.text = "RENT";
  CHECK(listed(finance_list(book, rent)) == "c a e of 3, EUR 21.00");
  FinanceQuestion march;
  march.from = parse_iso_day("2026-03-01"), march.to = parse_iso_day("2026-03-02");
  CHECK(listed(finance_list(book, march)) == "c a of 2, EUR 5.00");
  FinanceQuestion page;
  page.limit = 2;
  std::string pages;
  do {
    const auto list = finance_list(book, page);
    pages += listed(list) + "; ";
    page.cursor = list->next_cursor;
  } while (!page.cursor.empty());
  CHECK(pages == "b d of 5, EUR 23.00, USD 8.00; c a of 5, EUR 23.00, USD 8.00; e of 5, EUR 23.00, USD 8.00; ");
  page.cursor = "somewhere";
  CHECK(listed(finance_list(book, page)) == "\"somewhere\" is no cursor of this list; begin without one");
}

}  // namespace
}  // namespace millrace::query
