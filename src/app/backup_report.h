// What `backup` and `restore` show: progress by phase, and the manifest in words or JSON.
#pragma once
#include <optional>
#include <string>

#include "app/commands.h"
#include "store/backup.h"

namespace millrace::app {

// One progress bar per phase; a signal stops the work.
class BackupPhases {
 public:
  explicit BackupPhases(const CommandContext& context) : context_(context) {}
  store::BackupProgress progress();
  void finish();

 private:
  const CommandContext& context_;
  std::string phase_;
  std::optional<Progress> bar_;
};

// "1 240 changes, 800 files, as of Sequence 1240, taken 2026-11-21T08:14:02Z, 4.1 MB (record 12.0 MB), digest ..."
std::string backup_text(const store::BackupManifest& manifest);
std::string backup_json(const std::string& file, const store::BackupManifest& manifest, const std::string& moved_aside);

}  // namespace millrace::app
