// A question as the text of a request, in the dialect of each service. Pure.
//
//   Orders ? $filter=DocEntry gt 4711 and DocumentStatus eq 'bost_Open' & $orderby=DocEntry & $top=500 & $select=...
//
// Invariants
//   * Every question is ordered by key and bounded by $top: never $skip, never "all".
//   * Request lines stay below `request_line_max`; `fetch_url` says how many keys went in.
//   * Filters on stamps are rounded down to what the other side compares: the minute (Service Layer), the second (OData).
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "erp/remote.h"

namespace millrace::erp {

inline constexpr std::size_t request_line_max = 8000;  // Apache in front of the Service Layer refuses 8,190

// Optional parts that this system refused once, per entity set.
struct LeftOut {
  bool select = false;   // StreamDescriptor::select
  bool created = false;  // StreamDescriptor::stamp_created
};

// A question that has no words for this stream ("changed" of rows without stamps) is "".
std::string question_url(Dialect dialect, std::string_view root, const StreamDescriptor& stream, const PageQuestion& question,
                         LeftOut left_out = {});
// True when the question would be another one without the optional parts.
bool has_optional_parts(const StreamDescriptor& stream, const PageQuestion& question, LeftOut left_out);

// Asks for the first keys of `keys`, as many as fit into one request; at least one.
struct FetchUrl {
  std::string url;
  std::size_t key_count = 0;
};
FetchUrl fetch_url(std::string_view root, const StreamDescriptor& stream, std::span<const Key> keys, LeftOut left_out = {});

using Headers = std::vector<std::pair<std::string, std::string>>;
// How the page size is said beside $top; a next link does not carry it, so every request repeats it.
Headers page_size_headers(Dialect dialect, std::size_t rows);

std::string key_literal(const StreamDescriptor& stream, const Key& key);  // 4711, 'O''Brien', a GUID bare
std::string percent_encoded(std::string_view text);                      // of the value of a query option

}  // namespace millrace::erp
