#include "erp/odata_url.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace millrace::erp {
namespace {

const StreamDescriptor& stream(Dialect dialect, StreamName name) {
  const StreamDescriptor* found = find_stream(dialect, word(name));
  REQUIRE(found != nullptr);
  return *found;
}
const StreamDescriptor& orders(Dialect dialect = Dialect::sap_b1_v2) { return stream(dialect, StreamName::orders); }

Key number(std::int64_t value) { return Key{true, value, {}}; }
Key text(std::string value) { return Key{false, 0, std::move(value)}; }
RemoteStamp at(int year, unsigned month, unsigned day, int hour, int minute, int second) {
  return {day_number(Day{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}}), hour * 3600 + minute * 60 + second};
}

// The part behind the address, with blanks and quotes as a person reads them.
std::string query(std::string url) {
  url.erase(0, url.rfind('/') + 1);
  std::string out;
  for (std::size_t i = 0; i < url.size(); ++i) {
    if (url[i] == '%' && url.substr(i, 3) == "%20") {
      out += ' ';
      i += 2;
    } else {
      out += url[i];
    }
  }
  return out;
}

std::string url_of(Dialect dialect, StreamName name, const PageQuestion& question) {
  return question_url(dialect, "https://sap:50000/b1s/v2/", stream(dialect, name), question);
}

TEST_CASE("A page of orders is asked for by key, ordered, and never by position") {
  PageQuestion question;
  question.rows_max = 500;
  CHECK(url_of(Dialect::sap_b1_v2, StreamName::orders, question) == "https://sap:50000/b1s/v2/Orders?$orderby=DocEntry&$top=500");
  question.after_key = number(4711);
  CHECK(query(url_of(Dialect::sap_b1_v2, StreamName::orders, question)) == "Orders?$filter=DocEntry gt 4711&$orderby=DocEntry&$top=500");
}

TEST_CASE("A scan takes keys, stamps and status but never lines, which would bring whole orders") {  // [F] $select=DocEntry,DocumentLines
  PageQuestion question;
  question.kind = PageQuestion::Kind::open;
  question.rows_max = 2000;
  question.after_key = number(7);
  CHECK(query(url_of(Dialect::sap_b1_v2, StreamName::orders, question)) ==
        "Orders?$filter=DocumentStatus eq 'bost_Open' and DocEntry gt 7&$orderby=DocEntry&$top=2000"
        "&$select=DocEntry,UpdateDate,UpdateTime,DocumentStatus");
  question.kind = PageQuestion::Kind::slice;
  question.until_key = number(2007);
  CHECK(query(url_of(Dialect::sap_b1_v2, StreamName::orders, question)) ==
        "Orders?$filter=DocEntry gt 7 and DocEntry le 2007&$orderby=DocEntry&$top=2000&$select=DocEntry,UpdateDate,UpdateTime,DocumentStatus");
}

TEST_CASE("Changed rows are asked for by day and minute, in the spelling of each dialect") {  // [M] minute precision
  PageQuestion question;
  question.kind = PageQuestion::Kind::changed;
  question.rows_max = 100;
  question.since = at(2026, 1, 15, 14, 5, 33);
  const auto filter = [&](Dialect dialect, StreamName name) {
    const std::string url = query(url_of(dialect, name, question));
    const std::size_t begin = url.find('=') + 1;
    return url.substr(begin, url.find("&$orderby") - begin);
  };
  CHECK(filter(Dialect::sap_b1_v2, StreamName::orders) ==
        "(UpdateDate gt '2026-01-15' or (UpdateDate eq '2026-01-15' and UpdateTime ge '14:05:00'))");
  CHECK(filter(Dialect::sap_b1_v1, StreamName::orders) ==
        "(UpdateDate gt datetime'2026-01-15' or (UpdateDate eq datetime'2026-01-15' and UpdateTime ge '14:05:00'))");
  CHECK(filter(Dialect::odata_v4_b1, StreamName::orders) ==
        "(UpdateDate gt 2026-01-15 or (UpdateDate eq 2026-01-15 and UpdateTime ge 14:05:00))");
  CHECK(filter(Dialect::odata_v4, StreamName::orders) == "(lastModifiedDateTime ge 2026-01-15T14:05:33Z)");
  // A row that was never edited may have no stamp yet.
  CHECK(filter(Dialect::sap_b1_v2, StreamName::items) ==
        "(UpdateDate gt '2026-01-15' or (UpdateDate eq '2026-01-15' and UpdateTime ge '14:05:00') or CreateDate ge '2026-01-15')");
}

TEST_CASE("A first sync with a window takes open orders and those changed since") {
  PageQuestion question;
  question.documents_since = at(2026, 1, 15, 0, 0, 0);
  question.after_key = number(1);
  CHECK(query(url_of(Dialect::sap_b1_v2, StreamName::orders, question)) ==
        "Orders?$filter=(DocumentStatus eq 'bost_Open' or (UpdateDate gt '2026-01-15' or (UpdateDate eq '2026-01-15' and UpdateTime ge "
        "'00:00:00'))) and DocEntry gt 1&$orderby=DocEntry&$top=500");
}

TEST_CASE("A question that a stream has no field for has no address") {
  PageQuestion question;
  question.kind = PageQuestion::Kind::changed;
  question.since = RemoteStamp{};
  CHECK(url_of(Dialect::sap_b1_v2, StreamName::manufacturers, question).empty());
  CHECK(url_of(Dialect::sap_b1_v2, StreamName::payments, question).empty());
  question.kind = PageQuestion::Kind::open;
  CHECK(url_of(Dialect::sap_b1_v2, StreamName::items, question).empty());
}

TEST_CASE("What is open or has changed is one question") {
  PageQuestion question;
  question.kind = PageQuestion::Kind::moving;
  question.rows_max = 100;
  question.since = at(2026, 1, 15, 14, 5, 33);
  question.after_key = Key{true, 4711, {}};
  CHECK(query(url_of(Dialect::sap_b1_v2, StreamName::orders, question)) ==
        "Orders?$filter=(DocumentStatus eq 'bost_Open' or (UpdateDate gt '2026-01-15' or (UpdateDate eq '2026-01-15' and UpdateTime ge '14:05:00'))) "
        "and DocEntry gt 4711&$orderby=DocEntry&$top=100&$select=DocEntry,UpdateDate,UpdateTime,DocumentStatus");
  CHECK(url_of(Dialect::sap_b1_v2, StreamName::items, question).empty());     // nothing of them is open
  CHECK(url_of(Dialect::sap_b1_v2, StreamName::payments, question).empty());  // nothing of them is stamped
}

TEST_CASE("Lines are expanded only where they are a navigation") {  // [F] $expand=DocumentLines is 400 in the Service Layer
  CHECK(url_of(Dialect::sap_b1_v1, StreamName::orders, {}).find("$expand") == std::string::npos);
  CHECK(url_of(Dialect::odata_v4_b1, StreamName::orders, {}).ends_with("&$expand=DocumentLines"));
  CHECK(url_of(Dialect::odata_v4, StreamName::orders, {}).ends_with("&$expand=salesOrderLines"));
}

TEST_CASE("Texts in filters double their quotes and are percent-encoded") {  // [M] 'O''Brien'
  PageQuestion question;
  question.kind = PageQuestion::Kind::slice;
  question.after_key = text("O'Brien & Söhne+1");
  question.rows_max = 20;
  CHECK(url_of(Dialect::sap_b1_v2, StreamName::partners, question).find("CardCode%20gt%20'O''Brien%20%26%20S%C3%B6hne%2B1'") !=
        std::string::npos);
  const Key guid = key_of(orders(Dialect::odata_v4), "5D115C9C-44E3-EA11-BB43-000D3A2FEABF");
  CHECK(key_literal(orders(Dialect::odata_v4), guid) == "5d115c9c-44e3-ea11-bb43-000d3a2feabf");
}

TEST_CASE("Rows are fetched by forty keys a call, fewer when the request line would grow too long") {  // Apache: 8,190 bytes
  std::vector<Key> keys;
  for (int i = 0; i < 100; ++i) keys.push_back(number(4'000'000 + i));
  const FetchUrl numbers = fetch_url("https://sap:50000/b1s/v2", orders(), keys);
  CHECK(numbers.key_count == 40);
  CHECK(query(numbers.url).starts_with("Orders?$filter=DocEntry eq 4000000 or DocEntry eq 4000001 or "));
  CHECK(query(numbers.url).ends_with("&$orderby=DocEntry&$top=40"));
  keys.clear();
  for (int i = 0; i < 100; ++i) keys.push_back(text(std::string(50, ' ') + "é" + std::to_string(i) + std::string(60, '"')));
  const FetchUrl texts = fetch_url("https://sap:50000/b1s/v2", stream(Dialect::sap_b1_v2, StreamName::items), keys);
  CHECK(texts.key_count > 5);
  CHECK(texts.key_count < 40);
  CHECK(texts.url.size() < request_line_max);
}

TEST_CASE("The page size is repeated with every request, because a next link does not carry it") {  // [M]
  CHECK(page_size_headers(Dialect::sap_b1_v1, 500) == Headers{{"B1S-PageSize", "500"}});
  CHECK(page_size_headers(Dialect::odata_v4, 500) == Headers{{"Prefer", "odata.maxpagesize=500"}});
}

TEST_CASE("Every stream of every dialect is found by its word and can be asked for whole") {
  for (const Dialect dialect : {Dialect::sap_b1_v1, Dialect::sap_b1_v2, Dialect::odata_v4, Dialect::odata_v4_b1}) {
    CHECK(find_dialect(word(dialect)) == dialect);
    for (const StreamDescriptor& each : streams_of(dialect)) {
      CAPTURE(word(each.name));
      CHECK(find_stream(dialect, word(each.name)) == &each);
      CHECK_FALSE(question_url(dialect, "http://x", each, {}).empty());
      CHECK(each.open_filter.empty() == each.open_field.empty());
      CHECK((each.stamp == StampKind::none) == each.stamp_day.empty());
    }
  }
  CHECK(streams_of(Dialect::sap_b1_v2).size() == stream_count);
  CHECK_FALSE(find_dialect("sap").has_value());
}

TEST_CASE("Whatever a key holds, its literal has an even number of quotes and an address only plain characters") {
  rc::check([](const std::string& any) {
    const std::string literal = key_literal(stream(Dialect::sap_b1_v2, StreamName::items), text(any));
    RC_ASSERT(std::count(literal.begin(), literal.end(), '\'') % 2 == 0);
    for (const char c : percent_encoded(literal)) RC_ASSERT(c > ' ' && c < 0x7F && c != '&' && c != '#' && c != '+' && c != '"');
  });
}

}  // namespace
}  // namespace millrace::erp
