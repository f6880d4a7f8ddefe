// People, what they may do, and what a request is allowed: the one table of roles and rights.
//
// Invariants
//   * A right that is not given by a role's row is not there; nothing grants a right by itself.
//   * A token never has more rights than its user has now: scopes only take away.
//   * Plain values; any thread may read them.
#pragma once
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace millrace::people {

enum class Right : std::uint16_t {
  see_orders = 1 << 0,
  see_money = 1 << 1,  // amounts, totals, cash
  see_changes = 1 << 2,
  see_sources = 1 << 3,
  see_performance = 1 << 4,
  edit_orders = 1 << 5,  // notes, promises and holds on top of what the sources say
  run_jobs = 1 << 6,
  control_sources = 1 << 7,  // refresh, pause, accept what is held
  decide = 1 << 8,           // whose value counts where sources differ
  push = 1 << 9,             // send batches
  admin = 1 << 10,           // users, tokens of others, settings, audit, backup, TLS
  edit_money = 1 << 11,      // costs, balances and other finance documents that people write, and files of them
};

class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(std::initializer_list<Right> rights) {
    for (const Right right : rights) bits_ |= static_cast<std::uint16_t>(right);
  }
  static constexpr Rights all() {
    Rights rights;
    rights.bits_ = (1 << 12) - 1;
    return rights;
  }
  constexpr bool has(Right right) const { return (bits_ & static_cast<std::uint16_t>(right)) != 0; }
  constexpr bool has_all(Rights others) const { return (bits_ & others.bits_) == others.bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Rights operator&(Rights other) const { return Rights(static_cast<std::uint16_t>(bits_ & other.bits_)); }
  constexpr Rights operator|(Rights other) const { return Rights(static_cast<std::uint16_t>(bits_ | other.bits_)); }
  constexpr bool operator==(const Rights&) const = default;

 private:
  constexpr explicit Rights(std::uint16_t bits) : bits_(bits) {}
  std::uint16_t bits_ = 0;
};
std::span<const Right> all_rights();
std::string_view word(Right right);          // "see_orders"
std::optional<Right> parse_right(std::string_view text);
std::vector<std::string_view> words(Rights rights);

enum class Role : std::uint8_t { viewer = 1, sales = 2, planner = 3, finance = 4, floor = 5, admin = 6 };
struct RoleRow {
  Role role;
  std::string_view name;
  Rights rights;
  std::string_view help;
};
// The one table.
std::span<const RoleRow> role_rows();
std::string_view word(Role role);
std::optional<Role> parse_role(std::string_view text);
Rights rights_of(Role role);
std::string role_words();  // "viewer, sales, ..."

// What a token may be used for; each wider scope holds the narrower ones.
enum class Scope : std::uint8_t { read = 1, write = 2, admin = 3 };
std::string_view word(Scope scope);
std::optional<Scope> parse_scope(std::string_view text);
Rights rights_of(Scope scope);

struct UserId {
  std::uint32_t value = 0;  // 0: nobody of the list
  auto operator<=>(const UserId&) const = default;
};
struct SessionId {
  std::uint64_t value = 0;  // random, no secret
  auto operator<=>(const SessionId&) const = default;
};
struct TokenId {
  std::uint32_t value = 0;
  auto operator<=>(const TokenId&) const = default;
};

// What a person may be told of a user; the password is not here.
struct User {
  UserId id;
  std::string name;          // login: composed, lower case, unique
  std::string display_name;  // as people call them, "" is the login
  std::string email;         // "" when not given
  Role role = Role::viewer;
  bool active = true;
  std::string own_orders;  // salesperson whose orders alone are seen, "" for all
  bool has_password = false;
  bool has_outside_sign_in = false;  // knows a user of an OIDC provider
  Instant created;
  std::optional<Instant> last_sign_in;
  std::uint64_t version = 1;  // one more with every change
  bool operator==(const User&) const = default;
};

struct Session {
  SessionId id;
  UserId user;
  Instant created;
  Instant last_seen;
  std::string address;
  std::string agent;  // what the browser says it is, shortened
  std::string how;    // "password", "oidc", "setup link"
};

struct Token {
  TokenId id;
  UserId user;  // whose rights it has
  std::string name;
  Scope scope = Scope::read;
  Instant created;
  std::string created_by;
  std::optional<Instant> expires;
  std::optional<Day> last_used;
};

// Who asks, and what is allowed: found once per request.
struct Identity {
  enum class By : std::uint8_t { nobody, session, token, local };
  UserId user;
  std::string name;          // of the user; "local" where no sign-in is asked for
  std::string display_name;
  Role role = Role::viewer;
  Rights rights;
  std::string own_orders;
  By by = By::nobody;
  std::uint64_t credential = 0;  // number of the session or token
  std::string token_name;

  bool may(Right right) const { return rights.has(right); }
};
// Everything is allowed: a server on loopback that asks nobody to sign in.
Identity local_identity();

// Who does something, as the audit trail writes it.
struct Actor {
  std::string who;      // login, "command line", "setup link"
  std::string via;      // "session", "token nightly-export", "command line"
  std::string address;  // "" when there is none
  UserId user;
};
Actor actor_of(const Identity& identity, std::string address);
Actor command_line_actor();

// The login in the form that is compared and kept: composed, lower case.
// Errors   invalid_input  empty, over 64 letters, other characters than letters, digits and . _ - @ +, or letters of two
//                         alphabets, which would look like another name
Result<std::string> login_name(std::string_view typed);

}  // namespace millrace::people
