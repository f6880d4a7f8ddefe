// What the handlers of cash share: how a question is read, what is kept, and how money is written.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "query/cash_forecasts.h"
#include "query/cash_keeper.h"
#include "server/internal/backend.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"

namespace millrace::server {

inline constexpr std::size_t scenarios_side_by_side = 4;

// A question about cash as it was asked. `problem` is set when it cannot be answered.
struct CashAsk {
  query::CashQuestion question;
  std::vector<Scenario> scenarios;
  std::optional<Problem> problem;
};
// Reads currency, weeks, view, layers and scenario. The errors of other parameters come along.
CashAsk cash_ask(const Request& request, Backend& backend, const Moment& at, std::vector<query::ParameterError> errors = {});

// The board of the question; under its first scenario, if one is asked for and `under_scenario`.
Result<std::shared_ptr<const query::CashBoard>> board_of(const CashAsk& ask, Backend& backend, const Moment& at, bool under_scenario);

// What scenarios and forecasts stand, for keys of kept answers.
std::string cash_revision(const Backend& backend);
// Null is answered with: nothing is kept here.
Problem no_cash_desk();

std::optional<Day> day_parameter(const Request& request, std::string_view name, std::vector<query::ParameterError>& errors);
std::size_t limit_of(const Request& request, std::int64_t fallback, std::vector<query::ParameterError>& errors);

void write_sums(JsonWriter& json, std::string_view name, const MoneyByCurrency& sums);
void write_number_day(JsonWriter& json, std::string_view name, std::int32_t day);  // null for none
void write_cash_item(JsonWriter& json, const query::CashBoard& board, std::size_t item);
void write_rates(JsonWriter& json, const std::vector<RateRoad>& roads);

// The bridge from the newest kept forecast of the week before (or the one named), or null where there is none.
// Errors   not_found  there is no such forecast; those of reading it
Result<std::string> bridge_json(const std::string& from, const CashAsk& ask, Backend& backend, const Moment& at, std::size_t items_max);

}  // namespace millrace::server
