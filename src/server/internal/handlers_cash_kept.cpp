// What is kept about cash: scenarios, forecasts, and how good these were.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "server/internal/author.h"
#include "server/internal/cash_answers.h"
#include "server/internal/json_in.h"
#include "server/keep_forecast.h"
#include "server/internal/write_down.h"

namespace millrace::server {
namespace {

Response json_response(int status) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  return response;
}

constexpr std::size_t forecasts_of_customers = 13;  // one of each week is read back whole

std::string scenario_json(const Scenario& scenario) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("id", scenario.id).field("name", scenario.name).field("version", scenario.version).field("author", scenario.author);
  write_instant(json, "at", scenario.at);
  json.key("changes").begin_array();
  for (const ScenarioChange& change : scenario.changes) {
    json.begin_object().field("kind", word(change.kind));
    if (!change.party.empty()) json.field("party", change.party);
    if (!change.order.empty()) json.field("order", change.order);
    if (change.days != 0) json.field("days", change.days);
    if (change.kind == ScenarioChange::Kind::rate) json.field("from", change.from.code()).field("to", change.to.code()).key("percent").raw(decimal_text(change.percent));
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

Response scenario_response(int status, const Scenario& scenario) {
  Response response = json_response(status);
  response.body = scenario_json(scenario);
  response.header("ETag", "\"" + std::to_string(scenario.version) + "\"");
  return response;
}

// The version that was read; nothing in it for "*" or without the header.
struct Version {
  std::optional<std::uint64_t> number;
  std::optional<Problem> problem;
};
Version version_of(const Request& request) {
  Version version;
  std::string_view text = trim(request.header("If-Match"));
  if (text.empty() || text == "*") return version;
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() > 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    version.problem = Problem{412, "precondition-failed", "If-Match is not the ETag of this scenario; read it again and send its version.", {}};
  version.number = number;
  return version;
}

Response put_scenario_as(const Request& request, Backend& backend, const std::string& id, int status) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (backend.services.cash == nullptr) return problem_response(request, no_cash_desk());
  const auto command = parse_scenario(request.body);
  if (!command) return problem_response(request, problem_of(command.error()));
  const Version version = version_of(request);
  if (version.problem) return problem_response(request, *version.problem);
  const Deed deed{id.empty() ? "scenario.make" : "scenario.change", id.empty() ? "scenario" : "scenario:" + id, "", request.body};
  const auto scenario = do_and_write_down(request, backend, deed, [&] {
    return backend.services.cash->put_scenario(id, version.number, command->name, command->changes, {author_of(request), backend.services.clock.now()});
  });
  if (!scenario) return problem_response(request, problem_of(scenario.error()));
  Response response = scenario_response(status, *scenario);
  if (id.empty()) response.header("Location", "/api/v1/scenarios/" + scenario->id);
  return response;
}

void write_head(JsonWriter& json, const ingest::ForecastHead& head) {
  json.begin_object().field("id", head.id);
  write_instant(json, "made", head.made);
  json.field("by", head.by).field("as_of", head.as_of.value).field("currency", head.currency.code());
  write_money(json, "opening", head.opening, head.currency);
  write_money(json, "closing", head.closing, head.currency);
  json.key("lowest").begin_object().field("day", iso(day_from_number(head.lowest_day)));
  write_money(json, "amount", head.lowest, head.currency);
  json.end_object().end_object();
}

std::vector<query::PastForecast> past_forecasts(const std::vector<ingest::ForecastHead>& heads, Currency currency) {
  std::vector<query::PastForecast> past;
  for (const ingest::ForecastHead& head : heads) {
    if (head.currency != currency) continue;
    query::PastForecast one;
    one.first_day = head.first_day;
    for (const auto& week : head.weeks) one.weeks.push_back({week.start, week.receipts, week.closing, week.p10, week.p90});
    past.push_back(std::move(one));
  }
  return past;
}

// The newest of each week, the newest weeks.
Result<std::vector<planning::KeptForecast>> weekly_forecasts(const ingest::CashDoor& desk, const std::vector<ingest::ForecastHead>& heads) {
  std::vector<planning::KeptForecast> kept;
  std::optional<std::int32_t> week;
  for (std::size_t i = heads.size(); i-- > 0 && kept.size() < forecasts_of_customers;) {
    const std::int32_t monday = (heads[i].first_day + 3) / 7;  // day 0 was a Thursday
    if (week == monday) continue;
    week = monday;
    const auto bytes = desk.forecast_items(heads[i].id);
    if (!bytes) return pass_on(bytes);
    auto forecast = planning::decode_kept_forecast(*bytes);
    if (!forecast) return pass_on(forecast);
    kept.push_back(std::move(*forecast));
  }
  return kept;
}

void write_share(JsonWriter& json, std::string_view name, const std::optional<double>& value) {
  json.key(name);
  if (value) json.ratio(*value, 4);
  else json.null();
}

Result<std::string> accuracy_json(const CashAsk& ask, Backend& backend, const Moment& at) {
  const ingest::CashDoor& desk = *backend.services.cash;
  const auto heads = desk.forecasts();
  const auto moves = backend.services.cash_keeper->moves(at.snapshot, at.today);
  const Currency currency = ask.question.currency;
  const auto weeks = query::week_accuracy(past_forecasts(heads, currency), *moves->finance, at.snapshot->finance(), currency);
  if (!weeks) return pass_on(weeks);
  const auto weekly = weekly_forecasts(desk, heads);
  if (!weekly) return pass_on(weekly);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("currency", currency.code()).key("weeks_ahead").begin_array();
  for (const query::WeekAccuracy& week : *weeks) {
    json.begin_object().field("week", week.week).field("forecasts", week.forecasts);
    write_share(json, "wape", week.wape);
    write_money(json, "bias", week.bias, currency);
    write_share(json, "covered", week.covered);
    json.end_object();
  }
  json.end_array().key("customers").begin_array();
  for (const query::CustomerAccuracy& customer : query::customer_accuracy(*weekly, at.snapshot->finance()))
    json.begin_object().field("party", customer.party).field("party_name", customer.name).key("mae_days").ratio(customer.mae_days, 1).field("invoices", customer.invoices).end_object();
  json.end_array().end_object();
  return out;
}

}  // namespace

Response list_scenarios(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (backend.services.cash == nullptr) return problem_response(request, no_cash_desk());
  Response response = json_response(200);
  JsonWriter json(response.body);
  json.begin_object().key("scenarios").begin_array();
  for (const Scenario& scenario : backend.services.cash->scenarios()) json.raw(scenario_json(scenario));
  json.end_array().end_object();
  return response;
}

Response make_scenario(const Request& request, Backend& backend) { return put_scenario_as(request, backend, "", 201); }
Response put_scenario(const Request& request, Backend& backend) { return put_scenario_as(request, backend, request.path_values.at(0), 200); }

Response remove_scenario(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (backend.services.cash == nullptr) return problem_response(request, no_cash_desk());
  const Version version = version_of(request);
  if (version.problem) return problem_response(request, *version.problem);
  const std::string& id = request.path_values.at(0);
  const auto before = backend.services.cash->scenario(id);
  if (!before) return problem_response(request, problem_of(before.error()));
  const Deed deed{"scenario.remove", "scenario:" + id, scenario_json(*before), ""};
  const auto removed = do_and_write_down(request, backend, deed, [&] { return backend.services.cash->remove_scenario(id, version.number); });
  if (!removed) return problem_response(request, problem_of(removed.error()));
  Response response = json_response(200);
  JsonWriter(response.body).begin_object().field("removed", id).end_object();
  return response;
}

Response list_cash_forecasts(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (backend.services.cash == nullptr) return problem_response(request, no_cash_desk());
  Response response = json_response(200);
  JsonWriter json(response.body);
  json.begin_object().key("forecasts").begin_array();
  for (const ingest::ForecastHead& head : backend.services.cash->forecasts()) write_head(json, head);
  json.end_array().end_object();
  return response;
}

Response keep_cash_forecast(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (backend.services.cash == nullptr) return problem_response(request, no_cash_desk());
  const Deed deed{"forecast.keep", "cash", "", ""};
  const auto head = do_and_write_down(request, backend, deed, [&] {
    return keep_forecast(backend.services.snapshot(), *backend.services.cash_keeper, *backend.services.cash, backend.services.clock.now(), author_of(request));
  });
  if (!head) return problem_response(request, problem_of(head.error()));
  Response response = json_response(201);
  JsonWriter json(response.body);
  write_head(json, *head);
  return response;
}

Response show_cash_accuracy(const Request& request, Backend& backend) {
  if (backend.services.cash == nullptr) return problem_response(request, no_cash_desk());
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    if (const auto problem = unknown_parameters(request, {"currency"})) return *problem;
    const CashAsk ask = cash_ask(request, backend, at);
    if (ask.problem) return *ask.problem;
    return accuracy_json(ask, backend, at);
  }, cash_revision(backend));
}

}  // namespace millrace::server
