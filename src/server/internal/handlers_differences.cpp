// What sources say differently of one order, as a list to work off; and a person's decision on one of them.
#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "base/text.h"
#include "query/differences.h"
#include "readmodel/read_model.h"
#include "server/internal/exports.h"
#include "server/internal/handlers.h"
#include "server/internal/json_in.h"
#include "server/internal/rows.h"
#include "server/internal/write_down.h"

namespace millrace::server {

namespace {

inline constexpr std::int64_t page_default = 100;

struct DifferenceQuestion {
  query::DifferenceQuery query;
  std::optional<Problem> problem;
};

DifferenceQuestion difference_question(const Request& request, std::initializer_list<std::string_view> also_known) {
  std::vector<query::ParameterError> errors;
  DifferenceQuestion question;
  std::vector<std::string_view> known{"field", "order", "source", "decided"};
  known.insert(known.end(), also_known);
  for (const auto& [name, value] : request.parameters)
    if (std::ranges::find(known, name) == known.end()) {
      const std::string_view near = closest(name, known);
      errors.push_back({printable(name), "unknown-parameter",
                        "The parameter \"" + printable(name) + "\" is not known here" + (near.empty() ? "." : "; did you mean \"" + std::string(near) + "\"?")});
    }
  question.query.field = request.parameter("field");
  question.query.order = request.parameter("order");
  question.query.source = request.parameter("source");
  const std::string_view decided = request.parameter("decided");
  if (decided == "0") question.query.decided = query::DecidedBy::rule;
  else if (decided == "1") question.query.decided = query::DecidedBy::person;
  else if (!decided.empty()) errors.push_back({"decided", "bad-value", "decided is 0 (by a rule) or 1 (by a person)."});
  if (!errors.empty()) question.problem = problem_of(errors);
  return question;
}

}  // namespace

Response list_differences(const Request& request, Backend& backend) {
  DifferenceQuestion question = difference_question(request, {"limit", "cursor"});
  std::vector<query::ParameterError> errors;
  const auto limit = number_parameter(request, {"limit", page_default, 1, static_cast<std::int64_t>(query::page_limit_max)}, errors);
  if (!question.problem && !errors.empty()) question.problem = problem_of(errors);
  if (question.problem) return problem_response(request, *question.problem);
  question.query.limit = static_cast<std::size_t>(*limit);
  question.query.cursor = request.parameter("cursor");
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    const auto page = query::differences(*at.snapshot, question.query);
    if (!page) return problem_of(page.error());
    const query::DifferenceCount count = query::count_differences(*at.snapshot);
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const query::DifferenceRow& row : page->rows) {
      json.begin_object().field("order", row.order).field("customer", row.customer).field("customer_name", row.customer_name);
      write_difference(json, row.difference, row.documents);
      json.end_object();
    }
    json.end_array().field("orders", count.orders).field("undecided", count.undecided);
    for (const std::string_view name : {"next", "next_cursor"}) {
      json.key(name);
      if (page->next_cursor.empty()) json.null();
      else json.text(page->next_cursor);
    }
    json.end_object();
    return out;
  });
}

Response differences_csv(const Request& request, Backend& backend) {
  DifferenceQuestion question = difference_question(request, {"bom", "sep", "decimal"});
  if (question.problem) return problem_response(request, *question.problem);
  std::vector<query::ParameterError> errors;
  const query::CsvStyle style = csv_style(request, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  const Moment at = moment(backend.services);
  Response response;
  if (not_modified(request, at, "differences", response)) return response;
  response.content_type = "text/csv; charset=utf-8; header=present";
  response.encoded = true;
  response.header("Content-Disposition", "attachment; filename=\"differences_" + iso(at.today) + ".csv\"");
  std::string& out = response.body;
  if (style.bom) out += "\xEF\xBB\xBF";
  const auto line_of = [&](std::initializer_list<std::string> texts) {
    bool first = true;
    for (const std::string& text : texts) {
      if (!std::exchange(first, false)) out += style.separator;
      append_csv_text(out, text, style);
    }
    out += style.line_end;
  };
  line_of({"order", "customer", "customer_name", "field", "line", "source", "value", "counts", "rule", "decided_by"});
  question.query.limit = query::page_limit_max;
  std::uint64_t rows = 0;
  do {
    const auto page = query::differences(*at.snapshot, question.query);
    if (!page) return problem_response(request, problem_of(page.error()));
    for (const query::DifferenceRow& row : page->rows) {
      const feed::Difference& each = row.difference;
      for (std::size_t i = 0; i < each.values.size(); ++i, ++rows)
        line_of({row.order, row.customer, row.customer_name, each.field, std::to_string(each.line), row.documents.at(each.values[i].document).source,
                 each.values[i].text, i == each.counts ? "1" : "0", each.rule, each.decided_by});
    }
    question.query.cursor = page->next_cursor;
  } while (!question.query.cursor.empty());
  (out += last_line(rows, at)) += style.line_end;
  return response;
}

namespace {

// The read model may be a moment behind what was just committed, so the order is read from the change itself.
Response decided_order(const Request& request, Backend& backend, const Result<feed::Change>& decided) {
  if (!decided) return problem_response(request, problem_of(decided.error()));
  Moment at = moment(backend.services);
  feed::Change change = *decided;
  at.as_of = change.sequence;
  at.as_of_time = change.at;
  change.sequence = feed::Sequence{1};
  readmodel::ReadModel alone;
  if (const auto applied = alone.apply(std::span(&change, 1)); !applied) return problem_response(request, problem_of(applied.error()));
  const readmodel::SnapshotPtr snapshot = alone.current();
  auto detail = query::order_detail(*snapshot, change.put.order->number.text, at.today);
  if (!detail) return problem_response(request, problem_of(detail.error()));
  detail->row.sequence = at.as_of;
  Response response;
  response.status = 200;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  response.header("Millrace-As-Of", std::to_string(at.as_of.value));
  response.body = "{" + envelope(at, backend.services.sources.sources()) + ",";
  std::string order;
  JsonWriter json(order);
  json.begin_object();
  write_order(json, *detail, view_of(*request.caller).money);
  json.end_object();
  response.body += order.substr(1);
  return response;
}

// What counted so far, as the audit trail keeps it; "" where the sources do not differ.
std::string counted_so_far(const Backend& backend, const ingest::DifferenceChoice& choice) {
  const Moment at = moment(backend.services);
  const auto detail = query::order_detail(*at.snapshot, choice.order, at.today);
  if (!detail) return "";
  for (const feed::Difference& each : detail->put.differences) {
    if (each.field != choice.field || each.line != choice.line || each.counts >= each.values.size()) continue;
    const feed::Difference::Value& value = each.values[each.counts];
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("field", each.field).field("line", std::int64_t{each.line}).field("value", value.text);
    json.field("source", detail->put.documents.at(value.document).source).field("rule", each.rule).field("decided_by", each.decided_by).end_object();
    return out;
  }
  return "";
}

std::string choice_json(const ingest::DifferenceChoice& choice, const std::string& source) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("field", choice.field).field("line", std::int64_t{choice.line});
  if (source.empty()) json.field("decided", "by rule");
  else json.field("source", source);
  json.end_object();
  return out;
}

bool is_json(const Request& request) {
  const std::string_view type = request.header("Content-Type");
  return equal_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json");
}

Response not_json(const Request& request) {
  return problem_response(request, {415, "unsupported-media-type", "Send the decision as application/json.", {}});
}

}  // namespace

Response decide_difference(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (!is_json(request)) return not_json(request);
  const auto command = parse_decision(request.body);
  if (!command) return problem_response(request, problem_of(command.error()));
  if (const auto refused = backend.services.record_facts().refuses) return problem_response(request, problem_of(*refused));
  // Who has signed in is who decides. Where nobody does, whoever sits at this machine may say his name.
  const bool says_who = request.caller->by == people::Identity::By::local && !command->by.empty();
  const std::string& by = says_who ? command->by : request.caller->name;
  const ingest::DifferenceChoice choice{request.path_values.at(0), command->field, command->line};
  const Deed deed{"difference.decide", "order:" + printable(choice.order), counted_so_far(backend, choice), choice_json(choice, command->source)};
  return decided_order(request, backend, do_and_write_down(request, backend, deed, [&] { return backend.services.sources.decide(choice, command->source, by); }));
}

// What to undo is said in the address, or in a body like that of the decision.
Response undecide_difference(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"field", "line"})) return problem_response(request, *problem);
  ingest::DifferenceChoice choice{request.path_values.at(0), std::string(request.parameter("field")), 0};
  std::vector<query::ParameterError> errors;
  const auto line = number_parameter(request, {"line", 0, INT32_MIN, INT32_MAX}, errors);
  if (line) choice.line = static_cast<std::int32_t>(*line);
  if (choice.field.empty() && request.body.empty()) errors.push_back({"field", "bad-value", "field names the value whose decision is taken back."});
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  if (choice.field.empty()) {
    if (!is_json(request)) return not_json(request);
    const auto command = parse_undecision(request.body);
    if (!command) return problem_response(request, problem_of(command.error()));
    choice.field = command->field;
    choice.line = command->line;
  }
  if (const auto refused = backend.services.record_facts().refuses) return problem_response(request, problem_of(*refused));
  const Deed deed{"difference.undecide", "order:" + printable(choice.order), counted_so_far(backend, choice), choice_json(choice, "")};
  return decided_order(request, backend, do_and_write_down(request, backend, deed, [&] { return backend.services.sources.undecide(choice); }));
}

}  // namespace millrace::server
