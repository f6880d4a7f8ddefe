#include "base/result.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>

using namespace millrace;

namespace {

constexpr ErrorCode all_codes[] = {ErrorCode::invalid_input, ErrorCode::not_found,     ErrorCode::conflict,
                                   ErrorCode::denied,        ErrorCode::limit_reached, ErrorCode::unavailable,
                                   ErrorCode::storage_full,  ErrorCode::read_only,
                                   ErrorCode::corrupt,       ErrorCode::cancelled,     ErrorCode::internal};

Result<int> lines_of(std::string_view order) {
  if (order != "SO-7") return fail(ErrorCode::not_found, "there is no order " + std::string(order));
  return 3;
}

Result<std::string> described(std::string_view order) {
  const auto lines = lines_of(order);
  if (!lines) return pass_on(lines, "describing the order");
  return std::to_string(*lines) + " lines";
}

}  // namespace

TEST_CASE("A result holds a value or says what happened to which thing") {
  CHECK(described("SO-7") == "3 lines");
  const auto missing = described("SO-8");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code() == ErrorCode::not_found);
  CHECK(missing.error().text() == "describing the order: there is no order SO-8");
  std::ostringstream text;
  text << missing.error();
  CHECK(text.str() == "not_found: describing the order: there is no order SO-8");
}

TEST_CASE("Handing an error on without context keeps it as it is") {
  const auto missing = lines_of("SO-8");
  const Result<std::string> same = pass_on(missing);
  REQUIRE_FALSE(same.has_value());
  CHECK(same.error().text() == missing.error().text());
  CHECK(same.error().code() == missing.error().code());
}

TEST_CASE("Each error code has its own name, words for a person and an HTTP status of an error") {
  std::set<std::string_view> names;
  for (const ErrorCode code : all_codes) {
    const ErrorTraits& row = traits(code);
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.title.empty());
    CHECK(row.http_status >= 400);
    CHECK(row.http_status < 600);
  }
  CHECK(traits(ErrorCode::not_found).http_status == 404);
  CHECK(traits(ErrorCode::storage_full).http_status == 507);
  CHECK(traits(ErrorCode::unavailable).retry);
  CHECK_FALSE(traits(ErrorCode::invalid_input).retry);
}
