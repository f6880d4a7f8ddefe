#include "erp/odata_url.h"

#include <algorithm>

#include "base/time.h"

namespace millrace::erp {
namespace {

std::string two_digits(std::int32_t value) { return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)}; }

std::string day_literal(Dialect dialect, std::int32_t day) {
  const std::string text = iso(day_from_number(day));
  switch (dialect) {
    case Dialect::sap_b1_v1: return "datetime'" + text + "'";
    case Dialect::sap_b1_v2: return "'" + text + "'";
    case Dialect::odata_v4:
    case Dialect::odata_v4_b1: break;
  }
  return text;
}

// The Service Layer compares hour and minute only; seconds are cut so that nothing of the minute is missed anywhere.
std::string time_literal(Dialect dialect, std::int32_t seconds) {
  const std::string text = two_digits(seconds / 3600) + ":" + two_digits(seconds / 60 % 60) + ":00";
  return is_service_layer(dialect) ? "'" + text + "'" : text;
}

std::string instant_literal(RemoteStamp stamp) {
  return iso(day_from_number(stamp.day)) + "T" + two_digits(stamp.seconds / 3600) + ":" + two_digits(stamp.seconds / 60 % 60) + ":" +
         two_digits(stamp.seconds % 60) + "Z";
}

// "UpdateDate gt D or (UpdateDate eq D and UpdateTime ge T)", in parentheses; "" for rows without stamps.
std::string stamped_since(Dialect dialect, const StreamDescriptor& stream, RemoteStamp since, LeftOut left_out) {
  const std::string field(stream.stamp_day);
  if (stream.stamp == StampKind::none) return {};
  if (stream.stamp == StampKind::instant) return "(" + field + " ge " + instant_literal(since) + ")";
  const std::string day = day_literal(dialect, since.day);
  std::string text = "(" + field + " gt " + day + " or (" + field + " eq " + day + " and " + std::string(stream.stamp_time) + " ge " +
                     time_literal(dialect, since.seconds) + ")";
  if (!stream.stamp_created.empty() && !left_out.created) text += " or " + std::string(stream.stamp_created) + " ge " + day;
  return text + ")";
}

std::string open_or_stamped_since(Dialect dialect, const StreamDescriptor& stream, RemoteStamp since, LeftOut left_out) {
  const std::string stamped = stamped_since(dialect, stream, since, left_out);
  return stream.open_filter.empty() ? stamped : "(" + std::string(stream.open_filter) + " or " + stamped + ")";
}

void add_condition(std::string& filter, std::string_view condition) {
  if (condition.empty()) return;
  if (!filter.empty()) filter += " and ";
  filter += condition;
}

// False when the stream has no words for this question.
bool add_conditions_of_kind(std::string& filter, Dialect dialect, const StreamDescriptor& stream, const PageQuestion& question,
                            LeftOut left_out) {
  switch (question.kind) {
    case PageQuestion::Kind::open:
      add_condition(filter, stream.open_filter);
      return !stream.open_filter.empty();
    case PageQuestion::Kind::changed: {
      if (!question.since) return false;
      const std::string stamped = stamped_since(dialect, stream, *question.since, left_out);
      add_condition(filter, stamped);
      return !stamped.empty();
    }
    case PageQuestion::Kind::moving: {
      if (!question.since || stream.open_filter.empty() || stream.stamp == StampKind::none) return false;
      add_condition(filter, open_or_stamped_since(dialect, stream, *question.since, left_out));
      return true;
    }
    case PageQuestion::Kind::documents:
      // Without stamps every row may be recent.
      if (question.documents_since && stream.stamp != StampKind::none)
        add_condition(filter, open_or_stamped_since(dialect, stream, *question.documents_since, left_out));
      return true;
    case PageQuestion::Kind::slice:
    case PageQuestion::Kind::fetch: break;
  }
  return true;
}

std::string scan_fields(const StreamDescriptor& stream) {
  std::string fields(stream.key);
  for (const std::string_view field : {stream.stamp_day, stream.stamp_time, stream.open_field}) {
    if (!field.empty()) fields += "," + std::string(field);
  }
  return fields;
}

bool reads_whole(PageQuestion::Kind kind) { return kind == PageQuestion::Kind::documents || kind == PageQuestion::Kind::fetch; }

std::string options(const StreamDescriptor& stream, PageQuestion::Kind kind, std::string_view filter, std::size_t rows, std::size_t skip,
                    LeftOut left_out) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text += text.empty() ? "?" : "&";
    text += std::string(name) + "=" + percent_encoded(value);
  };
  add("$filter", filter);
  add("$orderby", stream.key);
  add("$top", std::to_string(rows));
  if (skip > 0) add("$skip", std::to_string(skip));
  if (!reads_whole(kind)) {
    add("$select", scan_fields(stream));
  } else {
    if (!left_out.select) add("$select", stream.select);
    if (stream.lines == Lines::expand) add("$expand", stream.expand);
  }
  return text;
}

std::string entity_url(std::string_view root, const StreamDescriptor& stream) {
  while (root.ends_with('/')) root.remove_suffix(1);
  return std::string(root) + "/" + std::string(stream.entity_set);
}

// "GET <path and query> HTTP/1.1"
std::size_t request_line_size(std::string_view url) {
  const std::size_t host = url.find("://");
  const std::size_t path = host == std::string_view::npos ? 0 : url.find('/', host + 3);
  return url.size() - (path == std::string_view::npos ? 0 : path) + sizeof("GET  HTTP/1.1");
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kept = "-._~'(),:$*";
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kept.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}

std::string key_literal(const StreamDescriptor& stream, const Key& key) {
  if (key.is_number) return std::to_string(key.number);
  if (stream.key_is_guid) return key.text;
  std::string text = "'";
  for (const char c : key.text) {
    text += c;
    if (c == '\'') text += c;
  }
  return text + "'";
}

std::string question_url(Dialect dialect, std::string_view root, const StreamDescriptor& stream, const PageQuestion& question,
                         LeftOut left_out) {
  std::string filter;
  if (!add_conditions_of_kind(filter, dialect, stream, question, left_out)) return {};
  if (question.after_key) add_condition(filter, std::string(stream.key) + " gt " + key_literal(stream, *question.after_key));
  if (question.until_key) add_condition(filter, std::string(stream.key) + " le " + key_literal(stream, *question.until_key));
  return entity_url(root, stream) + options(stream, question.kind, filter, question.rows_max, question.skip, left_out);
}

bool has_optional_parts(const StreamDescriptor& stream, const PageQuestion& question, LeftOut left_out) {
  const bool select = reads_whole(question.kind) && !stream.select.empty() && !left_out.select;
  const bool asks_stamp = question.since.has_value() || question.documents_since.has_value();
  return select || (asks_stamp && !stream.stamp_created.empty() && !left_out.created);
}

FetchUrl fetch_url(std::string_view root, const StreamDescriptor& stream, std::span<const Key> keys, LeftOut left_out) {
  FetchUrl answer;
  std::string filter;
  const std::size_t count_max = std::min(keys.size(), std::max<std::size_t>(1, stream.keys_in_one_fetch));
  while (answer.key_count < count_max) {
    std::string longer = filter + (filter.empty() ? "" : " or ") + std::string(stream.key) + " eq " + key_literal(stream, keys[answer.key_count]);
    std::string url = entity_url(root, stream) + options(stream, PageQuestion::Kind::fetch, longer, answer.key_count + 1, 0, left_out);
    if (answer.key_count > 0 && request_line_size(url) > request_line_max) break;
    filter = std::move(longer);
    answer.url = std::move(url);
    ++answer.key_count;
  }
  return answer;
}

Headers page_size_headers(Dialect dialect, std::size_t rows) {
  if (is_service_layer(dialect)) return {{"B1S-PageSize", std::to_string(rows)}};
  return {{"Prefer", "odata.maxpagesize=" + std::to_string(rows)}};
}

}  // namespace millrace::erp
