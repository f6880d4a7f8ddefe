// The program without its process: arguments, streams and environment in, exit code out.
#pragma once
#include <atomic>
#include <span>
#include <string>

#include "app/console.h"
#include "app/settings.h"

namespace millrace::app {

// `console_options.color` and `quiet` are taken from the arguments.
int run_program(std::span<const std::string> arguments, std::ostream& out, std::ostream& err,
                ConsoleOptions console_options, const Environment& environment, const std::atomic<bool>& stop);

}  // namespace millrace::app
