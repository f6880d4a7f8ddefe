// What one sync of an ERP took, for people and machines: from our own source, or from what a running server says.
#pragma once
#include <optional>
#include <string>

#include "base/result.h"
#include "ingest/control.h"

namespace millrace::app {

struct SyncReport {
  ingest::SourceStatus status;  // after the sync; `runs` of a stream begin with the newest
  Instant began;                // runs before are not of this sync
  std::chrono::milliseconds took{0};
  std::vector<ingest::CallsByKind> calls;      // of this sync alone
  std::optional<std::uint64_t> rows_committed;  // rows of the record; only when we opened it
  std::optional<std::uint64_t> commits;
  std::optional<std::uint64_t> statements;     // SQL statements of the record, likewise
  std::optional<std::uint64_t> memory_peak;    // bytes of this process
};

// Calls since `before`.
std::vector<ingest::CallsByKind> calls_since(const std::vector<ingest::CallsByKind>& before, const std::vector<ingest::CallsByKind>& after);
// The source `id` of an answer of GET /api/v1/sources. Errors   not_found; unavailable  not that answer
Result<ingest::SourceStatus> source_of_answer(const std::string& body, std::string_view id);

std::string sync_text(const SyncReport& report);
std::string sync_json(const SyncReport& report);

}  // namespace millrace::app
