// TLS over a connected socket that does not block: tries, and says what to wait for.
//
// Invariants
//   * Owned by the thread of its connection.
//   * Buffers of the library are given back while nothing is under way, so that an idle connection stays small.
#pragma once
#include <memory>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace millrace::server {

class TlsLink {
 public:
  // What came of a try: done, to be tried again when the socket can be read or written, or the end.
  enum class Step { done, wait_read, wait_write, ended };

  // Null when the library has no memory. `socket` stays the caller's and outlives the link.
  static std::unique_ptr<TlsLink> over(ssl_ctx_st& context, int socket);
  ~TlsLink();
  TlsLink(const TlsLink&) = delete;
  TlsLink& operator=(const TlsLink&) = delete;

  Step handshake();
  Step read(char* to, std::size_t size, std::size_t& count);
  Step write(std::string_view bytes, std::size_t& count);
  bool has_unread() const;  // decrypted bytes that no socket will announce
  void say_goodbye();       // close_notify, if it can be sent at once

 private:
  explicit TlsLink(ssl_st* ssl) : ssl_(ssl) {}
  Step step_of(int result);
  ssl_st* ssl_;
  bool is_broken_ = false;
};

}  // namespace millrace::server
