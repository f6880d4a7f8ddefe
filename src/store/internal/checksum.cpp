#include "store/internal/checksum.h"

#include <xxhash.h>

#include <array>

#include "base/bytes.h"
#include "base/hash.h"

namespace millrace::store {
namespace {

constexpr std::uint8_t format_version = 2;
constexpr std::uint8_t format_version_without_kept = 1;  // of record format 3

// In the order they are stored.
template <class Sums>
auto tables_of(Sums& sums) {
  return std::array{&sums.changes, &sums.histories, &sums.files, &sums.candidates, &sums.rejections, &sums.kept};
}

}  // namespace

RowChecksum& RowChecksum::add(std::string_view bytes) {
  value_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(), value_);
  return *this;
}

RowChecksum& RowChecksum::add(std::int64_t number) {
  unsigned char bytes[8];  // little-endian on every machine
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * i));
  value_ = XXH3_64bits_withSeed(bytes, sizeof bytes, value_);
  return *this;
}

std::string encode(const RecordState& state) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(format_version);
  for (const std::uint8_t byte : state.identity.bytes) out.u8(byte);
  for (const std::uint64_t number : {state.revision, state.sequence.value, state.touched, state.touched_floor}) out.varint(number);
  for (const TableSum* table : tables_of(state.sums)) {
    out.varint(table->count);
    out.varint(table->sum);
  }
  return bytes;
}

Result<RecordState> decode_state(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != format_version && version != format_version_without_kept) return fail(ErrorCode::corrupt, "the state of the record has an unknown format");
  RecordState state;
  for (std::uint8_t& byte : state.identity.bytes) byte = in.u8();
  for (std::uint64_t* number : {&state.revision, &state.sequence.value, &state.touched, &state.touched_floor}) *number = in.varint();
  for (TableSum* table : tables_of(state.sums)) {
    if (table == &state.sums.kept && version == format_version_without_kept) continue;
    table->count = in.varint();
    table->sum = in.varint();
  }
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "the state of the record is cut");
  return state;
}

std::string digest(const RecordSums& sums) {
  RecordState bare;
  bare.sums = sums;
  return hex(content_hash(encode(bare)));
}

}  // namespace millrace::store
