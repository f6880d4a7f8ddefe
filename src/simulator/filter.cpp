#include "simulator/filter.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/time.h"

namespace millrace::simulator {
namespace {

constexpr std::size_t depth_max = 64;

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "12.5" in micros; more than six decimals are no number here.
std::optional<std::int64_t> micros_of(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos) {
    const auto whole = digits(text);
    return whole ? std::optional(*whole * one) : std::nullopt;
  }
  std::string fraction(text.substr(point + 1));
  if (fraction.empty() || fraction.size() > 6) return std::nullopt;
  fraction.resize(6, '0');
  return digits(std::string(text.substr(0, point)) + fraction);
}

// "14:05:33", "14:05", "1405" in seconds; only hour and minute count.
std::optional<std::int64_t> minute_of(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != ':') plain += c;
  }
  if (plain.size() != 4 && plain.size() != 6) return std::nullopt;
  const auto hour = digits(std::string_view(plain).substr(0, 2)), minute = digits(std::string_view(plain).substr(2, 2));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return *hour * 3600 + *minute * 60;
}

}  // namespace

std::optional<std::int32_t> day_of_literal(std::string_view text) {
  const auto t = text.find('T');
  std::string_view day = text.substr(0, t);  // the time part of a date is ignored
  std::string with_dashes(day);
  if (day.size() == 8)
    with_dashes =
        std::string(day.substr(0, 4)) + "-" + std::string(day.substr(4, 2)) + "-" + std::string(day.substr(6));
  const auto parsed = parse_iso_day(with_dashes);
  if (!parsed) return std::nullopt;
  return day_number(*parsed);
}

class FilterParser {
 public:
  FilterParser(std::string_view text, const Table& table) : rest_(text), table_(table) {}

  Result<Filter> parse() {
    auto filter = any_of(0);
    if (!filter) return filter;
    skip_blanks();
    if (!rest_.empty()) return wrong("unexpected '" + std::string(rest_.substr(0, 20)) + "'");
    return filter;
  }

 private:
  struct Literal {
    enum class Kind : std::uint8_t { quoted, bare, date } kind = Kind::bare;
    std::string text;
  };

  static Failure wrong(std::string what) { return fail(ErrorCode::invalid_input, "Invalid $filter: " + what); }

  void skip_blanks() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view peek_word() {
    skip_blanks();
    const auto end =
        std::ranges::find_if(rest_, [](char c) { return c == ' ' || c == '(' || c == ')' || c == ',' || c == '\''; });
    return rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  }
  bool take_word(std::string_view word) {
    if (peek_word() != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  Result<Filter> any_of(std::size_t depth) { return joined(depth, "or", Filter::What::any_of, &FilterParser::all_of); }
  Result<Filter> all_of(std::size_t depth) { return joined(depth, "and", Filter::What::all_of, &FilterParser::single); }

  Result<Filter> joined(std::size_t depth, std::string_view word, Filter::What what,
                        Result<Filter> (FilterParser::*next)(std::size_t)) {
    if (depth > depth_max) return wrong("it is nested too deep");
    auto first = (this->*next)(depth + 1);
    if (!first || peek_word() != word) return first;
    Filter all;
    all.what_ = what;
    all.parts_.push_back(std::move(*first));
    while (take_word(word)) {
      auto part = (this->*next)(depth + 1);
      if (!part) return part;
      all.parts_.push_back(std::move(*part));
    }
    return all;
  }

  Result<Filter> single(std::size_t depth) {
    if (take_word("not")) {
      auto inner = single(depth + 1);
      if (!inner) return inner;
      Filter negated;
      negated.what_ = Filter::What::not_;
      negated.parts_.push_back(std::move(*inner));
      return negated;
    }
    if (take('(')) {
      auto inner = any_of(depth + 1);
      if (inner && !take(')')) return wrong("a ')' is missing");
      return inner;
    }
    for (const auto& [name, what] : {std::pair{"startswith", Filter::What::starts},
                                     {"endswith", Filter::What::ends},
                                     {"contains", Filter::What::contains},
                                     {"substringof", Filter::What::contains}}) {
      if (take_word(name)) return function(name, what);
    }
    return comparison();
  }

  Result<Filter> function(std::string_view name, Filter::What what) {
    Filter filter;
    filter.what_ = what;
    if (!take('(')) return wrong("'(' is missing after " + std::string(name));
    const bool text_first = name == "substringof";
    for (const bool text : {text_first, !text_first}) {
      if (text) {
        auto literal = take_literal();
        if (!literal) return pass_on(literal);
        filter.text_ = std::move(literal->text);
      } else if (const auto found = take_field(); !found) {
        return pass_on(found);
      } else {
        filter.field_ = *found;
      }
      if (text == text_first && !take(',')) return wrong("',' is missing in " + std::string(name));
    }
    if (!take(')')) return wrong("a ')' is missing");
    if (filter.field_->kind != Kind::text) return wrong(std::string(name) + " needs a text property");
    return filter;
  }

  Result<const Field*> take_field() {
    const std::string_view name = peek_word();
    const Field* field = table_.find(name);
    if (field == nullptr)
      return wrong("Property '" + std::string(name) + "' of '" + std::string(table_.type) + "' is invalid");
    if (field->kind == Kind::collection) return wrong("'" + std::string(name) + "' cannot be filtered by");
    rest_.remove_prefix(name.size());
    return field;
  }

  Result<Literal> take_literal() {
    const std::string_view word = peek_word();
    const bool date = word == "datetime";
    rest_.remove_prefix(word.size());
    if (!word.empty() && !date) return Literal{Literal::Kind::bare, std::string(word)};
    if (!take('\'')) return wrong("a value is missing");
    Literal literal{date ? Literal::Kind::date : Literal::Kind::quoted, ""};
    for (;;) {
      const auto quote = rest_.find('\'');
      if (quote == std::string_view::npos) return wrong("a quote is missing");
      literal.text += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (rest_.empty() || rest_.front() != '\'') return literal;
      literal.text += '\'';
      rest_.remove_prefix(1);
    }
  }

  Result<Filter> comparison() {
    Filter filter;
    filter.what_ = Filter::What::compare;
    const auto field = take_field();
    if (!field) return pass_on(field);
    filter.field_ = *field;
    bool known = false;
    for (const auto& [word, op] : {std::pair{"eq", Filter::Operator::eq},
                                   {"ne", Filter::Operator::ne},
                                   {"lt", Filter::Operator::lt},
                                   {"le", Filter::Operator::le},
                                   {"gt", Filter::Operator::gt},
                                   {"ge", Filter::Operator::ge}}) {
      if (known || !take_word(word)) continue;
      filter.operator_ = op;
      known = true;
    }
    if (!known) return wrong("'" + std::string(peek_word()) + "' is no operator");
    auto literal = take_literal();
    if (!literal) return pass_on(literal);
    if (auto understood = understand(filter, *literal); !understood) return pass_on(understood);
    return filter;
  }

  static Result<void> understand(Filter& filter, const Literal& literal) {
    const Field& field = *filter.field_;
    const auto refuse = [&] { return wrong("'" + literal.text + "' is no value for " + std::string(field.name)); };
    if (literal.kind == Literal::Kind::bare && literal.text == "null") {
      filter.null_ = true;
      return {};
    }
    const bool bare = literal.kind == Literal::Kind::bare;
    std::optional<std::int64_t> number;
    switch (field.kind) {
      case Kind::text:
        if (literal.kind != Literal::Kind::quoted) return refuse();
        filter.text_ = literal.text;
        return {};
      case Kind::integer:
        if (bare) number = digits(literal.text);
        break;
      case Kind::decimal:
        if (bare) number = micros_of(literal.text);
        break;
      case Kind::day:
        if (!bare) number = day_of_literal(literal.text);
        break;
      case Kind::time:
        if (literal.kind == Literal::Kind::quoted) number = minute_of(literal.text);
        break;
      case Kind::choice:
        for (std::size_t i = 0; i < field.choices.size(); ++i) {
          if (!bare && (literal.text == field.choices[i].name || literal.text == field.choices[i].letter))
            number = static_cast<std::int64_t>(i);
        }
        if (filter.operator_ != Filter::Operator::eq && filter.operator_ != Filter::Operator::ne) return refuse();
        break;
      case Kind::collection:
        break;
    }
    if (!number) return refuse();
    filter.number_ = *number;
    return {};
  }

  std::string_view rest_;
  const Table& table_;
};

Result<Filter> Filter::parse(std::string_view text, const Table& table) { return FilterParser(text, table).parse(); }

bool Filter::compares(const Value& value) const {
  if (null_)
    return (operator_ == Operator::eq) == value.null && (operator_ == Operator::eq || operator_ == Operator::ne);
  if (value.null) return operator_ == Operator::ne;
  std::strong_ordering order = std::strong_ordering::equal;
  if (field_->kind == Kind::text) {
    order = value.text <=> std::string_view(text_);
  } else if (field_->kind == Kind::time) {
    order = value.number / 60 <=> number_ / 60;
  } else {
    order = value.number <=> number_;
  }
  switch (operator_) {
    case Operator::eq:
      return order == 0;
    case Operator::ne:
      return order != 0;
    case Operator::lt:
      return order < 0;
    case Operator::le:
      return order <= 0;
    case Operator::gt:
      return order > 0;
    case Operator::ge:
      return order >= 0;
  }
  return false;
}

bool Filter::matches(const void* row) const {
  const auto holds = [&](const Filter& part) { return part.matches(row); };
  switch (what_) {
    case What::everything:
      return true;
    case What::all_of:
      return std::ranges::all_of(parts_, holds);
    case What::any_of:
      return std::ranges::any_of(parts_, holds);
    case What::not_:
      return !parts_.front().matches(row);
    case What::compare:
      return compares(field_->get(row));
    case What::starts:
      return field_->get(row).text.starts_with(text_);
    case What::ends:
      return field_->get(row).text.ends_with(text_);
    case What::contains:
      return field_->get(row).text.contains(text_);
  }
  return false;
}

bool Filter::names_keys(std::string_view key) const {
  if (what_ == What::compare) return operator_ == Operator::eq && field_->name == key;
  return what_ == What::any_of && std::ranges::all_of(parts_, [&](const Filter& part) { return part.names_keys(key); });
}

NumberRange Filter::range_of(std::string_view key) const {
  NumberRange range;
  if (what_ == What::all_of) {
    for (const Filter& part : parts_) {
      const NumberRange of_part = part.range_of(key);
      range.least = std::max(range.least, of_part.least);
      range.greatest = std::min(range.greatest, of_part.greatest);
    }
  } else if (what_ == What::any_of) {
    std::swap(range.least, range.greatest);
    for (const Filter& part : parts_) {
      const NumberRange of_part = part.range_of(key);
      range.least = std::min(range.least, of_part.least);
      range.greatest = std::max(range.greatest, of_part.greatest);
    }
  } else if (what_ == What::compare && !null_ && field_->name == key) {
    if (operator_ == Operator::eq || operator_ == Operator::gt || operator_ == Operator::ge) range.least = number_;
    if (operator_ == Operator::eq || operator_ == Operator::lt || operator_ == Operator::le) range.greatest = number_;
  }
  return range;
}

}  // namespace millrace::simulator
