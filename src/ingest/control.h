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
#include "feed/sequence.h"

namespace millrace::ingest {

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
  // Accept that a vanished or emptied root is right: its orders are then removed.
  virtual Result<void> accept_vanished(std::string_view source) = 0;
  // Reads the refused file again now. not_found  no such rejection
  virtual Result<void> replay(std::uint64_t rejection_id) = 0;
};

}  // namespace millrace::ingest
