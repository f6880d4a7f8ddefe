// How the cells of one column write amounts and days, decided by all of them, and reading them by that.
//
// Invariants
//   * A reading is certain (`doubt` is ""), or says what else the cell could be, or is none and says why.
//   * Pure.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "domain/money.h"
#include "ingest/document.h"

namespace millrace::ingest {

struct DayReading {
  std::optional<Day> day;
  std::string doubt;
  std::string refusal;  // one sentence, "" when there is a day
};

struct NumberReading {
  std::optional<Decimal> number;
  Currency currency;       // of a sign that stands at the number
  std::string sign;        // as written, "$" too, which names no single currency
  std::string doubt;
  std::string refusal;
};

// "R$ 1.234,50-" -> sign "R$" and "1.234,50-".
struct SignedText {
  std::string digits;
  std::string sign;
  bool is_clean = true;  // false: words at both ends, or inside
};
SignedText without_sign(std::string_view text);
std::optional<Currency> currency_of_sign(std::string_view sign);
bool can_be_dollar(Currency currency);

// The decimal mark of one column.
class NumberColumn {
 public:
  void hear(const TableCell& cell);
  // `said` by a person; `others`: the mark that all other columns of the file use; `hint`: what is likely.
  struct Help {
    std::optional<char> said, others;
    char hint = '.';
  };
  void settle(const Help& help);
  std::optional<char> vote() const;  // nothing: silent, or as many for both
  char mark() const { return mark_; }
  NumberReading read(const TableCell& cell) const;

 private:
  std::size_t commas_ = 0, points_ = 0;
  char mark_ = '.';
  bool is_certain_ = false;  // of numbers like 1.234
};

enum class DayOrder : std::uint8_t { unknown, dmy, mdy, ymd };
std::string_view picture(DayOrder order, char separator);  // "dd.mm.yyyy"

// The order of day and month of one column.
class DayColumn {
 public:
  void hear(const TableCell& cell);
  struct Help {
    DayOrder said = DayOrder::unknown, others = DayOrder::unknown;
    bool dmy_is_likely = true;
    bool from_1904 = false;  // how the workbook counts days
    Day today{};
  };
  void settle(const Help& help);
  DayOrder vote() const;
  DayOrder order() const { return order_; }
  char separator() const { return separator_; }
  DayReading read(const TableCell& cell) const;

 private:
  DayReading serial(std::int64_t number) const;
  DayReading numeric(std::string_view text) const;
  DayReading looked_at(Day day, std::string doubt) const;

  std::size_t only_dmy_ = 0, only_mdy_ = 0, both_ = 0, dotted_ = 0, iso_ = 0;
  char separator_ = '-';
  DayOrder order_ = DayOrder::dmy;
  bool is_certain_ = false;
  Help help_;
};

// "=SUM(B2:B9)": what a program would compute and we do not. A text formula like ="00123" is its text.
bool is_formula(const TableCell& cell);
std::string text_of_cell(const TableCell& cell);

}  // namespace millrace::ingest
