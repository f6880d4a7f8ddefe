// Totals per group, the morning's answer, and what the columns are.
#include <algorithm>

#include "query/today.h"
#include "query/totals.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"

namespace millrace::server {

namespace {
std::string inside(std::string object) { return object.substr(1, object.size() - 2); }

std::string_view word(query::FieldType type) {
  switch (type) {
    case query::FieldType::text:
      return "text";
    case query::FieldType::number:
      return "number";
    case query::FieldType::quantity:
      return "quantity";
    case query::FieldType::money:
      return "money";
    case query::FieldType::day:
      return "day";
    case query::FieldType::instant:
      return "instant";
    case query::FieldType::flag:
      return "flag";
  }
  return "text";
}

inline constexpr std::size_t decisions_max = 20;
}  // namespace

Response show_totals(const Request& request, Backend& backend) {
  const Day today = utc_day(backend.services.clock.now());
  OrderQuestion question = order_question(request, today, {"group"});
  if (question.problem) return problem_response(request, *question.problem);
  const std::string_view name = request.has_parameter("group") ? request.parameter("group") : "customer";
  const auto group = query::parse_totals_group(name);
  if (!group) {
    std::string words;
    for (const std::string_view word : query::totals_group_names())
      words += (words.empty() ? "" : ", ") + std::string(word);
    return problem_response(request, problem_of(std::vector<query::ParameterError>{
                                         {"group", "bad-value", "Orders are grouped by one of " + words + "."}}));
  }
  const std::size_t limit = request.has_parameter("limit") ? question.query.limit : query::page_limit_max;
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Result<std::string> {
    const auto totals = query::totals(*at.snapshot, *group, question.query, at.today);
    if (!totals) return pass_on(totals);
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("group", name).key("data").begin_array();
    for (std::size_t i = 0; i < std::min(limit, totals->rows.size()); ++i) {
      const query::TotalRow& row = totals->rows[i];
      json.begin_object().field("key", row.key).field("name", row.name);
      write_sums(json, "sums", row.sums);
      json.end_object();
    }
    json.end_array().field("total", std::uint64_t{totals->rows.size()}).end_object();
    return inside(std::move(out));
  });
}

Response show_today(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Result<std::string> {
    const query::Today today = query::today(*at.snapshot, at.today, decisions_max);
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("day", iso(at.today));
    write_sums(json, "sums", today.sums);
    write_sums(json, "due_soon", today.due_soon);
    json.key("ages").begin_array();
    for (const auto& bucket : today.ages) {
      json.begin_object().field("name", bucket.name);
      write_sums(json, "sums", bucket.sums);
      json.end_object();
    }
    json.end_array().key("needs_decision").begin_array();
    for (const auto& row : today.needs_decision) write_row(json, row, {});
    json.end_array().field("rejections", today.rejections).end_object();
    return inside(std::move(out));
  });
}

Response list_fields(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::yes, [](const Moment&) -> Result<std::string> {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& field : query::order_fields()) {
      json.begin_object().field("name", field.name).field("type", word(field.type)).field("title", field.title);
      json.field("filter", field.filter).field("sort", field.sort).field("help", field.help).end_object();
    }
    json.end_array().key("line_filters").begin_array();
    for (const auto& filter : query::line_filters())
      json.begin_object().field("name", filter.name).field("help", filter.help).end_object();
    json.end_array().key("groups").begin_array();
    for (const std::string_view name : query::totals_group_names()) json.text(name);
    json.end_array().end_object();
    return inside(std::move(out));
  });
}

}  // namespace millrace::server
