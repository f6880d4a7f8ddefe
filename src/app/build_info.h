// Which program this is: for `version`, `doctor`, the server's answers and the metrics.
#pragma once
#include "server/server.h"

namespace millrace::app {

// Version of the project, short commit ("unknown" outside a repository), compiler.
const server::BuildInfo& build_info();

}  // namespace millrace::app
