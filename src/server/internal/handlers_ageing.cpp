// Who owes what since when, what was spent against which budget, how a customer pays, and where an order's money is.
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/text.h"
#include "query/ageing.h"
#include "query/costs.h"
#include "query/order_money.h"
#include "query/payment_profile.h"
#include "server/internal/cash_answers.h"

namespace millrace::server {
namespace {

constexpr std::size_t history_max = 1000;

struct AgeingAsk {
  query::AgeingAsked asked;
  std::vector<query::ParameterError> errors;
};

AgeingAsk ageing_ask(const Request& request, Day today) {
  AgeingAsk ask;
  const auto wrong = [&](std::string name, std::string text) { ask.errors.push_back({std::move(name), "bad-value", std::move(text)}); };
  const std::string_view side = request.parameter("side");
  if (side == "payables") ask.asked.side = readmodel::LedgerSide::payables;
  else if (!side.empty() && side != "receivables") wrong("side", "side is receivables or payables.");
  ask.asked.day = day_parameter(request, "as_of", ask.errors).value_or(today);
  const std::string_view by = request.parameter("by");
  if (by == "posted") ask.asked.by = planning::AgeingBasis::posted;
  else if (!by.empty() && by != "due") wrong("by", "by is due or posted.");
  if (request.has_parameter("buckets")) {
    if (auto bounds = query::parse_ageing_bounds(request.parameter("buckets"))) ask.asked.bounds = std::move(*bounds);
    else wrong("buckets", bounds.error().text() + ".");
  }
  if (request.has_parameter("group")) {
    if (const auto group = query::parse_ageing_group(request.parameter("group"))) ask.asked.group = *group;
    else wrong("group", "group is party, currency, salesperson or country.");
  }
  return ask;
}

void write_amounts(JsonWriter& json, const query::AgeingRow& row) {
  json.key("amounts").begin_array();
  for (const std::int64_t amount : row.amounts) json.begin_object().field("minor", amount).field("currency", row.currency.code()).end_object();
  json.end_array();
  write_money(json, "total", row.total, row.currency);
}

void write_tenths(JsonWriter& json, std::string_view name, const std::optional<std::int64_t>& tenths) {
  json.key(name);
  if (tenths) json.raw(scaled_text(*tenths, 1));
  else json.null();
}
void write_measures(JsonWriter& json, const query::AgeingMeasures& measures) {
  json.begin_object().field("currency", measures.currency.code());
  write_tenths(json, "dso", measures.dso);
  write_tenths(json, "best_dso", measures.best_dso);
  write_tenths(json, "count_back", measures.count_back);
  write_tenths(json, "average_days_late", measures.average_days_late);
  write_tenths(json, "dpo", measures.dpo);
  json.end_object();
}

std::string ageing_json(const query::AgeingTable& table, const query::AgeingAsked& asked, Currency own) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("side", asked.side == readmodel::LedgerSide::receivables ? "receivables" : "payables").field("day", iso(asked.day));
  json.field("by", asked.by == planning::AgeingBasis::due ? "due" : "posted").key("buckets").begin_array();
  for (const std::string& name : table.buckets) json.text(name);
  json.end_array().key("totals").begin_array();
  for (const query::AgeingRow& total : table.totals) {
    json.begin_object().field("currency", total.currency.code());
    write_amounts(json, total);
    json.end_object();
  }
  json.end_array().key("rows").begin_array();
  for (const query::AgeingRow& row : table.rows) {
    json.begin_object().field("key", row.key).field("name", row.name).field("currency", row.currency.code());
    write_amounts(json, row);
    write_day(json, "oldest", row.oldest);
    json.end_object();
  }
  json.end_array().key("measures");
  const auto ours = std::ranges::find(table.measures, own, &query::AgeingMeasures::currency);
  write_measures(json, ours != table.measures.end() ? *ours : table.measures.empty() ? query::AgeingMeasures{own, {}, {}, {}, {}, {}} : table.measures.front());
  json.key("measures_by_currency").begin_array();
  for (const query::AgeingMeasures& measures : table.measures) write_measures(json, measures);
  json.end_array().end_object();
  return out;
}

void write_ageing_item(JsonWriter& json, const query::AgeingItem& item, bool receivable) {
  const FinanceDocument& document = *item.document;
  json.begin_object().field("id", std::string(word(document.kind)) + "/" + document.source + "/" + document.number);
  json.field("kind", word(document.kind)).field("number", document.number).field("layer", "invoiced");
  json.field("direction", (item.open >= 0) == receivable ? "in" : "out").field("party", document.party_code).field("party_name", document.party_name);
  write_money(json, "amount", item.open, document.currency);
  json.key("converted").null();
  write_day(json, "day", item.due);
  write_day(json, "due", item.due);
  write_day(json, "posted", item.posted);
  json.field("order", document.lines.empty() ? std::string() : document.lines.front().order.text).key("order_line").null().field("category", document.category);
  json.field("why", item.age == 0 ? "not due" : std::to_string(item.age) + " days old").end_object();
}

Built build_ageing_items(const Request& request, const Moment& at) {
  AgeingAsk ask = ageing_ask(request, at.today);
  query::AgeingItemsAsked asked;
  asked.of = ask.asked;
  asked.bucket = request.parameter("bucket");
  asked.party = request.parameter("party");
  asked.currency = request.parameter("currency");
  asked.limit = limit_of(request, 100, ask.errors);
  asked.offset = static_cast<std::size_t>(number_parameter(request, {"cursor", 0, 0, 1'000'000'000}, ask.errors).value_or(0));
  if (!ask.errors.empty()) return problem_of(ask.errors);
  const auto items = query::ageing_items(at.snapshot->finance(), asked);
  if (!items) return problem_of(items.error());
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  const auto& sums = items->totals.sums();
  const Currency own = sums.size() == 1 ? sums.front().currency : Currency::parse(asked.currency).value_or(query::company_currency(*at.snapshot, at.snapshot->finance()));
  const auto total = std::ranges::find(sums, own, &Money::currency);
  write_money(json, "total", total == sums.end() ? 0 : total->minor, own);
  write_sums(json, "totals", items->totals);
  json.field("count", items->count).key("items").begin_array();
  for (const query::AgeingItem& item : items->items) write_ageing_item(json, item, asked.of.side == readmodel::LedgerSide::receivables);
  json.end_array().key("next_cursor");
  if (asked.offset + items->items.size() < items->count && !items->items.empty()) json.text(std::to_string(asked.offset + items->items.size()));
  else json.null();
  json.end_object();
  return out;
}

// ---- costs

std::string costs_json(const query::Costs& costs, const query::CostsAsked& asked) {
  std::string out;
  JsonWriter json(out);
  const auto sums = [&](const query::CostSums& sum) {
    write_money(json, "actual", sum.actual, asked.currency);
    write_money(json, "planned", sum.planned, asked.currency);
    write_money(json, "budget", sum.budget, asked.currency);
    write_money(json, "difference", sum.difference(), asked.currency);
    json.field("documents", sum.documents);
  };
  json.begin_object().field("currency", asked.currency.code()).field("from", iso(asked.from)).field("to", iso(asked.to)).key("rows").begin_array();
  for (const query::CostRow& row : costs.rows) {
    json.begin_object().field("month", row.month).field("category", row.category);
    sums(row.sums);
    json.end_object();
  }
  json.end_array().key("categories").begin_array();
  for (const std::string& category : costs.categories) json.text(category);
  json.end_array().key("totals").begin_object();
  sums(costs.totals);
  json.end_object().key("revenue").begin_array();
  for (const query::RevenueRow& row : costs.revenue) {
    json.begin_object().field("month", row.month);
    write_money(json, "invoiced", row.invoiced, asked.currency);
    write_money(json, "paid", row.paid, asked.currency);
    write_money(json, "ordered", row.ordered, asked.currency);
    json.end_object();
  }
  json.end_array();
  write_sums(json, "without_rate", costs.without_rate);
  json.end_object();
  return out;
}

struct CostsAsk {
  query::CostsAsked asked;
  std::optional<Problem> problem;
};
// Without days: the twelve months until the end of this one.
CostsAsk costs_ask(const Request& request, Backend& backend, const Moment& at) {
  CostsAsk ask;
  std::vector<query::ParameterError> errors;
  const std::chrono::year_month month = at.today.year() / at.today.month();
  ask.asked.to = day_parameter(request, "to", errors).value_or(Day(month / std::chrono::last));
  ask.asked.from = day_parameter(request, "from", errors).value_or(Day((month - std::chrono::months(11)) / 1));
  const auto span = std::chrono::sys_days(ask.asked.to) - std::chrono::sys_days(ask.asked.from);
  if (span < std::chrono::days(0) || span > std::chrono::days(3660)) errors.push_back({"to", "bad-value", "to is not before from, and at most ten years after it."});
  ask.asked.category = request.parameter("category");
  const std::string_view group = request.parameter("group");
  if (!group.empty() && group != "month" && group != "category") errors.push_back({"group", "bad-value", "group is month or category."});
  ask.asked.by_month = group != "category";
  const CashAsk common = cash_ask(request, backend, at, std::move(errors));
  ask.problem = common.problem;
  ask.asked.currency = common.question.currency;
  return ask;
}

// ---- one customer, one order

std::string payments_json(const query::CustomerPayments& payments) {
  std::string out;
  JsonWriter json(out);
  const planning::PaymentProfile& profile = payments.profile;
  json.begin_object().field("party", payments.party).field("party_name", payments.name).field("sentence", profile.sentence);
  json.field("p50", profile.p50).field("p10", profile.p10).field("p90", profile.p90).key("trend_days_per_month").ratio(profile.trend_days_per_month, 2);
  json.field("invoices", profile.invoices).key("open").begin_object().field("count", payments.open_count);
  write_sums(json, "amounts", payments.open);
  json.end_object();
  write_sums(json, "not_invoiced", payments.not_invoiced);
  json.key("late_share").ratio(profile.late_share, 4);
  json.key("credit_limit").null();  // no source tells one
  MoneyByCurrency exposure = payments.open;
  for (const Money& sum : payments.not_invoiced.sums()) exposure.add(sum);
  if (exposure.sums().size() == 1) write_money(json, "exposure", exposure.sums().front().minor, exposure.sums().front().currency);
  else json.key("exposure").null();
  write_sums(json, "exposures", exposure);
  json.key("history").begin_array();
  for (const query::PaidInvoice& invoice : payments.history) {
    const FinanceDocument& document = *invoice.document;
    json.begin_object().field("number", document.number);
    write_day(json, "posted", document.posted);
    write_day(json, "due", invoice.due);
    write_day(json, "paid", invoice.paid);
    write_money(json, "amount", invoice.amount, document.currency);
    write_money(json, "open", invoice.open, document.currency);
    json.key("days_late");
    if (invoice.days_late) json.number(std::int64_t{*invoice.days_late});
    else json.null();
    json.field("outlier", invoice.outlier).end_object();
  }
  json.end_array().end_object();
  return out;
}

void write_states(JsonWriter& json, const LineMoney& money, Currency currency) {
  json.key("states").begin_object();
  for (const MoneyState state : {MoneyState::open, MoneyState::delivered, MoneyState::invoiced, MoneyState::paid, MoneyState::written_off})
    write_money(json, word(state), money.of(state), currency);
  json.end_object();
}

void write_documents(JsonWriter& json, std::string_view name, const std::vector<readmodel::FinancePtr>& documents) {
  json.key(name).begin_array();
  for (const readmodel::FinancePtr& document : documents) {
    json.begin_object().field("kind", word(document->kind)).field("number", document->number);
    write_day(json, "posted", document->posted);
    write_money(json, "amount", document->amount, document->currency);
    json.end_object();
  }
  json.end_array();
}

std::string order_money_json(const query::OrderMoney& order) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("order", order.order).field("currency", order.currency.code());
  write_money(json, "value", order.money.value(), order.currency);
  write_states(json, order.money, order.currency);
  write_money(json, "cancelled", order.money.cancelled, order.currency);
  write_money(json, "over_invoiced", order.money.over_invoiced, order.currency);
  json.key("lines").begin_array();
  for (const query::OrderMoneyLine& line : order.lines) {
    json.begin_object().field("line", line.line).field("item", line.item_code);
    write_money(json, "value", line.money.value(), order.currency);
    write_states(json, line.money, order.currency);
    write_day(json, "expected_day", line.expected);
    json.field("why", line.why).end_object();
  }
  json.end_array();
  write_documents(json, "documents", order.documents);
  write_documents(json, "without_rate", order.unconverted);
  json.end_object();
  return out;
}

}  // namespace

Response show_ageing(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"side", "as_of", "by", "buckets", "group"})) return *problem;
    const AgeingAsk ask = ageing_ask(request, at.today);
    if (!ask.errors.empty()) return problem_of(ask.errors);
    const auto table = query::ageing_table(at.snapshot->finance(), ask.asked);
    if (!table) return problem_of(table.error());
    return ageing_json(*table, ask.asked, query::company_currency(*at.snapshot, at.snapshot->finance()));
  });
}

Response list_ageing_items(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"side", "as_of", "by", "buckets", "group", "bucket", "party", "currency", "limit", "cursor"})) return *problem;
    return build_ageing_items(request, at);
  });
}

Response show_costs(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"currency", "from", "to", "category", "group"})) return *problem;
    const CostsAsk ask = costs_ask(request, backend, at);
    if (ask.problem) return *ask.problem;
    const auto moves = backend.services.cash_keeper->moves(at.snapshot, at.today);
    const auto answer = query::costs(*at.snapshot, at.snapshot->finance(), *moves->finance, ask.asked);
    if (!answer) return problem_of(answer.error());
    return costs_json(*answer, ask.asked);
  });
}

Response list_cost_items(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"currency", "from", "to", "category", "limit"})) return *problem;
    std::vector<query::ParameterError> errors;
    const std::size_t limit = limit_of(request, 200, errors);
    if (!errors.empty()) return problem_of(errors);
    const CostsAsk ask = costs_ask(request, backend, at);
    if (ask.problem) return *ask.problem;
    const auto moves = backend.services.cash_keeper->moves(at.snapshot, at.today);
    const auto items = query::cost_items(at.snapshot->finance(), *moves->finance, ask.asked);
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("count", std::uint64_t{items.size()}).key("items").begin_array();
    for (std::size_t i = 0; i < std::min(limit, items.size()); ++i) {
      const FinanceDocument& document = *items[i].document;
      json.begin_object().field("kind", word(document.kind)).field("number", document.number).field("day", iso(items[i].day)).field("counts_as", items[i].counts_as);
      json.field("category", document.category).field("comment", document.comment);
      write_money(json, "amount", document.amount, document.currency);
      json.end_object();
    }
    json.end_array().end_object();
    return out;
  });
}

Response show_customer_payments(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"limit"})) return *problem;
    std::vector<query::ParameterError> errors;
    const std::size_t limit = limit_of(request, history_max, errors);
    if (!errors.empty()) return problem_of(errors);
    const auto moves = backend.services.cash_keeper->moves(at.snapshot, at.today);
    const auto payments = query::customer_payments(*moves, at.snapshot->finance(), request.path_values.at(0), limit);
    if (!payments) return problem_of(payments.error());
    return payments_json(*payments);
  });
}

Response show_order_money(const Request& request, Backend& backend) {
  if (auto problem = not_his_order(request, backend)) return problem_response(request, *problem);
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {})) return *problem;
    const auto moves = backend.services.cash_keeper->moves(at.snapshot, at.today);
    const auto order = query::order_money(*moves, at.snapshot->finance(), request.path_values.at(0));
    if (!order) return problem_of(order.error());
    return Built(order_money_json(*order)).cheap();
  });
}

}  // namespace millrace::server
