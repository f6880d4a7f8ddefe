#include "ingest/internal/fields.h"

#include <array>

#include "base/check.h"
#include "base/text.h"

namespace millrace::ingest {
namespace {

enum class Kind : std::uint8_t { text, date, number, group };
struct FieldRow {
  std::string_view name;
  bool line;
  Kind kind;
};

constexpr std::array<FieldRow, field_count> field_rows{{
    {"order_number", false, Kind::text},       {"source_key", false, Kind::text},
    {"document_status", false, Kind::text},    {"cancelled", false, Kind::text},
    {"revision", false, Kind::text},           {"customer_code", false, Kind::text},
    {"customer_name", false, Kind::text},      {"customer_reference", false, Kind::text},
    {"salesperson", false, Kind::text},        {"payment_terms", false, Kind::text},
    {"comment", false, Kind::text},            {"currency", false, Kind::text},
    {"order_date", false, Kind::date},         {"requested_date", false, Kind::date},
    {"promise_date", false, Kind::date},       {"document_date", false, Kind::date},
    {"document_type", false, Kind::text},      {"document_kind", false, Kind::text},
    {"tax", false, Kind::number},              {"freight", false, Kind::number},
    {"net_total", false, Kind::number},        {"document_total", false, Kind::number},
    {"open_total", false, Kind::number},       {"updated", false, Kind::date},
    {"updated_date", false, Kind::date},       {"updated_time", false, Kind::text},
    {"lines", false, Kind::group},             {"expenses", false, Kind::group},
    {"line_number", true, Kind::number},       {"item_code", true, Kind::text},
    {"item_name", true, Kind::text},           {"manufacturer", true, Kind::text},
    {"warehouse_code", true, Kind::text},      {"unit", true, Kind::text},
    {"quantity_ordered", true, Kind::number},  {"quantity_open", true, Kind::number},
    {"quantity_delivered", true, Kind::number}, {"unit_price", true, Kind::number},
    {"discount", true, Kind::number},          {"line_total", true, Kind::number},
    {"open_amount", true, Kind::number},       {"line_status", true, Kind::text},
    {"line_cancelled", true, Kind::text},      {"line_requested_date", true, Kind::date},
    {"line_promise_date", true, Kind::date},   {"line_currency", true, Kind::text},
    {"expense_amount", true, Kind::number},
}};

const FieldRow& row(Field field) {
  check(field != Field::unknown, "a known field");
  return field_rows[static_cast<std::size_t>(field)];
}

constexpr bool is_filler(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '_' || c == '-' || c == '.' || c == ':';
}

}  // namespace

std::string_view field_name(Field field) { return row(field).name; }
bool is_line_field(Field field) { return row(field).line; }
bool is_date_field(Field field) { return row(field).kind == Kind::date; }
bool is_number_field(Field field) { return row(field).kind == Kind::number; }

std::span<const std::string_view> layout_field_names() {
  static const auto names = [] {
    std::array<std::string_view, field_count> all;
    for (std::size_t i = 0; i < field_count; ++i) all[i] = field_rows[i].name;
    return all;
  }();
  return names;
}

namespace {

bool is_ascii(std::string_view word) {
  unsigned char all = 0;
  for (const char c : word) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

// Writes the word as it is compared; answers its length. `word` is ASCII.
std::size_t write_normal(std::string_view word, char* to) {
  std::size_t size = 0;
  for (const char c : word) {
    if (!is_filler(c)) to[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return size;
}

}  // namespace

std::string normal_word(std::string_view word) {
  const bool ascii = is_ascii(word);
  const std::string folded = ascii ? std::string() : search_fold(trim(word));
  const std::string_view plain = ascii ? word : std::string_view(folded);
  std::string normal(plain.size(), '\0');
  normal.resize(write_normal(plain, normal.data()));
  return normal;
}

CompiledLayout::CompiledLayout(LayoutProfile profile) : profile_(std::move(profile)) {
  for (std::size_t i = 0; i < field_count; ++i) {
    const auto list = profile_.words.find(field_rows[i].name);
    if (list == profile_.words.end()) continue;
    std::uint16_t rank = 0;
    for (const std::string& word : list->second) {
      Words& words = field_rows[i].line ? line_words_ : order_words_;
      words.try_emplace(normal_word(word), FieldMatch{static_cast<Field>(i), rank++});
    }
  }
}

FieldMatch CompiledLayout::find(std::string_view word, Scope scope) const {
  std::array<char, 120> letters;
  if (word.size() > letters.size()) return {};
  if (!is_ascii(word)) return find_normal(normal_word(word), scope);
  return find_normal({letters.data(), write_normal(word, letters.data())}, scope);
}

FieldMatch CompiledLayout::find_normal(std::string_view normal, Scope scope) const {
  if (normal.empty()) return {};
  FieldMatch match;
  if (scope != Scope::line) {
    if (const auto found = order_words_.find(normal); found != order_words_.end()) match = found->second;
    // "Open amount" below a page is the order's; as a column of a flat table it is the line's.
    if (match.field != Field::unknown && !(scope == Scope::flat && match.field == Field::open_total)) return match;
  }
  if (scope != Scope::order) {
    if (const auto found = line_words_.find(normal); found != line_words_.end()) return found->second;
  }
  return match;
}

}  // namespace millrace::ingest
