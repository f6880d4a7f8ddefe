// The kept rows of people: how users, sessions and tokens lie in the record.
//
//   people/users     00000003     one user with the hash of his password
//   people/sessions  <digest>     one open session
//   people/tokens    <digest>     one token
//   people/state     setup        digest and end of the one-time setup link, while there is one
//   people/state     numbers      the newest token number that was ever given
//   people/state     record       identity of the record that the sessions were begun on
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "people/password.h"
#include "people/people.h"
#include "store/record.h"

namespace millrace::people {

inline const std::string users_space = "people/users";
inline const std::string sessions_space = "people/sessions";
inline const std::string tokens_space = "people/tokens";
inline const std::string state_space = "people/state";
inline const std::string setup_key = "setup";
inline const std::string numbers_key = "numbers";
inline const std::string record_key = "record";

struct Account {
  User user;
  PasswordHash password;
  std::string outside;  // issuer and subject at an OIDC provider, "" for none
};
struct KeptSession {
  Session session;
  Digest digest;
};
struct KeptToken {
  Token token;
  Digest digest;
};
struct SetupLink {
  Digest digest;
  Instant expires;
};

store::KeptRow row_of(const Account& account);
store::KeptRow row_of(const KeptSession& session);
store::KeptRow row_of(const KeptToken& token);
store::KeptRow row_of(const SetupLink& link);
store::KeptRow numbers_row(std::uint32_t newest_token);
inline store::KeptKey key_of(const KeptSession& session) { return {sessions_space, hex(session.digest)}; }
inline store::KeptKey key_of(const KeptToken& token) { return {tokens_space, hex(token.digest)}; }

// Errors   corrupt  the row is not what was written, or a newer version wrote it
Result<Account> decode_account(const store::KeptRow& row);
Result<KeptSession> decode_session(const store::KeptRow& row);
Result<KeptToken> decode_token(const store::KeptRow& row);
Result<SetupLink> decode_setup_link(const store::KeptRow& row);
Result<std::uint32_t> decode_numbers(const store::KeptRow& row);

// What the audit trail shows of them.
std::string json_of(const User& user);
std::string json_of(const Token& token);

}  // namespace millrace::people
