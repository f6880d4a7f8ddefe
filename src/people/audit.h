// The audit trail: who did what to which thing, from where, with before and after. Append only.
//
//   people/audit            head       count, hash and time of the newest row
//   people/audit/00000012   0000...    rows 3072 .. 3327: a block of `block_rows` numbers is a space of its own
//
// Invariants
//   * A row commits in the transaction of the change it tells of: there is no change without its row and no row without
//     its change.
//   * Numbers are 1, 2, 3, ... without holes. Each row holds the hash of the row before it and its own over both, so a row
//     that is changed, missing or swapped is found by `verify` and named. The head tells a tail that was cut.
//   * Secrets never enter: values of keys that name one are replaced before they are kept.
//   * Turns are taken one at a time, in the order of commits. Take one last, right before the commit: nothing else may be
//     waited for while it is held.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "people/people.h"
#include "people/secret.h"
#include "store/record.h"

namespace millrace::people {

struct AuditEntry {
  Actor actor;
  std::string verb;    // "user.change", "sign-in", "source.pause"
  std::string object;  // "user:3", "order:500123", "source:sap"; "" when the server itself is meant
  std::string before;  // JSON, "" when there was nothing
  std::string after;
};

struct AuditRow {
  std::uint64_t number = 0;
  Instant at;
  AuditEntry entry;
  Digest previous;  // hash of the row before; zero for the first
  Digest hash;
};

struct AuditHead {
  std::uint64_t count = 0;
  Digest hash;
};

struct AuditFilter {
  std::string who = {};     // exact login, "" for all
  std::string object = {};  // "order:500123", or "order:" for all of a kind
  std::string verb = {};    // "user.change", or "user." for all of a kind
};

struct AuditPage {
  std::vector<AuditRow> rows;         // newest first
  std::optional<std::uint64_t> next;  // ask again with rows before this number; nothing: that was all
  std::uint64_t count = 0;            // rows of the whole trail
};

// What `verify` says.
struct AuditProof {
  std::uint64_t rows = 0;  // that were found right, from the first on
  AuditHead head;
  std::string problem;     // "" when the whole trail is what was written; else which row is not, in one sentence
  bool whole() const { return problem.empty(); }
};

class Audit {
 public:
  static constexpr std::uint64_t block_rows = 256;
  static constexpr std::size_t text_bytes_max = 256 << 10;  // of before and of after; a longer one is told by its size
  static constexpr std::size_t page_rows_max = 500;
  static constexpr std::uint64_t looked_max = 25'600;       // rows one question looks at

  // Errors   those of reading the record; corrupt when the head cannot be read
  static Result<std::unique_ptr<Audit>> open(store::Record& record, const Clock& clock);

  // The right to write the next rows. Without `committed` the numbers are free again.
  class Turn {
   public:
    Turn(Turn&&) noexcept;
    Turn& operator=(Turn&&) = delete;
    ~Turn();
    void add(store::Batch& batch, AuditEntry entry);
    // The batch is stored.
    void committed();

   private:
    friend class Audit;
    Turn(Audit& audit, std::unique_lock<std::mutex> lock) : audit_(&audit), lock_(std::move(lock)), head_(audit.head_) {}

    Audit* audit_;
    std::unique_lock<std::mutex> lock_;
    AuditHead head_;  // with what this turn added
  };
  // Waits for the turn before it.
  // Errors   those of reading the record, after a commit that failed
  Result<Turn> turn();

  // A batch with its rows, in one transaction.
  // Errors   those of Record::commit
  Result<store::Committed> commit(store::Batch batch, std::vector<AuditEntry> entries);

  // Rows with a number below `before` (0: the newest), newest first.
  // Errors   those of reading the record; corrupt names the row
  Result<AuditPage> page(std::uint64_t before, std::size_t limit, const AuditFilter& filter = {}) const;
  // Errors   not_found  no such row
  Result<AuditRow> row(std::uint64_t number) const;
  // Reads every row. `go_on` hears how far it is; false ends it.
  // Errors   those of reading the record; cancelled
  Result<AuditProof> verify(const std::function<bool(std::uint64_t done, std::uint64_t total)>& go_on) const;
  AuditHead head() const;

 private:
  Audit(store::Record& record, const Clock& clock) : record_(record), clock_(clock) {}
  Result<AuditHead> read_head() const;

  store::Record& record_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // held by a turn
  // guarded by mutex_
  AuditHead head_;
  bool head_known_ = false;
};

// JSON with the values of keys that name a secret replaced; what is no JSON becomes a JSON text.
std::string without_secrets(std::string_view json);

}  // namespace millrace::people
