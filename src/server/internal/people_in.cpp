#include "server/internal/people_in.h"

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>

#include "base/text.h"

namespace millrace::server {

namespace json = boost::json;

namespace {

constexpr std::size_t text_bytes_max = 1000;
constexpr std::size_t secret_bytes_max = 8 << 10;  // what may be a password, people say
constexpr std::int64_t expires_days_max = 3660;

// The members of one object, read by name; what is wrong is kept for the end.
class Members {
 public:
  static Result<Members> of(std::string_view text, std::initializer_list<std::string_view> known) {
    boost::system::error_code error;
    json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    // Without the parser's own words: they may repeat what stands there, a password for example.
    if (error || !value.is_object()) return fail(ErrorCode::invalid_input, "A JSON object is expected, {...}.");
    for (const auto& member : value.get_object()) {
      const std::string_view name(member.key().data(), member.key().size());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::vector<std::string_view> names(known);
      const std::string_view near = closest(name, names);
      return fail(ErrorCode::invalid_input, "The member \"" + printable(name.substr(0, 40)) + "\" is not known here" +
                                                (near.empty() ? "." : "; did you mean \"" + std::string(near) + "\"?"));
    }
    return Members(std::move(value.get_object()));
  }

  bool has(const char* name) const { return object_.contains(name); }
  std::string text(const char* name, std::size_t bytes_max = text_bytes_max) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_string().size() > bytes_max) {
      wrong(std::string("\"") + name + "\" is a text of at most " + std::to_string(bytes_max) + " bytes.");
      return {};
    }
    return std::string(value->get_string().data(), value->get_string().size());
  }
  people::Secret secret(const char* name) { return people::Secret(text(name, secret_bytes_max)); }
  std::optional<bool> flag(const char* name) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_bool()) wrong(std::string("\"") + name + "\" is true or false.");
    return value->is_bool() ? std::optional(value->get_bool()) : std::nullopt;
  }
  std::optional<std::int64_t> number(const char* name, std::int64_t smallest, std::int64_t largest) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->is_int64() || value->get_int64() < smallest || value->get_int64() > largest) {
      wrong(std::string("\"") + name + "\" is a whole number between " + std::to_string(smallest) + " and " + std::to_string(largest) + ".");
      return std::nullopt;
    }
    return value->get_int64();
  }
  std::optional<people::Role> role() {
    if (!has("role")) return std::nullopt;
    const auto role = people::parse_role(text("role"));
    if (!role) wrong("\"role\" is one of " + people::role_words() + ".");
    return role;
  }
  void needs(std::initializer_list<const char*> names) {
    for (const char* const name : names)
      if (!has(name)) wrong(std::string("\"") + name + "\" is missing.");
  }
  void wrong(std::string text) {
    if (problem_.empty()) problem_ = std::move(text);
  }
  Result<void> good() const {
    if (problem_.empty()) return {};
    return fail(ErrorCode::invalid_input, problem_);
  }

 private:
  explicit Members(json::object object) : object_(std::move(object)) {}

  json::object object_;
  std::string problem_;
};

template <class Wish>
Result<Wish> checked(const Members& members, Wish wish) {
  if (const auto good = members.good(); !good) return pass_on(good);
  return wish;
}

}  // namespace

Result<SignInWish> parse_sign_in(std::string_view text) {
  auto members = Members::of(text, {"name", "password"});
  if (!members) return pass_on(members);
  members->needs({"name", "password"});
  return checked(*members, SignInWish{members->text("name"), people::Secret(members->text("password", 1 << 20))});
}

Result<SetupWish> parse_setup(std::string_view text) {
  auto members = Members::of(text, {"link", "name", "display_name", "email", "password"});
  if (!members) return pass_on(members);
  members->needs({"link", "name", "password"});
  SetupWish wish;
  wish.link = members->secret("link");
  wish.user.name = members->text("name");
  wish.user.display_name = members->text("display_name");
  wish.user.email = members->text("email");
  wish.password = members->secret("password");
  return checked(*members, std::move(wish));
}

Result<PasswordWish> parse_own_password(std::string_view text) {
  auto members = Members::of(text, {"old", "new"});
  if (!members) return pass_on(members);
  members->needs({"old", "new"});
  return checked(*members, PasswordWish{members->secret("old"), members->secret("new")});
}

Result<people::Secret> parse_new_password(std::string_view text) {
  auto members = Members::of(text, {"password"});
  if (!members) return pass_on(members);
  members->needs({"password"});
  return checked(*members, members->secret("password"));
}

Result<UserWish> parse_new_user(std::string_view text) {
  auto members = Members::of(text, {"name", "role", "password", "display_name", "email", "own_orders"});
  if (!members) return pass_on(members);
  members->needs({"name", "role"});
  UserWish wish;
  wish.user.name = members->text("name");
  wish.user.display_name = members->text("display_name");
  wish.user.email = members->text("email");
  wish.user.own_orders = members->text("own_orders");
  wish.user.role = members->role().value_or(people::Role::viewer);
  wish.password = members->secret("password");
  return checked(*members, std::move(wish));
}

Result<people::UserChange> parse_user_change(std::string_view text) {
  auto members = Members::of(text, {"display_name", "email", "role", "active", "own_orders"});
  if (!members) return pass_on(members);
  people::UserChange change;
  if (members->has("display_name")) change.display_name = members->text("display_name");
  if (members->has("email")) change.email = members->text("email");
  if (members->has("own_orders")) change.own_orders = members->text("own_orders");
  change.role = members->role();
  change.active = members->flag("active");
  return checked(*members, std::move(change));
}

Result<TokenWish> parse_new_token(std::string_view text, Instant now) {
  auto members = Members::of(text, {"name", "scope", "user", "expires_days"});
  if (!members) return pass_on(members);
  members->needs({"name", "scope"});
  TokenWish wish;
  wish.token.name = members->text("name");
  wish.user = members->text("user");
  if (const auto scope = people::parse_scope(members->text("scope"))) wish.token.scope = *scope;
  else members->wrong("\"scope\" is one of read, write, admin.");
  if (const auto days = members->number("expires_days", 1, expires_days_max)) wish.token.expires = now + std::chrono::days(*days);
  return checked(*members, std::move(wish));
}

}  // namespace millrace::server
