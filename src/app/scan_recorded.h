// `millrace scan --data`: reads a tree into a durable record, or brings that record up to date; no server.
//
// Invariants
//   * The same road as `serve`: what is answered is committed, and the next scan opens only what changed.
//   * Answers after every file was read or proven unchanged and the read model followed the record to its end.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "app/settings.h"
#include "base/result.h"
#include "base/time.h"
#include "ingest/control.h"
#include "ingest/scan_once.h"
#include "readmodel/snapshot.h"

namespace millrace::app {

struct RecordedScan {
  readmodel::SnapshotPtr snapshot;
  ingest::SourceStatus source;                  // of the finished look at the tree
  std::chrono::microseconds loading_took{0};    // record and read model, before the first look
  std::chrono::microseconds verifying_took{0};  // listing, reading what changed, committing
};

// Errors   those of Road::open
//          unavailable  the tree cannot be listed, or the record refuses to store
//          cancelled    `stop` was set
Result<RecordedScan> scan_recorded(const Settings& settings, const std::string& root, const Clock& clock,
                                   const std::atomic<bool>& stop,
                                   const std::function<void(const ingest::ScanProgress&)>& progress);

// What the orders, lists and reports of a scan need, from the read model.
ingest::ScanResult scan_result(const RecordedScan& scan);

std::string recorded_scan_text(const std::string& root, const RecordedScan& scan);
// With `net` and `open`: sums of minor units over all currencies, for comparing with a known total.
std::string recorded_scan_json(const std::string& root, const RecordedScan& scan);

// Files that add nothing, or less than they should: what exit code 6 is about.
std::uint64_t refused_count(const readmodel::Snapshot& snapshot);

}  // namespace millrace::app
