// One place orders come from, with a thread of its own: a folder, an ERP.
//
// Invariants
//   * `step` is the whole loop; one thread calls it, and it waits no longer than asked for something to do.
//   * Everything else may be called from any thread, answers at once and takes effect in a later step.
//   * What a source brings enters by `Intake` and by nothing else.
//   * A step that goes on after `request_stop`, perhaps much later, touches neither the intake nor the record any more.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ingest/control.h"

namespace millrace::ingest {

class Source {
 public:
  virtual ~Source() = default;

  // One turn of the loop. Answers whether anything happened.
  virtual bool step(std::chrono::milliseconds patience) = 0;

  virtual SourceStatus status() const = 0;
  // Since when the other side does not answer at all; nothing while it does.
  virtual std::optional<Stopwatch::time_point> hangs_since() const = 0;
  // Calls the listener that was given with the options: whoever follows the status should look.
  virtual void tell_news() const = 0;

  virtual void request_refresh(bool reread_everything) = 0;
  virtual void request_pause() = 0;
  virtual void request_resume() = 0;
  virtual void request_interval(std::chrono::seconds interval) = 0;
  // A person says that what is held (a vanished folder, a sync that would remove too much) is right.
  virtual void request_accept() = 0;
  // A person says that what is held is wrong: the last good state stays, the next turn looks again.
  virtual void request_reject() = 0;
  // Reads the refused file or record again.
  virtual void request_replay(const std::string& path) = 0;
  // Somebody outside heard that these records changed (a webhook): a hint, not the truth. `stream` is "orders".
  virtual void request_keys(std::string_view stream, std::vector<std::string> keys) = 0;
  // Ends a waiting or working step soon.
  virtual void request_stop() = 0;
};

}  // namespace millrace::ingest
