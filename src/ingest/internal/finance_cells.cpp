#include "ingest/internal/finance_cells.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/month_name.h"
#include "base/text.h"
#include "ingest/internal/csv_text.h"
#include "ingest/internal/finance_words.h"
#include "ingest/internal/values.h"

namespace millrace::ingest {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

std::string spoken_day(Day day) {
  return std::to_string(static_cast<unsigned>(day.day())) + " " + std::string(month_name(day.month())) + " " + std::to_string(static_cast<int>(day.year()));
}

std::string quoted(std::string_view text) { return "\"" + printable(shortened(text)) + "\""; }

constexpr std::string_view minus_signs[] = {"\xE2\x88\x92", "\xE2\x80\x93", "\xE2\x80\x90", "\xE2\x80\x91"};  // what word processors make of -

std::string with_plain_minus(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto minus = std::ranges::find_if(minus_signs, [&](std::string_view sign) { return text.substr(at, sign.size()) == sign; });
    if (minus == std::end(minus_signs)) {
      out += text[at++];
    } else {
      out += '-';
      at += minus->size();
    }
  }
  return out;
}

// Bytes of a blank inside of a number at `at`: ASCII, no-break, thin, figure and narrow spaces.
std::size_t blank_bytes(std::string_view text, std::size_t at) {
  for (const std::string_view blank : {" ", "\t", "\n", "\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\x87", "\xE2\x80\xAF", "\xE2\x80\x8A"})
    if (text.substr(at, blank.size()) == blank) return blank.size();
  return 0;
}

bool is_number_byte(char c) { return is_digit(c) || c == '.' || c == ',' || c == '\'' || c == '-' || c == '+' || c == '(' || c == ')'; }

// What this one text says of its decimal mark.
enum class Mark : std::uint8_t { silent, comma, point, either };
Mark mark_of(std::string_view digits) {
  NumberVote vote;
  vote.hear(digits);
  if (vote.comma()) return Mark::comma;
  if (vote.point()) return Mark::point;
  return vote.undecided() ? Mark::either : Mark::silent;
}

struct NamedDay {
  std::optional<Day> day;
  bool is_none = true;  // no month's name in it
};
// "3 Mar 2026", "3. März 2026", "March 3, 2026", "15 de marzo de 2026", "03-Mar-26".
NamedDay named_day(std::string_view text) {
  std::vector<int> numbers;
  std::optional<unsigned> month;
  std::string token;
  const auto take = [&] {
    if (token.empty()) return true;
    const std::string done = std::exchange(token, "");
    if (is_digits(done)) {
      if (done.size() > 4) return false;
      numbers.push_back(std::atoi(done.c_str()));
      return true;
    }
    const std::string word = folded_word(done);
    if (word == "de" || word == "del" || word == "st" || word == "nd" || word == "rd" || word == "th" || word.empty()) return true;
    const auto known = month_of(word);
    const bool first = !month;
    if (known) month = known;
    return known.has_value() && first;
  };
  for (const char c : text) {
    const bool separates = c == ' ' || c == '.' || c == '-' || c == '/' || c == ',';
    const bool turns = !token.empty() && is_digit(token.back()) != is_digit(c);
    if ((separates || turns) && !take()) return {std::nullopt, !month};
    if (!separates) token += c;
  }
  if (!take() || !month) return {std::nullopt, !month};
  if (numbers.size() != 2) return {std::nullopt, false};
  int day = numbers[0], year = numbers[1];
  if (day > 31) std::swap(day, year);
  if (year < 100) year += year < 70 ? 2000 : 1900;
  const Day made{std::chrono::year{year}, std::chrono::month{*month}, std::chrono::day{static_cast<unsigned>(day)}};
  return {made.ok() ? std::optional(made) : std::nullopt, false};
}

std::optional<Day> short_year_first(const DayParts& parts) {
  if (!parts.year_short) return std::nullopt;
  const Day day{std::chrono::year{2000 + parts.first}, std::chrono::month{static_cast<unsigned>(parts.second)}, std::chrono::day{static_cast<unsigned>(parts.third)}};
  return day.ok() && parts.first < 100 ? std::optional(day) : std::nullopt;
}

int years_away(Day day, Day today) { return std::abs(static_cast<int>(day.year()) - static_cast<int>(today.year())); }

constexpr int years_likely = 20;

}  // namespace

bool is_formula(const TableCell& cell) {
  const std::string_view text = trim(cell.text);
  if (cell.unread) return true;
  return cell.kind == TableCell::Kind::text && text.size() > 1 && text.front() == '=' && !(text.size() > 3 && text[1] == '"' && text.back() == '"');
}

std::string text_of_cell(const TableCell& cell) {
  std::string_view text = trim(cell.text);
  if (cell.kind == TableCell::Kind::text && text.size() > 3 && text.starts_with("=\"") && text.back() == '"') text = text.substr(2, text.size() - 3);
  if (text.starts_with('\'') && text.size() > 1) text.remove_prefix(1);  // how Excel marks a text
  return std::string(trim(text));
}

// ---- numbers

SignedText without_sign(std::string_view raw) {
  const std::string text = with_plain_minus(trim(raw));
  SignedText read;
  bool in_sign = false, sign_is_over = false, seen_digit = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t blank = blank_bytes(text, at);
    // "Fr. 12", "Rs.500": the point belongs to the letters before it.
    const bool point_of_sign = c == '.' && in_sign && !seen_digit;
    if (blank != 0) {
      at += blank;
      if (in_sign) sign_is_over = true, in_sign = false;
      else if (seen_digit) read.digits += ' ';
      continue;
    }
    if (is_number_byte(c) && !point_of_sign) {
      if (in_sign) sign_is_over = true, in_sign = false;
      seen_digit = seen_digit || is_digit(c);
      read.digits += c;
    } else {
      read.is_clean = read.is_clean && !(sign_is_over && !in_sign);
      in_sign = true;
      read.sign += c;
    }
    ++at;
  }
  read.digits = std::string(trim(read.digits));
  return read;
}

std::optional<Currency> currency_of_sign(std::string_view sign) {
  struct Row {
    std::string_view sign, code;
  };
  static constexpr Row more[] = {{"Fr.", "CHF"}, {"Fr", "CHF"}, {"z\xC5\x82", "PLN"}, {"K\xC4\x8D", "CZK"}, {"Ft", "HUF"}, {"\xE2\x82\xB9", "INR"}, {"Rs.", "INR"}, {"\xE2\x82\xBD", "RUB"},
                                 {"\xE2\x82\xBA", "TRY"}, {"\xE2\x82\xA9", "KRW"}, {"\xE2\x82\xAA", "ILS"}, {"\xE2\x82\xB4", "UAH"}};
  if (const auto known = Currency::from_source_word(sign)) return known;
  const auto found = std::ranges::find(more, sign, &Row::sign);
  return found == std::end(more) ? std::nullopt : Currency::parse(found->code);
}

bool can_be_dollar(Currency currency) {
  static constexpr std::string_view dollars[] = {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "CLP", "COP", "ARS"};
  return std::ranges::find(dollars, currency.code()) != std::end(dollars);
}

void NumberColumn::hear(const TableCell& cell) {
  if (cell.kind != TableCell::Kind::text || is_formula(cell)) return;
  const Mark mark = mark_of(without_sign(text_of_cell(cell)).digits);
  commas_ += mark == Mark::comma;
  points_ += mark == Mark::point;
}

std::optional<char> NumberColumn::vote() const {
  if (commas_ == points_) return std::nullopt;
  return commas_ > points_ ? ',' : '.';
}

void NumberColumn::settle(const Help& help) {
  const auto own = vote();
  mark_ = help.said.value_or(own.value_or(help.others.value_or(help.hint)));
  // A column in which both are used says nothing about its 1.234.
  const bool is_mixed = commas_ != 0 && points_ != 0;
  is_certain_ = help.said.has_value() || (!is_mixed && (own || help.others));
}

NumberReading NumberColumn::read(const TableCell& cell) const {
  NumberReading reading;
  const auto refuse = [&](std::string why) {
    reading.refusal = std::move(why);
    return reading;
  };
  if (is_formula(cell)) return refuse(cell.unread ? "the cell holds a formula without a value; write the value" : quoted(cell.text) + " is a formula; write its value");
  const std::string text = text_of_cell(cell);
  if (cell.kind == TableCell::Kind::day) return refuse(quoted(text) + " is a day, not a number; give the cell a number format");
  if (cell.kind == TableCell::Kind::number) {
    const auto number = parse_decimal(text);
    if (!number) return refuse(quoted(text) + " is too large or too long for a number");
    reading.number = *number;
    return reading;
  }
  const SignedText parts = without_sign(text);
  reading.sign = parts.sign;
  if (!parts.is_clean || parts.digits.empty()) return refuse(quoted(text) + " is not a number");
  if (!parts.sign.empty() && !currency_of_sign(parts.sign) && parts.sign != "$" && parts.sign != "kr" && parts.sign != "Kr" && parts.sign != "\xC2\xA5")
    return refuse(quoted(text) + " is not a number: " + quoted(parts.sign) + " is no currency");
  if (const auto known = currency_of_sign(parts.sign)) reading.currency = *known;
  const Mark own = mark_of(parts.digits);
  const char other = mark_ == '.' ? ',' : '.';
  char mark = mark_;
  if (own == Mark::comma) mark = ',';
  if (own == Mark::point) mark = '.';
  const auto number = decimal_from_text(parts.digits, mark);
  if (!number) return refuse(quoted(text) + " is not a number");
  reading.number = *number;
  if (own != Mark::either && mark != mark_ && own != Mark::silent)
    reading.doubt = std::string("written with a ") + (mark == ',' ? "comma" : "point") + " where the others have a " + (mark == ',' ? "point" : "comma");
  if (own == Mark::either && !is_certain_)
    if (const auto otherwise = decimal_from_text(parts.digits, other)) reading.doubt = "could be " + decimal_text(*otherwise);
  return reading;
}

// ---- days

std::string_view picture(DayOrder order, char separator) {
  const bool dots = separator == '.', slashes = separator == '/';
  switch (order) {
    case DayOrder::dmy: return dots ? "dd.mm.yyyy" : slashes ? "dd/mm/yyyy" : "dd-mm-yyyy";
    case DayOrder::mdy: return dots ? "mm.dd.yyyy" : slashes ? "mm/dd/yyyy" : "mm-dd-yyyy";
    case DayOrder::ymd: return "yyyy-mm-dd";
    case DayOrder::unknown: break;
  }
  return "";
}

void DayColumn::hear(const TableCell& cell) {
  if (cell.kind != TableCell::Kind::text) {
    iso_ += cell.kind == TableCell::Kind::day;
    return;
  }
  const std::string text = text_of_cell(cell);
  const auto parts = day_parts(text);
  if (!parts) return;
  if (parts->year_first) {
    ++iso_;
    return;
  }
  const auto dmy = day_of(*parts, DateOrder::dmy), mdy = day_of(*parts, DateOrder::mdy);
  if (!dmy && !mdy) return;
  separator_ = parts->separator;
  dotted_ += parts->separator == '.';
  only_dmy_ += dmy && !mdy;
  only_mdy_ += mdy && !dmy;
  both_ += dmy && mdy && *dmy != *mdy;
}

DayOrder DayColumn::vote() const {
  if (only_dmy_ != only_mdy_) return only_dmy_ > only_mdy_ ? DayOrder::dmy : DayOrder::mdy;
  if (dotted_ != 0 && only_mdy_ == 0) return DayOrder::dmy;  // nobody writes 12.31.2026
  return DayOrder::unknown;
}

void DayColumn::settle(const Help& help) {
  help_ = help;
  const DayOrder own = vote();
  const bool is_mixed = only_dmy_ != 0 && only_mdy_ != 0;
  const bool silent = only_dmy_ + only_mdy_ + both_ + dotted_ == 0;
  order_ = help.said != DayOrder::unknown ? help.said : own != DayOrder::unknown ? own : help.others != DayOrder::unknown ? help.others : help.dmy_is_likely ? DayOrder::dmy : DayOrder::mdy;
  is_certain_ = help.said != DayOrder::unknown || (!is_mixed && (own != DayOrder::unknown || help.others != DayOrder::unknown));
  if (silent && iso_ != 0 && help.said == DayOrder::unknown) order_ = DayOrder::ymd;
}

DayReading DayColumn::looked_at(Day day, std::string doubt) const {
  if (doubt.empty() && years_away(day, help_.today) > years_likely)
    doubt = "is " + std::to_string(years_away(day, help_.today)) + " years away; some programs write such a day for none";
  return {day, std::move(doubt), ""};
}

// What Excel shows for a number: days since 1899-12-30, or since 1904-01-01.
DayReading DayColumn::serial(std::int64_t number) const {
  const Day origin = help_.from_1904 ? Day{std::chrono::year{1904}, std::chrono::January, std::chrono::day{1}} : Day{std::chrono::year{1899}, std::chrono::December, std::chrono::day{30}};
  const Day day = day_from_number(day_number(origin) + static_cast<std::int32_t>(number));
  return {day, "is a number; as a day of Excel it is " + spoken_day(day), ""};
}

DayReading DayColumn::numeric(std::string_view text) const {
  const auto parts = day_parts(text);
  if (!parts) return {std::nullopt, "", quoted(text) + " is not a day"};
  if (parts->year_first) {
    const auto day = day_of(*parts, DateOrder::ymd);
    if (!day) return {std::nullopt, "", quoted(text) + " is a day that no calendar has"};
    return looked_at(*day, "");
  }
  if (order_ == DayOrder::ymd && parts->year_short)
    if (const auto day = short_year_first(*parts)) return looked_at(*day, help_.said == DayOrder::ymd ? "" : "could be another day: the year has two digits");
  const bool month_first = order_ == DayOrder::mdy;
  auto day = day_of(*parts, month_first ? DateOrder::mdy : DateOrder::dmy);
  const auto other = day_of(*parts, month_first ? DateOrder::dmy : DateOrder::mdy);
  if (!day && !other) return {std::nullopt, "", quoted(text) + " is a day that no calendar has"};
  std::string doubt;
  if (!day) {
    // 31/06 in a column of days before months: the other order has no such day either, or it is a slip.
    if (is_certain_) return {std::nullopt, "", quoted(text) + " is no day in the order of this column (" + std::string(picture(order_, parts->separator)) + ")"};
    day = other;
    doubt = "reads only with the month " + std::string(month_first ? "second" : "first");
  } else if (other && *other != *day && !is_certain_) {
    doubt = "could be " + spoken_day(*other);
  }
  if (const auto short_day = short_year_first(*parts); doubt.empty() && short_day && *short_day != *day && years_away(*short_day, help_.today) + 5 < years_away(*day, help_.today))
    doubt = "could be " + spoken_day(*short_day);
  return looked_at(*day, std::move(doubt));
}

DayReading DayColumn::read(const TableCell& cell) const {
  const std::string text = text_of_cell(cell);
  if (is_formula(cell)) return {std::nullopt, "", cell.unread ? "the cell holds a formula without a value; write the value" : quoted(cell.text) + " is a formula; write its value"};
  if (cell.kind == TableCell::Kind::day) {
    const auto day = parse_iso_day(std::string_view(text).substr(0, 10));
    if (!day) return {std::nullopt, "", quoted(text) + " is not a day"};
    return looked_at(*day, "");
  }
  std::string_view whole = text;
  if (cell.kind == TableCell::Kind::number) whole = whole.substr(0, whole.find('.'));  // the time of day
  if (is_digits(whole) && whole.size() == 8 && cell.kind == TableCell::Kind::text) {
    const auto day = parse_iso_day(std::string(whole.substr(0, 4)) + "-" + std::string(whole.substr(4, 2)) + "-" + std::string(whole.substr(6)));
    if (day) return looked_at(*day, "");
  }
  constexpr std::int64_t serial_first = 20'000, serial_end = 80'000;  // 1954 to 2119
  if (std::int64_t number = 0; is_digits(whole) && whole.size() <= 5) {
    std::from_chars(whole.data(), whole.data() + whole.size(), number);
    if (number >= serial_first && number < serial_end) return serial(number);
    return {std::nullopt, "", quoted(text) + " is not a day"};
  }
  // "03/2026", "2026-03": a month is its first day.
  const std::size_t cut = whole.find_first_of("./-");
  if (cut != std::string_view::npos && whole.find_first_of("./-", cut + 1) == std::string_view::npos && is_digits(whole.substr(0, cut)) && is_digits(whole.substr(cut + 1))) {
    const std::string left(whole.substr(0, cut)), right(whole.substr(cut + 1));
    const bool year_first = left.size() == 4 && right.size() <= 2, year_last = right.size() == 4 && left.size() <= 2;
    const std::string& year = year_first ? left : right;
    const std::string& month = year_first ? right : left;
    if (year_first || year_last) {
      const auto day = parse_iso_day(year + "-" + (month.size() == 1 ? "0" : "") + month + "-01");
      if (day) return looked_at(*day, "");
    }
  }
  if (const NamedDay named = named_day(text); !named.is_none) {
    if (!named.day) return {std::nullopt, "", quoted(text) + " is a day that no calendar has"};
    return looked_at(*named.day, "");
  }
  return numeric(text);
}

}  // namespace millrace::ingest
