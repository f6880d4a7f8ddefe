#include "ingest/layout_profile.h"

#include <doctest/doctest.h>

#include "ingest/document.h"
#include "ingest/internal/fields.h"

namespace millrace::ingest {
namespace {

std::string refusal(std::string_view toml) {
  const auto profile = parse_layout_profile(toml);
  return profile ? "" : profile.error().text();
}

TEST_CASE("A profile adds a company's own words before the built-in ones") {
  const auto profile = parse_layout_profile("name = \"ours\"\norder_number_prefixes = \"AB\"\n[words]\ncustomer_reference = [\"Ihr Zeichen\"]\n");
  REQUIRE(profile.has_value());
  const CompiledLayout layout(*profile);
  CHECK(layout.find("ihr_ZEICHEN:", Scope::order).field == Field::customer_reference);
  CHECK(layout.find("NumAtCard", Scope::order).field == Field::customer_reference);
  CHECK(profile->order_number_prefixes == std::vector<std::string>{"SO", "AB"});
}

TEST_CASE("A wrong key is named with its line and the nearest known key") {
  CHECK(refusal("name = \"x\"\ndefault_curency = \"EUR\"\n") == "layout profile, line 2, key 'default_curency': is not known; did you mean 'default_currency'?");
  CHECK(refusal("[words]\ncustomer_cod = \"x\"\n").find("did you mean 'customer_code'?") != std::string::npos);
  CHECK(refusal("csv_date_order = \"yyyy\"\n").find("must be one of") != std::string::npos);
  CHECK(refusal("default_currency = \"Euro\"\n").find("three-letter") != std::string::npos);
  CHECK(refusal("name = \n").find("line 1") != std::string::npos);
}

TEST_CASE("What is no TOML is refused with its line, whatever the library makes of it") {
  CHECK(refusal("name = \"x\"\n[! words]\n").find("line 2: a table name") != std::string::npos);
  CHECK(refusal("[[\xC3\xBC]]\n").find("line 1: a table name") != std::string::npos);
  CHECK(refusal("[\n").find("line 1: a table name") != std::string::npos);
  CHECK(refusal("# \xC3\xBC\n[words]\nw\xC3\xA4hrung = \"x\"\n").find("line 3: letters such as 'ährung' are written in quotes") != std::string::npos);
  CHECK(refusal("name = \xE2\x80\x9Cours\xE2\x80\x9D\n").find("line 1: letters such as") != std::string::npos);
  CHECK(refusal("[ \r\rwords]\n").find("control characters") != std::string::npos);
  CHECK(refusal("name = \"x\"\r\n[words]\r\n").empty());
  CHECK(refusal("name = \"x\n").find("line 1: a text in quotes is not closed") != std::string::npos);
  CHECK(refusal("name = \"\"\"\\\n\xC3\xBC\"\"\"\n").find("line 1: texts over several lines") != std::string::npos);
  CHECK(refusal("[words]\ncurrency = +[\"\xCC\xA0K\"]\n").find("line 2: a '[' stands directly behind a value") != std::string::npos);
  CHECK(refusal("e =[[}Y\n").find("line 1: a '}' closes nothing") != std::string::npos);
  CHECK(refusal("[words]\ncurrency = [\n").find("the text ends before a ']'") != std::string::npos);
  CHECK(refusal("name = ]\n").find("closes nothing") != std::string::npos);
  CHECK(refusal("name = 1.\"\xC3\xBC\"\n").find("line 1: a '\"' stands directly behind a value") != std::string::npos);
  CHECK(refusal("name = \"x\"\"\xC3\xBC\"\n").find("stands directly behind") != std::string::npos);
}

TEST_CASE("Quotes and comments hold any letters, brackets and each other's quotes") {
  const auto profile = parse_layout_profile("\xEF\xBB\xBF" R"toml(# [! ü "
name = '[! ü"' # it's
status_words."02 Neü" = "Open"
[ words ]
currency = [
  "Währung \"x", 'a"#']
)toml");
  REQUIRE_MESSAGE(profile.has_value(), profile.error().text());
  CHECK(profile->name == "[! ü\"");
  CHECK(profile->status_words.at("02 Neü") == "Open");
  CHECK(profile->words.at("currency").at(1) == "a\"#");
}

TEST_CASE("A profile written out reads back the same") {
  const auto back = parse_layout_profile(to_toml(built_in_profile()));
  REQUIRE(back.has_value());
  CHECK(back->words == built_in_profile().words);
  LayoutProfile odd = built_in_profile();
  odd.name = "two\nlines and \"\"\" and ''' \\ \xC3\xBC";
  const auto odd_back = parse_layout_profile(to_toml(odd));
  REQUIRE_MESSAGE(odd_back.has_value(), odd_back.error().text());
  CHECK(odd_back->name == odd.name);
  CHECK(back->order_number_prefixes == built_in_profile().order_number_prefixes);
}

TEST_CASE("Every word of the built-in profile finds its own field") {
  const CompiledLayout layout(built_in_profile());
  CHECK(layout.find("WÄHRUNG", Scope::flat).field == Field::currency);
  CHECK(layout.find("Open amount", Scope::flat).field == Field::open_amount);
  CHECK(layout.find("Open amount", Scope::order).field == Field::open_total);
  CHECK(layout.find("no such word", Scope::flat).field == Field::unknown);
}

TEST_CASE("Content decides what a document is, the name does not") {
  CHECK(sniff("{}", "a.csv") == Format::json);
  CHECK(sniff("%PDF-1.4", "a.xlsx") == Format::pdf);
  CHECK(sniff("a,b", "a.pdf") == Format::csv);
  CHECK(sniff("PK\x03\x04", "a.json") == Format::xlsx);
  CHECK(parse_document("", "a.json", built_in_profile()).findings.size() == 1);
  CHECK(parse_document(std::string_view("\0\1\2", 3), "a.json", built_in_profile()).findings.size() == 1);
  CHECK_FALSE(parse_document(std::string_view("\0\1\2", 3), "a", built_in_profile()).is_order_document);
}

}  // namespace
}  // namespace millrace::ingest
