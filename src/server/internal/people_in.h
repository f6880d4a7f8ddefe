// What people and administrators send as JSON: small, parsed whole; a member we do not know is refused, so that nobody
// believes to have set what he has not.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "people/directory.h"

namespace millrace::server {

// {"name": "anna", "password": "..."}
struct SignInWish {
  std::string name;
  people::Secret password;
};
Result<SignInWish> parse_sign_in(std::string_view text);

// {"link": "...", "name": "anna", "display_name": "Anna", "email": "", "password": "..."}
struct SetupWish {
  people::Secret link;
  people::NewUser user;
  people::Secret password;
};
Result<SetupWish> parse_setup(std::string_view text);

// {"old": "...", "new": "..."}
struct PasswordWish {
  people::Secret old_password, new_password;
};
Result<PasswordWish> parse_own_password(std::string_view text);
// {"password": "..."}
Result<people::Secret> parse_new_password(std::string_view text);

// {"name": "bert", "role": "sales", "password": "...", "display_name": "", "email": "", "own_orders": ""}; without password he
// cannot sign in with one.
struct UserWish {
  people::NewUser user;
  people::Secret password;
};
Result<UserWish> parse_new_user(std::string_view text);
// Any of display_name, email, role, active, own_orders.
Result<people::UserChange> parse_user_change(std::string_view text);

// {"name": "nightly export", "scope": "read", "user": "anna", "expires_days": 90}; without `user` the asker's own.
struct TokenWish {
  people::NewToken token;
  std::string user;
};
Result<TokenWish> parse_new_token(std::string_view text, Instant now);

}  // namespace millrace::server
