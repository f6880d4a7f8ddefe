// What happened: the only thing that the read model, the screens and the history are made of.
//
// Invariants
//   * A change is self-contained: applied in the order of their Sequence, changes 1..N give the state at N,
//     without any other input.
//   * `order_put` carries the whole order and what is known about its files; there are no partial orders.
//   * encode/decode round-trip; damaged bytes decode to `corrupt`. Records of earlier versions stay readable for ever.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "domain/finance.h"
#include "domain/order.h"
#include "domain/overlay.h"
#include "feed/sequence.h"

namespace millrace::feed {

// Several documents may speak of one order. The one that counts comes first; the others stay visible.
struct OrderDocument {
  std::string source;   // source id, "orders"
  std::string path;     // bytes, relative to the source's root
  std::string format;   // json, csv, xlsx, pdf
  ContentHash hash;     // of the whole file
  Instant modified;     // the file's mtime
  std::optional<Instant> updated;  // the document's own stamp
  std::string status;   // folder state this copy claims
  std::int64_t total = 0;
  std::int64_t open = 0;
  std::uint32_t line_count = 0;
  bool damaged_since = false;  // the file was overwritten by something unreadable; this is its last good content
  bool operator==(const OrderDocument&) const = default;
};

// Sources that both speak of an order say different things of one value. Which documents speak for their source is
// said by the numbers: they are the first ones of `OrderPut::documents`.
struct Difference {
  struct Value {
    std::uint32_t document = 0;  // place in OrderPut::documents
    std::string text;            // as a person reads it: "450", "2026-03-10"
    bool operator==(const Value&) const = default;
  };
  std::string field;          // "quantity", "requested", "line": as in the order list and its lines
  std::int32_t line = 0;      // line number in the order as it counts; 0: the order's head
  std::vector<Value> values;  // of every source that says something, at least two
  std::uint32_t counts = 0;   // place in `values`
  std::string rule;           // "erp-wins", "newest", "orders-wins", "decided"
  std::string decided_by;     // the person, "" when a rule decided
  std::optional<Instant> decided_at;
  bool operator==(const Difference&) const = default;
};

// A value that does not come from the document that counts.
struct Origin {
  std::string field;      // "line": the whole line
  std::int32_t line = 0;  // 0: the order's head
  std::uint32_t document = 0;
  bool operator==(const Origin&) const = default;
};

// A value that a person wrote on the order, and what its sources say there now.
struct Overlaid {
  OverlayValue written;
  std::string beneath;  // "" when they say nothing, or the field is ours alone
  bool operator==(const Overlaid&) const = default;
};

struct OrderPut {
  std::shared_ptr<const SalesOrder> order;
  std::vector<OrderDocument> documents;  // [0] counts
  std::vector<std::string> flags;        // sentences for a person: "DocTotal says 110.00, the lines give 100.00"
  // Only of an order that several sources speak of.
  std::vector<Difference> differences = {};
  std::vector<Origin> origins = {};  // of what does not come from documents[0]
  // What people wrote; `order` counts with it. The version numbers its edits, 0: nobody ever wrote anything.
  std::uint64_t overlay_version = 0;
  std::vector<Overlaid> overlay = {};  // by field
  // Who made this change, when a person did: of the change alone, the state of the order does not keep it.
  std::string by = {};
};
// A value that a person wrote came to its end: what stands in `by` then.
inline constexpr std::string_view by_time = "(time)";

struct OrderRemoved {
  OrderNumber number;
  std::string reason;  // "file deleted: Open/2026/SO-7.json"
};

enum class Outcome : std::uint8_t {
  reject,           // adds nothing
  keep_previous,    // damaged; an older whole content counts
  ingest_and_flag,  // counts, but somebody should look
  superseded,       // a newer document of the same order counts
  held,             // not decided: the source vanished or the file still grows
};
std::string_view word(Outcome outcome);

struct Rejection {
  std::uint64_t id = 0;  // stable while the same file is refused for the same place
  std::string source;
  std::string path;    // bytes, relative
  std::string place;   // "line 14 column 3", "row 7 column due_date", "page 2", "" for the whole file
  std::string reason;  // one sentence: what is wrong and what to do
  std::string value;   // the offending text, shortened
  Outcome outcome = Outcome::reject;
  std::string order_number;  // when known
  Instant since;
  bool operator==(const Rejection&) const = default;
};

struct RejectionPut {
  Rejection rejection;
};
struct RejectionRemoved {
  std::uint64_t id = 0;
};

// The whole document; of a source's documents with one key the last one put counts.
struct FinancePut {
  std::shared_ptr<const FinanceDocument> document;
  std::string by = {};  // who wrote it, when a person did
};
struct FinanceRemoved {
  FinanceKind kind = FinanceKind::invoice;
  std::string source;
  std::string key;     // finance_key of the document
  std::string reason;  // "removed in the ERP", "" when there is nothing to say
  std::string by;      // who, when a person did
};

enum class ChangeKind : std::uint8_t {
  order_put = 1,
  order_removed = 2,
  rejection_put = 3,
  rejection_removed = 4,
  finance_put = 5,
  finance_removed = 6,
};
std::string_view word(ChangeKind kind);  // "order_put"
inline bool is_of_order(ChangeKind kind) { return kind == ChangeKind::order_put || kind == ChangeKind::order_removed; }
inline bool is_of_rejection(ChangeKind kind) { return kind == ChangeKind::rejection_put || kind == ChangeKind::rejection_removed; }
inline bool is_of_finance(ChangeKind kind) { return kind == ChangeKind::finance_put || kind == ChangeKind::finance_removed; }

struct Change {
  Sequence sequence;
  Instant at;
  ChangeKind kind = ChangeKind::order_put;
  // exactly the one that `kind` names is filled
  OrderPut put;
  OrderRemoved removed;
  RejectionPut rejection_put;
  RejectionRemoved rejection_removed;
  FinancePut finance_put = {};
  FinanceRemoved finance_removed = {};
};

Change order_put(OrderPut put);
Change order_removed(OrderNumber number, std::string reason);
Change rejection_put(Rejection rejection);
Change rejection_removed(std::uint64_t id);
Change finance_put(FinanceDocument document, std::string by = {});
Change finance_removed(FinanceRemoved removed);

// The order number, rejection id or "invoice/erp/9001" the change is about: the key of histories.
std::string subject(const Change& change);

std::string encode_payload(const Change& change);
Result<Change> decode_payload(ChangeKind kind, std::string_view bytes);

}  // namespace millrace::feed
