// `$filter` as the Service Layer understands it: a documented subset of OData and its own spellings.
//
//   and or not eq ne lt le gt ge ( )   startswith endswith contains substringof
//   dates '2026-01-15' '20260115' datetime'2026-01-15'   times '14:05:00' '1405', to the minute
//   words 'bost_Open' or 'O'; `true` is not understood; a quote in a text doubles
#pragma once
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "simulator/fields.h"

namespace millrace::simulator {

// Whole numbers from `least` to `greatest`, both in it.
struct NumberRange {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
  bool operator==(const NumberRange&) const = default;
};

class Filter {
 public:
  // Errors   invalid_input  what is not understood, in the words of the server
  static Result<Filter> parse(std::string_view text, const Table& table);

  bool matches(const void* row) const;
  // Asks for single rows by their keys ("DocEntry eq 5 or DocEntry eq 9").
  bool names_keys(std::string_view key) const;
  // No row whose `key`, a property of whole numbers, lies outside can match: what an index is asked for.
  NumberRange range_of(std::string_view key) const;

 private:
  friend class FilterParser;
  enum class What : std::uint8_t { everything, all_of, any_of, not_, compare, starts, ends, contains };
  enum class Operator : std::uint8_t { eq, ne, lt, le, gt, ge };

  bool compares(const Value& value) const;

  What what_ = What::everything;
  std::vector<Filter> parts_;
  const Field* field_ = nullptr;
  Operator operator_ = Operator::eq;
  bool null_ = false;
  std::int64_t number_ = 0;
  std::string text_;
};

// "2026-01-15", "20260115", "2026-01-15T00:00:00": days since 1970-01-01. Nothing when it is no date.
std::optional<std::int32_t> day_of_literal(std::string_view text);

}  // namespace millrace::simulator
