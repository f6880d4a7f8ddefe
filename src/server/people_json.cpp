#include "server/people_json.h"

#include <map>

namespace millrace::server {

namespace {

void write_instant(JsonWriter& json, std::string_view key, const std::optional<Instant>& instant) {
  json.key(key);
  if (instant) json.text(rfc3339(*instant));
  else json.null();
}

}  // namespace

void write_user(JsonWriter& json, const people::User& user, std::size_t sessions, std::size_t tokens) {
  json.begin_object().field("id", std::uint64_t{user.id.value}).field("name", user.name).field("display_name", user.display_name);
  json.field("email", user.email).field("role", people::word(user.role)).field("active", user.active).field("own_orders", user.own_orders);
  json.field("has_password", user.has_password).field("has_outside_sign_in", user.has_outside_sign_in);
  write_instant(json, "created", user.created);
  write_instant(json, "last_sign_in", user.last_sign_in);
  json.field("sessions", std::uint64_t{sessions}).field("tokens", std::uint64_t{tokens}).field("version", user.version).end_object();
}

void write_user(JsonWriter& json, const people::Directory& directory, const people::User& user) {
  write_user(json, user, directory.sessions(user.id).size(), directory.tokens(user.id).size());
}

void write_users(JsonWriter& json, const people::Directory& directory) {
  std::map<people::UserId, std::size_t> sessions, tokens;
  for (const people::Session& session : directory.sessions()) ++sessions[session.user];
  for (const people::Token& token : directory.tokens()) ++tokens[token.user];
  json.begin_array();
  for (const people::User& user : directory.users()) write_user(json, user, sessions[user.id], tokens[user.id]);
  json.end_array();
}

void write_token(JsonWriter& json, const people::Token& token, std::string_view user, const std::string& secret) {
  json.begin_object().field("id", std::uint64_t{token.id.value}).field("user", user).field("name", token.name);
  json.field("scope", people::word(token.scope));
  write_instant(json, "created", token.created);
  json.field("created_by", token.created_by);
  write_instant(json, "expires", token.expires);
  json.key("last_used");
  if (token.last_used) json.text(iso(*token.last_used));
  else json.null();
  if (!secret.empty()) json.field("secret", secret);
  json.end_object();
}

void write_session(JsonWriter& json, const people::Session& session, std::string_view user) {
  // As text: the number is random and may be beyond what a browser reads exactly.
  json.begin_object().field("id", std::to_string(session.id.value)).field("user", user);
  write_instant(json, "created", session.created);
  write_instant(json, "last_seen", session.last_seen);
  json.field("address", session.address).field("agent", session.agent).field("how", session.how).end_object();
}

void write_audit_row(JsonWriter& json, const people::AuditRow& row) {
  const people::AuditEntry& entry = row.entry;
  json.begin_object().field("number", row.number).field("at", rfc3339(row.at)).field("who", entry.actor.who).field("via", entry.actor.via);
  json.field("address", entry.actor.address).field("verb", entry.verb).field("object", entry.object);
  for (const auto& [name, text] : {std::pair("before", &entry.before), std::pair("after", &entry.after)}) {
    json.key(name);
    if (text->empty()) json.null();
    else json.raw(*text);
  }
  json.field("hash", people::hex(row.hash)).end_object();
}

}  // namespace millrace::server
