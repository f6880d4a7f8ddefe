#include "app/people_answer.h"

#include <boost/json.hpp>

namespace millrace::app {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_int64() || value->is_uint64()) return json::serialize(*value);
  return "";
}
bool flag_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

Result<json::array> list_of(const std::string& answer) {
  boost::system::error_code error;
  const json::value parsed = json::parse(answer, error);
  const json::object* const object = error ? nullptr : parsed.if_object();
  const json::value* const data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) return fail(ErrorCode::unavailable, "the answer of the server cannot be read; use the command of the server's own version");
  return data->get_array();
}

std::string day_of(const std::string& instant) { return instant.substr(0, 10); }

std::string ago(const std::string& text, Instant now) {
  const auto instant = parse_instant(text);
  if (!instant) return "never";
  return duration_text(std::max(now - *instant, std::chrono::milliseconds{0})) + " ago";
}

}  // namespace

Result<std::string> user_list_text(const std::string& answer, Instant now) {
  const auto list = list_of(answer);
  if (!list) return pass_on(list);
  if (list->empty()) return std::string("nobody yet; `millrace user add LOGIN --role admin` makes the first one\n");
  Table table({{"login"}, {"name"}, {"role"}, {"state"}, {"orders of"}, {"e-mail"}, {"last sign-in"}, {"sessions", true}, {"tokens", true}});
  for (const json::value& one : *list) {
    if (!one.is_object()) continue;
    const json::object& user = one.get_object();
    const bool can_enter = flag_at(user, "has_password") || flag_at(user, "has_outside_sign_in");
    const std::string state = !flag_at(user, "active") ? "inactive" : can_enter ? "active" : "no password";
    const std::string own = text_at(user, "own_orders");
    table.row({text_at(user, "name"), text_at(user, "display_name"), text_at(user, "role"), state, own.empty() ? "all" : own, text_at(user, "email"),
               ago(text_at(user, "last_sign_in"), now), text_at(user, "sessions"), text_at(user, "tokens")});
  }
  return table.text();
}

Result<std::string> token_list_text(const std::string& answer, Instant now) {
  const auto list = list_of(answer);
  if (!list) return pass_on(list);
  if (list->empty()) return std::string("no tokens; `millrace token add NAME --user LOGIN` makes one\n");
  Table table({{"number", true}, {"name"}, {"user"}, {"scope"}, {"made by"}, {"until"}, {"last used"}});
  for (const json::value& one : *list) {
    if (!one.is_object()) continue;
    const json::object& token = one.get_object();
    const std::string expires = text_at(token, "expires"), used = text_at(token, "last_used");
    const auto end = parse_instant(expires);
    const std::string until = expires.empty() ? "no end" : end && *end <= now ? "ran out " + day_of(expires) : day_of(expires);
    table.row({text_at(token, "id"), text_at(token, "name"), text_at(token, "user"), text_at(token, "scope"), text_at(token, "created_by"), until,
               used.empty() ? "never" : used});
  }
  return table.text();
}

Result<std::string> audit_text(const std::string& answer) {
  const auto list = list_of(answer);
  if (!list) return pass_on(list);
  if (list->empty()) return std::string("no rows\n");
  Table table({{"number", true}, {"at (UTC)"}, {"who"}, {"by"}, {"from"}, {"did"}, {"to"}});
  for (const json::value& one : *list) {
    if (!one.is_object()) continue;
    const json::object& row = one.get_object();
    const auto at = parse_instant(text_at(row, "at"));
    table.row({text_at(row, "number"), at ? utc_seconds(*at) : "", text_at(row, "who"), text_at(row, "via"), text_at(row, "address"), text_at(row, "verb"),
               text_at(row, "object")});
  }
  return table.text();
}

std::string field_of(const std::string& answer, std::string_view name) {
  boost::system::error_code error;
  const json::value parsed = json::parse(answer, error);
  const json::object* const object = error ? nullptr : parsed.if_object();
  const json::value* const data = object == nullptr ? nullptr : object->if_contains("data");
  return data == nullptr || !data->is_object() ? "" : text_at(data->get_object(), name);
}

}  // namespace millrace::app
