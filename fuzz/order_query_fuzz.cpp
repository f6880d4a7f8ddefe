#include <cstdlib>

#include "base/text.h"
#include "query/orders.h"

// Bytes are read as `name=value&name=value`: the filter syntax, the sort keys and the cursor of the order list.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace;
  query::Parameters parameters;
  for (const std::string_view pair : split({reinterpret_cast<const char*>(data), size}, '&')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    parameters.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  const Day today{std::chrono::year{2026}, std::chrono::June, std::chrono::day{30}};
  const query::ParsedQuery parsed = query::parse_order_query(parameters, today);
  if (parsed.query.limit > query::page_limit_max) std::abort();
  for (const query::ParameterError& error : parsed.errors) {
    if (error.detail.empty()) std::abort();
  }
  return 0;
}
