// Replies as the balancer and the server word them.
#pragma once
#include <string>
#include <string_view>

#include "base/time.h"
#include "outbound/http.h"
#include "simulator/query.h"

namespace millrace::simulator::internal {

outbound::Reply json_reply(int status, std::string body);
// What comes from the balancer and not from the server.
outbound::Reply html_reply(int status, std::string_view title);
// v1: code a number, message an object; v2: both texts.
outbound::Reply error_reply(Protocol protocol, int status, std::int64_t code, std::string_view text);
// The entities with their properties: short, where the real one has two megabytes.
outbound::Reply metadata_reply(Protocol protocol);

std::string http_date(Instant instant);  // "Sun, 22 Nov 2026 05:57:39 GMT"

}  // namespace millrace::simulator::internal
