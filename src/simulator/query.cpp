#include "simulator/query.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/hash.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"

namespace millrace::simulator {
namespace {

Failure wrong(std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); }

Result<std::size_t> count_of(std::string_view name, std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return wrong(std::string(name) + " needs a number, not '" + std::string(text) + "'");
  return number;
}

Result<const Field*> property(const EntitySet& set, std::string_view name) {
  const Field* field = set.table->find(name);
  if (field == nullptr)
    return wrong("Property '" + std::string(name) + "' of '" + std::string(set.table->type) + "' is invalid");
  return field;
}

Result<void> read_order(Query& query, const EntitySet& set, std::string_view text) {
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    Query::Order order;
    if (part.ends_with(" desc")) {
      order.descending = true;
      part.remove_suffix(5);
    } else if (part.ends_with(" asc")) {
      part.remove_suffix(4);
    }
    const auto field = property(set, trim(part));
    if (!field) return pass_on(field);
    if ((*field)->kind == Kind::collection) return wrong("'" + std::string(part) + "' cannot be ordered by");
    order.field = *field;
    query.order.push_back(order);
  }
  return {};
}

Result<void> read_option(Query& query, const EntitySet& set, Protocol protocol, std::string_view name,
                         const std::string& value) {
  if (name == "$filter") {
    auto filter = Filter::parse(value, *set.table);
    if (!filter) return pass_on(filter);
    query.filter = std::move(*filter);
  } else if (name == "$select") {
    for (const std::string_view part : split(value, ',')) {
      const auto field = property(set, trim(part));
      if (!field) return pass_on(field);
      query.select.push_back(*field);
    }
  } else if (name == "$orderby") {
    return read_order(query, set, value);
  } else if (name == "$top" || name == "$skip") {
    const auto count = count_of(name, value);
    if (!count) return pass_on(count);
    if (name == "$top")
      query.top = *count;
    else
      query.skip = *count;
  } else if (name == "$count" && protocol == Protocol::v2) {
    if (value != "true" && value != "false") return wrong("$count is true or false");
    query.count = value == "true";
  } else if (name == "$inlinecount" && protocol == Protocol::v1) {
    if (value != "allpages" && value != "none") return wrong("$inlinecount is allpages or none");
    query.count = value == "allpages";
  } else if (name == "$expand") {
    return wrong("Navigation property '" + value + "' of '" + std::string(set.table->type) + "' is invalid");
  } else {
    return wrong("Query option '" + std::string(name) + "' is not supported");
  }
  return {};
}

std::string decimal_text(Micros micros, Protocol protocol) {
  std::string text = micros < 0 ? "-" : "";
  const std::uint64_t size = micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  text += std::to_string(size / one);
  std::string fraction = std::to_string(size % one);
  fraction.insert(0, 6 - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  // Printed doubles: a whole number is 45.0 in v1 and 45 in v2.
  if (fraction.empty()) return protocol == Protocol::v1 ? text + ".0" : text;
  return text + "." + fraction;
}

std::string time_text(std::int64_t seconds) {
  char text[16];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  return text;
}

void append_fields(JsonWriter& out, const void* row, std::span<const Field* const> fields, const RowStyle& style);

void append_value(JsonWriter& out, const void* row, const Field& field, const RowStyle& style) {
  if (field.kind == Kind::collection) {
    std::vector<const Field*> all;
    for (const Field& inner : field.rows->fields) all.push_back(&inner);
    out.begin_array();
    for (std::size_t i = 0; i < field.count(row); ++i) {
      out.begin_object();
      append_fields(out, field.at(row, i), all, style);
      out.end_object();
    }
    out.end_array();
    return;
  }
  const Value value = field.get(row);
  if (value.null) {
    out.null();
    return;
  }
  switch (field.kind) {
    case Kind::integer:
      out.number(value.number);
      break;
    case Kind::decimal:
      out.raw(decimal_text(value.number, style.protocol));
      break;
    case Kind::text:
      out.text(value.text);
      break;
    case Kind::day:
      out.text(iso(day_from_number(static_cast<std::int32_t>(value.number))) +
               (style.days_with_time ? "T00:00:00Z" : ""));
      break;
    case Kind::time:
      out.text(time_text(value.number));
      break;
    case Kind::choice:
      out.text(field.choices[static_cast<std::size_t>(value.number)].name);
      break;
    case Kind::collection:
      break;
  }
}

void append_fields(JsonWriter& out, const void* row, std::span<const Field* const> fields, const RowStyle& style) {
  for (const Field* field : fields) {
    out.key(field->name);
    append_value(out, row, *field, style);
  }
}

// Absent values first, as databases order them.
std::strong_ordering compare(const Value& left, const Value& right, Kind kind) {
  if (left.null || right.null) return right.null <=> left.null;
  return kind == Kind::text ? left.text <=> right.text : left.number <=> right.number;
}

}  // namespace

Result<Query> parse_query(std::string_view text, const EntitySet& set, Protocol protocol) {
  Query query;
  if (text.empty()) return query;
  for (const std::string_view part : split(text, '&')) {
    const auto equal = part.find('=');
    const std::string name = percent_decoded(part.substr(0, equal));
    const std::string value = equal == std::string_view::npos ? "" : percent_decoded(part.substr(equal + 1));
    if (auto read = read_option(query, set, protocol, name, value); !read) return pass_on(read);
    if (name == "$skip" || name == "$top") continue;
    if (!query.without_paging.empty()) query.without_paging += '&';
    query.without_paging += part;
  }
  return query;
}

std::vector<const void*> rows_of(const Company& company, const EntitySet& set, const Query& query, std::size_t rows_max) {
  std::vector<const void*> rows;
  // Rows come in the order of their keys: who asks for that order needs no sorting and may have the first ones only.
  const bool by_key = query.order.empty() || (query.order.front().field->name == set.key && !query.order.front().descending);
  const Field* const key = set.key_is_text || !query.filter ? nullptr : set.table->find(set.key);
  const NumberRange range = key == nullptr ? NumberRange{} : query.filter->range_of(set.key);
  set.each(company, range.least, [&](const void* row) {
    if (key != nullptr && key->get(row).number > range.greatest) return false;
    if (!query.filter || query.filter->matches(row)) rows.push_back(row);
    return !by_key || rows.size() < rows_max;
  });
  if (by_key) return rows;
  std::ranges::stable_sort(rows, [&](const void* left, const void* right) {
    for (const Query::Order& order : query.order) {
      const auto compared = compare(order.field->get(left), order.field->get(right), order.field->kind);
      if (compared != 0) return order.descending ? compared > 0 : compared < 0;
    }
    return false;
  });
  return rows;
}

void append_row(std::string& json, const void* row, const EntitySet& set, const std::vector<const Field*>& select,
                const RowStyle& style) {
  JsonWriter out(json);
  out.begin_object();
  if (style.etag && set.version != nullptr)
    out.field(style.protocol == Protocol::v2 ? "@odata.etag" : "odata.etag", etag_of(row, set));
  std::vector<const Field*> fields = select;
  if (fields.empty()) {
    for (const Field& field : set.table->fields) fields.push_back(&field);
  }
  append_fields(out, row, fields, style);
  out.end_object();
}

std::string etag_of(const void* row, const EntitySet& set) {
  if (set.version == nullptr) return "";
  return "W/\"" + hex(content_hash(std::to_string(set.version(row)))) + "\"";
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~$,()";
  constexpr std::string_view hex_digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain.contains(c)) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += hex_digits[byte >> 4];
      encoded += hex_digits[byte & 15];
    }
  }
  return encoded;
}

}  // namespace millrace::simulator
