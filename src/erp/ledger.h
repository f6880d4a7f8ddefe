// What we hold of one stream: which keys, in which version, proven when. The sync compares against it.
//
//   record: kept rows "erp/<source>/<stream>"  <── commit ──  Ledger (memory)  ──> StreamSync
//
// Invariants
//   * Content, open or not, status and tombstones in memory follow the record: `put` after the commit that wrote the
//     same row, never before.
//   * Versions and stamps alone may run ahead of the record: a row that was touched and came back with equal content
//     writes nothing, so after a restart it is read once more.
//   * Key order is the stream's order.
//   * A tombstone stays (`gone_at`), so that a row that comes back is a change and not news.
//   * One thread uses it.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "domain/money.h"
#include "erp/remote.h"
#include "store/record.h"

namespace millrace::erp {

struct LedgerRow {
  std::uint64_t version_hash = 0;  // of the ETag; 0 none
  std::optional<RemoteStamp> stamp;  // nothing: has none, or was read so soon after it that the next look reads again
  ContentHash content;             // Mapped::hash, or content_unknown
  bool open = false;
  std::string status;              // as filed: the first part of its path in the order book
  std::optional<Instant> gone_at;
  Money open_amount;               // of orders: what the guard adds up
  bool operator==(const LedgerRow&) const = default;
};
std::string encode(const LedgerRow& row);
Result<LedgerRow> decode_ledger_row(std::string_view bytes);
// The hash of content that we changed ourselves (a manufacturer's new name): the content itself has to be compared.
inline constexpr ContentHash content_unknown{};
// Never 0 for a version that is one.
std::uint64_t version_hash(std::string_view version);

// How a row lies in the record: the ledger's row, then what is kept of other streams than orders ("" for orders).
struct StoredRow {
  LedgerRow row;
  std::string_view content;  // into the bytes
};
std::string stored_row(const LedgerRow& row, std::string_view content);
Result<StoredRow> decode_stored_row(std::string_view bytes);

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

// Spaces of the record: rows under their keys, states under the names of the streams.
std::string rows_space(std::string_view source, const StreamDescriptor& stream);
std::string states_space(std::string_view source);

class Ledger {
 public:
  // Nothing when the key was never held; a tombstone is a row.
  std::optional<LedgerRow> find(const Key& key) const;
  bool alive(const Key& key) const;
  void put(const Key& key, const LedgerRow& row);

  // Rows above `after` and not above `until`, in key order, without tombstones; a false answer ends it.
  void each_alive(const std::optional<Key>& after, const std::optional<Key>& until,
                  const std::function<bool(const Key& key, bool open)>& row) const;
  std::optional<Key> greatest() const;  // of all that were ever held

  // without tombstones
  std::uint64_t rows() const { return rows_; }
  std::uint64_t rows_open() const { return rows_open_; }
  // One per currency, in minor units.
  const std::map<Currency, std::int64_t>& open_totals() const { return open_totals_; }

 private:
  struct Packed {
    std::uint64_t version_hash = 0;
    ContentHash content;
    std::int64_t gone_at_ms = 0;  // 0: not gone
    std::int64_t open_minor = 0;
    std::uint32_t currency = 0;
    std::int32_t stamp_day = 0;
    std::int32_t stamp_seconds = -1;  // -1: no stamp
    std::uint16_t status = 0;         // in statuses_
    bool open = false;
  };
  LedgerRow unpack(const Packed& packed) const;
  void count(const Packed& packed, int sign);
  std::uint16_t status_code(const std::string& status);

  std::map<Key, Packed> by_key_;
  std::vector<std::string> statuses_;  // a handful of words
  std::uint64_t rows_ = 0, rows_open_ = 0;
  std::map<Currency, std::int64_t> open_totals_;
};

// Reads what the record holds of a stream; `content` (may be empty) hears what is kept of each live row.
// Errors   those of the record; corrupt  a row is not one of ours: the text names it
Result<Ledger> load_ledger(store::Record& record, std::string_view source, const StreamDescriptor& stream,
                           const std::function<void(const Key& key, std::string_view content)>& content);
// A new stream starts with the default state.
Result<SyncState> load_sync_state(store::Record& record, std::string_view source, const StreamDescriptor& stream);

}  // namespace millrace::erp
