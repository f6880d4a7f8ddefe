// Cash: the position, the movements behind a figure, and why it changed.
#include <algorithm>
#include <map>

#include "server/internal/cash_answers.h"

namespace millrace::server {
namespace {

constexpr std::size_t bridge_items_beside = 50, bridge_items_max = 2000;

using query::CashBoard;
using planning::PlanAnswer;

// What is written again and again of one answer.
struct Shown {
  const CashBoard& board;
  const CashAsk& ask;
  const PlanAnswer& plan;
  const std::vector<planning::BandDay>& band;
  const planning::PlanFrame frame;

  Currency currency() const { return board.currency; }
  const planning::BandDay* band_on(std::int32_t day) const {
    const std::int32_t place = day - frame.first_day;
    return place >= 0 && static_cast<std::size_t>(place) < band.size() ? &band[static_cast<std::size_t>(place)] : nullptr;
  }
};

void write_band(JsonWriter& json, const Shown& shown, std::int32_t day) {
  const planning::BandDay* band = shown.band_on(day);
  for (const auto& [name, field] : {std::pair("p10", &planning::BandDay::p10), std::pair("p90", &planning::BandDay::p90)}) {
    if (band == nullptr) json.key(name).null();
    else write_money(json, name, band->*field, shown.currency());
  }
}

void write_accounts(JsonWriter& json, const Shown& shown) {
  const CashBoard& board = shown.board;
  std::map<std::string, std::int64_t> converted;
  for (const planning::CashItem& item : board.items) {
    if (item.layer != planning::CashLayer::balance || !board.is_converted(item)) continue;
    const query::CashSource& source = board.moves->list.sources[item.id];
    if (source.finance_kind() == FinanceKind::balance) converted[board.moves->finance->documents[source.origin]->account] = item.converted;
  }
  json.key("accounts").begin_array();
  for (const query::CashAccount& account : board.moves->finance->accounts) {
    json.begin_object().field("account", account.account).field("day", iso(day_from_number(account.day)));
    write_money(json, "balance", account.balance.minor, account.balance.currency);
    if (const auto found = converted.find(account.account); found != converted.end()) write_money(json, "converted", found->second, shown.currency());
    else json.key("converted").null();
    json.end_object();
  }
  json.end_array();
}

void write_layers(JsonWriter& json, const Shown& shown) {
  json.key("layers").begin_array();
  for (std::size_t i = 1; i < planning::cash_layer_count; ++i) {
    const auto layer = static_cast<planning::CashLayer>(i);
    json.begin_object().field("name", planning::word(layer)).field("on", shown.ask.question.layers.has(layer));
    write_money(json, "receipts", shown.plan.by_layer[i].receipts, shown.currency());
    write_money(json, "payments", shown.plan.by_layer[i].payments, shown.currency());
    json.end_object();
  }
  json.end_array();
}

void write_week(JsonWriter& json, const Shown& shown, const planning::PlanWeek& week) {
  const Currency currency = shown.currency();
  json.begin_object().field("start", iso(day_from_number(week.first))).field("end", iso(day_from_number(week.last)));
  write_money(json, "opening", week.opening, currency);
  write_money(json, "receipts", week.sums.receipts, currency);
  json.key("receipts_by").begin_array();
  for (std::size_t i = 0; i < planning::cash_layer_count; ++i) {
    const auto layer = static_cast<planning::CashLayer>(i);
    if (week.by_layer[i].receipts == 0 || !shown.ask.question.layers.has(layer)) continue;
    json.begin_object().field("layer", planning::word(layer));
    write_money(json, "amount", week.by_layer[i].receipts, currency);
    json.end_object();
  }
  json.end_array();
  write_money(json, "payments", week.sums.payments, currency);
  json.key("payments_by").begin_array();
  for (std::size_t i = 0; i < week.payments_by_category.size(); ++i) {
    if (week.payments_by_category[i] == 0) continue;
    json.begin_object().field("category", shown.board.moves->finance->categories[i]);
    write_money(json, "amount", week.payments_by_category[i], currency);
    json.end_object();
  }
  json.end_array();
  write_money(json, "closing", week.closing, currency);
  json.key("low").begin_object().field("day", iso(day_from_number(week.low_day)));
  write_money(json, "amount", week.low, currency);
  json.end_object();
  write_band(json, shown, week.last);
  write_money(json, "headroom", week.headroom, currency);
  json.end_object();
}

void write_days(JsonWriter& json, const Shown& shown) {
  json.key("days").begin_array();
  for (const planning::PlanDay& day : shown.plan.days) {
    json.begin_object().field("day", iso(day_from_number(day.day)));
    write_money(json, "receipts", day.sums.receipts, shown.currency());
    write_money(json, "payments", day.sums.payments, shown.currency());
    write_money(json, "closing", day.closing, shown.currency());
    write_band(json, shown, day.day);
    json.end_object();
  }
  json.end_array();
}

void write_lowest(JsonWriter& json, const Shown& shown) {
  const query::CashLow low = query::cash_low(shown.board, shown.ask.question, shown.plan);
  json.key("lowest").begin_object().field("day", iso(day_from_number(low.day.day))).field("week", iso(day_from_number(low.week_start)));
  write_money(json, "amount", low.day.closing, shown.currency());
  const planning::BandDay* band = shown.band_on(low.day.day);
  if (band == nullptr) json.key("p10").null();
  else write_money(json, "p10", band->p10, shown.currency());
  write_money(json, "headroom", low.day.headroom, shown.currency());
  json.key("causes").begin_array();
  for (const std::size_t item : low.causes) write_cash_item(json, shown.board, item);
  json.end_array().key("would_lift").begin_array();
  for (const query::CashLift& lift : low.would_lift) {
    json.begin_object().field("order", lift.order).field("customer", lift.customer);
    write_money(json, "amount", lift.amount, shown.currency());
    json.field("late_days", lift.late_days).end_object();
  }
  json.end_array().end_object();
}

void write_unplaced(JsonWriter& json, const Shown& shown) {
  MoneyByCurrency without_rate;
  for (const planning::CashItem& item : shown.board.items)
    if (!shown.board.is_converted(item)) without_rate.add({item.amount, Currency::from_packed(item.currency)});
  write_sums(json, "without_rate", without_rate);
  json.key("no_day").begin_object().field("count", shown.plan.undated_count);
  write_money(json, "amount", shown.plan.undated.net(), shown.currency());
  json.end_object();
}

Result<void> write_scenarios(JsonWriter& json, const CashAsk& ask, const std::shared_ptr<const query::CashMoves>& moves) {
  json.key("scenarios").begin_array();
  for (const Scenario& scenario : ask.scenarios) {
    const auto board = query::cash_board(moves, ask.question.currency, scenario.changes);
    if (!board) return pass_on(board);
    const PlanAnswer plan = query::cash_plan(*board, ask.question);
    const planning::PlanDay& low = plan.days.at(plan.lowest);
    json.begin_object().field("id", scenario.id).field("name", scenario.name).field("version", scenario.version);
    json.field("sentence", query::cash_sentence(*board, plan)).key("lowest").begin_object().field("day", iso(day_from_number(low.day)));
    write_money(json, "amount", low.closing, board->currency);
    write_money(json, "headroom", low.headroom, board->currency);
    json.end_object().key("weeks").begin_array();
    for (const planning::PlanWeek& week : plan.weeks) {
      json.begin_object().field("start", iso(day_from_number(week.first)));
      write_money(json, "closing", week.closing, board->currency);
      json.end_object();
    }
    json.end_array().key("without_effect").begin_array();
    for (const std::string& change : board->without_effect) json.text(change);
    json.end_array().end_object();
  }
  json.end_array();
  return {};
}

Result<std::string> cash_json(const CashAsk& ask, Backend& backend, const Moment& at) {
  const auto board = board_of(ask, backend, at, false);
  if (!board) return pass_on(board);
  const PlanAnswer plan = query::cash_plan(**board, ask.question);
  const auto band = backend.services.cash_keeper->band(**board, ask.question);
  if (!band) return pass_on(band);
  const Shown shown{**board, ask, plan, *band, (*board)->frame(ask.question.weeks)};
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("today", iso(at.today)).field("currency", shown.currency().code()).field("weeks_asked", ask.question.weeks);
  json.field("view", planning::word(ask.question.view)).field("sentence", query::cash_sentence(**board, plan));
  write_money(json, "opening", (*board)->opening, shown.currency());
  write_accounts(json, shown);
  if ((*board)->credit.empty()) json.key("credit_line").null();
  else write_money(json, "credit_line", shown.frame.credit_on(shown.frame.first_day), shown.currency());
  write_layers(json, shown);
  json.key("weeks").begin_array();
  for (const planning::PlanWeek& week : plan.weeks) write_week(json, shown, week);
  json.end_array();
  write_days(json, shown);
  write_lowest(json, shown);
  write_rates(json, (*board)->roads);
  write_unplaced(json, shown);
  const auto bridge = bridge_json("", ask, backend, at, bridge_items_beside);
  if (!bridge) return pass_on(bridge);
  json.key("bridge").raw(*bridge);
  if (const auto written = write_scenarios(json, ask, (*board)->moves); !written) return pass_on(written);
  json.end_object();
  return out;
}

std::optional<bool> direction_of(const Request& request, std::vector<query::ParameterError>& errors) {
  const std::string_view word = request.parameter("direction");
  if (word.empty()) return std::nullopt;
  if (word != "in" && word != "out") errors.push_back({"direction", "bad-value", "direction is in or out."});
  return word == "in";
}

Built build_items(const Request& request, Backend& backend, const Moment& at) {
  std::vector<query::ParameterError> errors;
  query::CashItemsQuestion question;
  question.from = day_parameter(request, "from", errors);
  question.to = day_parameter(request, "to", errors);
  if (const std::string_view word = request.parameter("layer"); !word.empty()) {
    question.layer = planning::parse_cash_layer(word);
    if (!question.layer) errors.push_back({"layer", "bad-value", "layer is balance, invoiced, delivered, ordered, planned or forecast."});
  }
  question.incoming = direction_of(request, errors);
  question.category = request.parameter("category");
  question.party = request.parameter("party");
  question.order = request.parameter("order");
  question.limit = limit_of(request, 100, errors);
  question.cursor = request.parameter("cursor");
  const CashAsk ask = cash_ask(request, backend, at, std::move(errors));
  if (ask.problem) return *ask.problem;
  question.of = ask.question;
  const auto board = board_of(ask, backend, at, true);
  if (!board) return problem_of(board.error());
  const auto items = query::cash_items(**board, question);
  if (!items) return problem_of(items.error());
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_money(json, "total", items->total, (*board)->currency);
  json.field("count", items->count).key("items").begin_array();
  for (const std::size_t item : items->items) write_cash_item(json, **board, item);
  json.end_array().key("next_cursor");
  if (items->next_cursor.empty()) json.null();
  else json.text(items->next_cursor);
  json.end_object();
  return out;
}

}  // namespace

Response show_cash(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"currency", "weeks", "view", "layers", "scenario"})) return *problem;
    const CashAsk ask = cash_ask(request, backend, at);
    if (ask.problem) return *ask.problem;
    return cash_json(ask, backend, at);
  }, cash_revision(backend));
}

Response list_cash_items(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"currency", "weeks", "view", "layers", "scenario", "from", "to", "layer", "direction", "category", "party", "order", "limit", "cursor"}))
      return *problem;
    return build_items(request, backend, at);
  }, cash_revision(backend));
}

Response show_cash_bridge(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"currency", "weeks", "from"})) return *problem;
    const CashAsk ask = cash_ask(request, backend, at);
    if (ask.problem) return *ask.problem;
    auto bridge = bridge_json(std::string(request.parameter("from")), ask, backend, at, bridge_items_max);
    if (bridge && *bridge == "null") return Problem{404, "not-found", "No forecast was kept before this week, so there is nothing to compare with; one is kept every day.", {}};
    return bridge;
  }, cash_revision(backend));
}

}  // namespace millrace::server
