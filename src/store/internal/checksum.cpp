#include "store/internal/checksum.h"

#include <xxhash.h>

#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"

namespace millrace::store {
namespace {

constexpr std::uint8_t format_version = 1;

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
  for (const TableSum* table : {&state.sums.changes, &state.sums.histories, &state.sums.files, &state.sums.candidates, &state.sums.rejections}) {
    out.varint(table->count);
    out.varint(table->sum);
  }
  return bytes;
}

Result<RecordState> decode_state(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != format_version) return fail(ErrorCode::corrupt, "the state of the record has an unknown format");
  RecordState state;
  for (std::uint8_t& byte : state.identity.bytes) byte = in.u8();
  for (std::uint64_t* number : {&state.revision, &state.sequence.value, &state.touched, &state.touched_floor}) *number = in.varint();
  for (TableSum* table : {&state.sums.changes, &state.sums.histories, &state.sums.files, &state.sums.candidates, &state.sums.rejections}) {
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
