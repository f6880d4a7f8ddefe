#include "simulator/service_layer.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "simulator/in_process.h"
#include "simulator/script.h"

namespace millrace::simulator {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class TestClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  void pass(std::chrono::milliseconds time) { now_ += time; }

 private:
  Instant now_ = Instant(std::chrono::sys_days(std::chrono::year(2026) / 3 / 2)) + 9h;
};

constexpr std::int32_t today = 20'514;  // 2026-03-02

Line line(std::int32_t number, Micros quantity, Micros price) {
  return {.number = number,
          .item_code = "A1",
          .description = "Pump",
          .warehouse = "01",
          .unit = "pcs",
          .currency = "EUR",
          .rate = one,
          .quantity = quantity,
          .open = quantity,
          .price = price,
          .discount = 0,
          .ship_day = today + 10,
          .closed = false};
}

// Orders 1 to n of "O'Neil", 4 pcs at 25.00; order i was stamped at 08:00 plus i minutes.
Company company_of(std::int32_t orders) {
  Company company;
  company.manufacturers[7] = {7, "Nordwerk"};
  company.items["A1"] = {.code = "A1",
                         .name = "Pump",
                         .unit = "pcs",
                         .manufacturer = 7,
                         .on_hand = 0,
                         .created_day = today - 9,
                         .stamp = {},
                         .version = 1};
  company.partners["C1"] = {
      .code = "C1", .name = "O'Neil", .currency = "EUR", .supplier = false, .stamp = Stamp{today - 5, 0}, .version = 1};
  for (std::int32_t i = 1; i <= orders; ++i) {
    Document order;
    order.card_code = "C1";
    order.card_name = "O'Neil";
    order.posted_day = today - 1;
    order.due_day = today + 10;
    order.lines = {line(0, 4 * one, 25 * one)};
    company.enter(order, Stamp{today, 8 * 3600 + i * 60 + 33});
  }
  return company;
}

// A server with a client that is signed in.
struct Plant {
  explicit Plant(std::int32_t orders = 5, ServiceLayerOptions options = {})
      : server(options, company_of(orders), clock), root("https://sap:50000/b1s/v2/") {
    log_in();
  }
  outbound::Reply call(std::string method, const std::string& address,
                       std::vector<std::pair<std::string, std::string>> headers = {}, std::string body = "") {
    outbound::Call request;
    request.method = std::move(method);
    request.url = address;
    request.headers = std::move(headers);
    if (!cookies.empty()) request.headers.emplace_back("Cookie", cookies);
    request.body = std::move(body);
    return server.answer(request);
  }
  outbound::Reply get(const std::string& question, std::vector<std::pair<std::string, std::string>> headers = {}) {
    return call("GET", root + question, std::move(headers));
  }
  void log_in() {
    cookies.clear();
    const auto reply =
        call("POST", root + "Login", {}, R"({"CompanyDB":"NORDWERK","UserName":"manager","Password":"manager"})");
    REQUIRE(reply.status == 200);
    for (const std::string_view cookie : reply.all("Set-Cookie"))
      cookies += std::string(cookie.substr(0, cookie.find(';'))) + "; ";
  }
  // "1 2 3", or the error's text.
  std::string keys(const std::string& question, std::vector<std::pair<std::string, std::string>> headers = {}) {
    const auto reply = get(question, std::move(headers));
    const json::object answer = json::parse(reply.body).as_object();
    if (reply.status != 200)
      return std::to_string(reply.status) + ": " + std::string(answer.at("error").at("message").as_string());
    std::string keys;
    for (const json::value& row : answer.at("value").as_array())
      keys += (keys.empty() ? "" : " ") + std::to_string(row.at("DocEntry").as_int64());
    if (answer.contains("@odata.nextLink")) keys += " -> " + std::string(answer.at("@odata.nextLink").as_string());
    return keys;
  }
  TestClock clock;
  ServiceLayer server;
  std::string root, cookies;
};

TEST_CASE("a login gives the cookies in SAP's spelling, and a session that ends when nobody calls") {
  Plant plant;
  const auto reply = plant.call("POST", plant.root + "Login", {},
                                R"({"CompanyDB":"NORDWERK","UserName":"manager","Password":"manager"})");
  REQUIRE(reply.all("Set-Cookie").size() == 2);
  CHECK(reply.all("Set-Cookie")[0].ends_with(";HttpOnly;"));
  CHECK(reply.all("Set-Cookie")[1] == "ROUTEID=.node1; path=/b1s");
  CHECK(plant.get("Orders").status == 200);
  plant.clock.pass(29min);
  CHECK(plant.get("Orders").status == 200);  // each call renews it
  plant.clock.pass(29min);
  CHECK(plant.get("Orders").status == 200);
  plant.clock.pass(31min);
  const auto dead = plant.get("Orders");
  CHECK(dead.status == 401);
  CHECK(json::parse(dead.body).at("error").at("code").as_string() == "301");
}

TEST_CASE("errors are worded as v1 and v2 word them") {
  Plant plant;
  plant.server.drop_sessions();
  CHECK(plant.get("Orders").body ==
        R"({"error":{"code":"301","message":"Invalid session or session already timeout."}})");
  plant.root = "https://sap:50000/b1s/v1/";
  CHECK(plant.get("Orders").body ==
        R"({"error":{"code":301,"message":{"lang":"en-us","value":"Invalid session or session already timeout."}}})");
}

TEST_CASE("a wrong password and an unknown company are refused, route names know capitals") {
  Plant plant;
  const auto log_in = [&](const std::string& body) {
    return plant.call("POST", plant.root + "Login", {}, body).status;
  };
  CHECK(log_in(R"({"CompanyDB":"NORDWERK","UserName":"manager","Password":"wrong"})") == 401);
  CHECK(log_in(R"({"CompanyDB":"OTHER","UserName":"manager","Password":"manager"})") == 401);
  plant.cookies.clear();
  CHECK(plant
            .call("POST", plant.root + "login", {},
                  R"({"CompanyDB":"NORDWERK","UserName":"manager","Password":"manager"})")
            .status == 401);
}

TEST_CASE("filters read the documented spellings and refuse others") {
  Plant plant;
  plant.server.with_company([](Company& company) {
    company.close(company.orders.at(4), Stamp{today, 9 * 3600}, Trace::stamped);
    return 0;
  });
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"DocEntry gt 2 and DocEntry lt 5", "3 4"},
      {"DocEntry eq 5 or DocEntry eq 1", "1 5"},
      {"not (DocEntry ge 2)", "1"},
      {"DocumentStatus eq 'bost_Close'", "4"},
      {"DocumentStatus eq 'C'", "4"},
      {"Cancelled eq 'tNO' and DocEntry le 1", "1"},
      {"Cancelled eq true", "400: Invalid $filter: 'true' is no value for Cancelled"},
      {"UpdateDate eq '2026-03-02' and UpdateTime ge '09:00'", "4"},
      {"UpdateDate gt '20260301' and UpdateTime eq '08:02:59'", "2"},  // only hour and minute count
      {"UpdateDate ge datetime'2026-03-02T00:00:00' and UpdateTime le '0801'", "1"},
      {"UpdateDate gt '2026-03-02'", ""},
      {"CardName eq 'O''Neil' and DocEntry eq 3", "3"},
      {"startswith(CardCode,'C') and DocEntry eq 3", "3"},
      {"substringof('Nei',CardName) and contains(CardCode,'1') and endswith(CardCode,'1') and DocEntry lt 2", "1"},
      {"NumAtCard eq null and DocEntry eq 2", "2"},
      {"DocEntry eq '2'", "400: Invalid $filter: '2' is no value for DocEntry"},
      {"DocStatus eq 'O'", "400: Invalid $filter: Property 'DocStatus' of 'Document' is invalid"},
      {"year(DocDate) eq 2026", "400: Invalid $filter: Property 'year' of 'Document' is invalid"},
      {"DocEntry in (1,2)", "400: Invalid $filter: 'in' is no operator"},
      {"(DocEntry eq 1", "400: Invalid $filter: a ')' is missing"},
  };
  for (const auto& [filter, expected] : cases) {
    CAPTURE(filter);
    CHECK(plant.keys("Orders?$filter=" + percent_encoded(filter)) == expected);
  }
}

TEST_CASE("pages are 20 unless asked, links carry only the place, and $top within a page ends without a link") {
  Plant plant(50);
  CHECK(plant.keys("Orders?$select=DocEntry").ends_with("20 -> Orders?$select=DocEntry&$skip=20"));
  CHECK(plant.keys("Orders?$select=DocEntry&$skip=48") == "49 50");
  CHECK(plant.keys("Orders?$orderby=DocEntry%20desc", {{"B1S-PageSize", "2"}}) ==
        "50 49 -> Orders?$orderby=DocEntry%20desc&$skip=2");
  CHECK(plant.keys("Orders", {{"Prefer", "odata.maxpagesize=3"}}) == "1 2 3 -> Orders?$skip=3");
  CHECK(plant.keys("Orders?$top=2") == "1 2");  // rows remain, no link
  CHECK(plant.keys("Orders?$top=3", {{"B1S-PageSize", "2"}}) == "1 2 -> Orders?$top=1&$skip=2");
  CHECK(plant.keys("Orders?$top=1&$skip=2", {{"B1S-PageSize", "2"}}) == "3");
  CHECK(plant.get("Orders/$count").body == "50");
  CHECK(json::parse(plant.get("Orders?$count=true&$top=1").body).at("@odata.count").as_int64() == 50);
}

TEST_CASE("a server with a page cap gives less than asked, with a link only when $top is larger than the page") {
  ServiceLayerOptions options;
  options.page_cap = 4;
  Plant plant(10, options);
  CHECK(plant.keys("Orders?$top=6", {{"B1S-PageSize", "6"}}) == "1 2 3 4 -> Orders?$top=2&$skip=4");
  CHECK(plant.keys("Orders", {{"B1S-PageSize", "0"}}) == "1 2 3 4 -> Orders?$skip=4");
}

TEST_CASE("lines cannot be expanded, only taken with the whole order") {
  Plant plant;
  CHECK(plant.get("Orders?$expand=DocumentLines").status == 400);
  const auto order = json::parse(plant.get("Orders(3)").body).as_object();
  CHECK(order.at("DocumentLines").as_array().size() == 1);
  CHECK(order.at("DocTotal").as_int64() == 100);
  CHECK(plant.get("Orders(99)").status == 404);
  CHECK(plant.get("Items('A1')").status == 200);
  CHECK(plant.get("orders").status == 404);
}

TEST_CASE("v1 writes counts as text, doubles with a point and days with a time if it likes") {
  ServiceLayerOptions options;
  options.days_with_time = true;
  Plant plant(2, options);
  plant.root = "https://sap:50000/b1s/v1/";
  const std::string body = plant.get("Orders?$inlinecount=allpages&$top=1").body;
  CHECK(body.contains(R"("odata.count":"2")"));
  CHECK(body.contains(R"("DocTotal":100.0)"));
  CHECK(body.contains(R"("UpdateDate":"2026-03-02T00:00:00Z","UpdateTime":"08:01:33")"));
  CHECK(plant.get("Orders?$count=true").status == 400);
  CHECK(json::parse(plant.get("Orders", {{"B1S-PageSize", "1"}}).body).at("odata.nextLink").as_string() ==
        "/b1s/v1/Orders?$skip=1");
}

TEST_CASE("the ETag moves with every change but a silent one, the stamp only when it is stamped") {
  Plant plant;
  const auto row = [&] { return plant.get("Orders?$select=DocEntry,UpdateTime&$filter=DocEntry%20eq%201").body; };
  const auto change = [&](Trace trace) {
    plant.server.with_company([&](Company& company) {
      Document& order = company.orders.at(1);
      company.change_quantity(order, 0, order.lines[0].quantity + one, plant.server.local_time(), trace);
      return 0;
    });
  };
  const std::string before = row();
  change(Trace::silent);
  CHECK(row() == before);
  change(Trace::version_only);
  const std::string moved = row();
  CHECK(moved != before);
  CHECK(moved.contains("08:01:33"));
  change(Trace::stamped);
  CHECK(row().contains("10:00:00"));  // server time is UTC + 1
  const auto one_row = plant.get("Orders(1)");
  CHECK(plant.get("Orders(1)", {{"If-None-Match", std::string(one_row.header("ETag"))}}).status == 304);
}

TEST_CASE("what a filter allows of keys leaves no matching row out, and a page looks at no more than it shows") {
  const Company company = company_of(60);
  const EntitySet& orders = *find_entity_set("Orders");
  struct Row {
    const char* filter;
    NumberRange range;
    std::size_t matches;
  };
  const std::int64_t all_down = NumberRange{}.least, all_up = NumberRange{}.greatest;
  const Row rows[] = {
      {"DocEntry gt 50", {50, all_up}, 10},
      {"DocEntry gt 10 and DocEntry le 20", {10, 20}, 10},
      {"DocEntry eq 5 or DocEntry eq 9 or DocEntry eq 70", {5, 70}, 2},
      {"DocumentStatus eq 'bost_Open' and DocEntry lt 4", {all_down, 4}, 3},
      {"DocEntry eq 5 or DocumentStatus eq 'bost_Open'", {all_down, all_up}, 60},
      {"not (DocEntry eq 5)", {all_down, all_up}, 59},
      {"DocEntry gt 20 and DocEntry lt 10", {20, 10}, 0},
  };
  for (const Row& row : rows) {
    Query query;
    query.filter = *Filter::parse(row.filter, *orders.table);
    CHECK_MESSAGE(query.filter->range_of("DocEntry") == row.range, row.filter);
    CHECK_MESSAGE(rows_of(company, orders, query).size() == row.matches, row.filter);
    CHECK_MESSAGE(rows_of(company, orders, query, 3).size() == std::min<std::size_t>(3, row.matches), row.filter);
  }
  Query newest_first;
  newest_first.order.push_back({orders.table->find("DocEntry"), true});
  CHECK(rows_of(company, orders, newest_first, 3).size() == 60);  // who sorts otherwise needs all
}

TEST_CASE("the balancer refuses Expect and long request lines, and answers pings to anybody") {
  Plant plant;
  CHECK(plant.get("Orders", {{"Expect", "100-continue"}}).status == 500);
  CHECK(plant.get("Orders?$filter=" + std::string(8200, 'x')).status == 414);
  plant.cookies.clear();
  CHECK(plant.call("GET", "https://sap:50000/ping").status == 200);
}

TEST_CASE("every fault does what its name says") {
  Plant plant(50);
  const auto next = [&](Fault fault) {
    plant.server.fail_next(fault, 1);
    return plant.get("Orders?$select=DocEntry");
  };
  CHECK(next(Fault::bad_gateway).status == 502);
  CHECK(plant.get("Orders").status == 200);
  CHECK(next(Fault::busy_seconds).header("Retry-After") == "2");
  CHECK(next(Fault::busy_date).header("Retry-After") == "Mon, 02 Mar 2026 09:00:02 GMT");
  CHECK(next(Fault::reset).failure == outbound::Failure::reset);
  CHECK(next(Fault::timeout).failure == outbound::Failure::timeout);
  CHECK_THROWS(json::parse(next(Fault::cut_page).body));
  CHECK(next(Fault::sign_in_page).header("Content-Type").starts_with("text/html"));
  CHECK(json::parse(next(Fault::empty_list).body).at("value").as_array().empty());
  CHECK(next(Fault::slow).took == 20s);
  const std::string first = plant.get("Orders?$select=DocEntry").body;
  plant.server.fail_next(Fault::page_twice, 1);
  CHECK(plant.get("Orders?$select=DocEntry&$skip=20").body == first);
  const auto moved = next(Fault::node_moved);
  CHECK(moved.header("Set-Cookie") == "ROUTEID=.node2; path=/b1s");
  CHECK(plant.get("Orders").status == 401);  // the old node does not know the session
  CHECK(next(Fault::session_dropped).status == 401);
  plant.log_in();
  FaultPlan plan;
  plan.hidden_percent = 20;
  plant.server.plan_faults(plan);
  const std::string seen = plant.get("Orders/$count").body;
  CHECK(std::stoi(seen) < 47);
  CHECK(std::stoi(seen) > 30);
  CHECK(plant.get("Orders/$count").body == seen);
  plan = {};
  plan.rows_in_time = 10;
  plant.server.plan_faults(plan);
  CHECK(plant.get("Orders").failure == outbound::Failure::timeout);
  CHECK(plant.get("Orders?$top=10").status == 200);
  CHECK(plant.get("Orders?$select=DocEntry").status == 200);
}

// Answers handshakes and keeps what was pushed.
class Subscriber final : public outbound::Transport {
 public:
  outbound::Reply send(const outbound::Call& call) override {
    outbound::Reply reply;
    reply.status = status;
    if (call.method == "GET")
      reply.body = "{\"Challenge\":\"" + call.headers.at(0).second + "\"}";
    else
      heard.push_back(call);
    return reply;
  }
  void cancel() override {}
  std::vector<outbound::Call> heard;
  int status = 200;
};

TEST_CASE("a subscriber shakes hands and then hears signed events, once, until it fails too often") {
  Plant plant(3);
  Subscriber subscriber;
  const std::string subscription = R"({"WebhookID":"w1","WebhookURL":"https://us/hook","AuthenticationCred":"key",)"
                                   R"("EventCollection":[{"BusinessObject":"Orders","TransactionType":"Updated"}]})";
  CHECK(plant.call("POST", plant.root + "EventSubscriptions", {}, subscription).status == 400);  // not enabled
  CHECK(
      plant.call("POST", plant.root + "CompanyService_UpdateAdminInfo", {}, R"({"AdminInfo":{"EnableWebhook":"tYES"}})")
          .status == 204);
  CHECK(plant.call("POST", plant.root + "EventSubscriptions", {}, subscription).status == 201);
  plant.server.push_events(subscriber);
  const auto touch = [&] {
    plant.server.with_company([&](Company& company) {
      company.touch(company.orders.at(2), plant.server.local_time());
      return 0;
    });
  };
  touch();
  CHECK(plant.server.push_events(subscriber) == 1);
  CHECK(plant.server.push_events(subscriber) == 0);
  REQUIRE(subscriber.heard.size() == 1);
  CHECK(subscriber.heard[0].body.contains(R"("type":"sap.b1.Orders.Updated.v1","subject":"2")"));
  CHECK(subscriber.heard[0].headers[1].second.size() == 64);
  subscriber.status = 503;
  touch();
  for (int i = 0; i < 20; ++i) plant.server.push_events(subscriber);
  CHECK(subscriber.heard.size() == 1 + Webhooks::failures_max);
}

TEST_CASE("the same seed makes the same company and the same deeds") {
  const auto told = [](std::uint64_t seed) {
    Company company = random_company({.seed = seed, .orders = 40, .now = Stamp{today, 0}, .other_streams = true});
    ScriptOptions options;
    options.seed = seed;
    Script script(options);
    std::string text;
    for (int i = 0; i < 200; ++i) {
      const auto done = script.step(company, Stamp{today, i});
      text += std::string(word(done.deed)) + " " + done.key + "\n";
    }
    for (const auto& [entry, order] : company.orders)
      text += std::to_string(entry) + " " + std::to_string(document_total(order)) + "\n";
    return text;
  };
  CHECK(told(3) == told(3));
  CHECK(told(3) != told(4));
}

TEST_CASE("amounts are rounded once per line, half away from zero, and to whole yen") {
  Line sold = line(0, 3 * one, 333'350);  // 3 x 0.33335
  CHECK(line_total(sold) == 1'000'000);
  sold.discount = 12'500'000;
  CHECK(line_total(sold) == 880'000);  // 0.87504
  sold.currency = "JPY";
  CHECK(line_total(sold) == 1'000'000);
  sold.open = one;
  CHECK(open_amount(sold) == 0);
  sold.quantity = -3 * one;
  CHECK(line_total(sold) == -1'000'000);
}

TEST_CASE("an order that is entered again keeps its number and gets a new key") {
  Company company = company_of(3);
  const std::int32_t number = company.orders.at(2).number;
  CHECK(company.enter_again(2, Stamp{today, 0}) == 4);
  CHECK_FALSE(company.orders.contains(2));
  CHECK(company.orders.at(4).number == number);
}

TEST_CASE("a closed order is opened again as far as it was not delivered, a cancelled one never") {
  Company company = company_of(2);
  Document& order = company.orders.at(1);
  company.add_line(order, line(0, 2 * one, one), Stamp{today, 0}, Trace::stamped);
  CHECK(order.lines[1].number == 1);
  company.deliver(order, 0, order.lines[0].open, Stamp{today, 0}, Trace::stamped);
  company.close(order, Stamp{today, 0}, Trace::stamped);
  CHECK(company.reopen(order, Stamp{today, 0}, Trace::stamped));
  CHECK((order.open && order.lines[0].closed && !order.lines[1].closed));
  company.remove_line(order, 1, Stamp{today, 0}, Trace::stamped);
  CHECK_FALSE(order.open);
  CHECK_FALSE(company.reopen(order, Stamp{today, 0}, Trace::stamped));
  company.cancel(company.orders.at(2), Stamp{today, 0}, Trace::stamped);
  CHECK_FALSE(company.reopen(company.orders.at(2), Stamp{today, 0}, Trace::stamped));
}

TEST_CASE("a server may refuse to filter by status and stamp at once") {
  Plant plant(1, {.refuses_mixed_filters = true});
  CHECK(plant.get("Orders?$filter=DocumentStatus%20eq%20'bost_Open'%20or%20UpdateDate%20ge%20'2026-01-01'").status == 400);
  CHECK(plant.get("Orders?$filter=DocumentStatus%20eq%20'bost_Open'&$select=DocEntry,UpdateDate").status == 200);
}

TEST_CASE("a server may keep no seconds of its stamps") {
  Plant plant(1, {.minute_stamps = true});
  CHECK(plant.server.local_time().seconds % 60 == 0);
}

TEST_CASE("a removed key is never given again") {
  Company company = company_of(3);
  company.remove(3);
  Document order = company.orders.at(1);
  order.entry = 0;
  CHECK(company.enter(order, Stamp{today, 0}) == 4);
}

}  // namespace
}  // namespace millrace::simulator
