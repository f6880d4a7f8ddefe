// The few JSON documents that clients send: small, parsed whole, refused when anything is wrong.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::server {

struct LiveCommand {
  enum class Op { subscribe, unsubscribe } op = Op::subscribe;
  std::string id;
  std::string topic;
  std::optional<std::uint64_t> since;
};
Result<LiveCommand> parse_live_command(std::string_view text);

// {"field": "quantity", "line": 2, "source": "orders", "by": "Ann"}; `line` and `by` may be missing.
struct DecisionCommand {
  std::string field, source, by;
  std::int32_t line = 0;
};
Result<DecisionCommand> parse_decision(std::string_view text);
// The same without its source.
Result<DecisionCommand> parse_undecision(std::string_view text);

// {"interval_s": 600}
Result<std::int64_t> parse_interval(std::string_view text);

}  // namespace millrace::server
