#include <malloc.h>

#include <fstream>
#include <mutex>

#include "app/commands.h"
#include "app/scan_recorded.h"
#include "app/scan_report.h"
#include "base/log.h"

namespace millrace::app {
namespace {

// Flushed and closed before success is said: a full disk must not look like a written file.
Result<void> write_result(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!out)
    return fail(ErrorCode::unavailable, path + ": cannot be created; does the folder exist and may you write there?");
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return fail(ErrorCode::unavailable, path + ": could not be written to the end; is the disk full?");
  return {};
}

// Two bars, one after the other: what is in the folders, then what the files say.
class ScanProgressView {
 public:
  explicit ScanProgressView(Console& console)
      : listing_(console, "listing", "files", Stopwatch::now()),
        reading_(console, "reading", "files", Stopwatch::now()) {}

  void show(const ingest::ScanProgress& progress) {
    const std::lock_guard lock(mutex_);
    Progress& bar = progress.phase == ingest::ScanProgress::Phase::listing ? listing_ : reading_;
    bar.update(progress.done, progress.total, Stopwatch::now());
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    listing_.finish();
    reading_.finish();
  }

 private:
  std::mutex mutex_;
  Progress listing_;
  Progress reading_;
};

Result<void> write_lists(const Invocation& invocation, const ingest::ScanResult& result) {
  if (const std::string path = invocation.option("--orders-csv"); !path.empty())
    if (auto written = write_result(path, orders_csv(result)); !written) return written;
  if (const std::string path = invocation.option("--rejections"); !path.empty())
    return write_result(path, rejections_csv(result));
  return {};
}

int exit_code_for(const CommandContext& context, std::uint64_t refused) {
  if (refused == 0) return exit_ok;
  if (!context.invocation.has("--rejections"))
    context.console.note("some files were rejected; --rejections FILE lists them with the reason");
  return exit_partial;
}

int run_recorded_scan(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  const std::string& root = invocation.arguments.front();
  ::mallopt(M_ARENA_MAX, 2);
  Settings settings = context.settings.values;
  settings.data = invocation.option("--data");
  set_log_level(std::max(settings.log_level, LogLevel::warning));
  ScanProgressView view(context.console);
  const auto scan = scan_recorded(settings, root, context.clock, context.stop,
                                  [&](const ingest::ScanProgress& progress) { view.show(progress); });
  view.finish();
  if (!scan) return report(context.console, scan.error());
  if (invocation.has("--orders-csv") || invocation.has("--rejections"))
    if (auto written = write_lists(invocation, scan_result(*scan)); !written) return report(context.console, written.error());
  context.console.out() << (invocation.json ? recorded_scan_json(root, *scan) : recorded_scan_text(root, *scan)) << std::flush;
  return exit_code_for(context, refused_count(*scan->snapshot));
}

}  // namespace

int run_scan(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  if (invocation.has("--data")) return run_recorded_scan(context);
  auto parsers = parser_options(context.settings.values);
  if (!parsers) return report(context.console, parsers.error());
  ingest::ScanOptions options;
  options.root = invocation.arguments.front();
  options.parsers = std::move(*parsers);
  ScanProgressView view(context.console);
  const auto result = ingest::scan_once(std::move(options), context.clock, context.stop,
                                        [&](const ingest::ScanProgress& progress) { view.show(progress); });
  view.finish();
  if (!result) return report(context.console, result.error());
  if (auto written = write_lists(invocation, *result); !written) return report(context.console, written.error());
  const std::string& root = invocation.arguments.front();
  context.console.out() << (invocation.json ? scan_json(root, *result) : scan_text(root, *result)) << std::flush;
  return exit_code_for(context, refused_count(*result));
}

}  // namespace millrace::app
