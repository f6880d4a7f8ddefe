// Live clients and what they wait for: turns each commit into at most one delta per subscription.
//
// Invariants
//   * All state belongs to the hub's own thread; others hand in commands through one bounded queue and never wait.
//   * A client that does not keep up gets one merged delta when it has read what waits; when the changes it missed are
//     no longer kept it gets `resync`, and its connection is closed with 1013 when even that cannot be delivered.
//   * Kept are the last `changes_kept` changes; an older `since` means `resync`.
//   * A client whose session or token ends or changes is closed with 1008, however its joining and that cross.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "feed/change.h"
#include "query/wording.h"
#include "server/internal/live_topics.h"
#include "server/internal/message.h"
#include "server/server.h"

namespace millrace::server {

struct LiveMessage {
  std::shared_ptr<const std::string> json;
  std::uint64_t as_of = 0;
  std::string_view op;  // static text: hello, delta, resync, ...
};

// A connection as the hub sees it. All calls answer at once; any thread may call.
class LiveClient {
 public:
  virtual ~LiveClient() = default;
  virtual void send(LiveMessage message) = 0;
  virtual std::size_t backlog() const = 0;  // messages handed over and not yet written
  virtual void may_speak() = 0;             // the last command is done, the next may be read
  virtual void tell_when_drained() = 0;     // calls LiveHub::drained once, when nothing waits (any more)
  virtual void close(int code, std::string_view reason) = 0;
};

// Who listens, and since when that is known: what was taken away later counts.
struct LiveCaller {
  std::shared_ptr<const people::Identity> identity;
  Stopwatch::time_point found;
};

struct LiveOptions {
  std::size_t queue_max = 1024;
  std::size_t subscriptions_max = 32;
};

inline constexpr std::uint64_t since_now = UINT64_MAX;  // nothing of before

class LiveHub {
 public:
  LiveHub(const Services& services, LiveOptions options);
  ~LiveHub();

  // Commands, any thread. With `changes_since` the client is subscribed to the changes at once.
  void join(std::shared_ptr<LiveClient> client, LiveCaller caller, std::optional<std::uint64_t> changes_since);
  // Clients of these sessions and tokens are closed: they come back as what they are now.
  void revoke(people::Revoked revoked);
  void leave(const LiveClient* client);
  void say(const std::shared_ptr<LiveClient>& client, std::string text);
  void drained(const LiveClient* client);
  void publish(const std::vector<feed::Change>& changes, readmodel::SnapshotPtr snapshot);

  // Worded changes after `since`, when all of them are still kept; else nothing. `limit` from the oldest.
  std::optional<std::vector<query::WordedChange>> kept_changes(feed::Sequence since, std::size_t limit) const;
  std::size_t client_count() const { return client_count_.load(std::memory_order_relaxed); }

  // The last load that read most files and the last that found most unchanged, per source.
  struct Load {
    std::string source;
    std::optional<std::uint64_t> fresh_ms, unchanged_ms;
    std::uint64_t fresh_files = 0, unchanged_files = 0;
  };
  std::vector<Load> loads() const;

  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::atomic<std::size_t> client_count_{0};
};

}  // namespace millrace::server
