// Texts as parts of an address (RFC 3986, section 2).
#pragma once
#include <string>
#include <string_view>

namespace millrace {

// Everything but letters, digits and "-._~" as %XX, byte by byte.
std::string percent_encoded(std::string_view text);

}  // namespace millrace
