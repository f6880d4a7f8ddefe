// Whatever answers calls inside the process (`ServiceLayer`) as an HTTP server on loopback: for the demo company,
// stories and torture.
//
// Invariants
//   * Listens on loopback only; one thread of its own.
//   * A fault that breaks a connection breaks it; one that is slow or silent makes the client wait.
//   * `stop` ends within moments, also while clients wait; called by the destructor.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "outbound/http.h"

namespace millrace::simulator {

struct ListenerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  // PEM files; both or none. With them it speaks TLS.
  std::string certificate_file, key_file;
};

class Listener {
 public:
  // Called on the listener's thread, one call at a time; what it refers to outlives the listener.
  using Answer = std::function<outbound::Reply(const outbound::Call&)>;

  // Errors   invalid_input  not a loopback address, or a certificate that cannot be used
  //          unavailable    the port is taken; the text names it
  static Result<std::unique_ptr<Listener>> start(ListenerOptions options, Answer answer);
  ~Listener();
  void stop();

  std::string url() const;  // "http://127.0.0.1:50123", without a path

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::simulator
