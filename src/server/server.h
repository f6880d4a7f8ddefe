// HTTP and WebSocket: routes over the read model, the sources and the history.
//
// Invariants
//   * Every data answer is computed from one Snapshot and says so (as_of, ETag).
//   * The server cannot reach the database: it gets a feed::Reader for histories and ingest::Control for sources.
//   * Who may be listened to is one rule, `may_listen`; an address it refuses is refused at start.
//   * Every queue to a client is bounded; a client that does not read gets `resync` and, if it stays away, is closed.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "cache/cache.h"
#include "feed/reader.h"
#include "ingest/cash.h"
#include "ingest/control.h"
#include "ingest/finance_desk.h"
#include "ingest/overlay.h"
#include "ingest/push.h"
#include "jobs/control.h"
#include "jobs/own_answer.h"
#include "metrics/metrics.h"
#include "people/directory.h"
#include "people/oidc.h"
#include "query/cash_keeper.h"
#include "readmodel/read_model.h"
#include "server/tls.h"

namespace millrace::server {

struct BuildInfo {
  std::string version, commit, compiler;
};

// What /api/so-performance and the Performance panel tell beside the sources and the metrics.
struct RecordFacts {
  std::uint64_t database_bytes = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t commits = 0;
  std::uint64_t free_bytes = 0;  // of the disk that holds the record
  std::uint64_t memory_bytes = 0;  // held by the database library
  // Why the record takes no changes now: storage_full, or read_only. Nothing when it takes them.
  std::optional<Error> refuses = {};
};

// All references outlive the server. Tests build it from fakes.
struct Services {
  std::function<readmodel::SnapshotPtr()> snapshot;
  feed::Reader& history;
  ingest::Control& sources;
  metrics::Registry& metrics;
  cache::MemoryCache& results;
  const Clock& clock;
  std::function<RecordFacts()> record_facts;
  std::function<bool(std::string& why_not)> ready;  // /readyz
  BuildInfo build;
  std::string company;  // shown in the header, "" is fine
  ingest::PushDoor& push;
  jobs::Control& jobs;
  ingest::OverlayDoor& overlays;
  std::function<std::optional<std::string>(std::string_view source)> webhook_key;  // what its webhooks are signed with; nothing: it takes none
  std::function<bool(std::string_view source)> push_key = {};  // whether the source asks for a token of its own
  people::Directory* people = nullptr;  // with `audit`; nobody can sign in without
  people::Audit* audit = nullptr;
  bool sign_in = false;  // everybody must; else whoever reaches the server may do everything
  people::Oidc* outside = nullptr;  // people may sign in with the company's provider
  ingest::FinanceDoor* finance = nullptr;  // what people write of money; nothing can be written without
  ingest::CashDoor* cash = nullptr;  // scenarios and forecasts; none are kept without
  std::shared_ptr<query::CashKeeper> cash_keeper = std::make_shared<query::CashKeeper>();
  std::string settings_report = "{}";  // for administrators, JSON
};

struct ServerOptions {
  std::string listen = "127.0.0.1:8080";
  std::size_t thread_count = 2;
  std::size_t connections_max = 2048;
  std::size_t connections_per_address = 512;
  bool loopback_is_free = false;       // connections from this machine are not counted per address
  std::string trusted_proxies = {};    // whose X-Forwarded-For is believed: "10.0.0.5, 10.1.0.0/16"
  std::vector<std::string> names = {};  // hosts by which it may be called, beside loopback and its certificate's
  std::size_t body_max = 1 << 20;
  std::size_t batch_max = 16 << 20;     // body of a pushed batch
  std::size_t batches_reading_max = 4;  // connections that send one at the same time
  std::size_t head_max = 16 << 10;
  std::size_t body_bytes_max = 128 << 20;  // of all requests that are being read or answered
  std::size_t live_queue_max = 1024;  // messages waiting for one WebSocket client
  TlsFiles tls = {};                  // none: plain HTTP
};

// Whether an address may be listened on. Only here: loopback always; reached from other machines nobody may enter without
// signing in, and no password may travel in the clear.
// Errors   invalid_input  the text says what is missing and what to do
Result<void> may_listen(std::string_view address, bool is_loopback, bool sign_in, bool tls);

class Server {
 public:
  // Binds and starts serving. Errors
  //   invalid_input  not an address, or one that may not be listened on (`may_listen`); wrong certificate files
  //   conflict       the port is taken; the text names it and how to choose another
  static Result<std::unique_ptr<Server>> start(Services services, ServerOptions options);
  virtual ~Server() = default;

  virtual std::string address() const = 0;  // "127.0.0.1:8080", with the real port when 0 was asked
  // Tells live clients: these changes were just applied, `snapshot` is the state after them. Never waits.
  virtual void publish(const std::vector<feed::Change>& changes, readmodel::SnapshotPtr snapshot) = 0;
  // These sessions and tokens ended, or their rights changed: live clients of theirs are closed. Any thread.
  virtual void revoke(const people::Revoked& revoked) = 0;
  // Answers a GET of our own API to one of our own parts, on the caller's thread. Errors as own_answer.h says.
  virtual Result<std::unique_ptr<jobs::OwnAnswer>> ask(const std::string& path) = 0;
  // How long the slowest network thread has done nothing: about a second at most, unless it hangs.
  virtual std::chrono::milliseconds silence() const = 0;
  // Takes the certificate files when they changed, or in any case when `anyway`. True: others are used from now on.
  // After an error the old ones go on.
  virtual Result<bool> renew_tls(bool anyway) = 0;
  virtual std::optional<CertificateFacts> certificate() const = 0;  // nothing: plain HTTP
  // Stops accepting, finishes what runs within `patience`, closes WebSockets with 1001.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

}  // namespace millrace::server
