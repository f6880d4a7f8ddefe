// Users, sessions and tokens: who somebody is and what he may do now.
//
//   sign in ── HashDesk ──> Directory ── one commit: rows + audit row ──> record
//   request ── secret ────> identify_session / identify_token ── memory only ──> Identity
//
// Invariants
//   * The record is the truth: what is told to a caller was committed before, together with its row of the audit trail.
//   * One writer at a time (`writing_`); any thread may identify. A commit is never waited for under the lock that
//     identifying takes.
//   * Signing in answers the same text and costs the same whether the login exists, is inactive or the password is wrong.
//   * Sign-out, a new password, another role, another limit to orders and deactivation end the sessions of the user in the
//     same commit; `on_revoked` hears of it at once. A token's rights follow its user's with the next request.
//   * Secrets are kept as digests only and shown once.
//   * A record that was restored from a backup brings back no session: they may have been ended since.
//   * There is always an active administrator who can sign in, once there was one.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "metrics/metrics.h"
#include "people/audit.h"
#include "people/hash_desk.h"
#include "people/password.h"
#include "people/people.h"
#include "people/secret.h"
#include "people/throttle.h"
#include "store/record.h"

namespace millrace::people {

struct Account;
struct KeptSession;
struct KeptToken;
struct SetupLink;

struct DirectoryOptions {
  PasswordCost cost;
  HashDeskOptions desk;
  ThrottleOptions throttle;
  std::chrono::seconds idle_limit{12 * 3600};
  std::chrono::seconds session_limit{30 * 24 * 3600};
  std::chrono::seconds setup_link_life{24 * 3600};
  std::chrono::seconds local_pass_life{600};
  std::chrono::seconds seen_grain{600};  // how stale a session's last use may lie in the record
  std::size_t users_max = 10'000;
  std::size_t sessions_per_user_max = 50;  // the oldest ends
  std::size_t tokens_per_user_max = 100;
  std::optional<Role> outside_role;  // of people an OIDC provider knows and we do not; never admin; absent: refused
};

struct NewUser {
  std::string name;
  std::string display_name;
  std::string email;
  Role role = Role::viewer;
  std::string own_orders;
  PasswordHash password;  // empty: cannot sign in with one
};

// What is absent stays as it is.
struct UserChange {
  std::uint64_t version = 0;  // that was looked at; 0: whatever it is now
  std::optional<std::string> display_name = {};
  std::optional<std::string> email = {};
  std::optional<std::string> own_orders = {};
  std::optional<Role> role = {};
  std::optional<bool> active = {};
};

struct SignIn {
  std::string name;
  Secret password;
  std::string address;  // of the client, as the server sees it
  std::string agent;
};
struct SignedIn {
  Secret session;  // for the cookie
  Secret csrf;     // for the page
  Identity identity;
};
// `retry_after` is over zero when the error is limit_reached. Called once, from any thread.
using SignInDone = std::function<void(Result<SignedIn> answer, std::chrono::seconds retry_after)>;

// Somebody whom an OIDC provider vouches for.
struct OutsideUser {
  std::string issuer, subject;
  std::string email;
  bool email_verified = false;
  std::string name;
};

struct NewToken {
  std::string name;
  Scope scope = Scope::read;
  std::optional<Instant> expires;
};
struct MadeToken {
  Token token;
  Secret secret;  // shown once
};

// Who must ask anew: live connections of these end or look at their rights again.
struct Revoked {
  std::vector<SessionId> sessions;
  std::vector<TokenId> tokens;
};

class Directory {
 public:
  // Errors   those of reading the record; corrupt names the row
  static Result<std::unique_ptr<Directory>> open(store::Record& record, Audit& audit, const Clock& clock, metrics::Registry& metrics,
                                                 DirectoryOptions options = {});
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // Called after the commit, from the thread that wrote, with no lock held. Set before the first request.
  void on_revoked(std::function<void(const Revoked&)> listener) { on_revoked_ = std::move(listener); }
  // Ends what ran out and writes down who was seen: call it every second or so.
  void step();
  // No more sign-ins; those that wait are answered. Writes down who was seen.
  void stop();

  // ---- users
  std::vector<User> users() const;  // by login
  std::optional<User> user(UserId id) const;
  std::optional<User> find_user(std::string_view login) const;
  // Checks and hashes a new password on the desk; `done` is called once, from any thread.
  // Errors   invalid_input  the password cannot be taken; limit_reached, cancelled  as HashDesk
  void hash_new_password(Secret password, std::string login, std::string address, std::function<void(Result<PasswordHash>)> done);
  // Errors   invalid_input  a field is wrong; conflict  the login is taken; limit_reached; those of a commit
  Result<User> create(NewUser wanted, const Actor& actor);
  // Errors   not_found; invalid_input; conflict  somebody changed the user meanwhile, or nobody could administer any more
  Result<User> change(UserId id, const UserChange& change, const Actor& actor);
  Result<User> set_password(UserId id, PasswordHash password, const Actor& actor);

  // ---- signing in
  // Errors   denied         login or password is wrong
  //          limit_reached  too many wrong tries from there, or too many people at once; `retry_after` says how long
  //          cancelled      the server stops; those of a commit
  void sign_in(SignIn request, SignInDone done);
  // A person changes his own password: all his sessions end, and this one goes on as a new one.
  void change_own_password(const Identity& identity, Secret old_password, Secret new_password, std::string address, std::string agent,
                           SignInDone done);
  // Errors   denied  nobody here is meant, or he is inactive
  Result<SignedIn> sign_in_outside(const OutsideUser& outside, const std::string& address, const std::string& agent);

  // ---- the first administrator
  bool nobody_yet() const;
  // Somebody active who administers and has a way to sign in.
  bool has_administrator() const;
  // A new one-time link; the one before it ends.
  Result<Secret> new_setup_link(const Actor& actor);
  bool setup_link_holds(std::string_view secret) const;
  // Makes an administrator and signs him in; the link ends in the same commit.
  // Errors   denied  the link is wrong, used or too old; invalid_input, conflict as create; limit_reached
  void finish_setup(Secret link, NewUser wanted, Secret password, std::string address, std::string agent, SignInDone done);

  // ---- requests
  // Errors   denied  no such session (any more)
  Result<Identity> identify_session(std::string_view secret) const;
  // Tokens and local passes. Errors   denied  no such token (any more), or it ran out
  Result<Identity> identify_token(std::string_view secret) const;

  // A token for a command of the server's own account, good for `local_pass_life` and only in this process. It may do
  // everything, as who can read the data folder can.
  Secret new_local_pass();

  // ---- sessions and tokens
  std::vector<Session> sessions(std::optional<UserId> of = {}) const;  // newest first
  // Errors   not_found  it ended already
  Result<void> end_session(SessionId id, const Actor& actor);
  Result<void> end_sessions_of(UserId id, const Actor& actor);
  std::vector<Token> tokens(std::optional<UserId> of = {}) const;
  // Errors   not_found  no such user; invalid_input; conflict  the user has one of that name; limit_reached
  Result<MadeToken> make_token(UserId id, const NewToken& wanted, const Actor& actor);
  Result<void> revoke_token(TokenId id, const Actor& actor);

 private:
  struct LiveSession;
  struct LiveToken;
  // What a write changes in memory once it is stored.
  struct Write;

  Directory(store::Record& record, Audit& audit, const Clock& clock, metrics::Registry& metrics, DirectoryOptions options);
  Result<void> load();
  Result<void> load_sessions();
  Result<void> load_tokens();
  Result<void> end_sessions_of_another_record();

  // The steps of a write; `writing_` is held by the caller.
  std::optional<Account> account(UserId id) const;
  Result<Account> account_to_change(UserId id, std::uint64_t version) const;
  Result<Account> made_account(NewUser wanted) const;
  Result<void> check_name_free(const std::string& name) const;
  static bool administers(const Account& account);
  bool leaves_an_administrator(const Account& changed) const;
  void end_sessions(UserId id, Write& write) const;
  void tell_tokens(UserId id, Write& write) const;
  SignedIn start_session(Account& account, const std::string& how, const std::string& address, const std::string& agent, Write& write) const;
  Result<void> commit(Write write);
  void publish(Write& write);
  void publish_sessions(Write& write);

  void refuse_sign_in(const std::optional<Account>& meant, const std::string& address, const SignInDone& done);
  void check_sign_in(const SignIn& request, const std::string& login, const SignInDone& done);
  Result<SignedIn> enter(UserId id, const PasswordHash& proven, const std::optional<PasswordHash>& renewed, const SignIn& request);
  Result<SignedIn> replace_own_password(UserId id, const PasswordHash& proven, PasswordHash made, const Actor& actor, const std::string& agent);
  Result<SignedIn> set_up(const Secret& link, NewUser wanted, const std::string& address, const std::string& agent);
  bool admit(const std::string& login, const std::string& address, const SignInDone& done);
  bool enter_desk(const std::string& login, const std::string& address, const SignInDone& done, HashDesk::Task task);

  Identity identity_of(const User& user) const;
  Result<Identity> identify_local_pass(std::string_view secret) const;
  bool is_over(const LiveSession& session, Instant now) const;
  Result<void> end_what_ran_out(Instant now);
  Result<void> write_down_use(Instant now, bool all);
  void set_gauges() const;

  // fixed after construction
  store::Record& record_;
  Audit& audit_;
  const Clock& clock_;
  metrics::Registry& metrics_;
  const DirectoryOptions options_;
  const PasswordHash nobody_;
  std::function<void(const Revoked&)> on_revoked_;
  // locked inside themselves
  Throttle throttle_;
  // One write after the other, commits included.
  std::mutex writing_;
  mutable std::shared_mutex mutex_;
  // guarded by mutex_; changed only by who holds writing_ too
  std::map<UserId, Account> accounts_;
  std::unordered_map<std::string, UserId> by_name_;
  std::unordered_map<Digest, std::unique_ptr<LiveSession>, DigestSpread> sessions_;
  std::unordered_map<Digest, std::unique_ptr<LiveToken>, DigestSpread> tokens_;
  std::unique_ptr<SetupLink> setup_;
  std::uint32_t newest_token_ = 0;
  std::deque<std::pair<Digest, Instant>> local_passes_;  // with their ends, oldest first; bounded
  // last: its threads use everything above
  HashDesk desk_;
};

}  // namespace millrace::people
