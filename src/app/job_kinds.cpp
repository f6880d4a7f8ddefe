#include "app/job_kinds.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "app/backup_report.h"
#include "app/job_payload.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "store/backup.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view backup_start = "millrace-";
constexpr std::string_view backup_end = ".backup";
constexpr auto leftover_age = 2h;  // longer than any backup takes
constexpr auto look_pause = 50ms;  // at a source whose sync is awaited

std::string file_stamp(Instant at) {
  std::string text;
  for (const char c : rfc3339(at).substr(0, 19))
    if (c != ':' && c != '-') text += c;
  return text + "Z";
}

std::vector<std::string> backups_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(backup_start) && name.ends_with(backup_end)) found.push_back(entry.path().string());
  }
  std::ranges::sort(found);  // the name begins with the time
  return found;
}

store::BackupProgress progress_of(jobs::Run& run) {
  return [&run](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    run.progress({done, total, phase == "verifying" ? "rows" : phase == "copying" ? "pages" : "bytes", std::string(phase)});
    return !run.stop_wanted();
  };
}

// ---- sync

std::optional<ingest::SourceStatus> status_of(const ingest::Control& sources, const std::string& id) {
  for (ingest::SourceStatus& source : sources.sources())
    if (source.id == id) return std::move(source);
  return std::nullopt;
}

std::string sync_result(const ingest::SourceStatus& status) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("source", status.id).field("state", word(status.state)).field("message", status.message);
  json.field("took_ms", std::int64_t{status.refresh_took.count()}).field("orders", status.orders).field("rejections", status.rejections);
  json.field("files", status.files).field("files_read", status.files_read).end_object();
  return text;
}

// Asks for a refresh and waits for the end of one that began after the wish: one that runs already may have passed by
// what is new.
Result<jobs::Outcome> run_sync_job(jobs::Run& run, ingest::Control& sources) {
  using State = ingest::SourceState;
  const auto id = parse_sync(run.job().payload);
  if (!id) return pass_on(id);
  const auto before = status_of(sources, *id);
  if (const auto asked = sources.refresh(*id, false); !asked) return pass_on(asked);
  const bool busy = before && before->state == State::scanning;
  const std::uint64_t wanted = (before ? before->refresh_count : 0) + (busy ? 2 : 1);
  bool running = false;
  const auto began = Stopwatch::now();
  while (!run.stop_wanted()) {
    const auto now = status_of(sources, *id);
    if (!now) return fail(ErrorCode::not_found, "source " + *id + " is gone; look at the settings");
    run.progress({now->progress_done, now->progress_total, "files", std::string(word(now->state))});
    running |= now->state == State::scanning || now->state == State::starting;
    if (now->state == State::held) return fail(ErrorCode::conflict, "the sync of " + *id + " waits for a person: " + now->message);
    if (now->state == State::paused) return fail(ErrorCode::conflict, "source " + *id + " is paused; resume it first");
    if (now->refresh_count >= wanted) return jobs::Outcome{sync_result(*now), {}};
    // A failure that stood before counts only when the source has tried again.
    if (now->state == State::failed && (running || (before && before->state != State::failed) || Stopwatch::now() - began > 5s))
      return fail(ErrorCode::unavailable, "the sync of " + *id + " did not end well: " + now->message);
    std::this_thread::sleep_for(look_pause);
  }
  return fail(ErrorCode::unavailable, "stopped before the sync of " + *id + " ended; the source goes on by itself");
}

// ---- backup and verification

Result<jobs::Outcome> run_backup_job(jobs::Run& run, const JobParts& parts) {
  const auto keep = parse_backup(run.job().payload);
  if (!keep) return pass_on(keep);
  const std::string folder = backup_folder(parts.data);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::unavailable, "cannot create the folder for backups " + folder + ": " + error.message());
  // Named after the job, not the try: a second try writes the same file.
  const std::string file = folder + "/" + std::string(backup_start) + file_stamp(run.job().created) + "-" + run.job().id + std::string(backup_end);
  const auto manifest = store::write_backup(parts.record_path, file, parts.clock.now(), progress_of(run));
  if (!manifest) return pass_on(manifest);
  auto all = backups_in(folder);
  for (std::size_t i = 0; i + *keep < all.size(); ++i) {
    fs::remove(all[i], error);
    if (error) log_warning("old_backup_not_removed", {{"path", all[i]}, {"reason", error.message()}});
  }
  return jobs::Outcome{backup_json(file, *manifest, ""), {}};
}

Result<jobs::Outcome> run_verify_job(jobs::Run& run, const JobParts& parts) {
  const auto report = store::verify_sqlite_record(parts.record_path, [&](std::uint64_t done, std::uint64_t total) {
    run.progress({done, total, "rows", ""});
    return !run.stop_wanted();
  });
  if (!report) return pass_on(report);
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("sequence", report->position.sequence.value).field("revision", report->position.revision);
  json.field("digest", report->digest).field("changes", report->changes).field("files", report->files);
  json.field("documents", report->documents).field("rejections", report->rejections).field("kept", report->kept).end_object();
  return jobs::Outcome{std::move(text), {}};
}

// ---- self test

// Counts how often the effect was written, in the transaction that ends the job.
Result<store::Batch> self_test_effect(const jobs::Job& job, jobs::Outcome& outcome, store::Record& record) {
  const auto before = record.kept_one(std::string(self_test_space), job.id);
  if (!before) return pass_on(before);
  const int times = before->has_value() ? std::atoi((*before)->c_str()) + 1 : 1;
  outcome.result = R"({"effects":)" + std::to_string(times) + R"(,"try":)" + std::to_string(job.tries) + "}";
  store::Batch batch;
  batch.source = "jobs";
  batch.kept_put.push_back({std::string(self_test_space), job.id, std::to_string(times)});
  return batch;
}

// ---- the table

using Type = jobs::MemberType;
using Check = std::function<Result<std::string>(std::string_view)>;

// A payload that gives no unique key of its own.
template <class Parse>
Check checked_by(Parse parse, std::string key = "") {
  return [parse, key](std::string_view payload) -> Result<std::string> {
    if (const auto parsed = parse(payload); !parsed) return pass_on(parsed);
    return key;
  };
}

jobs::KindRow report_kind(const std::function<Result<std::string>(const jobs::Job&)>& brief) {
  return {.name = "report",
          .place = jobs::Place::worker,
          .time_max = 300s,
          .right = "run_jobs",
          .summary = "Orders, lines or totals that match the filters of the order list, as a file.",
          .payload = {{.name = "of", .type = Type::choice, .standard = "orders", .choices = {"orders", "lines", "totals"}},
                      {.name = "format", .type = Type::choice, .help = "ndjson of orders only", .standard = "csv", .choices = {"csv", "xlsx", "json", "ndjson"}},
                      {.name = "name", .help = "a word for the file name"},
                      {.name = "filters", .type = Type::filters, .help = "as in the address of the order list"},
                      {.name = "sort", .help = "columns, - in front for descending"},
                      {.name = "fields", .help = "columns of orders, with commas between"},
                      {.name = "group", .type = Type::choice, .help = "of totals only", .choices = {"customer", "item", "manufacturer", "salesman", "status", "due_month", "currency"}}},
          .check = checked_by(parse_report),
          .brief = brief};
}

jobs::KindRow month_report_kind(const std::function<Result<std::string>(const jobs::Job&)>& brief) {
  return {.name = "month_report",
          .place = jobs::Place::worker,
          .time_max = 300s,
          .right = "run_jobs",
          .summary = "What came in, what it cost, what is owed and the cash of the weeks after, as a PDF or a workbook.",
          .payload = {{.name = "of", .type = Type::choice, .standard = "month_end", .choices = {"month_end", "monthly"}},
                      {.name = "month", .help = "as 2026-11; none: the month of the day"},
                      {.name = "format", .type = Type::choice, .standard = "pdf", .choices = {"pdf", "xlsx"}},
                      {.name = "day", .help = "the report's own today, as 2026-11-30"},
                      {.name = "currency", .help = "EUR; none: the company's own"},
                      {.name = "as_of", .help = "the Sequence or time whose state counts; none: the newest"}},
          .check = checked_by(parse_month_report),
          .brief = brief};
}

jobs::KindRow sync_kind(const JobParts& parts) {
  return {.name = "sync",
          .place = jobs::Place::inside,
          .time_max = 180s,
          .unique = jobs::UniqueRule::live,
          .right = "control_sources",
          .summary = "One refresh of a source; over when that refresh is.",
          .payload = {{.name = "source", .type = Type::source, .help = "its id", .required = true}},
          .check = [](std::string_view payload) -> Result<std::string> {
            const auto source = parse_sync(payload);
            if (!source) return pass_on(source);
            return "sync/" + *source;
          },
          .run = [&sources = parts.sources](jobs::Run& run) { return run_sync_job(run, sources); }};
}

jobs::KindRow backup_kind(const JobParts& parts) {
  return {.name = "backup",
          .place = jobs::Place::inside,
          .time_max = 1800s,
          .unique = jobs::UniqueRule::live,
          .right = "admin",
          .summary = "The whole record as one verified file in the folder backups of the data folder.",
          .payload = {{.name = "keep", .type = Type::number, .help = "how many backups stay", .standard = "7"}},
          .check = checked_by(parse_backup, "backup"),
          .run = [parts](jobs::Run& run) { return run_backup_job(run, parts); }};
}

jobs::KindRow verify_kind(const JobParts& parts) {
  return {.name = "verify_record",
          .place = jobs::Place::inside,
          .time_max = 1800s,
          .unique = jobs::UniqueRule::live,
          .right = "admin",
          .summary = "Verifies every row of the record against its checksum.",
          .check = checked_by(parse_nothing, "verify_record"),
          .run = [parts](jobs::Run& run) { return run_verify_job(run, parts); }};
}

jobs::KindRow restore_test_kind(const std::function<Result<std::string>(const jobs::Job&)>& brief) {
  return {.name = "restore_test",
          .place = jobs::Place::worker,
          .time_max = 1800s,
          .unique = jobs::UniqueRule::live,
          .right = "admin",
          .summary = "Unpacks the newest backup aside, verifies every row of it and compares with what it says it holds.",
          .check = checked_by(parse_nothing, "restore_test"),
          .brief = brief};
}

jobs::KindRow self_test_kind(const JobParts& parts, const std::function<Result<std::string>(const jobs::Job&)>& brief) {
  return {.name = "self_test",
          .place = jobs::Place::worker,
          .time_max = 300s,
          .right = "admin",
          .summary = "Does nothing, or goes wrong as asked: shows that queue, workers and results work.",
          .payload = {{.name = "seconds", .type = Type::number, .help = "of work", .standard = "0"},
                      {.name = "steps", .type = Type::number, .help = "of progress", .standard = "10"},
                      {.name = "bytes", .type = Type::number, .help = "of a result file"},
                      {.name = "fail", .type = Type::choice, .help = "how it fails", .choices = {"again", "final"}},
                      {.name = "die", .type = Type::choice, .help = "how its worker ends", .choices = {"kill", "segv", "abort", "exit"}},
                      {.name = "silent", .type = Type::flag, .help = "gives no sign of life"},
                      {.name = "until_try", .type = Type::number, .help = "goes wrong up to this try"}},
          .check = checked_by(parse_self_test),
          .brief = brief,
          .effect = [&record = parts.record](const jobs::Job& job, jobs::Outcome& outcome) { return self_test_effect(job, outcome, record); },
          .forget = [](const jobs::Job& job, store::Batch& batch) { batch.kept_removed.push_back({std::string(self_test_space), job.id}); }};
}

}  // namespace

std::string backup_folder(const std::string& data) { return data + "/backups"; }

std::string scratch_folder(const std::string& data) { return data + "/scratch"; }

void remove_leftovers(const std::string& data) {
  std::error_code error;
  fs::remove_all(scratch_folder(data), error);
  if (error) log_warning("leftover_not_removed", {{"path", scratch_folder(data)}, {"reason", error.message()}});
  // A backup is made in a folder of its own beside its file (store/backup.h), which a kill leaves there. A person may be
  // making one at this moment, so only old ones go.
  const auto old = fs::file_time_type::clock::now() - leftover_age;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(backup_folder(data), error))
    if (entry.is_directory(error) && entry.path().filename().string().starts_with(".millrace-") && entry.last_write_time(error) < old) leftovers.push_back(entry.path());
  for (const fs::path& leftover : leftovers) {
    fs::remove_all(leftover, error);
    if (error) log_warning("leftover_not_removed", {{"path", leftover.string()}, {"reason", error.message()}});
  }
}

std::string newest_backup(const std::string& folder) {
  const auto all = backups_in(folder);
  return all.empty() ? "" : all.back();
}

std::vector<jobs::KindRow> job_kinds(const JobParts& parts) {
  const auto brief = [data = parts.data, path = parts.record_path, company = parts.company, &clock = parts.clock](const jobs::Job& job) -> Result<std::string> {
    return encode(WorkerBrief{path, scratch_folder(data), newest_backup(backup_folder(data)), job.tries, iso(utc_day(clock.now())), company});
  };
  return {report_kind(brief), month_report_kind(brief), sync_kind(parts), backup_kind(parts), restore_test_kind(brief), verify_kind(parts),
          self_test_kind(parts, brief)};
}

}  // namespace millrace::app
