#include "query/internal/values.h"

#include <charconv>
#include <chrono>

#include "base/text.h"
#include "domain/decimal.h"
#include "domain/quantity.h"
#include "readmodel/order_chunk.h"

namespace millrace::query::internal {
namespace {

Failure wrong(const FieldRow& field, std::string_view value, std::string_view right) {
  return fail(ErrorCode::invalid_input,
              "\"" + printable(value) + "\" is no value of " + std::string(field.name) + "; write " + std::string(right));
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Interval> instant_interval(const FieldRow& field, std::string_view text) {
  constexpr std::int64_t day_length = std::chrono::milliseconds(std::chrono::days(1)).count();
  if (const auto day = parse_iso_day(text)) {
    const std::int64_t begin = day_number(*day) * day_length;
    return Interval{begin, begin + day_length - 1};
  }
  const auto instant = parse_instant(text);
  if (!instant) return wrong(field, text, "2026-11-21, 2026-11-21T08:00:00Z, today or today-7");
  const std::int64_t value = instant->time_since_epoch().count();
  return Interval{value, value};
}

}  // namespace

bool is_none(const FieldRow& field, std::string_view value) {
  return (field.type == FieldType::day || field.type == FieldType::instant ||
          field.field == OrderField::lateness_days || field.field == OrderField::priority) && equal_ignoring_case(value, "none");
}

std::int64_t none_value(const FieldRow& field) {
  return field.type == FieldType::day ? readmodel::no_day : readmodel::no_instant;
}

std::string canonical_value(const FieldRow& field, std::string_view value, Day today) {
  if (field.type == FieldType::text) return std::string(value);
  value = trim(value);
  if (field.type == FieldType::flag) {
    for (const std::string_view yes : {"true", "yes", "1"})
      if (equal_ignoring_case(value, yes)) return "true";
    for (const std::string_view no : {"false", "no", "0"})
      if (equal_ignoring_case(value, no)) return "false";
    return std::string(value);
  }
  const bool day = field.type == FieldType::day || field.type == FieldType::instant;
  if (!day || !equal_ignoring_case(value.substr(0, 5), "today")) return std::string(value);
  std::string_view rest = value.substr(5);
  // A query string turns "+" into a blank before we see it: "today 7" is what "today+7" became.
  if (!rest.empty() && (rest.front() == '+' || rest.front() == ' ')) rest.remove_prefix(1);
  const auto days = rest.empty() ? std::optional<std::int64_t>(0) : whole(rest);
  if (!days || *days > 100'000 || *days < -100'000) return std::string(value);
  return iso(day_from_number(day_number(today) + static_cast<std::int32_t>(*days)));
}

Result<Interval> interval(const FieldRow& field, std::string_view text) {
  switch (field.type) {
    case FieldType::text: break;
    case FieldType::flag:
      if (text == "true") return Interval{1, 1};
      if (text == "false") return Interval{0, 0};
      return wrong(field, text, "true or false");
    case FieldType::money: {
      const auto value = whole(text);
      if (!value) return wrong(field, text, "whole minor units, 8412000 for 84120.00");
      return Interval{*value, *value};
    }
    case FieldType::number: {
      const auto value = whole(text);
      if (!value) return wrong(field, text, "a whole number");
      return Interval{*value, *value};
    }
    case FieldType::quantity: {
      const auto decimal = parse_decimal(text);
      const auto value = decimal ? to_micros(*decimal, field.name) : pass_on(decimal);
      if (!value) return wrong(field, text, "a number such as 4 or 0.25");
      return Interval{*value, *value};
    }
    case FieldType::day: {
      const auto day = parse_iso_day(text);
      if (!day) return wrong(field, text, "2026-11-21, today, today+7 or none");
      return Interval{day_number(*day), day_number(*day)};
    }
    case FieldType::instant: return instant_interval(field, text);
  }
  return wrong(field, text, "another filter: texts have no interval");
}

std::string_view word(FilterOp op) {
  switch (op) {
    case FilterOp::equal: return "eq";
    case FilterOp::not_equal: return "ne";
    case FilterOp::less: return "lt";
    case FilterOp::less_equal: return "lte";
    case FilterOp::greater: return "gt";
    case FilterOp::greater_equal: return "gte";
    case FilterOp::one_of: return "in";
    case FilterOp::contains: return "has";
    case FilterOp::exactly: return "exactly";
  }
  return "eq";
}

bool is_ordering(FilterOp op) {
  return op == FilterOp::less || op == FilterOp::less_equal || op == FilterOp::greater || op == FilterOp::greater_equal;
}

}  // namespace millrace::query::internal
