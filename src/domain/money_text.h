// Amounts as people read them.
#pragma once
#include <string>

#include "domain/money.h"

namespace millrace {

// "84,119.91", "-1,200": decimal text with its thousands apart.
std::string grouped_text(const Money& money);

}  // namespace millrace
