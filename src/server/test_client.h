// A small blocking HTTP and WebSocket client for tests: it shows exactly the bytes that came.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace millrace::server {

struct TestAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // without chunk frames
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class TestConnection {
 public:
  // "127.0.0.1:8080"; a small receive buffer makes a client that does not read felt soon.
  explicit TestConnection(const std::string& address, int receive_buffer = 0);

  void send(std::string_view bytes);
  // False when the server closed instead.
  bool read_more();
  TestAnswer read_answer(bool head_only = false);
  // Whatever comes until the server closes.
  std::string read_all();
  bool closed_by_server();
  void finish_sending();
  int descriptor() const { return socket_.get(); }

  // WebSocket
  TestAnswer upgrade(const std::string& extra_headers = "");
  void send_frame(int opcode, std::string_view payload, bool masked = true);
  struct Frame {
    int opcode = 0;
    std::string payload;
  };
  std::optional<Frame> read_frame();
  void send_text(std::string_view text) { send_frame(1, text); }
  // The next text frame that has `part` inside; others are passed over.
  std::string read_text_with(std::string_view part);

  std::string buffer;

 private:
  UniqueFd socket_;
  std::string host_;
};

// One request on a connection of its own.
TestAnswer ask(const std::string& address, std::string_view method, std::string_view target,
               const std::string& headers = "", std::string_view body = "");

}  // namespace millrace::server
