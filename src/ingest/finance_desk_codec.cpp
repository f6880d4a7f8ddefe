#include "base/bytes.h"
#include "domain/finance_codec.h"
#include "ingest/finance_desk.h"

namespace millrace::ingest {
namespace {

constexpr std::uint8_t import_format = 1, part_format = 1;

Failure damaged(std::string_view what) { return fail(ErrorCode::corrupt, "the kept row of " + std::string(what) + " is damaged; restore the last backup"); }

std::int64_t millis(Instant at) { return at.time_since_epoch().count(); }
Instant instant_of(std::int64_t count) { return Instant(std::chrono::milliseconds(count)); }

}  // namespace

//   format id kind author file at created changed left parts undone_by undone_at
std::string encode(const KeptImport& row) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(import_format);
  writer.varint(row.id);
  writer.u8(static_cast<std::uint8_t>(row.kind));
  writer.text(row.author);
  writer.text(row.file);
  writer.signed_varint(millis(row.at));
  for (const std::uint64_t number : {row.created, row.changed, row.left, std::uint64_t{row.parts}}) writer.varint(number);
  writer.text(row.undone_by);
  writer.signed_varint(row.undone_at ? millis(*row.undone_at) : 0);
  return out;
}

Result<KeptImport> decode_kept_import(std::string_view bytes) {
  ByteReader reader(bytes);
  KeptImport row;
  const bool known = reader.u8() == import_format;
  row.id = reader.varint();
  row.kind = static_cast<FinanceKind>(reader.u8());
  row.author = reader.text();
  row.file = reader.text();
  row.at = instant_of(reader.signed_varint());
  row.created = reader.varint();
  row.changed = reader.varint();
  row.left = reader.varint();
  row.parts = static_cast<std::uint32_t>(reader.varint());
  row.undone_by = reader.text();
  const std::int64_t undone = reader.signed_varint();
  if (undone != 0) row.undone_at = instant_of(undone);
  if (!known || !reader.ok() || !reader.at_end() || word(row.kind).empty()) return damaged("an import");
  return row;
}

//   format count (key made source has_before [before])*
std::string encode(const std::vector<ImportTrace>& part) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(part_format);
  writer.varint(part.size());
  for (const ImportTrace& trace : part) {
    writer.text(trace.key);
    writer.text(trace.made);
    writer.text(trace.source);
    writer.u8(trace.before ? 1 : 0);
    if (trace.before) writer.text(encode(*trace.before));
  }
  return out;
}

Result<std::vector<ImportTrace>> decode_import_part(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool known = reader.u8() == part_format;
  std::vector<ImportTrace> part(reader.count(4));
  for (ImportTrace& trace : part) {
    trace.key = reader.text();
    trace.made = reader.text();
    trace.source = reader.text();
    if (reader.u8() != 1) continue;
    auto before = decode_finance_document(reader.text());
    if (!before) return damaged("what an import changed");
    trace.before = std::move(*before);
  }
  if (!known || !reader.ok() || !reader.at_end()) return damaged("what an import changed");
  return part;
}

}  // namespace millrace::ingest
