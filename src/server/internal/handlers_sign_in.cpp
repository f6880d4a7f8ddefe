// The door: signing in and out, the first administrator, and who somebody is.
#include <future>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "server/internal/handlers_people.h"
#include "server/internal/people_answer.h"
#include "server/internal/people_in.h"
#include "server/internal/who_asks.h"

namespace millrace::server {

namespace {

// How long a browser keeps the cookie; the session itself may end earlier.
constexpr std::chrono::seconds cookie_life{30 * 24 * 3600};

// The answer of a desk that hashes, which is waited for here: the route runs on threads of its own.
struct DoorAnswer {
  Result<people::SignedIn> entered = fail(ErrorCode::internal, "nobody answered");
  std::chrono::seconds retry_after{0};
};
template <class Ask>
DoorAnswer wait_for(Ask ask) {
  std::promise<DoorAnswer> told;
  ask([&](Result<people::SignedIn> answer, std::chrono::seconds retry_after) { told.set_value({std::move(answer), retry_after}); });
  return told.get_future().get();
}

// `csrf` is "" where no cookie is involved.
void write_me(JsonWriter& json, const Backend& backend, const people::Identity& identity, const std::string& csrf) {
  using By = people::Identity::By;
  const bool known = identity.by != By::nobody;
  const people::Directory* const people = backend.services.people;
  json.begin_object().field("signed_in", known).field("sign_in_needed", backend.services.sign_in);
  json.field("outside", backend.services.outside != nullptr);
  json.field("setup_needed", backend.services.sign_in && people != nullptr && !people->has_administrator());
  if (known) {
    json.field("by", identity.by == By::session ? "session" : identity.by == By::token ? "token" : "local");
    json.field("user", std::uint64_t{identity.user.value}).field("name", identity.name);
    json.field("display_name", identity.display_name.empty() ? identity.name : identity.display_name);
    json.field("role", people::word(identity.role)).field("own_orders", identity.own_orders).key("rights").begin_array();
    for (const std::string_view right : people::words(identity.rights)) json.text(right);
    json.end_array();
  }
  if (!csrf.empty()) json.field("csrf", csrf);
  json.end_object();
}

Response entered_answer(const Request& request, const Backend& backend, const DoorAnswer& answer) {
  if (!answer.entered) {
    Problem problem = problem_of(answer.entered.error());
    if (answer.entered.error().code() == ErrorCode::denied) problem.status = 401, problem.code = "sign-in-refused";
    if (answer.entered.error().code() == ErrorCode::limit_reached) problem.status = 429, problem.code = "too-many-requests";
    Response response = problem_response(request, problem);
    if (answer.retry_after.count() > 0) response.header("Retry-After", std::to_string(answer.retry_after.count()));
    return response;
  }
  Response response = people_answer(200);
  response.header("Set-Cookie", session_cookie(request, answer.entered->session.reveal(), cookie_life));
  JsonWriter json(response.body);
  json.begin_object().key("data");
  write_me(json, backend, answer.entered->identity, answer.entered->csrf.reveal());
  json.end_object();
  return response;
}

}  // namespace

Response sign_in(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  if (auto problem = not_json(request)) return problem_response(request, *problem);
  auto wish = parse_sign_in(request.body);
  if (!wish) return problem_response(request, problem_of(wish.error()));
  people::SignIn asked{std::move(wish->name), std::move(wish->password), request.peer, std::string(request.header("User-Agent"))};
  // A session that was open in this browser ends: what was put there by somebody else is worth nothing afterwards.
  const DoorAnswer answer = wait_for([&](people::SignInDone done) { backend.services.people->sign_in(std::move(asked), std::move(done)); });
  if (answer.entered && request.caller->by == people::Identity::By::session) {
    const auto ended = backend.services.people->end_session({request.caller->credential}, actor_of(request));
    if (!ended && ended.error().code() != ErrorCode::not_found) return problem_response(request, problem_of(ended.error()));
  }
  return entered_answer(request, backend, answer);
}

namespace {

constexpr std::string_view outside_cookie = "millrace_outside";
constexpr std::string_view outside_path = "/api/v1/sign-in/oidc";

std::string outside_cookie_text(const Request& request, const std::string& value, std::chrono::seconds life) {
  return std::string(outside_cookie) + "=" + value + "; Path=" + std::string(outside_path) + "; Max-Age=" + std::to_string(life.count()) +
         "; HttpOnly; SameSite=Lax" + (request.secure ? "; Secure" : "");
}

Response go_to(std::string place) {
  Response response;
  response.status = 303;
  response.header("Cache-Control", "no-store");
  response.header("Location", std::move(place));
  return response;
}

// A browser is on its way: it is told on the page of the door, in words of ours and not of the address.
Response back_to_door(const Request& request, const Error& error) {
  log_info("outside_sign_in_refused", {{"reason", error.text()}, {"address", request.peer}, {"request", request.id}});
  return go_to(error.code() == ErrorCode::denied ? "/sign-in?outside=refused" : "/sign-in?outside=unavailable");
}

std::optional<Problem> without_outside(const Backend& backend) {
  if (backend.services.outside != nullptr && backend.services.people != nullptr) return std::nullopt;
  return Problem{404, "not-found", "Nobody signs in here with another provider.", {}};
}

}  // namespace

Response begin_outside_sign_in(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"return_to"})) return problem_response(request, *problem);
  if (auto problem = without_outside(backend)) return problem_response(request, *problem);
  const auto begun = backend.services.outside->begin(std::string(request.parameter("return_to")));
  if (!begun) return back_to_door(request, begun.error());
  Response response = go_to(begun->url);
  response.header("Set-Cookie", outside_cookie_text(request, begun->cookie.reveal(), std::chrono::seconds{600}));
  return response;
}

Response finish_outside_sign_in(const Request& request, Backend& backend) {
  if (auto problem = without_outside(backend)) return problem_response(request, *problem);
  const people::Secret cookie(std::string(cookie_of(request, outside_cookie)));
  const auto proven = backend.services.outside->finish(std::string(request.parameter("state")), std::string(request.parameter("code")),
                                                       std::string(request.parameter("iss")), cookie);
  if (!proven) return back_to_door(request, proven.error());
  const auto entered = backend.services.people->sign_in_outside(proven->user, request.peer, std::string(request.header("User-Agent")));
  if (!entered) return back_to_door(request, entered.error());
  Response response = go_to(people::local_path(proven->return_to));
  response.header("Set-Cookie", outside_cookie_text(request, "", std::chrono::seconds{0}));
  response.header("Set-Cookie", session_cookie(request, entered->session.reveal(), cookie_life));
  return response;
}

Response sign_out(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (request.caller->by != people::Identity::By::session)
    return problem_response(request, {409, "conflict", "There is no session to end: this request carries none.", {}});
  const auto ended = backend.services.people->end_session({request.caller->credential}, actor_of(request));
  if (!ended && ended.error().code() != ErrorCode::not_found) return problem_response(request, problem_of(ended.error()));
  Response response = people_answer(200);
  response.header("Set-Cookie", ended_session_cookie(request));
  // What the browser kept of the answers was for this person.
  response.header("Clear-Site-Data", "\"cache\"");
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_object().field("signed_in", false).end_object().end_object();
  return response;
}

Response set_up(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  if (auto problem = not_json(request)) return problem_response(request, *problem);
  auto wish = parse_setup(request.body);
  if (!wish) return problem_response(request, problem_of(wish.error()));
  return entered_answer(request, backend, wait_for([&](people::SignInDone done) {
                          backend.services.people->finish_setup(std::move(wish->link), std::move(wish->user), std::move(wish->password), request.peer,
                                                                std::string(request.header("User-Agent")), std::move(done));
                        }));
}

Response show_me(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const bool by_session = request.caller->by == people::Identity::By::session;
  const std::string csrf = by_session ? people::csrf_of(people::Secret(std::string(session_of(request)))).reveal() : "";
  Response response = people_answer(200);
  JsonWriter json(response.body);
  json.begin_object().key("data");
  write_me(json, backend, *request.caller, csrf);
  json.end_object();
  return response;
}

Response change_own_password(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  if (auto problem = not_json(request)) return problem_response(request, *problem);
  if (request.caller->by != people::Identity::By::session)
    return problem_response(request, {403, "denied", "Only a person who signed in can change his password.", {}});
  auto wish = parse_own_password(request.body);
  if (!wish) return problem_response(request, problem_of(wish.error()));
  const DoorAnswer answer = wait_for([&](people::SignInDone done) {
    backend.services.people->change_own_password(*request.caller, std::move(wish->old_password), std::move(wish->new_password), request.peer,
                                                 std::string(request.header("User-Agent")), std::move(done));
  });
  return entered_answer(request, backend, answer);
}

}  // namespace millrace::server
