// Signing in, users, tokens, sessions and the audit trail.
#pragma once
#include "server/internal/backend.h"

namespace millrace::server {

// the door
Response sign_in(const Request& request, Backend& backend);
Response sign_out(const Request& request, Backend& backend);
Response begin_outside_sign_in(const Request& request, Backend& backend);
Response finish_outside_sign_in(const Request& request, Backend& backend);
Response set_up(const Request& request, Backend& backend);
Response show_me(const Request& request, Backend& backend);
Response change_own_password(const Request& request, Backend& backend);
// users
Response list_users(const Request& request, Backend& backend);
Response create_user(const Request& request, Backend& backend);
Response show_user(const Request& request, Backend& backend);
Response change_user(const Request& request, Backend& backend);
Response set_user_password(const Request& request, Backend& backend);
Response end_user_sessions(const Request& request, Backend& backend);
Response list_roles(const Request& request, Backend& backend);
// sessions and tokens: a person's own, and everybody's for an administrator
Response list_sessions(const Request& request, Backend& backend);
Response end_session(const Request& request, Backend& backend);
Response list_tokens(const Request& request, Backend& backend);
Response create_token(const Request& request, Backend& backend);
Response revoke_token(const Request& request, Backend& backend);
// for administrators
Response show_settings(const Request& request, Backend& backend);
Response list_audit(const Request& request, Backend& backend);

}  // namespace millrace::server
