// Routes of cash: the position, ageing, costs, payment behaviour, scenarios and kept forecasts.
#include "server/internal/handlers.h"
#include "server/internal/route_parts.h"

namespace millrace::server {

namespace {

// Whoever may start work may think aloud: a scenario changes no document.
constexpr Rights plans{Right::see_money, Right::run_jobs};

const ParameterRow currency = {"currency", "string", "All amounts in this currency; else the company's.", ""};
const ParameterRow weeks = {"weeks", "integer", "How many weeks ahead, 1 to 53.", "13"};
const ParameterRow view = {"view", "string", "expected, pessimistic or optimistic.", "expected"};
const ParameterRow layers = {"layers", "string", "Only these layers: invoiced, delivered, ordered, planned, forecast.", ""};
const ParameterRow scenario = {"scenario", "string", "Id of a scenario; up to four stand side by side.", ""};
const ParameterRow limit = {"limit", "integer", "At most this many rows, up to 1000.", "5"};
const ParameterRow cursor = {"cursor", "string", "next_cursor of the page before.", ""};
const ParameterRow side = {"side", "string", "receivables or payables.", "receivables"};
const ParameterRow as_of = {"as_of", "string", "As of the end of this day.", ""};
const ParameterRow by = {"by", "string", "Age from the due day or from the posting day: due or posted.", "due"};
const ParameterRow buckets = {"buckets", "string", "Upper bounds in days, rising.", "30,60,90"};

Route get(std::string_view path, Response (*handler)(const Request&, Backend&), std::string_view name, std::string_view summary, std::vector<ParameterRow> parameters,
          Rights rights = {Right::see_money}, Own own = Own::closed) {
  return {Method::get, path, handler, Answer::data, 200, true, rights, own, name, summary, false, std::move(parameters), ""};
}

}  // namespace

std::vector<Route> cash_routes() {
  const ParameterRow id = {"id", "string", "The scenario's id.", "s1"};
  const std::string_view example = R"({"name":"ACME pays 30 days later","changes":[{"kind":"customer_later","party":"C1","days":30}]})";
  return {
      get("/api/v1/cash", show_cash, "showCash", "Cash week by week: receipts by certainty, payments by category, closing balance with its band, the lowest day and why.",
          {currency, weeks, view, layers, scenario}),
      get("/api/v1/cash/items", list_cash_items, "listCashItems", "The movements behind a figure of cash; their total is the figure.",
          {{"from", "string", "First day.", ""}, {"to", "string", "Last day.", ""}, {"layer", "string", "Only this layer; balance for what makes the opening.", ""},
           {"direction", "string", "in or out.", ""}, {"category", "string", "Only payments of this category.", ""}, {"party", "string", "Only of this customer or supplier.", ""},
           {"order", "string", "Only of this order.", ""}, currency, weeks, view, layers, scenario, limit, cursor}),
      get("/api/v1/cash/bridge", show_cash_bridge, "showCashBridge", "Why the forecast differs from a kept one: timing, amount, new, gone, rate.",
          {{"from", "string", "Id of a kept forecast; else the newest of the week before.", "f1"}, currency, weeks}),
      get("/api/v1/cash/forecasts", list_cash_forecasts, "listCashForecasts", "The forecasts that were kept.", {}),
      {Method::post, "/api/v1/cash/forecasts", keep_cash_forecast, Answer::document, 201, true, plans, Own::closed, "keepCashForecast", "Keep the forecast as it stands now.", false, {}, ""},
      get("/api/v1/cash/accuracy", show_cash_accuracy, "showCashAccuracy", "How good kept forecasts were, by week ahead and by customer.", {currency}),
      get("/api/v1/ageing", show_ageing, "showAgeing", "What is owed to us or by us, by age, as of any day.",
          {side, as_of, by, buckets, {"group", "string", "party, currency, salesperson or country.", "party"}}),
      get("/api/v1/ageing/items", list_ageing_items, "listAgeingItems", "The documents behind a cell of the ageing table.",
          {side, as_of, by, buckets, {"group", "string", "As in the table; changes nothing here.", ""}, {"bucket", "string", "Only this bucket, as the table names it.", ""},
           {"party", "string", "Only of this customer or supplier.", ""}, {"currency", "string", "Only in this currency.", ""}, limit, cursor}),
      get("/api/v1/costs", show_costs, "showCosts", "Costs by month and category against the budget, and the revenue beside them.",
          {{"from", "string", "First day; else twelve months back.", ""}, {"to", "string", "Last day; else the end of this month.", ""}, {"category", "string", "Only this one.", ""},
           {"group", "string", "month or category.", "month"}, currency}),
      get("/api/v1/costs/items", list_cost_items, "listCostItems", "The documents behind a figure of the costs.",
          {{"from", "string", "First day.", ""}, {"to", "string", "Last day.", ""}, {"category", "string", "Only this one.", ""}, currency, limit}),
      get("/api/v1/customers/{code}/payments", show_customer_payments, "showCustomerPayments", "How a customer pays: usual delay, its spread and trend, every invoice.",
          {{"code", "string", "The customer's code.", "C1"}, limit}),
      get("/api/v1/orders/{order}/money", show_order_money, "showOrderMoney", "Where each line's money is: open, delivered, invoiced, paid or written off.",
          {{"order", "string", "The order number, as people write it.", "{order}"}}, {Right::see_orders, Right::see_money}, Own::filtered),
      {Method::get, "/api/v1/scenarios", list_scenarios, Answer::document, 200, false, Right::see_money, Own::closed, "listScenarios", "What-ifs that were made.", false, {}, ""},
      {Method::post, "/api/v1/scenarios", make_scenario, Answer::document, 201, true, plans, Own::closed, "makeScenario", "Make a what-if.", false, {}, example},
      {Method::put, "/api/v1/scenarios/{id}", put_scenario, Answer::document, 200, true, plans, Own::closed, "putScenario", "Change a what-if; If-Match its version.", false, {id}, example},
      {Method::remove, "/api/v1/scenarios/{id}", remove_scenario, Answer::document, 200, true, plans, Own::closed, "removeScenario", "Remove a what-if.", false, {id}, ""},
  };
}

}  // namespace millrace::server
