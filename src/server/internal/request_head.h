// Strictness before everything: what other servers read differently is refused, never repaired (RFC 9112).
//
// Invariants
//   * Pure: looks at bytes, knows no socket. Views point into the bytes that were given.
//   * A wrong line is refused as soon as it is there, not when the sender feels like going on.
#pragma once
#include <optional>
#include <string_view>

#include "server/internal/message.h"

namespace millrace::server {

inline constexpr std::size_t uri_max = 8 << 10;
inline constexpr std::size_t field_count_max = 100;
inline constexpr std::size_t parameter_count_max = 256;

struct HeadCheck {
  bool complete = false;  // the empty line is there
  std::optional<Problem> problem;
  // of a complete head without a problem: views into its bytes
  std::size_t size = 0;  // with the empty line
  std::string_view method, target, field_lines;
  bool http_1_0 = false;
};
HeadCheck check_head(std::string_view bytes, std::size_t head_max);

// One line of a head or a trailer, without its line end: a name, a colon at once, no control characters, no folding.
std::optional<Problem> check_field_line(std::string_view line);

// How the body of a request is framed.
struct Framing {
  enum class Body { none, length, chunked };
  Body body = Body::none;
  std::uint64_t length = 0;  // of Body::length
  bool says_continue = false;  // the client waits for 100 Continue
};

// Fills method, headers, keep_alive and framing of a complete head without a problem. What contradicts itself, is given
// twice where once is the rule, or would have to be guessed is a problem.
std::optional<Problem> read_fields(const HeadCheck& check, Request& request, Framing& framing);

// Fills raw_path, parameters and host from the request target (origin, absolute or asterisk form).
std::optional<Problem> split_target(std::string_view target, Request& request);

bool is_token(std::string_view text);  // RFC 9110, section 5.6.2

}  // namespace millrace::server
