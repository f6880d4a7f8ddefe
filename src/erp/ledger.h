// What we hold of one stream: which keys, in which version, proven when. The sync compares against it.
//
//   record: kept rows "erp/<source>/<stream>"  <── commit ──  Ledger (memory)  ──> StreamSync
//
// Invariants
//   * Memory follows the record: `apply` after the commit that wrote the same rows, never before.
//   * Key order is the stream's order.
//   * A tombstone stays (`gone_at`), so that a row that comes back is a change and not news.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "erp/remote.h"

namespace millrace::erp {

struct LedgerRow {
  std::uint64_t version_hash = 0;  // of the ETag; 0 none
  std::optional<RemoteStamp> stamp;
  ContentHash content;             // Mapped::hash
  bool open = false;
  std::string status;              // as filed: the first part of its path in the order book
  std::optional<Instant> gone_at;
};
std::string encode(const LedgerRow& row);
Result<LedgerRow> decode_ledger_row(std::string_view bytes);

// The state of one stream between two steps; written in the transaction of the rows it speaks of.
struct SyncState {
  enum class Phase : std::uint8_t { backfill, following };
  Phase phase = Phase::backfill;
  std::optional<Key> cursor;              // backfill: the last key whose page is committed
  std::optional<RemoteStamp> watermark;   // following: scans ask from here (already with the overlap)
  std::optional<Key> slice_cursor;        // anti-entropy: the last key proven in this round
  std::uint64_t epoch = 0;                // finished rounds
  std::uint32_t page_of_documents = 0;    // as adapted; 0 the descriptor's
  std::vector<std::string> refused;       // questions this system does not understand
  bool operator==(const SyncState&) const = default;
};
std::string encode(const SyncState& state);
Result<SyncState> decode_sync_state(std::string_view bytes);

}  // namespace millrace::erp
