#include <filesystem>

#include "app/backup_report.h"
#include "app/commands.h"

namespace millrace::app {
namespace {

int show(const CommandContext& context, const store::BackupManifest& manifest, const std::string& done, const std::string& moved_aside) {
  const std::string& file = context.invocation.arguments.front();
  if (context.invocation.json) {
    context.console.out() << backup_json(file, manifest, moved_aside) << std::flush;
    return exit_ok;
  }
  context.console.out() << done << ": " << backup_text(manifest) << "\n";
  if (!moved_aside.empty()) context.console.out() << "the record that was there is now " << moved_aside << "\n";
  context.console.out() << std::flush;
  return exit_ok;
}

}  // namespace

int run_restore(const CommandContext& context) {
  const std::string& file = context.invocation.arguments.front();
  BackupPhases phases(context);
  if (context.invocation.has("--verify")) {
    const auto manifest = store::verify_backup(file, std::filesystem::temp_directory_path().string(), phases.progress());
    phases.finish();
    if (!manifest) return report(context.console, manifest.error());
    return show(context, *manifest, file + " can be restored", "");
  }
  const auto restored = store::restore_backup(file, record_path(context.settings.values), context.invocation.has("--force"),
                                              context.clock.now(), phases.progress());
  phases.finish();
  if (!restored) return report(context.console, restored.error());
  return show(context, restored->manifest, "restored " + file + " to " + context.settings.values.data, restored->moved_aside);
}

}  // namespace millrace::app
