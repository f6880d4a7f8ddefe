#include "server/internal/json_in.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"

namespace millrace::server {

namespace json = boost::json;

namespace {

Result<json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return fail(ErrorCode::invalid_input, "This is not valid JSON: " + error.message() + ".");
  if (!value.is_object()) return fail(ErrorCode::invalid_input, "A JSON object is expected, {...}.");
  return std::move(value.as_object());
}

Result<std::string> text_member(const json::object& object, const char* name, std::size_t length_max) {
  const json::value* value = object.if_contains(name);
  if (!value || !value->is_string())
    return fail(ErrorCode::invalid_input, std::string("\"") + name + "\" is missing or not a text.");
  const json::string& text = value->get_string();
  if (text.empty() || text.size() > length_max)
    return fail(ErrorCode::invalid_input,
                std::string("\"") + name + "\" must have 1 to " + std::to_string(length_max) + " characters.");
  return std::string(text.data(), text.size());
}

std::optional<std::int64_t> whole_number(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && value.get_uint64() <= std::uint64_t{INT64_MAX})
    return static_cast<std::int64_t>(value.get_uint64());
  return std::nullopt;
}

}  // namespace

Result<LiveCommand> parse_live_command(std::string_view text) {
  auto object = parse_object(text);
  if (!object) return pass_on(object);
  auto op = text_member(*object, "op", 16);
  if (!op) return pass_on(op);
  auto id = text_member(*object, "id", 64);
  if (!id) return pass_on(id);
  LiveCommand command;
  command.id = std::move(*id);
  if (*op == "unsub") {
    command.op = LiveCommand::Op::unsubscribe;
    return command;
  }
  if (*op != "sub") return fail(ErrorCode::invalid_input, "\"op\" is \"sub\" or \"unsub\".");
  auto topic = text_member(*object, "topic", 8192);
  if (!topic) return pass_on(topic);
  command.topic = std::move(*topic);
  if (const json::value* since = object->if_contains("since"); since && !since->is_null()) {
    const auto number = whole_number(*since);
    if (!number || *number < 0)
      return fail(ErrorCode::invalid_input, "\"since\" is the Sequence of the last answer, a whole number.");
    command.since = static_cast<std::uint64_t>(*number);
  }
  return command;
}

namespace {

Result<DecisionCommand> decision(std::string_view text, bool with_source) {
  auto object = parse_object(text);
  if (!object) return pass_on(object);
  DecisionCommand command;
  const auto take = [&](const char* name, std::string& to) -> Result<void> {
    auto member = text_member(*object, name, 128);
    if (!member) return pass_on(member);
    to = std::move(*member);
    return {};
  };
  if (const auto taken = take("field", command.field); !taken) return pass_on(taken);
  if (with_source)
    if (const auto taken = take("source", command.source); !taken) return pass_on(taken);
  if (object->contains("by"))
    if (const auto taken = take("by", command.by); !taken) return pass_on(taken);
  if (const json::value* line = object->if_contains("line"); line && !line->is_null()) {
    const auto number = whole_number(*line);
    if (!number || *number < INT32_MIN || *number > INT32_MAX)
      return fail(ErrorCode::invalid_input, "\"line\" is the number of a line of the order, a whole number; 0 is its head.");
    command.line = static_cast<std::int32_t>(*number);
  }
  return command;
}

}  // namespace

namespace {

Result<ScenarioChange> scenario_member(const json::value& value, std::size_t place) {
  const std::string where = "change " + std::to_string(place + 1) + ": ";
  const json::object* object = value.if_object();
  if (!object) return fail(ErrorCode::invalid_input, where + "an object with \"kind\" is expected.");
  ScenarioWish wish;
  for (const auto& [name, to] : {std::pair("kind", &wish.kind), std::pair("party", &wish.party), std::pair("order", &wish.order), std::pair("from", &wish.from), std::pair("to", &wish.to)})
    if (const json::value* member = object->if_contains(name); member && member->is_string()) *to = std::string(member->get_string());
  if (const json::value* days = object->if_contains("days"))
    if (const auto number = whole_number(*days)) wish.days = *number;
  if (const json::value* percent = object->if_contains("percent")) {
    if (const auto number = whole_number(*percent)) wish.percent = std::to_string(*number);
    else if (percent->is_string()) wish.percent = std::string(percent->get_string());
    else if (percent->is_double())
      if (const auto decimal = decimal_from_double(percent->get_double())) wish.percent = decimal_text(*decimal);
  }
  auto change = scenario_change(wish);
  if (!change) return fail(change.error().code(), where + change.error().text() + ".");
  return change;
}

}  // namespace

Result<ScenarioCommand> parse_scenario(std::string_view text) {
  auto object = parse_object(text);
  if (!object) return pass_on(object);
  ScenarioCommand command;
  auto name = text_member(*object, "name", scenario_name_max);
  if (!name) return pass_on(name);
  command.name = std::move(*name);
  const json::value* changes = object->if_contains("changes");
  if (!changes || !changes->is_array()) return fail(ErrorCode::invalid_input, "\"changes\" is missing or not a list.");
  if (changes->get_array().size() > scenario_changes_max)
    return fail(ErrorCode::invalid_input, "A scenario has at most " + std::to_string(scenario_changes_max) + " changes.");
  for (const json::value& value : changes->get_array()) {
    auto change = scenario_member(value, command.changes.size());
    if (!change) return pass_on(change);
    command.changes.push_back(std::move(*change));
  }
  return command;
}

Result<DecisionCommand> parse_decision(std::string_view text) { return decision(text, true); }
Result<DecisionCommand> parse_undecision(std::string_view text) { return decision(text, false); }

namespace {

constexpr std::size_t patch_fields_max = 32;

// A text, a number or null.
Result<std::optional<std::string>> patch_value(const json::value& value, const std::string& field) {
  if (value.is_null()) return std::optional<std::string>();
  if (value.is_string()) return std::optional(std::string(value.get_string()));
  if (const auto number = whole_number(value)) return std::optional(std::to_string(*number));
  return fail(ErrorCode::invalid_input, "\"" + field + "\" is a text, a whole number, null or an object with \"value\" and \"expires\".");
}

Result<ingest::OverlayWish> overlay_wish(std::string field, const json::value& said) {
  ingest::OverlayWish wish;
  wish.field = std::move(field);
  const json::object* object = said.if_object();
  const json::value* value = object ? object->if_contains("value") : &said;
  const json::value* expires = object ? object->if_contains("expires") : nullptr;
  if (!value || (object && object->size() > (expires ? 2 : 1)))
    return fail(ErrorCode::invalid_input, "\"" + wish.field + "\" as an object holds \"value\" and maybe \"expires\", nothing else.");
  auto text = patch_value(*value, wish.field);
  if (!text) return pass_on(text);
  wish.value = std::move(*text);
  if (!expires || expires->is_null()) return wish;
  if (const json::string* end = expires->if_string()) wish.expires = parse_instant(std::string_view(end->data(), end->size()));
  if (!wish.expires) return fail(ErrorCode::invalid_input, "\"expires\" of \"" + wish.field + "\" is a time like 2026-12-24T00:00:00Z.");
  return wish;
}

}  // namespace

Result<std::vector<ingest::OverlayWish>> parse_overlay_patch(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return pass_on(object);
  if (object->empty() || object->size() > patch_fields_max)
    return fail(ErrorCode::invalid_input, "A patch names 1 to " + std::to_string(patch_fields_max) + " fields, like {\"priority\": 7}.");
  std::vector<ingest::OverlayWish> wishes;
  for (const auto& [name, value] : *object) {
    auto wish = overlay_wish(printable(std::string_view(name.data(), std::min<std::size_t>(name.size(), 64))), value);
    if (!wish) return pass_on(wish);
    wishes.push_back(std::move(*wish));
  }
  return wishes;
}

Result<UndoCommand> parse_undo(std::string_view text, const char* name) {
  const auto object = parse_object(text);
  if (!object) return pass_on(object);
  UndoCommand command;
  const json::value* number = object->if_contains(name);
  const auto whole = number ? whole_number(*number) : std::nullopt;
  if (!whole || *whole < 1) return fail(ErrorCode::invalid_input, std::string("\"") + name + "\" is the number of what is undone, from the list of edits.");
  command.number = static_cast<std::uint64_t>(*whole);
  const json::value* later = object->if_contains("also_later");
  if (later && !later->is_bool()) return fail(ErrorCode::invalid_input, "\"also_later\" is true or false.");
  command.also_later = later && later->get_bool();
  if (object->size() > (later ? 2 : 1)) return fail(ErrorCode::invalid_input, std::string("Only \"") + name + "\" and \"also_later\" are read here.");
  return command;
}

Result<std::int64_t> parse_interval(std::string_view text) {
  auto object = parse_object(text);
  if (!object) return pass_on(object);
  const json::value* value = object->if_contains("interval_s");
  const auto number = value ? whole_number(*value) : std::nullopt;
  if (!number) return fail(ErrorCode::invalid_input, "\"interval_s\" is missing or not a whole number of seconds.");
  if (object->size() > 1) return fail(ErrorCode::invalid_input, "Only \"interval_s\" can be changed here.");
  return *number;
}

namespace {

constexpr std::size_t webhook_text_max = 200;

std::string key_text(const json::object& event, const char* name) {
  const json::value* value = event.if_contains(name);
  if (value == nullptr) return "";
  if (const auto number = whole_number(*value)) return std::to_string(*number);
  return value->is_string() && value->get_string().size() <= webhook_text_max ? std::string(value->get_string()) : "";
}

// "sap.b1.Orders.Updated.v1" -> "Orders"
std::string object_of(const std::string& type) {
  constexpr std::string_view prefix = "sap.b1.";
  if (!type.starts_with(prefix)) return "";
  const std::size_t end = type.find('.', prefix.size());
  return end == std::string::npos ? "" : type.substr(prefix.size(), end - prefix.size());
}

}  // namespace

namespace {

// Who is named when nobody is.
constexpr std::string_view nobody_named = "local";

Result<void> take_text(const json::object& object, const char* name, std::size_t length_max, std::string& to) {
  if (!object.contains(name)) return {};
  auto text = text_member(object, name, length_max);
  if (!text) return pass_on(text);
  to = std::move(*text);
  return {};
}

Result<void> take_number(const json::object& object, const char* name, std::int64_t least, std::int64_t most, std::optional<std::int64_t>& to) {
  const json::value* value = object.if_contains(name);
  if (!value) return {};
  to = whole_number(*value);
  if (to && *to >= least && *to <= most) return {};
  return fail(ErrorCode::invalid_input, std::string("\"") + name + "\" is a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
}

Result<void> only_members(const json::object& object, std::initializer_list<std::string_view> known) {
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string names;
    for (const std::string_view each : known) names += (names.empty() ? "" : ", ") + std::string(each);
    return fail(ErrorCode::invalid_input, "\"" + printable(name.substr(0, 60)) + "\" is not known here; there is " + names + ".");
  }
  return {};
}

// What jobs and schedules have in common.
template <class Wish>
Result<void> take_work(const json::object& object, Wish& wish) {
  auto kind = text_member(object, "kind", 64);
  if (!kind) return pass_on(kind);
  wish.kind = std::move(*kind);
  if (const json::value* payload = object.if_contains("payload")) {
    if (!payload->is_object()) return fail(ErrorCode::invalid_input, "\"payload\" is a JSON object, {...}.");
    wish.payload = json::serialize(*payload);
  }
  std::optional<std::int64_t> priority;
  if (auto taken = take_number(object, "priority", -100, 100, priority); !taken) return taken;
  wish.priority = static_cast<std::int32_t>(priority.value_or(0));
  wish.created_by = nobody_named;
  return take_text(object, "by", 128, wish.created_by);
}

}  // namespace

Result<jobs::NewJob> parse_new_job(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return pass_on(object);
  if (auto known = only_members(*object, {"kind", "payload", "priority", "unique_key", "run_after", "tries_max", "by"}); !known) return pass_on(known);
  jobs::NewJob wish;
  if (auto taken = take_work(*object, wish); !taken) return pass_on(taken);
  if (auto taken = take_text(*object, "unique_key", 256, wish.unique_key); !taken) return pass_on(taken);
  std::string run_after;
  if (auto taken = take_text(*object, "run_after", 40, run_after); !taken) return pass_on(taken);
  if (!run_after.empty()) {
    wish.run_after = parse_instant(run_after);
    if (!wish.run_after) return fail(ErrorCode::invalid_input, "\"run_after\" is a moment like 2026-11-23T02:00:00Z.");
  }
  std::optional<std::int64_t> tries_max;
  if (auto taken = take_number(*object, "tries_max", 1, jobs::tries_limit, tries_max); !taken) return pass_on(taken);
  if (tries_max) wish.tries_max = static_cast<std::uint32_t>(*tries_max);
  return wish;
}

Result<jobs::Schedule> parse_schedule(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return pass_on(object);
  if (auto known = only_members(*object, {"kind", "timing", "payload", "priority", "enabled", "by"}); !known) return pass_on(known);
  jobs::Schedule schedule;
  if (auto taken = take_work(*object, schedule); !taken) return pass_on(taken);
  auto timing = text_member(*object, "timing", 200);
  if (!timing) return pass_on(timing);
  schedule.timing = std::move(*timing);
  if (const json::value* enabled = object->if_contains("enabled")) {
    if (!enabled->is_bool()) return fail(ErrorCode::invalid_input, "\"enabled\" is true or false.");
    schedule.enabled = enabled->get_bool();
  }
  return schedule;
}

Result<std::vector<WebhookEvent>> parse_webhook(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return fail(ErrorCode::invalid_input, "This is not valid JSON: " + error.message() + ".");
  if (value.is_object()) value = json::array{std::move(value)};
  if (!value.is_array()) return fail(ErrorCode::invalid_input, "A JSON array of events is expected.");
  const json::array& list = value.get_array();
  if (list.size() > webhook_events_max)
    return fail(ErrorCode::invalid_input, "More than " + std::to_string(webhook_events_max) + " events came at once.");
  std::vector<WebhookEvent> events;
  for (const json::value& one : list) {
    if (!one.is_object()) continue;
    WebhookEvent event{key_text(one.get_object(), "id"), object_of(key_text(one.get_object(), "type")), key_text(one.get_object(), "subject")};
    if (!event.id.empty() && !event.object.empty() && !event.key.empty()) events.push_back(std::move(event));
  }
  return events;
}

}  // namespace millrace::server
