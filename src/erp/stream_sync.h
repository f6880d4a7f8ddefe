// Keeps one stream of an ERP in step with what we hold of it: the algorithm, one question at a time.
//
//   first sync    pages of whole rows by key ── each page and its cursor in one commit ──> following
//   following     scan of what is open or changed ─> a slice of all keys ─┐  rows that differ or are missing: dirty
//                 (two scans where one question cannot say both)          v
//                 fetch dirty by key ─> confirm what was not answered ─> guard ─> one commit ─> state
//   whole read    small streams without stamps: all rows, compared by content, then as above
//   hint          a webhook's keys: fetch ─> confirm ─> guard ─> commit, between two steps of a running sync
//
// Invariants
//   * While a page is worked on the next one may be on its way (`Remote::ask_ahead`); it is used by this sync or by none.
//   * `step` asks at most one question or commits once; a kill between any two of them loses nothing, because state
//     is committed with the rows it speaks of and rows are compared again.
//   * Pages are asked by key. A row is gone only after it was asked for by key twice, the second time together with
//     rows that are known to be there, and was not answered. Absence from a scan only makes a row dirty.
//   * The watermark is the greatest stamp of a fully drained scan minus the time the scan took and the overlap.
//   * Texts as keys come in the other side's own order: what a scan of them does not show is known at its end only.
//   * A page that is not what was asked for ends the sync: no cursor moves, nothing is committed.
//   * A sync that found nothing different commits nothing; its cursors live in memory until rows are written.
//   * Of what the guard refuses nothing is committed; at most `documents_max` documents wait for its judgement.
//   * One thread uses it.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "erp/guard.h"
#include "erp/internal/page_size.h"
#include "erp/internal/sync_rules.h"
#include "erp/ledger.h"
#include "erp/mapping.h"
#include "erp/remote.h"
#include "erp/service_source.h"
#include "ingest/control.h"

namespace millrace::erp {

struct RowPut {
  Key key;
  LedgerRow row;                    // as it will be
  std::optional<LedgerRow> before;  // as it is held, maybe a tombstone
  Mapped mapped;
  std::optional<RemoteStamp> stamp; // as the other side states it
  std::uint64_t bytes = 0;          // of its JSON
};
struct RowGone {
  Key key;
  LedgerRow row;  // with `gone_at`
};
// Rows of one stream and the state that speaks of them: one transaction.
struct SyncBatch {
  std::vector<RowPut> put;
  std::vector<RowGone> gone;
  std::optional<SyncState> state;  // nothing: as it is in the record
};

// Where rows go: the order book and the record, or a map in a test.
class SyncSink {
 public:
  virtual ~SyncSink() = default;
  // All of it or nothing. Errors   those of the record; the batch is kept, `commit_again` tries it
  virtual Result<void> commit(const StreamDescriptor& stream, SyncBatch batch) = 0;
  virtual Result<void> commit_again() = 0;
  // How a person knows the row: order number and customer, "" where a stream has none.
  struct Face {
    std::string number, customer;
  };
  virtual Face face(const StreamDescriptor& stream, const Key& key, const LedgerRow& row) = 0;
  // Whether the record holds this content already, whatever its hash: asked where the ledger has none, and for closed
  // orders, which keep the names of their time.
  virtual bool holds(const StreamDescriptor& stream, const Key& key, const LedgerRow& row, const Mapped& mapped) = 0;
};

using Mapper = std::function<Mapped(const StreamDescriptor& stream, std::string_view json)>;

struct StreamSyncOptions {
  GuardOptions guard;
  int first_sync_days = 0;
  int recent_days = 0;
  std::chrono::minutes overlap{120};
  std::size_t slice_keys = 2000;        // 0: no anti-entropy
  std::size_t documents_max = 20'000;   // that wait for the guard
  std::size_t documents_in_portion = 2'000;  // of streams without a guard
};

// What a step came to.
struct SyncStep {
  enum class Kind : std::uint8_t {
    more,      // there is a next step
    finished,  // the sync (or hint) ended well
    held,      // it waits for a person
    failed,    // it ended; `error` says why
    blocked,   // the record refuses for now: the same commit is tried by the next step
  };
  Kind kind = Kind::more;
  std::optional<RemoteError> error;
  std::string text;  // one sentence for a person unless more or finished
};

class StreamSync {
 public:
  StreamSync(const StreamDescriptor& stream, Remote& remote, Mapper mapper, SyncSink& sink, Ledger ledger, SyncState state,
             StreamSyncOptions options, const Clock& clock, SyncRules rules = {});
  ~StreamSync();
  StreamSync(StreamSync&&) = delete;

  // Starts a sync; one that runs is left running. `everything` reads every row whole. `interval` is the time to the next sync.
  void begin(bool everything, std::chrono::seconds interval);
  bool running() const { return main_ != nullptr; }
  SyncStep step();
  void abandon();  // the sync that runs is dropped, nothing more of it is committed; hints stay

  // These rows may have changed: asked for by `hint_step`, whatever else runs. `anyway`: written also when equal.
  void hint(const std::vector<Key>& keys, bool anyway = false);
  bool hinted() const { return hint_ != nullptr; }
  SyncStep hint_step();

  // A commit the record refused: goes first.
  bool blocked() const { return applying_ != nullptr; }
  // A person decides on what is held. `accept` answers whether there was something: the next sync reads it again, as it is
  // then, and commits it unless it does more than what was shown.
  bool accept();
  void reject();

  // The order took the new name of a manufacturer, in the record and by the sink.
  void take_renamed(const Key& key, const LedgerRow& row) { ledger_.put(key, row); }

  const StreamDescriptor& stream() const { return stream_; }
  const Ledger& ledger() const { return ledger_; }
  const SyncState& state() const { return live_; }
  const ingest::HeldSync* held() const;
  // What is held was so at this moment or later: the begin of the last sync that ended well.
  std::optional<Instant> as_of() const { return as_of_; }
  std::optional<Instant> verified_as_of() const { return verified_as_of_; }
  const ingest::SyncRun* last_run() const { return runs_.empty() ? nullptr : &runs_.front(); }
  ingest::StreamStatus status() const;

 private:
  enum class Stage : std::uint8_t { backfill, whole, moving, open, changed, tail, slice, fetch, confirm, judge };
  struct Run;
  struct Held;
  // What a person saw when accepting.
  struct Permit {
    Consequence consequence;
    bool many = false;        // more documents than may wait
    bool everything = false;  // the sync read every row whole
  };
  bool permitted(const Permit& permit, const Consequence& consequence) const;
  struct Applying;

  std::vector<Stage> plan(bool everything) const;
  SyncStep step_of(std::unique_ptr<Run>& run);
  SyncStep turn(std::unique_ptr<Run>& run);
  std::optional<SyncStep> next_stage_without_question(Run& run);
  PageQuestion question_of(Run& run);
  RemoteStamp scan_since() const;
  PageQuestion documents_question(const Run& run) const;
  PageQuestion fetch_question(Run& run) const;
  std::optional<RemoteError> take_page(Run& run, const PageQuestion& question, Page page);
  std::optional<RemoteError> check_page(Run& run, const PageQuestion& question, const Page& page);
  void take_scan(Run& run, const PageQuestion& question, const Page& page);
  bool move_on(Run& run, const Page& page);
  void scan_in_two(Run& run);
  void take_fetched(Run& run, const PageQuestion& question, const Page& page);
  std::optional<RemoteError> take_confirmed(Run& run, const PageQuestion& question, const Page& page);
  void finish_stage(Run& run);
  void note_first_watermark(Run& run, const Page& page);
  void note_watermark(Run& run, const Page& page);
  void compare_key(Run& run, const RemoteRow& row, Stage stage);
  void take_document(Run& run, const RemoteRow& row, const Page& page);
  LedgerRow row_of(const Run& run, const RemoteRow& row, const Mapped& mapped, const std::optional<LedgerRow>& before, const Page& page) const;
  void note_seen(Run& run, const Page& page);
  void mark_absent(Run& run, const std::optional<Key>& after, const Page& page, bool open_only);
  void mark_absent_one(Run& run, const Key& key);
  std::set<Key>& seen_by(Run& run);
  bool own_order() const { return !stream_.key_is_number; }  // of the other side
  void mark_gone(Run& run, const Key& key);
  void add_open_slice(Run& run);
  bool differs(const LedgerRow& held, const RemoteRow& row) const;
  bool guarded() const { return !stream_.open_filter.empty(); }
  bool refused(std::string_view question) const;
  bool windowed() const { return options_.first_sync_days > 0 && guarded(); }
  bool slice_by_documents() const;
  SyncStep refuse_question(std::unique_ptr<Run>& run, const PageQuestion& question, RemoteError error);
  SyncStep slow_down(std::unique_ptr<Run>& run, const PageQuestion& question, RemoteError error);
  SyncStep judge(std::unique_ptr<Run>& run);
  Consequence consequence_of(const Run& run) const;
  SyncStep hold(std::unique_ptr<Run>& run, std::string why, bool many);
  SyncStep commit(Run& run, std::optional<SyncState> state);
  void apply();
  SyncStep finish(std::unique_ptr<Run>& run);
  SyncStep fail_run(std::unique_ptr<Run>& run, RemoteError error);
  void note_run(Run& run, std::string outcome, std::string message);
  void forget_in(Run* run, const std::set<Key>& keys);

  // fixed after construction
  const StreamDescriptor& stream_;
  Remote& remote_;
  const Mapper map_;
  SyncSink& sink_;
  const StreamSyncOptions options_;
  const Clock& clock_;
  const SyncRules rules_;

  Ledger ledger_;
  SyncState live_;       // as it is now
  SyncState persisted_;  // as it is in the record
  PageSize documents_page_, keys_page_, fetch_page_;
  std::optional<Key> open_slice_cursor_;
  std::unique_ptr<Run> main_, hint_;
  std::unique_ptr<Held> held_;
  std::optional<Permit> permit_;  // of the next sync
  std::unique_ptr<Applying> applying_;
  bool scans_have_versions_ = false;

  std::optional<Instant> last_good_, as_of_, verified_as_of_;
  std::string verified_by_;
  std::optional<Instant> round_started_;  // of the anti-entropy round
  bool round_is_whole_ = false;           // it began at the first key in this process
  std::uint64_t round_keys_ = 0;
  std::set<Key> round_seen_;              // of a round that is whole, where the other side has an order of its own
  std::deque<ingest::SyncRun> runs_;  // newest first
};

}  // namespace millrace::erp
