// Routes about people: the door, users, sessions, tokens and the audit trail.
#include "server/internal/handlers_people.h"
#include "server/internal/route_parts.h"

namespace millrace::server {

namespace {

std::vector<Route> door_routes() {
  return {
      {Method::get, "/api/v1/me", show_me, Answer::document, 200, false, Need::nothing(), Own::open, "showMe",
       "Who asks, what he may do, and what a page repeats as X-CSRF-Token.", false, {}, ""},
      {Method::post, "/api/v1/sign-in", sign_in, Answer::document, 200, true, Need::nothing(), Own::open, "signIn",
       "Sign in with login and password; the answer sets the session's cookie.", false, {}, R"({"name":"anna","password":"a long sentence"})", RateClass::sign_in, true},
      {Method::get, "/api/v1/sign-in/oidc", begin_outside_sign_in, Answer::text, 303, true, Need::nothing(), Own::open, "beginOutsideSignIn",
       "Sign in with the company's provider: sends the browser there.", false, {{"return_to", "string", "Where to go afterwards: a path of this server.", ""}}, "", RateClass::sign_in, true},
      {Method::get, "/api/v1/sign-in/oidc/back", finish_outside_sign_in, Answer::text, 303, true, Need::nothing(), Own::open, "finishOutsideSignIn",
       "Where the provider sends the browser back to.", false,
       {{"state", "string", "As it was sent.", ""}, {"code", "string", "What the provider gives.", ""}, {"iss", "string", "The provider.", ""}}, "", RateClass::sign_in, true},
      {Method::post, "/api/v1/sign-out", sign_out, Answer::document, 200, true, Need::sign_in(), Own::open, "signOut", "End this session.", false, {}, ""},
      {Method::post, "/api/v1/setup", set_up, Answer::document, 200, true, Need::nothing(), Own::open, "setUp",
       "Make the first administrator with the one-time link that the server printed, and sign him in.", false, {},
       R"({"link":"setup_...","name":"anna","password":"a long sentence"})", RateClass::sign_in, true},
      {Method::post, "/api/v1/me/password", change_own_password, Answer::document, 200, true, Need::sign_in(), Own::open, "changeOwnPassword",
       "Change one's own password: all sessions end, and this one goes on as a new one.", false, {}, R"({"old":"a long sentence","new":"another sentence"})", RateClass::sign_in, true},
  };
}

std::vector<Route> user_routes() {
  const ParameterRow id = {"id", "integer", "The user's number.", "1"};
  return {
      {Method::get, "/api/v1/roles", list_roles, Answer::document, 200, false, Need::sign_in(), Own::open, "listRoles", "The roles and their rights.", false, {}, ""},
      {Method::get, "/api/v1/users", list_users, Answer::document, 200, false, Right::admin, Own::closed, "listUsers", "Everybody who may sign in, or might.", false, {}, ""},
      {Method::post, "/api/v1/users", create_user, Answer::document, 201, true, Right::admin, Own::closed, "createUser",
       "Let somebody sign in; without a password only through an outside provider.", false, {},
       R"({"name":"bert","role":"sales","password":"a long sentence","display_name":"Bert"})", RateClass::by_method, true},
      {Method::get, "/api/v1/users/{id}", show_user, Answer::document, 200, false, Right::admin, Own::closed, "showUser", "One user; the ETag is for changing him.", false, {id}, ""},
      {Method::patch, "/api/v1/users/{id}", change_user, Answer::document, 200, true, Right::admin, Own::closed, "changeUser",
       "Change name, e-mail, role, whose orders he sees, or whether he is active. Needs If-Match. Another role, limit or state ends his sessions.", false, {id},
       R"({"role":"planner"})"},
      {Method::post, "/api/v1/users/{id}/password", set_user_password, Answer::document, 200, true, Right::admin, Own::closed, "setUserPassword",
       "Give him another password; his sessions end.", false, {id}, R"({"password":"a long sentence"})", RateClass::by_method, true},
      {Method::post, "/api/v1/users/{id}/end-sessions", end_user_sessions, Answer::document, 200, true, Right::admin, Own::closed, "endUserSessions",
       "End all his sessions; tokens stay.", false, {id}, ""},
  };
}

std::vector<Route> credential_routes() {
  const ParameterRow of = {"of", "string", "me: only one's own, also for an administrator.", ""};
  return {
      {Method::get, "/api/v1/sessions", list_sessions, Answer::document, 200, false, Need::sign_in(), Own::open, "listSessions",
       "Open sessions: one's own, everybody's for an administrator.", false, {of}, ""},
      {Method::remove, "/api/v1/sessions/{id}", end_session, Answer::document, 200, true, Need::sign_in(), Own::open, "endSession", "End a session.", false,
       {{"id", "string", "The session's number.", "1"}}, ""},
      {Method::get, "/api/v1/tokens", list_tokens, Answer::document, 200, false, Need::sign_in(), Own::open, "listTokens",
       "Tokens of machines: one's own, everybody's for an administrator.", false, {of}, ""},
      {Method::post, "/api/v1/tokens", create_token, Answer::document, 201, true, Need::sign_in(), Own::open, "createToken",
       "Make a token: it may do what its user may, cut to its scope (read, write, admin). Its secret is shown in this answer only.", false, {},
       R"({"name":"nightly export","scope":"read","expires_days":90})"},
      {Method::remove, "/api/v1/tokens/{id}", revoke_token, Answer::document, 200, true, Need::sign_in(), Own::open, "revokeToken",
       "End a token: it opens nothing any more.", false, {{"id", "integer", "The token's number.", "1"}}, ""},
      {Method::get, "/api/v1/settings", show_settings, Answer::document, 200, false, Right::admin, Own::closed, "showSettings",
       "The settings as they count, and where each came from.", false, {}, ""},
      {Method::get, "/api/v1/audit", list_audit, Answer::document, 200, true, Right::admin, Own::closed, "listAudit",
       "Who did what to which thing, with before and after, newest first.", false,
       {{"limit", "integer", "At most this many, up to 500.", "20"},
        {"cursor", "string", "next_cursor of the page before.", ""},
        {"who", "string", "Only what this login did.", ""},
        {"object", "string", "One thing, as order:4711, or all of a kind, as user:", ""},
        {"verb", "string", "One deed, as user.create, or all of a kind, as user.", ""}},
       ""},
  };
}

}  // namespace

std::vector<Route> people_routes() {
  std::vector<Route> rows;
  for (auto&& part : {door_routes(), user_routes(), credential_routes()}) rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace millrace::server
