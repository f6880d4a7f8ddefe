#include "server/internal/who_asks.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace millrace::server {

namespace {

constexpr std::string_view cookie_name = "millrace";
// Only over TLS: the browser then takes it from this host and path alone.
constexpr std::string_view secure_cookie_name = "__Host-millrace";

using CallerPtr = std::shared_ptr<const people::Identity>;

// Shared by all threads without counting: they outlive every request.
CallerPtr everybody() {
  static const people::Identity local = people::local_identity();
  return {CallerPtr{}, &local};
}
CallerPtr nobody() {
  static const people::Identity none;
  return {CallerPtr{}, &none};
}

Problem sign_in_first(std::string detail) { return {401, "unauthorized", std::move(detail), {}}; }

std::string_view name_of_cookie(const Request& request) { return request.secure ? secure_cookie_name : cookie_name; }

}  // namespace

std::string_view bearer_of(const Request& request) {
  const std::string_view sent = request.header("Authorization");
  constexpr std::string_view scheme = "bearer ";
  return sent.size() > scheme.size() && equal_ignoring_case(sent.substr(0, scheme.size()), scheme) ? trim(sent.substr(scheme.size())) : "";
}

std::string_view session_of(const Request& request) { return cookie_of(request, name_of_cookie(request)); }

std::string_view cookie_of(const Request& request, std::string_view wanted) {
  for (const auto& [name, value] : request.headers) {
    if (!equal_ignoring_case(name, "Cookie")) continue;
    for (const std::string_view part : split(value, ';')) {
      const std::string_view pair = trim(part);
      if (pair.size() > wanted.size() && pair.starts_with(wanted) && pair[wanted.size()] == '=') return pair.substr(wanted.size() + 1);
    }
  }
  return {};
}

std::string session_cookie(const Request& request, const std::string& secret, std::chrono::seconds life) {
  return std::string(name_of_cookie(request)) + "=" + secret + "; Path=/; Max-Age=" + std::to_string(life.count()) + "; HttpOnly; SameSite=Lax" +
         (request.secure ? "; Secure" : "");
}

std::string ended_session_cookie(const Request& request) { return session_cookie(request, "", std::chrono::seconds{0}); }

std::optional<Problem> find_caller(Request& request, const Services& services) {
  request.caller = services.sign_in ? nobody() : everybody();
  if (services.people == nullptr) return std::nullopt;
  if (const std::string_view token = bearer_of(request); !token.empty()) {
    auto found = services.people->identify_token(token);
    if (!found) return sign_in_first("The token is refused: " + found.error().text() + ".");
    request.caller = std::make_shared<const people::Identity>(std::move(*found));
    return std::nullopt;
  }
  if (!services.sign_in) return std::nullopt;
  if (const std::string_view secret = session_of(request); !secret.empty()) {
    // An old cookie is nobody: it must not keep anybody from the door.
    if (auto found = services.people->identify_session(secret)) request.caller = std::make_shared<const people::Identity>(std::move(*found));
  }
  return std::nullopt;
}

std::optional<Problem> missing_right(const people::Identity& identity, Rights wanted, std::string_view what) {
  if (identity.rights.has_all(wanted)) return std::nullopt;
  std::string missing;
  for (const Right right : people::all_rights())
    if (wanted.has(right) && !identity.may(right)) missing += (missing.empty() ? "" : " and ") + std::string(people::word(right));
  std::string who = identity.by == people::Identity::By::token ? "The token " + identity.token_name : "You";
  return Problem{403, "denied", who + " may not " + std::string(what) + ": the right " + missing + " is missing. An administrator can give it.", {}};
}

std::optional<Problem> check_right(const Request& request, const Route& route) {
  if (route.right.asks_nobody() || route.right.asks_own_key()) return std::nullopt;
  const people::Identity& caller = *request.caller;
  if (caller.by == people::Identity::By::nobody)
    return sign_in_first("Sign in first: on the start page of this server, or with a token as Authorization: Bearer ...");
  if (auto problem = missing_right(caller, route.right.rights(), "do this")) return problem;
  // A token that makes tokens could give itself more than it was given.
  const bool about_people = route.right.rights().empty() && route.method != Method::get;
  if (about_people && caller.by == people::Identity::By::token && !caller.may(Right::admin))
    return Problem{403, "denied", "A token changes nothing about tokens, sessions and passwords; sign in to do it.", {}};
  if (!caller.own_orders.empty() && route.own == Own::closed)
    return Problem{403, "denied", "You see the orders of " + printable(caller.own_orders) + " only, and this answer is about all orders.", {}};
  return std::nullopt;
}

std::optional<Problem> check_csrf(const Request& request) {
  // What a form of another site may send without being asked; everything else asks first and is refused then.
  static constexpr std::array sendable = {std::string_view("text/plain"), std::string_view("application/x-www-form-urlencoded"),
                                          std::string_view("multipart/form-data"), std::string_view("")};
  const std::string_view type = request.header("Content-Type");
  const std::string_view media = trim(type.substr(0, type.find(';')));
  const bool by_session = request.caller->by == people::Identity::By::session;
  if (by_session && !request.body.empty() && std::any_of(sendable.begin(), sendable.end(), [&](std::string_view one) { return equal_ignoring_case(one, media); }))
    return Problem{403, "origin-refused", "Say what the body is in Content-Type, as application/json: this one could come from a page of another site.", {}};
  if (!by_session || people::csrf_matches(session_of(request), request.header("X-CSRF-Token"))) return std::nullopt;
  return Problem{403, "origin-refused", "The header X-CSRF-Token is missing or of another session; load the page again, /api/v1/me gives it.", {}};
}

bool is_local(const Request& request) {
  if (request.peer != "::1" && !request.peer.starts_with("127.")) return false;
  for (const auto& [name, value] : request.headers)
    if (equal_ignoring_case(name, "Forwarded") || equal_ignoring_case(name, "Via") || lower_ascii(name.substr(0, 12)) == "x-forwarded-") return false;
  return true;
}

people::Actor actor_of(const Request& request) { return people::actor_of(*request.caller, request.peer); }

}  // namespace millrace::server
