// What people write on orders: read, written field by field, undone, and who wrote what.
#include <charconv>

#include "base/hash.h"
#include "base/text.h"
#include "server/internal/author.h"
#include "server/internal/handlers.h"
#include "server/internal/json_in.h"
#include "server/internal/rows.h"
#include "server/internal/write_down.h"

namespace millrace::server {
namespace {

constexpr std::size_t key_max = 200;

std::string tag_of(std::uint64_t version) { return "\"" + std::to_string(version) + "\""; }

// The version that the client read; nothing in `version` for "*": whatever stands.
struct IfMatch {
  std::optional<std::uint64_t> version;
  std::optional<Problem> problem;
};
IfMatch if_match(const Request& request) {
  IfMatch read;
  std::string_view text = trim(request.header("If-Match"));
  if (text.empty()) {
    read.problem = Problem{428, "precondition-required", "Say in If-Match which version of the overlay you read: the ETag of GET " + std::string(request.raw_path) + ".", {}};
    return read;
  }
  if (text == "*") return read;
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() > 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size())
    read.problem = Problem{412, "precondition-failed", "If-Match is not an ETag of this overlay; read it again and send its ETag.", {}};
  read.version = version;
  return read;
}

Result<ingest::OverlayAsker> asker_of(const Request& request, const Backend& backend) {
  ingest::OverlayAsker asker{author_of(request), backend.services.clock.now()};
  asker.key = request.header("Idempotency-Key");
  if (asker.key.size() > key_max) return fail(ErrorCode::invalid_input, "An Idempotency-Key has at most " + std::to_string(key_max) + " bytes.");
  if (!asker.key.empty()) asker.wish = hash64(std::string(request.method) + " " + std::string(request.raw_path) + "?" + std::string(request.raw_query) + "\n" + request.body);
  return asker;
}

void write_state(JsonWriter& json, const ingest::OverlayState& state) {
  json.field("order", state.order).key("overlay").begin_object().field("version", state.version).key("fields").begin_array();
  for (const auto& field : state.fields) write_overlay_value(json, field.written, field.beneath);
  json.end_array().end_object();
}

void write_maybe(JsonWriter& json, std::string_view name, const std::optional<std::string>& text) {
  json.key(name);
  if (text) json.text(*text);
  else json.null();
}

std::optional<std::string> text_of(const std::optional<OverlayValue>& value) { return value ? std::optional(value->value) : std::nullopt; }

void write_conflict(JsonWriter& json, const ingest::OverlayConflict& conflict) {
  json.begin_object().field("order", conflict.order).field("field", conflict.field);
  write_maybe(json, "before", text_of(conflict.before));
  write_maybe(json, "theirs", text_of(conflict.theirs));
  write_maybe(json, "mine", conflict.mine);
  json.field("by", conflict.by);
  write_instant(json, "at", conflict.at);
  json.end_object();
}

std::string fields_of(const std::vector<ingest::OverlayConflict>& conflicts) {
  std::string text;
  for (const auto& conflict : conflicts) {
    if (text.size() > 200) return text + " and more";
    text += (text.empty() ? "" : ", ") + conflict.field;
  }
  return text;
}

// Nothing was written: every field where two people meet, with what both say, and what stands now.
Response conflict_response(const Request& request, int status, const ingest::OverlayAnswer& answer, std::string_view what_to_do) {
  const Problem problem{status, status == 412 ? "precondition-failed" : "conflict",
                        "Somebody else wrote " + fields_of(answer.conflicts) + " since; nothing was changed. " + std::string(what_to_do), {}};
  Response response = problem_response(request, problem);
  std::string more;
  JsonWriter json(more);
  json.begin_object().key("conflicts").begin_array();
  for (const auto& conflict : answer.conflicts) write_conflict(json, conflict);
  json.end_array();
  if (status == 412) json.field("your_base_etag", request.header("If-Match"));
  if (!answer.now.order.empty()) {
    json.key("current").begin_object();
    write_state(json, answer.now);
    json.end_object();
    response.header("ETag", tag_of(answer.now.version));
  }
  json.end_object();
  more.front() = ',';
  response.body.pop_back();
  response.body += more;
  return response;
}

Response json_response() {
  Response response;
  response.status = 200;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  return response;
}

Response written_response(const Request& request, const Result<ingest::OverlayAnswer>& answer, int conflict_status, std::string_view what_to_do) {
  if (!answer) return problem_response(request, problem_of(answer.error()));
  if (!answer->conflicts.empty()) return conflict_response(request, conflict_status, *answer, what_to_do);
  Response response = json_response();
  if (answer->replayed) response.header("Idempotency-Replayed", "true");
  JsonWriter json(response.body);
  json.begin_object();
  if (!answer->now.order.empty()) {
    response.header("ETag", tag_of(answer->now.version));
    write_state(json, answer->now);
  }
  const auto number = [&](std::string_view name, std::uint64_t value) {
    json.key(name);
    if (value == 0) json.null();
    else json.number(value);
  };
  number("edit", answer->edit);
  number("group", answer->group);
  json.field("orders", answer->orders).end_object();
  return response;
}

std::string state_json(const Result<ingest::OverlayState>& state) {
  if (!state) return "";
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_state(json, *state);
  json.end_object();
  return out;
}

// Written down before it is done. A conflict changes nothing, which the trail says as well.
template <class Act>
Response do_it(const Request& request, Backend& backend, const Deed& deed, int conflict_status, std::string_view what_to_do, Act act) {
  const Result<ingest::OverlayAnswer> answer = do_and_write_down(request, backend, deed, act);
  if (answer && !answer->conflicts.empty())
    write_down_refusal(request, backend, deed, Error(ErrorCode::conflict, "somebody else wrote " + fields_of(answer->conflicts) + " since"));
  return written_response(request, answer, conflict_status, what_to_do);
}

Deed deed_on(const Request& request, Backend& backend, std::string verb) {
  const std::string& order = request.path_values.at(0);
  // The body was read as JSON already.
  return {std::move(verb), "order:" + printable(order), state_json(backend.services.overlays.overlay(order)), request.body};
}

// What every write asks first.
std::optional<Response> refused(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const std::string_view type = request.header("Content-Type");
  const std::string_view media = trim(type.substr(0, type.find(';')));
  if (!equal_ignoring_case(media, "application/json") && !equal_ignoring_case(media, "application/merge-patch+json"))
    return problem_response(request, {415, "unsupported-media-type", "Send it as application/json or application/merge-patch+json.", {}});
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  return std::nullopt;
}

void write_edit(JsonWriter& json, const ingest::OverlayEdit& edit) {
  json.begin_object().field("edit", edit.id).field("order", edit.order).field("version", edit.version).field("kind", word(edit.kind));
  json.field("author", edit.author);
  write_instant(json, "time", edit.at);
  const auto number = [&](std::string_view name, std::uint64_t value) {
    json.key(name);
    if (value == 0) json.null();
    else json.number(value);
  };
  number("undoes", edit.undoes);
  number("group", edit.group);
  json.key("changes").begin_array();
  for (const auto& change : edit.changes) {
    json.begin_object().field("field", change.field);
    write_maybe(json, "before", text_of(change.before));
    write_maybe(json, "after", text_of(change.after));
    write_instant(json, "expires", change.after ? change.after->expires : std::nullopt);
    json.end_object();
  }
  json.end_array().end_object();
}

Response edits_response(const Request& request, const Result<ingest::OverlayEdits>& page) {
  if (!page) return problem_response(request, problem_of(page.error()));
  Response response = json_response();
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_array();
  for (const auto& edit : page->edits) write_edit(json, edit);
  json.end_array().key("next");
  if (page->next) json.number(*page->next);
  else json.null();
  json.end_object();
  return response;
}

constexpr std::string_view again = "Look at both values, then send what shall stand with the new ETag.";
constexpr std::string_view undo_later = "Look at both values; with \"also_later\": true what stood before the edit stands again all the same.";

}  // namespace

Response show_overlay(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (const auto problem = not_his_order(request, backend)) return problem_response(request, *problem);
  const auto state = backend.services.overlays.overlay(request.path_values.at(0));
  if (!state) return problem_response(request, problem_of(state.error()));
  Response response = json_response();
  response.header("ETag", tag_of(state->version));
  JsonWriter json(response.body);
  json.begin_object();
  write_state(json, *state);
  json.key("writable").begin_array();
  for (const std::string_view name : backend.services.overlays.fields().names()) json.text(name);
  json.end_array().end_object();
  return response;
}

Response edit_overlay(const Request& request, Backend& backend) {
  if (const auto problem = not_his_order(request, backend)) return problem_response(request, *problem);
  if (auto no = refused(request, backend)) return std::move(*no);
  const IfMatch base = if_match(request);
  if (base.problem) return problem_response(request, *base.problem);
  const auto wishes = parse_overlay_patch(request.body);
  if (!wishes) return problem_response(request, problem_of(wishes.error()));
  const auto asker = asker_of(request, backend);
  if (!asker) return problem_response(request, problem_of(asker.error()));
  return do_it(request, backend, deed_on(request, backend, "overlay.edit"), 412, again,
               [&] { return backend.services.overlays.edit(request.path_values.at(0), base.version, *wishes, *asker); });
}

Response undo_overlay(const Request& request, Backend& backend) {
  if (const auto problem = not_his_order(request, backend)) return problem_response(request, *problem);
  if (auto no = refused(request, backend)) return std::move(*no);
  const auto undo = parse_undo(request.body, "edit");
  if (!undo) return problem_response(request, problem_of(undo.error()));
  const auto asker = asker_of(request, backend);
  if (!asker) return problem_response(request, problem_of(asker.error()));
  return do_it(request, backend, deed_on(request, backend, "overlay.undo"), 409, undo_later,
               [&] { return backend.services.overlays.undo(request.path_values.at(0), undo->number, undo->also_later, *asker); });
}

Response undo_overlay_group(const Request& request, Backend& backend) {
  if (auto no = refused(request, backend)) return std::move(*no);
  const auto undo = parse_undo(request.body, "group");
  if (!undo) return problem_response(request, problem_of(undo.error()));
  const auto asker = asker_of(request, backend);
  if (!asker) return problem_response(request, problem_of(asker.error()));
  return do_it(request, backend, {"overlay.undo", "edits:" + std::to_string(undo->number), {}, request.body}, 409, undo_later,
               [&] { return backend.services.overlays.undo_group(undo->number, undo->also_later, *asker); });
}

namespace {

void write_text_or_null(JsonWriter& json, std::string_view name, const std::string& text) { write_maybe(json, name, text.empty() ? std::nullopt : std::optional(text)); }

Response preview_response(const ingest::SheetPreview& preview) {
  Response response = json_response();
  JsonWriter json(response.body);
  json.begin_object().field("preview", preview.id);
  write_instant(json, "until", preview.until);
  json.field("rows", preview.rows).key("differences").begin_array();
  for (const ingest::SheetEdit& edit : preview.edits) {
    json.begin_object().field("cell", edit.cell).field("order", edit.order).field("field", edit.field);
    write_text_or_null(json, "before", edit.before);
    write_text_or_null(json, "after", edit.after);
    json.end_object();
  }
  json.end_array().key("refused").begin_array();
  for (const ingest::SheetRefusal& refusal : preview.refused) {
    json.begin_object().field("cell", refusal.cell).field("order", refusal.order).field("field", refusal.field).field("reason", refusal.reason);
    json.key("conflict");
    if (refusal.conflict) write_conflict(json, *refusal.conflict);
    else json.null();
    json.end_object();
  }
  json.end_array().end_object();
  return response;
}

bool is_workbook(const Request& request) {
  const std::string_view type = request.header("Content-Type");
  const std::string_view media = trim(type.substr(0, type.find(';')));
  return equal_ignoring_case(media, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet") || equal_ignoring_case(media, "application/octet-stream");
}

}  // namespace

Response take_overlay_sheet(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"preview", "apply"})) return problem_response(request, *problem);
  const std::string_view preview = request.parameter("preview");
  const bool apply = request.parameter("apply") == "1";
  if (preview.empty() || (request.has_parameter("apply") && !apply) || (!apply && preview != "1"))
    return problem_response(request, {400, "bad-value", "Send the workbook with preview=1, or apply=1 with the id of its preview.", {}});
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  const auto asker = asker_of(request, backend);
  if (!asker) return problem_response(request, problem_of(asker.error()));
  if (apply) {
    constexpr std::string_view anew = "Upload the sheet again to see what can be written now.";
    const std::string id(preview);
    return do_it(request, backend, {"overlay.sheet", "preview:" + printable(id)}, 409, anew, [&] { return backend.services.overlays.apply_sheet(id, *asker); });
  }
  if (!is_workbook(request)) return problem_response(request, {415, "unsupported-media-type", "Send the workbook as it was saved, as application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.", {}});
  const auto read = backend.services.overlays.preview_sheet(request.body, *asker);
  if (!read) return problem_response(request, problem_of(read.error()));
  return preview_response(*read);
}

Response list_overlay_edits(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"limit", "before"})) return problem_response(request, *problem);
  if (const auto problem = not_his_order(request, backend)) return problem_response(request, *problem);
  std::vector<query::ParameterError> errors;
  const auto limit = number_parameter(request, {"limit", 50, 1, 1000}, errors);
  const auto before = number_parameter(request, {"before", 0, 1, INT64_MAX}, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  const auto from = *before > 0 ? std::optional(static_cast<std::uint64_t>(*before)) : std::nullopt;
  return edits_response(request, backend.services.overlays.edits_of(request.path_values.at(0), from, static_cast<std::size_t>(*limit)));
}

Response list_all_overlay_edits(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"limit", "since"})) return problem_response(request, *problem);
  std::vector<query::ParameterError> errors;
  const auto limit = number_parameter(request, {"limit", 50, 1, 1000}, errors);
  const auto since = number_parameter(request, {"since", 0, 0, INT64_MAX}, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  return edits_response(request, backend.services.overlays.edits_since(static_cast<std::uint64_t>(*since), static_cast<std::size_t>(*limit)));
}

}  // namespace millrace::server
