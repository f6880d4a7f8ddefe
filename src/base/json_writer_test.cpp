#include "base/json_writer.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

#include "base/text.h"

using namespace millrace;

namespace {

std::string quoted(std::string_view value) {
  std::string out;
  append_json_text(out, value);
  return out;
}

// The text behind a JSON string, by the rules of RFC 8259; written for the test only.
std::string unquoted(std::string_view json) {
  RC_ASSERT(json.size() >= 2);
  RC_ASSERT(json.front() == '"');
  RC_ASSERT(json.back() == '"');
  json = json.substr(1, json.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    RC_ASSERT(static_cast<unsigned char>(json[i]) >= 0x20);
    RC_ASSERT(json[i] != '"');
    if (json[i] != '\\') {
      out += json[i];
      continue;
    }
    RC_ASSERT(++i < json.size());
    switch (json[i]) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u':
        RC_ASSERT(i + 4 < json.size());
        append_utf8(out, static_cast<char32_t>(std::stoul(std::string(json.substr(i + 1, 4)), nullptr, 16)));
        i += 4;
        break;
      default:
        RC_ASSERT(json[i] == '"' || json[i] == '\\');
        out += json[i];
    }
  }
  return out;
}

}  // namespace

TEST_CASE("Commas and nesting come out right") {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("order", "43659")
      .field("lines", 12)
      .field("late", true)
      .key("due")
      .null()
      .key("open_amount")
      .begin_object()
      .field("minor", std::int64_t{8412000})
      .field("currency", "EUR")
      .end_object()
      .key("tags")
      .begin_array()
      .text("a")
      .number(std::uint64_t{2})
      .begin_array()
      .end_array()
      .begin_object()
      .end_object()
      .end_array()
      .key("raw")
      .raw("[1,2]")
      .key("rate")
      .ratio(0.5, 3)
      .end_object();
  CHECK(out == R"({"order":"43659","lines":12,"late":true,"due":null,"open_amount":{"minor":8412000,"currency":"EUR"},)"
               R"("tags":["a",2,[],{}],"raw":[1,2],"rate":0.500})");
}

TEST_CASE("Numbers keep all their digits") {
  std::string out;
  JsonWriter json(out);
  json.begin_array()
      .number(std::numeric_limits<std::int64_t>::min())
      .number(std::numeric_limits<std::uint64_t>::max())
      .ratio(1.0 / 3, 4)
      .ratio(std::numeric_limits<double>::quiet_NaN(), 2)
      .ratio(-std::numeric_limits<double>::infinity(), 2)
      .end_array();
  CHECK(out == "[-9223372036854775808,18446744073709551615,0.3333,null,null]");
  std::string large;
  JsonWriter(large).ratio(1e300, 2);
  CHECK(large.size() == 304);
  CHECK(std::stod(large) == 1e300);
}

TEST_CASE("Quotes, backslashes and control characters are escaped") {
  CHECK(quoted("") == R"("")");
  CHECK(quoted("12\" pipe\\\n") == R"("12\" pipe\\\n")");
  CHECK(quoted(std::string_view("a\0b", 3)) == R"("a\u0000b")");
  CHECK(quoted("\x1b\x7f") == R"("\u001b\u007f")");
  CHECK(quoted("Gr\xC3\xB6\xC3\x9F"
               "e") ==
        "\"Gr\xC3\xB6\xC3\x9F"
        "e\"");
}

TEST_CASE("Text with foreign bytes is shown readably, so that the document stays valid") {
  CHECK(quoted("a\xFF") == R"("a\\xff")");
  CHECK(rc::check("always valid UTF-8 JSON", [](const std::string& bytes) {
    const std::string json = quoted(bytes);
    RC_ASSERT(is_valid_utf8(json));
    RC_ASSERT(unquoted(json) == (is_valid_utf8(bytes) ? bytes : printable(bytes)));
  }));
}

TEST_CASE("Valid text reads back as it was") {
  CHECK(rc::check("round trip", [](const std::u32string& points) {
    std::string text;
    for (const char32_t point : points)
      if (point < 0x110000 && (point < 0xD800 || point > 0xDFFF)) append_utf8(text, point);
    RC_ASSERT(unquoted(quoted(text)) == text);
  }));
}
