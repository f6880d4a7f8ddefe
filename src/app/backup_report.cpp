#include "app/backup_report.h"

#include "base/json_writer.h"

namespace millrace::app {

store::BackupProgress BackupPhases::progress() {
  return [this](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    if (phase != phase_) {
      finish();
      phase_ = phase;
      bar_.emplace(context_.console, phase_, phase == "verifying" ? "rows" : phase == "copying" ? "pages" : "bytes", Stopwatch::now());
    }
    bar_->update(done, total, Stopwatch::now());
    return !context_.stop.load();
  };
}

void BackupPhases::finish() {
  if (bar_) bar_->finish();
  bar_.reset();
}

std::string backup_text(const store::BackupManifest& manifest) {
  const store::RecordReport& record = manifest.record;
  return grouped(record.changes) + " changes, " + grouped(record.files) + " files, as of Sequence " +
         std::to_string(record.position.sequence.value) + ", taken " + rfc3339(manifest.made_at) + ", " + bytes_text(manifest.file_bytes) +
         " (record " + bytes_text(manifest.database_bytes) + "), digest " + record.digest;
}

std::string backup_json(const std::string& file, const store::BackupManifest& manifest, const std::string& moved_aside) {
  const store::RecordReport& record = manifest.record;
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("file", file).field("made_at", rfc3339(manifest.made_at));
  json.field("sequence", record.position.sequence.value).field("revision", record.position.revision).field("digest", record.digest);
  json.field("format", std::uint64_t{record.schema_version}).field("changes", record.changes).field("files", record.files);
  json.field("documents", record.documents).field("rejections", record.rejections);
  json.field("record_bytes", manifest.database_bytes).field("bytes", manifest.file_bytes);
  if (!moved_aside.empty()) json.field("moved_aside", moved_aside);
  json.end_object();
  return text + "\n";
}

}  // namespace millrace::app
