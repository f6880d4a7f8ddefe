#include "readmodel/finance_table.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

#include "readmodel/read_model.h"
#include "testing/world.h"

namespace millrace::readmodel {
namespace {

using testing::day;

FinanceDocument made(FinanceKind kind, std::string number, std::string party, std::int64_t amount, std::string_view posted, std::string_view due = "") {
  FinanceDocument document;
  document.kind = kind;
  document.source = "erp";
  document.number = std::move(number);
  document.party_code = std::move(party);
  document.currency = *Currency::parse("EUR");
  document.amount = amount;
  document.posted = day(posted);
  if (!due.empty()) document.due = day(due);
  return document;
}

// Every posting that is not gone, as a table a person can check, sorted.
std::string ledger(const FinanceBook& book, LedgerSide side) {
  std::vector<std::string> rows;
  for (std::size_t c = 0; c < book.chunk_count(side); ++c) {
    const LedgerChunk& chunk = book.chunk(side, c);
    for (std::size_t i = 0; i < chunk.amount.size(); ++i) {
      if (chunk.amount[i] == 0) continue;
      const auto document = book.document(chunk.document[i]);
      rows.push_back(iso(day_from_number(chunk.posted[i])) + " " + (chunk.due[i] == no_day ? "no day    " : iso(day_from_number(chunk.due[i]))) + " " +
                     std::string(book.party(chunk.party[i])) + " " + (document == nullptr ? "?" : document->number) + " " +
                     decimal_text(Money{chunk.amount[i], book.currency(chunk.currency[i])}) + "\n");
    }
  }
  std::ranges::sort(rows);
  std::string text;
  for (const std::string& row : rows) text += row;
  return text;
}

}  // namespace

TEST_CASE("A payment takes from the oldest open instalment, and what it does not name stays on account") {
  FinanceTable table;
  FinanceDocument invoice = made(FinanceKind::invoice, "9001", "C1", 10'000, "2026-03-01");
  invoice.instalments = {{day("2026-03-31"), 6'000}, {day("2026-04-30"), 4'000}};
  table.put(invoice, 1);
  CHECK(ledger(*table.publish(), LedgerSide::receivables) ==
        "2026-03-01 2026-03-31 C1 9001 60.00\n"
        "2026-03-01 2026-04-30 C1 9001 40.00\n");
  FinanceDocument payment = made(FinanceKind::payment, "P1", "C1", 8'000, "2026-04-02");
  payment.allocations = {{FinanceKind::invoice, "9001", 0, 7'000}};
  table.put(payment, 2);
  const auto book = table.publish();
  CHECK(ledger(*book, LedgerSide::receivables) ==
        "2026-03-01 2026-03-31 C1 9001 60.00\n"
        "2026-03-01 2026-04-30 C1 9001 40.00\n"
        "2026-04-02 2026-03-31 C1 9001 -60.00\n"
        "2026-04-02 2026-04-02 C1 P1 -10.00\n"
        "2026-04-02 2026-04-30 C1 9001 -10.00\n");
  CHECK(book->open_instalments(invoice) == std::vector<std::int64_t>{0, 3'000});
  CHECK(book->settling(FinanceKind::invoice, "9001").size() == 1);
  CHECK(ledger(*book, LedgerSide::payables) == "");
}

TEST_CASE("A payment that came before its invoice is on account until the invoice is there, and again when it is cancelled") {
  FinanceTable table;
  FinanceDocument payment = made(FinanceKind::payment, "P1", "C1", 5'000, "2026-03-02");
  payment.allocations = {{FinanceKind::invoice, "9001", 0, 5'000}};
  table.put(payment, 1);
  CHECK(ledger(*table.publish(), LedgerSide::receivables) == "2026-03-02 2026-03-02 C1 P1 -50.00\n");
  FinanceDocument invoice = made(FinanceKind::invoice, "9001", "C1", 5'000, "2026-03-03", "2026-04-02");
  table.put(invoice, 2);
  CHECK(ledger(*table.publish(), LedgerSide::receivables) ==
        "2026-03-02 2026-04-02 C1 9001 -50.00\n"
        "2026-03-03 2026-04-02 C1 9001 50.00\n");
  invoice.cancelled = true;
  table.put(invoice, 3);
  CHECK(ledger(*table.publish(), LedgerSide::receivables) == "2026-03-02 2026-03-02 C1 P1 -50.00\n");
  table.remove(FinanceKind::payment, "erp", "P1", 4);
  CHECK(ledger(*table.publish(), LedgerSide::receivables) == "");
}

TEST_CASE("A credit note takes an invoice back, and what is left of it can be used up by a payment") {
  FinanceTable table;
  table.put(made(FinanceKind::invoice, "9001", "C1", 10'000, "2026-03-01", "2026-03-31"), 1);
  FinanceDocument credit = made(FinanceKind::credit_note, "G1", "C1", 3'000, "2026-03-05");
  credit.allocations = {{FinanceKind::invoice, "9001", 0, 1'000}};
  table.put(credit, 2);
  FinanceDocument payment = made(FinanceKind::payment, "P1", "C1", 7'000, "2026-03-20");
  payment.allocations = {{FinanceKind::invoice, "9001", 0, 9'000}, {FinanceKind::credit_note, "G1", 0, 2'000}};
  table.put(payment, 3);
  const auto book = table.publish();
  CHECK(ledger(*book, LedgerSide::receivables) ==
        "2026-03-01 2026-03-31 C1 9001 100.00\n"
        "2026-03-05 2026-03-05 C1 G1 -20.00\n"
        "2026-03-05 2026-03-31 C1 9001 -10.00\n"
        "2026-03-20 2026-03-05 C1 G1 20.00\n"
        "2026-03-20 2026-03-31 C1 9001 -90.00\n");
}

TEST_CASE("An invoice that its source calls closed owes nothing, though no payment is known") {
  FinanceTable table;
  FinanceDocument invoice = made(FinanceKind::invoice, "9001", "C1", 10'000, "2026-03-01", "2026-03-31");
  invoice.closed = true;
  table.put(invoice, 1);
  CHECK(ledger(*table.publish(), LedgerSide::receivables) == "");
  invoice.paid = day("2026-04-09");
  table.put(invoice, 2);
  CHECK(ledger(*table.publish(), LedgerSide::receivables) ==
        "2026-03-01 2026-03-31 C1 9001 100.00\n"
        "2026-04-09 2026-03-31 C1 9001 -100.00\n");
}

TEST_CASE("Of two sources with one invoice number each payment settles that of its own source") {
  FinanceTable table;
  table.put(made(FinanceKind::invoice, "9001", "C1", 10'000, "2026-03-01", "2026-03-31"), 1);
  FinanceDocument other = made(FinanceKind::invoice, "9001", "C2", 500, "2026-03-01", "2026-03-31");
  other.source = "shop";
  table.put(other, 2);
  FinanceDocument payment = made(FinanceKind::payment, "P1", "C2", 500, "2026-03-10");
  payment.source = "shop";
  payment.allocations = {{FinanceKind::invoice, "9001", 0, 500}};
  table.put(payment, 3);
  const auto book = table.publish();
  CHECK(book->open_instalments(other) == std::vector<std::int64_t>{0});
  CHECK(book->find(FinanceKind::invoice, "9001")->source == "erp");
  CHECK(book->find_of(FinanceKind::invoice, "shop", "9001")->party_code == "C2");
  CHECK(book->open_instalments(*book->find(FinanceKind::invoice, "9001")) == std::vector<std::int64_t>{10'000});
}

TEST_CASE("The newest rate of a pair counts, and each day's is kept") {
  FinanceTable table;
  for (const auto& [posted, scaled] : {std::pair{"2026-03-01", std::int64_t{91}}, {"2026-03-03", 93}, {"2026-03-02", 92}}) {
    FinanceDocument rate = made(FinanceKind::rate, "USD/EUR", "", 0, posted);
    rate.rate = ExchangeRate{*Currency::parse("USD"), *Currency::parse("EUR"), scaled * 100'000'000};
    table.put(rate, 1);
  }
  const auto book = table.publish();
  CHECK(book->count(FinanceKind::rate) == 3);
  CHECK(book->find(FinanceKind::rate, "USD/EUR")->rate->scaled == 9'300'000'000);
}

TEST_CASE("Documents are found by their order and by their party") {
  FinanceTable table;
  FinanceDocument delivery = made(FinanceKind::delivery, "D1", "C1", 0, "2026-03-01");
  delivery.lines = {{{"43659"}, 1, {2 * micros_per_one}, 0, ""}, {{"43660"}, 1, {1 * micros_per_one}, 0, ""}};
  table.put(delivery, 1);
  FinanceDocument invoice = made(FinanceKind::invoice, "9001", "C1", 10'000, "2026-03-01");
  invoice.party_name = "ACME";
  invoice.lines = {{{"43659"}, 1, {2 * micros_per_one}, 10'000, ""}};
  table.put(invoice, 2);
  auto book = table.publish();
  CHECK(book->of_order("43659").size() == 2);
  CHECK(book->of_order("43660").size() == 1);
  CHECK(book->of_party(FinanceKind::invoice, "C1").size() == 1);
  CHECK(book->of_party(FinanceKind::bill, "C1").empty());
  CHECK(book->party_name(0) == "ACME");
  delivery.lines.pop_back();
  table.put(delivery, 3);
  CHECK(table.publish()->of_order("43660").empty());
  CHECK(book->of_order("43660").size() == 1);  // what was published does not change
}

namespace {

// A small world of customers, invoices, credit notes, payments and removals, one change after the other.
std::vector<feed::Change> arbitrary_history() {
  std::vector<feed::Change> history;
  const int changes = *rc::gen::inRange(1, 60);
  const auto number = [](const char* prefix, int below) { return prefix + std::to_string(*rc::gen::inRange(0, below)); };
  for (int i = 0; i < changes; ++i) {
    FinanceDocument document;
    document.kind = *rc::gen::element(FinanceKind::invoice, FinanceKind::invoice, FinanceKind::credit_note, FinanceKind::payment, FinanceKind::payment,
                                      FinanceKind::write_off, FinanceKind::bill, FinanceKind::supplier_payment, FinanceKind::cost);
    document.source = *rc::gen::element<std::string>("erp", "shop");
    document.number = number("", 6);
    document.party_code = number("C", 3);
    document.party_name = *rc::gen::element<std::string>("", "ACME", "ACME Ltd");
    document.currency = *rc::gen::element(*Currency::parse("EUR"), *Currency::parse("JPY"));
    document.posted = day_from_number(*rc::gen::inRange(20'000, 20'100));
    document.amount = *rc::gen::inRange<std::int64_t>(0, 1'000);
    document.cancelled = *rc::gen::inRange(0, 8) == 0;
    document.closed = *rc::gen::inRange(0, 8) == 0;
    const bool supplier = party_of(document.kind) == FinanceParty::supplier;
    if (is_owed(document.kind)) {
      const std::int64_t first = *rc::gen::inRange<std::int64_t>(0, document.amount + 1);
      document.instalments = {{day_from_number(20'130), first}, {std::nullopt, document.amount - first}};
    } else if (settles(document.kind)) {
      std::int64_t left = document.amount;
      for (int parts = *rc::gen::inRange(0, 3); parts > 0 && left > 0; --parts) {
        const std::int64_t part = *rc::gen::inRange<std::int64_t>(1, left + 1);
        left -= part;
        document.allocations.push_back({supplier ? FinanceKind::bill : FinanceKind::invoice, number("", 6), *rc::gen::inRange(0, 4), part});
      }
    }
    if (*rc::gen::inRange(0, 5) == 0) history.push_back(feed::finance_removed({document.kind, document.source, document.number, "", ""}));
    else history.push_back(feed::finance_put(document));
    history.back().sequence = feed::Sequence{history.size()};
  }
  return history;
}

SnapshotPtr applied(const std::vector<feed::Change>& history, std::size_t step) {
  ReadModel model;
  for (std::size_t begin = 0; begin < history.size(); begin += step)
    RC_ASSERT(model.apply(std::span(history).subspan(begin, std::min(step, history.size() - begin))).has_value());
  return model.current();
}

std::string told(const FinanceBook& book) {
  std::string text;
  for (std::size_t kind = 1; kind < finance_kind_count; ++kind) {
    book.each(static_cast<FinanceKind>(kind), [&](const FinancePtr& document) {
      text += std::string(word(document->kind)) + " " + document->source + " " + document->number + " " + std::to_string(document->amount);
      for (const std::int64_t open : book.open_instalments(*document)) text += " " + std::to_string(open);
      text += "\n";
      return true;
    });
    text += std::to_string(book.count(static_cast<FinanceKind>(kind))) + "\n";
  }
  for (std::uint32_t code = 0; code < book.party_count(); ++code) text += std::string(book.party(code)) + " " + std::string(book.party_name(code)) + "\n";
  return text + ledger(book, LedgerSide::receivables) + ledger(book, LedgerSide::payables);
}

std::int64_t sum_of(const FinanceBook& book, LedgerSide side, Currency currency) {
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < book.chunk_count(side); ++c)
    for (std::size_t i = 0; i < book.chunk(side, c).amount.size(); ++i)
      if (book.currency(book.chunk(side, c).currency[i]) == currency) sum += book.chunk(side, c).amount[i];
  return sum;
}

// What is open of all invoices, less what credit notes, payments and write-offs have left.
std::int64_t open_of(const FinanceView& book, LedgerSide side, Currency currency) {
  std::int64_t sum = 0;
  for (std::size_t kind = 1; kind < finance_kind_count; ++kind) {
    const auto of = static_cast<FinanceKind>(kind);
    if (!is_owed(of) && !settles(of)) continue;
    book.each(of, [&](const FinancePtr& document) {
      if (side_of(of) != side || document->currency != currency || document->cancelled) return true;
      for (const std::int64_t open : book.open_instalments(*document)) sum += open;
      if (!settles(of) || document->closed || document->paid) return true;
      std::int64_t rest = document->amount;
      for (const Allocation& part : document->allocations) {
        const auto mine = book.find_of(part.kind, document->source, part.number);
        const auto target = mine != nullptr ? mine : book.find(part.kind, part.number);
        if (target == nullptr || target->cancelled) continue;
        if (target->currency != document->currency) {
          rest = 0;
          break;
        }
        rest -= part.amount;
      }
      sum -= rest;
      return true;
    });
  }
  return sum;
}

}  // namespace

TEST_CASE("However changes are cut into batches, the finance book is the same, and after a warm start too") {
  CHECK(rc::check("equal books", [] {
    const auto history = arbitrary_history();
    const auto whole = applied(history, history.size());
    const std::string text = told(whole->finance());
    RC_ASSERT(told(applied(history, 1)->finance()) == text);
    RC_ASSERT(told(applied(history, 7)->finance()) == text);
    WarmReader reader;
    write_warm(*whole, [&](std::uint32_t number, std::string_view bytes) { RC_ASSERT(reader.add(number, bytes).has_value()); });
    auto parts = reader.finish();
    RC_ASSERT(parts.has_value());
    ReadModel warm;
    warm.restore(std::move(*parts));
    RC_ASSERT(told(warm.current()->finance()) == text);
    RC_ASSERT(warm.current()->finance().version() == whole->finance().version());
  }));
}

TEST_CASE("The postings of a side are together what is open of its documents, to the minor unit") {
  CHECK(rc::check("postings are what is open", [] {
    const auto book = applied(arbitrary_history(), 5);
    for (const LedgerSide side : {LedgerSide::receivables, LedgerSide::payables})
      for (const char* code : {"EUR", "JPY"}) {
        const Currency currency = *Currency::parse(code);
        RC_ASSERT(sum_of(book->finance(), side, currency) == open_of(book->finance(), side, currency));
      }
  }));
}

TEST_CASE("A published book stays what it was while the table goes on") {
  FinanceTable table;
  table.put(made(FinanceKind::invoice, "9001", "C1", 10'000, "2026-03-01"), 1);
  const auto before = table.publish();
  CHECK(table.publish() == before);  // nothing happened
  table.put(made(FinanceKind::invoice, "9002", "C1", 20'000, "2026-03-01"), 2);
  table.remove(FinanceKind::invoice, "erp", "9001", 3);
  const auto after = table.publish();
  CHECK(ledger(*before, LedgerSide::receivables) == "2026-03-01 no day     C1 9001 100.00\n");
  CHECK(ledger(*after, LedgerSide::receivables) == "2026-03-01 no day     C1 9002 200.00\n");
  CHECK(after->version() == 3);
  CHECK(before->version() == 1);
}

}  // namespace millrace::readmodel
