// TLS to a server on this very machine, for the program's own commands.
//
// The certificate is not judged: nothing leaves the machine, and whoever could listen on the port in the server's stead
// could do so without TLS too. What is secret between a command and its server goes through the control socket.
#pragma once
#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

struct ssl_st;

namespace millrace::app {

class LoopbackTls {
 public:
  // Errors   unavailable  no handshake before the deadline; the text says why
  static Result<LoopbackTls> over(int fd, Stopwatch::time_point deadline);
  Result<void> send(std::string_view bytes, Stopwatch::time_point deadline);
  // Bytes read, 0 at the end.
  Result<std::size_t> receive(char* to, std::size_t size, Stopwatch::time_point deadline);

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  LoopbackTls(int fd, ssl_st* ssl) : fd_(fd), ssl_(ssl) {}
  // What the library wants before it is called again; false: it failed or time is over.
  bool wait_after(int result, Stopwatch::time_point deadline) const;

  int fd_;
  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace millrace::app
