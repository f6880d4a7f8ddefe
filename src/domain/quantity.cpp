#include "domain/quantity.h"

#include <cstdlib>

namespace millrace {
namespace {

constexpr std::int64_t micros_max = 9'000'000'000'000'000'000;

std::string micros_text(std::int64_t micros) { return shortest_text(Decimal{micros, micro_digits}); }

}  // namespace

Result<std::int64_t> to_micros(const Decimal& value, std::string_view what) {
  const auto micros = scaled(value, micro_digits);
  if (!micros || *micros > micros_max || *micros < -micros_max)
    return fail(ErrorCode::invalid_input, std::string(what) + " " + decimal_text(value) + " is too large to be kept exactly");
  if (value.scale > micro_digits)
    return fail(ErrorCode::invalid_input,
                std::string(what) + " " + decimal_text(value) + " has more than six decimals; round it in the source");
  return *micros;
}

std::string decimal_text(Quantity quantity) { return micros_text(quantity.micros); }
std::string decimal_text(UnitPrice price) { return micros_text(price.micros); }
std::string decimal_text(Percent percent) { return micros_text(percent.micros); }

}  // namespace millrace
