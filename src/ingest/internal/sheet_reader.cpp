#include "ingest/internal/sheet_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "base/text.h"
#include "ingest/internal/xml_scanner.h"
#include "ingest/internal/zip_archive.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t cells_max = 2'000'000;
constexpr std::int32_t rows_max = 1'048'576;
constexpr std::int32_t columns_max = 16'384;
constexpr double serial_max = 2958466;  // the day after 9999-12-31

struct TooManyCells {};

struct SheetEntry {
  std::string name;
  std::string relation;
  bool is_hidden = false;
};

class WorkbookPart final : public XmlHandler {
 public:
  std::vector<SheetEntry> sheets;
  bool from_1904 = false;

 private:
  void begin(std::string_view element, const XmlAttributes& attributes) override {
    if (element == "workbookPr") {
      const std::string_view flag = attributes["date1904"];
      from_1904 = flag == "1" || flag == "true";
    } else if (element == "sheet") {
      const std::string_view state = attributes["state"];
      sheets.push_back({std::string(attributes["name"]), std::string(attributes["id"]), state == "hidden" || state == "veryHidden"});
    }
  }
};

class RelationsPart final : public XmlHandler {
 public:
  std::map<std::string, std::string> targets;        // by id
  std::map<std::string, std::string> target_of_kind;  // by the last word of the type

 private:
  void begin(std::string_view element, const XmlAttributes& attributes) override {
    if (element != "Relationship") return;
    const std::string_view type = attributes["Type"];
    targets[std::string(attributes["Id"])] = attributes["Target"];
    target_of_kind[std::string(type.substr(type.rfind('/') + 1))] = attributes["Target"];
  }
};

class StringsPart final : public XmlHandler {
 public:
  explicit StringsPart(std::deque<std::string>& into) : texts(into) {}
  std::deque<std::string>& texts;

 private:
  void begin(std::string_view element, const XmlAttributes&) override {
    if (element == "si") {
      if (texts.size() >= cells_max) throw TooManyCells{};
      texts.emplace_back();
    } else if (element == "rPh") {
      phonetic_ = true;
    } else if (element == "t") {
      in_text_ = !phonetic_ && !texts.empty();
    }
  }
  void end(std::string_view element) override {
    if (element == "rPh") phonetic_ = false;
    if (element == "t") in_text_ = false;
  }
  void hear(std::string_view text) override {
    if (in_text_) texts.back().append(text);
  }
  bool phonetic_ = false;
  bool in_text_ = false;
};

// Format numbers that the file format fixes as days or times.
bool is_date_id(int id) { return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58); }

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

int whole_number(std::string_view text, int missing) {
  int value = missing;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : missing;
}

class StylesPart final : public XmlHandler {
 public:
  bool is_date(int style) const { return style >= 0 && static_cast<std::size_t>(style) < dates_.size() && dates_[static_cast<std::size_t>(style)]; }

 private:
  void begin(std::string_view element, const XmlAttributes& attributes) override {
    if (element == "numFmt") {
      own_[whole_number(attributes["numFmtId"], -1)] = is_date_code(attributes["formatCode"]);
    } else if (element == "cellXfs") {
      in_cell_formats_ = true;
    } else if (element == "xf" && in_cell_formats_) {
      const int id = whole_number(attributes["numFmtId"], 0);
      const auto own = own_.find(id);
      dates_.push_back(own != own_.end() ? own->second : is_date_id(id));
    }
  }
  void end(std::string_view element) override {
    if (element == "cellXfs") in_cell_formats_ = false;
  }
  std::map<int, bool> own_;
  std::vector<bool> dates_;
  bool in_cell_formats_ = false;
};

struct CellAddress {
  std::int32_t row = -1;
  std::int32_t column = -1;
};

// "E11" -> 10, 4; -1 when it is no address within the limits of a sheet.
CellAddress address_of(std::string_view name) {
  std::size_t i = 0;
  std::int32_t column = 0;
  for (; i < name.size() && name[i] >= 'A' && name[i] <= 'Z' && column <= columns_max; ++i) column = column * 26 + (name[i] - 'A' + 1);
  const int row = whole_number(name.substr(i), -1);
  if (i == 0 || column > columns_max || row < 1 || row > rows_max) return {};
  return {row - 1, column - 1};
}

class SheetPart final : public XmlHandler {
 public:
  SheetPart(Workbook& workbook, Sheet& sheet, std::size_t shared_count, const StylesPart& styles, std::int32_t origin, std::size_t& cell_count)
      : workbook_(workbook), sheet_(sheet), shared_count_(shared_count), styles_(styles), origin_(origin), cell_count_(cell_count) {}

 private:
  enum class Kind : std::uint8_t { number, shared, text, truth, error, iso_date };

  void begin(std::string_view element, const XmlAttributes& attributes) override {
    if (element == "row") {
      row_ = whole_number(attributes["r"], row_ + 2) - 1;
      column_ = -1;
    } else if (element == "c") {
      begin_cell(attributes);
    } else if (element == "f") {
      formula_ = true;
    } else if (element == "v") {
      in_value_ = true;
    } else if (element == "rPh") {
      phonetic_ = true;
    } else if (element == "t") {
      in_value_ = !phonetic_;
    }
  }
  void begin_cell(const XmlAttributes& attributes) {
    const std::string_view name = attributes["r"];
    if (name.empty()) {
      ++column_;
    } else {
      const CellAddress address = address_of(name);
      if (address.row < 0) throw XmlError("a cell has the address '" + printable(shortened(name)) + "'");
      row_ = address.row;
      column_ = address.column;
    }
    const std::string_view type = attributes["t"];
    kind_ = type == "s"                             ? Kind::shared
            : type == "inlineStr" || type == "str" ? Kind::text
            : type == "b"                          ? Kind::truth
            : type == "e"                          ? Kind::error
            : type == "d"                          ? Kind::iso_date
                                                   : Kind::number;
    style_ = whole_number(attributes["s"], 0);
    formula_ = false;
    value_.clear();
  }
  void end(std::string_view element) override {
    if (element == "v" || element == "t") in_value_ = false;
    if (element == "rPh") phonetic_ = false;
    if (element == "c") end_cell();
  }
  void hear(std::string_view text) override {
    if (in_value_) value_.append(text);
  }

  void end_cell() {
    SheetCell cell{row_, column_, {}, false};
    if (value_.empty()) {
      if (!formula_) return;  // styled and empty: a million of them cost nothing
      cell.formula_without_value = true;
    } else {
      cell.value = value();
      if (cell.value.kind == FieldValue::Kind::empty) return;
    }
    if (++cell_count_ > cells_max) throw TooManyCells{};
    sheet_.cells.push_back(cell);
  }

  FieldValue value() {
    switch (kind_) {
      case Kind::shared: {
        const int index = whole_number(value_, -1);
        if (index < 0 || static_cast<std::size_t>(index) >= shared_count_) throw XmlError("a cell names a text that is not there");
        return FieldValue::of_text(workbook_.texts[static_cast<std::size_t>(index)]);
      }
      case Kind::truth: return FieldValue::of_text(value_ == "1" ? "true" : "false");
      case Kind::number: return number();
      case Kind::iso_date:
        if (const auto moment = instant_from_text(value_, DateOrder::ymd)) return FieldValue::of_moment(*moment);
        return kept();
      case Kind::error:
      case Kind::text: break;
    }
    return kept();
  }
  FieldValue kept() { return FieldValue::of_text(workbook_.texts.emplace_back(value_)); }

  // A cell is a double; its text is exact as long as it has no more digits than a double keeps.
  FieldValue number() {
    double serial = 0;
    const auto [end, error] = std::from_chars(value_.data(), value_.data() + value_.size(), serial);
    if (error != std::errc() || end != value_.data() + value_.size() || !std::isfinite(serial)) return kept();
    if (styles_.is_date(style_) && serial >= 0 && serial < serial_max) {
      return FieldValue::of_moment(Instant(std::chrono::seconds(std::llround((static_cast<double>(origin_) + serial) * 86400))));
    }
    constexpr std::size_t digits_exact = 15;
    const auto decimal = value_.size() <= digits_exact ? parse_decimal(value_) : decimal_from_double(serial);
    return decimal ? FieldValue::of_number(*decimal) : kept();
  }

  Workbook& workbook_;
  Sheet& sheet_;
  std::size_t shared_count_;
  const StylesPart& styles_;
  std::int32_t origin_;
  std::size_t& cell_count_;
  std::int32_t row_ = -1;
  std::int32_t column_ = -1;
  Kind kind_ = Kind::number;
  int style_ = 0;
  bool formula_ = false;
  bool in_value_ = false;
  bool phonetic_ = false;
  std::string value_;
};

std::string joined(std::string_view folder, std::string_view target) {
  return target.starts_with('/') ? std::string(target.substr(1)) : std::string(folder) + std::string(target);
}

template <class Part>
Result<void> read_part(const ZipArchive& archive, const std::string& name, Part& part) {
  auto xml = archive.unpack(name);
  if (!xml) return pass_on(xml);
  if (!is_valid_utf8(*xml)) return fail(ErrorCode::invalid_input, "damaged workbook: '" + printable(name) + "' is not valid UTF-8");
  XmlScanner(*xml, part).scan();
  return {};
}

Result<Workbook> read_parts(const ZipArchive& archive) {
  RelationsPart root;
  if (auto fine = read_part(archive, "_rels/.rels", root); !fine) return pass_on(fine);
  const auto main = root.target_of_kind.find("officeDocument");
  if (main == root.target_of_kind.end()) return fail(ErrorCode::invalid_input, "damaged workbook: it names no document");
  const std::string path = joined("", main->second);
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  if (!path.ends_with("workbook.xml")) return Workbook{};  // a text document or a drawing in the same packaging
  WorkbookPart book;
  RelationsPart relations;
  if (auto fine = read_part(archive, path, book); !fine) return pass_on(fine);
  if (auto fine = read_part(archive, folder + "_rels/workbook.xml.rels", relations); !fine) return pass_on(fine);
  Workbook workbook;
  StringsPart strings(workbook.texts);
  StylesPart styles;
  if (const auto part = relations.target_of_kind.find("sharedStrings"); part != relations.target_of_kind.end()) {
    if (auto fine = read_part(archive, joined(folder, part->second), strings); !fine) return pass_on(fine);
  }
  if (const auto part = relations.target_of_kind.find("styles"); part != relations.target_of_kind.end()) {
    if (auto fine = read_part(archive, joined(folder, part->second), styles); !fine) return pass_on(fine);
  }
  const std::int32_t origin = book.from_1904 ? day_number(Day{std::chrono::year{1904}, std::chrono::January, std::chrono::day{1}})
                                             : day_number(Day{std::chrono::year{1899}, std::chrono::December, std::chrono::day{30}});
  workbook.from_1904 = book.from_1904;
  const std::size_t shared_count = workbook.texts.size();
  std::size_t cell_count = 0;
  for (const SheetEntry& entry : book.sheets) {
    const auto target = relations.targets.find(entry.relation);
    if (target == relations.targets.end()) return fail(ErrorCode::invalid_input, "damaged workbook: sheet '" + printable(entry.name) + "' is missing");
    if (target->second.find("worksheets/") == std::string::npos) continue;  // charts and macros
    Sheet& sheet = workbook.sheets.emplace_back();
    sheet.name = entry.name;
    sheet.is_hidden = entry.is_hidden;
    SheetPart part(workbook, sheet, shared_count, styles, origin, cell_count);
    if (auto fine = read_part(archive, joined(folder, target->second), part); !fine) return pass_on(fine);
    const auto before = [](const SheetCell& a, const SheetCell& b) { return a.row != b.row ? a.row < b.row : a.column < b.column; };
    if (!std::is_sorted(sheet.cells.begin(), sheet.cells.end(), before)) std::stable_sort(sheet.cells.begin(), sheet.cells.end(), before);
  }
  return workbook;
}

}  // namespace

std::string cell_name(std::int32_t row, std::int32_t column) {
  std::string letters;
  for (std::int32_t i = column + 1; i > 0; i = (i - 1) / 26) letters.insert(letters.begin(), static_cast<char>('A' + (i - 1) % 26));
  return letters + std::to_string(row + 1);
}

Result<Workbook> read_workbook(std::string_view content) {
  auto archive = ZipArchive::open(content);
  if (!archive) return pass_on(archive);
  try {
    return read_parts(*archive);
  } catch (const TooManyCells&) {
    return fail(ErrorCode::limit_reached, "the workbook has more than 2,000,000 cells or texts");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return fail(ErrorCode::invalid_input, std::string("damaged workbook: ") + printable(shortened(error.what())));
  }
}

}  // namespace millrace::ingest
