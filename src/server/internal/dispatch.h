// From a read request to the bytes of an answer, without sockets.
#pragma once
#include <string>

#include "server/internal/backend.h"
#include "server/internal/router.h"

namespace millrace::server {

// What must hold for every request: where nobody signs in the Host is this machine, and a page of another site may
// neither change anything nor listen to the live deltas.
std::optional<Problem> guard(const Request& request, bool changes_or_listens, bool sign_in);

// Fills path values and the caller. When `response` is empty, `route` is to be run.
struct Dispatch {
  const Route* route = nullptr;
  std::size_t index = 0;
  bool head = false;
  std::optional<Response> response;
};
Dispatch dispatch(Request& request, Backend& backend);
// The same for one of our own parts, which may read what `rights` name.
Dispatch dispatch_own(Request& request, Backend& backend, people::Rights rights);
// Runs a handler; what it throws becomes a problem with the request id, in the log and in the answer.
Response run(const Route& route, const Request& request, Backend& backend);

// Packs the body where that pays and the client takes it.
void pack(const Request& request, Response& response);
// Appends status line and headers with the empty line. A body of unknown length goes in chunks, or until the end for
// HTTP/1.0.
void append_head(std::string& out, const Request& request, const Response& response, Instant now, bool keep_alive);

// Who asks, as the rate limits count: a user with all his sessions, or a token. "" while nobody signed in: the address counts.
std::string rate_identity(const Request& request);

// Whether a Host or Origin authority names this machine's loopback.
bool is_loopback_authority(std::string_view authority);
// Taken from the client when it is harmless text, else ours.
std::string request_id(std::string_view offered);

}  // namespace millrace::server
