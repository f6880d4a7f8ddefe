// One shared folder as a source: lists it, hears its changes, waits until files settle, has them parsed, and brings
// the result to the intake.
//
//   events ─┐                                    ┌─> ParserPool ─┐
//   listing ┴─> pending (settle) ── open_below ──┘               └─> answers ─> Intake (order book, commit)
//
// Invariants
//   * `step()` is the whole loop; it is called by one thread and never waits longer than asked.
//   * A file is read when its writer closed it, or when size and mtime stood still for `settle`; what is read while
//     somebody writes is thrown away, so the state before the change stands until it is complete.
//   * A document that goes away is removed only after everything seen before it has been read: a move that is a copy
//     and a deletion never opens a gap.
//   * A root that cannot be listed, comes back empty or is another folder than before is `held`: nothing is deleted
//     until a person accepts it.
//   * Bounds: `in_flight_max` documents at the parsers, answers wait in a queue of the same bound.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bounded_queue.h"
#include "ingest/control.h"
#include "ingest/folder.h"
#include "ingest/intake.h"
#include "ingest/parser_pool.h"
#include "metrics/metrics.h"

namespace millrace::ingest {

enum class WatchMode : std::uint8_t { automatic, events, poll };

struct FolderSourceOptions {
  std::string id;
  std::string root;
  WatchMode watch = WatchMode::automatic;
  std::chrono::seconds refresh_interval{1800};
  std::chrono::milliseconds poll_interval{10'000};   // where file events do not work
  std::chrono::milliseconds settle{300};             // without a close event: stand still this long
  std::chrono::milliseconds removal_grace{60};       // for the other half of a move
  std::chrono::milliseconds retry_delay{700};        // before a fresh file that cannot be read is refused
  std::chrono::milliseconds held_interval{3'000};    // between looks at a root that vanished
  std::chrono::milliseconds commit_retry{500};       // between tries while the record refuses: a full disk is asked, not hammered
  ListOptions listing;
  std::uint64_t job_id_base = 0;                     // ids of this source's parse jobs start here
  std::function<void()> news;                        // from the stepping thread: its state changed, or a refresh ended
};

class FolderSource {
 public:
  static constexpr std::size_t in_flight_max = 200;  // below ParserPoolOptions::queue_bound: submit never waits

  FolderSource(FolderSourceOptions options, Intake& intake, ParserPool& pool, metrics::Registry& metrics, const Clock& clock);
  ~FolderSource();

  // One turn of the loop: waits at most `patience` for something to do. Answers whether anything happened.
  bool step(std::chrono::milliseconds patience);
  // From the pool's threads.
  void on_answers(std::vector<ParseAnswer> together);

  // ---- from any thread
  SourceStatus status() const;
  void request_refresh(bool reread_everything);
  void request_pause();
  void request_resume();
  void request_interval(std::chrono::seconds interval);
  void request_accept_vanished();
  void request_replay(const std::string& path);
  // Ends a listing or a waiting step soon.
  void request_stop();

 private:
  struct Requests;
  struct Pending;
  struct InFlight;
  struct Removal;
  using TimePoint = Stopwatch::time_point;

  void take_requests();
  bool wait_for_events(std::chrono::milliseconds patience);
  bool handle_events(const std::vector<FolderEvent>& events);
  void handle_event(const FolderEvent& event);
  void start_watch();
  void refresh();
  bool root_is_trustworthy(const Listing& listing, std::uint64_t missing);
  void compare(const Listing& listing, std::string_view below);
  void note_faults(const Listing& listing, std::string_view below);
  void hold(const std::string& why);
  void expect_removal(const std::string& path, TimePoint due);
  void cancel_removal(const std::string& path);
  void forget_reading(const std::string& path);
  void request_wake();
  bool recognise_move(const std::string& path, const FileStamp& stamp);
  bool submit_ready();
  bool submit(const std::string& path, Pending& pending);
  bool take_answers();
  void take_answer(ParseAnswer& answer);
  bool remove_gone();
  bool commit();
  void finish_refresh_when_idle();
  void publish_status();
  std::chrono::milliseconds until_next_due() const;

  // fixed after construction
  const FolderSourceOptions options_;
  Intake& intake_;
  ParserPool& pool_;
  const Clock& clock_;
  metrics::Counter& files_read_metric_;
  metrics::Counter& files_unchanged_metric_;
  metrics::Counter& files_refused_metric_;
  metrics::Counter& events_metric_;
  metrics::Counter& overflows_metric_;

  // locked inside themselves
  BoundedQueue<ParseAnswer> answers_;
  std::atomic<bool> stop_{false};
  mutable std::atomic<bool> answers_waiting_{false};
  std::unique_ptr<Requests> requests_;

  // used by the stepping thread only
  std::shared_ptr<FolderWatch> watch_;  // replaced under status_mutex_, which `wake` takes
  std::map<std::string, Pending> pending_;
  std::unordered_map<std::uint64_t, InFlight> in_flight_;
  std::set<std::string> reading_;  // paths in flight
  std::map<std::string, Removal> removals_;
  std::multimap<std::uint64_t, std::string> removal_by_inode_;
  std::uint64_t next_job_;
  bool paused_ = false;
  bool reread_ = false;        // the running refresh opens every file
  bool refresh_open_ = false;  // a refresh was listed and its files are not all settled yet
  bool refresh_wrote_ = false;
  bool commit_blocked_ = false;  // the record refuses for now: nothing further is taken in
  TimePoint commit_due_{};       // of the next try while blocked
  std::uint64_t root_device_ = 0, root_inode_ = 0;
  bool vanished_accepted_ = false;
  TimePoint refresh_due_{};
  TimePoint refresh_began_{};
  SourceStatus now_;

  mutable std::mutex status_mutex_;
  SourceStatus published_;  // guarded by status_mutex_
};

}  // namespace millrace::ingest
