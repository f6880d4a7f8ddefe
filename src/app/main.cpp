#include <signal.h>

#include <iostream>
#include <string_view>
#include <vector>

#include "app/job_kinds.h"
#include "app/program.h"
#include "ingest/parser_pool.h"

namespace {

std::atomic<bool> stop_wanted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

// The first Ctrl-C asks the running command to end well; a second one ends the process.
void handle_stop(int signal) {
  stop_wanted = true;
  ::signal(signal, SIG_DFL);
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything else: the worker must not read settings, terminals or the environment of its server.
  if (argc > 1 && std::string_view(argv[1]) == "parse-worker") return millrace::ingest::run_parse_worker(argc, argv);
  if (argc > 1 && std::string_view(argv[1]) == "job-worker") return millrace::jobs::run_job_worker(millrace::app::worker_kinds());
  ::signal(SIGPIPE, SIG_IGN);  // `millrace export orders | head` ends with a failed write, not with a signal
  ::signal(SIGINT, handle_stop);
  ::signal(SIGTERM, handle_stop);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const millrace::app::Environment environment = millrace::app::process_environment();
  return millrace::app::run_program(arguments, std::cout, std::cerr, millrace::app::console_of_process(environment),
                                    environment, stop_wanted);
}
