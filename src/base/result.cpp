#include "base/result.h"

#include <array>

namespace millrace {

const ErrorTraits& traits(ErrorCode code) {
  static constexpr std::array<ErrorTraits, 11> table{{
      {"invalid_input", "The request cannot be understood", 400, false},
      {"not_found", "Not found", 404, false},
      {"conflict", "Changed by somebody else", 409, false},
      {"denied", "Not allowed", 403, false},
      {"limit_reached", "Too much at once", 413, false},
      {"unavailable", "Not available right now", 503, true},
      {"storage_full", "The disk is full", 507, true},
      {"read_only", "No changes are taken right now", 503, true},
      {"corrupt", "Stored data is damaged", 500, false},
      {"cancelled", "Cancelled", 503, true},
      {"internal", "A fault of Millrace itself", 500, false},
  }};
  return table[static_cast<std::size_t>(code)];
}

Error Error::with_context(std::string_view doing) const {
  return Error(code_, std::string(doing) + ": " + text_);
}

std::ostream& operator<<(std::ostream& out, const Error& error) {
  return out << traits(error.code()).name << ": " << error.text();
}

}  // namespace millrace
