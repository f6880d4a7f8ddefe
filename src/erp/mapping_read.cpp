#include "erp/mapping_read.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <simdjson.h>

#include "base/text.h"
#include "base/time.h"
#include "domain/decimal.h"

namespace millrace::erp {
namespace {

namespace od = simdjson::ondemand;

constexpr int places = 6;               // the scale of such fields
constexpr std::size_t lines_max = 50'000;

od::parser& parser() {
  static thread_local od::parser instance;
  return instance;
}

// "1.25E-3" without its exponent. Printed doubles are written so.
std::string without_exponent(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos) return std::string(text);
  std::string_view power = text.substr(e + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  int exponent = 0;
  const auto result = std::from_chars(power.data(), power.data() + power.size(), exponent);
  if (result.ec != std::errc() || result.ptr != power.data() + power.size() || exponent > 40 || exponent < -40) return std::string(text);
  std::string digits(text.substr(0, e));
  const bool negative = digits.starts_with('-');
  if (negative) digits.erase(0, 1);
  std::size_t point = digits.find('.');
  if (point == std::string::npos) {
    point = digits.size();
  } else {
    digits.erase(point, 1);
  }
  auto place = static_cast<std::ptrdiff_t>(point) + exponent;
  if (place <= 0) {
    digits.insert(0, static_cast<std::size_t>(1 - place), '0');
    place = 1;
  }
  if (static_cast<std::size_t>(place) > digits.size()) digits.append(static_cast<std::size_t>(place) - digits.size(), '0');
  if (static_cast<std::size_t>(place) < digits.size()) digits.insert(static_cast<std::size_t>(place), 1, '.');
  return (negative ? "-" : "") + digits;
}

// A printed double may carry noise behind the places its field has (0.30000000000000004): rounded half away from zero
// at `places`, by its text alone.
Result<Decimal> amount_of(std::string_view text) {
  auto exact = parse_decimal(text);
  if (exact && exact->scale <= places) return exact;
  std::string plain = without_exponent(trim(text));
  const std::size_t point = plain.find('.');
  const bool is_plain = plain.find_first_not_of("0123456789.-") == std::string::npos;
  if (!is_plain || point == std::string::npos) return exact;
  plain.resize(std::min(plain.size(), point + 1 + places + 1));
  auto cut = parse_decimal(plain);
  if (!cut) return cut;
  const auto micros = scaled(*cut, places);
  if (!micros) return fail(ErrorCode::invalid_input, "'" + printable(text.substr(0, 60)) + "' is larger than any amount there is");
  return Decimal{*micros, places};
}

struct StatusWord {
  std::string_view source, ours;
};
constexpr std::array<StatusWord, 19> status_words{{{"bost_Open", "open"},           {"bost_Close", "closed"},     {"bost_Paid", "closed"},
                                                   {"bost_Delivered", "closed"},    {"O", "open"},                {"C", "closed"},
                                                   {"boposPlanned", "planned"},     {"boposReleased", "released"}, {"boposClosed", "closed"},
                                                   {"boposCancelled", "cancelled"}, {"Open", "open"},             {"Paid", "closed"},
                                                   {"Draft", "draft"},              {"In Review", "draft"},       {"In_x0020_Review", "draft"},
                                                   {"Canceled", "cancelled"},       {"Corrective", "cancelled"},  {"Released", "open"},
                                                   {"Closed", "closed"}}};
constexpr std::array<std::string_view, 6> yes_words{"tYES", "csYes", "csCancellation", "true", "Y", "1"};
constexpr std::array<std::string_view, 6> no_words{"tNO", "csNo", "false", "N", "0", ""};

template <class Words>
bool is_one_of(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Cell canonical_day(std::string_view text, std::string& why) {
  const auto date = parse_iso_day(text.substr(0, 10));
  if (!date || (text.size() > 10 && text[10] != 'T')) {
    why = "is not a date";
    return std::string(text);
  }
  if (date->year() <= std::chrono::year{1900}) return std::nullopt;  // how such systems write "no date"
  return iso(*date);
}

class FieldReader {
 public:
  FieldReader(const FieldTable& table, const StreamDescriptor& stream) : table_(table), stream_(stream) {}

  ReadDocument read(std::string_view json) {
    const simdjson::padded_string padded(json);
    begin(answer_.header, table_.fields);
    try {
      od::document document = parser().iterate(padded);
      read_header(document.get_object().value());
    } catch (const simdjson::simdjson_error& error) {
      if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
      problem("", std::string("the document is not valid JSON (") + simdjson::error_message(error.error()) + ")", "");
    }
    if (!answer_.unreadable && !stream_.lines_field.empty() && !answer_.has_lines) {
      problem(std::string(stream_.lines_field), "the document came without it", "");
    }
    sort_lines(answer_.lines, table_.lines);
    sort_lines(answer_.more_lines, table_.more_lines);
    return std::move(answer_);
  }

 private:
  void read_header(od::object object) {
    for (auto member : object) {
      od::field field = std::move(member).take_value();
      const std::string_view name = field.unescaped_key().value();
      od::value value = field.value();
      if (!table_.lines.source.empty() && name == table_.lines.source) {
        if (answer_.has_lines) problem(std::string(name), "it stands twice in the document", "");
        answer_.has_lines = read_lines(value, table_.lines, answer_.lines);
      } else if (!table_.more_lines.source.empty() && name == table_.more_lines.source) {
        read_lines(value, table_.more_lines, answer_.more_lines);
      } else {
        read_plain(name, value);
      }
    }
  }

  void read_plain(std::string_view name, od::value& value) {
    if (!stream_.stamp_day.empty() && name == stream_.stamp_day) {
      keep_stamp(answer_.stamp_day, value);
    } else if (!stream_.stamp_time.empty() && name == stream_.stamp_time) {
      keep_stamp(answer_.stamp_time, value);
    } else {
      read_field(answer_.header, table_.fields, name, value, "");
    }
  }

  bool read_lines(od::value& value, const LineTable& table, std::vector<FieldRow>& lines) {
    const od::json_type type = value.type().value();
    if (type == od::json_type::null) return false;
    if (type != od::json_type::array) {
      problem(std::string(table.source), "it is no list", "");
      return true;
    }
    od::array array = value.get_array().value();
    for (auto element : array) {
      od::value line = element.value();
      if (line.type().value() != od::json_type::object) {
        problem(std::string(table.source), "a line is no object", "");
        continue;
      }
      if (lines.size() >= lines_max) {
        problem(std::string(table.source), "it has more than 50,000 lines", "");
        break;
      }
      read_line(line.get_object().value(), table, lines.emplace_back());
    }
    return true;
  }

  void read_line(od::object object, const LineTable& table, FieldRow& row) {
    begin(row, table.fields);
    const bool fine_before = !answer_.unreadable;
    for (auto member : object) {
      od::field field = std::move(member).take_value();
      const std::string_view name = field.unescaped_key().value();
      od::value value = field.value();
      read_field(row, table.fields, name, value, table.source);
    }
    if (table.key.empty()) return;
    const Cell& key = cell(row, table, table.key);
    if (fine_before && answer_.unreadable && key) answer_.unreadable->line = *key;
    if (!key) problem(source_name(table), "a line came without it", "");
  }

  void begin(FieldRow& row, std::span<const FieldRule> rules) {
    search_from_ = 0;
    row.cells.resize(rules.size());
    row.foreign.resize(rules.size());
  }

  // A JSON null and an empty text are one: nothing.
  void read_field(FieldRow& row, std::span<const FieldRule> rules, std::string_view name, od::value& value, std::string_view list) {
    // Fields come nearly in the order of the table, so the search begins behind the one before.
    for (std::size_t step = 0; step < rules.size(); ++step) {
      const std::size_t i = (search_from_ + step) % rules.size();
      const bool own = rules[i].source == name;
      if (!own && (rules[i].foreign.empty() || rules[i].foreign != name)) continue;
      search_from_ = i + 1;
      Cell& place = own ? row.cells[i] : row.foreign[i];
      if (place) problem(std::string(name), "it stands twice in " + (list.empty() ? std::string("the document") : "a line of " + std::string(list)), "");
      const auto text = text_of(value);
      if (!text) {
        problem(std::string(name), "it holds a list or an object where a plain value belongs", "");
        return;
      }
      std::string why;
      place = canonical(rules[i].kind, *text, why);
      if (!why.empty()) problem(std::string(name), "'" + printable(text->substr(0, 60)) + "' " + why, *text);
      return;
    }
  }

  void keep_stamp(Cell& cell, od::value& value) {
    const auto text = text_of(value);
    if (text && !text->empty()) cell = std::string(*text);
  }

  static std::optional<std::string_view> text_of(od::value& value) {
    switch (value.type().value()) {
      case od::json_type::string: return value.get_string().value();
      case od::json_type::number: return trim(value.raw_json_token());
      case od::json_type::boolean: return value.get_bool().value() ? "true" : "false";
      case od::json_type::null:
        if (!value.is_null()) return std::nullopt;
        return std::string_view();
      case od::json_type::array:
      case od::json_type::object: break;
    }
    return std::nullopt;
  }

  void problem(std::string field, std::string why, std::string_view value) {
    if (answer_.unreadable) return;
    answer_.unreadable = Unreadable{std::move(field), std::move(why), printable(value.substr(0, 120)), ""};
  }

  static const Cell& cell(const FieldRow& row, const LineTable& table, std::string_view ours) {
    static const Cell nothing;
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      if (table.fields[i].ours == ours) return row.cells[i];
    }
    return nothing;
  }

  static std::string source_name(const LineTable& table) {
    for (const FieldRule& rule : table.fields) {
      if (rule.ours == table.key) return std::string(rule.source);
    }
    return std::string(table.key);
  }

  void sort_lines(std::vector<FieldRow>& lines, const LineTable& table) {
    if (table.key.empty()) return;
    const auto number = [&](const FieldRow& row) { return cell(row, table, table.key).value_or(""); };
    const auto before = [&](const FieldRow& left, const FieldRow& right) { return natural_less(number(left), number(right)); };
    if (!std::is_sorted(lines.begin(), lines.end(), before)) std::sort(lines.begin(), lines.end(), before);
    const auto twice = std::adjacent_find(lines.begin(), lines.end(), [&](const auto& left, const auto& right) { return number(left) == number(right); });
    if (twice != lines.end()) problem(source_name(table), "two lines have the same one, " + printable(number(*twice)), number(*twice));
  }

  const FieldTable& table_;
  const StreamDescriptor& stream_;
  ReadDocument answer_;
  std::size_t search_from_ = 0;  // of the row that is read
};

}  // namespace

Cell canonical(FieldKind kind, std::string_view text, std::string& why) {
  if (text.empty()) return std::nullopt;
  switch (kind) {
    case FieldKind::text: return std::string(text);
    case FieldKind::code: return text == "-1" ? Cell() : Cell(std::string(text));
    case FieldKind::whole: {
      std::int64_t number = 0;
      const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
      if (result.ec != std::errc() || result.ptr != text.data() + text.size()) why = "is not a whole number";
      return why.empty() ? std::to_string(number) : std::string(text);
    }
    case FieldKind::amount:
    case FieldKind::rate: {
      const auto number = amount_of(text);
      if (!number) why = "is not a number that can be read exactly";
      if (!number) return std::string(text);
      if (kind == FieldKind::rate && number->is_zero()) return std::nullopt;
      return shortest_text(*number);
    }
    case FieldKind::day: return canonical_day(text, why);
    case FieldKind::flag:
      if (is_one_of(yes_words, text)) return "Y";
      if (is_one_of(no_words, text)) return std::nullopt;
      why = "is neither yes nor no";
      return std::string(text);
    case FieldKind::status:
      for (const StatusWord& word : status_words) {
        if (word.source == text) return std::string(word.ours);
      }
      why = "is no status we know";
      return std::string(text);
  }
  return std::string(text);
}

ReadDocument read_fields(const FieldTable& table, const StreamDescriptor& stream, std::string_view json) {
  return FieldReader(table, stream).read(json);
}

}  // namespace millrace::erp
