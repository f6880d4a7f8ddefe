#include "ingest/overlay.h"

#include <cstdio>

#include "base/bytes.h"

namespace millrace::ingest {
namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::size_t value_bytes_min = 6, change_bytes_min = 3;

void put_instant(ByteWriter& out, Instant instant) { out.signed_varint(instant.time_since_epoch().count()); }
Instant take_instant(ByteReader& in) { return Instant{std::chrono::milliseconds{in.signed_varint()}}; }

void put_maybe(ByteWriter& out, const std::optional<OverlayValue>& value) {
  out.u8(value ? 1 : 0);
  if (value) encode(out, *value);
}
std::optional<OverlayValue> take_maybe(ByteReader& in) {
  const std::uint8_t there = in.u8();
  if (there > 1) in.fail();
  if (there != 1) return std::nullopt;
  return take_overlay_value(in);
}

}  // namespace

std::string_view word(OverlayEdit::Kind kind) {
  switch (kind) {
    case OverlayEdit::Kind::written: return "written";
    case OverlayEdit::Kind::undone: return "undone";
    case OverlayEdit::Kind::ended: return "ended";
    case OverlayEdit::Kind::sheet: break;
  }
  return "sheet";
}

std::string overlay_edit_key(std::uint64_t id) {
  char text[24];
  std::snprintf(text, sizeof text, "%012llu", static_cast<unsigned long long>(id));
  return text;
}

std::string encode(const KeptOverlay& overlay) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(format_version);
  out.varint(overlay.values.size());
  for (const OverlayValue& value : overlay.values) encode(out, value);
  out.varint(overlay.edits.size());
  std::uint64_t before = 0;
  for (const std::uint64_t id : overlay.edits) out.varint(id - std::exchange(before, id));
  return bytes;
}

Result<KeptOverlay> decode_kept_overlay(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  KeptOverlay overlay;
  const std::size_t values = in.count(value_bytes_min);
  for (std::size_t i = 0; i < values && in.ok(); ++i) overlay.values.push_back(take_overlay_value(in));
  overlay.edits.resize(in.count());
  std::uint64_t before = 0;
  for (std::uint64_t& id : overlay.edits) id = before += in.varint();
  if (version != format_version || !in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "what people wrote on an order is damaged in the record");
  return overlay;
}

std::string encode(const OverlayEdit& edit) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(format_version);
  out.varint(edit.id);
  out.text(edit.order);
  out.varint(edit.version);
  out.u8(static_cast<std::uint8_t>(edit.kind));
  out.text(edit.author);
  put_instant(out, edit.at);
  out.varint(edit.undoes);
  out.varint(edit.group);
  out.text(edit.key);
  out.varint(edit.wish);
  out.varint(edit.changes.size());
  for (const OverlayChange& change : edit.changes) {
    out.text(change.field);
    put_maybe(out, change.before);
    put_maybe(out, change.after);
  }
  return bytes;
}

Result<OverlayEdit> decode_overlay_edit(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  OverlayEdit edit;
  edit.id = in.varint();
  edit.order = in.text();
  edit.version = in.varint();
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(OverlayEdit::Kind::sheet)) in.fail();
  edit.kind = static_cast<OverlayEdit::Kind>(kind);
  edit.author = in.text();
  edit.at = take_instant(in);
  edit.undoes = in.varint();
  edit.group = in.varint();
  edit.key = in.text();
  edit.wish = in.varint();
  edit.changes.resize(in.count(change_bytes_min));
  for (OverlayChange& change : edit.changes) {
    change.field = in.text();
    change.before = take_maybe(in);
    change.after = take_maybe(in);
  }
  if (version != format_version || !in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "an edit of what people wrote is damaged in the record");
  return edit;
}

}  // namespace millrace::ingest
