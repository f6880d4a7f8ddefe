// A worker for tests of the slots: does what the payload says. The product's own worker is `millrace job-worker`.
#include <signal.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

#include "jobs/worker.h"

namespace {

using namespace millrace;
using namespace millrace::jobs;

Result<Outcome> do_as_told(WorkerRun& run) {
  const std::string& told = run.payload();
  run.progress({1, 2, "steps", ""});
  if (told == "die") ::kill(::getpid(), SIGKILL);
  if (told == "die once" && run.result_path().ends_with(".1.part")) ::kill(::getpid(), SIGKILL);
  if (told == "leave") ::_exit(7);
  if (told == "again") return fail(ErrorCode::unavailable, "the ERP is away");
  if (told == "final") return fail(ErrorCode::invalid_input, "no such column");
  if (told == "brief") return Outcome{run.brief(), {}};
  if (told == "pid") return Outcome{std::to_string(::getpid()), {}};
  if (told == "hang") run.fall_silent();
  // Neither listens to a wish to stop: only force ends them.
  if (told == "hang" || told == "deaf")
    for (;;) ::pause();
  if (told == "listen") {
    while (!run.stop_wanted()) std::this_thread::yield();
    return fail(ErrorCode::cancelled, "stopped");
  }
  if (told == "file") {
    std::ofstream(run.result_path()) << "rows";
    return Outcome{"{}", ResultFile{"rows.txt", "text/plain", 0}};
  }
  if (told.starts_with("/")) {
    std::size_t bytes = 0;
    const auto answered = run.ask(told, [&](std::string_view block) { return (bytes += block.size()) <= 3'000'000; });
    if (!answered) return pass_on(answered);
    return Outcome{"\"" + answered->type + " " + std::to_string(bytes) + "\"", {}};
  }
  return Outcome{};
}

constexpr std::array kinds = std::to_array<WorkerKind>({{"told", do_as_told}, {"hasty", do_as_told}});

}  // namespace

int main() { return run_job_worker(kinds); }
