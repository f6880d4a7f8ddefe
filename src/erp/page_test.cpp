// Answers as the facts describe them, each with the mark of its fact: [M] the manual, [X] the metadata, [F] the field,
// [R] measured against the test peer.
#include "erp/page.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "erp/page_order.h"

namespace millrace::erp {
namespace {

const StreamDescriptor& stream(StreamName name, Dialect dialect = Dialect::sap_b1_v2) { return *find_stream(dialect, word(name)); }
const StreamDescriptor& orders() { return stream(StreamName::orders); }

ReadPage read(std::string body, bool whole = false, const StreamDescriptor& of = orders()) {
  auto page = read_page(of, whole, body);
  const auto* error = std::get_if<RemoteError>(&page);
  if (error != nullptr) FAIL(error->text);
  return std::get<ReadPage>(page);
}

std::string refusal(std::string body, bool whole = false, const StreamDescriptor& of = orders()) {
  auto page = read_page(of, whole, body);
  const auto* error = std::get_if<RemoteError>(&page);
  if (error == nullptr) return "";
  CHECK(error->kind == RemoteErrorKind::corrupt_page);
  return error->text;
}

std::string table(const ReadPage& page) {
  std::string text;
  for (const RemoteRow& row : page.rows) {
    text += key_text(row.key) + " " + (row.version.empty() ? "-" : row.version) + " ";
    text += row.stamp ? iso(day_from_number(row.stamp->day)) + "+" + std::to_string(row.stamp->seconds) : "-";
    text += row.open ? (*row.open ? " open" : " closed") : " -";
    text += "\n";
  }
  return text + (page.more_announced ? "more" : "end");
}

// [M] v2: @odata.etag, dates plain; [X] names; UpdateTime null before the first edit (unverified)
constexpr std::string_view scan_v2 = R"({"@odata.context":"$metadata#Orders","value":[
  {"@odata.etag":"W/\"3\"","DocEntry":17,"UpdateDate":"2026-01-15","UpdateTime":"14:05:33","DocumentStatus":"bost_Open"},
  {"@odata.etag":"W/\"1\"","DocEntry":19,"UpdateDate":"2026-01-15","UpdateTime":null,"DocumentStatus":"bost_Close"},
  {"DocEntry":23,"UpdateDate":null,"UpdateTime":null,"DocumentStatus":"bost_Open"}],
  "@odata.nextLink":"Orders?$skip=20"})";

// [M] v1: odata.etag, odata.nextLink as a path from the root, odata.count as text, dates with a midnight
constexpr std::string_view scan_v1 = R"({"odata.metadata":"https://sap:50000/b1s/v1/$metadata#Orders","odata.count":"2","value":[
  {"odata.etag":"W/\"77DE68DAECD823BABBB58EDB1C8E14D7106E83BB\"","DocEntry":17,"UpdateDate":"2026-01-15T00:00:00Z","UpdateTime":"14:05","DocumentStatus":"bost_Open"},
  {"DocEntry":19,"UpdateDate":"2026-01-16T00:00:00Z","UpdateTime":"00:00:00","DocumentStatus":"bost_Open"}],
  "odata.nextLink":"/b1s/v1/Orders?$skip=20"})";

TEST_CASE("Both generations of the Service Layer say key, version, stamp and status of a row") {
  CHECK(table(read(std::string(scan_v2))) ==
        "17 W/\"3\" 2026-01-15+50733 open\n"
        "19 W/\"1\" 2026-01-15+0 closed\n"
        "23 - - open\n"
        "more");
  CHECK(table(read(std::string(scan_v1), false, stream(StreamName::orders, Dialect::sap_b1_v1))) ==
        "17 W/\"77DE68DAECD823BABBB58EDB1C8E14D7106E83BB\" 2026-01-15+50700 open\n"
        "19 - 2026-01-16+0 open\n"
        "more");
}

TEST_CASE("Business Central's keys are GUIDs and its stamps instants") {
  constexpr std::string_view body = R"({"value":[{"@odata.etag":"W/\"JzQ0O\"","id":"5D115C9C-44E3-EA11-BB43-000D3A2FEABF",
      "lastModifiedDateTime":"2026-01-15T14:05:33.123Z"}]})";
  CHECK(table(read(std::string(body), false, stream(StreamName::orders, Dialect::odata_v4))) ==
        "5d115c9c-44e3-ea11-bb43-000d3a2feabf W/\"JzQ0O\" 2026-01-15+50733 -\nend");
  CHECK(refusal(R"({"value":[{"id":"17"}]})", false, stream(StreamName::orders, Dialect::odata_v4)).find("is no id") != std::string::npos);
}

TEST_CASE("A whole row keeps its text as it came") {
  const std::string row = R"({"DocEntry": 17,"DocTotal":128.70,"DocumentLines":[ {"LineNum":0,"U_X":{"a":[1,2]}} ], "Comments":"a \"b\" ü"})";
  const ReadPage page = read("{\"value\":[" + row + " , " + row + "]}", true);
  REQUIRE(page.rows.size() == 2);
  CHECK(page.rows[0].document == row);
  CHECK(page.rows[1].document == row);
}

TEST_CASE("A page is refused as a whole when anything of it is not what was asked for") {
  CHECK(refusal("").find("cut off") != std::string::npos);
  CHECK(refusal("<html><body>502 Proxy Error</body></html>") != "");                           // [M] HTML of the balancer
  CHECK(refusal(std::string(scan_v2.substr(0, 300))).find("cut off") != std::string::npos);     // the connection ended early
  CHECK(refusal(R"({"value":[{"DocEntry":1},{"DocEntry":2}])") != "");
  CHECK(refusal(R"({"value":[{"DocEntry":1}]} trailing)") != "");
  CHECK(refusal(R"({"value":[{"DocNum":1}]})").find("without its key DocEntry") != std::string::npos);
  CHECK(refusal(R"({"value":[{"DocEntry":"A"}]})").find("is no DocEntry") != std::string::npos);
  CHECK(refusal(R"({"value":[{"DocEntry":1,"DocEntry":2}]})").find("twice") != std::string::npos);
  CHECK(refusal(R"({"value":[{"DocEntry":1,"UpdateDate":"soon"}]})").find("is no UpdateDate") != std::string::npos);
  CHECK(refusal(R"({"value":{"DocEntry":1}})") != "");
  CHECK(refusal(R"({"value":[5]})") != "");
  CHECK(refusal(R"({"DocEntry":1})").find("no list of rows") != std::string::npos);
  CHECK(refusal(R"([{"DocEntry":1}])") != "");
  CHECK(refusal("{\"value\":[{\"DocEntry\":1,\"CardName\":\"\xFF\"}]}").find("UTF-8") != std::string::npos);
  CHECK(refusal(R"({"value":[{"DocEntry":1}],"error":{"code":-1}})").find("breaks off") != std::string::npos);
}

TEST_CASE("An order that came without its lines is not an order without lines") {
  CHECK(refusal(R"({"value":[{"DocEntry":1,"DocNum":5}]})", true).find("DocEntry 1 came without DocumentLines") != std::string::npos);
  CHECK(refusal(R"({"value":[{"DocEntry":1,"DocumentLines":null}]})", true) != "");
  CHECK(refusal(R"({"value":[{"DocEntry":1,"DocumentLines":[]}]})", true) == "");
}

std::vector<RemoteRow> rows(std::initializer_list<const char*> keys, const StreamDescriptor& of) {
  std::vector<RemoteRow> list;
  for (const char* key : keys) {
    list.emplace_back();
    list.back().key = key_of(of, key);
  }
  return list;
}

TEST_CASE("Rows out of order, twice, or outside of the question make a page corrupt") {
  PageQuestion question;
  question.after_key = key_of(orders(), "10");
  question.until_key = key_of(orders(), "20");
  const auto verdict = [&](std::initializer_list<const char*> keys) {
    const auto list = rows(keys, orders());
    const auto error = check_rows(orders(), question, list);
    return error ? error->text.substr(error->text.find(": ") + 2, error->text.find(';') - error->text.find(": ") - 2) : std::string("fine");
  };
  CHECK(verdict({"11", "12", "20"}) == "fine");
  CHECK(verdict({}) == "fine");
  CHECK(verdict({"11", "11"}) == "DocEntry 11 came twice");
  CHECK(verdict({"12", "11"}) == "DocEntry 11 came after '12', which is not the order it was asked in");
  CHECK(verdict({"10"}) == "DocEntry 10 came twice");  // the page before, once more
  CHECK(verdict({"9"}) == "DocEntry 9 came after '10', which is not the order it was asked in");
  CHECK(verdict({"11", "21"}) == "DocEntry 21 is outside of what was asked for");
  question.kind = PageQuestion::Kind::open;
  auto list = rows({"11"}, orders());
  list[0].open = false;
  CHECK(check_rows(orders(), question, list).has_value());
}

TEST_CASE("Texts may come in the order of another system, but not in none") {
  const StreamDescriptor& items = stream(StreamName::items);
  const auto follows = [&](const char* before, const char* after) { return may_follow(items, key_of(items, before), key_of(items, after)); };
  CHECK(follows("A100", "A101"));
  CHECK(follows("a100", "B100"));        // bytes would say B first; SQL Server ignores case
  CHECK(follows("co-op", "coopa"));      // its linguistic order ignores hyphens
  CHECK(follows("Ärmel", "Zange"));      // accents: any order of theirs
  CHECK_FALSE(follows("B100", "A100"));
  CHECK_FALSE(follows("A100", "A100"));
  const StreamDescriptor& central = stream(StreamName::orders, Dialect::odata_v4);
  CHECK(may_follow(central, key_of(central, "ffffffff-0000-0000-0000-000000000001"), key_of(central, "00000000-0000-0000-0000-000000000002")));
  const auto twice = rows({"A1", "B1", "A1"}, items);
  CHECK(check_rows(items, {}, twice).has_value());
}

TEST_CASE("Errors say code and message in each spelling") {
  const auto said = [](std::string_view body) {
    const ServiceError error = read_error(body);
    return error.code + "|" + error.message;
  };
  CHECK(said(R"({"error":{"code":301,"message":{"lang":"en-us","value":"Invalid session."}}})") == "301|Invalid session.");  // [M] v1
  CHECK(said(R"({"error":{"code":"-2039","message":"Invalid value"}})") == "-2039|Invalid value");                           // [M] v2
  CHECK(said(R"({"error":{"code":"404","message":"Not Found","target":null}})") == "404|Not Found");                          // [R]
  CHECK(said("<html>") == "|");
  CHECK(said("") == "|");
  CHECK(said(R"({"error":"no object"})") == "|");
}

TEST_CASE("Whatever bytes come, a page is read or refused, and a cut page is never a shorter one") {
  rc::check([](const std::string& any) {
    std::string body = any;
    (void)read_page(orders(), true, body);
    (void)read_error(any);
  });
  for (std::size_t size = 0; size < scan_v2.size(); ++size) CHECK(refusal(std::string(scan_v2.substr(0, size))) != "");
}

}  // namespace
}  // namespace millrace::erp
