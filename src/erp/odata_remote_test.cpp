// The connector against a scripted service: what it asks, and what it believes.
#include "erp/odata_remote.h"

#include <doctest/doctest.h>

#include <deque>
#include <functional>

#include "outbound/caller.h"

namespace millrace::erp {
namespace {

using outbound::Call;
using outbound::Reply;

// Answers by rule; keeps what it was asked.
class ScriptedService final : public outbound::Transport {
 public:
  std::function<Reply(const Call&)> answer;
  std::vector<Call> calls;
  Reply send(const Call& call) override {
    calls.push_back(call);
    return answer(call);
  }
  void cancel() override {}
  std::size_t count(std::string_view part) const {
    return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [&](const Call& call) { return call.url.find(part) != std::string::npos; }));
  }
};

class NoWaiting final : public outbound::Pace {
 public:
  std::chrono::steady_clock::time_point now() const override { return now_; }
  bool wait_until(std::chrono::steady_clock::time_point until) override {
    now_ = std::max(now_, until);
    return true;
  }

 private:
  std::chrono::steady_clock::time_point now_{};
};

class SetClock final : public Clock {
 public:
  Instant now() const override { return at; }
  Instant at{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};
};

Reply json(std::string body, int status = 200) {
  Reply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "application/json;odata.metadata=minimal;charset=utf-8"}, {"Date", "Sun, 22 Nov 2026 05:47:14 GMT"}};
  reply.body = std::move(body);
  return reply;
}

Reply html(int status) {  // [M] a recycled worker, a proxy's sign-in
  Reply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "text/html"}};
  reply.body = "<html><body><h1>Proxy Error</h1></body></html>";
  return reply;
}

// [M] B1SESSION without a path and with a dangling ';'
Reply login(std::string id, std::string route = ".node1") {
  Reply reply = json(R"({"SessionId":")" + id + R"(","Version":"1000110","SessionTimeout":30})");
  reply.headers.emplace_back("Set-Cookie", "B1SESSION=" + id + ";HttpOnly;");
  reply.headers.emplace_back("Set-Cookie", "ROUTEID=" + route + "; path=/b1s");
  return reply;
}

Reply dead_session() {  // [M]
  return json(R"({"error":{"code":301,"message":{"lang":"en-us","value":"Invalid session or session already timeout."}}})", 401);
}

std::string rows(int from, int until, std::string_view next = "") {
  std::string body = R"({"value":[)";
  for (int key = from; key <= until; ++key) {
    if (key > from) body += ",";
    body += R"({"DocEntry":)" + std::to_string(key) + R"(,"UpdateDate":"2026-11-22","UpdateTime":"06:47:10","DocumentStatus":"bost_Open"})";
  }
  body += "]";
  if (!next.empty()) body += R"(,"@odata.nextLink":")" + std::string(next) + "\"";
  return body + "}";
}

std::string header(const Call& call, std::string_view name) {
  for (const auto& [key, value] : call.headers) {
    if (key == name) return value;
  }
  return "";
}

struct World {
  ScriptedService service;
  NoWaiting pace;
  SetClock clock;
  outbound::Caller caller;
  std::unique_ptr<Remote> remote;
  Dialect dialect;
  int logins = 0;

  explicit World(std::function<Reply(const Call&)> answer, Dialect of = Dialect::sap_b1_v2, ConnectOptions options = sap())
      : caller(care(), service, pace, clock, 7), dialect(of) {
    options.clock = &clock;
    remote = make_remote(of, std::move(options), caller);
    service.answer = [this, answer = std::move(answer)](const Call& call) {
      if (call.url.ends_with("/Logout")) return json("", 204);
      if (!call.url.ends_with("/Login")) return answer(call);
      ++logins;
      return login("s" + std::to_string(logins));
    };
  }
  static outbound::CareOptions care() {
    outbound::CareOptions options;
    options.tries_max = 1;
    return options;
  }
  static ConnectOptions sap() {
    ConnectOptions options;
    options.url = "https://sap:50000/b1s/v2/";
    options.company = "SBODEMO";
    options.user = "manager";
    options.password = "secret";
    return options;
  }
  const StreamDescriptor& stream(StreamName name = StreamName::orders) const { return *find_stream(dialect, word(name)); }
  Remotely<Page> ask(PageQuestion question, StreamName name = StreamName::orders) { return remote->ask(stream(name), question); }
  std::string fact(std::string_view name) const {
    for (const auto& capability : remote->capabilities()) {
      if (capability.name == name) return capability.value;
    }
    return "";
  }
};

PageQuestion scan(std::size_t rows_max, std::optional<std::int64_t> after = {}) {
  PageQuestion question;
  question.kind = PageQuestion::Kind::open;
  question.rows_max = rows_max;
  if (after) question.after_key = Key{true, *after, {}};
  return question;
}

std::string told(const Remotely<Page>& answer) {
  if (const auto* error = std::get_if<RemoteError>(&answer)) {
    static constexpr std::array names{"later", "too_slow", "refused", "denied", "corrupt_page", "cancelled"};
    return names[static_cast<std::size_t>(error->kind)];
  }
  const Page& page = std::get<Page>(answer);
  return std::to_string(page.rows.size()) + (page.complete ? " rows, the end" : " rows, more");
}

TEST_CASE("One login serves many questions, with both cookies and the page size on each") {
  World world([](const Call&) { return json(rows(1, 3)); });
  CHECK(told(world.ask(scan(500))) == "3 rows, the end");
  CHECK(told(world.ask(scan(500))) == "3 rows, the end");
  CHECK(world.logins == 1);
  CHECK(world.service.calls[0].body == R"({"CompanyDB":"SBODEMO","UserName":"manager","Password":"secret"})");
  CHECK(header(world.service.calls[2], "Cookie") == "B1SESSION=s1; ROUTEID=.node1");
  CHECK(header(world.service.calls[2], "B1S-PageSize") == "500");
  CHECK(header(world.service.calls[2], "Expect").empty());
  CHECK(world.fact("version") == "1000110");
  world.remote->log_out();
  CHECK(world.service.calls.back().url == "https://sap:50000/b1s/v2/Logout");
  CHECK(header(world.service.calls.back(), "Cookie") == "B1SESSION=s1; ROUTEID=.node1");
}

TEST_CASE("A session that died is renewed once and the question repeated") {  // [M] 401 with code 301
  World world([](const Call& call) { return header(call, "Cookie").find("B1SESSION=s1") != std::string::npos ? dead_session() : json(rows(1, 3)); });
  CHECK(told(world.ask(scan(500))) == "3 rows, the end");
  CHECK(world.logins == 2);
  CHECK(world.fact("sessions_lost") == "1");
}

TEST_CASE("Refused twice in a row is denied, and nothing is tried again before a person says so") {
  World world([](const Call&) { return dead_session(); });
  CHECK(told(world.ask(scan(500))) == "denied");
  CHECK(world.logins == 2);
  CHECK(told(world.ask(scan(500))) == "denied");
  CHECK(world.logins == 2);
  CHECK(world.remote->connect().has_value());
  CHECK(world.logins > 2);
}

TEST_CASE("The balancer's new route is adopted") {  // [M]
  int call_count = 0;
  World world([&](const Call&) {
    Reply reply = json(rows(1, 3));
    if (++call_count == 1) reply.headers.emplace_back("Set-Cookie", "ROUTEID=.node2; path=/b1s");
    return reply;
  });
  world.ask(scan(500));
  world.ask(scan(500));
  CHECK(header(world.service.calls.back(), "Cookie") == "B1SESSION=s1; ROUTEID=.node2");
}

TEST_CASE("Full pages go on; the end is fewer rows than asked, whatever the link says") {
  World world([](const Call& call) {  // [F] no next link with $top <= page size
    return json(call.url.find("gt%20500") != std::string::npos ? rows(501, 503) : rows(1, 500));
  });
  CHECK(told(world.ask(scan(500))) == "500 rows, more");
  CHECK(told(world.ask(scan(500, 500))) == "3 rows, the end");
  CHECK(world.service.calls.size() == 3);
}

TEST_CASE("A server that caps its pages is found out by its next link") {
  World world([](const Call& call) {
    return json(call.url.find("gt%2020") != std::string::npos ? rows(21, 25) : rows(1, 20, "Orders?$skip=20"));
  });
  CHECK(told(world.ask(scan(500))) == "20 rows, more");
  CHECK(world.fact("page_cap.keys.Orders") == "20");
  CHECK(told(world.ask(scan(500, 20))) == "5 rows, the end");
}

TEST_CASE("A short page of a round number is believed only after one more call") {
  World capped([](const Call& call) { return json(call.url.find("gt%2020") != std::string::npos ? rows(21, 25) : rows(1, 20)); });
  CHECK(told(capped.ask(scan(500))) == "25 rows, more");  // it was a cap without a link
  CHECK(capped.fact("page_cap.keys.Orders") == "20");
  World honest([](const Call& call) { return json(call.url.find("gt%2020") != std::string::npos ? rows(1, 0) : rows(1, 20)); });
  CHECK(told(honest.ask(scan(500))) == "20 rows, the end");
  CHECK(honest.service.count("/Orders") == 2);
}

TEST_CASE("A long scan proves nothing for whole rows, and an old session nothing for a new one") {
  bool lost = false;
  World world([&](const Call& call) {
    if (lost) {
      lost = false;
      return dead_session();
    }
    if (call.url.find("$select") == std::string::npos) return json(R"({"value":[]})");
    return json(call.url.find("gt%2020&") != std::string::npos ? rows(1, 0) : rows(1, call.url.find("top=20&") != std::string::npos ? 20 : 50));
  });
  CHECK(told(world.ask(scan(50))) == "50 rows, more");
  CHECK(world.fact("page_proven.Orders") == "50");
  PageQuestion documents;
  documents.after_key = Key{true, 20, {}};
  world.ask(documents);
  CHECK(world.service.count("/Orders") == 3);
  lost = true;
  CHECK(told(world.ask(scan(20))) == "20 rows, more");
  CHECK(world.fact("page_proven.Orders") == "20");
}

TEST_CASE("A short page costs no second call where a longer one was served before") {
  World world([](const Call& call) { return json(call.url.find("gt%20500") != std::string::npos ? rows(501, 600) : rows(1, 500)); });
  world.ask(scan(500));
  CHECK(told(world.ask(scan(500, 500))) == "100 rows, the end");
  CHECK(world.service.count("/Orders") == 2);
}

TEST_CASE("An empty list is asked for once more where believing it would be dear") {
  int call_count = 0;
  World world([&](const Call&) { return json(++call_count == 1 ? R"({"value":[]})" : R"({"value":[{"DocEntry":8,"DocumentLines":[]}]})"); });
  const auto asked = [&](PageQuestion::Kind kind, bool from_a_key) {
    call_count = 0;
    PageQuestion question;
    question.kind = kind;
    question.since = RemoteStamp{20'000, 0};
    if (from_a_key) question.after_key = Key{true, 7, {}};
    return told(world.ask(question));
  };
  CHECK(asked(PageQuestion::Kind::documents, false) == "1 rows, more");
  CHECK(asked(PageQuestion::Kind::documents, true) == "1 rows, more");
  CHECK(asked(PageQuestion::Kind::open, false) == "1 rows, more");
  CHECK(asked(PageQuestion::Kind::open, true) == "0 rows, the end");
  CHECK(asked(PageQuestion::Kind::changed, false) == "0 rows, the end");  // nothing changed: the rule, not the exception
  World empty([](const Call&) { return json(R"({"value":[]})"); });
  CHECK(told(empty.ask({})) == "0 rows, the end");
  CHECK(empty.service.count("/Orders") == 2);
}

TEST_CASE("A question that was asked ahead is not asked again") {
  ConnectOptions options = World::sap();
  SUBCASE("on a thread of its own") { options.ahead = ConnectOptions::Ahead::on_a_thread; }
  SUBCASE("at once") { options.ahead = ConnectOptions::Ahead::at_once; }
  World world([](const Call& call) { return call.url.find("gt%203") == std::string::npos ? json(rows(1, 3)) : json(rows(4, 5)); },
              Dialect::sap_b1_v2, options);
  CHECK(told(world.ask(scan(3))) == "3 rows, more");
  CHECK(world.remote->cost().calls == 2);  // the login too
  world.remote->ask_ahead(world.stream(), scan(3, 3));
  CHECK(told(world.ask(scan(3, 3))) == "2 rows, the end");
  CHECK(world.remote->cost().calls == 1);
  CHECK(world.service.calls.size() == 3);
  CHECK_FALSE(world.remote->asks_ahead());
  CHECK(told(world.ask(scan(3, 3))) == "2 rows, the end");  // what came ahead is used once
  CHECK(world.service.calls.size() == 4);
}

TEST_CASE("What was asked ahead answers no other question, and is counted all the same") {
  World world([](const Call& call) { return call.url.find("gt%203") == std::string::npos ? json(rows(1, 3)) : json(rows(4, 5)); });
  CHECK(told(world.ask(scan(3))) == "3 rows, more");
  world.remote->ask_ahead(world.stream(), scan(3, 3));
  SUBCASE("another question waits for it and drops it") {
    CHECK(told(world.ask(scan(3))) == "3 rows, more");
    CHECK(world.remote->cost().calls == 2);
    CHECK(world.service.calls.size() == 4);
  }
  SUBCASE("forgotten") {
    world.remote->forget_ahead();
    CHECK(told(world.ask(scan(3, 3))) == "2 rows, the end");
    CHECK(world.service.calls.size() == 4);
  }
  SUBCASE("signing out") {
    world.remote->log_out();
    CHECK(world.service.calls.size() == 4);
  }
}

TEST_CASE("A session that ended before a question asked ahead is renewed when its turn comes") {
  World world([](const Call& call) {
    if (call.url.find("gt%203") == std::string::npos) return json(rows(1, 3));
    return header(call, "Cookie").find("B1SESSION=s1") != std::string::npos ? dead_session() : json(rows(4, 5));
  });
  CHECK(told(world.ask(scan(3))) == "3 rows, more");
  world.remote->ask_ahead(world.stream(), scan(3, 3));
  CHECK(told(world.ask(scan(3, 3))) == "2 rows, the end");
  CHECK(world.logins == 2);
  CHECK(world.remote->cost().calls == 3);  // refused, login, asked again
}

TEST_CASE("Nothing but the asked rows in their order is taken for an answer") {
  const auto answered = [](Reply reply) {
    World world([&](const Call&) { return reply; });
    return told(world.ask(scan(500, 10)));
  };
  CHECK(answered(json(rows(11, 12))) == "2 rows, the end");
  CHECK(answered(json(rows(10, 12))) == "corrupt_page");  // the page before, again
  CHECK(answered(html(200)) == "corrupt_page");
  CHECK(answered(json("")) == "corrupt_page");
  CHECK(answered(json(rows(11, 12).substr(0, 100))) == "corrupt_page");
  CHECK(answered(json("", 204)) == "corrupt_page");
  CHECK(answered(json(R"({"value":[],"@odata.nextLink":"Orders?$skip=20"})")) == "corrupt_page");
}

TEST_CASE("Every failure says what a person or the sync can do about it") {
  const auto answered = [](Reply reply) {
    World world([&](const Call&) { return reply; });
    return told(world.ask(scan(500)));
  };
  CHECK(answered(json(R"({"error":{"code":-1000,"message":{"value":"Query string error"}}})", 400)) == "refused");
  CHECK(answered(json(R"({"error":{"code":"404","message":"Not Found"}})", 404)) == "refused");
  CHECK(answered(json("", 403)) == "denied");
  CHECK(answered(html(502)) == "later");
  CHECK(answered(html(503)) == "later");
  CHECK(answered(html(504)) == "too_slow");
  CHECK(answered(json("", 408)) == "too_slow");
  CHECK(answered(json("", 414)) == "too_slow");
  CHECK(answered(json("", 429)) == "later");
  CHECK(answered(json("", 301)) == "denied");
  const auto broken = [&](outbound::Failure failure) {
    Reply reply;
    reply.failure = failure;
    reply.text = "as told by the transport";
    return answered(reply);
  };
  CHECK(broken(outbound::Failure::timeout) == "too_slow");
  CHECK(broken(outbound::Failure::reset) == "too_slow");
  CHECK(broken(outbound::Failure::connect) == "later");
  CHECK(broken(outbound::Failure::resolve) == "later");
  CHECK(broken(outbound::Failure::tls) == "denied");
  CHECK(broken(outbound::Failure::cancelled) == "cancelled");
}

std::string documents(const std::vector<int>& keys) {
  std::string body = R"({"value":[)";
  for (const int key : keys) body += (body.ends_with('[') ? "" : ",") + (R"({"DocEntry":)" + std::to_string(key) + R"(,"DocumentLines":[]})");
  return body + "]}";
}

PageQuestion fetch(std::initializer_list<int> keys) {
  PageQuestion question;
  question.kind = PageQuestion::Kind::fetch;
  for (const int key : keys) question.keys.push_back(Key{true, key, {}});
  return question;
}

// A service that holds these orders and answers at most `cap` of those asked for.
std::function<Reply(const Call&)> shelf(std::vector<int> held, std::size_t cap) {
  return [held = std::move(held), cap](const Call& call) {
    std::vector<int> found;
    for (const int key : held) {
      const bool asked = (call.url + "%20").find("eq%20" + std::to_string(key) + "%20") != std::string::npos ||
                         call.url.find("eq%20" + std::to_string(key) + "&") != std::string::npos;
      if (asked && found.size() < cap) found.push_back(key);
    }
    return json(documents(found));
  };
}

TEST_CASE("Keys that are fetched come back in order, in as few calls as there are") {
  World world(shelf({3, 5, 9}, 100));
  CHECK(told(world.ask(fetch({9, 3, 5, 3}))) == "3 rows, the end");
  CHECK(world.service.count("/Orders") == 1);
}

TEST_CASE("A key is gone only when a second answer leaves it out too") {
  World world(shelf({3, 9}, 100));
  CHECK(told(world.ask(fetch({3, 5, 9}))) == "2 rows, the end");
  CHECK(world.service.count("/Orders") == 2);
  int call_count = 0;
  World moody([&](const Call& call) { return ++call_count == 1 ? json(R"({"value":[]})") : shelf({3, 5, 9}, 100)(call); });
  CHECK(told(moody.ask(fetch({3, 5, 9}))) == "3 rows, the end");
}

TEST_CASE("A server that caps pages in silence loses no fetched key") {
  World world(shelf({1, 2, 3, 4, 5, 6, 7}, 3));
  CHECK(told(world.ask(fetch({1, 2, 3, 4, 5, 6, 7, 8}))) == "7 rows, the end");
}

TEST_CASE("A page of several answers tells when the first was made and how much later the last") {
  int second = 0;
  World world([&](const Call& call) {
    Reply reply = shelf({1, 2, 3, 4, 5, 6, 7}, 3)(call);
    reply.headers.back() = {"Date", "Sun, 22 Nov 2026 05:47:" + std::to_string(10 + second) + " GMT"};
    second += 7;
    return reply;
  });
  const auto answer = world.ask(fetch({1, 2, 3, 4, 5, 6, 7}));
  const Page& page = std::get<Page>(answer);
  CHECK(utc_seconds(*page.server_time) == "2026-11-22 05:47:10");
  CHECK(page.server_time_span == std::chrono::seconds(14));
}

TEST_CASE("A row nobody asked for makes a fetch corrupt") {
  World world([](const Call&) { return json(documents({3, 4})); });
  CHECK(told(world.ask(fetch({3}))) == "corrupt_page");
}

TEST_CASE("Optional parts that a service refuses are left out from then on") {
  World world([](const Call& call) {
    if (call.url.find("CreateDate") != std::string::npos) return json(R"({"error":{"code":"400","message":"Property CreateDate not found"}})", 400);
    return json(R"({"value":[]})");
  });
  PageQuestion question;
  question.kind = PageQuestion::Kind::changed;
  question.since = RemoteStamp{20'000, 0};
  CHECK(told(world.ask(question, StreamName::items)) == "0 rows, the end");
  CHECK(told(world.ask(question, StreamName::items)) == "0 rows, the end");
  CHECK(world.service.count("CreateDate") == 1);
  CHECK(world.fact("optional_parts.Items") == "refused");
  CHECK(told(world.ask(question, StreamName::manufacturers)) == "refused");
}

TEST_CASE("Connecting says in one sentence what is wrong and what to do") {
  const auto connecting = [](std::function<Reply(const Call&)> answer, ConnectOptions options = World::sap()) {
    World world(nullptr, Dialect::sap_b1_v2, std::move(options));
    world.service.answer = std::move(answer);
    const auto error = world.remote->connect();
    if (error) CHECK(error->text.find("secret") == std::string::npos);
    return error ? error->text : std::string("fine");
  };
  const auto always = [](Reply reply) { return [reply = std::move(reply)](const Call&) { return reply; }; };
  const auto has = [](const std::string& text, std::string_view part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  CHECK(connecting([](const Call& call) { return call.url.ends_with("Login") ? login("s") : json(rows(1, 1)); }) == "fine");
  has(connecting(always(dead_session())), "in small letters");
  has(connecting(always(html(404))), "/b1s/v1 or /b1s/v2");
  has(connecting(always(json(R"({"error":{"code":"100000027","message":"Fail to get DB Credentials from SLD"}})", 401))), "correct user, password or company");
  has(connecting(always(json(R"({"error":{"code":-304,"message":{"value":"Company database not found"}}})", 401))), "The company 'SBODEMO' is not known there");
  has(connecting(always(json("", 403))), "licence");
  has(connecting(always(html(503))), "tried again later");
  has(connecting(always(json("{}"))), "not like a Service Layer");
  has(connecting([](const Call& call) { return call.url.ends_with("Login") ? login("s") : json("", 403); }), "may not read Orders");
  Reply expired;
  expired.failure = outbound::Failure::tls;
  expired.text = "the certificate expired on 2026-01-01";
  CHECK(connecting(always(expired)) == "The certificate expired on 2026-01-01.");
  Reply hung_up;
  hung_up.failure = outbound::Failure::reset;
  hung_up.text = "sap:50000 ended the connection before the answer was whole";
  ConnectOptions plain = World::sap();
  plain.url = "http://sap:50000/b1s/v2";
  has(connecting(always(hung_up), plain), "write https://");
  has(connecting(always(html(400)), plain), "write https://");
  ConnectOptions first = World::sap();
  first.url = "https://sap:50000/b1s/v1";
  has(connecting(always(html(404)), first), "an address that ends in /b1s/v2");
  const auto without_right = [](Reply reply) { return [reply = std::move(reply)](const Call& call) { return call.url.ends_with("Login") ? login("s") : reply; }; };
  has(connecting(without_right(json(R"({"error":{"code":"-5006","message":"The logged-on user does not have permission to use this object"}})", 400))), "may not read Orders");
  has(connecting(without_right(json(R"({"error":{"code":"-5002","message":"You are not authorized to perform this action"}})", 400))), "give it the right");
  has(connecting(without_right(json(R"({"error":{"code":"-2028","message":"No matching records found"}})", 404))), "give it the right to read Orders");
  ConnectOptions options = World::sap();
  options.url = "sap:50000/b1s/v2";
  has(connecting(always(html(404)), options), "starts with https://");
}

TEST_CASE("A login that the server could not answer is tried again later, a refused one is not") {
  int tries = 0;
  World world(nullptr);
  world.service.answer = [&](const Call& call) {
    if (!call.url.ends_with("Login")) return json(rows(1, 3));
    return ++tries == 1 ? html(502) : login("s");
  };
  CHECK(told(world.ask(scan(500))) == "later");
  CHECK(told(world.ask(scan(500))) == "3 rows, the end");
}

TEST_CASE("Three logins whose answers were lost are enough: the next waits for a session to end, unless a person insists") {
  constexpr std::array lost{outbound::Failure::timeout, outbound::Failure::reset};
  for (const outbound::Failure failure : lost) {
    World world(nullptr);
    int logins = 0;
    bool loses = true;
    world.service.answer = [&](const Call& call) {
      if (!call.url.ends_with("Login")) return json(rows(1, 3));
      ++logins;
      if (!loses) return login("s" + std::to_string(logins));
      Reply reply;
      reply.failure = failure;
      reply.text = "sap:50000 gave no whole answer";
      return reply;
    };
    for (int tries = 0; tries < 3; ++tries) {
      const auto error = world.remote->connect();
      REQUIRE(error);
      CHECK(error->kind == RemoteErrorKind::later);
      CHECK((error->text.find("may have gone through") != std::string::npos) == (tries == 2));
    }
    loses = false;
    world.clock.at += std::chrono::minutes(29);
    CHECK(world.remote->connect().has_value());
    CHECK(logins == 3);
    world.clock.at += std::chrono::minutes(2);
    CHECK_FALSE(world.remote->connect().has_value());
    CHECK(logins == 4);
  }
  World world(nullptr);
  int logins = 0;
  world.service.answer = [&](const Call& call) {
    if (!call.url.ends_with("Login")) return json(rows(1, 3));
    if (++logins > 3) return login("s");
    Reply reply;
    reply.failure = outbound::Failure::reset;
    return reply;
  };
  for (int tries = 0; tries < 5; ++tries) CHECK(world.remote->connect().has_value());
  CHECK(logins == 3);
  world.remote->insist();
  CHECK_FALSE(world.remote->connect().has_value());
  CHECK(logins == 4);
}

TEST_CASE("A login that never left is sent again as soon as somebody asks") {
  World world(nullptr);
  int logins = 0;
  world.service.answer = [&](const Call& call) {
    if (!call.url.ends_with("Login")) return json(rows(1, 3));
    if (++logins > 1) return login("s");
    Reply reply;
    reply.failure = outbound::Failure::connect;
    reply.text = "nobody listens at sap:50000: check the address and the port, and that the server runs";
    return reply;
  };
  const auto error = world.remote->connect();
  REQUIRE(error);
  CHECK(error->text == "Nobody listens at sap:50000: check the address and the port, and that the server runs.");
  CHECK_FALSE(world.remote->connect().has_value());
}

TEST_CASE("However often a person asks, refused credentials are sent seldom") {
  const auto logins_within = [](Dialect dialect, ConnectOptions options, std::chrono::minutes time) {
    World world(nullptr, dialect, std::move(options));
    int tries = 0;
    world.service.answer = [&](const Call&) {
      ++tries;
      return json(R"({"error":{"code":"100000027","message":"Login failed"}})", 401);
    };
    for (std::chrono::seconds passed{0}; passed < time; passed += std::chrono::seconds(10)) {
      world.remote->insist();
      CHECK(world.remote->connect().has_value());
      world.clock.at += std::chrono::seconds(10);
    }
    return tries;
  };
  CHECK(logins_within(Dialect::sap_b1_v2, World::sap(), std::chrono::minutes(30)) == 5);  // at minute 0, 1, 3, 7, 15
  ConnectOptions basic;
  basic.url = "https://erp/odata";
  basic.user = "u";
  basic.password = "secret";
  CHECK(logins_within(Dialect::odata_v4, basic, std::chrono::minutes(30)) == 5);
}

TEST_CASE("What was learnt about a system is told: clock, zone, ETags, lines") {
  World world([](const Call&) { return json(rows(1, 3)); });
  world.ask(scan(500));
  CHECK(world.fact("etags_in_scans.Orders") == "no");
  CHECK(world.fact("lines") == "inline");
  CHECK(world.fact("server_clock_offset_ms") == std::to_string((5 * 3600 + 47 * 60 + 14) * 1000));
  CHECK(world.fact("stamp_zone") == "at least UTC+60 minutes");
}

ConnectOptions central() {
  ConnectOptions options;
  options.url = "https://api.businesscentral.dynamics.com/v2.0/t/p/api/v2.0/companies(1)";
  return options;
}

TEST_CASE("OData services are signed in with a bearer token, a password, or a token that is renewed in time") {
  const auto authorization = [](ConnectOptions options) {
    World world([](const Call&) { return json(R"({"value":[]})"); }, Dialect::odata_v4, std::move(options));
    PageQuestion question;
    question.after_key = Key{false, 0, "5d115c9c-44e3-ea11-bb43-000d3a2feabf"};
    CHECK(told(world.ask(question)) == "0 rows, the end");
    CHECK(header(world.service.calls.back(), "Prefer") == "odata.maxpagesize=500");
    return header(world.service.calls.back(), "Authorization");
  };
  ConnectOptions bearer = central();
  bearer.bearer = "abc";
  CHECK(authorization(bearer) == "Bearer abc");
  ConnectOptions basic = central();
  basic.user = "Aladdin";
  basic.password = "open sesame";
  CHECK(authorization(basic) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(authorization(central()).empty());
}

TEST_CASE("A token of client credentials is fetched once, renewed before it ends and after a 401") {
  ConnectOptions options = central();
  options.oauth_token_url = "https://login.example/t/oauth2/v2.0/token";
  options.oauth_client = "id";
  options.oauth_secret = "s&cret";
  options.oauth_scope = "https://api.businesscentral.dynamics.com/.default";
  int tokens = 0;
  bool refuse = false;
  World world(nullptr, Dialect::odata_v4, options);
  world.service.answer = [&](const Call& call) {
    if (call.url == options.oauth_token_url) {
      CHECK(call.body == "grant_type=client_credentials&client_id=id&client_secret=s%26cret&scope=https%3A%2F%2Fapi.businesscentral.dynamics.com%2F.default");
      return json(R"({"token_type":"Bearer","expires_in":3599,"access_token":"t)" + std::to_string(++tokens) + "\"}");
    }
    if (refuse) return json("", 401);
    return json(header(call, "Authorization") == "Bearer t" + std::to_string(tokens) ? R"({"value":[]})" : "{}");
  };
  PageQuestion question;
  question.after_key = Key{false, 0, "5d115c9c-44e3-ea11-bb43-000d3a2feabf"};
  CHECK(told(world.ask(question)) == "0 rows, the end");
  CHECK(told(world.ask(question)) == "0 rows, the end");
  CHECK(tokens == 1);
  world.clock.at += std::chrono::minutes{59};
  CHECK(told(world.ask(question)) == "0 rows, the end");
  CHECK(tokens == 2);
  refuse = true;
  CHECK(told(world.ask(question)) == "denied");
  CHECK(tokens == 3);
}

TEST_CASE("The date of an answer is read as the server's clock") {
  CHECK(rfc3339(*parse_http_date("Sun, 22 Nov 2026 05:47:14 GMT")) == "2026-11-22T05:47:14.000Z");
  CHECK_FALSE(parse_http_date("").has_value());
  CHECK_FALSE(parse_http_date("Sun, 22 Foo 2026 05:47:14 GMT").has_value());
  CHECK_FALSE(parse_http_date("Sun, 42 Nov 2026 05:47:14 GMT").has_value());
  CHECK_FALSE(parse_http_date("22 Nov 2026 05:47:14").has_value());
}

}  // namespace
}  // namespace millrace::erp
