#include "domain/finance_codec.h"

#include <array>

#include "base/bytes.h"

namespace millrace {
namespace {

constexpr std::uint8_t format_version = 1;

// A document is its version, its kind, the mask of what it has, source and number, and then what the mask names, by bit.
enum Has : std::uint64_t {
  has_amount = 1ULL << 10,
  has_tax = 1ULL << 11,
  has_currency = 1ULL << 12,
  has_posted = 1ULL << 13,
  has_due = 1ULL << 14,
  has_until = 1ULL << 15,
  has_paid = 1ULL << 16,
  is_cancelled = 1ULL << 17,
  is_closed = 1ULL << 18,
  has_every = 1ULL << 19,
  has_rate = 1ULL << 20,
  has_terms_rule = 1ULL << 21,
  has_instalments = 1ULL << 22,
  has_lines = 1ULL << 23,
  has_allocations = 1ULL << 24,
  has_origin = 1ULL << 25,
  has_place = 1ULL << 26,
  has_end = 1ULL << 27,
};

// Bits 0 to 9.
template <class Document>
auto texts_of(Document& document) {
  return std::to_array({&document.source_key, &document.party_code, &document.party_name, &document.reference, &document.category, &document.account,
                        &document.salesperson, &document.country, &document.terms, &document.comment});
}

std::uint64_t mask_of(const FinanceDocument& document) {
  std::uint64_t mask = 0;
  std::uint64_t bit = 1;
  for (const std::string* text : texts_of(document)) {
    if (!text->empty()) mask |= bit;
    bit <<= 1;
  }
  const std::pair<bool, std::uint64_t> parts[] = {
      {document.amount != 0, has_amount}, {document.tax != 0, has_tax}, {!document.currency.empty(), has_currency},
      {document.posted.has_value(), has_posted}, {document.due.has_value(), has_due}, {document.until.has_value(), has_until},
      {document.paid.has_value(), has_paid}, {document.cancelled, is_cancelled}, {document.closed, is_closed},
      {document.every != Every::none, has_every}, {document.rate.has_value(), has_rate}, {document.terms_rule.has_value(), has_terms_rule},
      {!document.instalments.empty(), has_instalments}, {!document.lines.empty(), has_lines}, {!document.allocations.empty(), has_allocations},
      {!document.origin.empty(), has_origin}, {document.place != Place{}, has_place}};
  for (const auto& [there, flag] : parts)
    if (there) mask |= flag;
  return mask;
}

// The calendar can name these days; anything else is damage.
constexpr std::int64_t day_min = -1'000'000, day_max = 4'000'000;

void put_day(ByteWriter& out, Day day) { out.signed_varint(day_number(day)); }

Day take_day(ByteReader& in) {
  const std::int64_t number = in.signed_varint();
  if (number < day_min || number > day_max) {
    in.fail();
    return day_from_number(0);
  }
  return day_from_number(static_cast<std::int32_t>(number));
}

std::int32_t take_number(ByteReader& in) {
  const std::int64_t number = in.signed_varint();
  if (number < INT32_MIN || number > INT32_MAX) in.fail();
  return in.ok() ? static_cast<std::int32_t>(number) : 0;
}

void put_currency(ByteWriter& out, Currency currency) { out.text(currency.code()); }

Currency take_currency(ByteReader& in) {
  const std::string_view code = in.text();
  if (code.empty()) return {};
  const auto currency = Currency::parse(code);
  if (!currency) in.fail();
  return currency.value_or(Currency{});
}

template <class Enum>
Enum take_enum(ByteReader& in, Enum first, Enum last) {
  const std::uint8_t value = in.u8();
  if (value < static_cast<std::uint8_t>(first) || value > static_cast<std::uint8_t>(last)) in.fail();
  return in.ok() ? static_cast<Enum>(value) : first;
}

void put_terms_rule(ByteWriter& out, const TermsRule& rule) {
  out.signed_varint(rule.days);
  out.signed_varint(rule.months);
  out.u8(rule.month_end ? 1 : 0);
  out.signed_varint(rule.discount_days);
  out.signed_varint(rule.discount.micros);
  out.varint(rule.parts.size());
  for (const TermsRule::Part& part : rule.parts) {
    out.signed_varint(part.days);
    out.signed_varint(part.part.micros);
  }
}

TermsRule take_terms_rule(ByteReader& in) {
  TermsRule rule;
  rule.days = take_number(in);
  rule.months = take_number(in);
  rule.month_end = in.u8() == 1;
  rule.discount_days = take_number(in);
  rule.discount.micros = in.signed_varint();
  rule.parts.resize(in.count(2));
  for (TermsRule::Part& part : rule.parts) {
    part.days = take_number(in);
    part.part.micros = in.signed_varint();
  }
  return rule;
}

void put_optional(ByteWriter& out, const std::optional<std::int64_t>& value) {
  out.u8(value ? 1 : 0);
  if (value) out.signed_varint(*value);
}

void put_instalments(ByteWriter& out, const FinanceDocument& document) {
  out.varint(document.instalments.size());
  for (const Instalment& part : document.instalments) {
    put_optional(out, part.due ? std::optional<std::int64_t>(day_number(*part.due)) : std::nullopt);
    out.signed_varint(part.amount);
  }
}

void take_instalments(ByteReader& in, FinanceDocument& document) {
  document.instalments.resize(in.count(2));
  for (Instalment& part : document.instalments) {
    if (in.u8() == 1) part.due = take_day(in);
    part.amount = in.signed_varint();
  }
}

void put_lines(ByteWriter& out, const FinanceDocument& document) {
  out.varint(document.lines.size());
  for (const FinanceLine& line : document.lines) {
    out.text(line.order.text);
    put_optional(out, line.order_line);
    out.signed_varint(line.quantity.micros);
    out.signed_varint(line.amount);
    out.text(line.text);
  }
}

void take_lines(ByteReader& in, FinanceDocument& document) {
  document.lines.resize(in.count(5));
  for (FinanceLine& line : document.lines) {
    line.order.text = in.text();
    if (in.u8() == 1) line.order_line = take_number(in);
    line.quantity.micros = in.signed_varint();
    line.amount = in.signed_varint();
    line.text = in.text();
  }
}

void put_allocations(ByteWriter& out, const FinanceDocument& document) {
  out.varint(document.allocations.size());
  for (const Allocation& part : document.allocations) {
    out.u8(static_cast<std::uint8_t>(part.kind));
    out.text(part.number);
    out.signed_varint(part.instalment);
    out.signed_varint(part.amount);
    put_currency(out, part.currency);
  }
}

void take_allocations(ByteReader& in, FinanceDocument& document) {
  document.allocations.resize(in.count(5));
  for (Allocation& part : document.allocations) {
    part.kind = take_enum(in, FinanceKind::invoice, FinanceKind::rate);
    part.number = in.text();
    part.instalment = take_number(in);
    part.amount = in.signed_varint();
    part.currency = take_currency(in);
  }
}

void put_parts(ByteWriter& out, const FinanceDocument& document) {
  if (document.every != Every::none) out.u8(static_cast<std::uint8_t>(document.every));
  if (document.rate) {
    put_currency(out, document.rate->from);
    put_currency(out, document.rate->to);
    out.signed_varint(document.rate->scaled);
  }
  if (document.terms_rule) put_terms_rule(out, *document.terms_rule);
  if (!document.instalments.empty()) put_instalments(out, document);
  if (!document.lines.empty()) put_lines(out, document);
  if (!document.allocations.empty()) put_allocations(out, document);
  if (!document.origin.empty()) out.text(document.origin);
  if (document.place == Place{}) return;
  out.u8(static_cast<std::uint8_t>(document.place.kind));
  out.varint(document.place.number);
  out.varint(document.place.column);
}

void take_parts(ByteReader& in, std::uint64_t mask, FinanceDocument& document) {
  if (mask & has_every) document.every = take_enum(in, Every::week, Every::year);
  if (mask & has_rate) {
    document.rate.emplace();
    document.rate->from = take_currency(in);
    document.rate->to = take_currency(in);
    document.rate->scaled = in.signed_varint();
  }
  if (mask & has_terms_rule) document.terms_rule = take_terms_rule(in);
  if (mask & has_instalments) take_instalments(in, document);
  if (mask & has_lines) take_lines(in, document);
  if (mask & has_allocations) take_allocations(in, document);
  if (mask & has_origin) document.origin = in.text();
  if (!(mask & has_place)) return;
  document.place.kind = take_enum(in, Place::Kind::none, Place::Kind::page);
  document.place.number = static_cast<std::uint32_t>(in.varint());
  document.place.column = static_cast<std::uint32_t>(in.varint());
}

}  // namespace

std::string encode(const FinanceDocument& document) {
  std::string bytes;
  bytes.reserve(128 + 32 * document.lines.size());
  ByteWriter out(bytes);
  const std::uint64_t mask = mask_of(document);
  out.u8(format_version);
  out.u8(static_cast<std::uint8_t>(document.kind));
  out.varint(mask);
  out.text(document.source);
  out.text(document.number);
  for (const std::string* text : texts_of(document))
    if (!text->empty()) out.text(*text);
  if (mask & has_amount) out.signed_varint(document.amount);
  if (mask & has_tax) out.signed_varint(document.tax);
  if (mask & has_currency) put_currency(out, document.currency);
  for (const std::optional<Day>* day : {&document.posted, &document.due, &document.until, &document.paid})
    if (*day) put_day(out, **day);
  put_parts(out, document);
  return bytes;
}

std::optional<FinanceHead> finance_head(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != format_version) return std::nullopt;
  FinanceHead head;
  head.kind = take_enum(in, FinanceKind::invoice, FinanceKind::rate);
  (void)in.varint();
  head.source = in.text();
  head.number = in.text();
  if (!in.ok()) return std::nullopt;
  return head;
}

Result<FinanceDocument> decode_finance_document(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != format_version) return fail(ErrorCode::corrupt, "a finance document has the unknown format " + std::to_string(version));
  FinanceDocument document;
  document.kind = take_enum(in, FinanceKind::invoice, FinanceKind::rate);
  const std::uint64_t mask = in.varint();
  if (mask >= has_end) in.fail();
  document.source = in.text();
  document.number = in.text();
  std::uint64_t bit = 1;
  for (std::string* text : texts_of(document)) {
    if (mask & bit) *text = in.text();
    bit <<= 1;
  }
  if (mask & has_amount) document.amount = in.signed_varint();
  if (mask & has_tax) document.tax = in.signed_varint();
  if (mask & has_currency) document.currency = take_currency(in);
  if (mask & has_posted) document.posted = take_day(in);
  if (mask & has_due) document.due = take_day(in);
  if (mask & has_until) document.until = take_day(in);
  if (mask & has_paid) document.paid = take_day(in);
  document.cancelled = (mask & is_cancelled) != 0;
  document.closed = (mask & is_closed) != 0;
  take_parts(in, mask, document);
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "a finance document is damaged");
  return document;
}

}  // namespace millrace
