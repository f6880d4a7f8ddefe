// What the directory holds in memory of sessions and tokens, and what one write does to it.
#pragma once
#include <atomic>

#include "people/directory.h"
#include "people/internal/rows.h"

namespace millrace::people {

inline std::int64_t milliseconds_of(Instant instant) { return instant.time_since_epoch().count(); }

struct Directory::LiveSession {
  explicit LiveSession(KeptSession session) : kept(std::move(session)), seen(milliseconds_of(kept.session.last_seen)) {}
  // As it is now, with its last use.
  KeptSession now() const {
    KeptSession copy = kept;
    copy.session.last_seen = Instant{std::chrono::milliseconds{seen.load(std::memory_order_relaxed)}};
    return copy;
  }
  KeptSession kept;                       // as the record has it
  mutable std::atomic<std::int64_t> seen;  // milliseconds since the epoch
};

struct Directory::LiveToken {
  explicit LiveToken(KeptToken token) : kept(std::move(token)), used_day(kept.token.last_used ? day_number(*kept.token.last_used) : -1) {}
  KeptToken now() const {
    KeptToken copy = kept;
    if (const std::int32_t day = used_day.load(std::memory_order_relaxed); day >= 0) copy.token.last_used = day_from_number(day);
    return copy;
  }
  KeptToken kept;
  mutable std::atomic<std::int32_t> used_day;
  bool end_told = false;  // that it ran out
};

struct Directory::Write {
  store::Batch batch;
  std::vector<AuditEntry> entries;
  // For memory.
  std::vector<Account> accounts;
  std::vector<KeptSession> sessions_new, sessions_ended;
  std::vector<KeptToken> tokens_new, tokens_ended;
  std::optional<SetupLink> setup_new;
  bool setup_ended = false;
  Revoked revoked;

  void put(const Account& account) {
    batch.kept_put.push_back(row_of(account));
    accounts.push_back(account);
  }
  void end(const KeptSession& session) {
    batch.kept_removed.push_back(key_of(session));
    sessions_ended.push_back(session);
    revoked.sessions.push_back(session.session.id);
  }
  void tell(const Actor& actor, std::string verb, std::string object, std::string before = "", std::string after = "") {
    entries.push_back({actor, std::move(verb), std::move(object), std::move(before), std::move(after)});
  }
};

inline std::string object_of(UserId id) { return "user:" + std::to_string(id.value); }
inline std::string object_of(TokenId id) { return "token:" + std::to_string(id.value); }

}  // namespace millrace::people
