// The server from start to stop: record, read model, sources, HTTP, and beside them the demo company.
#pragma once
#include "app/settings.h"

namespace millrace::app {

enum class ServeMode { serve, demo };

// Runs until SIGINT or SIGTERM. Answers the exit code of the process (app/exit_code.h); what went wrong is on stderr.
// In demo mode `settings.data` is the demo's own folder; the company is prepared below `demo_orders_path(settings)`
// by `prepare_demo_tree` and a `DemoTicker` changes it while the server runs.
int run_serve(const ResolvedSettings& resolved, ServeMode mode);

}  // namespace millrace::app
