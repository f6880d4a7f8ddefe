// One company of an ERP as the sync sees it: questions by key, answers as rows. How they travel is the connector's.
//
//   StreamSync ── PageQuestion ──> Remote (one for all dialects, with a Session) ── Call ──> outbound::Caller ──> Transport
//
// Invariants
//   * Rows of one page are in key order, each key once, all above `after_key`: a page that is not is refused as a whole
//     (`corrupt_page`), and nothing of it is used. Numbers are in our order; texts and GUIDs in the other side's own
//     (page_order.h), so the next question goes on from the last row's key, not from the greatest.
//   * `complete` says that nothing follows. It is never concluded from a missing next link, only from fewer rows than
//     asked for; where a page can be short for another reason, one more call makes sure.
//   * A key that `fetch` does not answer was asked for twice.
//   * One thread asks; only `calls` and `asks_ahead` may be read by others. One call is in flight at most.
//   * What `ask_ahead` brought is used by the very question it was asked for or by none.
//   * A reply that is not what was asked for (HTML, cut JSON, wrong shape) is a RemoteError, never an empty page.
#pragma once
#include <compare>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "erp/stream.h"
#include "outbound/caller.h"

namespace millrace::erp {

// Keys of one stream are all numbers or all text; numbers order as numbers.
struct Key {
  bool is_number = true;
  std::int64_t number = 0;
  std::string text;  // when not a number
  std::strong_ordering operator<=>(const Key& other) const;
  bool operator==(const Key& other) const = default;
};
std::string key_text(const Key& key);                       // "4711", "C20000"
Key key_of(const StreamDescriptor& stream, std::string_view text);

// The other side's own clock, without a zone: day and seconds of the day. Only compared with itself.
struct RemoteStamp {
  std::int32_t day = 0;      // days since 1970-01-01
  std::int32_t seconds = 0;  // of the day
  auto operator<=>(const RemoteStamp&) const = default;
};

struct RemoteRow {
  Key key;
  std::string version;               // the ETag, "" when none came
  std::optional<RemoteStamp> stamp;  // nothing when the row has none (yet)
  std::optional<bool> open;          // when the stream has an open set
  std::string document;              // the row as JSON text; only of whole reads
};

struct PageQuestion {
  enum class Kind : std::uint8_t {
    documents,  // whole rows above after_key
    open,       // keys and versions of open rows above after_key
    changed,    // keys and versions of rows stamped `since` or later, above after_key
    moving,     // both in one: open rows and rows stamped `since` or later, above after_key
    slice,      // keys and versions above after_key and not above until_key (when given)
    fetch,      // whole rows of exactly `keys`
  };
  Kind kind = Kind::documents;
  std::optional<Key> after_key;
  std::optional<Key> until_key;
  std::optional<RemoteStamp> since;
  std::optional<RemoteStamp> documents_since;  // of documents: only rows that are open or stamped since then (first sync window)
  std::vector<Key> keys;
  std::size_t rows_max = 500;
  std::size_t skip = 0;  // only of SyncRules::page_by_position: rows passed over by count, where a right question says its key
};

struct Page {
  std::vector<RemoteRow> rows;
  bool complete = false;
  // HTTP Date of the first answer it was made of, and how much later the last one was: when a row was read lies between.
  std::optional<Instant> server_time;
  std::chrono::seconds server_time_span{0};
};

enum class RemoteErrorKind : std::uint8_t {
  later,         // busy, gone for a moment, budget used up, breaker open: the same question may succeed later
  too_slow,      // timed out or broke: ask for less
  refused,       // 400: this question is not understood here; do not ask it again
  denied,        // credentials, rights, company, certificate: a person must act
  corrupt_page,  // answered, but not with what was asked for; nothing of it may be used
  cancelled,
};
struct RemoteError {
  RemoteErrorKind kind = RemoteErrorKind::later;
  std::string text;  // one sentence: what happened and what to do
  bool credentials = false;  // of denied: who we say we are was refused, and trying again may lock the user
  bool one_set = false;      // of denied: a right is missing for this entity set; the others may be read
};
template <class T>
using Remotely = std::variant<T, RemoteError>;

class Remote {
 public:
  virtual ~Remote() = default;
  virtual Dialect dialect() const = 0;
  virtual Remotely<Page> ask(const StreamDescriptor& stream, const PageQuestion& question) = 0;
  // The question that comes next: its answer may be on its way while the page before is worked on. Only a hint; a
  // question that is asked instead waits for the answer on its way and drops it.
  virtual void ask_ahead(const StreamDescriptor& /*stream*/, const PageQuestion& /*question*/) {}
  virtual void forget_ahead() {}                    // nobody will ask that question
  virtual bool asks_ahead() const { return false; }  // an answer is on its way
  // What the last answer cost: all calls since the answer before, sign-ins and what was asked ahead included.
  virtual outbound::CallCount cost() const = 0;
  // What was found out about this system at connect: version, page sizes, ETags in collections, clock offset.
  struct Capability {
    std::string name, value;
  };
  virtual std::vector<Capability> capabilities() const = 0;
  // Connects and answers what a person should know; errors are worded for `millrace doctor`.
  virtual std::optional<RemoteError> connect() = 0;
  // The same without the call that reads something: wrong credentials and addresses are told, a missing right is not.
  virtual std::optional<RemoteError> sign_in() { return connect(); }
  virtual void log_out() = 0;
  // A person wants it tried now: what only waits for time is not waited for. Refused credentials still have their pause.
  virtual void insist() {}
  virtual outbound::CallerStatus calls() const = 0;  // any thread
};

// Made by the connector. `caller` outlives it.
struct ConnectOptions {
  std::string url;       // "https://sap:50000/b1s/v2", "https://api.businesscentral.dynamics.com/v2.0/.../api/v2.0/companies(...)"
  std::string company;   // CompanyDB
  std::string user;
  std::string password;  // read from its file; never in a log, an error or a status
  std::string bearer;    // instead of user and password (odata)
  std::string oauth_token_url, oauth_client, oauth_secret, oauth_scope;  // client credentials (Business Central)
  std::chrono::milliseconds deadline{180'000};  // of one call (M060)
  // Who makes the call of `ask_ahead`: a thread of its own, or the asking one at once, so that everything happens in one
  // order (an in-process peer).
  enum class Ahead : std::uint8_t { on_a_thread, at_once };
  Ahead ahead = Ahead::on_a_thread;
  const Clock* clock = nullptr;  // tells how long a token lives and how far the server's clock is off; null: the system's
};
std::unique_ptr<Remote> make_remote(Dialect dialect, ConnectOptions options, outbound::Caller& caller);

}  // namespace millrace::erp
