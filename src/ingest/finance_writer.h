// The one place where finance documents enter the record: kept rows of what stands, and the changes that say so, in one commit.
//
//   kept row   space "finance/<source>/<kind>", key finance_key, content the encoded document
//
// Invariants
//   * Only what differs is written: a document that says the same, wherever it was read this time, makes no change.
//   * What cannot be what it says (check_finance_document) enters nowhere.
//   * A source owns its documents: who brings them for a source brings them one after the other.
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/finance.h"
#include "feed/change.h"
#include "store/record.h"

namespace millrace::ingest {

// "finance/entered/cost"
std::string finance_space(std::string_view source, FinanceKind kind);

class FinanceWriter {
 public:
  struct Removal {
    FinanceKind kind = FinanceKind::invoice;
    std::string source;
    std::string key;  // finance_key
    std::string reason = {};
  };
  struct Wishes {
    std::vector<FinanceDocument> put;  // with their source; of two with one key the later counts
    std::vector<Removal> removed;      // one that is put as well stays
    std::string by;                    // the person, "" when a source says so
    // Rows of whoever asks, in the same transaction.
    std::vector<store::KeptRow> kept_put;
    std::vector<store::KeptKey> kept_removed;
  };
  struct Refusal {
    std::size_t place = 0;  // in Wishes::put
    std::string reason;
  };
  struct Plan {
    std::vector<feed::Change> changes;
    std::vector<store::KeptRow> kept_put;
    std::vector<store::KeptKey> kept_removed;
    std::vector<Refusal> refused;
    std::uint64_t put = 0, unchanged = 0, removed = 0;
  };

  explicit FinanceWriter(store::Record& record) : record_(record) {}

  // What has to be written so that the wishes come true, for somebody who commits it with rows of his own.
  // Errors   those of Record::kept_one
  Result<Plan> plan(Wishes wishes) const;
  // Plans and commits, one after the other. Any thread may call.
  // Errors   invalid_input  one of the documents is refused: nothing is written
  //          those of Record::commit
  Result<Plan> write(Wishes wishes);
  // What stands. Errors   those of Record::kept_one; corrupt
  Result<std::optional<FinanceDocument>> standing(std::string_view source, FinanceKind kind, const std::string& key) const;

 private:
  store::Record& record_;
  std::mutex mutex_;  // held while a commit is prepared and made, so that what was compared is what is replaced
};

}  // namespace millrace::ingest
