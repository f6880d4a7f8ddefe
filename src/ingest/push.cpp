#include "ingest/push.h"

#include <array>

#include "base/bytes.h"

namespace millrace::ingest {
namespace {

constexpr std::uint8_t version = 1;

void write(ByteWriter& writer, Instant instant) { writer.signed_varint(instant.time_since_epoch().count()); }
Instant read_instant(ByteReader& reader) { return Instant(Instant::duration(reader.signed_varint())); }

template <class Enum>
Enum read_enum(ByteReader& reader, Enum last) {
  const std::uint8_t value = reader.u8();
  if (value > static_cast<std::uint8_t>(last)) reader.fail();
  return static_cast<Enum>(value);
}

void write(ByteWriter& writer, const BatchReceipt& receipt) {
  for (const std::string* text : {&receipt.id, &receipt.source, &receipt.stream, &receipt.message}) writer.text(*text);
  writer.u8(static_cast<std::uint8_t>(receipt.mode));
  writer.u8(static_cast<std::uint8_t>(receipt.format));
  writer.u8(static_cast<std::uint8_t>(receipt.state));
  write(writer, receipt.received);
  writer.u8(receipt.finished ? 1 : 0);
  if (receipt.finished) write(writer, *receipt.finished);
  for (const std::uint8_t byte : receipt.content.bytes) writer.u8(byte);
  for (const std::uint64_t number : {receipt.bytes, receipt.done, receipt.total, receipt.accepted, receipt.unchanged, receipt.removed, receipt.rejected})
    writer.varint(number);
  writer.varint(receipt.refused.size());
  for (const RefusedRow& row : receipt.refused) {
    writer.varint(row.row);
    for (const std::string* text : {&row.field, &row.reason, &row.value, &row.order}) writer.text(*text);
  }
}

BatchReceipt read_receipt(ByteReader& reader) {
  BatchReceipt receipt;
  for (std::string* text : {&receipt.id, &receipt.source, &receipt.stream, &receipt.message}) *text = reader.text();
  receipt.mode = read_enum(reader, PushMode::snapshot);
  receipt.format = read_enum(reader, PushFormat::csv);
  receipt.state = read_enum(reader, BatchReceipt::State::failed);
  receipt.received = read_instant(reader);
  if (reader.u8() == 1) receipt.finished = read_instant(reader);
  for (std::uint8_t& byte : receipt.content.bytes) byte = reader.u8();
  for (std::uint64_t* number :
       {&receipt.bytes, &receipt.done, &receipt.total, &receipt.accepted, &receipt.unchanged, &receipt.removed, &receipt.rejected})
    *number = reader.varint();
  const std::size_t rows = reader.count(5);
  for (std::size_t i = 0; i < rows && reader.ok(); ++i) {
    RefusedRow& row = receipt.refused.emplace_back();
    row.row = reader.varint();
    for (std::string* text : {&row.field, &row.reason, &row.value, &row.order}) *text = reader.text();
  }
  return receipt;
}

Failure damaged() { return fail(ErrorCode::corrupt, "a pushed batch in the record is not readable; restore the last backup"); }

}  // namespace

std::string_view word(PushMode mode) { return mode == PushMode::snapshot ? "snapshot" : "upsert"; }

std::string_view word(PushFormat format) {
  constexpr std::array<std::string_view, 3> words = {"json", "ndjson", "csv"};
  return words[static_cast<std::size_t>(format)];
}

std::string_view word(BatchReceipt::State state) {
  constexpr std::array<std::string_view, 5> words = {"waiting", "reading", "held", "done", "failed"};
  return words[static_cast<std::size_t>(state)];
}

std::string encode(const BatchReceipt& receipt) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(version);
  write(writer, receipt);
  return out;
}

Result<BatchReceipt> decode_batch_receipt(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != version) return damaged();
  BatchReceipt receipt = read_receipt(reader);
  if (!reader.ok() || !reader.at_end()) return damaged();
  return receipt;
}

std::string encode(const PushedBatch& batch, const BatchReceipt& receipt) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(version);
  write(writer, receipt);
  writer.u8(batch.rows ? 1 : 0);
  if (batch.rows) writer.varint(*batch.rows);
  writer.text(batch.idempotency_key);
  writer.text(batch.body);
  return out;
}

Result<WaitingBatch> decode_waiting_batch(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != version) return damaged();
  WaitingBatch waiting;
  waiting.receipt = read_receipt(reader);
  if (reader.u8() == 1) waiting.batch.rows = reader.varint();
  waiting.batch.idempotency_key = reader.text();
  waiting.batch.body = reader.text();
  if (!reader.ok() || !reader.at_end()) return damaged();
  waiting.batch.stream = waiting.receipt.stream;
  waiting.batch.mode = waiting.receipt.mode;
  waiting.batch.format = waiting.receipt.format;
  return waiting;
}

bool same_secret(std::string_view left, std::string_view right) {
  // The length of ours is no secret; every byte of theirs is looked at.
  unsigned differs = left.size() == right.size() ? 0 : 1;
  for (std::size_t i = 0; i < right.size(); ++i)
    differs |= static_cast<unsigned>(static_cast<unsigned char>(right[i]) ^ static_cast<unsigned char>(left.empty() ? 0 : left[i % left.size()]));
  return differs == 0;
}

}  // namespace millrace::ingest
