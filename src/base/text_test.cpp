#include "base/text.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

using namespace millrace;

TEST_CASE("Blanks that documents put around values are cut, blanks inside stay") {
  CHECK(trim("  SO-7\t\r\n") == "SO-7");
  CHECK(trim("\xEF\xBB\xBFOrder") == "Order");
  CHECK(trim("\xC2\xA0"
             "1 234\xE2\x80\xAF\xE2\x80\x89") == "1 234");
  CHECK(trim(" \xC2\xA0 ") == "");
  CHECK(trim("") == "");
  CHECK(trim("M\xC3\xBCller") == "M\xC3\xBCller");
}

TEST_CASE("Splitting keeps empty fields, so that columns keep their places") {
  CHECK(split("a;b;;c", ';') == std::vector<std::string_view>{"a", "b", "", "c"});
  CHECK(split("", ';') == std::vector<std::string_view>{""});
  CHECK(split(";", ';') == std::vector<std::string_view>{"", ""});
}

TEST_CASE("Column words compare without regard to case") {
  CHECK(equal_ignoring_case("OrderNo", "ORDERNO"));
  CHECK_FALSE(equal_ignoring_case("OrderNo", "Order No"));
  CHECK(equal_ignoring_case("", ""));
  CHECK(lower_ascii("DUE Date \xC3\x9C") == "due date \xC3\x9C");
}

TEST_CASE("Only well-formed UTF-8 passes as text") {
  CHECK(
      is_valid_utf8("Gr\xC3\xB6\xC3\x9F"
                    "e \xE2\x82\xAC \xF0\x9F\x93\xA6"));
  CHECK(is_valid_utf8(""));
  for (const std::string_view bad : {"\xFF", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                     "\xF0\x80\x80\x80", "\x80", "\xC3\x28", "\xE2\x82", "\xF8\x88\x80\x80\x80"}) {
    CAPTURE(printable(bad));
    CHECK_FALSE(is_valid_utf8(bad));
  }
}

TEST_CASE("Every code point that is written as UTF-8 reads as valid") {
  CHECK(rc::check("append_utf8", [] {
    const auto code = *rc::gen::suchThat(rc::gen::inRange<std::uint32_t>(0, 0x110000),
                                         [](std::uint32_t c) { return c < 0xD800 || c > 0xDFFF; });
    std::string text;
    append_utf8(text, static_cast<char32_t>(code));
    RC_ASSERT(is_valid_utf8(text));
    RC_ASSERT(text.size() == (code < 0x80 ? 1u : code < 0x800 ? 2u : code < 0x10000 ? 3u : 4u));
  }));
}

TEST_CASE("A Windows-1252 file reads as the same words in UTF-8") {
  CHECK(utf8_from_cp1252("M\xFCller \x80 10 \x96 12") == "M\xC3\xBCller \xE2\x82\xAC 10 \xE2\x80\x93 12");
  CHECK(rc::check("all bytes give valid text",
                  [](const std::string& bytes) { RC_ASSERT(is_valid_utf8(utf8_from_cp1252(bytes))); }));
}

TEST_CASE("A search finds names with and without their accents, in either case") {
  CHECK(search_fold("M\xC3\xBCller & S\xC3\x98N") == "muller & son");
  CHECK(search_fold("M\xC3\x9CLLER") == search_fold("muller"));
  CHECK(search_fold("Stra\xC3\x9F"
                    "e") == "strasse");
  CHECK(search_fold("\xC5\x81\xC3\xB3\x64\xC5\xBA \xC4\x8C\x65\x73ko") == "lodz cesko");
  CHECK(search_fold("u\xCC\x88") == "u");                                        // u and a combining diaeresis
  CHECK(search_fold("\xCE\x91\xCE\xA9") == "\xCE\xB1\xCF\x89");                  // Greek
  CHECK(search_fold("\xD0\x9C\xD0\x90\xD0\xAF") == "\xD0\xBC\xD0\xB0\xD1\x8F");  // Cyrillic
  CHECK(search_fold("\xE4\xB8\xAD\xE6\x96\x87") == "\xE4\xB8\xAD\xE6\x96\x87");
  CHECK(search_fold("a\xFF") == "a\xFF");
}

TEST_CASE("Folding twice changes nothing") {
  CHECK(rc::check("idempotent", [](const std::string& bytes) {
    const std::string folded = search_fold(utf8_from_cp1252(bytes));
    RC_ASSERT(search_fold(folded) == folded);
  }));
}

TEST_CASE("File names with any bytes become readable, valid text") {
  CHECK(printable("Open/SO 7.json") == "Open/SO 7.json");
  CHECK(printable("a\xFF"
                  "b\n\t") == "a\\xffb\\x0a\\x09");
  CHECK(printable("fdp.\xE2\x80\xAE"
                  "exe") ==
        "fdp.\\xe2\\x80\\xae"
        "exe");  // a right-to-left mark would hide the ending
  CHECK(printable("Gr\xC3\xB6\xC3\x9F"
                  "e") ==
        "Gr\xC3\xB6\xC3\x9F"
        "e");
  CHECK(rc::check("always valid, never a control character", [](const std::string& bytes) {
    const std::string text = printable(bytes);
    RC_ASSERT(is_valid_utf8(text));
    RC_ASSERT(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }));
  }));
}

TEST_CASE("Order numbers sort as a person counts") {
  std::vector<std::string_view> numbers{"SO10a", "SO9",  "SO010", "SO10",   "SO2",
                                        "SO",    "A100", "so1",   "SO10-2", "SO10-11"};
  std::ranges::sort(numbers, natural_less);
  CHECK(numbers == std::vector<std::string_view>{"A100", "SO", "SO2", "SO9", "SO010", "SO10", "SO10-2", "SO10-11",
                                                 "SO10a", "so1"});
  CHECK(natural_less("43659", "100000"));
  CHECK(natural_less("99999999999999999999998", "99999999999999999999999"));  // beyond 64 bits
}

TEST_CASE("Natural order is a total order in which only equal texts are equal") {
  const auto text = rc::gen::container<std::string>(rc::gen::element('0', '1', '9', 'a', '-', '/', ':'));
  CHECK(rc::check("total order", [&] {
    const std::string a = *text, b = *text, c = *text;
    RC_ASSERT((natural_less(a, b) || natural_less(b, a)) == (a != b));
    RC_ASSERT(!(natural_less(a, b) && natural_less(b, a)));
    if (natural_less(a, b) && natural_less(b, c)) RC_ASSERT(natural_less(a, c));
  }));
}

TEST_CASE("A mistyped word finds its neighbour and a strange one finds nothing") {
  const std::vector<std::string_view> words{"status", "customer", "due", "salesman"};
  CHECK(closest("statsu", words) == "status");
  CHECK(closest("STATUS", words) == "status");
  CHECK(closest("custommer", words) == "customer");
  CHECK(closest("warehouse", words) == "");
  CHECK(closest("", words) == "");
  CHECK(closest("xyz", words) == "");
  CHECK(closest(std::string(100'000, 'a'), words) == "");
  CHECK(closest("status", {}) == "");
}
