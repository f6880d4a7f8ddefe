// The exact durable record: current orders, their whole history as numbered changes, the known files and what each
// said. One writer with group commit; readers see committed state only.
//
// Invariants
//   * `commit` returns after the transaction is on stable storage; rows and their changes are one transaction.
//   * Sequences are given inside the transaction: 1, 2, 3, ... without holes, in commit order.
//   * Several `commit` calls that wait at the same moment share one transaction and one fsync (group commit).
//   * One connection writes and checkpoints; all others are read-only.
//   * What cannot be what was written is never answered: rows carry checksums, tables sums, and the newest commit is
//     mirrored in a mark beside the database (docs/decisions/0004).
//   * After a write or flush that failed nothing further is acknowledged until the record was opened anew and stands
//     where it was left. Damage makes it read-only until it is restored.
//   * Implementations pass `store/conformance_test.h`.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "feed/change.h"
#include "feed/reader.h"
#include "metrics/metrics.h"

namespace millrace::store {

// What the record knows of one file of a source: enough to prove it unchanged without opening it.
struct FileRecord {
  enum class State : std::uint8_t {
    counts = 1,   // gives at least one order candidate
    ignored = 2,  // not an order document
    refused = 3,  // adds nothing now
    damaged = 4,  // unreadable now, its last good content is kept as candidates
  };
  std::string path;  // bytes
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t inode = 0;
  ContentHash hash;
  State state = State::counts;
  std::string format;
  Instant read_at;
  bool operator==(const FileRecord&) const = default;
};

// One document's statement about one order. Of several for one order one wins; all are kept.
struct Candidate {
  std::string path;
  std::uint32_t ordinal = 0;  // of the order inside its file
  std::shared_ptr<const SalesOrder> order;
  std::vector<std::string> flags;
};

// A row that a part above keeps in the record beside orders and files: the state of a sync, what is held of an ERP's
// record, a receipt of a pushed batch, a person's decision. The record does not look inside.
struct KeptRow {
  std::string space;  // "erp/sap/items": whose rows; no two owners share a space
  std::string key;    // unique in its space
  std::string content;
  bool operator==(const KeptRow&) const = default;
};
struct KeptKey {
  std::string space, key;
};

// Rows and changes that commit together.
struct Batch {
  std::string source;
  std::vector<FileRecord> files_put;
  std::vector<std::string> files_removed;       // paths; their candidates go with them
  std::vector<Candidate> candidates_put;        // replace all candidates of the same path, which is a known file
  std::vector<std::string> candidates_removed;  // paths that have none any more
  std::vector<feed::Change> changes;            // sequence and at are filled by commit
  std::vector<KeptKey> kept_removed;            // before `kept_put`
  std::vector<KeptRow> kept_put;                // one that is stored like this already is not written again
  bool empty() const;
};

struct Committed {
  feed::Sequence last;                // last Sequence of this batch (or of the record when it had no changes)
  std::uint64_t revision = 0;         // number of the transaction that holds it
  std::vector<feed::Change> changes;  // with sequence and at
};

// Tells one record from every other, and from itself after a restore: random bytes made with it.
struct RecordIdentity {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const RecordIdentity&) const = default;
};

// Where the record stands. A revision numbers transactions, also those without a change for the feed.
struct RecordPosition {
  RecordIdentity identity;
  std::uint64_t revision = 0;
  feed::Sequence sequence;
  bool operator==(const RecordPosition&) const = default;
};

// What the record says now of a file that was touched.
struct FileNow {
  std::string source;
  std::string path;
  std::optional<FileRecord> file;     // absent: the record has no such file any more
  std::vector<Candidate> candidates;  // in the order of their ordinals
};

struct RecordStatistics {
  std::uint64_t database_bytes = 0;
  std::uint64_t log_bytes = 0;  // write-ahead log
  std::uint64_t commits = 0;    // transactions
  std::uint64_t batches = 0;    // batches in them
  std::uint64_t rows_written = 0;  // inserted, replaced or deleted
  std::uint64_t statements = 0;    // SQL statements executed for commits and answers
  std::chrono::microseconds commit_longest{0};
  std::uint64_t free_bytes = 0;  // of the disk that holds it
  std::uint32_t schema_version = 0;
  std::uint64_t memory_bytes = 0;  // of this process, held by the database library: pages, statements
};

// Whether the record takes changes.
struct RecordCondition {
  enum class State : std::uint8_t {
    good,
    storage_full,  // the disk is full: refused now, tried again by every commit
    failing,       // the disk refuses writes: the same, after opening the record anew
    damaged,       // stored rows are not what was written: read-only until it is restored
  };
  State state = State::good;
  std::string text;  // what happened and what to do, "" when good
};
std::string_view word(RecordCondition::State state);

class Record : public feed::Reader {
 public:
  // Called after every commit with changes, in order, from the writer: the door to the read model. Set before the first commit.
  virtual void on_commit(std::function<void(const std::vector<feed::Change>&)> listener) = 0;

  // A batch without changes for the feed makes a revision and no Sequence; one that says only what is stored already makes
  // neither.
  // Errors   storage_full  the disk is full: nothing of the batch is stored; try again later
  //          read_only     the disk refuses writes or the record is damaged: nothing of the batch is stored
  //          unavailable   another program holds the database: nothing of the batch is stored; try again later
  virtual Result<Committed> commit(Batch batch) = 0;

  virtual Result<std::vector<FileRecord>> files(const std::string& source) = 0;
  // Calls `row` for every candidate of the source; a false answer ends it.
  virtual Result<void> candidates(const std::string& source, const std::function<bool(Candidate)>& row) = 0;
  // One candidate's content. not_found  the file gives no such order (any more)
  virtual Result<Candidate> candidate(const std::string& source, const std::string& path, std::uint32_t ordinal) = 0;
  virtual Result<std::vector<feed::Rejection>> rejections() = 0;

  // Calls `row` for every kept row of the space, by key as bytes; a false answer ends it. `row` asks the record nothing.
  virtual Result<void> kept(const std::string& space, const std::function<bool(KeptRow)>& row) = 0;
  // Nothing when there is no such row.
  virtual Result<std::optional<std::string>> kept_one(const std::string& space, const std::string& key) = 0;

  virtual Result<RecordPosition> position() = 0;
  // Every file whose row or candidates a transaction after `revision` wrote or removed, as they are now, once each:
  // what somebody who kept the state at `revision` has to read. Empty: nothing.
  // Errors   limit_reached  that was too long or too many files ago: read everything
  virtual Result<std::vector<FileNow>> files_changed_after(std::uint64_t revision) = 0;

  virtual RecordStatistics statistics() const = 0;
  virtual RecordCondition condition() const = 0;
  // Verifies every row against the sums of the newest transaction; `full` checks the structure of the pages too.
  // Errors   corrupt  the text says what is damaged and what to do; the record is read-only from now on
  virtual Result<void> verify(bool full) = 0;
};

struct SqliteOptions {
  std::string path;  // file; ":memory:" is not supported: tests use a temporary folder
  const Clock* clock = nullptr;
  std::size_t group_max = 256;  // batches in one transaction
  std::uint64_t touched_revisions_max = 65'536;  // as far back as `files_changed_after` answers
  std::size_t touched_files_max = 100'000;       // as many files as it answers
  std::uint64_t checkpoint_bytes = 32ull << 20;      // of log: checkpoint even while batches come
  std::uint64_t checkpoint_bytes_idle = 1ull << 20;  // of log: checkpoint when none came for `idle_after`
  std::chrono::milliseconds idle_after{200};
  std::chrono::milliseconds try_again_after{1'000};  // whether a disk that refused writes takes them again
  // All rows are verified in the background so long after the start, and again and again.
  std::chrono::milliseconds verify_delay{5'000};
  std::chrono::milliseconds verify_interval{std::chrono::hours(24)};
  // Hears of every change of the condition, from any thread of the record.
  std::function<void(const RecordCondition&)> on_condition = {};
  metrics::Registry* metrics = nullptr;  // counts commits there; outlives the record
};

// The number of the data format this program writes: that of its newest migration.
std::uint32_t record_format();

// Opens or creates the record and brings its schema up to date. A record that lost its newest commits opens, but damaged:
// it answers what is still there and takes no changes.
// Errors   unavailable  folder not writable, or another millrace holds it
//          corrupt      not a Millrace database, or so damaged that nothing can be answered
//          conflict     written by a newer version; the text names both
//          storage_full, read_only  the disk refuses the writes that opening needs
Result<std::unique_ptr<Record>> open_sqlite_record(SqliteOptions options);

// The changes of a record that may be in use by a running server: read-only, takes no lock.
// Errors   not_found    no record there; the text says where it looked
//          conflict     its schema is not ours; start the server once to bring it up to date
//          corrupt      it lost its newest commits, or is damaged
Result<std::unique_ptr<feed::Reader>> open_sqlite_reader(const std::string& path);

// What a whole record holds, once every row was verified.
struct RecordReport {
  RecordPosition position;
  std::string digest;  // equal for equal rows
  std::uint64_t changes = 0, files = 0, documents = 0, rejections = 0, kept = 0;
  std::uint32_t schema_version = 0;
};

// Verifies pages, rows, sums and mark of a record that may be in use; takes no lock, writes nothing.
// `progress` hears rows read and rows in all; false ends it.
// Errors   not_found, conflict, corrupt  as open_sqlite_reader
//          cancelled                     `progress` said so
Result<RecordReport> verify_sqlite_record(const std::string& path,
                                          const std::function<bool(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace millrace::store
