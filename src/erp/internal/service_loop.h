// The loop of an ERP source over any Remote: tests and the harness give their own.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "erp/internal/sync_pace.h"
#include "erp/internal/sync_rules.h"
#include "erp/service_sink.h"
#include "erp/service_source.h"
#include "erp/stream_sync.h"

namespace millrace::erp {

// The other side and what its calls go through; what stands first outlives what stands behind it.
struct Peer {
  std::unique_ptr<outbound::Transport> own_transport;
  std::unique_ptr<outbound::Pace> own_pace;
  std::unique_ptr<outbound::Caller> caller;
  std::unique_ptr<Remote> remote;
  outbound::Pace* pace = nullptr;
  std::function<void()> cancel = [] {};  // from any thread: ends a running call and every later one
};

std::unique_ptr<ingest::Source> make_service_loop(ServiceSourceOptions options, Peer peer, ingest::Intake& intake, store::Record& record,
                                                  metrics::Registry& metrics, const Clock& clock, SyncRules rules = {});

// As make_service_source with a peer of one's own, but with the mistakes of `rules`.
std::unique_ptr<ingest::Source> make_service_source_with_rules(SyncRules rules, ServiceSourceOptions options, ingest::Intake& intake,
                                                               store::Record& record, metrics::Registry& metrics, const Clock& clock,
                                                               outbound::Transport& transport, outbound::Pace& pace);

class ServiceLoop final : public ingest::Source {
 public:
  ServiceLoop(ServiceSourceOptions options, Peer peer, ingest::Intake& intake, store::Record& record, metrics::Registry& metrics,
              const Clock& clock, SyncRules rules);
  ~ServiceLoop() override;

  bool step(std::chrono::milliseconds patience) override;
  ingest::SourceStatus status() const override;
  std::optional<Stopwatch::time_point> hangs_since() const override;
  void tell_news() const override;
  void request_refresh(bool reread_everything) override;
  void request_pause() override;
  void request_resume() override;
  void request_interval(std::chrono::seconds interval) override;
  void request_accept() override;
  void request_reject() override;
  void request_replay(const std::string& path) override;
  void request_keys(std::string_view stream, std::vector<std::string> keys) override;
  void request_stop() override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::size_t hints_max = 10'000;  // keys that wait; more make a whole sync of them

  struct Requests {
    bool refresh = false, everything = false, pause = false, resume = false, accept = false, reject = false;
    std::optional<std::chrono::seconds> interval;
    std::vector<std::pair<std::string, std::string>> keys;  // stream, key
    std::set<std::string> replay;
    bool any() const { return refresh || everything || pause || resume || accept || reject || interval || !keys.empty() || !replay.empty(); }
  };
  template <class Change>
  void request(Change change);

  bool turn();
  void sign_out();
  bool load();
  void take_requests();
  void take_hints(const Requests& requests);
  bool connect();
  bool turn_hints();
  bool turn_sync();
  bool turn_blocked();
  bool names_may_go() const;
  void turn_rename();
  void take_step(StreamSync& sync, const SyncStep& step, bool hint);
  void begin_sync();
  void begin_stream();
  void end_sync();
  void end_stream();
  void count_stream(const StreamSync& sync);
  void refuse_all(const RemoteError& error);
  void note_blocked(std::string text);
  void ask_unknown_items();
  StreamSync* find(StreamName name) const;
  StreamSync* find(std::string_view name) const;
  std::unique_ptr<StreamSync> load_stream(const StreamDescriptor& stream);
  bool wait(std::chrono::milliseconds patience);
  void publish_status();
  void fill_service(ingest::ServiceStatus& service) const;
  std::string message() const;

  // fixed after construction
  const ServiceSourceOptions options_;
  const SyncRules rules_;
  ingest::Intake& intake_;
  store::Record& record_;
  metrics::Registry& metrics_;
  const Clock& clock_;
  Peer peer_;

  // used by the stepping thread only
  NameBook names_;
  ServiceSink sink_;
  std::vector<std::unique_ptr<StreamSync>> streams_;
  bool loaded_ = false, connected_ = false, paused_ = false;
  SyncPace pace_;
  TimePoint due_{};            // of the next sync
  TimePoint commit_due_{};     // of the next try while the record refuses
  std::string blocked_;        // why, "" when not
  bool syncing_ = false, everything_ = false, first_ = false;
  bool sync_waits_ = false;  // hints came to their end: the sync that runs has the next turn
  bool everything_next_ = false;  // the next sync reads every row whole
  bool again_ = false;            // somebody asked for a sync while one runs
  std::size_t at_ = 0;         // of streams_: the one that is synced
  Instant sync_began_;
  outbound::CallCount calls_before_;
  bool scans_ = false;           // the sync of the stream looks for what changed; a first sync leaves that to the next one
  bool orders_in_step_ = false;  // their last sync looked for changes and ended well
  unsigned failures_ = 0;      // syncs in a row
  unsigned denials_ = 0;
  std::string failure_;        // of the last sync, one sentence
  bool needs_person_ = false;  // what failed stays so until somebody acts
  bool wrote_ = false;
  ingest::SourceStatus now_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Requests requests_;                // guarded by mutex_
  ingest::SourceStatus published_;   // guarded by mutex_
  std::atomic<bool> stop_{false};
  std::atomic<bool> cancelled_{false};
  std::atomic<Stopwatch::rep> asking_{0};  // since when a question is asked; 0: none
};

}  // namespace millrace::erp
