#include "server/internal/order_question.h"

#include <algorithm>

namespace millrace::server {

namespace {

const query::FieldRow* amount_column(const query::OrderField field) {
  for (const query::FieldRow& row : query::order_fields())
    if (row.field == field) return row.type == query::FieldType::money ? &row : nullptr;
  return nullptr;
}

Problem no_amounts(std::string_view column) {
  return {403, "denied", "You may not see amounts, so the list is neither filtered nor sorted by " + std::string(column) + ".", {}};
}

// The first filter or sort by an amount.
const query::FieldRow* asked_amount(const query::OrderQuery& query) {
  for (const query::Filter& filter : query.filters)
    if (const query::FieldRow* row = query::find_field(filter.name); row != nullptr && row->type == query::FieldType::money) return row;
  for (const query::SortKey& key : query.sort)
    if (const query::FieldRow* row = amount_column(key.field)) return row;
  return nullptr;
}

}  // namespace

OrderQuestion read_order_question(const query::Parameters& parameters, const View& view, Day today,
                                  std::span<const std::string_view> also_known) {
  query::ParsedQuery parsed = query::parse_order_query(parameters, today, also_known);
  OrderQuestion question;
  question.query = std::move(parsed.query);
  if (!parsed.errors.empty()) question.problem = problem_of(parsed.errors);
  if (!view.salesman.empty()) query::only_of(question.query, view.salesman);
  if (view.money) return question;
  if (const query::FieldRow* row = asked_amount(question.query); row != nullptr && !question.problem) question.problem = no_amounts(row->name);
  std::vector<query::OrderField>& fields = question.query.fields;
  if (fields.empty())
    for (const query::FieldRow& row : query::order_fields()) fields.push_back(row.field);
  std::erase_if(fields, [](query::OrderField field) { return amount_column(field) != nullptr; });
  if (fields.empty()) fields.push_back(query::OrderField::order);  // no column at all would mean every column
  return question;
}

}  // namespace millrace::server
