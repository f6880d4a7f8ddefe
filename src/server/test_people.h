// The plant of test_plant.h behind a sign-in: a user of every role, one who sees his own orders only, and their sessions.
#pragma once
#include <doctest/doctest.h>

#include <future>

#include "server/test_plant.h"
#include "testing/office.h"

namespace millrace::server {

inline constexpr std::string_view good_password = "three small words";

// A person's browser, or a machine's token, as headers.
struct Caller {
  std::string name;  // as tests call it
  std::string cookie, csrf, token;

  std::string reading() const { return token.empty() ? cookie.empty() ? "" : "Cookie: millrace=" + cookie + "\r\n" : "Authorization: Bearer " + token + "\r\n"; }
  std::string writing() const { return reading() + (csrf.empty() ? "" : "X-CSRF-Token: " + csrf + "\r\n") + "Content-Type: application/json\r\n"; }
};

class GuardedPlant : public TestPlant {
 public:
  explicit GuardedPlant(ServerOptions options = {}, people::Oidc* outside = nullptr) : TestPlant(options, nullptr), outside_(outside) {
    directory().on_revoked([this](const people::Revoked& revoked) {
      if (server) server->revoke(revoked);
    });
    start_on(options);
  }
  ~GuardedPlant() {
    server->stop(std::chrono::milliseconds{0});
    directory().stop();
  }

  Services services() override {
    Services all = TestPlant::services();
    all.people = &office_.directory();
    all.audit = &office_.audit();
    all.sign_in = true;
    all.outside = outside_;
    return all;
  }

  people::Directory& directory() { return office_.directory(); }
  people::Audit& audit() { return office_.audit(); }

  people::User add(const std::string& name, people::Role role, const std::string& own_orders = "") {
    std::promise<Result<people::PasswordHash>> told;
    directory().hash_new_password(people::Secret(std::string(good_password)), name, "test", [&](auto made) { told.set_value(std::move(made)); });
    auto hash = told.get_future().get();
    REQUIRE_MESSAGE(hash, hash.error().text());
    auto made = directory().create({name, "", "", role, own_orders, std::move(*hash)}, people::command_line_actor());
    REQUIRE_MESSAGE(made, made.error().text());
    return *made;
  }
  // Over HTTP, as a browser does.
  Caller sign_in(const std::string& name) {
    const auto answer = ask(address, "POST", "/api/v1/sign-in", "Content-Type: application/json\r\n",
                            "{\"name\":\"" + name + "\",\"password\":\"" + std::string(good_password) + "\"}");
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return {name, between(answer.header("set-cookie"), "millrace=", ";"), between(answer.body, "\"csrf\":\"", "\""), ""};
  }
  Caller token(const people::User& user, people::Scope scope) {
    const auto made = directory().make_token(user.id, {std::string(people::word(scope)) + " token", scope, {}}, people::command_line_actor());
    REQUIRE_MESSAGE(made, made.error().text());
    return {user.name + "'s " + std::string(people::word(scope)) + " token", "", "", made->secret.reveal()};
  }
  TestAnswer as(const Caller& caller, std::string_view method, std::string_view target, std::string_view body = "", const std::string& more = "") {
    return ask(address, method, target, (method == "GET" ? caller.reading() : caller.writing()) + more, body);
  }

  static std::string between(const std::string& text, std::string_view before, std::string_view after) {
    const std::size_t start = text.find(before);
    if (start == std::string::npos) return "";
    const std::size_t from = start + before.size();
    return text.substr(from, text.find(after, from) - from);
  }

 private:
  testing::Office office_{clock, metrics};
  people::Oidc* const outside_;
};

}  // namespace millrace::server
