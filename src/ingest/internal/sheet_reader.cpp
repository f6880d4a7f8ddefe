#include "ingest/internal/sheet_reader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <orcus/config.hpp>
#include <orcus/exception.hpp>
#include <orcus/orcus_xlsx.hpp>
#include <orcus/spreadsheet/import_interface.hpp>

#include "base/text.h"
#include "ingest/internal/zip_check.h"

namespace millrace::ingest {
namespace {

namespace os = orcus::spreadsheet;
constexpr std::size_t cells_max = 2'000'000;

struct TooManyCells {};

// Format numbers that the file format fixes as days or times.
bool is_date_id(std::size_t id) {
  return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

bool is_date_code(std::string_view code) {
  bool quoted = false;
  bool bracket = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\\' || c == '_' || c == '*') {
      ++i;
      continue;
    }
    if (c == '[') bracket = true;
    if (c == ']') bracket = false;
    if (bracket) continue;
    if (c == 'y' || c == 'Y' || c == 'd' || c == 'D' || c == 'h' || c == 'H') return true;
    if (c == 'G' || c == 'g') return false;  // General
  }
  return false;
}

class Styles final : public os::iface::import_styles {
 public:
  bool is_date(std::size_t xf) const { return xf < dates_.size() && dates_[xf]; }

  void set_number_format_identifier(size_t id) override { id_ = id; }
  void set_number_format_code(std::string_view code) override { code_ = code; }
  size_t commit_number_format() override {
    codes_[id_] = code_;
    return id_;
  }
  void set_xf_number_format(size_t index) override { xf_format_ = index; }
  size_t commit_cell_xf() override {
    const auto own = codes_.find(xf_format_);
    dates_.push_back(own != codes_.end() ? is_date_code(own->second) : is_date_id(xf_format_));
    xf_format_ = 0;
    return dates_.size() - 1;
  }
  size_t commit_cell_style_xf() override {
    xf_format_ = 0;
    return style_count_++;
  }
  size_t commit_dxf() override {
    xf_format_ = 0;
    return dxf_count_++;
  }

  // Looks do not matter to an order.
  void set_font_count(size_t) override {}
  void set_font_bold(bool) override {}
  void set_font_italic(bool) override {}
  void set_font_name(std::string_view) override {}
  void set_font_size(double) override {}
  void set_font_underline(os::underline_t) override {}
  void set_font_underline_width(os::underline_width_t) override {}
  void set_font_underline_mode(os::underline_mode_t) override {}
  void set_font_underline_type(os::underline_type_t) override {}
  void set_font_underline_color(os::color_elem_t, os::color_elem_t, os::color_elem_t, os::color_elem_t) override {}
  void set_font_color(os::color_elem_t, os::color_elem_t, os::color_elem_t, os::color_elem_t) override {}
  void set_strikethrough_style(os::strikethrough_style_t) override {}
  void set_strikethrough_type(os::strikethrough_type_t) override {}
  void set_strikethrough_width(os::strikethrough_width_t) override {}
  void set_strikethrough_text(os::strikethrough_text_t) override {}
  size_t commit_font() override { return 0; }
  void set_fill_count(size_t) override {}
  void set_fill_pattern_type(os::fill_pattern_t) override {}
  void set_fill_fg_color(os::color_elem_t, os::color_elem_t, os::color_elem_t, os::color_elem_t) override {}
  void set_fill_bg_color(os::color_elem_t, os::color_elem_t, os::color_elem_t, os::color_elem_t) override {}
  size_t commit_fill() override { return 0; }
  void set_border_count(size_t) override {}
  void set_border_style(os::border_direction_t, os::border_style_t) override {}
  void set_border_color(os::border_direction_t, os::color_elem_t, os::color_elem_t, os::color_elem_t, os::color_elem_t) override {}
  void set_border_width(os::border_direction_t, double, orcus::length_unit_t) override {}
  size_t commit_border() override { return 0; }
  void set_cell_hidden(bool) override {}
  void set_cell_locked(bool) override {}
  void set_cell_print_content(bool) override {}
  void set_cell_formula_hidden(bool) override {}
  size_t commit_cell_protection() override { return 0; }
  void set_number_format_count(size_t) override {}
  void set_cell_xf_count(size_t) override {}
  void set_cell_style_xf_count(size_t) override {}
  void set_dxf_count(size_t) override {}
  void set_xf_font(size_t) override {}
  void set_xf_fill(size_t) override {}
  void set_xf_border(size_t) override {}
  void set_xf_protection(size_t) override {}
  void set_xf_style_xf(size_t) override {}
  void set_xf_apply_alignment(bool) override {}
  void set_xf_horizontal_alignment(os::hor_alignment_t) override {}
  void set_xf_vertical_alignment(os::ver_alignment_t) override {}
  void set_cell_style_count(size_t) override {}
  void set_cell_style_name(std::string_view) override {}
  void set_cell_style_xf(size_t) override {}
  void set_cell_style_builtin(size_t) override {}
  void set_cell_style_parent_name(std::string_view) override {}
  size_t commit_cell_style() override { return 0; }

 private:
  std::size_t id_ = 0;
  std::string code_;
  std::map<std::size_t, std::string> codes_;
  std::size_t xf_format_ = 0;
  std::size_t style_count_ = 0;
  std::size_t dxf_count_ = 0;
  std::vector<bool> dates_;
};

class Strings final : public os::iface::import_shared_strings {
 public:
  explicit Strings(std::deque<std::string>& texts) : texts_(texts) {}
  std::string_view at(std::size_t index) const { return index < texts_.size() ? std::string_view(texts_[index]) : std::string_view(); }

  size_t append(std::string_view text) override {
    if (texts_.size() >= cells_max) throw TooManyCells{};
    texts_.emplace_back(text);
    return texts_.size() - 1;
  }
  size_t add(std::string_view text) override { return append(text); }
  void set_segment_font(size_t) override {}
  void set_segment_bold(bool) override {}
  void set_segment_italic(bool) override {}
  void set_segment_font_name(std::string_view) override {}
  void set_segment_font_size(double) override {}
  void set_segment_font_color(os::color_elem_t, os::color_elem_t, os::color_elem_t, os::color_elem_t) override {}
  void append_segment(std::string_view text) override { segments_.append(text); }
  size_t commit_segments() override {
    const std::size_t index = append(segments_);
    segments_.clear();
    return index;
  }

 private:
  std::deque<std::string>& texts_;
  std::string segments_;
};

// A cell before its style is applied: orcus tells value and format separately.
struct RawCell {
  enum class Kind : std::uint8_t { none, text, number, truth, moment, formula };
  std::int32_t row = 0;
  std::int32_t column = 0;
  Kind kind = Kind::none;
  std::uint32_t text = 0;
  std::size_t format = 0;
  double number = 0;
};

class SheetSink final : public os::iface::import_sheet, public os::iface::import_formula {
 public:
  SheetSink(std::string name, Strings& strings, std::size_t& cell_count)
      : name_(std::move(name)), strings_(strings), cell_count_(cell_count) {}

  const std::string& name() const { return name_; }
  std::vector<RawCell>& cells() { return cells_; }

  os::iface::import_formula* get_formula() override { return this; }
  void set_auto(os::row_t row, os::col_t col, std::string_view text) override { text_cell(row, col, text); }
  void set_string(os::row_t row, os::col_t col, os::string_id_t index) override {
    RawCell& cell = at(row, col);
    cell.kind = RawCell::Kind::text;
    cell.text = index;
  }
  void set_value(os::row_t row, os::col_t col, double value) override {
    RawCell& cell = at(row, col);
    cell.kind = RawCell::Kind::number;
    cell.number = value;
  }
  void set_bool(os::row_t row, os::col_t col, bool value) override {
    RawCell& cell = at(row, col);
    cell.kind = RawCell::Kind::truth;
    cell.number = value ? 1 : 0;
  }
  void set_date_time(os::row_t row, os::col_t col, int year, int month, int day, int hour, int minute, double second) override {
    using namespace std::chrono;
    const Day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)}, std::chrono::day{static_cast<unsigned>(day)}};
    RawCell& cell = at(row, col);
    cell.kind = RawCell::Kind::moment;
    cell.number = date.ok() ? static_cast<double>(day_number(date)) * 86400 + hour * 3600.0 + minute * 60.0 + second : -1;
  }
  void set_format(os::row_t row, os::col_t col, size_t xf) override { at(row, col).format = xf; }
  // Whole styled rows and columns hold no values: nothing to keep.
  void set_format(os::row_t, os::col_t, os::row_t, os::col_t, size_t) override {}
  void fill_down_cells(os::row_t, os::col_t, os::row_t) override {}
  os::range_size_t get_sheet_size() const override { return {1048576, 16384}; }

  void set_position(os::row_t row, os::col_t col) override {
    RawCell& cell = at(row, col);
    cell.kind = RawCell::Kind::formula;
    formula_row_ = row;
    formula_column_ = col;
  }
  void set_formula(os::formula_grammar_t, std::string_view) override {}
  void set_shared_formula_index(size_t) override {}
  void set_result_string(std::string_view text) override { text_cell(formula_row_, formula_column_, text); }
  void set_result_value(double value) override { set_value(formula_row_, formula_column_, value); }
  void set_result_bool(bool value) override { set_bool(formula_row_, formula_column_, value); }
  void set_result_empty() override {}
  void commit() override {}

 private:
  RawCell& at(os::row_t row, os::col_t col) {
    if (cells_.empty() || cells_.back().row != row || cells_.back().column != col) {
      if (++cell_count_ > cells_max) throw TooManyCells{};
      cells_.push_back({row, col});
    }
    return cells_.back();
  }
  void text_cell(os::row_t row, os::col_t col, std::string_view text) {
    const std::size_t index = strings_.append(text);
    RawCell& cell = at(row, col);
    cell.kind = RawCell::Kind::text;
    cell.text = static_cast<std::uint32_t>(index);
  }

  std::string name_;
  Strings& strings_;
  std::size_t& cell_count_;
  std::vector<RawCell> cells_;
  std::int32_t formula_row_ = 0;
  std::int32_t formula_column_ = 0;
};

class Settings final : public os::iface::import_global_settings {
 public:
  std::int32_t origin() const { return origin_; }
  void set_origin_date(int year, int month, int day) override {
    const Day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)}, std::chrono::day{static_cast<unsigned>(day)}};
    if (date.ok()) origin_ = day_number(date);
  }
  void set_default_formula_grammar(os::formula_grammar_t grammar) override { grammar_ = grammar; }
  os::formula_grammar_t get_default_formula_grammar() const override { return grammar_; }
  void set_character_set(orcus::character_set_t) override {}

 private:
  os::formula_grammar_t grammar_ = os::formula_grammar_t::xlsx;
  std::int32_t origin_ = day_number(Day{std::chrono::year{1899}, std::chrono::December, std::chrono::day{30}});
};

class Resolver final : public os::iface::import_reference_resolver {
 public:
  os::src_address_t resolve_address(std::string_view address) override {
    std::size_t i = 0;
    std::int32_t column = 0;
    std::int32_t row = 0;
    const auto skip_dollar = [&] { i += i < address.size() && address[i] == '$' ? 1 : 0; };
    skip_dollar();
    for (; i < address.size() && ((address[i] | 0x20) >= 'a') && ((address[i] | 0x20) <= 'z') && column < 20000; ++i) {
      column = column * 26 + ((address[i] | 0x20) - 'a' + 1);
    }
    skip_dollar();
    const std::size_t digits = i;
    for (; i < address.size() && address[i] >= '0' && address[i] <= '9' && row < 2'000'000; ++i) row = row * 10 + (address[i] - '0');
    if (i != address.size() || digits == i || column == 0 || row == 0 || column > 16384 || row > 1'048'576) {
      throw orcus::invalid_arg_error("not a cell address");
    }
    return {0, row - 1, column - 1};
  }
  os::src_range_t resolve_range(std::string_view range) override {
    const std::size_t colon = range.find(':');
    const auto first = resolve_address(range.substr(0, colon));
    return {first, colon == std::string_view::npos ? first : resolve_address(range.substr(colon + 1))};
  }
};

class Factory final : public os::iface::import_factory {
 public:
  explicit Factory(std::deque<std::string>& texts) : strings_(texts) {}

  os::iface::import_global_settings* get_global_settings() override { return &settings_; }
  os::iface::import_shared_strings* get_shared_strings() override { return &strings_; }
  os::iface::import_styles* get_styles() override { return &styles_; }
  os::iface::import_reference_resolver* get_reference_resolver(os::formula_ref_context_t) override { return &resolver_; }
  os::iface::import_sheet* append_sheet(os::sheet_t, std::string_view name) override {
    sheets_.emplace_back(std::string(name), strings_, cell_count_);
    return &sheets_.back();
  }
  os::iface::import_sheet* get_sheet(std::string_view name) override {
    for (SheetSink& sheet : sheets_) {
      if (sheet.name() == name) return &sheet;
    }
    return nullptr;
  }
  os::iface::import_sheet* get_sheet(os::sheet_t index) override {
    return index >= 0 && static_cast<std::size_t>(index) < sheets_.size() ? &sheets_[static_cast<std::size_t>(index)] : nullptr;
  }
  void finalize() override {}

  std::deque<SheetSink>& sheets() { return sheets_; }
  const Styles& styles() const { return styles_; }
  const Strings& strings() const { return strings_; }
  std::int32_t origin() const { return settings_.origin(); }

 private:
  Settings settings_;
  Strings strings_;
  Styles styles_;
  Resolver resolver_;
  std::size_t cell_count_ = 0;
  std::deque<SheetSink> sheets_;
};

constexpr double serial_max = 2958466;  // the day after 9999-12-31

// Empty when the cell says nothing we could use.
std::optional<SheetCell> typed(const RawCell& raw, const Factory& factory) {
  SheetCell cell;
  cell.row = raw.row;
  cell.column = raw.column;
  switch (raw.kind) {
    case RawCell::Kind::none: return std::nullopt;
    case RawCell::Kind::formula: cell.formula_without_value = true; return cell;
    case RawCell::Kind::text: cell.value = FieldValue::of_text(factory.strings().at(raw.text)); break;
    case RawCell::Kind::truth: cell.value = FieldValue::of_text(raw.number != 0 ? "true" : "false"); break;
    case RawCell::Kind::moment:
      cell.value = FieldValue::of_moment(Instant(std::chrono::milliseconds(std::llround(raw.number) * 1000)));
      break;
    case RawCell::Kind::number: {
      if (factory.styles().is_date(raw.format) && raw.number >= 0 && raw.number < serial_max) {
        const std::int64_t seconds = std::llround((static_cast<double>(factory.origin()) + raw.number) * 86400);
        cell.value = FieldValue::of_moment(Instant(std::chrono::seconds(seconds)));
        break;
      }
      const auto number = decimal_from_double(raw.number);
      if (!number) return std::nullopt;
      cell.value = FieldValue::of_number(*number);
      break;
    }
  }
  if (cell.value.kind == FieldValue::Kind::empty) return std::nullopt;
  return cell;
}

}  // namespace

std::string cell_name(std::int32_t row, std::int32_t column) {
  std::string letters;
  for (std::int32_t i = column + 1; i > 0; i = (i - 1) / 26) letters.insert(letters.begin(), static_cast<char>('A' + (i - 1) % 26));
  return letters + std::to_string(row + 1);
}

Result<Workbook> read_workbook(std::string_view content) {
  if (auto fine = check_zip(content); !fine) return pass_on(fine);
  Workbook workbook;
  Factory factory(workbook.texts);
  try {
    orcus::orcus_xlsx reader(&factory);
    orcus::config config(orcus::format_t::xlsx);
    config.debug = false;
    config.structure_check = false;
    reader.set_config(config);
    reader.read_stream(content);
  } catch (const TooManyCells&) {
    return fail(ErrorCode::limit_reached, "the workbook has more than 2,000,000 cells");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return fail(ErrorCode::invalid_input, std::string("damaged workbook: ") + printable(shortened(error.what())));
  }
  for (SheetSink& sink : factory.sheets()) {
    Sheet& sheet = workbook.sheets.emplace_back();
    sheet.name = sink.name();
    for (const RawCell& raw : sink.cells()) {
      if (auto cell = typed(raw, factory)) sheet.cells.push_back(std::move(*cell));
    }
    std::stable_sort(sheet.cells.begin(), sheet.cells.end(), [](const SheetCell& a, const SheetCell& b) {
      return a.row != b.row ? a.row < b.row : a.column < b.column;
    });
  }
  return workbook;
}

}  // namespace millrace::ingest
