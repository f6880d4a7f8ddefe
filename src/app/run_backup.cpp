#include "app/backup_report.h"
#include "app/commands.h"

namespace millrace::app {

int run_backup(const CommandContext& context) {
  const std::string& file = context.invocation.arguments.front();
  BackupPhases phases(context);
  const auto manifest = store::write_backup(record_path(context.settings.values), file, context.clock.now(), phases.progress());
  phases.finish();
  if (!manifest) return report(context.console, manifest.error());
  if (context.invocation.json) {
    context.console.out() << backup_json(file, *manifest, "") << std::flush;
  } else {
    context.console.out() << "wrote " << file << ": " << backup_text(*manifest) << "\n" << std::flush;
  }
  return exit_ok;
}

}  // namespace millrace::app
