// Every route, good and bad, against a running server.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <set>

#include "server/internal/assets.h"
#include "server/internal/route_parts.h"
#include "server/internal/router.h"
#include "server/test_plant.h"

namespace millrace::server {

namespace {

boost::json::value parsed(const std::string& body) {
  boost::system::error_code error;
  auto value = boost::json::parse(body, error);
  REQUIRE_MESSAGE(!error, body);
  return value;
}

void check_problem(const TestAnswer& answer, int status, std::string_view code) {
  CHECK_MESSAGE(answer.status == status, answer.body);
  CHECK(answer.header("content-type") == "application/problem+json");
  const auto problem = parsed(answer.body);
  CHECK(problem.at("type").as_string() == "/problems/" + std::string(code));
  CHECK(problem.at("status").as_int64() == status);
  CHECK(!problem.at("detail").as_string().empty());
  CHECK(problem.at("instance").as_string() == answer.header("x-request-id"));
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("the order list says its Sequence, its exact total and sums per currency") {
  TestPlant plant;
  const auto answer = plant.get("/api/v1/orders?sort=order&limit=2");
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  CHECK(answer.header("content-type") == "application/json");
  CHECK(answer.header("millrace-as-of") == "4");
  CHECK(answer.header("cache-control") == "private, no-cache");
  CHECK(answer.header("content-security-policy").find("unsafe-inline") == std::string::npos);
  CHECK(answer.header("x-frame-options") == "DENY");
  CHECK(answer.header("link").find("rel=\"next\"") != std::string::npos);
  const auto page = parsed(answer.body);
  CHECK(page.at("as_of").as_int64() == 4);
  CHECK(page.at("sources").at(0).at("age_s").as_int64() == 2);
  CHECK(page.at("total").as_int64() == 3);
  CHECK(page.at("total_is_exact").as_bool());
  CHECK(page.at("data").as_array().size() == 2);
  CHECK(page.at("data").at(0).at("order").as_string() == "43659");
  CHECK(page.at("data").at(0).at("open_amount").at("minor").as_int64() == 25000);
  CHECK(page.at("data").at(0).at("late").as_bool());
  CHECK(page.at("data").at(0).at("lateness_days").as_int64() == 7);
  CHECK(page.at("sums").as_array().size() == 2);

  const std::string cursor(page.at("next_cursor").as_string());
  const auto next = parsed(plant.get("/api/v1/orders?sort=order&limit=2&cursor=" + cursor).body);
  CHECK(next.at("data").as_array().size() == 1);
  CHECK(next.at("next_cursor").is_null());
  check_problem(plant.get("/api/v1/orders?sort=-order&limit=2&cursor=" + cursor), 400, "cursor-mismatch");
}

TEST_CASE("an unchanged list is not sent again, a changed one is") {
  TestPlant plant;
  const auto first = plant.get("/api/v1/orders?status=Open");
  const std::string tag = first.header("etag");
  REQUIRE(tag.starts_with('"'));
  const auto again = plant.get("/api/v1/orders?status=Open", "If-None-Match: " + tag + "\r\n");
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  plant.world.sales_order("43660").status("Shipped");
  plant.commit();
  const auto changed = plant.get("/api/v1/orders?status=Open", "If-None-Match: " + tag + "\r\n");
  CHECK(changed.status == 200);
  CHECK(parsed(changed.body).at("total").as_int64() == 1);
}

TEST_CASE("wrong filters are named all at once with what would be right") {
  TestPlant plant;
  const auto answer = plant.get("/api/v1/orders?statsu=Open&limit=1000000000&due=lt.yesterdayish");
  CHECK(answer.status == 400);
  const auto problem = parsed(answer.body);
  CHECK(problem.at("errors").as_array().size() == 3);
  CHECK(std::string(problem.at("detail").as_string()).find("status") != std::string::npos);
  CHECK(plant.get("/api/v1/orders?cursor=%FF%FF").status == 400);
  CHECK(plant.get("/api/v1/orders?sort=nothing").status == 400);
  CHECK(plant.get("/api/v1/orders/window?offset=-1").status == 400);
  CHECK(plant.get("/api/v1/totals?group=colour").status == 400);
  CHECK(plant.get("/api/v1/changes?since=soon").status == 400);
  CHECK(plant.get("/api/v1/sources?x=1").status == 400);
  CHECK(plant.get("/api/v1/orders.csv?sep=%25").status == 400);
  CHECK(plant.get("/api/v1/rejections?outcome=maybe").status == 400);
}

TEST_CASE("one order opens to its lines, its rule and its file") {
  TestPlant plant;
  const auto detail = parsed(plant.get("/api/v1/orders/43659").body);
  CHECK(detail.at("order").at("lines_data").at(0).at("item").as_string() == "P-1");
  CHECK(detail.at("order").at("lines_data").at(0).at("open_amount").at("minor").as_int64() == 25000);
  CHECK(detail.at("order").at("documents").at(0).at("counts").as_bool());
  const auto origin = parsed(plant.get("/api/v1/orders/43659/provenance").body);
  CHECK(origin.at("values").at(0).at("field").as_string() == "open_amount");
  CHECK(origin.at("values").at(0).at("value").as_string() == "250.00 EUR");
  CHECK(origin.at("values").at(0).at("inputs").as_array().size() == 1);
  plant.world.sales_order("43659").status("In Production");
  plant.commit();
  const auto history = parsed(plant.get("/api/v1/orders/43659/history").body);
  CHECK(history.at("data").as_array().size() == 2);
  CHECK(history.at("data").at(0).at("kind").as_string() == "status_changed");
  check_problem(plant.get("/api/v1/orders/99"), 404, "not-found");
  check_problem(plant.get("/api/v1/orders/99/history"), 404, "not-found");
  check_problem(plant.get("/api/v1/orders/99/provenance"), 404, "not-found");
}

TEST_CASE("exports give every row, say how many, and cannot run a formula") {
  TestPlant plant;
  const auto csv = plant.get("/api/v1/orders.csv?sort=order");
  REQUIRE_MESSAGE(csv.status == 200, csv.body);
  CHECK(csv.header("content-disposition") == "attachment; filename=\"orders_2026-03-10.csv\"");
  CHECK(csv.header("transfer-encoding") == "chunked");
  CHECK(csv.body.starts_with("order,status,"));
  CHECK(csv.body.find("\r\n43659,Open,") != std::string::npos);
  CHECK(csv.body.find("\"'=cmd|' /C calc'!A0\"") != std::string::npos);
  CHECK(csv.body.find("\r\n# rows: 3, as of Sequence 4, 2026-01-01T") != std::string::npos);

  const auto german = plant.get("/api/v1/orders.csv?bom=1&sep=;&decimal=,&fields=order,open_amount&order=43659");
  CHECK(german.body.starts_with("\xEF\xBB\xBForder;open_amount\r\n43659;250,00\r\n# rows: 1"));
  CHECK(plant.get("/api/v1/orders", "Accept: text/csv\r\n").body.starts_with("order,status,"));
  check_problem(plant.get("/api/v1/orders", "Accept: image/png\r\n"), 406, "not-acceptable");

  const auto lines = plant.get("/api/v1/orders.ndjson");
  CHECK(count_of(lines.body, "\n") == 3);
  CHECK(parsed(lines.body.substr(0, lines.body.find('\n'))).at("sequence").as_int64() > 0);
  const auto whole = parsed(plant.get("/api/v1/orders.json").body);
  CHECK(whole.at("data").as_array().size() == 3);
  CHECK(whole.at("total").as_int64() == 3);

  const auto sheet = plant.get("/api/v1/orders.xlsx");
  CHECK(sheet.status == 200);
  CHECK(sheet.body.starts_with("PK"));
  CHECK(sheet.header("content-length") == std::to_string(sheet.body.size()));
  const auto refused = plant.get("/api/v1/rejections.csv");
  CHECK(refused.body.find("# rows: 1") != std::string::npos);
}

TEST_CASE("an HTTP/1.0 client gets an export without chunks, ended by the close") {
  TestPlant plant;
  TestConnection old(plant.address);
  old.send("GET /api/v1/orders.csv HTTP/1.0\r\n\r\n");
  const std::string all = old.read_all();
  CHECK(all.find("Transfer-Encoding") == std::string::npos);
  CHECK(all.find("# rows: 3") != std::string::npos);
}

TEST_CASE("totals, the morning's answer and the columns answer") {
  TestPlant plant;
  const auto totals = parsed(plant.get("/api/v1/totals?group=customer").body);
  CHECK(totals.at("group").as_string() == "customer");
  CHECK(totals.at("data").at(0).at("key").as_string() == "C1");
  for (const char* group : {"item", "manufacturer", "salesman", "status", "due_month", "currency"})
    CHECK(plant.get(std::string("/api/v1/totals?group=") + group + "&status=Open").status == 200);
  const auto smallest = parsed(plant.get("/api/v1/totals?group=customer&sort=open_amount&limit=1").body);
  CHECK(smallest.at("data").as_array().size() == 1);
  CHECK(smallest.at("total") == totals.at("total"));
  CHECK(smallest.at("data").at(0).at("key").as_string() != "C1");
  const auto wrong_sort = plant.get("/api/v1/totals?group=customer&sort=colour");
  CHECK(wrong_sort.status == 400);
  CHECK(wrong_sort.body.find("late_amount") != std::string::npos);
  const auto today = parsed(plant.get("/api/v1/today").body);
  CHECK(today.at("day").as_string() == "2026-03-10");
  CHECK(today.at("rejections").as_int64() == 1);
  CHECK(today.at("needs_decision").at(0).at("order").as_string() == "43659");
  CHECK(parsed(plant.get("/api/v1/fields").body).at("data").as_array().size() >= 29);
  const auto window = parsed(plant.get("/api/v1/orders/window?offset=2&limit=5&sort=order").body);
  CHECK(window.at("offset").as_int64() == 2);
  CHECK(window.at("data").as_array().size() == 1);
  CHECK(window.at("page").is_null());  // with pages of five, the third row begins none
  const auto page = parsed(plant.get("/api/v1/orders/window?page=2&limit=2&sort=order").body);
  CHECK(page.at("page").as_int64() == 2);
  CHECK(page.at("offset").as_int64() == 2);
  CHECK(page.at("data") == window.at("data"));
  CHECK(plant.get("/api/v1/orders/window?page=0").status == 400);
  CHECK(plant.get("/api/v1/orders/window?page=1&offset=0").status == 400);
}

TEST_CASE("changes come in words, from what is kept and from the record") {
  TestPlant plant;
  const auto old = parsed(plant.get("/api/v1/changes?since=0").body);
  CHECK(old.at("data").as_array().size() == 4);
  CHECK(old.at("next_since").as_int64() == 4);
  CHECK_FALSE(old.at("more").as_bool());
  plant.world.sales_order("43660").status("In Production");
  plant.commit();
  const auto fresh = parsed(plant.get("/api/v1/changes?since=4").body);
  REQUIRE(fresh.at("data").as_array().size() == 1);
  CHECK(fresh.at("data").at(0).at("kind").as_string() == "status_changed");
  const auto last = parsed(plant.get("/api/v1/changes?since=-2&limit=1").body);
  CHECK(last.at("data").at(0).at("sequence").as_int64() == 4);
  CHECK(last.at("more").as_bool());
  CHECK(parsed(plant.get("/api/v1/changes?since=999").body).at("data").as_array().empty());
}

TEST_CASE("sources are shown and steered") {
  TestPlant plant;
  const auto list = parsed(plant.get("/api/v1/sources").body);
  CHECK(list.at("data").at(0).at("state").as_string() == "live");
  CHECK(list.at("data").at(0).at("age_s").as_int64() == 2);
  const auto paused = ask(plant.address, "POST", "/api/v1/sources/orders/pause");
  CHECK(paused.status == 202);
  CHECK(parsed(paused.body).at("source").at("state").as_string() == "paused");
  CHECK(ask(plant.address, "POST", "/api/v1/sources/orders/resume").status == 202);
  CHECK(ask(plant.address, "POST", "/api/v1/sources/orders/refresh?reread=1").status == 202);
  CHECK(ask(plant.address, "POST", "/api/v1/sources/orders/accept-vanished").status == 202);
  check_problem(ask(plant.address, "POST", "/api/v1/sources/mail/refresh"), 404, "not-found");
  const std::string json = "Content-Type: application/json\r\n";
  const auto patched = ask(plant.address, "PATCH", "/api/v1/sources/orders", json, R"({"interval_s":600})");
  CHECK(patched.status == 200);
  CHECK(parsed(patched.body).at("source").at("refresh").at("interval_s").as_int64() == 600);
  CHECK(ask(plant.address, "PATCH", "/api/v1/sources/orders", json, R"({"interval_s":1})").status == 400);
  CHECK(ask(plant.address, "PATCH", "/api/v1/sources/orders", json, R"({"interval_s":99999999999999999999})").status ==
        400);
  CHECK(ask(plant.address, "PATCH", "/api/v1/sources/orders", json, R"({"interval_s":600,"role":"admin"})").status ==
        400);
  CHECK(ask(plant.address, "PATCH", "/api/v1/sources/orders", json, std::string(200, '[')).status == 400);
  check_problem(
      ask(plant.address, "PATCH", "/api/v1/sources/orders", "Content-Type: text/plain\r\n", R"({"interval_s":600})"),
      415, "unsupported-media-type");
  CHECK(ask(plant.address, "POST", "/api/v1/rejections/7/replay").status == 202);
  check_problem(ask(plant.address, "POST", "/api/v1/rejections/8/replay"), 404, "not-found");
  check_problem(ask(plant.address, "POST", "/api/v1/rejections/x/replay"), 404, "not-found");
  CHECK(parsed(plant.get("/api/v1/rejections?q=BROKEN").body).at("total").as_int64() == 1);
  CHECK(parsed(plant.get("/api/v1/rejections?q=other").body).at("total").as_int64() == 0);
}

TEST_CASE("the addresses of the first system answer from the same data") {
  TestPlant plant;
  const auto facts = parsed(plant.get("/api/so-performance").body);
  CHECK(facts.at("orders_loaded").as_int64() == 3);
  CHECK(facts.at("hit_rate").at("word").as_string() == "good");
  CHECK(facts.at("cache_size").at("disk_bytes").as_int64() == 5120);
  CHECK(ask(plant.address, "POST", "/api/so-performance/refresh").status == 202);
  CHECK(plant.sources.sources().front().message == "rereading");
  const auto service = parsed(plant.get("/api/so-background-refresh").body);
  CHECK(service.at("status").as_string() == "running");
  CHECK(service.at("interval_s").as_int64() == 1800);
  CHECK(ask(plant.address, "POST", "/api/so-background-refresh/force").status == 202);
  CHECK(plant.sources.sources().front().message == "refreshing");
  // A request counts when its answer is written, which its client may read a moment before.
  auto ours = parsed(plant.get("/api/v1/performance").body);
  for (int looks = 0; looks < 1000 && ours.at("requests").at("count").as_int64() < 4; ++looks) ours = parsed(plant.get("/api/v1/performance").body);
  CHECK(ours.at("requests").at("count").as_int64() >= 4);
  CHECK(ours.at("files").at("hit_rate").as_double() == doctest::Approx(90.0));
  CHECK(ours.at("memory").at("rss_bytes").as_int64() > 1'000'000);
}

TEST_CASE("the memory report explains the read model column by column, and its numbers add up") {
  TestPlant plant;
  const auto memory = parsed(plant.get("/api/v1/performance/memory").body);
  CHECK(memory.at("orders").as_int64() == 3);
  std::int64_t bytes = 0;
  bool due = false;
  for (const auto& table : memory.at("tables").as_array()) {
    bytes += table.at("bytes").as_int64();
    std::int64_t columns = 0;
    for (const auto& column : table.at("columns").as_array()) {
      columns += column.at("bytes").as_int64();
      due = due || column.at("name").as_string() == "due";
    }
    CHECK(columns == table.at("bytes").as_int64());
  }
  CHECK(bytes == memory.at("bytes").as_int64());
  CHECK(due);
  const auto& process = memory.at("process");
  CHECK(process.at("rss_bytes").as_int64() ==
        process.at("file_bytes").as_int64() + process.at("read_model_bytes").as_int64() + process.at("unexplained_bytes").as_int64());
  check_problem(plant.get("/api/v1/performance/memory?x=1"), 400, "unknown-parameter");
}

TEST_CASE("health tells alive from ready") {
  TestPlant plant;
  CHECK(plant.get("/livez").body == "ok\n");
  CHECK(plant.get("/readyz").status == 200);
  CHECK(plant.get("/readyz?verbose").body.find("[+] source orders") != std::string::npos);
  CHECK(parsed(plant.get("/health").body).at("status").as_string() == "ok");
  const auto numbers = plant.get("/metrics").body;
  CHECK(numbers.find("millrace_http_requests_total{") != std::string::npos);
  CHECK(numbers.find("/livez") != std::string::npos);
  plant.ready = false;
  check_problem(plant.get("/readyz"), 503, "unavailable");
  CHECK(plant.get("/health").status == 503);
  CHECK(plant.get("/livez").status == 200);
}

TEST_CASE("what does not exist, and methods that do not fit, are problems with a way on") {
  TestPlant plant;
  check_problem(plant.get("/api/v1/nothing"), 404, "not-found");
  check_problem(plant.get("/assets/old-release.js"), 404, "not-found");
  const auto wrong = ask(plant.address, "DELETE", "/api/v1/orders");
  check_problem(wrong, 405, "method-not-allowed");
  CHECK(wrong.header("allow") == "GET, HEAD, OPTIONS");
  CHECK(ask(plant.address, "OPTIONS", "/api/v1/sources/orders").header("allow") == "PATCH, OPTIONS");
  CHECK(ask(plant.address, "OPTIONS", "*").status == 204);
  const auto head = ask(plant.address, "HEAD", "/api/v1/orders");
  CHECK(head.status == 200);
  CHECK(std::stoul(head.header("content-length")) > 100);
  CHECK(head.header("etag") == plant.get("/api/v1/orders").header("etag"));
}

TEST_CASE("pages of the web part answer without being kept") {
  TestPlant plant;
  for (const char* path :
       {"/", "/today", "/orders", "/orders/43659", "/sources", "/performance", "/jobs", "/problems/not-found"}) {
    const auto page = plant.get(path);
    CHECK_MESSAGE(page.status == 200, path);
    CHECK(page.header("content-type").starts_with("text/html"));
    CHECK(page.header("cache-control").find("immutable") == std::string::npos);
  }
}

TEST_CASE("a page's address with a slash at its end leads to the page, with its filters") {
  TestPlant plant;
  for (const std::string path : {"/today", "/orders", "/orders/43659", "/sources", "/performance", "/jobs"}) {
    const auto moved = plant.get(path + "/");
    CHECK_MESSAGE(moved.status == 308, path);
    CHECK(moved.header("location") == path);
  }
  CHECK(plant.get("/orders/?status=Open&q=a%26b").header("location") == "/orders?status=Open&q=a%26b");
  CHECK(ask(plant.address, "HEAD", "/orders/").status == 308);
  CHECK(plant.get("/orders//").status == 404);
  CHECK(plant.get("//evil.example/").status == 404);
  CHECK(plant.get("/api/v1/orders/").status == 404);
  CHECK(ask(plant.address, "POST", "/orders/").status == 404);
}

TEST_CASE("files of the web part are kept for good under their hashed names and come packed") {
  TestPlant plant;
  if (embedded_assets().empty()) {
    MESSAGE("this program was built without its web part: nothing to look at");
    CHECK(plant.get("/").header("cache-control") == "no-store");
    return;
  }
  std::size_t hashed = 0, packed = 0;
  for (const Asset& asset : embedded_assets()) {
    INFO(std::string(asset.path));
    const auto plain = plant.get(asset.path);
    CHECK(plain.status == 200);
    CHECK(plain.header("content-type") == std::string(asset.type));
    CHECK(plain.header("vary") == "Accept-Encoding");
    CHECK(plain.header("content-encoding").empty());
    CHECK(plain.body == asset.plain);
    const bool named_by_content = asset.path.starts_with("/assets/");
    CHECK(plain.header("cache-control") == (named_by_content ? "public, max-age=31536000, immutable" : "no-cache"));
    hashed += named_by_content;
    for (const auto& [coding, bytes] : {std::pair<std::string, std::string_view>{"br", asset.brotli}, {"gzip", asset.gzip}}) {
      if (bytes.empty()) continue;
      ++packed;
      const auto small = plant.get(asset.path, "Accept-Encoding: " + coding + "\r\n");
      CHECK(small.header("content-encoding") == coding);
      CHECK(small.body == bytes);
      CHECK(small.body.size() < plain.body.size());
      CHECK(small.header("etag") != plain.header("etag"));
      CHECK(plant.get(asset.path, "Accept-Encoding: " + coding + "\r\nIf-None-Match: " + small.header("etag") + "\r\n")
                .status == 304);
    }
  }
  CHECK(hashed > 0);
  CHECK(packed > 0);
}

TEST_CASE("large answers are packed for those who take it; what was dear to make is kept, what an index finds is not") {
  TestPlant plant;
  const auto plain = plant.get("/api/v1/orders?limit=3");
  const auto packed = plant.get("/api/v1/orders?limit=3", "Accept-Encoding: gzip, deflate\r\n");
  CHECK(packed.header("content-encoding") == "gzip");
  CHECK(packed.body.size() < plain.body.size());
  CHECK(packed.header("etag") != plain.header("etag"));
  CHECK(plant.get("/api/v1/orders?limit=3", "Accept-Encoding: zstd\r\n").header("content-encoding") == "zstd");
  CHECK(plant.get("/api/v1/orders?limit=3", "Accept-Encoding: gzip;q=0\r\n").header("content-encoding").empty());
  auto before = plant.results.statistics();
  CHECK(plant.get("/api/v1/orders?limit=3", "Accept-Encoding: gzip, deflate\r\n").body == packed.body);
  CHECK(plant.results.statistics().hits == before.hits + 1);
  const auto totals = plant.get("/api/v1/totals?group=customer");
  before = plant.results.statistics();
  CHECK(plant.get("/api/v1/totals?group=customer").body == totals.body);
  CHECK(plant.results.statistics().hits == before.hits + 1);
  before = plant.results.statistics();
  CHECK(plant.get("/api/v1/orders?limit=3").body == plain.body);
  CHECK(plant.results.statistics().hits == before.hits);
  CHECK(plant.results.statistics().entries == before.entries);
}

TEST_CASE("another host name or another site is refused") {
  TestPlant plant;
  TestConnection rebound(plant.address);
  rebound.send("GET /api/v1/orders HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  check_problem(rebound.read_answer(), 403, "host-refused");
  for (const char* host : {"localhost:80", "127.0.0.1", "127.9.9.9:1", "[::1]:8080", "LOCALHOST"}) {
    TestConnection fine(plant.address);
    fine.send("GET /livez HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    CHECK(fine.read_answer().status == 200);
  }
  check_problem(ask(plant.address, "POST", "/api/v1/sources/orders/pause", "Origin: http://evil.example\r\n"), 403,
                "origin-refused");
  check_problem(ask(plant.address, "POST", "/api/v1/sources/orders/pause", "Origin: null\r\n"), 403, "origin-refused");
  check_problem(ask(plant.address, "POST", "/api/v1/sources/orders/pause", "Sec-Fetch-Site: cross-site\r\n"), 403,
                "origin-refused");
  CHECK(
      ask(plant.address, "POST", "/api/v1/sources/orders/resume", "Origin: http://" + plant.address + "\r\n").status ==
      202);
}

TEST_CASE("only loopback is listened on, and a taken port is named") {
  TestPlant plant;
  for (const char* address : {"0.0.0.0:0", "192.168.1.5:8080", "[::]:0", "8080", "127.0.0.1:99999", "host:1", ""}) {
    ServerOptions options;
    options.listen = address;
    const auto refused = Server::start(plant.services(), options);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == ErrorCode::invalid_input);
  }
  ServerOptions options;
  options.listen = "0.0.0.0:0";
  CHECK(Server::start(plant.services(), options).error().text().find("without sign-in everybody") !=
        std::string::npos);
  options.listen = plant.address;
  const auto taken = Server::start(plant.services(), options);
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().code() == ErrorCode::conflict);
  CHECK(taken.error().text().find(plant.address.substr(10)) != std::string::npos);
}

TEST_CASE("every route of the table is described, and every example works") {
  TestPlant plant;
  plant.overlays.write_group("43660");  // edit 1, which one example takes back; the example of a patch makes edit 2
  const auto answer = plant.get("/api/v1/openapi.json");
  const auto document = parsed(answer.body);
  CHECK(document.at("openapi").as_string() == "3.1.0");
  std::size_t replayed = 0;
  std::set<std::string_view> of_people;  // have their own tests, with people
  for (const Route& route : people_routes()) of_people.insert(route.name);
  for (const Route& route : route_table()) {
    std::string method(name_of(route.method));
    for (char& c : method) c = static_cast<char>(c | 0x20);
    const auto* path = document.at("paths").as_object().if_contains(std::string(route.path));
    REQUIRE_MESSAGE(path, std::string(route.path));
    const auto* operation = path->as_object().if_contains(method);
    REQUIRE(operation);
    std::string target(route.path);
    std::string query;
    for (const auto& parameter : operation->at("parameters").as_array()) {
      const auto* example = parameter.as_object().if_contains("example");
      if (!example) continue;
      std::string text = example->is_string() ? std::string(example->as_string()) : std::to_string(example->as_int64());
      const std::string name(parameter.at("name").as_string());
      if (parameter.at("in").as_string() == "path") {
        target.replace(target.find("{" + name + "}"), name.size() + 2, text);
      } else {
        query += (query.empty() ? "?" : "&") + name + "=" + (text == ";" ? "%3B" : text);
      }
    }
    if (route.answer == Answer::live || route.name == "takeWebhook" || route.name == "takeOverlaySheet" || route.name == "importFinance" || of_people.contains(route.name)) continue;  // have their own tests
    std::string headers = route.example_body.empty() ? "" : "Content-Type: application/json\r\n";
    if (route.name == "editOverlay" || route.name == "putFinance" || route.name == "removeFinance") headers += "If-Match: *\r\n";
    const auto reply = ask(plant.address, name_of(route.method), target + query, headers, route.example_body);
    CHECK_MESSAGE(reply.status == route.status, target << query << " " << reply.body.substr(0, 300));
    const auto& content = operation->at("responses").at(std::to_string(route.status)).at("content").as_object();
    CHECK(reply.header("content-type").starts_with(std::string(content.begin()->key())));
    ++replayed;
  }
  CHECK(replayed == route_table().size() - 4 - of_people.size());
}

}  // namespace millrace::server
