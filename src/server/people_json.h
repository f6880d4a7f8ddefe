// How users, tokens and rows of the audit trail are written as JSON: for the API and for the command line.
#pragma once
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "people/audit.h"
#include "people/directory.h"

namespace millrace::server {

void write_user(JsonWriter& json, const people::User& user, std::size_t sessions, std::size_t tokens);
// With how many sessions and tokens he has now.
void write_user(JsonWriter& json, const people::Directory& directory, const people::User& user);
void write_users(JsonWriter& json, const people::Directory& directory);
// `user`: the login of its owner. `secret`: shown once, "" never.
void write_token(JsonWriter& json, const people::Token& token, std::string_view user, const std::string& secret);
void write_session(JsonWriter& json, const people::Session& session, std::string_view user);
void write_audit_row(JsonWriter& json, const people::AuditRow& row);

}  // namespace millrace::server
