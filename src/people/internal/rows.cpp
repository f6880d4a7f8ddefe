#include "people/internal/rows.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace millrace::people {
namespace {

constexpr std::uint8_t format = 1;

void put_instant(ByteWriter& out, Instant instant) { out.signed_varint(instant.time_since_epoch().count()); }
Instant take_instant(ByteReader& in) { return Instant{std::chrono::milliseconds{in.signed_varint()}}; }

void put_instant(ByteWriter& out, const std::optional<Instant>& instant) {
  out.u8(instant ? 1 : 0);
  if (instant) put_instant(out, *instant);
}
std::optional<Instant> take_optional_instant(ByteReader& in) {
  return in.u8() == 0 ? std::nullopt : std::optional(take_instant(in));
}

Failure damaged(const store::KeptRow& row) {
  return fail(ErrorCode::corrupt, "the row " + printable(row.key) + " of " + row.space + " cannot be read; restore a backup, or start the version that wrote it");
}

std::string user_key(UserId id) {
  const std::string digits = std::to_string(id.value);
  return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

std::string bytes_text(const Digest& digest) { return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()}; }

}  // namespace

store::KeptRow row_of(const Account& account) {
  store::KeptRow row{users_space, user_key(account.user.id), ""};
  ByteWriter out(row.content);
  const User& user = account.user;
  out.u8(format);
  out.varint(user.id.value);
  for (const std::string* text : {&user.name, &user.display_name, &user.email, &user.own_orders}) out.text(*text);
  out.u8(static_cast<std::uint8_t>(user.role));
  out.u8(user.active ? 1 : 0);
  put_instant(out, user.created);
  put_instant(out, user.last_sign_in);
  out.varint(user.version);
  out.text(account.password.text);
  out.text(account.outside);
  return row;
}

Result<Account> decode_account(const store::KeptRow& row) {
  ByteReader in(row.content);
  Account account;
  User& user = account.user;
  const bool known = in.u8() == format;
  user.id.value = static_cast<std::uint32_t>(in.varint());
  for (std::string* text : {&user.name, &user.display_name, &user.email, &user.own_orders}) *text = in.text();
  const auto role = static_cast<Role>(in.u8());
  user.active = in.u8() != 0;
  user.created = take_instant(in);
  user.last_sign_in = take_optional_instant(in);
  user.version = in.varint();
  account.password.text = in.text();
  account.outside = in.text();
  bool role_known = false;
  for (const RoleRow& known_role : role_rows()) role_known |= known_role.role == role;
  if (!known || !role_known || !in.ok() || !in.at_end() || user.id.value == 0) return damaged(row);
  user.role = role;
  user.has_password = !account.password.empty();
  user.has_outside_sign_in = !account.outside.empty();
  return account;
}

store::KeptRow row_of(const KeptSession& kept) {
  store::KeptRow row{sessions_space, hex(kept.digest), ""};
  ByteWriter out(row.content);
  out.u8(format);
  out.varint(kept.session.id.value);
  out.varint(kept.session.user.value);
  put_instant(out, kept.session.created);
  put_instant(out, kept.session.last_seen);
  for (const std::string* text : {&kept.session.address, &kept.session.agent, &kept.session.how}) out.text(*text);
  return row;
}

Result<KeptSession> decode_session(const store::KeptRow& row) {
  ByteReader in(row.content);
  KeptSession kept;
  const bool known = in.u8() == format;
  kept.session.id.value = in.varint();
  kept.session.user.value = static_cast<std::uint32_t>(in.varint());
  kept.session.created = take_instant(in);
  kept.session.last_seen = take_instant(in);
  for (std::string* text : {&kept.session.address, &kept.session.agent, &kept.session.how}) *text = in.text();
  if (!known || !in.ok() || !in.at_end() || !parse_hex(row.key, kept.digest)) return damaged(row);
  return kept;
}

store::KeptRow row_of(const KeptToken& kept) {
  store::KeptRow row{tokens_space, hex(kept.digest), ""};
  ByteWriter out(row.content);
  const Token& token = kept.token;
  out.u8(format);
  out.varint(token.id.value);
  out.varint(token.user.value);
  out.text(token.name);
  out.u8(static_cast<std::uint8_t>(token.scope));
  put_instant(out, token.created);
  out.text(token.created_by);
  put_instant(out, token.expires);
  out.signed_varint(token.last_used ? day_number(*token.last_used) : -1);
  return row;
}

Result<KeptToken> decode_token(const store::KeptRow& row) {
  ByteReader in(row.content);
  KeptToken kept;
  Token& token = kept.token;
  const bool known = in.u8() == format;
  token.id.value = static_cast<std::uint32_t>(in.varint());
  token.user.value = static_cast<std::uint32_t>(in.varint());
  token.name = in.text();
  const std::uint8_t scope = in.u8();
  token.created = take_instant(in);
  token.created_by = in.text();
  token.expires = take_optional_instant(in);
  const std::int64_t used = in.signed_varint();
  const bool scope_known = scope >= 1 && scope <= 3;
  if (!known || !scope_known || !in.ok() || !in.at_end() || !parse_hex(row.key, kept.digest)) return damaged(row);
  token.scope = static_cast<Scope>(scope);
  if (used >= 0) token.last_used = day_from_number(static_cast<std::int32_t>(used));
  return kept;
}

store::KeptRow row_of(const SetupLink& link) {
  store::KeptRow row{state_space, setup_key, ""};
  ByteWriter out(row.content);
  out.u8(format);
  put_instant(out, link.expires);
  out.text(bytes_text(link.digest));
  return row;
}

Result<SetupLink> decode_setup_link(const store::KeptRow& row) {
  ByteReader in(row.content);
  SetupLink link;
  const bool known = in.u8() == format;
  link.expires = take_instant(in);
  const std::string_view digest = in.text();
  if (!known || !in.ok() || !in.at_end() || digest.size() != link.digest.bytes.size()) return damaged(row);
  std::copy(digest.begin(), digest.end(), reinterpret_cast<char*>(link.digest.bytes.data()));
  return link;
}

store::KeptRow numbers_row(std::uint32_t newest_token) {
  store::KeptRow row{state_space, numbers_key, ""};
  ByteWriter out(row.content);
  out.u8(format);
  out.varint(newest_token);
  return row;
}

Result<std::uint32_t> decode_numbers(const store::KeptRow& row) {
  ByteReader in(row.content);
  const bool known = in.u8() == format;
  const std::uint64_t number = in.varint();
  if (!known || !in.ok() || !in.at_end()) return damaged(row);
  return static_cast<std::uint32_t>(number);
}

std::string json_of(const User& user) {
  std::string json;
  JsonWriter out(json);
  out.begin_object().field("id", std::uint64_t{user.id.value}).field("name", user.name).field("display_name", user.display_name);
  out.field("email", user.email).field("role", word(user.role)).field("active", user.active).field("own_orders", user.own_orders);
  out.field("has_password", user.has_password).field("has_outside_sign_in", user.has_outside_sign_in).field("version", user.version);
  out.end_object();
  return json;
}

std::string json_of(const Token& token) {
  std::string json;
  JsonWriter out(json);
  out.begin_object().field("id", std::uint64_t{token.id.value}).field("user", std::uint64_t{token.user.value}).field("name", token.name);
  out.field("scope", word(token.scope));
  out.key("expires");
  if (token.expires) out.text(rfc3339(*token.expires));
  else out.null();
  out.end_object();
  return json;
}

}  // namespace millrace::people
