// What a GET of an entity set asks for, and its rows as JSON.
#pragma once
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "simulator/filter.h"

namespace millrace::simulator {

enum class Protocol : std::uint8_t { v1, v2 };  // OData v3, OData v4

struct Query {
  std::optional<Filter> filter;
  std::vector<const Field*> select;  // empty: all
  struct Order {
    const Field* field = nullptr;
    bool descending = false;
  };
  std::vector<Order> order;
  std::optional<std::size_t> top;
  std::size_t skip = 0;
  bool count = false;
  std::string without_paging;  // the options but $top and $skip as they came, for the next link
};
// `text` is the query of the address, still percent-encoded.
// Errors   invalid_input  what is not understood, in the words of the server
Result<Query> parse_query(std::string_view text, const EntitySet& set, Protocol protocol);

// The matching rows in order, at least the first `rows_max` of them; skip and top are the page's affair. They stay good
// as long as the company. Looks only at rows that the filter's bounds of the key allow.
std::vector<const void*> rows_of(const Company& company, const EntitySet& set, const Query& query,
                                 std::size_t rows_max = std::numeric_limits<std::size_t>::max());

struct RowStyle {
  Protocol protocol = Protocol::v2;
  bool days_with_time = false;  // "2026-01-15T00:00:00Z", as some v1 servers write dates
  bool etag = true;
};
void append_row(std::string& json, const void* row, const EntitySet& set, const std::vector<const Field*>& select,
                const RowStyle& style);
std::string etag_of(const void* row, const EntitySet& set);  // W/"...", "" when the set has none

std::string percent_decoded(std::string_view text);
std::string percent_encoded(std::string_view text);

}  // namespace millrace::simulator
