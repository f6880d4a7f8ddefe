// Finance documents: looked through, and written one by one by people.
#include "base/text.h"
#include "query/finance_list.h"
#include "server/internal/author.h"
#include "server/internal/finance_answers.h"
#include "server/internal/finance_json.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"
#include "server/internal/write_down.h"

namespace millrace::server {
namespace {

bool is_ours(const FinanceDocument& document) { return document.source == ingest::entered_source || document.source == ingest::import_source; }

void write_listed(JsonWriter& json, const FinanceDocument& document) {
  json.begin_object();
  write_finance_fields(json, document);
  json.field("editable", is_ours(document));
  if (is_ours(document)) json.field("version", ingest::finance_version(document));
  json.end_object();
}

std::optional<Day> day_parameter(const Request& request, std::string_view name, std::vector<query::ParameterError>& errors) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return std::nullopt;
  const auto day = parse_iso_day(text);
  if (!day) errors.push_back({std::string(name), "bad-value", "\"" + std::string(name) + "\" is a day like 2026-11-23."});
  return day;
}

Built build_list(const Request& request, const Moment& at) {
  std::vector<query::ParameterError> errors;
  query::FinanceQuestion question;
  const auto kind = parse_finance_kind(request.parameter("kind"));
  if (!kind) errors.push_back({"kind", "bad-value", "\"kind\" is one of the kinds of finance documents, like cost or invoice."});
  question.kind = kind.value_or(FinanceKind::cost);
  question.text = request.parameter("q");
  question.party = request.parameter("party");
  question.source = request.parameter("source");
  question.from = day_parameter(request, "from", errors);
  question.to = day_parameter(request, "to", errors);
  question.limit = static_cast<std::size_t>(number_parameter(request, {"limit", 100, 1, query::finance_list_max}, errors).value_or(1));
  question.cursor = request.parameter("cursor");
  if (!errors.empty()) return problem_of(errors);
  const auto list = query::finance_list(at.snapshot->finance(), question);
  if (!list) return problem_of(list.error());
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("kind", word(question.kind)).field("count", list->count).key("sums").begin_array();
  for (const Money& sum : list->sums.sums()) json.begin_object().field("minor", sum.minor).field("currency", sum.currency.code()).end_object();
  json.end_array().key("documents").begin_array();
  for (const readmodel::FinancePtr& document : list->documents) write_listed(json, *document);
  json.end_array().field("next_cursor", list->next_cursor).end_object();
  return Built(std::move(text));
}

// The version in If-Match; without one nothing may stand there yet.
ingest::FinanceBase base_of(const Request& request) {
  std::string_view text = trim(request.header("If-Match"));
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() > 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  return {std::string(text)};
}

std::string json_of(const FinanceDocument& document) {
  std::string text;
  JsonWriter json(text);
  write_listed(json, document);
  return text;
}

Response written_response(const Request& request, const Result<ingest::FinanceAnswer>& answer) {
  if (!answer) return problem_response(request, problem_of(answer.error()));
  if (!answer->is_conflict) {
    Response response = finance_json_response(answer->is_new ? 201 : 200);
    JsonWriter json(response.body);
    json.begin_object().key("document");
    if (answer->now) write_listed(json, *answer->now);
    else json.null();
    json.end_object();
    if (answer->now) response.header("ETag", "\"" + answer->version + "\"");
    return response;
  }
  const bool asked = !request.header("If-Match").empty();
  const Problem problem = asked ? Problem{412, "precondition-failed", answer->now ? "Somebody changed it since you read it; nothing was written. Look at what stands now, then send yours with the new ETag." : "It was removed since you read it; send it without If-Match to write it anew.", {}}
                                : Problem{428, "precondition-required", "It stands already; say in If-Match which version you read: the ETag of its GET.", {}};
  Response response = problem_response(request, problem);
  if (!answer->now) return response;
  response.header("ETag", "\"" + answer->version + "\"");
  response.body.pop_back();
  response.body += ",\"current\":" + json_of(*answer->now) + "}";
  return response;
}

template <class Act>
Response do_it(const Request& request, Backend& backend, const Deed& deed, Act act) {
  const Result<ingest::FinanceAnswer> answer = do_and_write_down(request, backend, deed, act);
  if (answer && answer->is_conflict) write_down_refusal(request, backend, deed, Error(ErrorCode::conflict, "it is not the version that was read"));
  return written_response(request, answer);
}

std::optional<Response> cannot_write(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (backend.services.finance == nullptr) return problem_response(request, {503, "unavailable", "This server keeps no finance documents.", {}});
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  return std::nullopt;
}

struct Address {
  FinanceKind kind = FinanceKind::cost;
  std::string key;
  std::string object;  // as the audit trail names it
};
Result<Address> address_of(const Request& request) {
  const auto kind = parse_finance_kind(request.path_values.at(0));
  if (!kind) return fail(ErrorCode::not_found, "there is no kind \"" + printable(std::string_view(request.path_values.at(0)).substr(0, 64)) + "\" of finance documents; docs name them, like cost or invoice");
  return Address{*kind, request.path_values.at(1), std::string(word(*kind)) + ":" + printable(request.path_values.at(1))};
}

}  // namespace

Response finance_json_response(int status) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  return response;
}

ingest::FinanceDoor::Others others_of(Backend& backend) {
  return [snapshot = backend.services.snapshot()](FinanceKind kind, const std::string& key) -> Result<std::optional<ingest::StandingDocument>> {
    const readmodel::FinancePtr found = snapshot->finance().find(kind, key);
    if (!found) return std::optional<ingest::StandingDocument>();
    return std::optional(ingest::StandingDocument{*found, is_ours(*found)});
  };
}

Response list_finance(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"kind", "q", "party", "source", "from", "to", "limit", "cursor"})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::yes, [&](const Moment& at) { return build_list(request, at); });
}

Response show_finance(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const auto address = address_of(request);
  if (!address) return problem_response(request, problem_of(address.error()));
  std::optional<FinanceDocument> found;
  if (backend.services.finance != nullptr) {
    auto own = backend.services.finance->show(address->kind, address->key);
    if (own) found = std::move(own->now);
    else if (own.error().code() != ErrorCode::not_found) return problem_response(request, problem_of(own.error()));
  }
  if (!found)
    if (const readmodel::FinancePtr other = backend.services.snapshot()->finance().find(address->kind, address->key); other && !is_ours(*other)) found = *other;
  if (!found) return problem_response(request, {404, "not-found", "There is no " + address->object + ".", {}});
  Response response = finance_json_response(200);
  if (is_ours(*found)) response.header("ETag", "\"" + ingest::finance_version(*found) + "\"");
  response.body = "{\"document\":" + json_of(*found) + "}";
  return response;
}

Response put_finance(const Request& request, Backend& backend) {
  if (auto no = cannot_write(request, backend)) return std::move(*no);
  const auto address = address_of(request);
  if (!address) return problem_response(request, problem_of(address.error()));
  auto document = parse_finance_document(request.body, address->kind, address->key);
  if (!document) return problem_response(request, problem_of(document.error()));
  const auto standing = backend.services.finance->show(address->kind, address->key);
  const std::string before = standing && standing->now ? json_of(*standing->now) : "";
  return do_it(request, backend, {before.empty() ? "finance.create" : "finance.change", address->object, before, request.body},
               [&] { return backend.services.finance->put(std::move(*document), base_of(request), {author_of(request), backend.services.clock.now()}, others_of(backend)); });
}

Response remove_finance(const Request& request, Backend& backend) {
  if (auto no = cannot_write(request, backend)) return std::move(*no);
  const auto address = address_of(request);
  if (!address) return problem_response(request, problem_of(address.error()));
  const ingest::FinanceBase base = base_of(request);
  if (base.version.empty()) return problem_response(request, {428, "precondition-required", "Say in If-Match which version you read: the ETag of its GET, or * for whatever stands.", {}});
  const auto standing = backend.services.finance->show(address->kind, address->key);
  return do_it(request, backend, {"finance.remove", address->object, standing && standing->now ? json_of(*standing->now) : ""},
               [&] { return backend.services.finance->remove(address->kind, address->key, base, {author_of(request), backend.services.clock.now()}, others_of(backend)); });
}

}  // namespace millrace::server
