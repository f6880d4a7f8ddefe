// Batches that are pushed to us, and what came of them.
#include <charconv>

#include "base/text.h"
#include "ingest/push.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"
#include "server/internal/who_asks.h"
#include "server/internal/write_down.h"

namespace millrace::server {
namespace {

std::optional<ingest::PushFormat> format_of(std::string_view content_type) {
  const std::string media = lower_ascii(trim(content_type.substr(0, content_type.find(';'))));
  if (media == "application/json") return ingest::PushFormat::json;
  if (media == "application/x-ndjson" || media == "application/ndjson" || media == "application/jsonl") return ingest::PushFormat::lines;
  if (media == "text/csv") return ingest::PushFormat::csv;
  return std::nullopt;
}

void write_receipt(JsonWriter& json, const ingest::BatchReceipt& receipt) {
  json.begin_object();
  json.field("id", receipt.id).field("source", receipt.source).field("stream", receipt.stream);
  json.field("mode", word(receipt.mode)).field("format", word(receipt.format)).field("state", word(receipt.state));
  json.field("message", receipt.message);
  write_instant(json, "received", receipt.received);
  write_instant(json, "finished", receipt.finished);
  json.field("bytes", receipt.bytes);
  json.key("progress").begin_object();
  json.field("done", receipt.done).field("total", receipt.total).field("unit", "rows").end_object();
  json.field("accepted", receipt.accepted).field("unchanged", receipt.unchanged);
  json.field("removed", receipt.removed).field("rejected", receipt.rejected);
  json.key("rejected_rows").begin_array();
  for (const ingest::RefusedRow& row : receipt.refused) {
    json.begin_object().key("row");
    if (row.row == 0) json.null();
    else json.number(row.row);
    json.field("field", row.field).field("reason", row.reason).field("value", row.value).field("order", row.order).end_object();
  }
  json.end_array().end_object();
}

std::string address_of(const ingest::BatchReceipt& receipt) {
  return "/api/v1/ingest/" + percent_encoded(receipt.source) + "/" + percent_encoded(receipt.stream) + "/" + receipt.id;
}

Response receipt_response(int status, const ingest::BatchReceipt& receipt) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  JsonWriter json(response.body);
  json.begin_object().key("batch");
  write_receipt(json, receipt);
  json.end_object();
  return response;
}

Response refused(const Request& request, const Error& error) {
  Problem problem = problem_of(error);
  if (error.code() == ErrorCode::denied) problem.status = 401, problem.code = "unauthorized";
  if (error.code() == ErrorCode::limit_reached) problem.status = 429, problem.code = "too-many-requests";
  Response response = problem_response(request, problem);
  if (problem.status == 401) response.header("WWW-Authenticate", "Bearer");
  if (problem.status == 429) response.header("Retry-After", "5");
  return response;
}

std::string batch_json(const ingest::BatchReceipt& receipt) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("batch", receipt.id).field("stream", receipt.stream).field("mode", word(receipt.mode)).field("bytes", receipt.bytes).end_object();
  return out;
}

// A source with a token of its own looks at that itself; into the others batches come from whoever has the right.
std::optional<Problem> may_push(const Request& request, const Backend& backend) {
  const Services& services = backend.services;
  if (request.caller->may(people::Right::push) || (services.push_key && services.push_key(request.path_values.at(0)))) return std::nullopt;
  if (request.caller->by == people::Identity::By::nobody)
    return Problem{401, "unauthorized", "Send a token with the right push as Authorization: Bearer ..., or give the source a push_token_file.", {}};
  return missing_right(*request.caller, people::Rights{people::Right::push}, "push batches");
}

Problem bad_value(std::string_view parameter, std::string text) {
  return problem_of(std::vector<query::ParameterError>{{std::string(parameter), "bad-value", std::move(text)}});
}

// What the address and the headers say of the batch; its body is moved in later.
std::optional<Problem> read_wishes(const Request& request, ingest::PushedBatch& batch) {
  if (auto problem = unknown_parameters(request, {"mode", "rows"})) return problem;
  const auto format = format_of(request.header("Content-Type"));
  if (!format)
    return Problem{415, "unsupported-media-type", "Send the batch as application/json, application/x-ndjson (one document per line) or text/csv.", {}};
  batch.format = *format;
  batch.stream = request.path_values.at(1);
  const std::string_view mode = request.parameter("mode");
  if (!mode.empty() && mode != "upsert" && mode != "snapshot") return bad_value("mode", "mode is upsert or snapshot.");
  batch.mode = mode == "snapshot" ? ingest::PushMode::snapshot : ingest::PushMode::upsert;
  if (const std::string_view text = request.parameter("rows"); !text.empty()) {
    std::uint64_t rows = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), rows);
    if (code != std::errc() || end != text.data() + text.size()) return bad_value("rows", "rows is the number of orders in the batch.");
    batch.rows = rows;
  }
  batch.idempotency_key = std::string(request.header("Idempotency-Key"));
  return std::nullopt;
}

}  // namespace

Response push_batch(const Request& request, Backend& backend) {
  ingest::PushedBatch batch;
  if (const auto problem = read_wishes(request, batch)) return problem_response(request, *problem);
  if (const auto problem = may_push(request, backend)) return problem_response(request, *problem);
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  batch.body = request.body;
  const auto receipt = backend.services.push.push(request.path_values.at(0), std::move(batch), bearer_of(request));
  if (!receipt) return refused(request, receipt.error());
  if (!receipt->replayed) {
    const auto written = write_down(request, backend, {"batch.push", "source:" + printable(receipt->source), "", batch_json(*receipt)});
    if (!written) return problem_response(request, problem_of(written.error()));  // sent again with its key it does nothing twice
  }
  Response response = receipt_response(202, *receipt);
  response.header("Location", address_of(*receipt));
  if (receipt->replayed) response.header("Idempotency-Replayed", "true");
  return response;
}

Response show_batch(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (const auto problem = may_push(request, backend)) return problem_response(request, *problem);
  const auto receipt =
      backend.services.push.receipt(request.path_values.at(0), request.path_values.at(1), request.path_values.at(2), bearer_of(request));
  if (!receipt) return refused(request, receipt.error());
  return receipt_response(200, *receipt);
}

}  // namespace millrace::server
