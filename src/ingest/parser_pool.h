// Runs the parsers in sandboxed worker processes: rlimits, seccomp, no network, read-only view of the system.
//
// Invariants
//   * Documents are never parsed in the process that holds the record.
//   * A document that crashes a worker, needs more memory than `memory_max` or more time than `time_max` becomes
//     a rejection that says so; the worker is replaced and the other documents go on.
//   * The job queue is bounded (`queue_bound`); `submit` waits when it is full. Documents that are quick to read go
//     before pages, whatever the order they came in.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/hash.h"
#include "base/result.h"
#include "ingest/document.h"
#include "metrics/metrics.h"

namespace millrace::ingest {

struct ParserPoolOptions {
  std::string executable;              // our own binary; it is started again as `millrace parse-worker`
  std::size_t worker_count = 2;
  std::size_t queue_bound = 512;
  std::uint64_t memory_max = 512ull << 20;  // address space of a worker
  std::uint64_t file_size_max = 64ull << 20;
  std::chrono::milliseconds time_max{10'000};  // wall time for one document
  HashMethod hash_method = HashMethod::xxh3_128;
  LayoutProfile profile;
  metrics::Registry* metrics = nullptr;  // counts there; outlives the pool
};

struct ParseJob {
  std::uint64_t id = 0;   // the caller's; handed back
  UniqueFd file;          // opened by the caller: regular file, read-only, already size-checked
  std::string name;       // relative path, for the extension and messages
  std::optional<ContentHash> known_hash;  // when the content still has it, `unchanged` is answered without parsing
};

struct ParseAnswer {
  std::uint64_t id = 0;
  bool unchanged = false;
  bool moved_while_read = false;  // size or mtime changed during the read: not settled, ask again
  ContentHash hash;
  std::uint64_t bytes = 0;
  ParsedDocument document;  // also carries crash, time and memory findings
};

class ParserPool {
 public:
  // Called from the pool's own threads with the answers that came together, one call at a time per worker, in any
  // order.
  using OnAnswers = std::function<void(std::vector<ParseAnswer>)>;
  // Errors  unavailable  no worker could be started; the text says which step failed
  static Result<std::unique_ptr<ParserPool>> start(ParserPoolOptions options, OnAnswers on_answers);
  virtual ~ParserPool() = default;

  // Waits while the queue is full. False after stop().
  virtual bool submit(ParseJob job) = 0;
  virtual void stop() = 0;  // answers what is running, drops what waits
  virtual std::string sandbox() const = 0;  // "bubblewrap + seccomp", "rlimits + seccomp": for doctor
  virtual std::uint64_t workers_replaced() const = 0;
};

// What the worker process runs: main() of `millrace parse-worker`. Returns the exit code.
int run_parse_worker(int argc, char** argv);

}  // namespace millrace::ingest
