#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "server/test_plant.h"

namespace millrace::server {
namespace {

boost::json::value parsed(const std::string& text) { return boost::json::parse(text); }

TestAnswer patch(TestPlant& plant, const std::string& body, const std::string& etag, const std::string& order = "43659") {
  return ask(plant.address, "PATCH", "/api/v1/orders/" + order + "/overlay", "Content-Type: application/merge-patch+json\r\n" + (etag.empty() ? "" : "If-Match: " + etag + "\r\n"), body);
}
TestAnswer post(TestPlant& plant, const std::string& target, const std::string& body) { return ask(plant.address, "POST", target, "Content-Type: application/json\r\n", body); }

}  // namespace

TEST_CASE("what people write is read with its version and written only by who says which version he read") {
  TestPlant plant;
  const auto empty = plant.get("/api/v1/orders/43659/overlay");
  CHECK(empty.header("etag") == "\"0\"");
  CHECK(parsed(empty.body).at("writable").as_array().size() == 6);
  CHECK(patch(plant, R"({"priority":7})", "").status == 428);
  CHECK(patch(plant, R"({"priority":7})", "\"abc\"").status == 412);
  const auto written = patch(plant, R"({"priority":7,"hold":{"value":"paint","expires":"2026-03-20T00:00:00Z"}})", "\"0\"");
  CHECK(written.status == 200);
  CHECK(written.header("etag") == "\"1\"");
  const auto fields = parsed(written.body).at("overlay").at("fields").as_array();
  CHECK(fields[0].at("value").as_string() == "paint");
  CHECK(fields[0].at("expires").as_string() == "2026-03-20T00:00:00.000Z");
  CHECK(fields[1].at("author").as_string() == "local admin");
  for (const char* const wrong : {"[]", "{}", R"({"priority":1.5})", R"({"priority":[1]})", R"({"hold":{"value":"x","until":1}})", R"({"hold":{"value":"x","expires":"soon"}})", R"({"priority":11})",
                                  R"({"promised_date":"31/12/2026"})", R"({"colour":"pink"})", R"({"note":"a\u0000b"})"})
    CHECK_MESSAGE(patch(plant, wrong, "\"1\"").status == 400, wrong);
  CHECK(patch(plant, R"({"wheel":1})", "\"1\"").status == 404);
  CHECK(patch(plant, R"({"note":"x"})", "\"1\"", "9").status == 404);
  CHECK(patch(plant, R"({"note":"x"})", "\"9\"").status == 400);
  CHECK(ask(plant.address, "PATCH", "/api/v1/orders/43659/overlay", "If-Match: *\r\nContent-Type: text/plain\r\n", "x").status == 415);
}

TEST_CASE("who writes into a field that somebody else wrote since sees both values and what stood before") {
  TestPlant plant;
  patch(plant, R"({"note":"first"})", "\"0\"");
  patch(plant, R"({"note":"theirs"})", "\"1\"");
  CHECK(patch(plant, R"({"packing_list":"PL 1"})", "\"1\"").status == 200);
  const auto refused = patch(plant, R"({"note":"mine","priority":1})", "\"1\"");
  CHECK(refused.status == 412);
  CHECK(refused.header("etag") == "\"3\"");
  const auto body = parsed(refused.body);
  CHECK(body.at("type").as_string() == "/problems/precondition-failed");
  CHECK(body.at("your_base_etag").as_string() == "\"1\"");
  const auto& conflict = body.at("conflicts").as_array().at(0);
  CHECK(conflict.at("before").as_string() == "first");
  CHECK(conflict.at("theirs").as_string() == "theirs");
  CHECK(conflict.at("mine").as_string() == "mine");
  CHECK(conflict.at("by").as_string() == "local admin");
  CHECK(body.at("current").at("overlay").at("fields").as_array().size() == 2);
}

TEST_CASE("an edit is undone, but not over somebody's later one unless that is wanted; every edit is listed with before and after") {
  TestPlant plant;
  patch(plant, R"({"note":"first"})", "\"0\"");
  patch(plant, R"({"note":"second"})", "\"1\"");
  const std::string undo = "/api/v1/orders/43659/overlay/undo";
  const auto refused = post(plant, undo, R"({"edit":1})");
  CHECK(refused.status == 409);
  CHECK(parsed(refused.body).at("conflicts").as_array().at(0).at("theirs").as_string() == "second");
  CHECK(post(plant, undo, R"({"edit":1,"also_later":true})").status == 200);
  CHECK(post(plant, undo, R"({"edit":9})").status == 404);
  for (const char* const wrong : {"{}", R"({"edit":"1"})", R"({"edit":1,"also_later":"yes"})", R"({"edit":1,"why":"x"})"}) CHECK_MESSAGE(post(plant, undo, wrong).status == 400, wrong);
  const auto edits = parsed(plant.get("/api/v1/orders/43659/overlay/edits?limit=2").body).at("data").as_array();
  CHECK(edits.at(0).at("kind").as_string() == "undone");
  CHECK(edits.at(0).at("undoes").as_int64() == 1);
  CHECK(edits.at(0).at("changes").as_array().at(0).at("before").as_string() == "second");
  CHECK(edits.at(0).at("changes").as_array().at(0).at("after").is_null());
  CHECK(parsed(plant.get("/api/v1/overlay/edits?since=2").body).at("data").as_array().size() == 1);
  CHECK(plant.get("/api/v1/overlay/edits?since=x").status == 400);
}

TEST_CASE("the order list shows, filters and sorts by what people wrote; the order says who, when and what lies beneath") {
  TestPlant plant;
  plant.world.sales_order("43661").overlay("note", "call \"first\"").overlay("priority", "8").overlay("hold", "paint").overlay("promised_date", "2026-04-01", "2026-03-01");
  plant.world.sales_order("43660").overlay("priority", "3");
  plant.commit();
  const auto orders = [&](const std::string& query) {
    std::string text;
    const auto list = parsed(plant.get("/api/v1/orders?" + query).body);
    for (const auto& row : list.at("data").as_array()) text += std::string(row.at("order").as_string()) + " ";
    return text;
  };
  CHECK(orders("priority=gte.7") == "43661 ");
  CHECK(orders("priority=lt.7") == "43660 ");
  CHECK(orders("priority=none") == "43659 ");
  CHECK(orders("sort=-priority") == "43661 43660 43659 ");
  CHECK(orders("hold=yes") == "43661 ");
  CHECK(orders("hold=ne.yes") == "43659 43660 ");
  CHECK(orders("hold=no") == "43659 43660 ");
  CHECK(orders("note=has.FIRST") == "43661 ");
  CHECK(orders("note=ne.x&sort=note") == "43659 43660 43661 ");
  CHECK(plant.get("/api/v1/orders?priority=high").status == 400);
  const auto row = parsed(plant.get("/api/v1/orders?order=43661").body).at("data").as_array().at(0);
  CHECK(row.at("note").as_string() == "call \"first\"");
  CHECK(row.at("priority").as_int64() == 8);
  CHECK(row.at("colour").as_string() == "");
  const auto order = parsed(plant.get("/api/v1/orders/43661").body).at("order");
  CHECK(order.at("overlay").at("version").as_int64() == 4);
  const auto& promised = order.at("overlay").at("fields").as_array().at(3);
  CHECK(promised.at("value").as_string() == "2026-04-01");
  CHECK(promised.at("beneath").as_string() == "2026-03-01");
  CHECK(promised.at("author").as_string() == "Ann");
  CHECK(plant.get("/api/v1/orders/43661/provenance").body.find("written by Ann") != std::string::npos);
  CHECK(plant.get("/api/v1/orders/43661/history").body.find("hold none → paint") != std::string::npos);
}

TEST_CASE("the sheet comes as a workbook whose edited cells are found, shown and written as one group") {
  TestPlant plant;
  patch(plant, R"({"note":"line one\nline two","promised_date":"2026-04-01"})", "\"0\"");
  plant.world.sales_order("43659").overlay("note", "line one\nline two");
  plant.commit();
  const auto sheet = plant.get("/api/v1/overlay/sheet.xlsx?status=Open");
  CHECK(sheet.status == 200);
  const ingest::ParsedDocument read = ingest::parse_overlay_sheet(sheet.body);
  std::string head;
  for (const ingest::TableCell& cell : read.table)
    if (cell.row == 0) head += cell.text + "|";
  CHECK(head == "Order|Version|Customer|Customer name|Status|Requested|Promise|Promised date|Priority|Hold|Note|Colour|Packing list|Check|");
  const auto note = std::ranges::find_if(read.table, [](const ingest::TableCell& cell) { return cell.row == 1 && cell.column == 10; });
  CHECK(note->text == "line one\nline two");
  const std::string type = "Content-Type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet\r\n";
  // The snapshot's version lags behind by what the first patch wrote: those cells are edits of somebody else since, not ours.
  const auto preview = ask(plant.address, "POST", "/api/v1/overlay/sheet?preview=1", type, sheet.body);
  CHECK(preview.status == 200);
  CHECK(parsed(preview.body).at("rows").as_int64() == 2);
  CHECK(ask(plant.address, "POST", "/api/v1/overlay/sheet?preview=1", type, "PK no workbook").status == 400);
  CHECK(ask(plant.address, "POST", "/api/v1/overlay/sheet?preview=1", "Content-Type: text/csv\r\n", "a").status == 415);
  CHECK(ask(plant.address, "POST", "/api/v1/overlay/sheet", type, sheet.body).status == 400);
  CHECK(ask(plant.address, "POST", "/api/v1/overlay/sheet?apply=1&preview=other", "", "").status == 404);
  CHECK(ask(plant.address, "POST", "/api/v1/overlay/sheet?apply=1&preview=p1", "", "").status == 200);
}

}  // namespace millrace::server
