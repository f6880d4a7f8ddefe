#include "ingest/overlay_sheet.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/hash.h"
#include "base/text.h"
#include "ingest/internal/sheet_reader.h"

namespace millrace::ingest {
namespace {

struct LockedColumn {
  std::string_view field, title;
};
// Order and version come first: together they say what the row is about.
constexpr std::array locked_columns{LockedColumn{"order", "Order"},         LockedColumn{"version", "Version"}, LockedColumn{"customer", "Customer"},
                                    LockedColumn{"customer_name", "Customer name"}, LockedColumn{"status", "Status"}, LockedColumn{"requested", "Requested"},
                                    LockedColumn{"promise", "Promise"}};
constexpr std::string_view check_title = "Check";

std::string title_of(std::string_view field) {
  if (field == overlay_field::promised_date) return "Promised date";
  std::string title(field);
  title.front() = static_cast<char>(title.front() & ~0x20);
  return title;
}

std::string hex_of(std::string_view text, int digits) {
  std::string out;
  for (std::uint64_t hash = hash64(text); digits > 0; --digits, hash >>= 4) out += "0123456789abcdef"[hash & 15];
  return out;
}

// "1f0c2d3e-12ab-...": of order and version together, then of every other locked cell.
std::vector<std::string> check_parts(std::span<const std::string> locked) {
  const auto clean = [](const std::string& text) { return std::string(trim(printable(text))); };
  std::vector<std::string> parts{hex_of(clean(locked[0]) + "\n" + clean(locked[1]), 12)};
  for (const std::string& text : locked.subspan(2)) parts.push_back(hex_of(clean(text), 4));
  return parts;
}

ParsedDocument refused(std::string reason) {
  ParsedDocument document;
  document.format = Format::xlsx;
  document.findings.push_back({feed::Outcome::reject, "", std::move(reason), "", ""});
  return document;
}

// Where the columns stand in the sheet that came back.
struct Layout {
  std::vector<OverlaySheetColumn> columns;
  std::map<std::uint32_t, std::size_t> column_at;    // column of the sheet -> place in `columns`
  std::vector<std::optional<std::uint32_t>> place;   // place in `columns` -> column of the sheet
};

Result<Layout> layout_of(std::span<const TableCell> head, const OverlayFields& fields) {
  Layout layout{overlay_sheet_columns(fields), {}, {}};
  layout.place.resize(layout.columns.size());
  for (const TableCell& cell : head) {
    const auto known = std::ranges::find_if(layout.columns, [&](const OverlaySheetColumn& column) { return equal_ignoring_case(column.title, trim(cell.text)); });
    if (known == layout.columns.end()) continue;  // people add columns for themselves
    const auto at = static_cast<std::size_t>(known - layout.columns.begin());
    if (layout.place[at]) return fail(ErrorCode::invalid_input, "the sheet has two columns \"" + known->title + "\"; leave the first row as it was");
    layout.place[at] = cell.column;
    layout.column_at[cell.column] = at;
  }
  for (std::size_t at = 0; at < layout.columns.size(); ++at) {
    const bool needed = at < 2 || layout.columns[at].part == SheetPart::check;
    if (needed && !layout.place[at])
      return fail(ErrorCode::invalid_input, "the sheet has no column \"" + layout.columns[at].title + "\" in its first row; edit a sheet that was downloaded here");
  }
  return layout;
}

// One row after the other, against the book.
class Reader {
 public:
  Reader(const Layout& layout, const OverlayBook& book, const std::function<bool(const std::string&)>& has_order, const OverlayAsker& asker)
      : layout_(layout), book_(book), has_order_(has_order), asker_(asker) {}

  Result<void> row(std::uint32_t number, std::span<const TableCell> cells) {
    row_ = number;
    texts_.assign(layout_.columns.size(), "");
    unread_.assign(layout_.columns.size(), false);
    for (const TableCell& cell : cells) {
      const auto at = layout_.column_at.find(cell.column);
      if (at == layout_.column_at.end()) continue;
      texts_[at->second] = cell.text;
      unread_[at->second] = cell.unread;
    }
    if (std::ranges::all_of(texts_, [](const std::string& text) { return text.empty(); })) return {};
    ++sheet.rows;
    const auto version = checked_row();
    if (!version) return {};
    return edits(texts_[0], *version);
  }

  OverlaySheet sheet;

 private:
  std::string cell_of(std::size_t at) const { return cell_name(static_cast<std::int32_t>(row_), static_cast<std::int32_t>(layout_.place[at].value_or(0))); }
  void refuse(std::size_t at, std::string reason) { sheet.refused.push_back({cell_of(at), texts_[0], layout_.columns[at].field, std::move(reason), std::nullopt}); }

  // The version that the row speaks of, when the row can be read.
  std::optional<std::uint64_t> checked_row() {
    const std::string& order = texts_[0];
    if (order.empty()) return refuse(0, "the row has no order number"), std::nullopt;
    const auto locked_end = std::ranges::find_if(layout_.columns, [](const OverlaySheetColumn& column) { return column.part != SheetPart::locked; });
    const auto locked = static_cast<std::size_t>(locked_end - layout_.columns.begin());
    const std::vector<std::string> wanted = check_parts(std::span(texts_).first(locked));
    const std::vector<std::string_view> said = split(texts_.back(), '-');
    if (said.size() != wanted.size() || said[0] != wanted[0])
      return refuse(said.size() != wanted.size() ? layout_.columns.size() - 1 : 0, "order, version and check of this row do not belong together; leave them as they were downloaded"), std::nullopt;
    for (std::size_t at = 2; at < locked; ++at)
      if (layout_.place[at] && said[at - 1] != wanted[at - 1]) refuse(at, "\"" + layout_.columns[at].title + "\" comes from the sources and cannot be edited here");
    if (const auto [known, is_new] = rows_of_.try_emplace(order, row_); !is_new)
      return refuse(0, "order " + printable(order) + " stands in row " + std::to_string(known->second + 1) + " too; edit it once"), std::nullopt;
    if (book_.find(order) == nullptr && !has_order_(order)) return refuse(0, "there is no order " + printable(order) + " (any more)"), std::nullopt;
    std::uint64_t version = 0;
    const std::string& text = texts_[1];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size()) return refuse(1, "the version is no whole number"), std::nullopt;
    return version;
  }

  Result<void> edits(const std::string& order, std::uint64_t version) {
    const KeptOverlay* now = book_.find(order);
    if (version > (now == nullptr ? 0 : now->version())) {
      refuse(1, "this version of order " + printable(order) + " does not exist; download the sheet again");
      return {};
    }
    const auto seen = book_.values_at(order, version);
    if (!seen) return pass_on(seen);
    std::vector<OverlayWish> wishes;
    std::map<std::string, std::size_t, std::less<>> at_of;
    for (std::size_t at = 0; at < layout_.columns.size(); ++at) {
      if (layout_.columns[at].part != SheetPart::editable || !layout_.place[at]) continue;
      if (auto wish = wish_of(at, *seen)) {
        at_of[wish->field] = at;
        wishes.push_back(std::move(*wish));
      }
    }
    if (wishes.empty()) return {};
    return meet(order, version, *seen, std::move(wishes), at_of);
  }

  // What the cell asks for, when it says something else than stood there.
  std::optional<OverlayWish> wish_of(std::size_t at, const OverlayValues& seen) {
    const OverlayValue* before = find(seen, layout_.columns[at].field);
    const std::string_view was = before == nullptr ? std::string_view() : std::string_view(before->value);
    if (unread_[at]) return refuse(at, "the cell holds a formula without a value; write the value"), std::nullopt;
    if (trim(texts_[at]) == was) return std::nullopt;
    auto value = book_.fields().checked(layout_.columns[at].field, texts_[at]);
    if (!value) return refuse(at, value.error().text()), std::nullopt;
    if (*value == was) return std::nullopt;
    return OverlayWish{layout_.columns[at].field, std::move(*value), std::nullopt};
  }

  // Cells that somebody else changed since are refused with both values; what stands there already needs no edit.
  Result<void> meet(const std::string& order, std::uint64_t version, const OverlayValues& seen, std::vector<OverlayWish> wishes,
                    const std::map<std::string, std::size_t, std::less<>>& at_of) {
    const auto nothing = [](const std::string&, std::string_view) -> Result<std::string> { return std::string(); };
    const auto plan = book_.plan_edit(order, version, wishes, asker_, nothing);
    if (!plan) return pass_on(plan);
    for (const OverlayConflict& conflict : plan->conflicts) {
      refuse(at_of.find(conflict.field)->second, conflict.by + " wrote \"" + (conflict.theirs ? conflict.theirs->value : std::string()) + "\" there since the sheet was downloaded; yours is \"" + conflict.mine.value_or("") + "\"");
      sheet.refused.back().conflict = conflict;
    }
    OverlayOrderWishes own{order, version, {}};
    for (OverlayWish& wish : wishes) {
      if (std::ranges::find(plan->conflicts, wish.field, &OverlayConflict::field) != plan->conflicts.end()) continue;
      const KeptOverlay* now = book_.find(order);
      const OverlayValue* standing = now == nullptr ? nullptr : find(now->values, wish.field);
      if ((standing == nullptr ? std::string() : standing->value) == *wish.value) continue;
      const OverlayValue* before = find(seen, wish.field);
      sheet.edits.push_back({cell_of(at_of.find(wish.field)->second), order, wish.field, before == nullptr ? "" : before->value, *wish.value});
      own.wishes.push_back(std::move(wish));
    }
    if (!own.wishes.empty()) sheet.wishes.push_back(std::move(own));
    if (sheet.edits.size() > sheet_edits_max)
      return fail(ErrorCode::limit_reached, "more than " + std::to_string(sheet_edits_max) + " cells were edited; send fewer rows at a time");
    return {};
  }

  const Layout& layout_;
  const OverlayBook& book_;
  const std::function<bool(const std::string&)>& has_order_;
  const OverlayAsker& asker_;
  std::map<std::string, std::uint32_t> rows_of_;
  std::uint32_t row_ = 0;
  std::vector<std::string> texts_;  // of the row, by column
  std::vector<bool> unread_;
};

}  // namespace

std::vector<OverlaySheetColumn> overlay_sheet_columns(const OverlayFields& fields) {
  std::vector<OverlaySheetColumn> columns;
  for (const LockedColumn& column : locked_columns) columns.push_back({std::string(column.title), std::string(column.field), SheetPart::locked});
  for (const std::string_view field : fields.names()) {
    const auto own = std::ranges::find(fields.own(), field, &OwnColumn::name);
    columns.push_back({own == fields.own().end() ? title_of(field) : own->title, std::string(field), SheetPart::editable});
  }
  columns.push_back({std::string(check_title), "check", SheetPart::check});
  return columns;
}

std::string overlay_sheet_check(std::span<const std::string> locked) {
  std::string text;
  for (const std::string& part : check_parts(locked)) text += (text.empty() ? "" : "-") + part;
  return text;
}

ParsedDocument parse_overlay_sheet(std::string_view content) {
  const auto workbook = read_workbook(content);
  if (!workbook) return refused(workbook.error().text());
  if (workbook->sheets.empty()) return refused("this is no workbook with a sheet in it");
  const Sheet& sheet = workbook->sheets.front();
  if (sheet.cells.size() > sheet_cells_max) return refused("the sheet has more than " + std::to_string(sheet_cells_max) + " cells; send fewer rows at a time");
  ParsedDocument document;
  document.format = Format::xlsx;
  document.table.reserve(sheet.cells.size());
  for (const SheetCell& cell : sheet.cells)
    document.table.push_back({static_cast<std::uint32_t>(cell.row), static_cast<std::uint32_t>(cell.column), text_of(cell.value), cell.formula_without_value});
  return document;
}

Result<OverlaySheet> read_overlay_sheet(const std::vector<TableCell>& cells, const OverlayBook& book,
                                        const std::function<bool(const std::string& order)>& has_order, const OverlayAsker& asker) {
  const auto row_end = [&](auto from) { return std::find_if(from, cells.end(), [&](const TableCell& cell) { return cell.row != from->row; }); };
  if (cells.empty()) return fail(ErrorCode::invalid_input, "the sheet is empty");
  auto begin = cells.begin(), end = row_end(begin);
  const auto layout = layout_of(std::span(begin, end), book.fields());
  if (!layout) return pass_on(layout);
  Reader reader(*layout, book, has_order, asker);
  for (begin = end; begin != cells.end(); begin = end) {
    end = row_end(begin);
    if (const auto read = reader.row(begin->row, std::span(begin, end)); !read) return pass_on(read);
  }
  return std::move(reader.sheet);
}

}  // namespace millrace::ingest
