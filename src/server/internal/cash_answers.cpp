#include "server/internal/cash_answers.h"

#include <algorithm>

#include "base/text.h"
#include "domain/decimal.h"

namespace millrace::server {

Problem no_cash_desk() { return {503, "unavailable", "Scenarios and forecasts are not kept by this server.", {}}; }

std::optional<Day> day_parameter(const Request& request, std::string_view name, std::vector<query::ParameterError>& errors) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return std::nullopt;
  const auto day = parse_iso_day(text);
  if (!day) errors.push_back({std::string(name), "bad-value", std::string(name) + "=" + printable(text.substr(0, 40)) + " is not a day such as 2026-11-23."});
  return day;
}

std::size_t limit_of(const Request& request, std::int64_t fallback, std::vector<query::ParameterError>& errors) {
  return static_cast<std::size_t>(number_parameter(request, {"limit", fallback, 1, 1000}, errors).value_or(fallback));
}

namespace {

void read_layers(const Request& request, CashAsk& ask, std::vector<query::ParameterError>& errors) {
  if (!request.has_parameter("layers")) return;
  ask.question.layers = planning::LayerSet::none();
  for (const std::string_view part : split(request.parameter("layers"), ',')) {
    if (trim(part).empty()) continue;
    if (const auto layer = planning::parse_cash_layer(trim(part))) ask.question.layers = ask.question.layers.with(*layer);
    else errors.push_back({"layers", "bad-value", "layers are some of balance, invoiced, delivered, ordered, planned and forecast, with commas between."});
  }
}

}  // namespace

CashAsk cash_ask(const Request& request, Backend& backend, const Moment& at, std::vector<query::ParameterError> errors) {
  CashAsk ask;
  ask.question.weeks = static_cast<std::int32_t>(number_parameter(request, {"weeks", 13, 1, planning::weeks_max}, errors).value_or(13));
  if (request.has_parameter("view")) {
    if (const auto view = planning::parse_cash_view(request.parameter("view"))) ask.question.view = *view;
    else errors.push_back({"view", "bad-value", "view is expected, pessimistic or optimistic."});
  }
  read_layers(request, ask, errors);
  ask.question.currency = query::company_currency(*at.snapshot, at.snapshot->finance());
  if (request.has_parameter("currency")) {
    if (const auto currency = Currency::parse(request.parameter("currency"))) ask.question.currency = *currency;
    else errors.push_back({"currency", "bad-value", "currency is a code of three capital letters, such as EUR."});
  }
  for (const auto& [name, value] : request.parameters) {
    if (name != "scenario" || value.empty()) continue;
    if (ask.scenarios.size() == scenarios_side_by_side) {
      errors.push_back({"scenario", "bad-value", "At most " + std::to_string(scenarios_side_by_side) + " scenarios stand side by side."});
      break;
    }
    if (backend.services.cash == nullptr) {
      ask.problem = no_cash_desk();
      return ask;
    }
    auto scenario = backend.services.cash->scenario(value);
    if (!scenario) {
      ask.problem = problem_of(scenario.error());
      return ask;
    }
    ask.scenarios.push_back(std::move(*scenario));
  }
  if (!errors.empty()) ask.problem = problem_of(errors);
  return ask;
}

Result<std::shared_ptr<const query::CashBoard>> board_of(const CashAsk& ask, Backend& backend, const Moment& at, bool under_scenario) {
  if (!under_scenario || ask.scenarios.empty()) return backend.services.cash_keeper->board(at.snapshot, at.today, ask.question.currency);
  auto board = query::cash_board(backend.services.cash_keeper->moves(at.snapshot, at.today), ask.question.currency, ask.scenarios.front().changes);
  if (!board) return pass_on(board);
  return std::make_shared<const query::CashBoard>(std::move(*board));
}

std::string cash_revision(const Backend& backend) { return backend.services.cash == nullptr ? std::string() : "|cash " + std::to_string(backend.services.cash->revision()); }

void write_sums(JsonWriter& json, std::string_view name, const MoneyByCurrency& sums) {
  json.key(name).begin_array();
  for (const Money& sum : sums.sums()) json.begin_object().field("minor", sum.minor).field("currency", sum.currency.code()).end_object();
  json.end_array();
}

void write_number_day(JsonWriter& json, std::string_view name, std::int32_t day) {
  write_day(json, name, day == planning::cash_no_day ? std::nullopt : std::optional(day_from_number(day)));
}

void write_cash_item(JsonWriter& json, const query::CashBoard& board, std::size_t index) {
  const planning::CashItem& item = board.items[index];
  const query::CashMoves& moves = *board.moves;
  const query::CashSource& source = moves.list.sources[item.id];
  json.begin_object().field("id", moves.id(item.id)).field("kind", moves.kind(item.id)).field("number", moves.number(item.id));
  json.field("layer", planning::word(item.layer)).field("direction", item.amount < 0 ? "out" : "in");
  json.field("party", moves.party_code(item.id)).field("party_name", moves.party_name(item.id));
  write_money(json, "amount", item.amount, Currency::from_packed(item.currency));
  if (board.is_converted(item)) write_money(json, "converted", item.converted, board.currency);
  else json.key("converted").null();
  write_number_day(json, "day", item.day);
  write_number_day(json, "due", source.due);
  json.field("order", moves.order(item.id)).key("order_line");
  if (source.is_order_line()) json.number(std::int64_t{source.part});
  else json.null();
  json.field("category", moves.category(item.id)).field("why", moves.why(item.id)).end_object();
}

void write_rates(JsonWriter& json, const std::vector<RateRoad>& roads) {
  json.key("rates").begin_array();
  for (const RateRoad& road : roads) {
    json.begin_object().field("from", road.from().code()).field("to", road.to().code());
    json.field("rate", shortest_text(Decimal{road.scaled_rate(), rate_digits}));
    const auto oldest = std::ranges::min_element(road.steps(), {}, [](const RateStep& step) { return std::chrono::sys_days(step.day); });
    write_day(json, "day", oldest->day);
    json.key("path").begin_array();
    for (const Currency currency : road.path()) json.text(currency.code());
    json.end_array();
    std::string documents;
    for (const RateStep& step : road.steps()) documents += (documents.empty() ? "" : ", ") + step.document;
    json.field("document", documents).end_object();
  }
  json.end_array();
}

// ---- the bridge

namespace {

// Of the newest of the week before; where none is so old, of the newest before today.
std::optional<ingest::ForecastHead> default_from(const std::vector<ingest::ForecastHead>& heads, std::int32_t today, Currency currency) {
  const auto weekday = static_cast<std::int32_t>(std::chrono::weekday(std::chrono::sys_days(day_from_number(today))).iso_encoding());
  const std::int32_t monday = today - weekday + 1;
  std::optional<ingest::ForecastHead> week, day;
  for (const ingest::ForecastHead& head : heads) {
    if (head.currency != currency) continue;
    if (head.first_day < monday) week = head;
    if (head.first_day < today) day = head;
  }
  return week ? week : day;
}

void write_bridge(JsonWriter& json, const planning::Bridge& bridge, const ingest::ForecastHead& head, Currency currency, std::int32_t end, std::size_t items_max) {
  json.begin_object().key("from").begin_object().field("id", head.id);
  write_instant(json, "made", head.made);
  json.field("as_of", head.as_of.value);
  write_money(json, "closing", bridge.closing_before, currency);
  json.end_object();
  write_money(json, "to_closing", bridge.closing_after, currency);
  json.field("weeks_end", iso(day_from_number(end - 1))).key("parts").begin_object();
  for (std::size_t part = 0; part < planning::bridge_part_count; ++part) write_money(json, planning::word(static_cast<planning::BridgePart>(part)), bridge.parts[part], currency);
  json.end_object();
  write_money(json, "difference", bridge.difference(), currency);
  json.field("item_count", std::uint64_t{bridge.entries.size()}).key("items").begin_array();
  for (std::size_t i = 0; i < std::min(items_max, bridge.entries.size()); ++i) {
    const planning::BridgeEntry& entry = bridge.entries[i];
    const std::string_view id = entry.id;
    const std::size_t kind_end = id.find('/'), last = id.rfind('/');
    const std::string_view kind = id.substr(0, kind_end);
    // The source stands between kind and number, except where it is an order line.
    const std::size_t number = kind == "order" || kind == "delivered" ? kind_end : id.find('/', kind_end + 1);
    json.begin_object().field("part", planning::word(entry.part)).field("id", id).field("kind", kind);
    json.field("number", number < last ? id.substr(number + 1, last - number - 1) : id).field("party_name", entry.party);
    json.field("layer", planning::word(static_cast<planning::CashLayer>(entry.layer)));
    const auto amount = [&](std::string_view name, std::int64_t minor, std::int32_t day) {
      if (day == INT32_MIN) json.key(name).null();
      else write_money(json, name, minor, currency);
    };
    amount("before", entry.before, entry.day_before);
    amount("after", entry.after, entry.day_after);
    write_number_day(json, "day_before", entry.day_before);
    write_number_day(json, "day_after", entry.day_after);
    write_money(json, "change", entry.change, currency);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

Result<std::string> bridge_json(const std::string& from, const CashAsk& ask, Backend& backend, const Moment& at, std::size_t items_max) {
  if (backend.services.cash == nullptr) return std::string("null");
  const auto heads = backend.services.cash->forecasts();
  std::optional<ingest::ForecastHead> head;
  if (from.empty()) {
    head = default_from(heads, day_number(at.today), ask.question.currency);
    if (!head) return std::string("null");
  } else {
    const auto found = std::ranges::find(heads, from, &ingest::ForecastHead::id);
    if (found != heads.end()) head = *found;
  }
  const auto bytes = backend.services.cash->forecast_items(head ? head->id : from);
  if (!bytes) return pass_on(bytes);
  const auto before = planning::decode_kept_forecast(*bytes);
  if (!before) return pass_on(before);
  const auto board = backend.services.cash_keeper->board(at.snapshot, at.today, before->currency);
  if (!board) return pass_on(board);
  const planning::KeptForecast after = query::kept_forecast(**board, ask.question.weeks);
  const std::int32_t end = std::min(before->end_day, after.end_day);
  const auto made = planning::bridge(*before, after, end, query::settled_since(*before, **board, at.snapshot->finance()));
  if (!made) return pass_on(made);
  std::string out;
  JsonWriter json(out);
  write_bridge(json, *made, *head, before->currency, end, items_max);
  return out;
}

}  // namespace millrace::server
