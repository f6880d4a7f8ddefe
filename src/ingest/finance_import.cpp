#include "ingest/finance_import.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "domain/finance_codec.h"
#include "ingest/internal/finance_rows.h"

namespace millrace::ingest {
namespace {

using F = ImportField;

constexpr std::size_t header_rows_looked_at = 40;  // letterheads stand above a header, but not for pages

std::vector<TableRow> rows_of(const std::vector<TableCell>& cells) {
  std::vector<TableRow> rows;
  for (auto begin = cells.begin(); begin != cells.end();) {
    const auto end = std::find_if(begin, cells.end(), [&](const TableCell& cell) { return cell.row != begin->row; });
    rows.push_back({begin->row + 1, std::span(begin, end)});
    begin = end;
  }
  return rows;
}

// "A" is 0, "AB" is 27; nothing for other words.
std::optional<std::uint32_t> column_letter(std::string_view text) {
  if (text.empty() || text.size() > 3 || !std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; })) return std::nullopt;
  std::uint32_t column = 0;
  for (const char c : text) column = column * 26 + static_cast<std::uint32_t>(c - 'A' + 1);
  return column - 1;
}

bool same_header(std::string_view left, std::string_view right) { return trim(left) == trim(right) || (!folded_word(left).empty() && folded_word(left) == folded_word(right)); }

// What a row would be as the header.
struct Header {
  std::uint32_t row = 0;  // 0: the table has none
  ImportColumns columns;
  std::vector<std::string> unused;
  std::size_t width = 0;  // columns with a name
  std::size_t known = 0;
};

Header as_header(const TableRow& row, const ImportKind& kind, const ImportOptions& options) {
  Header header;
  header.row = row.number;
  const auto give = [&](F field, const TableCell& cell, Currency currency) {
    auto& column = header.columns[field];
    if (column) return false;
    column.emplace();
    column->column = cell.column;
    column->header = text_of_cell(cell);
    column->currency = currency;
    ++header.known;
    return true;
  };
  std::vector<const TableCell*> left;
  for (const TableCell& cell : row.cells) {
    if (text_of_cell(cell).empty()) continue;
    header.width = std::max<std::size_t>(header.width, cell.column + 1);
    const auto said = std::ranges::find_if(options.columns, [&](const auto& wish) { return same_header(wish.second, cell.text); });
    if (said == options.columns.end() || !kind.has(said->first) || !give(said->first, cell, header_meaning(cell.text, kind).currency)) left.push_back(&cell);
  }
  for (const TableCell* cell : left) {
    const HeaderMeaning meaning = cell->kind == TableCell::Kind::text ? header_meaning(cell->text, kind) : HeaderMeaning();
    const bool taken = meaning.field && options.columns.contains(*meaning.field);  // a person gave it another column
    if (!meaning.field || taken || !give(*meaning.field, *cell, meaning.currency)) header.unused.push_back(text_of_cell(*cell));
  }
  return header;
}

Failure no_header(const ImportKind& kind) {
  std::string needed;
  for (const F field : kind.needed) needed += (needed.empty() ? "" : ", ") + std::string(word(field));
  return fail(ErrorCode::invalid_input, "no row of the file names its columns as a " + std::string(word(kind.kind)) + " needs them (" + needed + "); say which column is which, like map=posted:Datum or, without a header, map=posted:A");
}

Result<Header> header_of(const std::vector<TableRow>& rows, const ImportKind& kind, const ImportOptions& options) {
  Header best;
  for (std::size_t i = 0; i < rows.size() && (options.header_row || i < header_rows_looked_at); ++i) {
    if (options.header_row && rows[i].number != *options.header_row) continue;
    Header header = as_header(rows[i], kind, options);
    if (header.known > best.known && (header.known >= 2 || options.header_row)) best = std::move(header);
  }
  // Columns by their letters need no header.
  for (const auto& [field, name] : options.columns) {
    if (!kind.has(field)) return fail(ErrorCode::invalid_input, "a " + std::string(word(kind.kind)) + " has no " + std::string(word(field)) + "; leave it out of the map");
    if (best.columns[field]) continue;
    const auto letter = column_letter(trim(name));
    if (!letter) return fail(ErrorCode::invalid_input, "the file has no column " + printable(name) + " for " + std::string(word(field)) + "; name one of its columns or a letter like C");
    best.columns[field].emplace();
    best.columns[field]->column = *letter;
    best.columns[field]->header = trim(name);
    ++best.known;
  }
  if (best.known == 0) return no_header(kind);
  return best;
}

std::vector<F> missing_fields(const ImportKind& kind, const ImportColumns& columns) {
  std::vector<F> missing;
  for (const F field : kind.needed) {
    const bool other = (field == F::party && columns[F::party_name]) || (field == F::posted && columns[F::due] && kind.kind == FinanceKind::cost);
    if (!columns[field] && !other) missing.push_back(field);
  }
  return missing;
}

DayOrder day_order_of(std::string_view word) {
  return word == "dmy" ? DayOrder::dmy : word == "mdy" ? DayOrder::mdy : word == "ymd" ? DayOrder::ymd : DayOrder::unknown;
}

// Every column hears its own cells; a column that cannot tell takes what the others say.
void settle_columns(Header& header, std::span<const TableRow> rows, const ImportOptions& options, const TableFacts& facts) {
  for (std::size_t i = 0; i < import_field_count; ++i) {
    auto& column = header.columns.of[i];
    const FieldType type = type_of(static_cast<F>(i));
    if (!column || (type != FieldType::day && type != FieldType::number)) continue;
    for (const TableRow& row : rows) {
      const TableCell* cell = cell_at(row, column->column);
      if (cell == nullptr) continue;
      if (type == FieldType::day) column->days.hear(*cell);
      else column->numbers.hear(*cell);
    }
  }
  std::array<bool, 2> marks{}, orders{};
  for (std::size_t i = 0; i < import_field_count; ++i) {
    const auto& column = header.columns.of[i];
    if (!column) continue;
    const FieldType type = type_of(static_cast<F>(i));
    if (type == FieldType::number)
      if (const auto mark = column->numbers.vote()) marks[*mark == ','] = true;
    if (type == FieldType::day && column->days.vote() != DayOrder::unknown) orders[column->days.vote() == DayOrder::mdy] = true;
  }
  NumberColumn::Help numbers{options.decimal_mark, std::nullopt, facts.separator == ";" ? ',' : '.'};
  if (marks[0] != marks[1]) numbers.others = marks[1] ? ',' : '.';
  DayColumn::Help days;
  days.said = day_order_of(options.date_order);
  if (orders[0] != orders[1]) days.others = orders[1] ? DayOrder::mdy : DayOrder::dmy;
  days.from_1904 = facts.from_1904;
  days.today = options.today;
  for (auto& column : header.columns.of) {
    if (!column) continue;
    column->numbers.settle(numbers);
    column->days.settle(days);
  }
}

// Why a row below the header is none of the table's own, "" when it is one.
class RowFilter {
 public:
  RowFilter(const Header& header, Format format) : header_(header), format_(format) {}

  std::string reason(const TableRow& row) {
    std::size_t mapped = 0, as_header = 0;
    bool sum_word = false, has_day = false;
    for (std::size_t i = 0; i < import_field_count; ++i) {
      const auto& column = header_.columns.of[i];
      const TableCell* cell = column ? cell_at(row, column->column) : nullptr;
      if (cell == nullptr) continue;
      const std::string text = text_of_cell(*cell);
      if (text.empty()) continue;
      ++mapped;
      as_header += same_header(text, column->header);
      has_day = has_day || (type_of(static_cast<F>(i)) == FieldType::day && column->days.read(*cell).day);
    }
    for (const TableCell& cell : row.cells) sum_word = sum_word || (cell.kind == TableCell::Kind::text && is_sum_word(cell.text));
    if (mapped == 0) return "nothing stands in the columns that are read";
    if (mapped >= 2 && as_header == mapped) return "the header once more";
    if (sum_word && !has_day) return "a row of totals";
    const auto amount = amount_of(row, header_.columns);
    if (!amount.number) return "";
    constexpr int digits = 4;
    const std::int64_t value = scaled(*amount.number, digits).value_or(0);
    if (mapped == 1 && rows_ > 1 && value == sum_) return "the sum of the rows above";
    if (!__builtin_add_overflow(sum_, value, &sum_)) ++rows_;
    return "";
  }

  // An amount with an unquoted comma makes a row of a CSV file wider than its header.
  bool is_too_wide(const TableRow& row) const {
    return format_ == Format::csv && header_.row != 0 && std::ranges::any_of(row.cells, [&](const TableCell& cell) { return cell.column >= header_.width && !trim(cell.text).empty(); });
  }

 private:
  const Header& header_;
  const Format format_;
  std::int64_t sum_ = 0;  // of the amounts so far, with four decimals
  std::size_t rows_ = 0;
};

// A bank writes what goes out below zero: where all are so, the sign says nothing.
bool all_negative(std::span<const TableRow> rows, const ImportColumns& columns, FinanceKind kind) {
  if (kind == FinanceKind::balance) return false;
  bool any = false;
  for (const TableRow& row : rows) {
    const NumberReading amount = amount_of(row, columns);
    if (!amount.number || amount.number->is_zero()) continue;
    if (amount.number->mantissa > 0) return false;
    any = true;
  }
  return any;
}

ImportGuess guess_of(const Header& header, const ParsedDocument& table, const ImportOptions& options, bool negative) {
  ImportGuess guess;
  guess.separator = table.facts.separator;
  guess.encoding = table.facts.encoding;
  guess.sheet = table.facts.sheet;
  guess.header_row = header.row;
  guess.unused = header.unused;
  guess.sign = negative ? "negative" : "";
  guess.currency = options.currency.code();
  for (std::size_t i = 0; i < import_field_count; ++i)
    if (header.columns.of[i]) guess.columns.emplace_back(static_cast<F>(i), header.columns.of[i]->header);
  for (const F field : {F::amount, F::rate, F::quantity})
    if (const auto& column = header.columns[field]; column && guess.decimal.empty()) guess.decimal = column->numbers.mark();
  for (const F field : {F::posted, F::due})
    if (const auto& column = header.columns[field]; column && guess.date.empty()) guess.date = picture(column->days.order(), column->days.separator());
  if (const auto& amount = header.columns[F::amount]; amount && !amount->currency.empty()) guess.currency = amount->currency.code();
  return guess;
}

void count(ImportCounts& counts, ImportRow::State state) {
  switch (state) {
    case ImportRow::State::fresh: ++counts.fresh; break;
    case ImportRow::State::changed: ++counts.changed; break;
    case ImportRow::State::same: ++counts.same; break;
    case ImportRow::State::doubtful: ++counts.doubtful; break;
    case ImportRow::State::refused: ++counts.refused; break;
    case ImportRow::State::skipped: ++counts.skipped; break;
  }
}

Result<void> read_rows(ImportPreview& preview, const Header& header, std::span<const TableRow> rows, const ImportKind& kind, const ImportOptions& options, bool negative, const FinanceLookup& standing) {
  RowReader reader(kind, options, header.columns, negative, standing);
  RowFilter filter(header, preview.format);
  preview.rows.reserve(rows.size());
  for (const TableRow& row : rows) {
    ImportRow read;
    read.row = row.number;
    if (std::string reason = filter.reason(row); !reason.empty()) {
      read.state = ImportRow::State::skipped;
      read.reason = std::move(reason);
    } else if (filter.is_too_wide(row)) {
      read.state = ImportRow::State::refused;
      read.reason = "the row has more fields than the header; a text or amount with a " + preview.guess.separator + " in it needs quotes";
    } else {
      auto made = reader.read(row);
      if (!made) return pass_on(made);
      read = std::move(*made);
    }
    count(preview.counts, read.state);
    preview.rows.push_back(std::move(read));
  }
  return {};
}

}  // namespace

std::string_view word(ImportRow::State state) {
  switch (state) {
    case ImportRow::State::fresh: return "new";
    case ImportRow::State::changed: return "changed";
    case ImportRow::State::same: return "same";
    case ImportRow::State::doubtful: return "doubtful";
    case ImportRow::State::refused: return "refused";
    case ImportRow::State::skipped: return "skipped";
  }
  return "";
}

Result<ImportPreview> preview_finance_table(const ParsedDocument& table, const ImportOptions& options, const FinanceLookup& standing) {
  const ImportKind* kind = import_kind(options.kind);
  if (kind == nullptr) return fail(ErrorCode::invalid_input, "a " + std::string(word(options.kind)) + " is not read from a table; write it one by one");
  const std::vector<TableRow> rows = rows_of(table.table);
  if (rows.empty()) return fail(ErrorCode::invalid_input, "the file has no rows; is it the right one?");
  auto header = header_of(rows, *kind, options);
  if (!header) return pass_on(header);
  const auto first = std::ranges::find_if(rows, [&](const TableRow& row) { return row.number > header->row; });
  const std::span<const TableRow> below(first, rows.end());
  if (below.size() > import_rows_max) return fail(ErrorCode::limit_reached, "the file has " + std::to_string(below.size()) + " rows, the limit is " + std::to_string(import_rows_max) + "; send it in parts");
  settle_columns(*header, below, options, table.facts);
  const bool negative = all_negative(below, header->columns, options.kind);
  ImportPreview preview;
  preview.kind = options.kind;
  preview.format = table.format;
  preview.guess = guess_of(*header, table, options, negative);
  preview.missing = missing_fields(*kind, header->columns);
  if (!preview.missing.empty()) return preview;
  if (const auto read = read_rows(preview, *header, below, *kind, options, negative, standing); !read) return pass_on(read);
  return preview;
}

std::optional<FinanceKind> guess_finance_kind(const ParsedDocument& table, std::string_view name) {
  if (const auto named = kind_in_name(name)) return named;
  // The kind all of whose needed fields are there, and no other is as complete.
  const std::vector<TableRow> rows = rows_of(table.table);
  std::optional<FinanceKind> best;
  std::size_t best_known = 0;
  bool tie = false;
  for (int value = 1; value < static_cast<int>(finance_kind_count); ++value) {
    const ImportKind* kind = import_kind(static_cast<FinanceKind>(value));
    if (kind == nullptr) continue;
    std::size_t known = 0;
    for (std::size_t i = 0; i < std::min(rows.size(), header_rows_looked_at); ++i) {
      const Header header = as_header(rows[i], *kind, {});
      if (missing_fields(*kind, header.columns).empty()) known = std::max(known, header.known);
    }
    if (known == 0 || known < best_known) continue;
    tie = known == best_known;
    best_known = known;
    best = kind->kind;
  }
  return tie ? std::nullopt : best;
}

std::string finance_version(const FinanceDocument& document) {
  FinanceDocument bare = document;
  bare.source.clear();
  bare.source_key.clear();
  bare.origin.clear();
  bare.place = {};
  std::string text;
  std::uint64_t hash = hash64(encode(bare));
  for (int digit = 0; digit < 16; ++digit, hash >>= 4) text += "0123456789abcdef"[hash & 15];
  return text;
}

}  // namespace millrace::ingest
