// What people write of money, through the desk, into a real record and back.
#include "ingest/finance_desk.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

#include "domain/finance_codec.h"
#include "ingest/finance_import_test_files.h"
#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::ingest {
namespace {

const SystemClock system_clock;
const Instant noon = testing::instant("2026-03-10T12:00:00Z");

ParserPoolOptions parsers() {
  ParserPoolOptions options;
  options.executable = MILLRACE_PARSE_WORKER;
  options.profile = built_in_profile();
  return options;
}

// A record that stays while desks come and go. A source "sap" has the invoice 9001.
class Office {
 public:
  explicit Office(bool with_parsers = false) : with_parsers_(with_parsers) { restart(); }

  void restart() {
    desk.reset();
    writer.reset();
    record.reset();
    record = *store::open_sqlite_record({.path = folder_ / "a.db", .clock = &system_clock});
    writer = std::make_unique<FinanceWriter>(*record);
    desk = std::make_unique<FinanceDesk>(*record, *writer, with_parsers_ ? std::optional(parsers()) : std::nullopt);
  }
  FinanceDoor::Others others() {
    return [](FinanceKind kind, const std::string& key) -> Result<std::optional<StandingDocument>> {
      if (kind != FinanceKind::invoice || key != "9001") return std::optional<StandingDocument>();
      FinanceDocument document;
      document.kind = kind;
      document.number = key;
      document.source = "sap";
      return std::optional(StandingDocument{document, false});
    };
  }
  ImportWish wish(std::string file = "costs.csv") const {
    ImportWish made;
    made.file = std::move(file);
    made.options.currency = *Currency::parse("EUR");
    made.options.today = utc_day(noon);
    return made;
  }
  Result<FinancePreview> preview(const std::string& text, const std::string& author = "anna", Instant at = noon) {
    return desk->preview_table(parse_finance_table(text), wish(), {author, at}, others());
  }
  ImportAnswer take(const std::string& text, bool doubtful = false) {
    const auto previewed = preview(text);
    REQUIRE_MESSAGE(previewed, previewed.error());
    auto applied = desk->apply(previewed->id, doubtful, {"anna", noon});
    REQUIRE_MESSAGE(applied, applied.error());
    return *applied;
  }
  FinanceDocument cost(const std::string& number, std::int64_t cents, const std::string& category = "Rent") const {
    FinanceDocument document;
    document.kind = FinanceKind::cost;
    document.number = number;
    document.category = category;
    document.currency = *Currency::parse("EUR");
    document.amount = cents;
    document.posted = utc_day(noon);
    return document;
  }
  // Every cost there is: "C-1 5.00 Rent (import)".
  std::string costs() {
    std::string text;
    for (const std::string_view source : {entered_source, import_source})
      REQUIRE(record->kept(finance_space(source, FinanceKind::cost), [&](store::KeptRow row) {
        const auto document = decode_finance_document(row.content);
        REQUIRE(document);
        text += row.key + " " + decimal_text(Money{document->amount, document->currency}) + " " + document->category + " (" + std::string(source) + ")\n";
        return true;
      }));
    return text;
  }
  std::uint64_t changes() { return record->last_sequence()->value; }

  std::unique_ptr<store::Record> record;
  std::unique_ptr<FinanceWriter> writer;
  std::unique_ptr<FinanceDesk> desk;

 private:
  testing::TemporaryFolder folder_;
  const bool with_parsers_;
};

const std::string three_costs = "No,Date,Category,Amount\nC-1,2026-03-01,Rent,5.00\nC-2,2026-03-02,Fuel,6.00\nC-3,03/04/2026,Paint,7.00\n";

TEST_CASE("A document is written by whoever saw what stands, and by nobody else") {
  Office office;
  const FinanceAsker anna{"anna", noon}, ben{"ben", noon};
  const auto made = office.desk->put(office.cost("C-1", 500), {""}, anna, office.others());
  REQUIRE(made);
  CHECK(made->is_new);
  CHECK(office.costs() == "C-1 5.00 Rent (entered)\n");
  CHECK(office.desk->put(office.cost("C-1", 600), {""}, ben, office.others())->is_conflict);  // it stands already
  const auto changed = office.desk->put(office.cost("C-1", 600), {made->version}, ben, office.others());
  REQUIRE(changed);
  CHECK_FALSE(changed->is_conflict);
  const auto late = office.desk->put(office.cost("C-1", 700), {made->version}, anna, office.others());
  CHECK(late->is_conflict);
  CHECK(late->version == changed->version);
  CHECK(late->now->amount == 600);
  CHECK(office.desk->remove(FinanceKind::cost, "C-1", {made->version}, anna, office.others())->is_conflict);
  CHECK(office.costs() == "C-1 6.00 Rent (entered)\n");
  const std::uint64_t before = office.changes();
  CHECK_FALSE(office.desk->put(office.cost("C-1", 600), {"*"}, ben, office.others())->is_conflict);
  CHECK(office.changes() == before);  // the same again changes nothing
  CHECK_FALSE(office.desk->remove(FinanceKind::cost, "C-1", {changed->version}, anna, office.others())->is_conflict);
  CHECK(office.costs() == "");
  CHECK(office.desk->remove(FinanceKind::cost, "C-1", {"*"}, anna, office.others()).error().code() == ErrorCode::not_found);
}

TEST_CASE("What a source brought is not written here, and what cannot be is refused") {
  Office office;
  FinanceDocument invoice = office.cost("9001", 500);
  invoice.kind = FinanceKind::invoice;
  invoice.party_code = "C1";
  const auto refused = office.desk->put(invoice, {"*"}, {"anna", noon}, office.others());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::conflict);
  CHECK(refused.error().text() == "invoice 9001 comes from sap; change it there");
  CHECK(office.desk->remove(FinanceKind::invoice, "9001", {"*"}, {"anna", noon}, office.others()).error().code() == ErrorCode::conflict);
  CHECK(office.desk->put(office.cost("C-1", -5), {""}, {"anna", noon}, office.others()).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("A file is taken in one commit, its doubtful rows only when somebody says so") {
  Office office;
  const auto answer = office.take(three_costs);
  CHECK(answer.import.created == 2);
  CHECK(answer.import.left == 1);
  CHECK(office.costs() == "C-1 5.00 Rent (import)\nC-2 6.00 Fuel (import)\n");
  CHECK(office.record->statistics().commits == 1);
  CHECK(office.take(three_costs, true).import.created == 1);
  CHECK(office.costs() == "C-1 5.00 Rent (import)\nC-2 6.00 Fuel (import)\nC-3 7.00 Paint (import)\n");
  const auto again = office.preview(three_costs);
  CHECK(again->preview.counts == ImportCounts{0, 0, 3, 0, 0, 0});
  const auto nothing = office.desk->apply(again->id, true, {"anna", noon});
  CHECK(nothing.error().code() == ErrorCode::invalid_input);
}

TEST_CASE("A preview is for its author, for half an hour, and is applied once") {
  Office office;
  const auto preview = office.preview(three_costs);
  REQUIRE(preview);
  CHECK(office.desk->apply(preview->id, false, {"ben", noon}).error().code() == ErrorCode::not_found);
  CHECK(office.desk->apply(preview->id, false, {"anna", noon + std::chrono::minutes(31)}).error().code() == ErrorCode::not_found);
  const auto first = office.desk->apply(preview->id, false, {"anna", noon});
  const std::uint64_t changes = office.changes();
  const auto second = office.desk->apply(preview->id, false, {"anna", noon});
  REQUIRE(second);
  CHECK(second->replayed);
  CHECK(second->import.id == first->import.id);
  CHECK(office.changes() == changes);
  const auto oldest = office.preview("Date,Category,Amount\n2026-03-01,a,1.00\n");
  for (std::size_t i = 0; i < FinanceDesk::previews_max; ++i) REQUIRE(office.preview("Date,Category,Amount\n2026-03-01,a,1.00\n", "ben", noon + std::chrono::minutes(1)));
  CHECK(office.desk->apply(oldest->id, false, {"anna", noon}).error().code() == ErrorCode::not_found);  // sixteen wait at most
}

TEST_CASE("What somebody changed between preview and taking is not overwritten") {
  Office office;
  office.take(three_costs);
  const auto preview = office.preview("No,Date,Category,Amount\nC-1,2026-03-01,Rent,9.00\nC-9,2026-03-01,Rent,1.00\n");
  REQUIRE_FALSE(office.desk->put(office.cost("C-1", 800), {"*"}, {"ben", noon}, office.others())->is_conflict);
  const auto answer = office.desk->apply(preview->id, false, {"anna", noon});
  REQUIRE(answer);
  REQUIRE(answer->conflicts.size() == 1);
  CHECK(answer->conflicts[0].text == "cost C-1 was changed since the preview");
  CHECK(office.costs() == "C-1 8.00 Rent (import)\nC-2 6.00 Fuel (import)\n");  // nothing of it was written
}

TEST_CASE("Undo puts back exactly what stood before, also after a restart, and says when it cannot") {
  Office office;
  REQUIRE(office.desk->put(office.cost("C-1", 100, "Lease"), {""}, {"ben", noon}, office.others()));
  const std::string before = office.costs();
  const auto taken = office.take(three_costs);
  CHECK(taken.import.changed == 1);
  CHECK(office.costs() == "C-1 5.00 Rent (entered)\nC-2 6.00 Fuel (import)\n");
  office.restart();
  const auto undone = office.desk->undo(taken.import.id, {"carl", noon});
  REQUIRE_MESSAGE(undone, undone.error());
  CHECK(undone->conflicts.empty());
  CHECK(office.costs() == before);
  CHECK(office.desk->undo(taken.import.id, {"carl", noon}).error().text() == "import 1 was undone already, by carl at 2026-03-10T12:00:00.000Z");
  CHECK(office.desk->undo(7, {"carl", noon}).error().code() == ErrorCode::not_found);

  const auto second = office.take(three_costs);
  REQUIRE_FALSE(office.desk->put(office.cost("C-2", 1), {"*"}, {"ben", noon}, office.others())->is_conflict);
  REQUIRE_FALSE(office.desk->remove(FinanceKind::cost, "C-1", {"*"}, {"ben", noon}, office.others())->is_conflict);
  const std::string now = office.costs();
  const auto refused = office.desk->undo(second.import.id, {"carl", noon});
  REQUIRE(refused);
  REQUIRE(refused->conflicts.size() == 2);
  CHECK(refused->conflicts[0].text == "cost C-1 was removed since the import");
  CHECK(refused->conflicts[1].text == "cost C-2 was changed since the import");
  CHECK(office.costs() == now);
  const auto list = office.desk->imports(std::nullopt, 1);
  REQUIRE(list->imports.size() == 1);
  CHECK(list->imports[0].id == 2);
  CHECK(list->next == 2);
  CHECK(office.desk->imports(list->next, 5)->imports.at(0).undone_by == "carl");
}

TEST_CASE("Whatever files are taken and undone in whatever order, undoing the last again and again leads back") {
  CHECK(rc::check("undo leads back", [] {
    Office office;
    std::vector<std::string> states{office.costs()};
    std::vector<std::uint64_t> imports;
    for (int step = 0; step < *rc::gen::inRange(1, 6); ++step) {
      std::string file = "No,Date,Category,Amount\n";
      const int which = *rc::gen::inRange(1, 256);
      for (int number = 0; number < 8; ++number)
        if (which >> number & 1) file += "C-" + std::to_string(number) + ",2026-03-01,Rent," + std::to_string(*rc::gen::inRange(1, 4)) + ".00\n";
      const auto preview = office.preview(file);
      if (!preview || preview->preview.counts.fresh + preview->preview.counts.changed == 0) continue;
      const auto applied = office.desk->apply(preview->id, false, {"anna", noon});
      RC_ASSERT(applied && applied->conflicts.empty());
      imports.push_back(applied->import.id);
      states.push_back(office.costs());
    }
    for (; !imports.empty(); imports.pop_back()) {
      RC_ASSERT(office.costs() == states[imports.size()]);
      const auto undone = office.desk->undo(imports.back(), {"anna", noon});
      RC_ASSERT(undone && undone->conflicts.empty());
    }
    RC_ASSERT(office.costs() == states[0]);
  }));
}

TEST_CASE("A large import is kept in parts, and only the newest imports can be undone") {
  Office office;
  std::string many = "Date,Category,Amount\n";
  for (std::size_t i = 0; i < FinanceDesk::part_size * 2 + 1; ++i) many += "2026-03-01,Rent," + std::to_string(i + 1) + ".00\n";
  const auto large = office.take(many);
  CHECK(large.import.parts == 3);
  for (std::size_t i = 0; i < FinanceDesk::undo_max; ++i) office.take("No,Date,Category,Amount\nC-1,2026-03-01,Rent," + std::to_string(i + 1) + ".00\n");
  CHECK(office.desk->undo(large.import.id, {"anna", noon}).error().text() == "import 1 is too old to be undone; only the last 100 can be");
  std::size_t parts = 0;
  REQUIRE(office.record->kept(std::string(finance_import_parts_space), [&](store::KeptRow) { return ++parts, true; }));
  CHECK(parts == FinanceDesk::undo_max);
  office.restart();
  CHECK(office.desk->imports(std::nullopt, 1000)->imports.size() == FinanceDesk::undo_max + 1);
}

TEST_CASE("Files are read in a process of their own, and a hostile one is refused with a reason") {
  using namespace testing_files;
  Office office(true);
  const SheetText sheet{"Costs", {{t("Date"), t("Category"), t("Amount")}, {d("46084"), t("a"), n("12.5")}}};
  const auto preview = office.desk->preview(workbook({sheet}), office.wish("costs.xlsx"), {"anna", noon}, office.others());
  REQUIRE_MESSAGE(preview, preview.error());
  CHECK(preview->preview.counts.fresh == 1);
  CHECK(preview->preview.guess.sheet == "Costs");
  const auto refused = office.desk->preview("PK\x03\x04 no workbook", office.wish("costs.xlsx"), {"anna", noon}, office.others());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::invalid_input);
  Office without;
  CHECK(without.desk->preview("Date,Category,Amount\n", without.wish(), {"anna", noon}, without.others()).error().code() == ErrorCode::unavailable);
}

TEST_CASE("Kept rows of imports come back as they were, and damaged ones are noticed") {
  KeptImport import{7, FinanceKind::balance, "anna", "Konto März.csv", noon, 3, 2, 1, 4, "ben", noon + std::chrono::hours(1)};
  CHECK(*decode_kept_import(encode(import)) == import);
  import.undone_at.reset();
  CHECK(*decode_kept_import(encode(import)) == import);
  const std::vector<ImportTrace> part{{"C-1", "0123456789abcdef", "import", std::nullopt}, {"C-2", "fedcba9876543210", "entered", Office().cost("C-2", 5)}};
  CHECK(*decode_import_part(encode(part)) == part);
  for (std::size_t cut = 0; cut < encode(part).size(); ++cut) CHECK_FALSE(decode_import_part(encode(part).substr(0, cut)));
  for (std::size_t cut = 0; cut < encode(import).size(); ++cut) CHECK_FALSE(decode_kept_import(encode(import).substr(0, cut)));
}

}  // namespace
}  // namespace millrace::ingest
