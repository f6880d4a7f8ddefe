// What each route answers: plain functions from a request and the services to a response.
#pragma once
#include "base/json_writer.h"
#include "query/order_detail.h"
#include "server/internal/backend.h"
#include "server/internal/order_question.h"

namespace millrace::server {

// orders
Response list_orders(const Request& request, Backend& backend);
Response window_orders(const Request& request, Backend& backend);
Response show_order(const Request& request, Backend& backend);
Response show_provenance(const Request& request, Backend& backend);
Response show_history(const Request& request, Backend& backend);
// what sources say differently
Response list_differences(const Request& request, Backend& backend);
Response differences_csv(const Request& request, Backend& backend);
Response decide_difference(const Request& request, Backend& backend);
Response undecide_difference(const Request& request, Backend& backend);
// what people write on orders
// A user who sees his own orders only asks about another's, which is for him as if it were not there.
std::optional<Problem> not_his_order(const Request& request, Backend& backend);
Response show_overlay(const Request& request, Backend& backend);
Response edit_overlay(const Request& request, Backend& backend);
Response undo_overlay(const Request& request, Backend& backend);
Response list_overlay_edits(const Request& request, Backend& backend);
Response list_all_overlay_edits(const Request& request, Backend& backend);
Response undo_overlay_group(const Request& request, Backend& backend);
Response overlay_xlsx(const Request& request, Backend& backend);
Response take_overlay_sheet(const Request& request, Backend& backend);
Response list_finance(const Request& request, Backend& backend);
Response show_finance(const Request& request, Backend& backend);
Response put_finance(const Request& request, Backend& backend);
Response remove_finance(const Request& request, Backend& backend);
Response import_finance(const Request& request, Backend& backend);
Response list_finance_imports(const Request& request, Backend& backend);
Response undo_finance_import(const Request& request, Backend& backend);
// exports of the order list
Response orders_csv(const Request& request, Backend& backend);
Response orders_xlsx(const Request& request, Backend& backend);
Response orders_ndjson(const Request& request, Backend& backend);
Response orders_json(const Request& request, Backend& backend);
// totals
Response show_totals(const Request& request, Backend& backend);
Response show_today(const Request& request, Backend& backend);
Response list_fields(const Request& request, Backend& backend);
// cash
Response show_cash(const Request& request, Backend& backend);
Response list_cash_items(const Request& request, Backend& backend);
Response show_cash_bridge(const Request& request, Backend& backend);
Response list_cash_forecasts(const Request& request, Backend& backend);
Response keep_cash_forecast(const Request& request, Backend& backend);
Response show_cash_accuracy(const Request& request, Backend& backend);
Response show_ageing(const Request& request, Backend& backend);
Response list_ageing_items(const Request& request, Backend& backend);
Response show_costs(const Request& request, Backend& backend);
Response list_cost_items(const Request& request, Backend& backend);
Response show_customer_payments(const Request& request, Backend& backend);
Response show_order_money(const Request& request, Backend& backend);
Response list_scenarios(const Request& request, Backend& backend);
Response make_scenario(const Request& request, Backend& backend);
Response put_scenario(const Request& request, Backend& backend);
Response remove_scenario(const Request& request, Backend& backend);
// changes
Response list_changes(const Request& request, Backend& backend);
Response open_live(const Request& request, Backend& backend);
// sources and rejections
Response list_sources(const Request& request, Backend& backend);
Response refresh_source(const Request& request, Backend& backend);
Response pause_source(const Request& request, Backend& backend);
Response resume_source(const Request& request, Backend& backend);
Response accept_vanished(const Request& request, Backend& backend);
Response reject_held(const Request& request, Backend& backend);
Response list_held(const Request& request, Backend& backend);
Response change_source(const Request& request, Backend& backend);
Response list_rejections(const Request& request, Backend& backend);
Response rejections_csv(const Request& request, Backend& backend);
Response replay_rejection(const Request& request, Backend& backend);
// pushed batches and webhooks
Response push_batch(const Request& request, Backend& backend);
Response show_batch(const Request& request, Backend& backend);
Response greet_webhook(const Request& request, Backend& backend);
Response take_webhook(const Request& request, Backend& backend);
// work for later
Response list_jobs(const Request& request, Backend& backend);
Response show_job(const Request& request, Backend& backend);
Response show_job_log(const Request& request, Backend& backend);
Response show_job_result(const Request& request, Backend& backend);
Response start_job(const Request& request, Backend& backend);
Response cancel_job(const Request& request, Backend& backend);
Response retry_job(const Request& request, Backend& backend);
Response pause_jobs(const Request& request, Backend& backend);
Response resume_jobs(const Request& request, Backend& backend);
Response list_schedules(const Request& request, Backend& backend);
Response put_schedule(const Request& request, Backend& backend);
Response remove_schedule(const Request& request, Backend& backend);
// What live clients are told about the jobs: counts, and those that run.
std::string jobs_news(const jobs::Control& control, Instant now);
// ourselves
Response show_performance(const Request& request, Backend& backend);
Response show_memory(const Request& request, Backend& backend);
Response so_performance(const Request& request, Backend& backend);
Response so_performance_refresh(const Request& request, Backend& backend);
Response so_background_refresh(const Request& request, Backend& backend);
Response so_background_refresh_force(const Request& request, Backend& backend);
Response rate_limits(const Request& request, Backend& backend);
Response livez(const Request& request, Backend& backend);
Response readyz(const Request& request, Backend& backend);
Response health(const Request& request, Backend& backend);
Response metrics_text(const Request& request, Backend& backend);
Response openapi(const Request& request, Backend& backend);
// the web part
Response app_page(const Request& request, Backend& backend);
// A file of the web part by its path; not found for everything else.
Response static_file(const Request& request);

// "order": one order with its lines, documents and flags, as `show_order` answers it. Without `money` it has neither
// amounts nor prices, nor what may name them in words.
void write_order(JsonWriter& json, const query::OrderDetail& detail, bool money);

// The filters of a list request, or what is wrong with them.
OrderQuestion order_question(const Request& request, Day today,
                             std::initializer_list<std::string_view> also_known = {});

}  // namespace millrace::server
