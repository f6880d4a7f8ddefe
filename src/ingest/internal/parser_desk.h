// One worker process and the thread that serves it: reads documents, hands them over in batches, takes the answers.
//
//   JobLanes ──> gather: read into a slot of the shared memory ──> batch to the worker ──> answers
//                        large files go alone, as descriptors
//
// Invariants
//   * Two batches are under way at most, each in its own slot: the worker never waits for the disk.
//   * When the worker ends or is silent for too long, the documents of the batch it was at are given to the next
//     worker one by one; so exactly the document that is to blame is blamed, and only when it fails twice alone.
#pragma once
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "ingest/internal/job_lanes.h"
#include "ingest/internal/worker_process.h"
#include "ingest/parser_pool.h"

namespace millrace::ingest {

struct DeskOptions {
  const ParserPoolOptions& pool;
  const std::string& setup;
  bool through_bubblewrap;
};

class ParserDesk {
 public:
  static constexpr std::size_t slot_count = 2;
  static constexpr std::size_t slot_bytes = 1u << 20;
  static constexpr std::size_t shared_bytes = slot_count * slot_bytes;

  ParserDesk(DeskOptions options, JobLanes& lanes, const ParserPool::OnAnswers& on_answers, std::atomic<std::uint64_t>& replaced)
      : options_(options), lanes_(lanes), on_answers_(on_answers), replaced_(replaced) {}

  // Until the lanes close and nothing is under way.
  void run(const std::atomic<bool>& stopping);

 private:
  struct Document {
    ParseJob job;
    struct stat before {};
    bool in_memory = false;
    std::size_t offset = 0;  // in the shared memory
    std::size_t size = 0;
    ContentHash hash{};
    int crashes = 0;  // workers that ended while this document was alone with them
  };
  struct Batch {
    std::size_t slot = 0;
    std::deque<Document> documents;  // answered ones are gone
  };
  // What reading a document came to.
  enum class Reading : std::uint8_t { placed, answered, large, no_room };

  bool fill(const std::atomic<bool>& stopping);
  bool start_next(const std::atomic<bool>& stopping);
  void gather(Batch& batch, std::vector<ParseJob> jobs);
  Reading read(Document& document, std::size_t slot);
  Reading read_into(Document& document, std::size_t slot);
  bool ensure_worker();
  void send(const Batch& batch);
  void take_answers();
  void worker_failed(const Error& error);
  void blame_front(std::string reason);
  void restart();
  void put_off_under_way();
  void free_slot_of(const Batch& batch);
  void answer(Document& document, ParsedDocument parsed);
  void answer_described(Document& document, WorkerAnswer worker);
  void deliver();
  void note_times(const std::vector<Format>& read, Stopwatch::duration took) const;
  void note_replaced();

  const DeskOptions options_;
  JobLanes& lanes_;
  const ParserPool::OnAnswers& on_answers_;
  std::atomic<std::uint64_t>& replaced_;

  std::unique_ptr<SharedMemory> memory_;
  std::unique_ptr<WorkerProcess> process_;
  std::deque<Batch> under_way_;  // at the worker, in order
  std::deque<Batch> put_off_;    // for after the worker's replacement, one at a time
  std::deque<Document> carried_; // read next: they did not fit into the batch before
  std::array<std::size_t, slot_count> slot_uses_{};  // batches whose documents lie there
  Stopwatch::time_point quiet_since_;
  std::vector<ParseAnswer> answers_;  // gathered for one call
};

}  // namespace millrace::ingest
