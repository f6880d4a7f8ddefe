// Field values as documents write them, and reading them exactly.
//
// Invariants
//   * Nothing is guessed: a text that is not wholly a number, day or instant in the given style is refused.
//   * Pure functions; any thread may call.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "domain/decimal.h"

namespace millrace::ingest {

enum class DateOrder : std::uint8_t { unknown, ymd, dmy, mdy };

// How the texts of one column or document write numbers and days.
struct TextStyle {
  char decimal_mark = '.';
  DateOrder date_order = DateOrder::ymd;
};

struct FieldValue {
  enum class Kind : std::uint8_t { empty, text, number, moment };
  Kind kind = Kind::empty;
  std::string_view text;  // as written, of texts and numbers; lives as long as the document
  Decimal number;
  Instant moment;

  static FieldValue of_text(std::string_view text);  // blank text is empty
  static FieldValue of_number(Decimal number, std::string_view text = {});
  static FieldValue of_moment(Instant moment);
};

// For comparing, for `extra` and for messages.
std::string text_of(const FieldValue& value);
// At most 120 bytes, never half a character.
std::string shortened(std::string_view text);

// "1.234,56", "1 234.50", "12-", "(12)", "€ 12.50", "5 %": a number with one decimal mark and groups of three.
Result<Decimal> decimal_from_text(std::string_view text, char decimal_mark);

// The three numbers of a written day; nothing when it is no day at all.
struct DayParts {
  int first = 0;
  int second = 0;
  int third = 0;
  char separator = '-';
  bool year_first = false;
  bool year_short = false;  // two digits
  std::string_view rest;    // what follows: a time of day
};
std::optional<DayParts> day_parts(std::string_view text);
std::optional<Day> day_of(const DayParts& parts, DateOrder order);

std::optional<Day> day_from_text(std::string_view text, DateOrder order);
// A day with a time of day behind it; without one it is midnight. A missing zone means UTC.
std::optional<Instant> instant_from_text(std::string_view text, DateOrder order);
// "06:55:18", "06:55", 65518 (SAP's number), as a time since midnight.
std::optional<std::chrono::seconds> time_of_day(std::string_view text);

enum class Answer : std::uint8_t { yes, no, unknown };
Answer yes_or_no(std::string_view text);

}  // namespace millrace::ingest
