#include "ingest/internal/csv_text.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t field_bytes_max = 1u << 20;
constexpr std::size_t fields_max = 4096;

Result<std::string> from_utf16(std::string_view bytes, bool big_endian) {
  if (bytes.size() % 2 != 0) return fail(ErrorCode::invalid_input, "UTF-16 text with half a character at its end: the file is cut off");
  std::string out;
  out.reserve(bytes.size() / 2 + bytes.size() / 8);
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]);
    const auto b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(big_endian ? a << 8 | b : b << 8 | a);
  };
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    char32_t c = unit(i);
    if (c >= 0xD800 && c < 0xE000) {
      const char32_t low = c < 0xDC00 && i + 4 <= bytes.size() ? unit(i + 2) : 0;
      if (low < 0xDC00 || low >= 0xE000) return fail(ErrorCode::invalid_input, "UTF-16 text with half of a surrogate pair");
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      i += 2;
    }
    append_utf8(out, c);
  }
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<std::string> decode_text(std::string_view content) {
  Result<std::string> text = std::string();
  if (content.starts_with("\xFF\xFE")) {
    text = from_utf16(content.substr(2), false);
  } else if (content.starts_with("\xFE\xFF")) {
    text = from_utf16(content.substr(2), true);
  } else {
    if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
    text = is_valid_utf8(content) ? std::string(content) : utf8_from_cp1252(content);
  }
  if (text && text->find('\0') != std::string::npos) {
    return fail(ErrorCode::invalid_input, "the text holds NUL bytes: it is binary, or UTF-16 without its byte order mark");
  }
  return text;
}

// Answers true when the record is over. A delimiter means that another field follows.
bool RecordReader::end_of_record() {
  if (rest_.empty()) return true;
  if (rest_.front() == delimiter_) {
    rest_.remove_prefix(1);
    return false;
  }
  rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
  return true;
}

void RecordReader::plain_field(std::vector<std::string_view>& fields) {
  const char* const begin = rest_.data();
  const char* const stop = begin + rest_.size();
  const char delimiter = delimiter_;
  const char* at = begin;
  while (at != stop && *at != delimiter && *at != '\n' && *at != '\r') ++at;
  const auto size = static_cast<std::size_t>(at - begin);
  fields.push_back(rest_.substr(0, size));
  rest_.remove_prefix(size);
}

bool RecordReader::quoted_field(std::vector<std::string_view>& fields) {
  std::size_t at = 1;
  std::string* copy = nullptr;
  std::size_t from = 1;
  while (true) {
    at = rest_.find('"', at);
    if (at == std::string_view::npos) {
      damage_ = "a quoted field is not closed: the file is cut off, or a quote is missing";
      return false;
    }
    if (at + 1 >= rest_.size() || rest_[at + 1] != '"') break;
    if (copy == nullptr) copy = &unescaped_.emplace_back();
    copy->append(rest_.substr(from, at + 1 - from));
    at += 2;
    from = at;
  }
  if (copy != nullptr) {
    copy->append(rest_.substr(from, at - from));
    fields.push_back(*copy);
  } else {
    fields.push_back(rest_.substr(1, at - 1));
  }
  rest_.remove_prefix(at + 1);
  if (!rest_.empty() && rest_.front() != delimiter_ && rest_.front() != '\n' && rest_.front() != '\r') {
    damage_ = "text stands behind a closing quote";
    return false;
  }
  return true;
}

bool RecordReader::next(std::vector<std::string_view>& fields) {
  fields.clear();
  unescaped_.clear();
  if (rest_.empty() || !damage_.empty()) return false;
  ++row_;
  while (true) {
    if (fields.size() >= fields_max) {
      damage_ = "the row has more than 4,096 fields";
      return false;
    }
    if (!rest_.empty() && rest_.front() == '"') {
      if (!quoted_field(fields)) return false;
    } else {
      plain_field(fields);
    }
    if (fields.back().size() > field_bytes_max) {
      damage_ = "a field is larger than 1 MiB";
      return false;
    }
    if (end_of_record()) return true;
  }
}

void NumberVote::hear(std::string_view text) {
  const std::size_t point = text.rfind('.');
  const std::size_t comma = text.rfind(',');
  const bool has_point = point != std::string_view::npos;
  const bool has_comma = comma != std::string_view::npos;
  if (!has_point && !has_comma) return;
  const auto decide = [&](bool is_comma) {
    if ((is_comma && point_) || (!is_comma && comma_)) sample_ = shortened(text);
    (is_comma ? comma_ : point_) = true;
    if (sample_.empty()) sample_ = shortened(text);
  };
  if (has_point && has_comma) return decide(comma > point);
  const char mark = has_comma ? ',' : '.';
  const std::size_t last = has_comma ? comma : point;
  if (text.find(mark) != last) return decide(!has_comma);  // twice: it groups, so the other one is the decimal mark
  std::size_t after = 0;
  while (last + 1 + after < text.size() && is_digit(text[last + 1 + after])) ++after;
  std::size_t before = 0;
  while (before < last && is_digit(text[last - 1 - before])) ++before;
  const bool leading_zero = before == 1 && text[last - 1] == '0';
  if (after != 3 || before > 3 || before == 0 || leading_zero) return decide(has_comma);
  undecided_ = true;
  if (sample_.empty()) sample_ = shortened(text);
}

void DateVote::hear(std::string_view text) {
  const auto parts = day_parts(text);
  if (!parts || parts->year_first) return;
  const bool dmy = day_of(*parts, DateOrder::dmy).has_value();
  const bool mdy = day_of(*parts, DateOrder::mdy).has_value();
  if (!dmy && !mdy) return;  // no day in any order: its own row will be refused
  heard_ = true;
  dotted_ = dotted_ && parts->separator == '.';
  dmy_ = dmy_ && dmy;
  mdy_ = mdy_ && mdy;
  if (parts->first != parts->second) {
    matters_ = true;
    if (sample_.empty()) sample_ = shortened(text);
  }
}

}  // namespace millrace::ingest
