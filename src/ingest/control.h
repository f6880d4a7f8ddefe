// What can be asked of and done to the sources: the face of `ingest` for routes and the command line.
//
// Any thread may call; calls answer at once and never wait for a scan.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "feed/change.h"
#include "feed/sequence.h"

namespace millrace::ingest {

// One sync of one stream, as it went.
struct SyncRun {
  Instant started;
  std::chrono::milliseconds took{0};
  std::uint64_t calls = 0;         // sent, retries included
  std::uint64_t bytes = 0;
  std::uint64_t rows_read = 0;     // keys and documents that were answered
  std::uint64_t documents_read = 0;
  std::uint64_t rows_written = 0;  // documents that were new or different
  std::uint64_t rows_gone = 0;
  std::string outcome;             // "good", "held", "failed"
  std::string message;             // one sentence unless good
};

// A stream of a service (its orders, its items).
struct StreamStatus {
  std::string name;                      // "orders"
  std::string phase;                     // "first sync", "following", "off"
  std::uint64_t rows = 0;                // held now, without those that are gone
  std::uint64_t rows_open = 0;
  std::optional<Instant> last_good;      // the last sync that went well ended then
  std::optional<Instant> verified_as_of; // every row was proven equal to the ERP's at this moment or later
  std::string verified_by;               // "full round", "first sync", "whole read"
  double verified_share = 0;             // of the running round
  std::uint64_t progress_done = 0, progress_total = 0;
  std::vector<SyncRun> runs;             // newest first, those of the last hour, at most 24
};

struct CallsByKind {
  std::string kind;  // "login", "scan", ...
  std::uint64_t calls = 0, retries = 0, failed = 0, bytes = 0;
  std::chrono::microseconds time{0};
};

// What a sync would do that nobody expects: waits for a person.
struct HeldSync {
  std::string stream;
  Instant since;
  std::string why;  // one sentence with the numbers
  std::uint64_t rows_before = 0, rows_gone = 0, rows_closed = 0;
  struct Total {
    std::string currency;
    std::int64_t before = 0, after = 0;  // open total, minor units
  };
  std::vector<Total> totals;
  struct Example {
    std::string key, number, customer;
    std::string what;  // "gone", "closed", "open amount 120.00 -> 0.00"
  };
  std::vector<Example> examples;  // the first 50
};

// What only sources that are services have.
struct ServiceStatus {
  std::string dialect;           // "sap-b1 v2", "odata v4"
  std::string address, company;  // never a secret
  bool insecure = false;
  std::vector<StreamStatus> streams;
  std::vector<CallsByKind> calls;  // since the start
  std::string breaker;             // "closed", "open", "half-open"
  std::optional<Instant> breaker_until;
  std::uint64_t calls_this_hour = 0, calls_per_hour = 0;  // 0: no bound
  struct Capability {
    std::string name, value;
  };
  std::vector<Capability> capabilities;
  std::vector<HeldSync> held;
};

// starting -> scanning -> live (events) or polling; paused by a person; held: the root vanished or came back
// empty, nothing is deleted; failed: the last refresh did not end well and is tried again.
enum class SourceState : std::uint8_t { starting, scanning, live, polling, paused, stopped, held, failed };
std::string_view word(SourceState state);

struct SourceStatus {
  std::string id;      // "orders"
  std::string kind;    // "folder"
  std::string root;    // as configured
  SourceState state = SourceState::starting;
  std::string message;  // one sentence when something needs a person
  bool needs_person = false;  // failed, and trying again changes nothing before somebody acts (credentials, rights, certificate)
  std::optional<Instant> as_of_time;        // the record agreed with the source at this moment
  std::optional<Instant> refresh_started;   // of the last or running refresh
  std::optional<Instant> refresh_next;
  std::chrono::milliseconds refresh_took{0};
  std::chrono::seconds refresh_interval{1800};
  std::uint64_t refresh_count = 0;          // finished refreshes since start
  std::uint64_t refresh_with_changes = 0;
  // of the last refresh
  std::uint64_t files = 0;
  std::uint64_t files_read = 0;       // opened because new or changed (misses)
  std::uint64_t files_unchanged = 0;  // proven unchanged by the listing (hits)
  std::uint64_t bytes_read = 0;
  // now
  std::uint64_t orders = 0;
  std::uint64_t rejections = 0;
  std::uint64_t ignored = 0;
  std::uint64_t pending = 0;       // files that wait to settle or to be parsed
  std::uint64_t progress_done = 0;
  std::uint64_t progress_total = 0;
  std::uint64_t events = 0;            // file events seen since start
  std::uint64_t event_overflows = 0;
  bool watching = false;               // file events work here
  std::string file_system;             // "local", "NFS", "SMB", "FUSE"; empty before the first look
  std::chrono::milliseconds poll_interval{0};  // between two listings, as it is now; 0 where file events tell
  std::chrono::milliseconds delay_max{0};      // a saved file is noticed after at most this
  std::string delay_why;                       // one sentence: what decides that
  std::optional<Instant> hangs_since;  // the folder has not answered since then; nothing is deleted meanwhile
  std::optional<ServiceStatus> service;  // an ERP: its streams, calls and capabilities
};

// One value that sources say differently.
struct DifferenceChoice {
  std::string order;
  std::string field;      // "quantity"
  std::int32_t line = 0;  // line number in the order; 0: its head
};

class Control {
 public:
  virtual ~Control() = default;
  virtual std::vector<SourceStatus> sources() const = 0;

  // Errors of all: not_found  no such source; the text lists those there are
  virtual Result<void> refresh(std::string_view source, bool reread_everything) = 0;
  virtual Result<void> pause(std::string_view source) = 0;
  virtual Result<void> resume(std::string_view source) = 0;
  // invalid_input  outside 10 s .. 7 d
  virtual Result<void> set_interval(std::string_view source, std::chrono::seconds interval) = 0;
  // Accept that what is held is right: a vanished or emptied root, a sync that would remove much. It is then done.
  virtual Result<void> accept_vanished(std::string_view source) = 0;
  // What is held is wrong: the last good state stays and the next turn looks again.
  virtual Result<void> reject_held(std::string_view source) = 0;
  // These records may have changed (a webhook): read them soon. invalid_input  the source is a folder, which has none
  virtual Result<void> hint(std::string_view source, std::string_view stream, std::vector<std::string> keys) = 0;
  // Reads the refused file again now. not_found  no such rejection
  virtual Result<void> replay(std::uint64_t rejection_id) = 0;

  // A person lets the value of `source` count, until any source says another. Waits for the record; answers the change
  // that puts the order as it now counts, which the read model hears of like of any other.
  // Errors   not_found      no such order, or its sources do not differ there (any more)
  //          invalid_input  `source` says nothing of it; the text says who does
  virtual Result<feed::Change> decide(const DifferenceChoice& choice, const std::string& source, const std::string& by) = 0;
  // The rule counts again. Errors   not_found  nobody decided that
  virtual Result<feed::Change> undecide(const DifferenceChoice& choice) = 0;
};

}  // namespace millrace::ingest
