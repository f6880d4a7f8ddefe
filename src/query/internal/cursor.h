// Cursors as text: base64url of version, direction, filter hash, sort values, order number and a checksum.
//
// Invariants
//   * Any text may be read: what is not a cursor of ours, of this filter and sort, is refused with a sentence.
//   * The checksum finds damage, not intent: a made-up cursor can only ask for another place in the same list.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "query/internal/ranking.h"

namespace millrace::query::internal {

enum class Direction : std::uint8_t { after, before, before_or_at };

struct Cursor {
  Direction direction = Direction::after;
  Position position;
};

std::string cursor_text(const Cursor& cursor, std::uint64_t filter_hash);
// Errors   invalid_input  text begins with "cursor-mismatch: " or "bad-value: "
Result<Cursor> read_cursor(std::string_view text, std::uint64_t filter_hash, const Ranking& ranking);

}  // namespace millrace::query::internal
