#include "people/people.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <sstream>
#include <type_traits>

#include "people/password.h"
#include "people/secret.h"

namespace millrace::people {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<Secret> && !Printable<PasswordHash> && !Printable<Digest>, "secrets cannot be written to a stream");
static_assert(!std::is_convertible_v<Secret, std::string> && !std::is_convertible_v<Secret, std::string_view>, "nor become text by accident");

std::string joined(Rights rights) {
  std::string text;
  for (const std::string_view word : words(rights)) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

TEST_CASE("Each role may do what its row says") {
  std::string table;
  for (const RoleRow& row : role_rows()) table += std::string(row.name) + ": " + joined(row.rights) + "\n";
  CHECK(table ==
        "viewer: see_orders see_money see_changes see_sources\n"
        "sales: see_orders see_money see_changes see_sources edit_orders\n"
        "planner: see_orders see_money see_changes see_sources see_performance edit_orders run_jobs decide\n"
        "finance: see_orders see_money see_changes see_sources edit_money run_jobs\n"
        "floor: see_orders\n"
        "admin: see_orders see_money see_changes see_sources see_performance edit_orders edit_money run_jobs control_sources decide push admin\n");
}

TEST_CASE("A role and a scope are read by the word that shows them") {
  for (const RoleRow& row : role_rows()) CHECK(parse_role(word(row.role)) == row.role);
  for (const Scope scope : {Scope::read, Scope::write, Scope::admin}) CHECK(parse_scope(word(scope)) == scope);
  CHECK_FALSE(parse_role("Admin"));
  CHECK_FALSE(parse_role(""));
  CHECK_FALSE(parse_scope("everything"));
  CHECK(role_words() == "viewer, sales, planner, finance, floor, admin");
}

TEST_CASE("A scope takes rights away and never adds one") {
  CHECK(joined(rights_of(Role::planner) & rights_of(Scope::read)) == "see_orders see_money see_changes see_sources see_performance");
  CHECK(joined(rights_of(Role::floor) & rights_of(Scope::admin)) == "see_orders");
  CHECK_FALSE(rights_of(Scope::write).has(Right::admin));
  rc::check("of any role and scope", [] {
    const RoleRow role = *rc::gen::elementOf(std::vector<RoleRow>(role_rows().begin(), role_rows().end()));
    const Scope scope = *rc::gen::element(Scope::read, Scope::write, Scope::admin);
    const Rights left = role.rights & rights_of(scope);
    for (const Right right : all_rights()) RC_ASSERT(!left.has(right) || (role.rights.has(right) && rights_of(scope).has(right)));
    RC_ASSERT(role.rights.has_all(left));
  });
}

TEST_CASE("A login is one however it is typed") {
  struct Row {
    const char* typed;
    const char* login;
  };
  for (const Row& row : {Row{" Anna ", "anna"}, Row{"Anna.Berg@Example.COM", "anna.berg@example.com"}, Row{"JÜRGEN", "jürgen"},
                         Row{"Ju\xCC\x88rgen", "jürgen"}, Row{"JU\xCC\x88RGEN", "jürgen"}, Row{"Ångström", "ångström"}, Row{"A\xCC\x8Angstro\xCC\x88m", "ångström"},
                         Row{"Дмитрий", "дмитрий"}, Row{"дмитри\xD0\xB8\xCC\x86", "дмитрий"}, Row{"Łukasz", "łukasz"}, Row{"Žofie", "žofie"},
                         Row{"Ñandú", "ñandú"}, Row{"user_1+night-shift", "user_1+night-shift"}}) {
    const auto login = login_name(row.typed);
    REQUIRE_MESSAGE(login, login.error().text());
    CHECK(*login == std::string(row.login));
  }
}

TEST_CASE("What would look like another login is refused") {
  for (const char* typed : {"", "   ", "anna berg", "anna\nberg", "an\x01na", "anna\xFF", "\xD0\xB0nna" /* a Cyrillic a */, "anna<script>", "anna\"", "an\xE2\x80\xAEna",
                            "ann\xCC\xB8" "a", "../anna", "\xEF\xBB\xBF"}) {
    const auto login = login_name(typed);
    CHECK_MESSAGE(!login, std::string(typed));
    if (!login) CHECK(login.error().code() == ErrorCode::invalid_input);
  }
  CHECK_FALSE(login_name(std::string(65, 'a')));
  CHECK_FALSE(login_name(std::string(1 << 20, 'a')));
  CHECK(login_name(std::string(64, 'a')));
}

TEST_CASE("A login that was taken is taken the same way again") {
  rc::check("for any text", [](const std::string& typed) {
    const auto once = login_name(typed);
    if (!once) return;
    const auto twice = login_name(*once);
    RC_ASSERT(twice.has_value());
    RC_ASSERT(*twice == *once);
  });
}

TEST_CASE("Passwords that are tried first are refused") {
  for (const char* bad : {"", "short", "123456789", "1234567890", "0987654321", "password123", "Passwort2026!", "P@ssw0rd2026", "qwertyuiop", "aaaaaaaaaaaa", "abcabcabcabc",
                          "millrace2026", "anna.berg123", "letmein12345", "1111111112", "abcdefghijkl"})
    CHECK_MESSAGE(!check_new_password(Secret(bad), "anna.berg"), std::string(bad));
  for (const char* good : {"three small words", "correct horse battery", "Tr0ub4dor&3x", "maschine-läuft-heute", "kZ8!pq02nN", "anna.berg-und-ihr-hund"})
    CHECK_MESSAGE(check_new_password(Secret(good), "anna.berg"), std::string(good));
  CHECK_FALSE(check_new_password(Secret(std::string(1025, 'x') + "yz1"), ""));
}

TEST_CASE("A password holds against its hash and no other does") {
  const PasswordCost cost{64u << 10, 1};
  const auto hash = hash_password(Secret("three small words"), cost);
  REQUIRE(hash);
  CHECK(hash->text.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
  CHECK(password_matches(*hash, Secret("three small words")));
  for (const char* wrong : {"", "three small word", "three small words ", "Three small words"}) CHECK_FALSE(password_matches(*hash, Secret(wrong)));
  CHECK_FALSE(password_matches(*hash, Secret(std::string("three small words\0", 18))));
  CHECK_FALSE(needs_rehash(*hash, cost));
  CHECK(needs_rehash(*hash, {128u << 10, 1}));
  CHECK_FALSE(password_matches({""}, Secret("")));
  CHECK_FALSE(password_matches({"not a hash"}, Secret("not a hash")));
  const PasswordHash nobody = nobody_hash(cost);
  CHECK(nobody.text.size() == hash->text.size());
  CHECK_FALSE(needs_rehash(nobody, cost));  // it reads as a hash of the same cost
  CHECK_FALSE(password_matches(nobody, Secret("")));
}

TEST_CASE("Secrets are new each time and only their digest is worth keeping") {
  const Secret one = new_secret("mr_"), two = new_secret("mr_");
  CHECK(one.reveal().starts_with("mr_"));
  CHECK(one.reveal().size() == 3 + 43);  // 256 bits in base64url
  CHECK(one.reveal() != two.reveal());
  CHECK(digest_of(one.reveal()) == digest_of(one.reveal()));
  CHECK_FALSE(digest_of(one.reveal()) == digest_of(two.reveal()));
  Digest read;
  CHECK(parse_hex(hex(digest_of("x")), read));
  CHECK(read == digest_of("x"));
  CHECK_FALSE(parse_hex("00", read));
  CHECK_FALSE(parse_hex(std::string(64, 'g'), read));
}

TEST_CASE("The CSRF token belongs to one session and cannot be had without it") {
  const Secret mine = new_secret(""), other = new_secret("");
  const std::string csrf = csrf_of(mine).reveal();
  CHECK(csrf.size() == 43);
  CHECK(csrf != mine.reveal());
  CHECK(csrf_matches(mine.reveal(), csrf));
  CHECK_FALSE(csrf_matches(other.reveal(), csrf));
  CHECK_FALSE(csrf_matches(mine.reveal(), ""));
  CHECK_FALSE(csrf_matches(mine.reveal(), csrf + "x"));
  CHECK_FALSE(csrf_matches("", csrf_of(Secret("")).reveal()));
}

}  // namespace
}  // namespace millrace::people
