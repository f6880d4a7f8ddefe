// What jobs of each kind are told: their payloads as values. JSON from outside: everything unknown is refused.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace millrace::app {

struct ReportPayload {
  std::string of = "orders";   // orders, lines or totals
  std::string format = "csv";  // csv, xlsx, json or ndjson
  std::string name;            // of the file, without its ending; "" makes one
  // Parameters of the order list, as in its address: {"late", "true"}, {"sort", "-open_amount"}.
  std::vector<std::pair<std::string, std::string>> parameters;
  bool operator==(const ReportPayload&) const = default;
};
// {"of":"orders","format":"csv","name":"late","filters":{"late":"true","customer":["C1","C2"]},"sort":"-due","fields":"order,due","group":"customer"}
Result<ReportPayload> parse_report(std::string_view payload);

struct MonthReportPayload {
  bool month_end = true;       // "of": month_end or monthly
  std::string format = "pdf";  // pdf or xlsx
  std::optional<std::chrono::year_month> month;  // none: that of the day
  std::optional<Day> day;      // "today" of the report; none: that of its data
  std::string currency;        // "": the company's own
  std::string as_of;           // Sequence or instant whose state counts, "" the newest
};
// {"of":"month_end","month":"2026-11","format":"pdf","day":"2026-11-30","currency":"EUR","as_of":"812"}
Result<MonthReportPayload> parse_month_report(std::string_view payload);

// {"source":"sap"}
Result<std::string> parse_sync(std::string_view payload);

// {"keep":7}: so many backups stay.
Result<unsigned> parse_backup(std::string_view payload);

// Rehearses what can go wrong, so that queue, workers and results can be seen to work.
struct SelfTestPayload {
  double seconds = 0;             // of work, up to 3,600
  std::uint64_t steps = 10;       // in which it is done
  std::string fail;               // "", "again", "final": how it ends
  std::string die;                // "", "kill", "segv", "abort", "exit": how its worker ends instead
  bool silent = false;            // the worker hangs
  std::uint64_t until_try = 0;    // only up to this try; 0: always
  std::uint64_t bytes = 0;        // of a result file
};
Result<SelfTestPayload> parse_self_test(std::string_view payload);

// {} or nothing in it.
Result<void> parse_nothing(std::string_view payload);

// ---- what the server tells a worker beside the payload
struct WorkerBrief {
  std::string record;   // path, to be read only
  std::string scratch;  // folder for temporary files
  std::string backup;   // the newest one, "" none
  std::uint64_t attempt = 0;
  std::string day;      // the plant's day, 2026-11-22
  std::string company;  // "" none
};
std::string encode(const WorkerBrief& brief);
Result<WorkerBrief> parse_brief(std::string_view text);

}  // namespace millrace::app
