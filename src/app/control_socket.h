// A door into the running server for commands of the same machine and account: a socket file in the data folder.
//
//   client  connects, writes one request, closes its writing half
//   server  answers once, closes
//
// Invariants
//   * Only the account that runs the server, and root, get in: by the rights of the file and by what the kernel says of
//     the other side.
//   * One request at a time, bounded in bytes and time: a client that stalls is left, and holds up the next one no longer.
//   * What travels never leaves the machine and is never logged: passwords may be in it.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/fd.h"
#include "base/result.h"

namespace millrace::app {

class ControlSocket {
 public:
  static constexpr std::size_t request_bytes_max = 64 << 10;
  static constexpr std::size_t answer_bytes_max = 32 << 20;
  static constexpr std::chrono::seconds request_patience{5};

  // `answer` is called by the socket's own thread. A socket file that is left from before is replaced.
  // Errors   unavailable  the file cannot be made there
  static Result<std::unique_ptr<ControlSocket>> open(std::string path, std::function<std::string(std::string_view request)> answer);
  ~ControlSocket();

 private:
  ControlSocket() = default;
  void serve();
  void attend(int fd) const;

  std::string path_;
  std::function<std::string(std::string_view)> answer_;
  UniqueFd listening_, stop_read_, stop_write_;
  std::thread thread_;
};

// Errors   not_found    no server holds that socket
//          unavailable  it did not answer in time
Result<std::string> ask_control(const std::string& path, std::string_view request, std::chrono::milliseconds patience);

}  // namespace millrace::app
