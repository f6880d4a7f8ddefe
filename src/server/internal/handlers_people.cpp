// Users, sessions and tokens, for who administers them or owns them.
#include "server/internal/handlers_people.h"

#include <charconv>
#include <future>

#include "base/text.h"
#include "server/internal/people_answer.h"
#include "server/internal/people_in.h"
#include "server/internal/who_asks.h"
#include "server/people_json.h"

namespace millrace::server {

using people::Right;

std::optional<Problem> not_json(const Request& request) {
  const std::string_view type = request.header("Content-Type");
  const std::string_view media = trim(type.substr(0, type.find(';')));
  if (equal_ignoring_case(media, "application/json") || equal_ignoring_case(media, "application/merge-patch+json")) return std::nullopt;
  return Problem{415, "unsupported-media-type", "Send it as application/json.", {}};
}

Response people_answer(int status) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  return response;
}

std::optional<Problem> without_people(const Backend& backend) {
  if (backend.services.people != nullptr && backend.services.audit != nullptr) return std::nullopt;
  return Problem{503, "unavailable", "This server keeps no users.", {}};
}

namespace {

constexpr std::size_t number_digits_max = 20;

// A number in the address; 0, which nobody has, when it is none.
std::uint64_t number_in_path(const Request& request) {
  const std::string& text = request.path_values.at(0);
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() && text.size() <= number_digits_max ? number : 0;
}

people::UserId user_in_path(const Request& request) {
  const std::uint64_t number = number_in_path(request);
  return {number > UINT32_MAX ? 0 : static_cast<std::uint32_t>(number)};
}

std::string tag_of(const people::User& user) { return "\"" + std::to_string(user.version) + "\""; }

Response user_answer(Backend& backend, const people::User& user, int status) {
  Response response = people_answer(status);
  response.header("ETag", tag_of(user));
  JsonWriter json(response.body);
  json.begin_object().key("data");
  write_user(json, *backend.services.people, user);
  json.end_object();
  return response;
}

Response no_such_user(const Request& request) {
  return problem_response(request, {404, "not-found", "There is no user number " + printable(request.path_values.at(0).substr(0, 20)) + ".", {}});
}

Result<people::PasswordHash> hashed(Backend& backend, people::Secret password, const std::string& login, const std::string& address) {
  std::promise<Result<people::PasswordHash>> told;
  backend.services.people->hash_new_password(std::move(password), login, address, [&](Result<people::PasswordHash> made) { told.set_value(std::move(made)); });
  return told.get_future().get();
}

Response refused(const Request& request, const Error& error) {
  Problem problem = problem_of(error);
  if (error.code() != ErrorCode::limit_reached) return problem_response(request, problem);
  problem.status = 429, problem.code = "too-many-requests";
  Response response = problem_response(request, problem);
  response.header("Retry-After", "3");
  return response;
}

// The version that a change was made for: 0 in `version` when `problem` says why there is none.
struct Base {
  std::uint64_t version = 0;
  std::optional<Problem> problem;
};
Base base_of(const Request& request) {
  std::string_view text = trim(request.header("If-Match"));
  if (text.empty())
    return {0, Problem{428, "precondition-required", "Send the ETag of the user you looked at as If-Match, so that nobody's change is lost.", {}}};
  if (text.starts_with("W/")) text.remove_prefix(2);
  Base base;
  const bool quoted = text.size() > 2 && text.front() == '"' && text.back() == '"';
  if (quoted) std::from_chars(text.data() + 1, text.data() + text.size() - 1, base.version);
  if (base.version == 0) base.problem = Problem{400, "bad-request", "If-Match is the ETag of the user, such as \"3\".", {}};
  return base;
}

// Only what is his own, unless he administers.
bool may_act_for(const Request& request, people::UserId owner) {
  return request.caller->may(Right::admin) || (owner.value != 0 && request.caller->user == owner);
}

std::string login_of(const Backend& backend, people::UserId id) {
  const auto user = backend.services.people->user(id);
  return user ? user->name : "";
}

// Whose sessions and tokens a list shows.
std::optional<people::UserId> listed_owner(const Request& request) {
  if (request.caller->may(Right::admin) && request.parameter("of") != "me") return std::nullopt;
  return request.caller->user;
}

}  // namespace

Response list_users(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  Response response = people_answer(200);
  JsonWriter json(response.body);
  json.begin_object().key("data");
  write_users(json, *backend.services.people);
  json.end_object();
  return response;
}

Response list_roles(const Request& request, Backend&) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  Response response = people_answer(200);
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_array();
  for (const people::RoleRow& row : people::role_rows()) {
    json.begin_object().field("name", row.name).field("help", row.help).key("rights").begin_array();
    for (const std::string_view right : people::words(row.rights)) json.text(right);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return response;
}

Response show_user(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  const auto user = backend.services.people->user(user_in_path(request));
  return user ? user_answer(backend, *user, 200) : no_such_user(request);
}

Response create_user(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  if (auto problem = not_json(request)) return problem_response(request, *problem);
  auto wish = parse_new_user(request.body);
  if (!wish) return refused(request, wish.error());
  if (!wish->password.empty()) {
    auto hash = hashed(backend, std::move(wish->password), wish->user.name, request.peer);
    if (!hash) return refused(request, hash.error());
    wish->user.password = std::move(*hash);
  }
  const auto made = backend.services.people->create(std::move(wish->user), actor_of(request));
  if (!made) return refused(request, made.error());
  Response response = user_answer(backend, *made, 201);
  response.header("Location", "/api/v1/users/" + std::to_string(made->id.value));
  return response;
}

Response change_user(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  if (auto problem = not_json(request)) return problem_response(request, *problem);
  const Base base = base_of(request);
  if (base.problem) return problem_response(request, *base.problem);
  auto change = parse_user_change(request.body);
  if (!change) return refused(request, change.error());
  const people::UserId id = user_in_path(request);
  const auto now = backend.services.people->user(id);
  if (!now) return no_such_user(request);
  change->version = base.version;
  const auto changed = backend.services.people->change(id, *change, actor_of(request));
  if (changed) return user_answer(backend, *changed, 200);
  // Somebody was first: what stands now is in the answer, so that a person can look and decide.
  const auto current = backend.services.people->user(id);
  if (!current || current->version == base.version) return refused(request, changed.error());
  Problem problem = problem_of(changed.error());
  problem.status = 412, problem.code = "precondition-failed";
  Response response = problem_response(request, problem);
  response.header("ETag", tag_of(*current));
  return response;
}

Response set_user_password(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  if (auto problem = not_json(request)) return problem_response(request, *problem);
  auto password = parse_new_password(request.body);
  if (!password) return refused(request, password.error());
  const auto user = backend.services.people->user(user_in_path(request));
  if (!user) return no_such_user(request);
  auto hash = hashed(backend, std::move(*password), user->name, request.peer);
  if (!hash) return refused(request, hash.error());
  const auto changed = backend.services.people->set_password(user->id, std::move(*hash), actor_of(request));
  return changed ? user_answer(backend, *changed, 200) : refused(request, changed.error());
}

Response end_user_sessions(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  const auto user = backend.services.people->user(user_in_path(request));
  if (!user) return no_such_user(request);
  const auto ended = backend.services.people->end_sessions_of(user->id, actor_of(request));
  return ended ? user_answer(backend, *user, 200) : refused(request, ended.error());
}

Response list_sessions(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"of"})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  Response response = people_answer(200);
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_array();
  for (const people::Session& session : backend.services.people->sessions(listed_owner(request))) write_session(json, session, login_of(backend, session.user));
  json.end_array().end_object();
  return response;
}

Response end_session(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  const people::SessionId id{number_in_path(request)};
  const Problem unknown{404, "not-found", "There is no such session (any more).", {}};
  for (const people::Session& session : backend.services.people->sessions()) {
    if (session.id != id) continue;
    if (!may_act_for(request, session.user)) break;  // as if it were not there
    const auto ended = backend.services.people->end_session(id, actor_of(request));
    if (!ended) return refused(request, ended.error());
    Response response = people_answer(200);
    response.body = "{\"data\":{\"id\":\"" + std::to_string(id.value) + "\",\"state\":\"ended\"}}";
    return response;
  }
  return problem_response(request, unknown);
}

Response list_tokens(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"of"})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  Response response = people_answer(200);
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_array();
  for (const people::Token& token : backend.services.people->tokens(listed_owner(request))) write_token(json, token, login_of(backend, token.user), "");
  json.end_array().end_object();
  return response;
}

namespace {

std::optional<Problem> may_make_token(const Request& request, const people::User& owner) {
  if (!may_act_for(request, owner.id))
    return Problem{403, "denied", "You may make tokens for yourself only; an administrator makes them for others.", {}};
  return std::nullopt;
}

}  // namespace

Response create_token(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  if (auto problem = not_json(request)) return problem_response(request, *problem);
  auto wish = parse_new_token(request.body, backend.services.clock.now());
  if (!wish) return refused(request, wish.error());
  people::Directory& directory = *backend.services.people;
  const auto owner = wish->user.empty() ? directory.user(request.caller->user) : directory.find_user(wish->user);
  if (!owner && (request.caller->may(Right::admin) || wish->user.empty()))
    return problem_response(request, {404, "not-found", wish->user.empty() ? "A token has the rights of a user; name one in \"user\"."
                                                                           : "There is no user \"" + printable(wish->user.substr(0, 64)) + "\".", {}});
  if (auto problem = may_make_token(request, owner.value_or(people::User{}))) return problem_response(request, *problem);
  const auto made = directory.make_token(owner->id, wish->token, actor_of(request));
  if (!made) return refused(request, made.error());
  Response response = people_answer(201);
  response.header("Location", "/api/v1/tokens/" + std::to_string(made->token.id.value));
  JsonWriter json(response.body);
  json.begin_object().key("data");
  write_token(json, made->token, owner->name, made->secret.reveal());
  json.end_object();
  return response;
}

Response revoke_token(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  const std::uint64_t number = number_in_path(request);
  for (const people::Token& token : backend.services.people->tokens()) {
    if (token.id.value != number) continue;
    if (!may_act_for(request, token.user)) break;  // as if it were not there
    const auto revoked = backend.services.people->revoke_token(token.id, actor_of(request));
    if (!revoked) return refused(request, revoked.error());
    Response response = people_answer(200);
    response.body = "{\"data\":{\"id\":" + std::to_string(number) + ",\"state\":\"revoked\"}}";
    return response;
  }
  return problem_response(request, {404, "not-found", "There is no token number " + printable(request.path_values.at(0).substr(0, 20)) + ".", {}});
}

}  // namespace millrace::server
