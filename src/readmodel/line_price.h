// The unit price that a line's total suggests. Prices are mostly whole minor units and totals mostly follow from them,
// so the read model keeps the total, which is summed and shown, and of the price only how far it is from this.
#pragma once
#include <cstdint>

namespace millrace::readmodel {

// In micros; the whole minor unit nearest to total / quantity before discount. 0 where nothing can be said.
std::int64_t expected_price(std::int64_t line_total, std::int64_t quantity_micros, std::int64_t discount_micros,
                            int currency_decimals);

}  // namespace millrace::readmodel
