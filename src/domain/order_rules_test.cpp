#include "domain/order_rules.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

#include "testing/arbitrary_order.h"

using namespace millrace;
using namespace std::chrono;

namespace {

Quantity quantity(std::string_view text) { return {*to_micros(*parse_decimal(text), "quantity")}; }
UnitPrice price(std::string_view text) { return {*to_micros(*parse_decimal(text), "price")}; }
Percent percent(std::string_view text) { return {*to_micros(*parse_decimal(text), "discount")}; }
Currency currency(std::string_view code) { return *Currency::parse(code); }

std::string total(std::string_view q, std::string_view p, std::string_view d, std::string_view code = "EUR") {
  const auto minor = line_total(quantity(q), price(p), percent(d), currency(code));
  return minor ? scaled_text(*minor, currency(code).decimals()) : "refused";
}

// Whole numbers as digit strings, multiplied by hand: the slow truth for products beyond every machine word.
std::string product(const std::string& left, const std::string& right) {
  std::string sum(left.size() + right.size(), '\0');
  for (std::size_t i = left.size(); i-- > 0;)
    for (std::size_t j = right.size(), carry = 0; j-- > 0 || carry > 0;) {
      const std::size_t at = j < right.size() ? i + j + 1 : i;
      const std::size_t digit = j < right.size() ? static_cast<std::size_t>((left[i] - '0') * (right[j] - '0')) : 0;
      const std::size_t value = static_cast<std::size_t>(sum[at]) + digit + carry;
      sum[at] = static_cast<char>(value % 10);
      carry = value / 10;
      if (j >= right.size()) break;
    }
  for (char& c : sum) c = static_cast<char>(c + '0');
  const std::size_t first = sum.find_first_not_of('0');
  return first == std::string::npos ? "0" : sum.substr(first);
}

// digits / 10^cut, rounded half up, by looking at one digit.
std::string cut_rounded(std::string digits, std::size_t cut) {
  if (digits.size() < cut + 1) digits.insert(0, cut + 1 - digits.size(), '0');
  const bool up = cut > 0 && digits[digits.size() - cut] >= '5';
  digits.resize(digits.size() - cut);
  for (std::size_t i = digits.size(); up; --i) {
    if (i == 0) {
      digits.insert(digits.begin(), '1');
      break;
    }
    if (digits[i - 1]++ != '9') break;
    digits[i - 1] = '0';
  }
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string::npos ? "0" : digits.substr(first);
}

bool less(const std::string& left, const std::string& right) {
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

OrderLine line(std::string_view ordered, std::string_view open, std::int64_t line_total_minor,
               LineStatus status = LineStatus::open) {
  OrderLine result;
  result.quantity_ordered = quantity(ordered);
  result.quantity_open = quantity(open);
  result.line_total = line_total_minor;
  result.status = status;
  return result;
}

}  // namespace

TEST_CASE("A line total is quantity times price less discount, rounded once") {
  CHECK(total("4", "25", "0") == "100.00");
  CHECK(total("21", "4005.71", "0") == "84119.91");
  CHECK(total("3", "0.335", "0") == "1.01");  // 1.005 goes away from zero
  CHECK(total("-3", "0.335", "0") == "-1.01");
  CHECK(total("10", "9.99", "12.5") == "87.41");  // 87.4125
  CHECK(total("1", "100", "100") == "0.00");
  CHECK(total("3", "33.3", "0", "JPY") == "100");
  CHECK(total("1", "1.2345", "0", "KWD") == "1.235");
  CHECK(total("1", "100", "-10") == "110.00");  // a surcharge
}

TEST_CASE("A line total agrees with multiplication by hand for all quantities, prices and discounts") {
  CHECK(rc::check("line_total", [] {
    const auto q = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000);
    const auto p = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000);
    const auto d = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 100'000'000),
                                   rc::gen::element<std::int64_t>(0, 12'500'000, 33'333'333));
    const Currency eur = currency(*rc::gen::element<std::string>("EUR", "JPY", "KWD"));
    const std::string exact = product(product(std::to_string(q), std::to_string(p)), std::to_string(100'000'000 - d));
    const std::string expected = cut_rounded(exact, static_cast<std::size_t>(20 - eur.decimals()));
    const auto answer = line_total({q}, {p}, {d}, eur);
    if (less(std::to_string(amount_max), expected)) {
      RC_ASSERT(!answer.has_value());
    } else {
      RC_ASSERT(answer.has_value());
      RC_ASSERT(std::to_string(*answer) == expected);
    }
  }));
}

TEST_CASE("A line total that cannot be kept exactly is refused with quantity and price") {
  const auto large = line_total(quantity("9000000000000"), price("9000000000000"), percent("0"), currency("EUR"));
  REQUIRE_FALSE(large.has_value());
  CHECK(large.error().code() == ErrorCode::invalid_input);
  CHECK(large.error().text().find("9000000000000") != std::string::npos);
}

TEST_CASE("The open amount is the open share of the line total, rounded once half away from zero") {
  CHECK(open_amount(10000, quantity("4"), quantity("4"), LineStatus::open) == 10000);
  CHECK(open_amount(10000, quantity("3"), quantity("1"), LineStatus::open) == 3333);
  CHECK(open_amount(10000, quantity("3"), quantity("2"), LineStatus::open) == 6667);
  CHECK(open_amount(5, quantity("2"), quantity("1"), LineStatus::open) == 3);
  CHECK(open_amount(-5, quantity("2"), quantity("1"), LineStatus::open) == -3);
}

TEST_CASE("Nothing is open on a closed or cancelled line, without open quantity or without an ordered one") {
  CHECK(open_amount(10000, quantity("4"), quantity("4"), LineStatus::closed) == 0);
  CHECK(open_amount(10000, quantity("4"), quantity("4"), LineStatus::cancelled) == 0);
  CHECK(open_amount(10000, quantity("4"), quantity("0"), LineStatus::open) == 0);
  CHECK(open_amount(10000, quantity("4"), quantity("-1"), LineStatus::open) == 0);
  CHECK(open_amount(10000, quantity("0"), quantity("4"), LineStatus::open) == 0);
}

TEST_CASE("The open amount is the nearest whole minor unit, checked by multiplication by hand") {
  CHECK(rc::check("open_amount", [] {
    const auto line_minor = *rc::gen::inRange<std::int64_t>(1, amount_max);
    const auto ordered = *rc::gen::inRange<std::int64_t>(1, 9'000'000'000'000'000'000);
    const std::int64_t open = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(1, ordered + 1),
                                              rc::gen::element(std::int64_t{ordered}, std::int64_t{1}));
    const std::int64_t answer = open_amount(line_minor, {ordered}, {open}, LineStatus::open);
    // (2 answer - 1) * ordered <= 2 * total * open < (2 answer + 1) * ordered
    const std::string middle = product(std::to_string(2 * line_minor), std::to_string(open));
    if (answer > 0) RC_ASSERT(!less(middle, product(std::to_string(2 * answer - 1), std::to_string(ordered))));
    RC_ASSERT(less(middle, product(std::to_string(2 * answer + 1), std::to_string(ordered))));
    RC_ASSERT(open_amount(-line_minor, {ordered}, {open}, LineStatus::open) == -answer);
    if (open == ordered) RC_ASSERT(answer == line_minor);
  }));
}

TEST_CASE("Settling closes what is closed and never opens more than was ordered") {
  SalesOrder order;
  order.currency = currency("EUR");
  order.lines = {line("4", "2", 10000),
                 line("4", "4", 10000, LineStatus::closed),
                 line("4", "4", 10000, LineStatus::cancelled),
                 line("4", "-1", 10000),
                 line("4", "9", 10000),
                 line("-2", "1", -5000)};
  settle_amounts(order);
  const auto open_of = [&](std::size_t i) {
    return decimal_text(order.lines[i].quantity_open) + " " + std::to_string(order.lines[i].open_amount);
  };
  CHECK(open_of(0) == "2 5000");
  CHECK(open_of(1) == "0 0");
  CHECK(open_of(2) == "0 0");
  CHECK(open_of(3) == "0 0");
  CHECK(open_of(4) == "4 10000");
  CHECK(open_of(5) == "0 0");
}

TEST_CASE("Settling twice changes nothing, and settled amounts lie between nothing and the line total") {
  CHECK(rc::check("settle_amounts", [] {
    SalesOrder order = *testing::arbitrary_order();
    settle_amounts(order);
    const SalesOrder once = order;
    settle_amounts(order);
    RC_ASSERT(order == once);
    for (const OrderLine& each : order.lines) {
      RC_ASSERT(each.quantity_open.micros >= 0);
      RC_ASSERT(each.open_amount == 0 || (each.open_amount > 0) == (each.line_total > 0));
      RC_ASSERT(std::abs(each.open_amount) <= std::abs(each.line_total));
    }
  }));
}

TEST_CASE("The amounts of an order leave cancelled lines out and add tax and freight once") {
  SalesOrder order;
  order.currency = currency("EUR");
  order.lines = {line("4", "2", 10000), line("1", "1", 2500, LineStatus::cancelled),
                 line("1", "0", 300, LineStatus::closed)};
  order.tax = 1900;
  order.freight = 500;
  settle_amounts(order);
  const OrderAmounts sums = amounts(order);
  CHECK(sums.net == 10300);
  CHECK(sums.total == 12700);
  CHECK(sums.open == 5000);
  CHECK(amounts(SalesOrder{}).total == 0);
}

TEST_CASE("The due date is the promise if there is one, else the wish, and the line's own comes first") {
  const Day wish = 2026y / March / 3, promise = 2026y / March / 10, line_wish = 2026y / April / 1,
            line_promise = 2026y / April / 8;
  SalesOrder order;
  OrderLine each;
  CHECK_FALSE(due_date(order).has_value());
  CHECK_FALSE(due_date(order, each).has_value());
  order.requested_date = wish;
  CHECK(due_date(order) == wish);
  CHECK(due_date(order, each) == wish);
  each.requested_date = line_wish;
  CHECK(due_date(order, each) == line_wish);
  order.promise_date = promise;
  CHECK(due_date(order) == promise);
  CHECK(due_date(order, each) == promise);
  each.promise_date = line_promise;
  CHECK(due_date(order, each) == line_promise);
}

TEST_CASE("Lateness is positive after the due date, zero on it and negative before") {
  CHECK(lateness_days(2026y / February / 27, 2026y / March / 1) == 2);
  CHECK(lateness_days(2024y / February / 27, 2024y / March / 1) == 3);
  CHECK(lateness_days(2026y / March / 1, 2026y / March / 1) == 0);
  CHECK(lateness_days(2026y / March / 8, 2026y / March / 1) == -7);
}
