// Keeps the forecast as it stands: for a person who asks, and for the job that does it every day.
#pragma once
#include <string>

#include "ingest/cash.h"
#include "query/cash_keeper.h"

namespace millrace::server {

// 13 weeks in the company's currency. `by`: "time", or who asked.
// Errors   those of query::cash_board, of the simulation and of a commit
Result<ingest::ForecastHead> keep_forecast(const readmodel::SnapshotPtr& snapshot, query::CashKeeper& keeper, ingest::CashDoor& desk, Instant now,
                                           const std::string& by);

}  // namespace millrace::server
