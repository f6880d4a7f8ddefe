// Every route, said once.
#include "server/internal/handlers.h"
#include "server/internal/router.h"

namespace millrace::server {

namespace {

const ParameterRow order_parameter = {"order", "string", "The order number, as people write it.", "{order}"};
const ParameterRow source_parameter = {"id", "string", "The source's id.", "{source}"};
const ParameterRow rejection_parameter = {"id", "string", "The rejection's number.", "{rejection}"};
const ParameterRow limit_parameter = {"limit", "integer", "At most this many rows, up to 1000.", "5"};
const ParameterRow cursor_parameter = {"cursor", "string", "next_cursor or prev_cursor of the page before.", ""};
const ParameterRow fields_parameter = {"fields", "string", "Only these columns; order and sequence are always there.",
                                       "order,status,open_amount"};
const ParameterRow sort_parameter = {"sort", "string", "Columns to sort by, - in front for descending.", "-due,order"};
const std::vector<ParameterRow> csv_parameters = {
    {"bom", "integer", "1: start with a byte order mark, for spreadsheets.", "1"},
    {"sep", "string", "Separator: , ; | or tab.", ";"},
    {"decimal", "string", "Decimal sign: point or comma.", ","},
    sort_parameter,
    fields_parameter};

std::vector<Route> order_routes() {
  return {
      {Method::get, "/api/v1/orders", list_orders, Answer::data, 200, false, "listOrders",
       "Orders that match the filters, page by page, with exact totals per currency.", true,
       {sort_parameter, limit_parameter, cursor_parameter, fields_parameter}, ""},
      {Method::get, "/api/v1/orders/window", window_orders, Answer::data, 200, false, "windowOrders",
       "Rows offset .. offset + limit of the same list, for scroll jumps.", true,
       {sort_parameter, limit_parameter, fields_parameter,
        {"offset", "integer", "First row, from 0.", "0"}}, ""},
      {Method::get, "/api/v1/orders.csv", orders_csv, Answer::csv, 200, false, "exportOrdersCsv",
       "All matching orders as CSV; the last line says how many.", true, csv_parameters, ""},
      {Method::get, "/api/v1/orders.xlsx", orders_xlsx, Answer::xlsx, 200, true, "exportOrdersXlsx",
       "All matching orders as a workbook with raw numbers.", true, {sort_parameter, fields_parameter}, ""},
      {Method::get, "/api/v1/orders.ndjson", orders_ndjson, Answer::ndjson, 200, false, "exportOrdersNdjson",
       "All matching orders, one JSON object per line.", true, {sort_parameter, fields_parameter}, ""},
      {Method::get, "/api/v1/orders.json", orders_json, Answer::data, 200, false, "exportOrdersJson",
       "All matching orders as one JSON document.", true, {sort_parameter, fields_parameter}, ""},
      {Method::get, "/api/v1/orders/{order}", show_order, Answer::data, 200, false, "showOrder",
       "One order with its lines, documents and flags.", false, {order_parameter}, ""},
      {Method::get, "/api/v1/orders/{order}/provenance", show_provenance, Answer::data, 200, false, "showProvenance",
       "Where each value of an order came from: rule, file, place, age.", false, {order_parameter}, ""},
      {Method::get, "/api/v1/orders/{order}/history", show_history, Answer::data, 200, true, "showHistory",
       "What the order was: its changes in words, newest first.", false, {order_parameter}, ""},
      {Method::get, "/api/v1/totals", show_totals, Answer::data, 200, false, "showTotals",
       "Open totals per group and currency.", true,
       {{"group", "string", "customer, item, manufacturer, salesman, status, due_month or currency.", "customer"},
        limit_parameter}, ""},
      {Method::get, "/api/v1/today", show_today, Answer::data, 200, false, "showToday",
       "The morning's answer: open, late, due soon, needs a decision.", false, {}, ""},
      {Method::get, "/api/v1/fields", list_fields, Answer::data, 200, false, "listFields",
       "The columns of the order list: type, title, what filters and sorts.", false, {}, ""},
  };
}

std::vector<Route> change_routes() {
  return {
      {Method::get, "/api/v1/changes", list_changes, Answer::data, 200, true, "listChanges",
       "What happened after a Sequence, in words, oldest first. since=-100: the last hundred.", false,
       {{"since", "integer", "The Sequence of the last answer.", "-100"},
        {"limit", "integer", "At most this many, up to 1000.", "200"}}, ""},
      {Method::get, "/api/v1/live", open_live, Answer::live, 101, false, "openLive",
       "WebSocket with deltas per subscription; server-sent events with Accept: text/event-stream.", false,
       {{"since", "integer", "For server-sent events: tell the changes after this Sequence first.", ""}}, ""},
  };
}

std::vector<Route> source_routes() {
  return {
      {Method::get, "/api/v1/sources", list_sources, Answer::data, 200, false, "listSources",
       "Where the data comes from, how old it is, what is running.", false, {}, ""},
      {Method::post, "/api/v1/sources/{id}/refresh", refresh_source, Answer::document, 202, false, "refreshSource",
       "Look for changes now.", false,
       {source_parameter, {"reread", "integer", "1: read every file again, also unchanged ones.", ""}}, ""},
      {Method::post, "/api/v1/sources/{id}/pause", pause_source, Answer::document, 202, false, "pauseSource",
       "Stop looking for changes until resumed.", false, {source_parameter}, ""},
      {Method::post, "/api/v1/sources/{id}/resume", resume_source, Answer::document, 202, false, "resumeSource",
       "Look for changes again.", false, {source_parameter}, ""},
      {Method::post, "/api/v1/sources/{id}/accept-vanished", accept_vanished, Answer::document, 202, false,
       "acceptVanished", "Accept that a vanished or emptied folder is right: its orders are then removed.", false,
       {source_parameter}, ""},
      {Method::patch, "/api/v1/sources/{id}", change_source, Answer::document, 200, false, "changeSource",
       "Change how often the source is refreshed.", false, {source_parameter}, R"({"interval_s":600})"},
      {Method::get, "/api/v1/rejections", list_rejections, Answer::data, 200, false, "listRejections",
       "What could not be read, with file, place and reason, newest first.", false,
       {{"outcome", "string", "reject, keep_previous, ingest_and_flag, superseded or held.", ""},
        {"q", "string", "Text in path, reason, value or order.", ""}}, ""},
      {Method::get, "/api/v1/rejections.csv", rejections_csv, Answer::csv, 200, false, "exportRejectionsCsv",
       "The same list as CSV.", false,
       {{"outcome", "string", "reject, keep_previous, ingest_and_flag, superseded or held.", ""},
        {"q", "string", "Text in path, reason, value or order.", ""}}, ""},
      {Method::post, "/api/v1/rejections/{id}/replay", replay_rejection, Answer::document, 202, false,
       "replayRejection", "Read the refused file again now.", false, {rejection_parameter}, ""},
  };
}

std::vector<Route> own_routes() {
  return {
      {Method::get, "/api/v1/performance", show_performance, Answer::data, 200, false, "showPerformance",
       "Request times, hit rates, memory, loads and hints.", false, {}, ""},
      {Method::get, "/api/so-performance", so_performance, Answer::data, 200, false, "soPerformance",
       "Performance statistics of the order store.", false, {}, ""},
      {Method::post, "/api/so-performance/refresh", so_performance_refresh, Answer::document, 202, false,
       "soPerformanceRefresh", "Read every file of every source again.", false, {}, ""},
      {Method::get, "/api/so-background-refresh", so_background_refresh, Answer::document, 200, false,
       "soBackgroundRefresh", "State of the background refresh.", false, {}, ""},
      {Method::post, "/api/so-background-refresh/force", so_background_refresh_force, Answer::document, 202, false,
       "soBackgroundRefreshForce", "Refresh every source now.", false, {}, ""},
      {Method::get, "/livez", livez, Answer::text, 200, false, "livez", "Alive.", false, {}, ""},
      {Method::get, "/readyz", readyz, Answer::text, 200, false, "readyz", "Ready to answer; 503 says why not.", false,
       {{"verbose", "string", "List the checks.", ""}}, ""},
      {Method::get, "/health", health, Answer::document, 200, false, "health", "Checks, version and counts.", false, {}, ""},
      {Method::get, "/metrics", metrics_text, Answer::text, 200, false, "metrics", "Prometheus text.", false, {}, ""},
      {Method::get, "/api/v1/openapi.json", openapi, Answer::document, 200, false, "openapi",
       "This description.", false, {}, ""},
  };
}

std::vector<Route> page_routes() {
  const auto page = [](std::string_view path, std::string_view name, std::string_view summary) {
    return Route{Method::get, path, app_page, Answer::page, 200, false, name, summary, false, {}, ""};
  };
  std::vector<Route> routes = {
      page("/", "pageToday", "The web part."),
      page("/today", "pageTodayNamed", "Screen: today."),
      page("/orders", "pageOrders", "Screen: orders."),
      page("/orders/{order}", "pageOrder", "Screen: one order."),
      page("/sources", "pageSources", "Screen: sources and rejections."),
      page("/performance", "pagePerformance", "Screen: performance."),
      page("/problems/{code}", "pageProblem", "What a kind of problem means."),
  };
  routes[3].parameters = {order_parameter};
  routes[6].parameters = {{"code", "string", "The kind of problem.", "not-found"}};
  return routes;
}

}  // namespace

const std::vector<Route>& route_table() {
  static const std::vector<Route> table = [] {
    std::vector<Route> rows;
    for (auto&& part : {order_routes(), change_routes(), source_routes(), own_routes(), page_routes()})
      rows.insert(rows.end(), part.begin(), part.end());
    return rows;
  }();
  return table;
}

}  // namespace millrace::server
