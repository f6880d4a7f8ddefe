#include "base/json_writer.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/text.h"

namespace millrace {
namespace {

// Whether none of eight bytes is a control, DEL, a quote, a backslash or outside ASCII. Each test sets the highest bit of
// the bytes it finds (or of a byte behind one it found, which changes nothing for "any").
bool are_plain(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t v) { return (v - ones) & ~v & high; };
  const std::uint64_t controls = (bytes - ones * 0x20) & ~bytes & high;
  const std::uint64_t found = controls | has_zero(bytes ^ ones * 0x22) | has_zero(bytes ^ ones * 0x5c) |
                              has_zero(bytes ^ ones * 0x7f) | (bytes & high);
  return found == 0;
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
}

char* put_escaped(char* to, std::string_view value) {
  static constexpr char digits[] = "0123456789abcdef";
  const auto pair = [&](char c) {
    *to++ = '\\';
    *to++ = c;
  };
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': pair('"'); break;
      case '\\': pair('\\'); break;
      case '\n': pair('n'); break;
      case '\r': pair('r'); break;
      case '\t': pair('t'); break;
      default:
        if (byte < 0x20 || byte == 0x7F) {
          for (const char part : {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]}) *to++ = part;
        } else {
          *to++ = c;
        }
    }
  }
  return to;
}

// Copies as long as nothing needs an escape; answers how much that was.
std::size_t put_plain(char* to, std::string_view value) {
  std::size_t done = 0;
  for (; done + 8 <= value.size(); done += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, value.data() + done, 8);
    if (!are_plain(bytes)) return done;
    std::memcpy(to + done, &bytes, 8);
  }
  for (; done < value.size() && is_plain(value[done]); ++done) to[done] = value[done];
  return done;
}

}  // namespace

char* put_json_text(char* to, std::string_view value) {
  *to++ = '"';
  const std::size_t plain = put_plain(to, value);
  if (plain == value.size()) {
    to += plain;
  } else if (is_valid_utf8(value)) {
    to = put_escaped(to + plain, value.substr(plain));
  } else {
    // Every byte becomes at most the six of an escaped \xHH, which the room allows for.
    to = put_escaped(to, printable(value));
  }
  *to++ = '"';
  return to;
}

void append_json_text(std::string& out, std::string_view value) {
  append_in_place(out, json_text_room(value), [&](char* to) { return put_json_text(to, value); });
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  append_in_place(out_, json_text_room(name) + 2, [&](char* to) {
    if (comma_) *to++ = ',';
    to = put_json_text(to, name);
    *to++ = ':';
    return to;
  });
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_json_text(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  append_in_place(out_, 20, [&](char* to) { return std::to_chars(to, to + 20, value).ptr; });
  return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value) {
  separate();
  append_in_place(out_, 20, [&](char* to) { return std::to_chars(to, to + 20, value).ptr; });
  return *this;
}

JsonWriter& JsonWriter::ratio(double value, int digits) {
  separate();
  if (!std::isfinite(value)) {
    out_ += "null";
    return *this;
  }
  char text[384];  // the largest double has 309 digits before the point
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  out_ += text;
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace millrace
