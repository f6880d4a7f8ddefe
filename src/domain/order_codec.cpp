#include "domain/order_codec.h"

namespace millrace {
namespace {

constexpr std::uint8_t format_version = 1;

// Days and stamps: 0 is absent, else zigzag(value) + 1, so that absent needs one byte and no flag.
void put_optional(ByteWriter& out, std::optional<std::int64_t> value) {
  if (!value) {
    out.varint(0);
    return;
  }
  out.varint(1);
  out.signed_varint(*value);
}

void put_day(ByteWriter& out, const std::optional<Day>& day) {
  put_optional(out, day ? std::optional<std::int64_t>(day_number(*day)) : std::nullopt);
}

std::optional<std::int64_t> take_optional(ByteReader& in) {
  const std::uint64_t present = in.varint();
  if (present == 0) return std::nullopt;
  if (present != 1) in.fail();
  return in.signed_varint();
}

// The calendar can name these days; anything else is damage.
constexpr std::int64_t day_min = -1'000'000, day_max = 4'000'000;

std::optional<Day> take_day(ByteReader& in) {
  const auto number = take_optional(in);
  if (!number) return std::nullopt;
  if (*number < day_min || *number > day_max) {
    in.fail();
    return std::nullopt;
  }
  return day_from_number(static_cast<std::int32_t>(*number));
}

template <class Enum>
Enum take_enum(ByteReader& in, Enum last) {
  const std::uint8_t value = in.u8();
  if (value > static_cast<std::uint8_t>(last)) in.fail();
  return in.ok() ? static_cast<Enum>(value) : Enum{};
}

void put_line(ByteWriter& out, const OrderLine& line) {
  out.signed_varint(line.line_number);
  for (const std::string* text : {&line.item_code, &line.item_name, &line.manufacturer, &line.warehouse_code, &line.unit})
    out.text(*text);
  for (const std::int64_t number : {line.quantity_ordered.micros, line.quantity_open.micros, line.unit_price.micros,
                                    line.discount.micros, line.line_total, line.open_amount})
    out.signed_varint(number);
  out.u8(static_cast<std::uint8_t>(line.status));
  put_day(out, line.requested_date);
  put_day(out, line.promise_date);
  out.u8(static_cast<std::uint8_t>(line.place.kind));
  out.varint(line.place.number);
  out.varint(line.place.column);
}

OrderLine take_line(ByteReader& in) {
  OrderLine line;
  line.line_number = static_cast<std::int32_t>(in.signed_varint());
  for (std::string* text : {&line.item_code, &line.item_name, &line.manufacturer, &line.warehouse_code, &line.unit})
    *text = in.text();
  for (std::int64_t* number : {&line.quantity_ordered.micros, &line.quantity_open.micros, &line.unit_price.micros,
                               &line.discount.micros, &line.line_total, &line.open_amount})
    *number = in.signed_varint();
  line.status = take_enum(in, LineStatus::cancelled);
  line.requested_date = take_day(in);
  line.promise_date = take_day(in);
  line.place.kind = take_enum(in, Place::Kind::page);
  line.place.number = static_cast<std::uint32_t>(in.varint());
  line.place.column = static_cast<std::uint32_t>(in.varint());
  return line;
}

Currency take_currency(ByteReader& in) {
  const std::string_view code = in.text();
  if (code.empty()) return {};
  const auto currency = Currency::parse(code);
  if (!currency) in.fail();
  return currency.value_or(Currency{});
}

}  // namespace

std::string encode(const SalesOrder& order) { return encode_with_status(order, order.status); }

std::string encode_with_status(const SalesOrder& order, std::string_view status) {
  std::string bytes;
  bytes.reserve(128 + 64 * order.lines.size());
  ByteWriter out(bytes);
  out.u8(format_version);
  for (const std::string_view text : std::initializer_list<std::string_view>{
           order.number.text, order.source_key, status, order.revision, order.customer_code, order.customer_name,
           order.customer_reference, order.salesperson, order.payment_terms, order.comment})
    out.text(text);
  out.u8(static_cast<std::uint8_t>(order.document_status));
  out.u8(order.cancelled ? 1 : 0);
  out.text(order.currency.code());
  put_day(out, order.order_date);
  put_day(out, order.requested_date);
  put_day(out, order.promise_date);
  out.signed_varint(order.tax);
  out.signed_varint(order.freight);
  put_optional(out, order.document_total);
  put_optional(out, order.updated ? std::optional<std::int64_t>(order.updated->time_since_epoch().count()) : std::nullopt);
  out.varint(order.extra.size());
  for (const auto& [name, value] : order.extra) {
    out.text(name);
    out.text(value);
  }
  out.varint(order.lines.size());
  for (const OrderLine& line : order.lines) put_line(out, line);
  return bytes;
}

Result<SalesOrder> decode_order(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != format_version)
    return fail(ErrorCode::corrupt, "an order record has the unknown format " + std::to_string(version));
  SalesOrder order;
  for (std::string* text :
       {&order.number.text, &order.source_key, &order.status, &order.revision, &order.customer_code, &order.customer_name,
        &order.customer_reference, &order.salesperson, &order.payment_terms, &order.comment})
    *text = in.text();
  order.document_status = take_enum(in, DocumentStatus::closed);
  order.cancelled = in.u8() == 1;
  order.currency = take_currency(in);
  order.order_date = take_day(in);
  order.requested_date = take_day(in);
  order.promise_date = take_day(in);
  order.tax = in.signed_varint();
  order.freight = in.signed_varint();
  order.document_total = take_optional(in);
  if (const auto stamp = take_optional(in)) order.updated = Instant{std::chrono::milliseconds{*stamp}};
  const std::size_t extra_count = in.count(2);
  order.extra.reserve(extra_count);
  for (std::size_t i = 0; i < extra_count && in.ok(); ++i) {
    std::string name(in.text());
    order.extra.emplace_back(std::move(name), std::string(in.text()));
  }
  constexpr std::size_t line_bytes_min = 18;
  const std::size_t line_count = in.count(line_bytes_min);
  order.lines.reserve(line_count);
  for (std::size_t i = 0; i < line_count && in.ok(); ++i) order.lines.push_back(take_line(in));
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "an order record is damaged");
  return order;
}

}  // namespace millrace
