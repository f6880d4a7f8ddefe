// The totals that /api/v1/totals answers, as a table: one row per group and currency.
#pragma once
#include <string>
#include <string_view>

#include "app/exporter.h"
#include "base/result.h"

namespace millrace::app {

// `format` is csv, xlsx or json; json is the answer as it is.
// Errors   corrupt      the answer is not one of totals
//          unavailable  the workbook cannot be written
Result<void> write_totals_report(std::string_view answer, std::string_view format, const Sink& sink);

}  // namespace millrace::app
