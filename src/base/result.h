// What a function answers when the world may refuse.
//
// Invariants
//   * A `Result<T>` holds either a value or an `Error`; the type behind it is named only here.
//   * The error text says what happened to which thing and what a person can do next.
#pragma once
#include <expected>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

// A new code needs a caller who would act differently.
enum class ErrorCode {
  invalid_input,  // the caller can correct what was asked
  not_found,      // there is no such thing
  conflict,       // somebody else changed it first
  denied,         // no right to do this
  limit_reached,  // a named bound was hit
  unavailable,    // try again later
  storage_full,   // no room on the disk: make some, then try again
  read_only,      // the disk or the record takes no changes: repair it; reading goes on
  corrupt,        // our own data is damaged
  cancelled,      // somebody asked to stop
  internal,       // our own mistake
};

// The one table of what each code means to the outside.
struct ErrorTraits {
  std::string_view name;   // `invalid_input`, in answers, logs and metrics
  std::string_view title;  // short words for a person
  int http_status;
  bool retry;  // the same call may succeed later
};
const ErrorTraits& traits(ErrorCode code);

class Error {
 public:
  Error(ErrorCode code, std::string text) : code_(code), text_(std::move(text)) {}

  ErrorCode code() const { return code_; }
  const std::string& text() const { return text_; }

  // "reading orders/a.json: not found: ..." keeps the first cause readable.
  Error with_context(std::string_view doing) const;

 private:
  ErrorCode code_;
  std::string text_;
};

std::ostream& operator<<(std::ostream& out, const Error& error);

template <class T>
using Result = std::expected<T, Error>;
using Failure = std::unexpected<Error>;

inline Failure fail(ErrorCode code, std::string text) { return Failure(Error(code, std::move(text))); }

// Hands an error of one Result on as the error of another.
template <class T>
Failure pass_on(const Result<T>& failed) {
  return Failure(failed.error());
}
template <class T>
Failure pass_on(const Result<T>& failed, std::string_view doing) {
  return Failure(failed.error().with_context(doing));
}

}  // namespace millrace
