// Totals per group, the morning's answer, and what the columns are.
#include <algorithm>

#include "query/today.h"
#include "query/totals.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"

namespace millrace::server {

namespace {
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

namespace {

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

struct TotalsQuestion {
  query::OrderQuery query;  // filters
  std::string_view group_name;
  query::TotalsGroup group = query::TotalsGroup::customer;
  query::TotalsOrder order;
  std::optional<Problem> problem;
};

// `sort` names what groups have, not what orders have, so it is read here.
TotalsQuestion totals_question(const Request& request, Day today) {
  TotalsQuestion asked;
  OrderQuestion filters = order_question(request, today, {"group", "sort"});
  std::vector<query::ParameterError> errors;
  asked.group_name = request.has_parameter("group") ? request.parameter("group") : "customer";
  if (const auto group = query::parse_totals_group(asked.group_name)) {
    asked.group = *group;
  } else {
    errors.push_back({"group", "bad-value", "Orders are grouped by one of " + listed(query::totals_group_names()) + "."});
  }
  if (std::string_view name = request.parameter("sort"); !name.empty()) {
    asked.order.descending = name.starts_with('-');
    if (asked.order.descending) name.remove_prefix(1);
    if (const auto by = query::parse_totals_sort(name)) {
      asked.order.by = *by;
    } else {
      errors.push_back({"sort", "bad-value", "Groups are sorted by one of " + listed(query::totals_sort_names()) +
                                                 ", with - in front for the largest first."});
    }
  }
  asked.order.limit = request.has_parameter("limit") ? filters.query.limit : query::page_limit_max;
  asked.query = std::move(filters.query);
  asked.problem = std::move(filters.problem);
  if (!asked.problem && !errors.empty()) asked.problem = problem_of(errors);
  return asked;
}

}  // namespace

Response show_totals(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    const TotalsQuestion asked = totals_question(request, at.today);
    if (asked.problem) return *asked.problem;
    const auto totals = query::totals(*at.snapshot, asked.group, asked.query, at.today, asked.order);
    if (!totals) return problem_of(totals.error());
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("group", asked.group_name).key("data").begin_array();
    for (const query::TotalRow& row : totals->rows) {
      json.begin_object().field("key", row.key).field("name", row.name);
      write_sums(json, "sums", row.sums);
      json.end_object();
    }
    json.end_array().field("total", totals->groups).end_object();
    return out;
  });
}

Response show_today(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    const query::Today today = query::today(*at.snapshot, at.today, decisions_max, request.caller->own_orders);
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
    json.end_array();
    for (const auto& [name, count] : {std::pair("rejections", today.rejections), std::pair("differences", today.differences)}) {
      json.key(name);
      if (count) json.number(*count);
      else json.null();
    }
    json.end_object();
    return out;
  });
}

Response list_fields(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const bool money = view_of(*request.caller).money;
  return data_response(request, backend, Keep::yes, [money](const Moment&) -> Built {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& field : query::order_fields()) {
      if (!money && field.type == query::FieldType::money) continue;
      json.begin_object().field("name", field.name).field("type", word(field.type)).field("title", field.title);
      json.field("filter", field.filter).field("sort", field.sort).field("help", field.help);
      json.field("own", query::own_number(field.field).has_value()).end_object();
    }
    json.end_array().key("line_filters").begin_array();
    for (const auto& filter : query::line_filters())
      json.begin_object().field("name", filter.name).field("help", filter.help).end_object();
    json.end_array().key("groups").begin_array();
    for (const std::string_view name : query::totals_group_names()) json.text(name);
    json.end_array().end_object();
    return out;
  });
}

}  // namespace millrace::server
