#include "query/internal/cursor.h"

#include <array>

#include "base/bytes.h"
#include "base/hash.h"

namespace millrace::query::internal {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t checksum_size = 4;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    held += 8;
    while (held >= 6) out.push_back(alphabet[bits >> (held -= 6) & 63]);
  }
  if (held > 0) out.push_back(alphabet[bits << (6 - held) & 63]);
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  static const std::array<std::int8_t, 256> values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i) table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
  }();
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::int8_t value = values[static_cast<std::uint8_t>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) out.push_back(static_cast<char>(bits >> (held -= 8) & 0xff));
  }
  return out;
}

std::string checksum(std::string_view bytes) {
  std::uint64_t hash = hash64(bytes);
  std::string out;
  for (std::size_t i = 0; i < checksum_size; ++i, hash >>= 8) out.push_back(static_cast<char>(hash & 0xff));
  return out;
}

Failure foreign() {
  return fail(ErrorCode::invalid_input, "bad-value: this cursor is damaged or not one of ours; ask again without cursor");
}

}  // namespace

std::string cursor_text(const Cursor& cursor, std::uint64_t filter_hash) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(version);
  out.u8(static_cast<std::uint8_t>(cursor.direction));
  out.varint(filter_hash);
  out.varint(cursor.position.values.size());
  for (const SortValue& value : cursor.position.values) {
    out.u8(value.absent ? 1 : 0);
    out.signed_varint(value.number);
    out.text(value.text);
  }
  out.text(cursor.position.number);
  bytes += checksum(bytes);
  return base64url(bytes);
}

Result<Cursor> read_cursor(std::string_view text, std::uint64_t filter_hash, const Ranking& ranking) {
  const auto decoded = from_base64url(text);
  if (!decoded || decoded->size() <= checksum_size) return foreign();
  const std::string_view bytes = std::string_view(*decoded).substr(0, decoded->size() - checksum_size);
  if (checksum(bytes) != std::string_view(*decoded).substr(bytes.size())) return foreign();

  ByteReader in(bytes);
  if (in.u8() != version) return foreign();
  const std::uint8_t direction = in.u8();
  if (direction > static_cast<std::uint8_t>(Direction::before_or_at)) return foreign();
  const std::uint64_t hash = in.varint();
  Cursor cursor;
  cursor.direction = static_cast<Direction>(direction);
  cursor.position.values.resize(in.count(3));
  for (SortValue& value : cursor.position.values) {
    value.absent = in.u8() != 0;
    value.number = in.signed_varint();
    value.text = in.text();
  }
  cursor.position.number = in.text();
  if (!in.ok() || !in.at_end()) return foreign();
  if (hash != filter_hash || !ranking.fits(cursor.position)) {
    return fail(ErrorCode::invalid_input,
                "cursor-mismatch: this cursor belongs to other filters or another sort; ask again without cursor");
  }
  return cursor;
}

}  // namespace millrace::query::internal
