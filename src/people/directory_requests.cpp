// Requests, sessions, tokens and time.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "people/directory.h"
#include "people/internal/live.h"

namespace millrace::people {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view token_prefix = "mr_", local_prefix = "ml_";
constexpr std::size_t local_passes_max = 100;  // the oldest ends
constexpr std::size_t token_name_bytes_max = 100;
constexpr std::size_t secret_bytes_max = 200;  // what is longer was never made here
constexpr auto token_life_max = std::chrono::hours(24 * 366 * 10);
constexpr auto ended_token_kept = std::chrono::hours(24 * 30);  // still listed, so that people see why it stopped working

Failure no_session() { return fail(ErrorCode::denied, "the session has ended; sign in again"); }

}  // namespace

Identity Directory::identity_of(const User& user) const {
  Identity identity;
  identity.user = user.id;
  identity.name = user.name;
  identity.display_name = user.display_name.empty() ? user.name : user.display_name;
  identity.role = user.role;
  identity.rights = rights_of(user.role);
  identity.own_orders = user.own_orders;
  return identity;
}

bool Directory::is_over(const LiveSession& session, Instant now) const {
  const Instant seen{std::chrono::milliseconds{session.seen.load(std::memory_order_relaxed)}};
  return now >= session.kept.session.created + options_.session_limit || now >= seen + options_.idle_limit;
}

Result<Identity> Directory::identify_session(std::string_view secret) const {
  if (secret.empty() || secret.size() > secret_bytes_max) return no_session();
  const Digest digest = digest_of(secret);
  const Instant now = clock_.now();
  std::shared_lock lock(mutex_);
  const auto found = sessions_.find(digest);
  if (found == sessions_.end() || is_over(*found->second, now)) return no_session();
  const LiveSession& session = *found->second;
  const auto owner = accounts_.find(session.kept.session.user);
  if (owner == accounts_.end() || !owner->second.user.active) return no_session();
  if (session.seen.load(std::memory_order_relaxed) < milliseconds_of(now)) session.seen.store(milliseconds_of(now), std::memory_order_relaxed);
  Identity identity = identity_of(owner->second.user);
  identity.by = Identity::By::session;
  identity.credential = session.kept.session.id.value;
  return identity;
}

Result<Identity> Directory::identify_token(std::string_view secret) const {
  const auto unknown = [] { return fail(ErrorCode::denied, "the token is not known here or was revoked; make a new one"); };
  if (secret.starts_with(local_prefix)) return identify_local_pass(secret);
  if (!secret.starts_with(token_prefix) || secret.size() > secret_bytes_max) return unknown();
  const Digest digest = digest_of(secret);
  const Instant now = clock_.now();
  std::shared_lock lock(mutex_);
  const auto found = tokens_.find(digest);
  if (found == tokens_.end()) return unknown();
  const LiveToken& token = *found->second;
  const Token& kept = token.kept.token;
  if (kept.expires && now >= *kept.expires)
    return fail(ErrorCode::denied, "the token " + kept.name + " ran out on " + iso(utc_day(*kept.expires)) + "; make a new one");
  const auto owner = accounts_.find(kept.user);
  if (owner == accounts_.end() || !owner->second.user.active) return unknown();
  token.used_day.store(day_number(utc_day(now)), std::memory_order_relaxed);
  Identity identity = identity_of(owner->second.user);
  identity.rights = identity.rights & rights_of(kept.scope);
  identity.by = Identity::By::token;
  identity.credential = kept.id.value;
  identity.token_name = kept.name;
  return identity;
}

Secret Directory::new_local_pass() {
  Secret made = new_secret(local_prefix);
  std::unique_lock lock(mutex_);
  local_passes_.emplace_back(digest_of(made.reveal()), clock_.now() + options_.local_pass_life);
  if (local_passes_.size() > local_passes_max) local_passes_.pop_front();
  return made;
}

Result<Identity> Directory::identify_local_pass(std::string_view secret) const {
  const auto refused = [] { return fail(ErrorCode::denied, "this pass of the command line ran out; run the command again"); };
  if (secret.size() > secret_bytes_max) return refused();
  const Digest digest = digest_of(secret);
  const Instant now = clock_.now();
  std::shared_lock lock(mutex_);
  for (const auto& [known, end] : local_passes_) {
    if (!(known == digest) || now >= end) continue;
    Identity identity = local_identity();
    identity.name = command_line_actor().who;
    return identity;
  }
  return refused();
}

// ---- sessions

std::vector<Session> Directory::sessions(std::optional<UserId> of) const {
  std::vector<Session> list;
  const Instant now = clock_.now();
  {
    std::shared_lock lock(mutex_);
    for (const auto& [digest, session] : sessions_)
      if ((!of || session->kept.session.user == *of) && !is_over(*session, now)) list.push_back(session->now().session);
  }
  std::ranges::sort(list, [](const Session& left, const Session& right) { return left.created > right.created; });
  return list;
}

Result<void> Directory::end_session(SessionId id, const Actor& actor) {
  std::lock_guard writing(writing_);
  Write write;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [digest, session] : sessions_) {
      if (session->kept.session.id != id) continue;
      write.end(session->kept);
      const UserId owner = session->kept.session.user;
      write.tell(actor, actor.user == owner ? "sign-out" : "session.end", object_of(owner));
    }
  }
  if (write.sessions_ended.empty()) return fail(ErrorCode::not_found, "the session has ended already");
  return commit(std::move(write));
}

Result<void> Directory::end_sessions_of(UserId id, const Actor& actor) {
  std::lock_guard writing(writing_);
  if (!account(id)) return fail(ErrorCode::not_found, "there is no user number " + std::to_string(id.value));
  Write write;
  end_sessions(id, write);
  if (write.sessions_ended.empty()) return {};
  write.tell(actor, "session.end", object_of(id), "{\"sessions\":" + std::to_string(write.sessions_ended.size()) + "}");
  return commit(std::move(write));
}

// ---- tokens

std::vector<Token> Directory::tokens(std::optional<UserId> of) const {
  std::vector<Token> list;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [digest, token] : tokens_)
      if (!of || token->kept.token.user == *of) list.push_back(token->now().token);
  }
  std::ranges::sort(list, {}, &Token::id);
  return list;
}

Result<MadeToken> Directory::make_token(UserId id, const NewToken& wanted, const Actor& actor) {
  const std::string name(trim(wanted.name));
  if (name.empty() || name.size() > token_name_bytes_max || printable(name) != name)
    return fail(ErrorCode::invalid_input, "a token needs a name of at most " + std::to_string(token_name_bytes_max) + " bytes that says what uses it");
  const Instant now = clock_.now();
  if (wanted.expires && (*wanted.expires <= now || *wanted.expires > now + token_life_max))
    return fail(ErrorCode::invalid_input, "a token ends later than now and within ten years, or never; " + rfc3339(*wanted.expires) + " does not");
  std::lock_guard writing(writing_);
  const auto owner = account(id);
  if (!owner) return fail(ErrorCode::not_found, "there is no user number " + std::to_string(id.value));
  if (!owner->user.active) return fail(ErrorCode::conflict, "user " + owner->user.name + " is not active; a token would not work");
  const auto others = tokens(id);
  if (std::ranges::find(others, name, &Token::name) != others.end())
    return fail(ErrorCode::conflict, "user " + owner->user.name + " has a token " + name + " already; revoke it or choose another name");
  if (others.size() >= options_.tokens_per_user_max)
    return fail(ErrorCode::limit_reached, "user " + owner->user.name + " has " + std::to_string(others.size()) + " tokens, the most there can be; revoke one");
  MadeToken made{{}, new_secret(token_prefix)};
  made.token = {TokenId{newest_token_ + 1}, id, name, wanted.scope, now, actor.who, wanted.expires, {}};
  Write write;
  const KeptToken kept{made.token, digest_of(made.secret.reveal())};
  write.batch.kept_put = {row_of(kept), numbers_row(made.token.id.value)};
  write.tokens_new.push_back(kept);
  write.tell(actor, "token.create", object_of(made.token.id), "", json_of(made.token));
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  return made;
}

Result<void> Directory::revoke_token(TokenId id, const Actor& actor) {
  std::lock_guard writing(writing_);
  Write write;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [digest, token] : tokens_)
      if (token->kept.token.id == id) write.tokens_ended.push_back(token->kept);
  }
  if (write.tokens_ended.empty()) return fail(ErrorCode::not_found, "there is no token number " + std::to_string(id.value));
  write.batch.kept_removed.push_back(key_of(write.tokens_ended.front()));
  write.revoked.tokens.push_back(id);
  write.tell(actor, "token.revoke", object_of(id), json_of(write.tokens_ended.front().token));
  return commit(std::move(write));
}

// ---- time

void Directory::step() {
  const Instant now = clock_.now();
  auto done = end_what_ran_out(now);
  if (done) done = write_down_use(now, false);
  // Who ran out is refused all the same, and the next step tries again.
  if (!done) log_warning("people_not_written", {{"error", done.error().text()}});
}

void Directory::stop() {
  desk_.stop();
  if (const auto done = write_down_use(clock_.now(), true); !done) log_warning("people_not_written", {{"error", done.error().text()}});
}

Result<void> Directory::end_what_ran_out(Instant now) {
  std::lock_guard writing(writing_);
  Write write;
  {
    std::unique_lock lock(mutex_);
    for (const auto& [digest, session] : sessions_)
      if (is_over(*session, now)) write.end(session->kept);
    for (const auto& [digest, token] : tokens_) {
      const Token& kept = token->kept.token;
      if (!kept.expires || now < *kept.expires) continue;
      if (!token->end_told) write.revoked.tokens.push_back(kept.id);
      token->end_told = true;
      if (now < *kept.expires + ended_token_kept) continue;
      write.tokens_ended.push_back(token->kept);
      write.batch.kept_removed.push_back(key_of(token->kept));
    }
  }
  if (write.batch.kept_removed.empty() && write.revoked.tokens.empty()) return {};
  return commit(std::move(write));
}

Result<void> Directory::write_down_use(Instant now, bool all) {
  std::lock_guard writing(writing_);
  store::Batch batch;
  batch.source = "people";
  std::vector<KeptSession> sessions;
  std::vector<KeptToken> tokens;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [digest, session] : sessions_) {
      const KeptSession fresh = session->now();
      const auto stale = fresh.session.last_seen - session->kept.session.last_seen;
      if (stale < (all ? 1ms : std::chrono::milliseconds(options_.seen_grain)) || is_over(*session, now)) continue;
      sessions.push_back(fresh);
      batch.kept_put.push_back(row_of(fresh));
    }
    for (const auto& [digest, token] : tokens_) {
      const KeptToken fresh = token->now();
      if (fresh.token.last_used == token->kept.token.last_used) continue;
      tokens.push_back(fresh);
      batch.kept_put.push_back(row_of(fresh));
    }
  }
  if (batch.kept_put.empty()) return {};
  if (const auto stored = record_.commit(std::move(batch)); !stored) return pass_on(stored);
  std::unique_lock lock(mutex_);
  for (const KeptSession& written : sessions)
    if (const auto found = sessions_.find(written.digest); found != sessions_.end()) found->second->kept = written;
  for (const KeptToken& written : tokens)
    if (const auto found = tokens_.find(written.digest); found != tokens_.end()) found->second->kept = written;
  return {};
}

}  // namespace millrace::people
