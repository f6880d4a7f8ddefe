// Parts of the one table of routes, in the order they stand in it.
#pragma once
#include <vector>

#include "server/internal/router.h"

namespace millrace::server {

std::vector<Route> people_routes();  // signing in, users, tokens, the audit trail
std::vector<Route> finance_routes(); // finance documents that people write and import
std::vector<Route> cash_routes();    // the position, ageing, costs, scenarios, kept forecasts
std::vector<Route> own_routes();     // how we are doing, and our description
std::vector<Route> page_routes();    // the web part

}  // namespace millrace::server
