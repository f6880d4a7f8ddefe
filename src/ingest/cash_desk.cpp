#include "ingest/cash_desk.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/bytes.h"
#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr std::string_view source_name = "cash";
constexpr std::string_view last_key = "last";  // of scenarios: the newest number ever given
constexpr std::uint8_t forecast_format = 1;
constexpr std::size_t weeks_max = 60;

// Keys sort as numbers do.
std::string row_key(char letter, std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%c%012llu", letter, static_cast<unsigned long long>(number));
  return text;
}
std::string id_of(char letter, std::uint64_t number) { return letter + std::to_string(number); }

// "s12" or "f000000000012"; nothing for anything else.
std::optional<std::uint64_t> number_of(char letter, std::string_view id) {
  if (id.size() < 2 || id.size() > 13 || id.front() != letter) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data() + 1, id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return number;
}

Failure no_scenario(std::string_view id) {
  return fail(ErrorCode::not_found, "there is no scenario \"" + printable(id.substr(0, 40)) + "\" (any more); see the list of scenarios");
}
Failure no_forecast(std::string_view id) {
  return fail(ErrorCode::not_found, "there is no kept forecast \"" + printable(id.substr(0, 40)) + "\"; see the list of forecasts");
}

}  // namespace

std::string encode(const ForecastHead& forecast) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(forecast_format);
  out.text(forecast.id);
  out.signed_varint(forecast.made.time_since_epoch().count());
  out.text(forecast.by);
  out.varint(forecast.as_of.value);
  out.varint(forecast.currency.packed());
  out.signed_varint(forecast.first_day);
  out.signed_varint(forecast.opening);
  out.signed_varint(forecast.closing);
  out.signed_varint(forecast.lowest_day);
  out.signed_varint(forecast.lowest);
  out.varint(forecast.weeks.size());
  for (const ForecastHead::Week& week : forecast.weeks) {
    out.signed_varint(week.start);
    for (const std::int64_t amount : {week.receipts, week.payments, week.closing, week.p10, week.p90}) out.signed_varint(amount);
  }
  return bytes;
}

Result<ForecastHead> decode_forecast_head(std::string_view bytes) {
  ByteReader in(bytes);
  ForecastHead forecast;
  const bool known = in.u8() == forecast_format;
  forecast.id = in.text();
  forecast.made = Instant(std::chrono::milliseconds(in.signed_varint()));
  forecast.by = in.text();
  forecast.as_of.value = in.varint();
  forecast.currency = Currency::from_packed(static_cast<std::uint32_t>(in.varint()));
  forecast.first_day = static_cast<std::int32_t>(in.signed_varint());
  forecast.opening = in.signed_varint();
  forecast.closing = in.signed_varint();
  forecast.lowest_day = static_cast<std::int32_t>(in.signed_varint());
  forecast.lowest = in.signed_varint();
  const std::size_t count = in.count(6);
  if (count <= weeks_max) forecast.weeks.resize(count);
  for (ForecastHead::Week& week : forecast.weeks) {
    week.start = static_cast<std::int32_t>(in.signed_varint());
    for (std::int64_t* amount : {&week.receipts, &week.payments, &week.closing, &week.p10, &week.p90}) *amount = in.signed_varint();
  }
  if (!known || count > weeks_max || !in.ok() || !in.at_end())
    return fail(ErrorCode::corrupt, "a kept forecast is damaged; restore the record from its newest backup");
  return forecast;
}

Result<std::unique_ptr<CashDesk>> CashDesk::open(store::Record& record) {
  std::unique_ptr<CashDesk> desk(new CashDesk(record));
  if (const auto loaded = desk->load(); !loaded) return pass_on(loaded);
  return desk;
}

Result<void> CashDesk::load() {
  std::optional<Error> wrong;
  const auto scenario_row = [&](const store::KeptRow& row) {
    if (row.key == last_key) {
      ByteReader in(row.content);
      scenario_last_ = std::max(scenario_last_, in.varint());
      return true;
    }
    auto scenario = decode_scenario(row.content);
    const auto number = number_of('s', row.key);
    if (!scenario || !number) {
      wrong = scenario ? Error(ErrorCode::corrupt, "a kept scenario has a damaged key") : scenario.error();
      return false;
    }
    scenario_last_ = std::max(scenario_last_, *number);
    scenarios_[*number] = std::move(*scenario);
    return true;
  };
  const auto forecast_row = [&](const store::KeptRow& row) {
    auto forecast = decode_forecast_head(row.content);
    const auto number = number_of('f', row.key);
    if (!forecast || !number) {
      wrong = forecast ? Error(ErrorCode::corrupt, "a kept forecast has a damaged key") : forecast.error();
      return false;
    }
    forecasts_[*number] = std::move(*forecast);
    return true;
  };
  if (const auto read = record_.kept(std::string(scenario_space), scenario_row); !read) return pass_on(read);
  if (const auto read = record_.kept(std::string(forecast_space), forecast_row); !read) return pass_on(read);
  if (wrong) return std::unexpected(*wrong);
  return {};
}

Result<void> CashDesk::commit(store::Batch batch) {
  batch.source = source_name;
  if (const auto done = record_.commit(std::move(batch)); !done) return pass_on(done);
  return {};
}

std::vector<Scenario> CashDesk::scenarios() const {
  const std::lock_guard lock(mutex_);
  std::vector<Scenario> all;
  for (const auto& [number, scenario] : scenarios_) all.push_back(scenario);
  return all;
}

Result<Scenario> CashDesk::scenario(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto number = number_of('s', id);
  const auto found = number ? scenarios_.find(*number) : scenarios_.end();
  if (found == scenarios_.end()) return no_scenario(id);
  return found->second;
}

Result<std::uint64_t> CashDesk::number_of_scenario(const std::string& id, std::optional<std::uint64_t> version) const {
  const auto number = number_of('s', id);
  const auto found = number ? scenarios_.find(*number) : scenarios_.end();
  if (found == scenarios_.end()) return no_scenario(id);
  if (version && *version != found->second.version)
    return fail(ErrorCode::conflict, "the scenario " + id + " was changed by " + found->second.author + " meanwhile; read it again and repeat your change");
  return *number;
}

Result<Scenario> CashDesk::put_scenario(const std::string& id, std::optional<std::uint64_t> version, std::string name, std::vector<ScenarioChange> changes,
                                        const CashAsker& asker) {
  const std::lock_guard writing(writing_);
  std::uint64_t number = 0;
  Scenario scenario{id, std::string(trim(name)), 1, asker.author, asker.at, std::move(changes)};
  if (const auto good = check_scenario(scenario); !good) return pass_on(good);
  {
    const std::lock_guard lock(mutex_);
    if (id.empty()) {
      if (scenarios_.size() >= scenarios_max) return fail(ErrorCode::limit_reached, "there are " + std::to_string(scenarios_max) + " scenarios already; remove one that nobody needs");
      number = scenario_last_ + 1;
      scenario.id = id_of('s', number);
    } else {
      const auto known = number_of_scenario(id, version);
      if (!known) return pass_on(known);
      number = *known;
      scenario.id = id_of('s', number);
      scenario.version = scenarios_.at(number).version + 1;
    }
  }
  store::Batch batch;
  batch.kept_put.push_back({std::string(scenario_space), row_key('s', number), encode(scenario)});
  std::string last;
  ByteWriter(last).varint(std::max(number, scenario_last_));
  batch.kept_put.push_back({std::string(scenario_space), std::string(last_key), std::move(last)});
  if (const auto done = commit(std::move(batch)); !done) return pass_on(done);
  const std::lock_guard lock(mutex_);
  scenario_last_ = std::max(number, scenario_last_);
  scenarios_[number] = scenario;
  ++revision_;
  return scenario;
}

Result<void> CashDesk::remove_scenario(const std::string& id, std::optional<std::uint64_t> version) {
  const std::lock_guard writing(writing_);
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto known = number_of_scenario(id, version);
    if (!known) return pass_on(known);
    number = *known;
  }
  store::Batch batch;
  batch.kept_removed.push_back({std::string(scenario_space), row_key('s', number)});
  if (const auto done = commit(std::move(batch)); !done) return pass_on(done);
  const std::lock_guard lock(mutex_);
  scenarios_.erase(number);
  ++revision_;
  return {};
}

std::vector<ForecastHead> CashDesk::forecasts() const {
  const std::lock_guard lock(mutex_);
  std::vector<ForecastHead> all;
  for (const auto& [number, forecast] : forecasts_) all.push_back(forecast);
  return all;
}

Result<ForecastHead> CashDesk::keep_forecast(ForecastHead forecast, std::string items) {
  const std::lock_guard writing(writing_);
  std::uint64_t number = 1;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [known, kept] : forecasts_)
      if (forecast.by == "time" && kept.by == "time" && kept.first_day == forecast.first_day) return kept;
    if (!forecasts_.empty()) number = forecasts_.rbegin()->first + 1;
  }
  forecast.id = id_of('f', number);
  store::Batch batch;
  batch.kept_put.push_back({std::string(forecast_space), row_key('f', number), encode(forecast)});
  batch.kept_put.push_back({std::string(forecast_items_space), row_key('f', number), std::move(items)});
  if (const auto done = commit(std::move(batch)); !done) return pass_on(done);
  const std::lock_guard lock(mutex_);
  forecasts_[number] = forecast;
  ++revision_;
  return forecast;
}

Result<std::string> CashDesk::forecast_items(const std::string& id) const {
  const auto number = number_of('f', id);
  {
    const std::lock_guard lock(mutex_);
    if (!number || !forecasts_.contains(*number)) return no_forecast(id);
  }
  auto content = record_.kept_one(std::string(forecast_items_space), row_key('f', *number));
  if (!content) return pass_on(content);
  if (!*content) return fail(ErrorCode::corrupt, "the movements of the kept forecast " + id + " are missing; restore the record from its newest backup");
  return std::move(**content);
}

}  // namespace millrace::ingest
