// Who sends a request, found once; and whether the route is his to use.
//
//   Authorization: Bearer mr_...   a token (or a pass of the command line)
//   Cookie: millrace=...           a browser's session
//   nothing                        nobody; where no sign-in is asked for, the local administrator
//
// Invariants
//   * A token or session that is sent and not known is refused, never taken for nobody.
//   * What a browser sends by itself changes nothing: a write of a session carries X-CSRF-Token, and no body of the kinds
//     that a page of another site may send.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "server/internal/backend.h"
#include "server/internal/router.h"

namespace millrace::server {

// Sets `request.caller`, or says why not (401).
std::optional<Problem> find_caller(Request& request, const Services& services);
// The caller stands. 401 for nobody, 403 with the right that is missing in words.
std::optional<Problem> check_right(const Request& request, const Route& route);
// For requests that change something.
std::optional<Problem> check_csrf(const Request& request);

// The same for a topic of live deltas.
std::optional<Problem> missing_right(const people::Identity& identity, Rights wanted, std::string_view what);

// The token of "Authorization: Bearer ...", "" when there is none.
std::string_view bearer_of(const Request& request);
// The secret of the session cookie, "" when there is none.
std::string_view session_of(const Request& request);
std::string_view cookie_of(const Request& request, std::string_view name);
// Set-Cookie texts. The cookie goes with the browser's own requests only and no script reads it.
std::string session_cookie(const Request& request, const std::string& secret, std::chrono::seconds life);
std::string ended_session_cookie(const Request& request);

// Whether the request comes from this machine itself and not through a proxy.
bool is_local(const Request& request);

// Who the audit trail says it was.
people::Actor actor_of(const Request& request);

}  // namespace millrace::server
