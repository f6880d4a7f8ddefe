// Batches of orders that others push to us: what they are, what came of them, and the door they enter by.
//
//   POST ── PushDoor::push ──> waiting (a kept row: durable from here) ── PushSource::step ──> orders + receipt, one commit
//
// Invariants
//   * What was answered with a receipt survives: the batch waits in the record until its rows and its final receipt commit
//     together. After a kill it is there with its receipt, waits and is read again, or was never acknowledged.
//   * One Idempotency-Key does one thing: the same batch again is answered with the same receipt, another one is refused.
//   * A batch never adds half: rows that cannot be read are listed with their reason, everything else goes in together.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"

namespace millrace::ingest {

enum class PushMode : std::uint8_t {
  upsert,    // new orders are added, known ones replaced
  snapshot,  // besides, orders that are not in it are removed; it must say how many it holds
};
std::string_view word(PushMode mode);

enum class PushFormat : std::uint8_t { json, lines, csv };  // an object or array; one JSON document per line; a table
std::string_view word(PushFormat format);                   // "json", "ndjson", "csv"

struct PushedBatch {
  std::string stream;  // "orders"
  PushMode mode = PushMode::upsert;
  PushFormat format = PushFormat::json;
  std::optional<std::uint64_t> rows;  // as declared
  std::string idempotency_key;        // "": none
  std::string body;
};

// A row that adds nothing.
struct RefusedRow {
  std::uint64_t row = 0;  // line of the body, counted from 1; 0: all of it
  std::string field;      // as it is called there, "" when it is about more than one
  std::string reason;     // one sentence
  std::string value;
  std::string order;      // its number, when known
  bool operator==(const RefusedRow&) const = default;
};

struct BatchReceipt {
  enum class State : std::uint8_t {
    waiting,  // durable, not read yet
    reading,
    held,    // would remove more than the guard allows: waits for a person
    done,
    failed,  // nothing of it was taken; `message` says why
  };
  static constexpr std::size_t refused_rows_max = 1000;  // listed; all are counted

  std::string id, source, stream;
  PushMode mode = PushMode::upsert;
  PushFormat format = PushFormat::json;
  State state = State::waiting;
  Instant received;
  std::optional<Instant> finished;
  ContentHash content;             // of mode, format, declared rows and body
  std::uint64_t bytes = 0;
  std::uint64_t done = 0, total = 0;  // orders, while it is read
  std::uint64_t accepted = 0;      // orders that were new or different
  std::uint64_t unchanged = 0;
  std::uint64_t removed = 0;       // by a snapshot
  std::uint64_t rejected = 0;      // rows
  std::vector<RefusedRow> refused;
  std::string message;             // one sentence when failed or held
  bool replayed = false;           // this answer was given before; nothing was done again
  bool is_final() const { return state == State::done || state == State::failed; }
};
std::string_view word(BatchReceipt::State state);
std::string encode(const BatchReceipt& receipt);
Result<BatchReceipt> decode_batch_receipt(std::string_view bytes);

// A batch as it waits in the record.
std::string encode(const PushedBatch& batch, const BatchReceipt& receipt);
struct WaitingBatch {
  PushedBatch batch;
  BatchReceipt receipt;
};
Result<WaitingBatch> decode_waiting_batch(std::string_view bytes);

// Any thread may call.
class PushDoor {
 public:
  virtual ~PushDoor() = default;
  // Makes the batch durable and answers its receipt; it is read soon after. Waits for one commit of the record.
  // `token` is what the caller carries, "" nothing.
  // Errors   not_found      no such source or stream; the text lists those there are
  //          denied         the source asks for another token
  //          invalid_input  empty, declared wrongly, or not what its format says
  //          conflict       the key was used for another batch
  //          limit_reached  too many batches wait; try again later
  //          those of Record::commit
  virtual Result<BatchReceipt> push(std::string_view source, PushedBatch batch, std::string_view token) = 0;
  // Errors   not_found  no such batch (any more); denied
  virtual Result<BatchReceipt> receipt(std::string_view source, std::string_view stream, std::string_view id, std::string_view token) = 0;
};

// Whether two secrets are the same, in a time that does not tell where they differ.
bool same_secret(std::string_view left, std::string_view right);

}  // namespace millrace::ingest
