// The kinds of jobs this program knows: the one table, and what of them runs inside the server.
//
//   kind          where   does                                                           result
//   report        worker  orders, lines or totals as csv, xlsx, json or ndjson           a file
//   month_report  worker  the month-end pack or the monthly report as pdf or xlsx          a file
//   sync          inside  one refresh of a source; ends when that sync ended             what it found
//   backup        inside  the record as one verified file in DATA/backups                the file's facts
//   restore_test  worker  unpacks the newest backup aside and verifies every row of it   the backup's facts
//   verify_record inside  verifies every row of the record                               the record's facts
//   self_test     worker  nothing, or what can go wrong, for rehearsals                  how often its effect was written
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ingest/control.h"
#include "jobs/kind.h"
#include "jobs/worker.h"
#include "store/record.h"

namespace millrace::app {

// What kinds that run inside work on. All references outlive the jobs.
struct JobParts {
  std::string data;         // folder
  std::string record_path;
  store::Record& record;
  ingest::Control& sources;
  const Clock& clock;
  std::string company;  // on reports, "" none
};
std::vector<jobs::KindRow> job_kinds(const JobParts& parts);

// What a worker process can do.
std::span<const jobs::WorkerKind> worker_kinds();

// The rows by which self tests count their effects: by job, how often it was written.
inline constexpr std::string_view self_test_space = "jobs/self_test";

std::string backup_folder(const std::string& data);
// Where backups are unpacked to be tested.
std::string scratch_folder(const std::string& data);
// Removes what a restore test or a backup that was killed has left; called before any job runs.
void remove_leftovers(const std::string& data);
// The newest backup there, "" none.
std::string newest_backup(const std::string& folder);

}  // namespace millrace::app
