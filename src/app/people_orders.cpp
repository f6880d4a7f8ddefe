#include "app/people_orders.h"

#include <array>
#include <charconv>
#include <future>

#include "app/settings.h"
#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "server/people_json.h"

namespace millrace::app {
namespace {

using people::Directory;

std::string user_answer(const Directory& directory, const people::User& user) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data");
  server::write_user(json, directory, user);
  json.end_object();
  return text;
}

Result<people::User> user_of(const Directory& directory, const PeopleOrder& order) {
  const std::string name = order.word("name");
  auto found = directory.find_user(name);
  if (!found) return fail(ErrorCode::not_found, "there is no user \"" + printable(name) + "\"; `millrace user list` shows them");
  return *found;
}

Result<people::Role> role_of(const PeopleOrder& order) {
  const std::string word = order.word("role");
  const auto role = people::parse_role(word);
  if (!role) return fail(ErrorCode::invalid_input, "\"" + printable(word) + "\" is no role; use one of " + people::role_words());
  return *role;
}

Result<people::PasswordHash> hashed(Directory& directory, const PeopleOrder& order, const std::string& login) {
  std::promise<Result<people::PasswordHash>> told;
  directory.hash_new_password(order.password, login, "command line", [&](Result<people::PasswordHash> made) { told.set_value(std::move(made)); });
  return told.get_future().get();
}

Result<std::string> add_user(Directory& directory, const PeopleOrder& order) {
  const auto role = role_of(order);
  if (!role) return pass_on(role);
  people::NewUser wanted{order.word("name"), order.word("display_name"), order.word("email"), *role, order.word("own_orders"), {}};
  if (!order.has("no_password")) {
    auto hash = hashed(directory, order, wanted.name);
    if (!hash) return pass_on(hash);
    wanted.password = std::move(*hash);
  }
  const auto made = directory.create(std::move(wanted), people::command_line_actor());
  if (!made) return pass_on(made);
  return user_answer(directory, *made);
}

Result<std::string> change_user(Directory& directory, const PeopleOrder& order) {
  const auto user = user_of(directory, order);
  if (!user) return pass_on(user);
  people::UserChange change;
  if (order.has("role")) {
    const auto role = role_of(order);
    if (!role) return pass_on(role);
    change.role = *role;
  }
  if (order.has("active")) change.active = order.word("active") == "true";
  const auto changed = directory.change(user->id, change, people::command_line_actor());
  if (!changed) return pass_on(changed);
  return user_answer(directory, *changed);
}

Result<std::string> set_password(Directory& directory, const PeopleOrder& order) {
  const auto user = user_of(directory, order);
  if (!user) return pass_on(user);
  auto hash = hashed(directory, order, user->name);
  if (!hash) return pass_on(hash);
  const auto changed = directory.set_password(user->id, std::move(*hash), people::command_line_actor());
  if (!changed) return pass_on(changed);
  return user_answer(directory, *changed);
}

Result<std::string> list_users(const Directory& directory) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data");
  server::write_users(json, directory);
  json.end_object();
  return text;
}

Result<std::string> make_setup_link(Directory& directory, const BaseAddress& base) {
  const auto secret = directory.new_setup_link(people::command_line_actor());
  if (!secret) return pass_on(secret);
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data").begin_object().field("link", setup_address(base(), *secret)).end_object().end_object();
  return text;
}

// "90d", "12h" or the last day "2027-01-31", which counts whole.
Result<std::optional<Instant>> expiry_of(const std::string& word, Instant now) {
  if (word.empty() || word == "never") return std::optional<Instant>{};
  if (const auto day = parse_iso_day(word)) return std::optional<Instant>{Instant{std::chrono::sys_days{*day}} + std::chrono::days{1}};
  if (const auto life = parse_duration(word)) return std::optional<Instant>{now + *life};
  return fail(ErrorCode::invalid_input, "--expires takes a time such as 90d, a day such as 2027-01-31, or never, not \"" + printable(word) + "\"");
}

Result<std::string> add_token(Directory& directory, const PeopleOrder& order, const Clock& clock) {
  const auto user = directory.find_user(order.word("user"));
  if (!user) return fail(ErrorCode::not_found, "there is no user \"" + printable(order.word("user")) + "\"; a token has the rights of a user, name one with --user");
  const auto scope = people::parse_scope(order.word("scope"));
  if (!scope) return fail(ErrorCode::invalid_input, "--scope takes read, write or admin, not \"" + printable(order.word("scope")) + "\"");
  const auto expires = expiry_of(order.word("expires"), clock.now());
  if (!expires) return pass_on(expires);
  const auto made = directory.make_token(user->id, {order.word("name"), *scope, *expires}, people::command_line_actor());
  if (!made) return pass_on(made);
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data");
  server::write_token(json, made->token, user->name, made->secret.reveal());
  json.end_object();
  return text;
}

Result<std::string> list_tokens(const Directory& directory) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data").begin_array();
  for (const people::Token& token : directory.tokens()) {
    const auto user = directory.user(token.user);
    server::write_token(json, token, user ? user->name : "", "");
  }
  json.end_array().end_object();
  return text;
}

Result<std::string> revoke_token(Directory& directory, const PeopleOrder& order) {
  const std::string word = order.word("id");
  people::TokenId id;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id.value);
  if (error != std::errc{} || end != word.data() + word.size())
    return fail(ErrorCode::invalid_input, "\"" + printable(word) + "\" is no token number; `millrace token list` shows them");
  if (const auto done = directory.revoke_token(id, people::command_line_actor()); !done) return pass_on(done);
  return "{\"data\":{\"id\":" + std::to_string(id.value) + ",\"revoked\":true}}";
}

Result<std::uint64_t> number_of(const PeopleOrder& order, std::string_view name, std::uint64_t otherwise) {
  if (!order.has(name)) return otherwise;
  const std::string word = order.word(name);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return fail(ErrorCode::invalid_input, "--" + std::string(name) + " takes a number, not \"" + printable(word) + "\"");
  return number;
}

Result<std::string> list_audit(const people::Audit& audit, const PeopleOrder& order) {
  const auto before = number_of(order, "before", 0), limit = number_of(order, "limit", 50);
  if (!before) return pass_on(before);
  if (!limit) return pass_on(limit);
  const auto page = audit.page(*before, *limit, {.who = order.word("who"), .object = order.word("object")});
  if (!page) return pass_on(page);
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data").begin_array();
  for (const people::AuditRow& row : page->rows) server::write_audit_row(json, row);
  json.end_array().key("next");
  if (page->next) json.number(*page->next);
  else json.null();
  json.field("count", page->count).end_object();
  return text;
}

Result<std::string> verify_audit(const people::Audit& audit) {
  const auto proof = audit.verify([](std::uint64_t, std::uint64_t) { return true; });
  if (!proof) return pass_on(proof);
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data").begin_object().field("rows", proof->rows).field("problem", proof->problem).field("head", people::hex(proof->head.hash));
  json.end_object().end_object();
  return text;
}

constexpr std::uint8_t order_format = 1;
constexpr std::size_t words_max = 32;

}  // namespace

std::string PeopleOrder::word(std::string_view name) const {
  const auto found = words.find(name);
  return found == words.end() ? "" : found->second;
}

std::string setup_address(const std::string& base, const people::Secret& secret) { return base + "/setup#" + secret.reveal(); }

Result<std::string> carry_out(people::Directory& directory, const people::Audit& audit, const PeopleOrder& order, const Clock& clock, const BaseAddress& base) {
  if (order.verb == "user.add") return add_user(directory, order);
  if (order.verb == "user.list") return list_users(directory);
  if (order.verb == "user.change") return change_user(directory, order);
  if (order.verb == "user.passwd") return set_password(directory, order);
  if (order.verb == "user.setup-link") return make_setup_link(directory, base);
  if (order.verb == "token.add") return add_token(directory, order, clock);
  if (order.verb == "token.list") return list_tokens(directory);
  if (order.verb == "token.revoke") return revoke_token(directory, order);
  if (order.verb == "audit.list") return list_audit(audit, order);
  if (order.verb == "audit.verify") return verify_audit(audit);
  return fail(ErrorCode::invalid_input, "the running server does not know \"" + printable(order.verb) + "\"; is it an older version?");
}

std::string encode_order(const PeopleOrder& order) {
  std::string text;
  ByteWriter out(text);
  out.u8(order_format);
  out.text(order.verb);
  out.varint(order.words.size());
  for (const auto& [name, value] : order.words) {
    out.text(name);
    out.text(value);
  }
  out.text(order.password.reveal());
  return text;
}

Result<PeopleOrder> decode_order(std::string_view text) {
  ByteReader in(text);
  PeopleOrder order;
  const bool known = in.u8() == order_format;
  order.verb = in.text();
  const std::size_t count = in.count(2);
  for (std::size_t i = 0; i < count && count <= words_max; ++i) {
    const std::string name(in.text());
    order.words[name] = in.text();
  }
  order.password = people::Secret(std::string(in.text()));
  if (!known || count > words_max || !in.ok() || !in.at_end()) return fail(ErrorCode::invalid_input, "the server does not understand this command; use the command of the server's own version");
  return order;
}

std::string encode_answer(const Result<std::string>& answer) {
  std::string text;
  ByteWriter out(text);
  out.u8(answer ? 0 : static_cast<std::uint8_t>(1 + static_cast<int>(answer.error().code())));
  out.text(answer ? *answer : answer.error().text());
  return text;
}

Result<std::string> decode_answer(std::string_view text) {
  ByteReader in(text);
  const int outcome = in.u8();
  std::string content(in.text());
  if (!in.ok() || !in.at_end() || outcome > 1 + static_cast<int>(ErrorCode::internal))
    return fail(ErrorCode::unavailable, "the server's answer cannot be read; use the command of the server's own version");
  if (outcome == 0) return content;
  return fail(static_cast<ErrorCode>(outcome - 1), std::move(content));
}

}  // namespace millrace::app
