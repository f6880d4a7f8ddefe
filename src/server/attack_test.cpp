// What somebody tries who may not: guessing, foreign sessions, foreign pages, old cookies and tokens.
#include <doctest/doctest.h>

#include "server/internal/router.h"
#include "server/test_people.h"

namespace millrace::server {

namespace {

using people::Role;
using people::Scope;

const std::string json_type = "Content-Type: application/json\r\n";

std::string sign_in_body(const std::string& name, const std::string& password) { return "{\"name\":\"" + name + "\",\"password\":\"" + password + "\"}"; }

TestAnswer try_password(GuardedPlant& plant, const std::string& name, const std::string& password) {
  return ask(plant.address, "POST", "/api/v1/sign-in", json_type + "X-Request-Id: r\r\n", sign_in_body(name, password));
}

}  // namespace

TEST_CASE("guessing a password is slowed down after five tries, and keeps nobody else from the door") {
  GuardedPlant plant;
  plant.add("anna", Role::viewer);
  plant.add("bert", Role::viewer);
  for (int i = 0; i < 5; ++i) CHECK(try_password(plant, "anna", "wrong small words").status == 401);
  const auto slowed = try_password(plant, "anna", std::string(good_password));  // right, but too soon
  CHECK(slowed.status == 429);
  CHECK(!slowed.header("retry-after").empty());
  CHECK(slowed.header("set-cookie").empty());
  const Caller bert = plant.sign_in("bert");
  CHECK(plant.as(bert, "GET", "/api/v1/orders").status == 200);
}

TEST_CASE("an unknown login, a wrong password and an inactive user get the same answer to the byte") {
  GuardedPlant plant;
  plant.add("anna", Role::viewer);
  const auto bert = plant.add("bert", Role::viewer);
  REQUIRE(plant.directory().change(bert.id, {.active = false}, people::command_line_actor()));
  const auto wrong = try_password(plant, "anna", "wrong small words");
  CHECK(wrong.status == 401);
  CHECK(wrong.body == try_password(plant, "nobody", "wrong small words").body);
  CHECK(wrong.body == try_password(plant, "bert", std::string(good_password)).body);
  CHECK(wrong.body.find("anna") == std::string::npos);
}

TEST_CASE("a password of a megabyte costs a refusal, no more") {
  GuardedPlant plant;
  plant.add("anna", Role::viewer);
  CHECK(try_password(plant, "anna", std::string(900'000, 'x')).status == 401);
  CHECK(try_password(plant, "anna", std::string(2'000'000, 'x')).status == 413);
  CHECK(plant.get("/livez").status == 200);
}

TEST_CASE("a session that somebody else put into the browser is never signed in") {
  GuardedPlant plant;
  plant.add("anna", Role::viewer);
  const Caller planted{"planted", std::string(43, 'A'), "", ""};
  const auto answer = ask(plant.address, "POST", "/api/v1/sign-in", json_type + planted.reading(), sign_in_body("anna", std::string(good_password)));
  REQUIRE(answer.status == 200);
  const std::string given = GuardedPlant::between(answer.header("set-cookie"), "millrace=", ";");
  CHECK(given != planted.cookie);
  CHECK(given.size() >= 43);
  CHECK(plant.as(planted, "GET", "/api/v1/orders").status == 401);
  // Signing in again ends the session that was there: whoever knew it has nothing any more.
  const Caller first{"first", given, "", ""};
  const auto again = ask(plant.address, "POST", "/api/v1/sign-in", json_type + first.reading() + "X-CSRF-Token: " + GuardedPlant::between(answer.body, "\"csrf\":\"", "\"") + "\r\n",
                         sign_in_body("anna", std::string(good_password)));
  CHECK(again.status == 200);
  CHECK(plant.as(first, "GET", "/api/v1/orders").status == 401);
}

TEST_CASE("the session's cookie is for the browser alone") {
  GuardedPlant plant;
  plant.add("anna", Role::viewer);
  const auto answer = try_password(plant, "anna", std::string(good_password));
  for (const std::string_view part : {"HttpOnly", "SameSite=Lax", "Path=/"}) CHECK_MESSAGE(answer.header("set-cookie").find(part) != std::string::npos, part);
  CHECK(answer.header("cache-control") == "no-store");
  CHECK(answer.body.find(GuardedPlant::between(answer.header("set-cookie"), "millrace=", ";")) == std::string::npos);
}

TEST_CASE("a page of another site changes nothing: no token, a wrong one, another origin, a body that forms can send") {
  GuardedPlant plant;
  plant.add("boss", Role::admin);
  plant.add("anna", Role::viewer);
  const Caller boss = plant.sign_in("boss"), anna = plant.sign_in("anna");
  const std::string_view wish = R"({"name":"eve","role":"admin","password":"three small words"})";
  const auto post = [&](const std::string& headers) { return ask(plant.address, "POST", "/api/v1/users", boss.reading() + headers, wish).status; };
  CHECK(post(json_type) == 403);
  CHECK(post(json_type + "X-CSRF-Token: \r\n") == 403);
  CHECK(post(json_type + "X-CSRF-Token: " + anna.csrf + "\r\n") == 403);
  CHECK(post("Content-Type: text/plain\r\nX-CSRF-Token: " + boss.csrf + "\r\n") == 403);
  CHECK(post("Content-Type: application/x-www-form-urlencoded\r\nX-CSRF-Token: " + boss.csrf + "\r\n") == 403);
  CHECK(post(json_type + "X-CSRF-Token: " + boss.csrf + "\r\nOrigin: https://evil.example\r\n") == 403);
  CHECK(post(json_type + "X-CSRF-Token: " + boss.csrf + "\r\nOrigin: null\r\n") == 403);
  CHECK(post(json_type + "X-CSRF-Token: " + boss.csrf + "\r\nSec-Fetch-Site: cross-site\r\n") == 403);
  // Nor does it sign a browser in as somebody else.
  CHECK(ask(plant.address, "POST", "/api/v1/sign-in", json_type + "Origin: https://evil.example\r\n", sign_in_body("anna", std::string(good_password))).status == 403);
  CHECK(ask(plant.address, "POST", "/api/v1/sign-in", "Content-Type: text/plain\r\n", sign_in_body("anna", std::string(good_password))).status == 415);
  CHECK(!plant.directory().find_user("eve"));
  CHECK(post(json_type + "X-CSRF-Token: " + boss.csrf + "\r\nOrigin: http://" + plant.address + "\r\n") == 201);
}

TEST_CASE("a cookie that was stolen is worth nothing after sign-out, a new password, another role or deactivation") {
  GuardedPlant plant;
  const auto boss = plant.add("boss", Role::admin);
  (void)boss;
  const auto anna = plant.add("anna", Role::viewer);
  const auto change = [&](people::UserChange wanted) { REQUIRE(plant.directory().change(anna.id, wanted, people::command_line_actor())); };
  const auto stolen_is_dead = [&](const Caller& stolen) { CHECK(plant.as(stolen, "GET", "/api/v1/orders").status == 401); };
  Caller caller = plant.sign_in("anna");
  CHECK(plant.as(caller, "POST", "/api/v1/sign-out").status == 200);
  stolen_is_dead(caller);
  caller = plant.sign_in("anna");
  CHECK(plant.as(caller, "POST", "/api/v1/me/password", R"({"old":"three small words","new":"four other small words"})").status == 200);
  stolen_is_dead(caller);
  const auto enter = [&] {
    const auto answer = try_password(plant, "anna", "four other small words");
    REQUIRE(answer.status == 200);
    return Caller{"anna", GuardedPlant::between(answer.header("set-cookie"), "millrace=", ";"), "", ""};
  };
  caller = enter();
  change({.role = Role::floor});
  stolen_is_dead(caller);
  caller = enter();
  change({.active = false});
  stolen_is_dead(caller);
}

TEST_CASE("a token opens nothing after it was revoked, and never more than its scope and its user") {
  GuardedPlant plant;
  const auto boss = plant.add("boss", Role::admin);
  const Caller signed_in = plant.sign_in("boss");
  const auto made = plant.as(signed_in, "POST", "/api/v1/tokens", R"({"name":"export","scope":"read"})");
  REQUIRE(made.status == 201);
  const Caller token{"token", "", "", GuardedPlant::between(made.body, "\"secret\":\"", "\"")};
  CHECK(plant.as(token, "GET", "/api/v1/orders").status == 200);
  CHECK(plant.as(token, "GET", "/api/v1/users").status == 403);
  CHECK(plant.as(token, "POST", "/api/v1/sources/orders/pause").status == 403);
  CHECK(plant.as(token, "POST", "/api/v1/tokens", R"({"name":"more","scope":"admin"})").status == 403);
  CHECK(plant.as(token, "DELETE", "/api/v1/tokens/1").status == 403);
  CHECK(plant.as(signed_in, "GET", "/api/v1/tokens").body.find(token.token) == std::string::npos);  // shown once
  CHECK(plant.as(signed_in, "DELETE", "/api/v1/tokens/1").status == 200);
  const auto refused = plant.as(token, "GET", "/api/v1/orders");
  CHECK(refused.status == 401);
  CHECK(refused.body.find(token.token) == std::string::npos);
  for (const std::string_view trick : {"mr_", "mr_AAAA", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJib3NzIn0.", "ml_AAAA", "' OR 1=1 --"})
    CHECK_MESSAGE(ask(plant.address, "GET", "/api/v1/orders", "Authorization: Bearer " + std::string(trick) + "\r\n").status == 401, trick);
  (void)boss;
}

TEST_CASE("open connections end with their session, their token or their rights") {
  GuardedPlant plant;
  plant.add("boss", Role::admin);
  const auto anna = plant.add("anna", Role::viewer);
  const Caller session = plant.sign_in("anna");
  const Caller token = plant.token(anna, Scope::read);
  TestConnection by_session(plant.address), by_token(plant.address), of_other(plant.address);
  REQUIRE(by_session.upgrade(session.reading()).status == 101);
  REQUIRE(by_token.upgrade(token.reading()).status == 101);
  REQUIRE(of_other.upgrade(plant.sign_in("boss").reading()).status == 101);
  for (TestConnection* one : {&by_session, &by_token, &of_other}) one->read_text_with("hello");
  const auto closed_with = [](TestConnection& socket) {
    while (const auto frame = socket.read_frame())
      if (frame->opcode == 8 && frame->payload.size() >= 2) return (static_cast<unsigned char>(frame->payload[0]) << 8) | static_cast<unsigned char>(frame->payload[1]);
    return 0;
  };
  CHECK(plant.as(session, "POST", "/api/v1/sign-out").status == 200);
  CHECK(closed_with(by_session) == 1008);
  REQUIRE(plant.directory().change(anna.id, {.role = Role::floor}, people::command_line_actor()));
  CHECK(closed_with(by_token) == 1008);
  of_other.send_text(R"({"op":"sub","id":"s","topic":"orders"})");
  CHECK(!of_other.read_text_with("subscribed").empty());
}

TEST_CASE("what was not asked for is not taken: extra members, and a number of one's own choice") {
  GuardedPlant plant;
  plant.add("boss", Role::admin);
  plant.add("anna", Role::viewer);
  const Caller boss = plant.sign_in("boss"), anna = plant.sign_in("anna");
  CHECK(plant.as(boss, "POST", "/api/v1/users", R"({"name":"eve","role":"viewer","id":1,"password":"three small words"})").status == 400);
  CHECK(plant.as(boss, "POST", "/api/v1/users", R"({"name":"eve","role":"emperor"})").status == 400);
  CHECK(plant.as(anna, "POST", "/api/v1/me/password", R"({"old":"three small words","new":"four other small words","role":"admin"})").status == 400);
  CHECK(plant.as(anna, "POST", "/api/v1/tokens", R"({"name":"x","scope":"admin","user":"boss"})").status == 403);
  CHECK(plant.as(anna, "POST", "/api/v1/tokens", R"({"name":"x","scope":"admin","user":"nobody"})").status == 403);
}

TEST_CASE("a change of a user needs the state that was looked at, and says when somebody was first") {
  GuardedPlant plant;
  plant.add("boss", Role::admin);
  const auto anna = plant.add("anna", Role::viewer);
  const Caller boss = plant.sign_in("boss");
  const std::string target = "/api/v1/users/" + std::to_string(anna.id.value);
  const std::string tag = plant.as(boss, "GET", target).header("etag");
  CHECK(plant.as(boss, "PATCH", target, R"({"role":"planner"})").status == 428);
  CHECK(plant.as(boss, "PATCH", target, R"({"role":"planner"})", "If-Match: \"0\"\r\n").status == 400);
  const auto changed = plant.as(boss, "PATCH", target, R"({"role":"planner"})", "If-Match: " + tag + "\r\n");
  CHECK(changed.status == 200);
  CHECK(changed.body.find("\"role\":\"planner\"") != std::string::npos);
  const auto late = plant.as(boss, "PATCH", target, R"({"role":"floor"})", "If-Match: " + tag + "\r\n");
  CHECK(late.status == 412);
  CHECK(late.header("etag") == changed.header("etag"));
  CHECK(plant.as(boss, "PATCH", target, R"({"active":false})", "If-Match: " + changed.header("etag") + "\r\n").status == 200);
  CHECK(plant.as(boss, "PATCH", "/api/v1/users/1", R"({"role":"viewer"})", "If-Match: " + plant.as(boss, "GET", "/api/v1/users/1").header("etag") + "\r\n").status == 409);  // the last administrator
}

TEST_CASE("the one-time link makes one administrator, once") {
  GuardedPlant plant;
  CHECK(plant.get("/api/v1/me").body.find("\"setup_needed\":true") != std::string::npos);
  const auto link = plant.directory().new_setup_link(people::command_line_actor());
  REQUIRE(link);
  const auto set_up = [&](const std::string& secret, const std::string& name) {
    return ask(plant.address, "POST", "/api/v1/setup", json_type, "{\"link\":\"" + secret + "\",\"name\":\"" + name + "\",\"password\":\"three small words\"}");
  };
  CHECK(set_up("setup_AAAA", "eve").status == 401);
  const auto made = set_up(link->reveal(), "boss");
  REQUIRE(made.status == 200);
  CHECK(made.body.find("\"role\":\"admin\"") != std::string::npos);
  CHECK(set_up(link->reveal(), "eve").status == 401);
  const Caller boss{"boss", GuardedPlant::between(made.header("set-cookie"), "millrace=", ";"), GuardedPlant::between(made.body, "\"csrf\":\"", "\""), ""};
  CHECK(plant.as(boss, "GET", "/api/v1/users").status == 200);
  CHECK(plant.get("/api/v1/me").body.find("\"setup_needed\":false") != std::string::npos);
}

TEST_CASE("names and headers that carry line ends reach neither an answer's head nor another line") {
  GuardedPlant plant;
  plant.add("boss", Role::admin);
  const Caller boss = plant.sign_in("boss");
  const auto refused = plant.as(boss, "POST", "/api/v1/users", R"({"name":"eve\r\nSet-Cookie: millrace=x","role":"viewer"})");
  CHECK(refused.status == 400);
  CHECK(refused.header("set-cookie").empty());
  CHECK(plant.as(boss, "POST", "/api/v1/users", R"({"name":"bert","role":"viewer","display_name":"a\r\nb"})").status == 400);
  const auto echoed = ask(plant.address, "GET", "/livez", "X-Request-Id: a%0d%0aSet-Cookie:x=1\r\n");
  CHECK(echoed.header("x-request-id").find("Set-Cookie") == std::string::npos);
}

TEST_CASE("every write of an administrator leaves a row in the audit trail that names him") {
  GuardedPlant plant;
  plant.add("boss", Role::admin);
  const Caller boss = plant.sign_in("boss");
  std::size_t written = 0;
  for (const Route& route : route_table()) {
    // A webhook is a hint to read, and changes nothing by itself; the routes about people are tried below.
    if (route.method == Method::get || route.name == "takeWebhook" || route.right.asks_nobody() || route.right.rights().has(Right::admin)) continue;
    if (route.right.rights().empty() && !route.right.asks_own_key()) continue;
    if (route.path.find("overlay") != std::string_view::npos) continue;  // one after the other, below
    if (route.name == "importFinance") continue;  // a preview comes first: finance_test.cpp
    std::string target(route.path);
    for (const ParameterRow& parameter : route.parameters) {
      const std::string text(parameter.example == "{order}" ? "43659" : parameter.example == "{source}" ? "orders" : parameter.example == "{rejection}" ? "7" : parameter.example);
      const std::string name = "{" + std::string(parameter.name) + "}";
      if (const auto place = target.find(name); place != std::string::npos) target.replace(place, name.size(), text);
      else if (!text.empty()) target += (target.find('?') == std::string::npos ? "?" : "&") + std::string(parameter.name) + "=" + text;
    }
    const auto before = plant.audit().head().count;
    const bool says_version = route.path.starts_with("/api/v1/finance/{kind}");
    const auto answer = plant.as(boss, name_of(route.method), target, route.example_body, says_version ? "If-Match: *\r\n" : "");
    CHECK_MESSAGE(answer.status / 100 == 2, target << " " << answer.body);
    const auto page = plant.audit().page(0, 1);
    REQUIRE(page);
    CHECK_MESSAGE(plant.audit().head().count > before, target);
    CHECK(page->rows.front().entry.actor.who == "boss");
    CHECK(page->rows.front().entry.actor.address == "127.0.0.1");
    ++written;
  }
  CHECK(written >= 20);
  const auto row_of = [&](std::string_view verb) {
    const auto answer = plant.as(boss, "GET", "/api/v1/audit?limit=1&verb=" + std::string(verb));
    return GuardedPlant::between(answer.body, "\"data\":[", "],\"next_cursor\"");
  };
  plant.as(boss, "PATCH", "/api/v1/sources/orders", R"({"interval_s":900})");
  CHECK(row_of("source.change").find("\"before\":{\"state\":\"live\",\"interval_s\":600},\"after\":{\"interval_s\":900}") != std::string::npos);
  plant.as(boss, "POST", "/api/v1/users", R"({"name":"bert","role":"viewer","password":"three small words"})");
  const std::string created = row_of("user.create");
  CHECK(created.find("\"name\":\"bert\"") != std::string::npos);
  CHECK(created.find("three small words") == std::string::npos);
  plant.as(boss, "PATCH", "/api/v1/orders/43659/overlay", R"({"priority":7})", "If-Match: *\r\n");
  plant.as(boss, "PATCH", "/api/v1/orders/43659/overlay", R"({"priority":8})", "If-Match: \"1\"\r\n");
  const std::string edited = row_of("overlay.edit");
  CHECK(edited.find("\"who\":\"boss\"") != std::string::npos);
  CHECK(edited.find("\"field\":\"priority\",\"value\":\"7\"") != std::string::npos);
  CHECK(edited.find("\"after\":{\"priority\":8}") != std::string::npos);
  plant.as(boss, "PATCH", "/api/v1/orders/43659/overlay", R"({"priority":9})", "If-Match: \"1\"\r\n");
  CHECK(row_of("overlay.edit.refused").find("somebody else wrote priority since") != std::string::npos);
  plant.as(boss, "POST", "/api/v1/orders/43659/overlay/undo", R"({"edit":2})");
  CHECK(row_of("overlay.undo").find("\"after\":{\"edit\":2}") != std::string::npos);
  plant.as(boss, "POST", "/api/v1/sources/nowhere/pause");
  CHECK(row_of("source.pause.refused").find("there is no source") != std::string::npos);
}

}  // namespace millrace::server
