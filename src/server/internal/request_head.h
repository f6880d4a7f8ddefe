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
};
// Looks at the bytes read so far. A wrong first line is refused at once, not when the sender feels like going on.
HeadCheck check_head(std::string_view bytes, std::size_t head_max);

// Fields of a complete head. `version` is 10 or 11.
std::optional<Problem> check_fields(const Request& request, unsigned version);

// Fills raw_path, parameters and host from the request target (origin, absolute or asterisk form).
std::optional<Problem> split_target(std::string_view target, Request& request);

}  // namespace millrace::server
