// The connector: one Remote for all dialects. What differs between them is in the descriptors, the addresses
// (odata_url.h) and the way of signing in (session.h).
//
// When is a page the last one? A server may hand out fewer rows than asked for because nothing is left, or because it caps
// its pages; a next link tells the second case, but is missing whenever $top fits the page it would have made. So:
//
//   as many rows as asked      more may follow
//   fewer, with a next link    capped there; the size is remembered as the cap
//   fewer, without             the end, when this session has served a longer page of the same sort before, or caps higher,
//                              or when the count is no round number and not the known cap; otherwise the next key is asked
//                              for once more
//   none at all                the end; of whole rows, and of scans that would find nothing in their whole range, it is
//                              asked once more: an empty list is how some failures look, and believing it is dear
#pragma once
#include <map>
#include <memory>

#include "erp/odata_url.h"
#include "erp/page.h"
#include "erp/remote.h"
#include "erp/session.h"

namespace millrace::erp {

std::unique_ptr<Remote> make_service_remote(Dialect dialect, ConnectOptions options, outbound::Caller& caller);

// The Date header of an answer: "Sun, 22 Nov 2026 05:47:14 GMT".
std::optional<Instant> parse_http_date(std::string_view text);

}  // namespace millrace::erp
