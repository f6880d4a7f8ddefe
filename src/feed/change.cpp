#include "feed/change.h"

#include "base/bytes.h"
#include "domain/finance_codec.h"
#include "domain/order_codec.h"

namespace millrace::feed {
namespace {

// Version 2 is an order with what several sources say of it behind the rest, version 3 that and then what people wrote on it;
// all else is version 1, as it always was.
constexpr std::uint8_t format_version = 1, joined_order_version = 2, overlaid_order_version = 3;

void put_instant(ByteWriter& out, Instant instant) { out.signed_varint(instant.time_since_epoch().count()); }
Instant take_instant(ByteReader& in) { return Instant{std::chrono::milliseconds{in.signed_varint()}}; }

void put_document(ByteWriter& out, const OrderDocument& document) {
  for (const std::string* text : {&document.source, &document.path, &document.format, &document.status}) out.text(*text);
  out.text(std::string_view(reinterpret_cast<const char*>(document.hash.bytes.data()), document.hash.bytes.size()));
  put_instant(out, document.modified);
  out.u8(document.updated ? 1 : 0);
  if (document.updated) put_instant(out, *document.updated);
  out.signed_varint(document.total);
  out.signed_varint(document.open);
  out.varint(document.line_count);
  out.u8(document.damaged_since ? 1 : 0);
}

OrderDocument take_document(ByteReader& in) {
  OrderDocument document;
  for (std::string* text : {&document.source, &document.path, &document.format, &document.status}) *text = in.text();
  const std::string_view hash = in.text();
  if (hash.size() == document.hash.bytes.size()) {
    std::copy(hash.begin(), hash.end(), reinterpret_cast<char*>(document.hash.bytes.data()));
  } else {
    in.fail();
  }
  document.modified = take_instant(in);
  if (in.u8() == 1) document.updated = take_instant(in);
  document.total = in.signed_varint();
  document.open = in.signed_varint();
  document.line_count = static_cast<std::uint32_t>(in.varint());
  document.damaged_since = in.u8() == 1;
  return document;
}

void put_order(ByteWriter& out, const OrderPut& put) {
  out.text(encode(*put.order));
  out.varint(put.documents.size());
  for (const OrderDocument& document : put.documents) put_document(out, document);
  out.varint(put.flags.size());
  for (const std::string& flag : put.flags) out.text(flag);
}

bool is_joined(const OrderPut& put) { return !put.differences.empty() || !put.origins.empty(); }

bool is_overlaid(const OrderPut& put) { return put.overlay_version > 0 || !put.by.empty(); }

std::uint8_t version_of(const Change& change) {
  if (change.kind != ChangeKind::order_put) return format_version;
  if (is_overlaid(change.put)) return overlaid_order_version;
  return is_joined(change.put) ? joined_order_version : format_version;
}

void put_overlay(ByteWriter& out, const OrderPut& put) {
  out.varint(put.overlay_version);
  out.varint(put.overlay.size());
  for (const Overlaid& value : put.overlay) {
    encode(out, value.written);
    out.text(value.beneath);
  }
  out.text(put.by);
}

void take_overlay(ByteReader& in, OrderPut& put) {
  put.overlay_version = in.varint();
  put.overlay.resize(in.count(7));
  for (Overlaid& value : put.overlay) {
    value.written = take_overlay_value(in);
    value.beneath = in.text();
  }
  put.by = in.text();
}

void put_joined(ByteWriter& out, const OrderPut& put) {
  out.varint(put.differences.size());
  for (const Difference& difference : put.differences) {
    out.text(difference.field);
    out.signed_varint(difference.line);
    out.varint(difference.values.size());
    for (const Difference::Value& value : difference.values) {
      out.varint(value.document);
      out.text(value.text);
    }
    out.varint(difference.counts);
    out.text(difference.rule);
    out.text(difference.decided_by);
    out.u8(difference.decided_at ? 1 : 0);
    if (difference.decided_at) put_instant(out, *difference.decided_at);
  }
  out.varint(put.origins.size());
  for (const Origin& origin : put.origins) {
    out.text(origin.field);
    out.signed_varint(origin.line);
    out.varint(origin.document);
  }
}

// Screens follow the numbers without looking: they are checked where they come in.
std::uint32_t take_place(ByteReader& in, std::size_t bound) {
  const std::uint64_t place = in.varint();
  if (place >= bound) in.fail();
  return static_cast<std::uint32_t>(place);
}

Difference take_difference(ByteReader& in, std::size_t document_count) {
  Difference difference;
  difference.field = in.text();
  difference.line = static_cast<std::int32_t>(in.signed_varint());
  difference.values.resize(in.count(2));
  for (Difference::Value& value : difference.values) {
    value.document = take_place(in, document_count);
    value.text = in.text();
  }
  difference.counts = take_place(in, difference.values.size());
  difference.rule = in.text();
  difference.decided_by = in.text();
  if (in.u8() == 1) difference.decided_at = take_instant(in);
  return difference;
}

void take_joined(ByteReader& in, OrderPut& put) {
  const std::size_t differences = in.count(8);
  for (std::size_t i = 0; i < differences && in.ok(); ++i) put.differences.push_back(take_difference(in, put.documents.size()));
  const std::size_t origins = in.count(3);
  for (std::size_t i = 0; i < origins && in.ok(); ++i) {
    Origin origin;
    origin.field = in.text();
    origin.line = static_cast<std::int32_t>(in.signed_varint());
    origin.document = take_place(in, put.documents.size());
    put.origins.push_back(std::move(origin));
  }
}

Result<OrderPut> take_order(ByteReader& in) {
  OrderPut put;
  auto order = decode_order(in.text());
  if (!order) return pass_on(order);
  put.order = std::make_shared<const SalesOrder>(std::move(*order));
  const std::size_t documents = in.count(16);
  for (std::size_t i = 0; i < documents && in.ok(); ++i) put.documents.push_back(take_document(in));
  const std::size_t flags = in.count();
  for (std::size_t i = 0; i < flags && in.ok(); ++i) put.flags.emplace_back(in.text());
  return put;
}

void put_rejection(ByteWriter& out, const Rejection& rejection) {
  out.varint(rejection.id);
  for (const std::string* text : {&rejection.source, &rejection.path, &rejection.place, &rejection.reason,
                                  &rejection.value, &rejection.order_number})
    out.text(*text);
  out.u8(static_cast<std::uint8_t>(rejection.outcome));
  put_instant(out, rejection.since);
}

Rejection take_rejection(ByteReader& in) {
  Rejection rejection;
  rejection.id = in.varint();
  for (std::string* text : {&rejection.source, &rejection.path, &rejection.place, &rejection.reason, &rejection.value,
                            &rejection.order_number})
    *text = in.text();
  const std::uint8_t outcome = in.u8();
  if (outcome > static_cast<std::uint8_t>(Outcome::held)) in.fail();
  rejection.outcome = static_cast<Outcome>(outcome);
  rejection.since = take_instant(in);
  return rejection;
}

}  // namespace

std::string_view word(Outcome outcome) {
  switch (outcome) {
    case Outcome::reject: return "reject";
    case Outcome::keep_previous: return "keep_previous";
    case Outcome::ingest_and_flag: return "ingest_and_flag";
    case Outcome::superseded: return "superseded";
    case Outcome::held: break;
  }
  return "held";
}

std::string_view word(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::order_put: return "order_put";
    case ChangeKind::order_removed: return "order_removed";
    case ChangeKind::rejection_put: return "rejection_put";
    case ChangeKind::rejection_removed: return "rejection_removed";
    case ChangeKind::finance_put: return "finance_put";
    case ChangeKind::finance_removed: break;
  }
  return "finance_removed";
}

Change order_put(OrderPut put) {
  Change change;
  change.kind = ChangeKind::order_put;
  change.put = std::move(put);
  return change;
}

Change order_removed(OrderNumber number, std::string reason) {
  Change change;
  change.kind = ChangeKind::order_removed;
  change.removed = OrderRemoved{std::move(number), std::move(reason)};
  return change;
}

Change rejection_put(Rejection rejection) {
  Change change;
  change.kind = ChangeKind::rejection_put;
  change.rejection_put.rejection = std::move(rejection);
  return change;
}

Change rejection_removed(std::uint64_t id) {
  Change change;
  change.kind = ChangeKind::rejection_removed;
  change.rejection_removed.id = id;
  return change;
}

Change finance_put(FinanceDocument document, std::string by) {
  Change change;
  change.kind = ChangeKind::finance_put;
  change.finance_put = {std::make_shared<const FinanceDocument>(std::move(document)), std::move(by)};
  return change;
}

Change finance_removed(FinanceRemoved removed) {
  Change change;
  change.kind = ChangeKind::finance_removed;
  change.finance_removed = std::move(removed);
  return change;
}

namespace {

std::string finance_subject(FinanceKind kind, const std::string& source, const std::string& key) {
  return std::string(millrace::word(kind)) + "/" + source + "/" + key;
}

}  // namespace

std::string subject(const Change& change) {
  switch (change.kind) {
    case ChangeKind::order_put: return change.put.order->number.text;
    case ChangeKind::order_removed: return change.removed.number.text;
    case ChangeKind::rejection_put: return std::to_string(change.rejection_put.rejection.id);
    case ChangeKind::rejection_removed: return std::to_string(change.rejection_removed.id);
    case ChangeKind::finance_put: {
      const FinanceDocument& document = *change.finance_put.document;
      return finance_subject(document.kind, document.source, finance_key(document));
    }
    case ChangeKind::finance_removed: break;
  }
  return finance_subject(change.finance_removed.kind, change.finance_removed.source, change.finance_removed.key);
}

std::string encode_payload(const Change& change) {
  std::string bytes;
  ByteWriter out(bytes);
  const std::uint8_t version = version_of(change);
  out.u8(version);
  switch (change.kind) {
    case ChangeKind::order_put:
      put_order(out, change.put);
      if (version >= joined_order_version) put_joined(out, change.put);
      if (version >= overlaid_order_version) put_overlay(out, change.put);
      break;
    case ChangeKind::order_removed:
      out.text(change.removed.number.text);
      out.text(change.removed.reason);
      break;
    case ChangeKind::rejection_put: put_rejection(out, change.rejection_put.rejection); break;
    case ChangeKind::rejection_removed: out.varint(change.rejection_removed.id); break;
    case ChangeKind::finance_put:
      out.text(encode(*change.finance_put.document));
      out.text(change.finance_put.by);
      break;
    case ChangeKind::finance_removed:
      out.u8(static_cast<std::uint8_t>(change.finance_removed.kind));
      for (const std::string* text : {&change.finance_removed.source, &change.finance_removed.key, &change.finance_removed.reason, &change.finance_removed.by})
        out.text(*text);
      break;
  }
  return bytes;
}

Result<Change> decode_payload(ChangeKind kind, std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  const std::uint8_t version_max = kind == ChangeKind::order_put ? overlaid_order_version : format_version;
  if (version < format_version || version > version_max)
    return fail(ErrorCode::corrupt, "a change has the unknown format " + std::to_string(version));
  Change change;
  change.kind = kind;
  switch (kind) {
    case ChangeKind::order_put: {
      auto put = take_order(in);
      if (!put) return pass_on(put);
      change.put = std::move(*put);
      if (version >= joined_order_version) take_joined(in, change.put);
      if (version >= overlaid_order_version) take_overlay(in, change.put);
      break;
    }
    case ChangeKind::order_removed:
      change.removed.number.text = in.text();
      change.removed.reason = in.text();
      break;
    case ChangeKind::rejection_put: change.rejection_put.rejection = take_rejection(in); break;
    case ChangeKind::rejection_removed: change.rejection_removed.id = in.varint(); break;
    case ChangeKind::finance_put: {
      auto document = decode_finance_document(in.text());
      if (!document) return pass_on(document);
      change.finance_put.document = std::make_shared<const FinanceDocument>(std::move(*document));
      change.finance_put.by = in.text();
      break;
    }
    case ChangeKind::finance_removed:
      change.finance_removed.kind = static_cast<FinanceKind>(in.u8());
      if (millrace::word(change.finance_removed.kind).empty()) in.fail();
      for (std::string* text : {&change.finance_removed.source, &change.finance_removed.key, &change.finance_removed.reason, &change.finance_removed.by})
        *text = in.text();
      break;
    default: return fail(ErrorCode::corrupt, "a change is of an unknown kind");
  }
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "a change record is damaged");
  return change;
}

}  // namespace millrace::feed
