#include "domain/money_text.h"

#include <algorithm>

namespace millrace {

std::string grouped_text(const Money& money) {
  std::string digits = decimal_text(money);
  const std::size_t begin = digits.starts_with('-') ? 1 : 0;
  std::size_t at = std::min(digits.find('.'), digits.size());
  while (at > begin + 3) digits.insert(at -= 3, 1, ',');
  return digits;
}

}  // namespace millrace
