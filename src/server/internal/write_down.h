// Rows of the audit trail for what requests do outside `people`, which writes its own.
//
// Invariants
//   * The row is stored before the deed is done: nothing is changed that is not written down. What is refused then gets a
//     second row that says so.
#pragma once
#include <string>

#include "server/internal/backend.h"

namespace millrace::server {

struct Deed {
  std::string verb;         // "source.pause"
  std::string object;       // "source:sap"
  std::string before = {};  // JSON, "" nothing
  std::string after = {};
};

// Errors   those of a commit: the deed must not be done then
Result<void> write_down(const Request& request, Backend& backend, Deed deed);
// The second row: it was not done.
void write_down_refusal(const Request& request, Backend& backend, const Deed& deed, const Error& error);

// Writes the row, does it, and says so when it was refused.
template <class Act>
auto do_and_write_down(const Request& request, Backend& backend, const Deed& deed, Act act) -> decltype(act()) {
  if (const auto written = write_down(request, backend, deed); !written) return pass_on(written);
  auto done = act();
  if (!done) write_down_refusal(request, backend, deed, done.error());
  return done;
}

}  // namespace millrace::server
