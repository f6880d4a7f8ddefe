// Who may do what, generated from the table of routes: all routes x roles x own and foreign orders, and live topics.
#include <doctest/doctest.h>

#include <set>

#include "server/internal/live_topics.h"
#include "server/internal/router.h"
#include "server/test_people.h"

namespace millrace::server {

namespace {

using people::Role;
using people::Scope;

struct Asker {
  Caller caller;
  people::Rights rights;
  std::string own_orders;
  bool known = true;
};

// Order 43659 is salesman 279's; 77001 belongs to 280 and must not be seen by whoever is limited to 279.
class Matrix : public GuardedPlant {
 public:
  Matrix() {
    world.sales_order("77001").status("Open").customer("F9", "Foreign GmbH").salesman("280").requested("2026-03-03").line("7", "EUR 1234.56").item("P-9", "Secretium");
    commit();
    token(add("scapegoat", Role::viewer), Scope::read);  // user and token number 1, which the examples of routes name
    for (const people::RoleRow& row : people::role_rows()) {
      const auto user = add(std::string(row.name), row.role);
      askers.push_back({sign_in(user.name), row.rights, ""});
      if (row.role != Role::planner && row.role != Role::admin) continue;
      for (const Scope scope : {Scope::read, Scope::write, Scope::admin}) askers.push_back({token(user, scope), row.rights & people::rights_of(scope), ""});
    }
    for (const Role role : {Role::sales, Role::planner, Role::floor}) {
      const std::string name = "own-" + std::string(people::word(role));
      add(name, role, "279");
      askers.push_back({sign_in(name), people::rights_of(role), "279"});
    }
    askers.push_back({{"nobody", "", "", ""}, {}, "", false});
  }
  const Asker& asker(std::string_view name) const {
    for (const Asker& one : askers)
      if (one.caller.name == name) return one;
    throw std::runtime_error("no such asker: " + std::string(name));
  }

  std::vector<Asker> askers;
};

// The address of a route with its examples filled in.
std::string target_of(const Route& route, std::string_view order) {
  std::string target(route.path);
  std::string query;
  for (const ParameterRow& parameter : route.parameters) {
    std::string text(parameter.example == "{order}" ? order : parameter.example == "{source}" ? "orders" : parameter.example == "{rejection}" ? "7" : parameter.example);
    const std::size_t place = target.find("{" + std::string(parameter.name) + "}");
    if (place != std::string::npos) target.replace(place, parameter.name.size() + 2, text);
    else if (!text.empty()) query += (query.empty() ? "?" : "&") + std::string(parameter.name) + "=" + (text == ";" ? "%3B" : text);
  }
  return target + query;
}

// What the door says; the handler says the rest.
int expected_refusal(const Route& route, const Asker& asker) {
  if (route.right.asks_nobody() || route.right.asks_own_key()) return 0;
  if (!asker.known) return 401;
  if (!asker.rights.has_all(route.right.rights())) return 403;
  const bool about_people = route.right.rights().empty() && route.method != Method::get;
  if (about_people && !asker.caller.token.empty() && !asker.rights.has(Right::admin)) return 403;  // tokens, sessions, passwords are a person's business
  if (route.name == "changeOwnPassword" && !asker.caller.token.empty()) return 403;  // a machine has none
  return !asker.own_orders.empty() && route.own == Own::closed ? 403 : 0;
}

// A refusal of the door itself: a wrong password in an example is none.
bool refused_at_door(const TestAnswer& answer) {
  const bool door = answer.status == 401 || answer.status == 403;
  return door && answer.body.find("/problems/sign-in-refused") == std::string::npos;
}

void check_no_foreign(const std::string& body, const std::string& where) {
  for (const std::string_view secret : {"Foreign GmbH", "\"F9\"", "Secretium", "P-9", "864192", "8641.92", "1234.56", "\"280\""})
    CHECK_MESSAGE(body.find(secret) == std::string::npos, where << " tells of another's order: " << secret << " in " << body.substr(0, 400));
}
// As a number of its own: "65000" is in the duration 0.00065000 by chance.
bool says(const std::string& body, std::string_view part) {
  const auto continues = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  for (std::size_t at = body.find(part); at != std::string::npos; at = body.find(part, at + 1)) {
    const bool before = at > 0 && continues(body[at - 1]);
    const bool after = at + part.size() < body.size() && continues(body[at + part.size()]);
    if (!before && !after) return true;
  }
  return false;
}
// Amounts of both orders: 26 x 25.00 with 10 open, 7 x 1234.56.
void check_no_amount(const std::string& body, const std::string& where) {
  for (const std::string_view secret : {"\"minor\"", "65000", "25000", "650.00", "250.00", "25.00", "864192", "8641.92", "1234.56", "\"open_amount\"", "\"unit_price\""})
    CHECK_MESSAGE(!says(body, secret), where << " tells an amount: " << secret << " in " << body.substr(0, 400));
}

std::string row_text(const Route& route) {
  const std::string_view own = route.own == Own::filtered ? "filtered" : route.own == Own::open ? "open" : "closed";
  return std::string(route.name) + ": " + route.right.words() + ", own orders " + std::string(own) + "\n";
}

}  // namespace

TEST_CASE("every route lets in whoever has its right, and nobody else") {
  Matrix plant;
  std::size_t asked = 0;
  for (const Route& route : route_table()) {
    if (route.answer == Answer::live || route.name == "signOut") continue;  // have their own tests
    for (const std::string_view order : {"43659", "77001"}) {
      const std::string target = target_of(route, order);
      if (order == "77001" && target.find(order) == std::string::npos) continue;
      for (const Asker& asker : plant.askers) {
        const auto answer = plant.as(asker.caller, name_of(route.method), target, route.example_body);
        const std::string where = asker.caller.name + ": " + std::string(name_of(route.method)) + " " + target + " -> " + std::to_string(answer.status);
        ++asked;
        if (const int refusal = expected_refusal(route, asker)) CHECK_MESSAGE(answer.status == refusal, where << " " << answer.body);
        else if (!route.right.asks_own_key()) CHECK_MESSAGE(!refused_at_door(answer), where << " " << answer.body);
        if (answer.status == 401) CHECK_MESSAGE(answer.header("content-type") == "application/problem+json", where);
        if (route.answer == Answer::page) continue;  // the same bytes for everybody
        if (!asker.own_orders.empty()) {
          check_no_foreign(answer.body, where);
          if (route.own == Own::filtered && order == "77001") CHECK_MESSAGE((answer.status == 404 || answer.status == 403), where);
        }
        if (!asker.rights.has(Right::see_money) && route.name != "openapi") check_no_amount(answer.body, where);
        if (!asker.known && route.name != "openapi") CHECK_MESSAGE(answer.body.find("ACME") == std::string::npos, where);
      }
    }
  }
  CHECK(asked > 800);
}

TEST_CASE("the right of a route is changed here too, so that nobody changes it by the way") {
  std::string table;
  for (const Route& route : route_table())
    if (!route.right.asks_nobody()) table += row_text(route);
  CHECK(table ==
        "listOrders: see_orders, own orders filtered\n"
        "windowOrders: see_orders, own orders filtered\n"
        "exportOrdersCsv: see_orders, own orders filtered\n"
        "exportOrdersXlsx: see_orders, own orders filtered\n"
        "exportOrdersNdjson: see_orders, own orders filtered\n"
        "exportOrdersJson: see_orders, own orders filtered\n"
        "showOrder: see_orders, own orders filtered\n"
        "showProvenance: see_orders and see_money, own orders filtered\n"
        "showHistory: see_orders and see_money and see_changes, own orders filtered\n"
        "showTotals: see_orders and see_money, own orders filtered\n"
        "showToday: see_orders and see_money, own orders filtered\n"
        "listFields: see_orders, own orders open\n"
        "listDifferences: see_orders and see_money and see_sources, own orders closed\n"
        "exportDifferencesCsv: see_orders and see_money and see_sources, own orders closed\n"
        "decideDifference: decide, own orders closed\n"
        "undecideDifference: decide, own orders closed\n"
        "showOverlay: see_orders, own orders filtered\n"
        "editOverlay: edit_orders, own orders filtered\n"
        "undoOverlay: edit_orders, own orders filtered\n"
        "listOverlayEdits: see_orders, own orders filtered\n"
        "listAllOverlayEdits: see_orders, own orders closed\n"
        "overlaySheet: edit_orders, own orders closed\n"
        "takeOverlaySheet: edit_orders, own orders closed\n"
        "undoOverlayGroup: edit_orders, own orders closed\n"
        "listChanges: see_orders and see_money and see_changes, own orders filtered\n"
        "openLive: see_orders, own orders filtered\n"
        "listSources: see_sources, own orders closed\n"
        "refreshSource: control_sources, own orders closed\n"
        "pauseSource: control_sources, own orders closed\n"
        "resumeSource: control_sources, own orders closed\n"
        "acceptVanished: control_sources, own orders closed\n"
        "acceptHeld: control_sources, own orders closed\n"
        "rejectHeld: control_sources, own orders closed\n"
        "listHeld: see_orders and see_money and see_sources, own orders closed\n"
        "changeSource: control_sources, own orders closed\n"
        "listRejections: see_orders and see_money and see_sources, own orders closed\n"
        "exportRejectionsCsv: see_orders and see_money and see_sources, own orders closed\n"
        "replayRejection: control_sources, own orders closed\n"
        "pushBatch: own key, own orders closed\n"
        "showBatch: own key, own orders closed\n"
        "greetWebhook: own key, own orders closed\n"
        "takeWebhook: own key, own orders closed\n"
        "listJobs: run_jobs, own orders closed\n"
        "startJob: run_jobs, own orders closed\n"
        "listSchedules: run_jobs, own orders closed\n"
        "putSchedule: run_jobs, own orders closed\n"
        "removeSchedule: run_jobs, own orders closed\n"
        "pauseJobs: run_jobs, own orders closed\n"
        "resumeJobs: run_jobs, own orders closed\n"
        "showJob: run_jobs, own orders closed\n"
        "showJobLog: run_jobs, own orders closed\n"
        "showJobResult: run_jobs, own orders closed\n"
        "cancelJob: run_jobs, own orders closed\n"
        "retryJob: run_jobs, own orders closed\n"
        "showCash: see_money, own orders closed\n"
        "listCashItems: see_money, own orders closed\n"
        "showCashBridge: see_money, own orders closed\n"
        "listCashForecasts: see_money, own orders closed\n"
        "keepCashForecast: see_money and run_jobs, own orders closed\n"
        "showCashAccuracy: see_money, own orders closed\n"
        "showAgeing: see_money, own orders closed\n"
        "listAgeingItems: see_money, own orders closed\n"
        "showCosts: see_money, own orders closed\n"
        "listCostItems: see_money, own orders closed\n"
        "showCustomerPayments: see_money, own orders closed\n"
        "showOrderMoney: see_orders and see_money, own orders filtered\n"
        "listScenarios: see_money, own orders closed\n"
        "makeScenario: see_money and run_jobs, own orders closed\n"
        "putScenario: see_money and run_jobs, own orders closed\n"
        "removeScenario: see_money and run_jobs, own orders closed\n"
        "listFinance: see_money, own orders closed\n"
        "showFinance: see_money, own orders closed\n"
        "putFinance: edit_money, own orders closed\n"
        "removeFinance: edit_money, own orders closed\n"
        "importFinance: edit_money, own orders closed\n"
        "listFinanceImports: edit_money, own orders closed\n"
        "undoFinanceImport: edit_money, own orders closed\n"
        "signOut: signed in, own orders open\n"
        "changeOwnPassword: signed in, own orders open\n"
        "listRoles: signed in, own orders open\n"
        "listUsers: admin, own orders closed\n"
        "createUser: admin, own orders closed\n"
        "showUser: admin, own orders closed\n"
        "changeUser: admin, own orders closed\n"
        "setUserPassword: admin, own orders closed\n"
        "endUserSessions: admin, own orders closed\n"
        "listSessions: signed in, own orders open\n"
        "endSession: signed in, own orders open\n"
        "listTokens: signed in, own orders open\n"
        "createToken: signed in, own orders open\n"
        "revokeToken: signed in, own orders open\n"
        "showSettings: admin, own orders closed\n"
        "listAudit: admin, own orders closed\n"
        "showPerformance: see_performance, own orders closed\n"
        "showMemory: see_performance, own orders closed\n"
        "soPerformance: see_performance, own orders closed\n"
        "soPerformanceRefresh: control_sources, own orders closed\n"
        "soBackgroundRefresh: see_sources, own orders closed\n"
        "soBackgroundRefreshForce: control_sources, own orders closed\n"
        "rateLimits: signed in, own orders open\n"
        "openapi: signed in, own orders open\n");
}

TEST_CASE("no write of a browser's session goes through without what only our own page knows") {
  Matrix plant;
  const Caller& admin = plant.asker("admin").caller;
  for (const Route& route : route_table()) {
    if (route.method == Method::get) continue;
    const std::string target = target_of(route, "43659");
    const auto answer = ask(plant.address, name_of(route.method), target, admin.reading() + "Content-Type: application/json\r\n", route.example_body);
    CHECK_MESSAGE(answer.status == 403, target);
    const auto foreign = plant.as(admin, name_of(route.method), target, route.example_body, "Origin: http://evil.example\r\n");
    CHECK_MESSAGE(foreign.status == 403, target);
  }
}

TEST_CASE("topics of live deltas are as closed as the routes of the same things") {
  Matrix plant;
  for (const TopicRow& topic : topic_rows()) {
    for (const Asker& asker : plant.askers) {
      TestConnection socket(plant.address);
      const auto upgraded = socket.upgrade(asker.caller.reading());
      if (!asker.known) {
        CHECK(upgraded.status == 401);
        continue;
      }
      REQUIRE(upgraded.status == 101);
      socket.send_text("{\"op\":\"sub\",\"id\":\"s\",\"topic\":\"" + std::string(topic.name) + "\"}");
      const bool open = asker.rights.has_all(topic.rights) && (asker.own_orders.empty() || topic.own != Own::closed);
      const std::string first = socket.read_text_with("\"id\":\"s\"");
      CHECK_MESSAGE((first.find("\"op\":\"subscribed\"") != std::string::npos) == open, asker.caller.name << " " << topic.name << ": " << first);
      if (!open) CHECK(first.find("\"status\":403") != std::string::npos);
    }
  }
}

TEST_CASE("whoever sees his own orders only hears of no other's, not even its number") {
  Matrix plant;
  TestConnection socket(plant.address);
  REQUIRE(socket.upgrade(plant.asker("own-sales").caller.reading()).status == 101);
  for (const std::string_view topic : {"orders", "changes", "totals"})
    socket.send_text("{\"op\":\"sub\",\"id\":\"" + std::string(topic) + "\",\"topic\":\"" + std::string(topic) + "\"}");
  for (const std::string_view topic : {"orders", "changes", "totals"}) socket.read_text_with("subscribed\",\"id\":\"" + std::string(topic) + "\"");
  const auto put = [&](const std::string& number, const std::string& salesman, const std::string& quantity) {
    plant.world.sales_order(number).status("Open").customer("F9", salesman == "280" ? "Foreign GmbH" : "ACME & Söhne").salesman(salesman).line(quantity, "EUR 1.00").item(salesman == "280" ? "P-9" : "P-1", "Bolt");
    plant.commit();
  };
  put("77001", "280", "8");  // another's changes
  put("77002", "280", "1");  // a new one of another
  put("43659", "279", "27");
  std::string heard = socket.read_text_with("\"id\":\"changes\"");
  while (heard.find("43659") == std::string::npos) heard += socket.read_text_with("\"id\":\"");
  CHECK_MESSAGE(heard.find("\"7700") == std::string::npos, heard);
  CHECK(heard.find("Foreign") == std::string::npos);
  put("43659", "280", "27");  // his order goes to another: he is told that it is gone, and nothing more
  std::string gone = socket.read_text_with("\"gone\":[\"43659\"]");
  CHECK(gone.find("Foreign") == std::string::npos);
}

TEST_CASE("counts, sums and pages of one salesperson are those of his orders, whatever he asks") {
  Matrix plant;
  const Caller& admin = plant.asker("admin").caller;
  const Caller& own = plant.asker("own-sales").caller;
  const auto behind = [](const TestAnswer& answer, std::string_view mark) { return answer.body.substr(std::min(answer.body.find(mark), answer.body.size())); };
  CHECK(behind(plant.as(own, "GET", "/api/v1/orders"), "\"data\"") == behind(plant.as(admin, "GET", "/api/v1/orders?salesman=279"), "\"data\""));
  CHECK(behind(plant.as(own, "GET", "/api/v1/totals?group=customer"), "\"group\"") == behind(plant.as(admin, "GET", "/api/v1/totals?group=customer&salesman=279"), "\"group\""));
  for (const std::string_view target :
       {"/api/v1/orders?salesman=280", "/api/v1/orders?salesman=in.(279,280)", "/api/v1/orders?salesman=*", "/api/v1/orders?q=Foreign", "/api/v1/orders?order=77001",
        "/api/v1/orders/window?offset=0", "/api/v1/totals?group=item", "/api/v1/totals?group=salesman", "/api/v1/today", "/api/v1/orders.csv", "/api/v1/orders.ndjson",
        "/api/v1/orders.json", "/api/v1/changes?since=0", "/api/v1/changes?since=-100", "/api/v1/orders/77001", "/api/v1/orders/77001/history", "/api/v1/orders/77001/provenance"}) {
    const auto whole = plant.as(admin, "GET", target);  // kept answers of another view must not be given
    const auto answer = plant.as(own, "GET", target);
    check_no_foreign(answer.body, std::string(target));
    const auto again = plant.as(own, "GET", target, "", "If-None-Match: " + whole.header("etag") + "\r\n");
    CHECK_MESSAGE(again.status != 304, target);
  }
  // Another's order and one that is not there are told apart by nothing but their number.
  const auto foreign = plant.as(own, "GET", "/api/v1/orders/77001", "", "X-Request-Id: r\r\n"), none = plant.as(own, "GET", "/api/v1/orders/99999", "", "X-Request-Id: r\r\n");
  std::string same = foreign.body;
  for (std::size_t at = same.find("77001"); at != std::string::npos; at = same.find("77001")) same.replace(at, 5, "99999");
  CHECK(same == none.body);
  CHECK(foreign.status == none.status);
}

TEST_CASE("the shop floor sees orders without amounts, and cannot find amounts by asking") {
  Matrix plant;
  const Caller& floor = plant.asker("floor").caller;
  for (const std::string_view target : {"/api/v1/orders", "/api/v1/orders/window", "/api/v1/orders.csv", "/api/v1/orders.ndjson", "/api/v1/orders.json", "/api/v1/orders/77001"}) {
    const auto answer = plant.as(floor, "GET", target);
    CHECK_MESSAGE(answer.status == 200, target);
    CHECK(answer.body.find("77001") != std::string::npos);
    check_no_amount(answer.body, std::string(target));
  }
  for (const std::string_view target : {"/api/v1/orders?open_amount=gte.100", "/api/v1/orders?sort=-total", "/api/v1/orders.csv?sort=open_amount"})
    CHECK_MESSAGE(plant.as(floor, "GET", target).status == 403, target);
  for (const std::string_view target : {"/api/v1/orders?fields=order,net", "/api/v1/orders?fields=net"}) check_no_amount(plant.as(floor, "GET", target).body, std::string(target));
}

}  // namespace millrace::server
