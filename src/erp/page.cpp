#include "erp/page.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <simdjson.h>

#include "base/text.h"
#include "base/turns.h"
#include "erp/page_order.h"

namespace millrace::erp {
namespace {

namespace od = simdjson::ondemand;

constexpr std::size_t rows_max = 100'000;
constexpr std::size_t shown_max = 120;

// What is wrong with the page, in words.
struct Damaged {
  std::string why;
};

std::string shown(std::string_view text) { return printable(text.substr(0, shown_max)); }

RemoteError corrupt(const StreamDescriptor& stream, const std::string& why) {
  return {RemoteErrorKind::corrupt_page, "The answer for " + std::string(stream.entity_set) + " cannot be used: " + why +
                                             "; nothing of it was taken and it is asked again."};
}

od::parser& parser() {
  static thread_local od::parser instance;
  return instance;
}

// simdjson reads a little behind the end.
simdjson::padded_string_view padded(std::string& body) {
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  return simdjson::padded_string_view(body.data(), body.size(), body.capacity());
}

std::string_view without_blanks(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

// Text of a text, number or boolean; "" of null.
std::string_view plain_text(od::value& value) {
  switch (value.type().value()) {
    case od::json_type::string: return value.get_string().value();
    case od::json_type::number: return without_blanks(value.raw_json_token());
    case od::json_type::boolean: return value.get_bool().value() ? "true" : "false";
    case od::json_type::null:
      if (!value.is_null()) throw Damaged{"a constant in it is none"};
      return {};
    case od::json_type::array:
    case od::json_type::object: break;
  }
  throw Damaged{"a list or an object stands where a plain value belongs"};
}

bool among(std::string_view listed, std::string_view word) {
  for (const std::string_view value : split(listed, '|')) {
    if (value == word) return true;
  }
  return false;
}

bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

Key key_of_row(const StreamDescriptor& stream, std::string_view text) {
  Key key = key_of(stream, text);
  const bool readable = stream.key_is_number ? key.is_number : stream.key_is_guid ? is_guid(text) : !text.empty();
  if (!readable) throw Damaged{"'" + shown(text) + "' is no " + std::string(stream.key)};
  return key;
}

// The fields of a row that the sync lives on.
struct RowFields {
  std::optional<std::string_view> key, version, day, time, open;
  bool has_lines = false;
};

void take(std::optional<std::string_view>& slot, std::string_view name, od::value& value) {
  if (slot) throw Damaged{"a row says " + std::string(name) + " twice"};
  slot = plain_text(value);
}

void read_field(const StreamDescriptor& stream, RowFields& fields, std::string_view name, od::value& value) {
  if (name == stream.key) {
    take(fields.key, name, value);
  } else if (name == "@odata.etag" || name == "odata.etag") {
    take(fields.version, name, value);
  } else if (!stream.stamp_day.empty() && name == stream.stamp_day) {
    take(fields.day, name, value);
  } else if (!stream.stamp_time.empty() && name == stream.stamp_time) {
    take(fields.time, name, value);
  } else if (!stream.open_field.empty() && name == stream.open_field) {
    take(fields.open, name, value);
  } else if (!stream.lines_field.empty() && name == stream.lines_field) {
    if (fields.has_lines) throw Damaged{"a row has its lines twice"};
    fields.has_lines = value.type().value() == od::json_type::array;
  }
}

RemoteRow read_row(const StreamDescriptor& stream, bool whole, od::object object) {
  RowFields fields;
  for (auto member : object) {
    od::field field = std::move(member).take_value();
    const std::string_view name = field.unescaped_key().value();
    od::value value = field.value();
    read_field(stream, fields, name, value);
  }
  if (!fields.key) throw Damaged{"a row came without its key " + std::string(stream.key)};
  RemoteRow row;
  row.key = key_of_row(stream, *fields.key);
  if (whole && !stream.lines_field.empty() && !fields.has_lines) {
    throw Damaged{std::string(stream.key) + " " + key_text(row.key) + " came without " + std::string(stream.lines_field) +
                  " (a service that keeps lines apart is set up as odata-v4-b1)"};
  }
  row.version = std::string(fields.version.value_or(""));
  row.stamp = stamp_of(stream, fields.day.value_or(""), fields.time.value_or(""));
  if (!row.stamp && fields.day && !fields.day->empty()) throw Damaged{"'" + shown(*fields.day) + "' is no " + std::string(stream.stamp_day)};
  if (!stream.open_field.empty() && fields.open) row.open = among(stream.open_value, *fields.open);
  if (whole) {
    object.reset();
    row.document = std::string(without_blanks(object.raw_json().value()));
  }
  return row;
}

void read_rows(const StreamDescriptor& stream, bool whole, od::array array, ReadPage& page) {
  for (auto element : array) {
    od::value value = element.value();
    if (value.type().value() != od::json_type::object) throw Damaged{"a row is no object"};
    if (page.rows.size() >= rows_max) throw Damaged{"it has more than 100,000 rows"};
    give_turn();
    page.rows.push_back(read_row(stream, whole, value.get_object().value()));
  }
}

ReadPage read_document(const StreamDescriptor& stream, bool whole, od::document& document) {
  ReadPage page;
  bool has_rows = false;
  if (document.type().value() != od::json_type::object) throw Damaged{"it is no object"};
  od::object top = document.get_object().value();
  for (auto member : top) {
    od::field field = std::move(member).take_value();
    const std::string_view name = field.unescaped_key().value();
    od::value value = field.value();
    if (name == "value") {
      if (has_rows || value.type().value() != od::json_type::array) throw Damaged{"its rows are no list, or there are two"};
      has_rows = true;
      read_rows(stream, whole, value.get_array().value(), page);
    } else if (name == "@odata.nextLink" || name == "odata.nextLink") {
      page.more_announced = page.more_announced || !plain_text(value).empty();
    } else if (name == "error") {
      throw Damaged{"it breaks off with an error of the service"};  // how a stream fails after the status was sent
    }
  }
  if (!has_rows) throw Damaged{"there is no list of rows in it"};
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) throw Damaged{"there is more behind its end"};
  return page;
}

std::string worded(const simdjson::simdjson_error& error) {
  switch (error.error()) {
    case simdjson::MEMALLOC: throw std::bad_alloc();
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
    case simdjson::UNCLOSED_STRING:
    case simdjson::EMPTY: return "it was cut off on its way";
    case simdjson::UTF8_ERROR: return "it is not valid UTF-8";
    default: return std::string("it is not valid JSON (") + simdjson::error_message(error.error()) + ")";
  }
}

std::string between_quotes(std::string_view text) { return "'" + shown(text) + "'"; }

std::string key_name(const StreamDescriptor& stream, const Key& key) { return std::string(stream.key) + " " + shown(key_text(key)); }

// Only the digits between `from` and `from + count`.
std::optional<std::int32_t> number_at(std::string_view text, std::size_t from, std::size_t count) {
  if (text.size() < from + count) return std::nullopt;
  std::int32_t value = 0;
  const char* const begin = text.data() + from;
  const auto result = std::from_chars(begin, begin + count, value);
  if (result.ec != std::errc() || result.ptr != begin + count || value < 0) return std::nullopt;
  return value;
}

// "14:05:33", "14:05", with anything behind the seconds.
std::optional<std::int32_t> seconds_of_day(std::string_view text) {
  const auto hour = number_at(text, 0, 2);
  const auto minute = number_at(text, 3, 2);
  const bool has_seconds = text.size() >= 8 && text[5] == ':';
  const auto second = has_seconds ? number_at(text, 6, 2) : std::optional<std::int32_t>(0);
  if (!hour || !minute || !second || text[2] != ':' || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return *hour * 3600 + *minute * 60 + std::min(*second, 59);
}

// One level below: {"error": {...}}. Answers what `take` is called with for each field.
template <class Take>
void each_field(od::object object, Take take_field) {
  for (auto member : object) {
    od::field field = std::move(member).take_value();
    const std::string_view name = field.unescaped_key().value();
    od::value value = field.value();
    take_field(name, value);
  }
}

std::string message_of(od::value& value) {
  if (value.type().value() != od::json_type::object) return std::string(plain_text(value));
  std::string text;
  each_field(value.get_object().value(), [&](std::string_view name, od::value& inner) {
    if (name == "value") text = std::string(plain_text(inner));
  });
  return text;
}

}  // namespace

std::optional<RemoteStamp> stamp_of(const StreamDescriptor& stream, std::string_view day, std::string_view time) {
  if (stream.stamp == StampKind::none || day.empty()) return std::nullopt;
  const auto parsed = parse_iso_day(day.substr(0, 10));
  if (!parsed) return std::nullopt;
  RemoteStamp stamp{day_number(*parsed), 0};
  if (stream.stamp == StampKind::instant) {
    const auto seconds = day.size() > 11 ? seconds_of_day(day.substr(11)) : std::optional<std::int32_t>(0);
    if (!seconds) return std::nullopt;
    stamp.seconds = *seconds;
  } else if (!time.empty()) {
    const auto seconds = seconds_of_day(time);
    if (!seconds) return std::nullopt;
    stamp.seconds = *seconds;
  }
  return stamp;
}

Remotely<ReadPage> read_page(const StreamDescriptor& stream, bool whole, std::string& body) {
  try {
    od::document document = parser().iterate(padded(body));
    return read_document(stream, whole, document);
  } catch (const simdjson::simdjson_error& error) {
    return corrupt(stream, worded(error));
  } catch (const Damaged& damaged) {
    return corrupt(stream, damaged.why);
  }
}

std::optional<RemoteError> check_rows(const StreamDescriptor& stream, const PageQuestion& question, std::span<const RemoteRow> rows) {
  const auto wrong = [&](const Key& key, std::string_view why) { return corrupt(stream, key_name(stream, key) + " " + std::string(why)); };
  const Key* before = question.after_key ? &*question.after_key : nullptr;
  for (const RemoteRow& row : rows) {
    if (before != nullptr && row.key == *before) return wrong(row.key, "came twice");
    if (before != nullptr && !may_follow(stream, *before, row.key)) {
      return wrong(row.key, "came after " + between_quotes(key_text(*before)) + ", which is not the order it was asked in");
    }
    if (question.until_key && row.key.is_number && row.key > *question.until_key) return wrong(row.key, "is outside of what was asked for");
    if (question.kind == PageQuestion::Kind::open && row.open == false) return wrong(row.key, "is not open, but only open rows were asked for");
    before = &row.key;
  }
  if (stream.key_is_number) return std::nullopt;  // ascending numbers are each there once
  std::vector<std::string_view> keys;
  keys.reserve(rows.size());
  for (const RemoteRow& row : rows) keys.push_back(row.key.text);
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) return wrong(key_of(stream, *twice), "came twice");
  return std::nullopt;
}

ServiceError read_error(std::string_view body) {
  ServiceError answer;
  std::string copy(body);
  try {
    od::document document = parser().iterate(padded(copy));
    if (document.type().value() != od::json_type::object) return answer;
    each_field(document.get_object().value(), [&](std::string_view name, od::value& value) {
      if ((name != "error" && name != "odata.error") || value.type().value() != od::json_type::object) return;
      each_field(value.get_object().value(), [&](std::string_view inner_name, od::value& inner) {
        if (inner_name == "code") answer.code = shown(plain_text(inner));
        if (inner_name == "message") answer.message = shown(message_of(inner));
      });
    });
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
    return {};  // not an error body of the service: the status alone speaks
  } catch (const Damaged&) {
    return {};
  }
  return answer;
}

std::string json_text(std::string_view body, std::string_view name) {
  std::string answer;
  std::string copy(body);
  try {
    od::document document = parser().iterate(padded(copy));
    if (document.type().value() != od::json_type::object) return {};
    each_field(document.get_object().value(), [&](std::string_view field, od::value& value) {
      if (field == name) answer = std::string(plain_text(value));
    });
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
    return {};
  } catch (const Damaged&) {
    return {};
  }
  return answer;
}

}  // namespace millrace::erp
