// One shared folder as a source: lists it, hears its changes, waits until files settle, has them parsed, and brings
// the result to the intake.
//
//   events ─┐                                    ┌─> ParserPool ─┐
//   listing ┴─> pending (settle) ── open_below ──┘               └─> answers ─> Intake (order book, commit)
//
// Invariants
//   * `step()` is the whole loop; it is called by one thread and never waits longer than asked.
//   * Where others change the folder too (`folder_kind`) it is listed again and again, at a pace that follows what a
//     listing costs and whether it finds anything; its files are read into memory before a parser sees them.
//   * A folder that hangs stops this source only: `status` says since when, from any thread, and it goes on by itself.
//   * A file is read when its writer closed it, or when size and mtime stood still for `settle`; what is read while
//     somebody writes is thrown away, so the state before the change stands until it is complete.
//   * A document that goes away is removed only after everything seen before it has been read: a move that is a copy
//     and a deletion never opens a gap.
//   * A root that cannot be listed, comes back empty or is another folder than before is `held`: nothing is deleted
//     until a person accepts it.
//   * Bounds: `in_flight_max` documents of `in_flight_bytes_max` bytes together are at the parsers (one of any size goes
//     alone), answers wait in a queue of the same bound: what they become in memory is a small multiple of it.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bounded_queue.h"
#include "ingest/control.h"
#include "ingest/folder.h"
#include "ingest/intake.h"
#include "ingest/folder_pace.h"
#include "ingest/internal/folder_pending.h"
#include "ingest/internal/folder_reader.h"
#include "ingest/parser_pool.h"
#include "ingest/source.h"
#include "metrics/metrics.h"

namespace millrace::ingest {

enum class WatchMode : std::uint8_t { automatic, events, poll };

struct FolderSourceOptions {
  std::string id;
  std::string root;
  WatchMode watch = WatchMode::automatic;
  std::chrono::seconds refresh_interval{1800};
  PollBounds poll;                                   // where file events do not work
  std::chrono::milliseconds settle{300};             // without a close event: stand still this long
  std::chrono::milliseconds removal_grace{10};       // for a file that is written anew
  std::chrono::milliseconds half_move_grace{100};    // for the other half of a move, whose writer may be interrupted
  std::chrono::milliseconds retry_delay{700};        // before a fresh file that cannot be read is refused
  std::chrono::milliseconds held_interval{3'000};    // between looks at a root that vanished
  std::chrono::milliseconds commit_retry{500};       // between tries while the record refuses: a full disk is asked, not hammered
  std::chrono::milliseconds hang_patience{30'000};   // without an answer of the folder, before it is said to hang
  std::uint64_t file_size_max = 64ull << 20;         // larger files are not read into memory
  ListOptions listing;
  std::uint64_t job_id_base = 0;                     // ids of this source's parse jobs start here
  std::function<void()> news;                        // from any thread: the state changed, or a refresh ended
};

class FolderSource final : public Source {
 public:
  static constexpr std::size_t in_flight_max = 400;  // below ParserPoolOptions::queue_bound: submit never waits
  static constexpr std::uint64_t in_flight_bytes_max = 4 << 20;

  FolderSource(FolderSourceOptions options, Intake& intake, ParserPool& pool, metrics::Registry& metrics, const Clock& clock);
  ~FolderSource() override;

  using TimePoint = Stopwatch::time_point;

  bool step(std::chrono::milliseconds patience) override;
  // From the pool's threads.
  void on_answers(std::vector<ParseAnswer> together);

  // ---- from any thread
  SourceStatus status() const override;
  // Nothing for less than `hang_patience`.
  std::optional<TimePoint> hangs_since() const override;
  void tell_news() const override;
  void request_refresh(bool reread_everything) override;
  void request_pause() override;
  void request_resume() override;
  void request_interval(std::chrono::seconds interval) override;
  void request_accept() override;
  void request_reject() override;
  void request_replay(const std::string& path) override;
  // Does nothing: files have no keys, and `Sources::hint` says so to whoever asks.
  void request_keys(std::string_view stream, std::vector<std::string> keys) override;
  void request_stop() override;

 private:
  struct Requests;
  struct InFlight;
  struct Difference;
  class Touch;

  void take_requests();
  bool wait_for_events(std::chrono::milliseconds patience);
  bool handle_events(const std::vector<FolderEvent>& events);
  void handle_event(const FolderEvent& event);
  void start_watch();
  void refresh();
  bool root_is_trustworthy(const Listing& listing, std::uint64_t missing);
  Result<Listing> list_root();
  bool all_is_heard() const { return watch_ && watch_->unwatched_count() == 0; }
  Difference hold_against_book(const Listing& listing, std::string_view below);
  void settle_renumbered(Difference& difference, const Listing& listing);
  void take_difference(Difference difference, Listing& listing);
  void wait_for_reading(ListedFile& file, TimePoint now, std::int64_t wall_ns);
  void note_faults(const Listing& listing, std::string_view below);
  void plan_next_listing();
  void hold(const std::string& why);
  void expect_removal(const std::string& path, TimePoint due);
  void forget_reading(const std::string& path);
  void request_wake();
  bool recognise_move(const std::string& path, const FileStamp& stamp);
  bool submit_ready();
  std::optional<std::string> next_of_backlog();
  std::optional<store::FileRecord> known_file(const std::string& path);
  void begin_reading(const std::string& path, PendingFile file);
  void take_opened(std::uint64_t id, InFlight flight, Result<OpenedFile> opened);
  void refuse_opening(const std::string& path, const Error& error);
  bool take_reads();
  bool take_answers();
  void take_answer(ParseAnswer& answer);
  std::optional<InFlight> end_reading(std::uint64_t id);
  template <class Change>
  void wait_again(const InFlight& flight, Change change);
  TimePoint oldest_on_its_way() const;
  bool is_on_its_way(const std::string& path) const;
  bool remove_gone();
  std::vector<Result<FileStamp>> stamps_of(const std::vector<std::string>& paths);
  bool commit();
  void finish_refresh_when_idle();
  void publish_status();
  bool may_read_more() const { return in_flight_.size() < in_flight_max && in_flight_bytes_ < in_flight_bytes_max; }
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
  FolderReader reader_;
  mutable std::atomic<Stopwatch::rep> touching_{0};  // when the stepping thread last asked or heard the folder; 0: it does not ask

  // used by the stepping thread only
  std::shared_ptr<FolderWatch> watch_;  // replaced under status_mutex_, which `wake` takes
  PendingFiles pending_;
  std::vector<ListedFile> backlog_;  // of the last listing: complete files that wait for a free place at the parsers
  std::size_t backlog_at_ = 0;
  TimePoint backlog_since_{};
  bool backlog_reread_ = false;
  std::unordered_map<std::uint64_t, InFlight> in_flight_;
  std::uint64_t in_flight_bytes_ = 0;  // of the documents that were opened
  std::unordered_map<std::string, std::uint64_t> reading_;  // paths in flight
  ExpectedRemovals removals_;
  HalfMoves half_moves_;
  bool changed_elsewhere_ = false;  // by others than this machine: file events would not tell
  PollPace pace_;
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
