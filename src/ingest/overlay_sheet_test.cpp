// The sheet that people edit in Excel, as cells that go out and come back.
#include "ingest/overlay_sheet.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "testing/world.h"

namespace millrace::ingest {
namespace {

const Instant noon = testing::instant("2026-03-05T12:00:00Z");

// Orders and what is written on them, without sources and without a record.
class Desk {
 public:
  explicit Desk(std::vector<std::string> orders)
      : orders_(std::move(orders)), book_(OverlayFields(std::vector{OwnColumn{"truck", "Truck"}}), [this](std::uint64_t id) -> Result<OverlayEdit> { return edits_.at(id); }) {}

  void write(const std::string& order, const std::string& field, const std::string& value, const std::string& who = "Ann") {
    auto plan = book_.plan_edit(order, std::nullopt, {{field, value, {}}}, {who, noon}, nothing);
    REQUIRE(plan);
    keep(std::move(*plan));
  }
  void keep(OverlayPlan plan) {
    for (OverlayEdit& edit : book_.keep(std::move(plan)).edits) edits_[edit.id] = edit;
  }
  std::string text(const std::string& order, const std::string& field) const {
    const KeptOverlay* overlay = book_.find(order);
    const OverlayValue* value = overlay == nullptr ? nullptr : find(overlay->values, field);
    return value == nullptr ? "" : value->value;
  }

  // The sheet as it is downloaded: row 0 the head, then the orders.
  std::vector<TableCell> sheet() const {
    std::vector<TableCell> cells;
    const auto columns = overlay_sheet_columns(book_.fields());
    const auto put = [&](std::size_t row, std::size_t column, std::string text) {
      if (!text.empty()) cells.push_back({static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(column), std::move(text), false});
    };
    for (std::size_t c = 0; c < columns.size(); ++c) put(0, c, columns[c].title);
    for (std::size_t row = 0; row < orders_.size(); ++row) {
      const KeptOverlay* overlay = book_.find(orders_[row]);
      const std::vector<std::string> locked{orders_[row], std::to_string(overlay == nullptr ? 0 : overlay->version()), "C1", "ACME", "Open", "2026-03-01", ""};
      for (std::size_t c = 0; c < locked.size(); ++c) put(row + 1, c, locked[c]);
      for (std::size_t c = locked.size(); c + 1 < columns.size(); ++c) put(row + 1, c, text(orders_[row], columns[c].field));
      put(row + 1, columns.size() - 1, overlay_sheet_check(locked));
    }
    return cells;
  }
  Result<OverlaySheet> read(const std::vector<TableCell>& cells) const {
    return read_overlay_sheet(cells, book_, [&](const std::string& order) { return std::ranges::find(orders_, order) != orders_.end(); }, {"Ben", noon});
  }
  // "J2 7 priority: none -> 5" per edit, "! C3: reason" per refused cell.
  std::string seen(const std::vector<TableCell>& cells) const {
    const auto sheet = read(cells);
    if (!sheet) return "refused: " + sheet.error().text();
    const auto shown = [](const std::string& text) { return text.empty() ? std::string("none") : text; };
    std::string text;
    for (const SheetEdit& edit : sheet->edits) text += edit.cell + " " + edit.order + " " + edit.field + ": " + shown(edit.before) + " -> " + shown(edit.after) + "\n";
    for (const SheetRefusal& refusal : sheet->refused) text += "! " + refusal.cell + ": " + refusal.reason + "\n";
    return text;
  }
  const OverlayBook& book() const { return book_; }
  static Result<std::string> nothing(const std::string&, std::string_view) { return std::string(); }

 private:
  std::vector<std::string> orders_;
  std::map<std::uint64_t, OverlayEdit> edits_;
  OverlayBook book_;
};

// What a person does in the sheet: cell by its name in the first row and the row's number as Excel shows it.
void type(std::vector<TableCell>& cells, std::uint32_t excel_row, const std::string& column, const std::string& text) {
  const auto head = std::ranges::find_if(cells, [&](const TableCell& cell) { return cell.row == 0 && cell.text == column; });
  REQUIRE(head != cells.end());
  const TableCell typed{excel_row - 1, head->column, text, false};
  std::erase_if(cells, [&](const TableCell& cell) { return cell.row == typed.row && cell.column == typed.column; });
  if (text.empty()) return;
  const auto at = std::ranges::find_if(cells, [&](const TableCell& cell) { return std::pair(cell.row, cell.column) > std::pair(typed.row, typed.column); });
  cells.insert(at, typed);
}

}  // namespace

TEST_CASE("A sheet that was only looked at has no edits; edited cells are found with what stood there before") {
  Desk desk({"7", "8", "9"});
  desk.write("7", "note", "call first");
  desk.write("8", "promised_date", "2026-12-01");
  auto cells = desk.sheet();
  CHECK(desk.seen(cells) == "");
  CHECK(desk.read(cells)->rows == 3);
  type(cells, 2, "Note", "");
  type(cells, 2, "Priority", "5");
  type(cells, 3, "Promised date", "2026-12-08");
  type(cells, 4, "Truck", " T 9 ");
  CHECK(desk.seen(cells) == "I2 7 priority: none -> 5\nK2 7 note: call first -> none\nH3 8 promised_date: 2026-12-01 -> 2026-12-08\nM4 9 truck: none -> T 9\n");
}

TEST_CASE("Cells that cannot be written are refused by their address with the reason, the others of the row are not") {
  Desk desk({"7", "8", "9"});
  auto cells = desk.sheet();
  type(cells, 2, "Customer name", "ACME GmbH");
  type(cells, 2, "Priority", "5");
  type(cells, 3, "Promised date", "31.12.2026");
  type(cells, 3, "Colour", "pink");
  type(cells, 4, "Order", "8");
  type(cells, 4, "Note", "lost");
  CHECK(desk.seen(cells) ==
        "I2 7 priority: none -> 5\n"
        "! D2: \"Customer name\" comes from the sources and cannot be edited here\n"
        "! H3: \"31.12.2026\" is no value of promised_date; write a day like 2026-11-30\n"
        "! L3: \"pink\" is no value of colour; write red, orange, yellow, green, blue, purple, grey\n"
        "! A4: order, version and check of this row do not belong together; leave them as they were downloaded\n");
  auto twice = desk.sheet();
  for (TableCell cell : desk.sheet())
    if (cell.row == 1) cell.row = 9, twice.push_back(cell);
  CHECK(desk.seen(twice) == "! A10: order 7 stands in row 2 too; edit it once\n");
  auto formula = desk.sheet();
  type(formula, 2, "Note", "x");
  std::ranges::find_if(formula, [](const TableCell& cell) { return cell.text == "x"; })->unread = true;
  CHECK(desk.seen(formula) == "! K2: the cell holds a formula without a value; write the value\n");
  auto other = desk.sheet();
  std::erase_if(other, [](const TableCell& cell) { return cell.column == 1; });
  CHECK(desk.seen(other).starts_with("refused: the sheet has no column \"Version\""));
  CHECK(desk.seen({}).starts_with("refused: the sheet is empty"));
  Desk smaller({"8", "9"});
  CHECK(smaller.seen(cells).find("! A2: there is no order 7 (any more)\n") != std::string::npos);
}

TEST_CASE("What somebody else wrote since the sheet was downloaded is refused with both values, and only where both wrote") {
  Desk desk({"7"});
  desk.write("7", "note", "one");
  auto cells = desk.sheet();
  desk.write("7", "note", "two", "Cay");
  desk.write("7", "hold", "paint", "Cay");
  CHECK(desk.seen(cells) == "");
  type(cells, 2, "Note", "three");
  type(cells, 2, "Priority", "5");
  CHECK(desk.seen(cells) == "I2 7 priority: none -> 5\n! K2: Cay wrote \"two\" there since the sheet was downloaded; yours is \"three\"\n");
  type(cells, 2, "Note", "two");
  CHECK(desk.seen(cells) == "I2 7 priority: none -> 5\n");
}

TEST_CASE("Of 5,000 orders with 200 edited cells exactly those are shown and written, as one group that is undone as one") {
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::vector<std::string> orders;
  for (int i = 0; i < 5'000; ++i) orders.push_back(std::to_string(43'000 + i));
  Desk desk(orders);
  for (int i = 0; i < 1'000; ++i) desk.write(orders[random() % orders.size()], "note", "note " + std::to_string(i % 7));
  auto cells = desk.sheet();
  std::map<std::pair<std::string, std::string>, std::string> wanted, stood;
  const std::vector<std::pair<std::string, std::string>> columns{{"Note", "note"}, {"Hold", "hold"}, {"Truck", "truck"}};
  while (wanted.size() < 200) {
    const std::size_t row = random() % 5'000;
    const auto& [title, field] = columns[random() % columns.size()];
    const std::string text = "edited " + std::to_string(wanted.size());
    if (!wanted.try_emplace({orders[row], field}, text).second) continue;
    stood[{orders[row], field}] = desk.text(orders[row], field);
    type(cells, row + 2, title, text);
  }
  const auto sheet = desk.read(cells);
  REQUIRE(sheet);
  CHECK(sheet->refused.empty());
  std::map<std::pair<std::string, std::string>, std::string> found;
  for (const SheetEdit& edit : sheet->edits) {
    found[{edit.order, edit.field}] = edit.after;
    CHECK(edit.before == stood[{edit.order, edit.field}]);
  }
  CHECK(found == wanted);
  auto plan = desk.book().plan_sheet(sheet->wishes, {"Ben", noon}, Desk::nothing);
  REQUIRE(plan);
  const std::uint64_t group = desk.book().last_edit() + 1;
  desk.keep(std::move(*plan));
  for (const auto& [place, text] : wanted) CHECK(desk.text(place.first, place.second) == text);
  CHECK(desk.seen(cells) == "");  // the same sheet again has nothing new
  auto undo = desk.book().plan_undo_group(group, false, {"Cay", noon});
  REQUIRE(undo);
  CHECK(undo->conflicts.empty());
  desk.keep(std::move(*undo));
  for (const auto& [place, text] : stood) CHECK(desk.text(place.first, place.second) == text);
}

}  // namespace millrace::ingest
