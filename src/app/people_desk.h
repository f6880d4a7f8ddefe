// The people of one data folder, in the server that holds its record: audit trail, directory, and the door for commands.
//
// Invariants
//   * Opened after the record and closed before it.
//   * What ran out ends within a second or so: a thread of its own steps the directory.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/control_socket.h"
#include "app/loopback_http.h"
#include "app/people_orders.h"
#include "app/settings.h"
#include "metrics/metrics.h"
#include "people/audit.h"
#include "people/directory.h"
#include "store/record.h"

namespace millrace::app {

class PeopleDesk {
 public:
  // `on_revoked` hears from any thread which sessions and tokens ended, from the first moment on.
  // Errors   those of Audit::open and Directory::open; unavailable  the control socket cannot be made
  static Result<std::unique_ptr<PeopleDesk>> open(const Settings& settings, store::Record& record, metrics::Registry& metrics, const Clock& clock,
                                                  std::function<void(const people::Revoked&)> on_revoked = {}, people::DirectoryOptions options = {});
  ~PeopleDesk();

  people::Directory& directory() { return *directory_; }
  people::Audit& audit() { return *audit_; }
  // Where this server listens and how people write it, once that is known. Links name the setting public_url, or this.
  void listens_on(std::string address, std::string url);
  // While nobody can administer: a link that makes the first administrator. Else "".
  Result<std::string> first_link();

 private:
  PeopleDesk() = default;
  std::string base() const;
  std::string address() const;
  Result<std::string> carry_out(const PeopleOrder& order, const Clock& clock);
  void step_until_stopped();

  std::unique_ptr<people::Audit> audit_;
  std::unique_ptr<people::Directory> directory_;
  std::unique_ptr<ControlSocket> control_;
  std::thread stepper_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::condition_variable stop_news_;
  bool stopping_ = false;
  std::string address_;    // "127.0.0.1:8080"
  std::string url_;        // "https://plant.example:8443"
  std::string public_url_;  // "" when nobody said
};

// The socket of a data folder.
std::string control_path(const Settings& settings);

// Has an order carried out: by the server that uses the data folder, else on the record itself. With `make` a data folder
// that is not there yet is made.
// Errors   not_found  no record there; those of the record and of carry_out
Result<std::string> carry_out_here(const Settings& settings, const PeopleOrder& order, const Clock& clock, bool make);

// Whether whoever reaches this server has to sign in.
bool asks_sign_in(const Settings& settings, const people::Directory& directory);

// The server that commands ask: that of the settings, with a pass of a few minutes when it is the one of this data folder.
// A pass is shown to nobody else, whoever listens at that address.
LocalServer local_server(const Settings& settings);

}  // namespace millrace::app
