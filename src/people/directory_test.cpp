// Users, sessions and tokens on a real record.
#include "people/directory.h"

#include <doctest/doctest.h>

#include "people/people_test_world.h"

namespace millrace::people {
namespace {

using namespace std::chrono_literals;

std::string verified(Office& office) {
  const auto proof = office.audit().verify([](std::uint64_t, std::uint64_t) { return true; });
  return !proof ? proof.error().text() : proof->whole() ? "whole" : proof->problem;
}

TEST_CASE("A user is made once and found by any spelling of the login") {
  Office office;
  const User made = office.add("Anna.Berg", Role::planner);
  CHECK(made.name == "anna.berg");
  CHECK(made.has_password);
  CHECK(office.directory().find_user("ANNA.BERG ")->id == made.id);
  CHECK_FALSE(office.directory().find_user("anna"));
  const auto again = office.directory().create({"anna.BERG", "", "", Role::admin, "", {}}, command_line_actor());
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == ErrorCode::conflict);
  CHECK(again.error().text() == "there is a user anna.berg already; choose another login or change that user");
  CHECK(office.directory().users().size() == 1);
  CHECK(office.trail(5) == "user.create user:1 by command line");
}

TEST_CASE("Texts of a user are one readable line") {
  Office office;
  const auto made = [&](NewUser wanted) { return office.directory().create(std::move(wanted), command_line_actor()).has_value(); };
  CHECK_FALSE(made({"a", "two\nlines", "", Role::viewer, "", {}}));
  CHECK_FALSE(made({"a", "a \x1B[31mred one", "", Role::viewer, "", {}}));
  CHECK_FALSE(made({"a", "", "no address", Role::viewer, "", {}}));
  CHECK_FALSE(made({"a", "", "a@b@c", Role::viewer, "", {}}));
  CHECK_FALSE(made({"a", "", "a@b.c\r\nBcc: x@y.z", Role::viewer, "", {}}));
  CHECK_FALSE(made({"a", "", "", Role::viewer, std::string(300, 'x'), {}}));
  CHECK_FALSE(made({"a", "", "", Role::admin, "S1", {}}));  // an administrator sees all orders
  CHECK(office.directory().nobody_yet());
  CHECK(made({"a", "Änne O'Neill", "aenne@example.com", Role::sales, "Meyer, K.", {}}));
}

TEST_CASE("Whoever knows the password is in and may do what the role says") {
  Office office;
  office.add("anna", Role::planner);
  const SignedIn entered = office.signed_in("Anna");
  const auto identity = office.directory().identify_session(entered.session.reveal());
  REQUIRE(identity);
  CHECK(identity->name == "anna");
  CHECK(identity->rights == rights_of(Role::planner));
  CHECK(identity->by == Identity::By::session);
  CHECK(identity->credential == entered.identity.credential);
  CHECK(csrf_matches(entered.session.reveal(), entered.csrf.reveal()));
  CHECK(office.directory().user(UserId{1})->last_sign_in == office.clock().now());
  CHECK(office.trail(2) == "sign-in user:1 by anna, user.create user:1 by command line");
  const auto sessions = office.directory().sessions(UserId{1});
  REQUIRE(sessions.size() == 1);
  CHECK(sessions[0].address == "192.0.2.1");
  CHECK(sessions[0].agent == "a browser");
}

TEST_CASE("A wrong password, an unknown login and an inactive user get one answer") {
  Office office;
  office.add("boss", Role::admin);
  const User anna = office.add("anna");
  REQUIRE(office.directory().create({"carl", "", "", Role::viewer, "", {}}, command_line_actor()));  // no password
  const User bert = office.add("bert");
  REQUIRE(office.directory().change(bert.id, {.active = false}, command_line_actor()));
  const std::string one = "the login or the password is wrong";
  CHECK(office.sign_in("anna", "three small word").text() == one);
  CHECK(office.sign_in("nobody").text() == one);
  CHECK(office.sign_in("not a\nlogin").text() == one);
  CHECK(office.sign_in("").text() == one);
  CHECK(office.sign_in("bert").text() == one);
  CHECK(office.sign_in("carl", "").text() == one);
  CHECK(office.sign_in("anna", std::string(1 << 20, 'x')).text() == one);
  CHECK(office.sign_in("anna").text() == "in as anna");
  CHECK(office.directory().sessions().size() == 1);
  (void)anna;
}

TEST_CASE("Each sign-in is a session of its own") {
  Office office;
  office.add("anna");
  const SignedIn first = office.signed_in("anna"), second = office.signed_in("anna", "192.0.2.2");
  CHECK(first.session.reveal() != second.session.reveal());
  CHECK(first.csrf.reveal() != second.csrf.reveal());
  REQUIRE(office.directory().end_session(SessionId{first.identity.credential}, actor_of(first.identity, "192.0.2.1")));
  CHECK_FALSE(office.holds(first));
  CHECK(office.holds(second));
  CHECK(office.revoked().sessions == std::vector{SessionId{first.identity.credential}});
  CHECK(office.directory().end_session(SessionId{first.identity.credential}, command_line_actor()).error().code() == ErrorCode::not_found);
  CHECK(office.trail(1) == "sign-out user:1 by anna");
}

TEST_CASE("A secret that was not given out opens nothing") {
  Office office;
  office.add("anna");
  const SignedIn entered = office.signed_in("anna");
  const std::string right = entered.session.reveal();
  for (const std::string& wrong : {std::string(), right.substr(1), right + "A", "A" + right.substr(1), hex(digest_of(right)), std::string(1 << 20, 'A'),
                                   entered.csrf.reveal(), std::to_string(entered.identity.credential)})
    CHECK_FALSE(office.directory().identify_session(wrong));
  CHECK_FALSE(office.directory().identify_token(right));
}

TEST_CASE("A session ends twelve hours after its last use and after thirty days at the latest") {
  Office office;
  office.add("anna");
  const SignedIn entered = office.signed_in("anna");
  office.clock().turn(11h);
  CHECK(office.holds(entered));
  office.clock().turn(11h);
  CHECK(office.holds(entered));
  office.clock().turn(12h);
  CHECK_FALSE(office.holds(entered));
  office.directory().step();
  CHECK(office.revoked().sessions.size() == 1);
  CHECK(office.directory().sessions().empty());
  const SignedIn busy = office.signed_in("anna");
  for (int i = 0; i < 59; ++i) {
    office.clock().turn(12h - 1s);
    CHECK(office.holds(busy));
  }
  office.clock().turn(12h - 1s);
  CHECK(office.holds(busy));
  office.clock().turn(2min);
  CHECK_FALSE(office.holds(busy));
}

TEST_CASE("A new password, another role, another limit and deactivation end all sessions of the user at once") {
  Office office;
  office.add("boss", Role::admin);
  const User anna = office.add("anna", Role::planner);
  const SignedIn other = office.signed_in("boss");
  const auto ended_by = [&](auto act) {
    const SignedIn one = office.signed_in("anna"), two = office.signed_in("anna", "192.0.2.2");
    office.revoked();
    REQUIRE(act());
    CHECK_FALSE(office.holds(one));
    CHECK_FALSE(office.holds(two));
    CHECK(office.holds(other));
    CHECK(office.revoked().sessions.size() == 2);
    office.restart();
    CHECK_FALSE(office.holds(one));
    CHECK(office.holds(other));
  };
  const Actor boss = actor_of(other.identity, "192.0.2.1");
  ended_by([&] { return office.directory().change(anna.id, {.role = Role::floor}, boss).has_value(); });
  ended_by([&] { return office.directory().change(anna.id, {.own_orders = "S1"}, boss).has_value(); });
  ended_by([&] { return office.directory().set_password(anna.id, *office.hash("three small words"), boss).has_value(); });
  ended_by([&] { return office.directory().change(anna.id, {.active = false}, boss).has_value(); });
  CHECK(office.sign_in("anna").text() == "the login or the password is wrong");
  REQUIRE(office.directory().change(anna.id, {.active = true}, boss));
  const SignedIn again = office.signed_in("anna");
  REQUIRE(office.directory().change(anna.id, {.display_name = "Anna"}, boss));
  CHECK(office.holds(again));  // nothing she may do changed
  CHECK(office.trail(3) == "user.change user:2 by boss, sign-in user:2 by anna, user.activate user:2 by boss");
  CHECK(verified(office) == "whole");
}

TEST_CASE("Who looked at an older version of a user does not change the newer one") {
  Office office;
  office.add("boss", Role::admin);
  const User anna = office.add("anna");
  const auto first = office.directory().change(anna.id, {.version = anna.version, .email = "anna@example.com"}, command_line_actor());
  REQUIRE(first);
  CHECK(first->version == 2);
  const auto late = office.directory().change(anna.id, {.version = anna.version, .role = Role::sales}, command_line_actor());
  REQUIRE_FALSE(late);
  CHECK(late.error().code() == ErrorCode::conflict);
  CHECK(late.error().text() == "user anna was changed meanwhile: it is version 2 now and you looked at version 1; look again");
  CHECK(office.directory().user(anna.id)->role == Role::viewer);
  CHECK(office.directory().change(UserId{99}, {}, command_line_actor()).error().code() == ErrorCode::not_found);
  CHECK(office.directory().change(anna.id, {.role = Role::viewer}, command_line_actor())->version == 2);  // nothing to do
}

TEST_CASE("The last administrator who can sign in stays one") {
  Office office;
  const User boss = office.add("boss", Role::admin);
  REQUIRE(office.directory().create({"chief", "", "", Role::admin, "", {}}, command_line_actor()));  // cannot sign in
  const Actor actor = command_line_actor();
  CHECK(office.directory().change(boss.id, {.role = Role::viewer}, actor).error().code() == ErrorCode::conflict);
  CHECK(office.directory().change(boss.id, {.active = false}, actor).error().text() == "user boss is the last active administrator; make somebody else one first");
  CHECK(office.directory().set_password(boss.id, {}, actor).error().code() == ErrorCode::conflict);
  REQUIRE(office.directory().set_password(UserId{2}, *office.hash("three small words"), actor));
  CHECK(office.directory().change(boss.id, {.active = false}, actor));
}

TEST_CASE("A person changes his own password and goes on in a new session") {
  Office office;
  office.add("anna");
  const SignedIn here = office.signed_in("anna"), there = office.signed_in("anna", "192.0.2.2");
  const auto change = [&](const std::string& before, const std::string& after) {
    return Office::answer_of([&](SignInDone done) {
      office.directory().change_own_password(here.identity, Secret(before), Secret(after), "192.0.2.1", "a browser", std::move(done));
    });
  };
  CHECK(change("wrong small words", "four other small words").text() == "the password so far is wrong");
  CHECK(change("three small words", "short").text().starts_with("the password is too short"));
  CHECK(office.holds(here));
  const auto changed = change("three small words", "four other small words");
  REQUIRE(changed.entered);
  CHECK_FALSE(office.holds(here));
  CHECK_FALSE(office.holds(there));
  CHECK(office.holds(*changed.entered));
  CHECK(office.sign_in("anna").text() == "the login or the password is wrong");
  CHECK(office.sign_in("anna", "four other small words").text() == "in as anna");
}

TEST_CASE("Guessing waits, and the one who is guessed at is in from elsewhere") {
  Office office;
  office.add("anna");
  const SignedIn open = office.signed_in("anna", "198.51.100.7");
  for (int i = 0; i < 5; ++i) CHECK(office.sign_in("anna", "wrong small words", "203.0.113.9").text() == "the login or the password is wrong");
  const auto slowed = office.sign_in("anna", "three small words", "203.0.113.9");
  CHECK(slowed.text() == "too many wrong tries from here; try again in 1 s");
  CHECK(slowed.retry_after == 1s);
  CHECK(office.sign_in("ANNA", "three small words", "203.0.113.9").retry_after == 1s);  // spelled otherwise
  CHECK(office.sign_in("anna", "three small words", "198.51.100.8").text() == "in as anna");
  CHECK(office.holds(open));
  for (int i = 0; i < 5; ++i) office.sign_in("nobody", "wrong small words", "203.0.113.10");
  CHECK(office.sign_in("nobody", "wrong small words", "203.0.113.10").text() == slowed.text());  // tells nothing about who exists
}

TEST_CASE("Sessions, users and tokens survive a restart") {
  Office office;
  office.add("anna", Role::planner);
  const SignedIn entered = office.signed_in("anna");
  const auto token = office.directory().make_token(UserId{1}, {"export", Scope::read, {}}, command_line_actor());
  REQUIRE(token);
  office.clock().turn(11h);
  CHECK(office.holds(entered));
  office.restart();
  office.clock().turn(11h);
  CHECK(office.holds(entered));  // the last use was written down when it stopped
  CHECK(office.directory().identify_token(token->secret.reveal()));
  CHECK(office.directory().users().size() == 1);
  CHECK(office.sign_in("anna").text() == "in as anna");
  CHECK(verified(office) == "whole");
}

TEST_CASE("A restored record brings users and tokens back but no session") {
  Office office;
  office.add("anna");
  const SignedIn entered = office.signed_in("anna");
  const auto token = office.directory().make_token(UserId{1}, {"t", Scope::read, {}}, command_line_actor());
  const std::string backup = office.back_up();
  REQUIRE(office.directory().end_sessions_of(UserId{1}, command_line_actor()));
  office.restore_from(backup);
  CHECK_FALSE(office.holds(entered));  // it was ended after the backup
  CHECK(office.directory().identify_token(token->secret.reveal()));
  CHECK(office.directory().sessions().empty());
  CHECK(office.trail(1) == "session.end  by restore");
  const SignedIn again = office.signed_in("anna");
  office.restart();
  CHECK(office.holds(again));
  CHECK(verified(office) == "whole");
}

TEST_CASE("Requests are answered whole while users change and people come and go") {
  Office office;
  office.add("boss", Role::admin);
  const User anna = office.add("anna", Role::planner);
  const auto token = office.directory().make_token(anna.id, {"t", Scope::admin, {}}, command_line_actor());
  const SignedIn boss = office.signed_in("boss");
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> asked{0}, wrong{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const auto by_token = office.directory().identify_token(token->secret.reveal());
        const bool whole = by_token && (by_token->rights == rights_of(Role::planner) || by_token->rights == rights_of(Role::floor)) &&
                           by_token->rights == rights_of(by_token->role);
        if (!whole || !office.directory().identify_session(boss.session.reveal())) ++wrong;
        office.directory().sessions();
        ++asked;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    REQUIRE(office.directory().change(anna.id, {.role = i % 2 == 0 ? Role::floor : Role::planner}, command_line_actor()));
    office.signed_in("anna");
    office.clock().turn(11min);
    office.directory().step();
  }
  while (asked < 100) std::this_thread::yield();
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(verified(office) == "whole");
}

TEST_CASE("Old hashes become new ones at the next sign-in") {
  Office office;
  office.add("anna");
  const auto costlier = [&] {
    DirectoryOptions options = cheap_options();
    options.cost = {128u << 10, 2};
    auto audit = Audit::open(office.record(), office.clock());
    REQUIRE(audit);
    auto directory = Directory::open(office.record(), **audit, office.clock(), office.metrics(), options);
    REQUIRE(directory);
    const auto answer = Office::answer_of([&](SignInDone done) { (*directory)->sign_in({"anna", Secret("three small words"), "192.0.2.1", ""}, std::move(done)); });
    CHECK(answer.text() == "in as anna");
  };
  costlier();
  const auto row = office.record().kept_one("people/users", "00000001");
  REQUIRE(row);
  CHECK((*row)->find("$m=128,t=2,") != std::string::npos);
  costlier();
}

TEST_CASE("A token is its user with fewer rights") {
  Office office;
  office.add("boss", Role::admin);
  const User anna = office.add("anna", Role::planner);
  const auto made = office.directory().make_token(anna.id, {"nightly export", Scope::read, office.clock().now() + 24h}, command_line_actor());
  REQUIRE_MESSAGE(made, made.error().text());
  CHECK(made->secret.reveal().starts_with("mr_"));
  const auto rights = [&] {
    const auto identity = office.directory().identify_token(made->secret.reveal());
    if (!identity) return identity.error().text();
    std::string text;
    for (const auto word : words(identity->rights)) text += (text.empty() ? "" : " ") + std::string(word);
    return text;
  };
  CHECK(rights() == "see_orders see_money see_changes see_sources see_performance");
  REQUIRE(office.directory().change(anna.id, {.role = Role::floor}, command_line_actor()));
  CHECK(rights() == "see_orders");  // never more than the user has now
  CHECK(office.revoked().tokens == std::vector{made->token.id});
  office.clock().turn(1h);
  rights();
  office.directory().step();
  CHECK(office.directory().tokens(anna.id)[0].last_used == utc_day(office.clock().now()));
  REQUIRE(office.directory().change(anna.id, {.active = false}, command_line_actor()));
  CHECK(rights() == "the token is not known here or was revoked; make a new one");
  REQUIRE(office.directory().change(anna.id, {.active = true}, command_line_actor()));
  CHECK(rights() == "see_orders");
  office.revoked();
  office.clock().turn(24h);
  CHECK(rights() == "the token nightly export ran out on 2026-03-02; make a new one");
  office.directory().step();
  office.directory().step();
  CHECK(office.revoked().tokens == std::vector{made->token.id});  // told once
  office.clock().turn(24h * 31);
  office.directory().step();
  CHECK(office.directory().tokens().empty());
}

TEST_CASE("A revoked token opens nothing and its number is not given again") {
  Office office;
  office.add("anna");
  const auto made = office.directory().make_token(UserId{1}, {"a", Scope::write, {}}, command_line_actor());
  REQUIRE(made);
  CHECK(office.directory().make_token(UserId{1}, {"a", Scope::read, {}}, command_line_actor()).error().code() == ErrorCode::conflict);
  CHECK_FALSE(office.directory().make_token(UserId{1}, {"", Scope::read, {}}, command_line_actor()));
  CHECK_FALSE(office.directory().make_token(UserId{1}, {"b", Scope::read, office.clock().now()}, command_line_actor()));
  CHECK(office.directory().make_token(UserId{7}, {"b", Scope::read, {}}, command_line_actor()).error().code() == ErrorCode::not_found);
  REQUIRE(office.directory().revoke_token(made->token.id, command_line_actor()));
  CHECK_FALSE(office.directory().identify_token(made->secret.reveal()));
  CHECK(office.revoked().tokens == std::vector{made->token.id});
  office.restart();
  CHECK_FALSE(office.directory().identify_token(made->secret.reveal()));
  CHECK(office.directory().make_token(UserId{1}, {"a", Scope::read, {}}, command_line_actor())->token.id == TokenId{2});
  CHECK(office.directory().revoke_token(TokenId{1}, command_line_actor()).error().code() == ErrorCode::not_found);
  CHECK(office.trail(3) == "token.create token:2 by command line, token.revoke token:1 by command line, token.create token:1 by command line");
}

TEST_CASE("A pass of the command line is good for ten minutes and dies with the server") {
  Office office;
  const Secret pass = office.directory().new_local_pass();
  const auto identity = office.directory().identify_token(pass.reveal());
  REQUIRE(identity);
  CHECK(identity->rights == Rights::all());
  CHECK(actor_of(*identity, "").via == "command line");
  CHECK_FALSE(office.directory().identify_token(pass.reveal() + "x"));
  CHECK_FALSE(office.directory().identify_token("ml_"));
  CHECK_FALSE(office.directory().identify_session(pass.reveal()));
  office.clock().turn(10min);
  CHECK_FALSE(office.directory().identify_token(pass.reveal()));
  const Secret next = office.directory().new_local_pass();
  for (int i = 0; i < 100; ++i) office.directory().new_local_pass();
  CHECK_FALSE(office.directory().identify_token(next.reveal()));  // the oldest of many
  const Secret last = office.directory().new_local_pass();
  office.restart();
  CHECK_FALSE(office.directory().identify_token(last.reveal()));
}

TEST_CASE("The setup link makes the first administrator once") {
  Office office;
  CHECK(office.directory().nobody_yet());
  CHECK_FALSE(office.directory().has_administrator());
  const auto first = office.directory().new_setup_link(command_line_actor());
  const auto link = office.directory().new_setup_link(command_line_actor());
  REQUIRE(link);
  CHECK_FALSE(office.directory().setup_link_holds(first->reveal()));  // the newer one counts
  office.restart();
  CHECK(office.directory().setup_link_holds(link->reveal()));
  const auto set_up = [&](const Secret& secret, const std::string& name, const std::string& password = "three small words") {
    return Office::answer_of([&](SignInDone done) {
      office.directory().finish_setup(secret, {name, "The Boss", "", Role::viewer, "S1", {}}, Secret(password), "192.0.2.1", "", std::move(done));
    });
  };
  CHECK(set_up(*first, "boss").text().starts_with("this setup link was used"));
  CHECK(set_up(*link, "boss", "password123").text().starts_with("that password is one of the first"));
  CHECK(set_up(*link, "two words").text().find("cannot be a login") != std::string::npos);
  const auto done = set_up(*link, "boss");
  REQUIRE_MESSAGE(done.entered, done.text());
  CHECK(done.entered->identity.rights == Rights::all());
  CHECK(office.holds(*done.entered));
  CHECK(set_up(*link, "thief").text().starts_with("this setup link was used"));
  CHECK(office.directory().users().size() == 1);
  CHECK(office.directory().has_administrator());
  CHECK(office.directory().users()[0].own_orders.empty());
  CHECK(office.trail(2) == "sign-in user:1 by boss, user.create user:1 by setup link");
  office.restart();
  CHECK_FALSE(office.directory().setup_link_holds(link->reveal()));
  const auto later = office.directory().new_setup_link(command_line_actor());
  office.clock().turn(24h);
  CHECK_FALSE(office.directory().setup_link_holds(later->reveal()));
}

TEST_CASE("The oldest session ends when a user has too many") {
  DirectoryOptions options = cheap_options();
  options.sessions_per_user_max = 3;
  Office office(options);
  office.add("anna");
  std::vector<SignedIn> sessions;
  for (int i = 0; i < 5; ++i) {
    sessions.push_back(office.signed_in("anna"));
    office.clock().turn(1s);
  }
  std::string text;
  for (const SignedIn& session : sessions) text += office.holds(session) ? "in " : "out ";
  CHECK(text == "out out in in in ");
  CHECK(office.revoked().sessions.size() == 2);
}

TEST_CASE("A provider's user is one of ours by his number there, else by his proven e-mail") {
  Office office;
  office.add("boss", Role::admin);
  const User anna = office.add("anna", Role::planner);
  REQUIRE(office.directory().change(anna.id, {.email = "Anna@Example.com"}, command_line_actor()));
  const auto in = [&](const OutsideUser& outside) {
    const auto entered = office.directory().sign_in_outside(outside, "192.0.2.1", "");
    return entered ? "in as " + entered->identity.name : entered.error().text();
  };
  const std::string nobody = "nobody here is known by that account; ask an administrator to enter your e-mail address";
  CHECK(in({"https://id.example", "77", "anna@example.com", false, ""}) == nobody);
  CHECK(in({"https://id.example", "77", "", true, ""}) == nobody);
  CHECK(in({"https://id.example", "77", "anna@example.com", true, ""}) == "in as anna");
  CHECK(in({"https://id.example", "77", "changed@example.com", false, ""}) == "in as anna");
  CHECK(in({"https://other.example", "77", "changed@example.com", true, ""}) == nobody);
  CHECK(in({"https://id.example", "78", "anna@example.com", true, ""}) == nobody);  // another account cannot take hers
  CHECK(office.trail(3) == "sign-in user:2 by anna, sign-in user:2 by anna, user.link user:2 by anna");
  REQUIRE(office.directory().change(anna.id, {.active = false}, command_line_actor()));
  CHECK(in({"https://id.example", "77", "anna@example.com", true, ""}) == "this user is not active; ask an administrator");
}

TEST_CASE("Nobody becomes an administrator from outside") {
  DirectoryOptions options = cheap_options();
  options.outside_role = Role::viewer;
  Office office(options);
  const auto entered = office.directory().sign_in_outside({"https://id.example", "1", "new@example.com", true, "New Person"}, "192.0.2.1", "");
  REQUIRE_MESSAGE(entered, entered.error().text());
  CHECK(entered->identity.role == Role::viewer);
  CHECK(entered->identity.name == "new@example.com");
  CHECK_FALSE(office.directory().sign_in_outside({"https://id.example", "2", "unproven@example.com", false, ""}, "192.0.2.1", ""));
}

TEST_CASE("No secret lies in the record or is shown by the trail") {
  Office office;
  office.add("anna", Role::viewer, "a canary password");
  const auto entered = office.sign_in("anna", "a canary password");
  REQUIRE(entered.entered);
  const auto token = office.directory().make_token(UserId{1}, {"t", Scope::read, {}}, command_line_actor());
  const auto link = office.directory().new_setup_link(command_line_actor());
  std::string all;
  for (const char* space : {"people/users", "people/sessions", "people/tokens", "people/state", "people/audit", "people/audit/00000000"}) {
    REQUIRE(office.record().kept(space, [&](const store::KeptRow& row) {
      all += row.key + row.content;
      return true;
    }));
  }
  CHECK(all.size() > 500);
  for (const std::string& secret : {std::string("canary"), entered.entered->session.reveal(), entered.entered->csrf.reveal(), token->secret.reveal(), link->reveal()})
    CHECK(all.find(secret) == std::string::npos);
}

}  // namespace
}  // namespace millrace::people
