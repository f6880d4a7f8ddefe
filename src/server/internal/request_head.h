// Strictness before the parser: what other servers read differently is refused, never repaired.
#pragma once
#include <optional>
#include <string_view>

#include "server/internal/message.h"

namespace millrace::server {

inline constexpr std::size_t uri_max = 8 << 10;
inline constexpr std::size_t field_count_max = 100;

struct HeadCheck {
  bool complete = false;  // the empty line is there
  std::optional<Problem> problem;
  // of a complete head without a problem: views into its bytes
  std::size_t size = 0;  // with the empty line
  std::string_view method, target, field_lines;
  bool http_1_0 = false;
};
// Looks at the bytes read so far. A wrong first line is refused at once, not when the sender feels like going on.
HeadCheck check_head(std::string_view bytes, std::size_t head_max);

// Reads a complete head that passed the check and has nothing behind it: no body, no upgrade, no expectation, no list of
// connection options. Such are nearly all requests, and the check has left nothing to interpret. False: it is another
// kind, which the HTTP library reads; the request is then to be filled by it.
bool read_plain_head(const HeadCheck& check, Request& request);

// Fields of a complete head. `version` is 10 or 11.
std::optional<Problem> check_fields(const Request& request, unsigned version);

// Fills raw_path, parameters and host from the request target (origin, absolute or asterisk form).
std::optional<Problem> split_target(std::string_view target, Request& request);

}  // namespace millrace::server
