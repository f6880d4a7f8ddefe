#include "ingest/internal/parser_desk.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t batches_under_way_max = ParserDesk::slot_count;
constexpr std::size_t slow_batch_max = 4;
constexpr std::size_t in_memory_max = 256 * 1024;  // bytes; larger documents are few and read by the worker itself
constexpr std::size_t alignment = 64;
constexpr int crashes_until_blamed = 2;
constexpr int start_tries_max = 2;  // a worker may be ended from outside before it can greet
// Answers of a batch come every few milliseconds. After this silence its documents are looked at one by one, each
// with the full time.
constexpr std::chrono::milliseconds batch_patience{2'000};

bool same_stamp(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

ParsedDocument refusal(std::string reason, feed::Outcome outcome = feed::Outcome::reject) {
  ParsedDocument document;
  document.is_order_document = true;
  document.findings.push_back({outcome, "", std::move(reason), "", ""});
  return document;
}

ParsedDocument unreadable(int error) { return refusal("the file cannot be read: " + std::string(std::strerror(error)), feed::Outcome::held); }

std::size_t padded(std::size_t size) { return (size + alignment - 1) / alignment * alignment; }

}  // namespace

void ParserDesk::run(const std::atomic<bool>& stopping) {
  while (fill(stopping)) {
    deliver();
    if (!under_way_.empty()) take_answers();
    deliver();
  }
}

// Hands batches to the worker until two are under way. False when the pool stops and nothing is under way.
bool ParserDesk::fill(const std::atomic<bool>& stopping) {
  while (under_way_.size() < batches_under_way_max) {
    if (!put_off_.empty()) {
      if (!under_way_.empty()) return true;  // alone with its worker
      if (!ensure_worker()) continue;
      under_way_.push_back(std::move(put_off_.front()));
      put_off_.pop_front();
      quiet_since_ = Stopwatch::now();
      send(under_way_.back());
      return true;
    }
    if (!start_next(stopping)) return !under_way_.empty() || !stopping;
  }
  return true;
}

// Reads the next documents and sends them. False when there are none now.
bool ParserDesk::start_next(const std::atomic<bool>& stopping) {
  std::vector<ParseJob> jobs;
  if (carried_.empty()) {
    if (stopping && under_way_.empty()) return false;  // what waits is dropped
    deliver();  // nobody waits for an answer while this desk waits for work
    jobs = lanes_.take(under_way_.empty() ? JobLanes::Wait::yes : JobLanes::Wait::no, documents_per_batch_max, slow_batch_max);
    if (jobs.empty()) return false;
  }
  Batch batch;
  batch.slot = slot_uses_[0] == 0 ? 0 : 1;
  if (!ensure_worker()) {
    for (ParseJob& job : jobs) carried_.push_back({std::move(job)});
    // Nothing is wrong with the documents: they are held, not refused, and asked for again later.
    for (Document& document : carried_) answer(document, refusal("no parser can be started", feed::Outcome::held));
    carried_.clear();
    return true;
  }
  gather(batch, std::move(jobs));
  if (batch.documents.empty()) return true;
  ++slot_uses_[batch.slot];
  if (under_way_.empty()) quiet_since_ = Stopwatch::now();
  send(batch);
  under_way_.push_back(std::move(batch));
  return true;
}

// What was carried over comes first, and is all a batch holds then.
void ParserDesk::gather(Batch& batch, std::vector<ParseJob> jobs) {
  std::deque<Document> documents = std::exchange(carried_, {});
  for (ParseJob& job : jobs) documents.push_back({std::move(job)});
  while (!documents.empty()) {
    Document& document = documents.front();
    const Reading reading = read(document, batch.slot);
    const bool fits = reading == Reading::placed || (reading == Reading::large && batch.documents.empty());
    if (!fits && reading != Reading::answered) break;
    if (reading != Reading::answered) {
      document.offset += batch.slot * slot_bytes;
      batch.documents.push_back(std::move(document));
    }
    documents.pop_front();
    if (reading == Reading::large) break;
    if (!batch.documents.empty() && !documents.empty()) {
      const Document& last = batch.documents.back();
      documents.front().offset = padded(last.offset - batch.slot * slot_bytes + last.size);
    }
  }
  carried_ = std::move(documents);
  if (!carried_.empty()) carried_.front().offset = 0;
}

ParserDesk::Reading ParserDesk::read(Document& document, std::size_t slot) {
  if (fstat(document.job.file.get(), &document.before) != 0) {
    answer(document, unreadable(errno));
    return Reading::answered;
  }
  const auto size = static_cast<std::uint64_t>(std::max<off_t>(0, document.before.st_size));
  if (size > options_.pool.file_size_max) {
    answer(document, refusal("the file has " + std::to_string(size) + " bytes, the limit for a document is " +
                             std::to_string(options_.pool.file_size_max) + " (file_size_max)"));
    return Reading::answered;
  }
  if (size > in_memory_max) return Reading::large;
  if (document.offset + size > slot_bytes) return Reading::no_room;
  document.size = size;
  return read_into(document, slot);
}

// The content counts when the file's stamp is the same before and after.
ParserDesk::Reading ParserDesk::read_into(Document& document, std::size_t slot) {
  char* const to = memory_->data() + slot * slot_bytes + document.offset;
  std::size_t done = 0;
  while (done < document.size) {
    const ssize_t n = pread(document.job.file.get(), to + done, document.size - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      answer(document, unreadable(errno));
      return Reading::answered;
    }
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  struct stat after {};
  const bool moved = done != document.size || fstat(document.job.file.get(), &after) != 0 || !same_stamp(document.before, after);
  document.size = done;
  document.job.file.reset();
  document.in_memory = true;
  document.hash = content_hash({to, done}, options_.pool.hash_method);
  const bool unchanged = document.job.known_hash == document.hash;
  if (!moved && !unchanged) return Reading::placed;
  ParseAnswer said;
  said.id = document.job.id;
  said.unchanged = unchanged;
  said.moved_while_read = moved;
  said.hash = document.hash;
  said.bytes = done;
  answers_.push_back(std::move(said));
  return Reading::answered;
}

bool ParserDesk::ensure_worker() {
  if (process_ != nullptr) return true;
  Result<void> ready;
  if (memory_ == nullptr) {
    auto memory = SharedMemory::create(shared_bytes);
    if (memory) {
      memory_ = std::move(*memory);
    } else {
      ready = pass_on(memory);
    }
  }
  if (ready) {
    for (int tries = 0; tries < start_tries_max; ++tries) {
      auto started = WorkerProcess::start(options_.pool.executable, options_.through_bubblewrap, options_.setup, memory_->descriptor());
      if (started) {
        process_ = std::move(*started);
        return true;
      }
      ready = pass_on(started);
    }
  }
  log_error("parser_cannot_start", {{"reason", ready.error().text()}});
  for (Batch& batch : put_off_) {
    for (Document& document : batch.documents) answer(document, refusal("no parser can be started: " + ready.error().text(), feed::Outcome::held));
    free_slot_of(batch);
  }
  put_off_.clear();
  return false;
}

void ParserDesk::send(const Batch& batch) {
  std::vector<WorkerDocument> documents;
  int descriptor = -1;
  for (const Document& document : batch.documents) {
    WorkerDocument told{document.job.name, document.in_memory, document.offset, document.size, std::nullopt};
    if (!document.in_memory) {
      told.known_hash = document.job.known_hash;
      descriptor = document.job.file.get();
    }
    documents.push_back(std::move(told));
  }
  process_->send(encode(documents), descriptor);
}

// Waits for one answer and takes all that came with it.
void ParserDesk::take_answers() {
  const auto whole = options_.pool.time_max;
  const auto began = quiet_since_;
  std::vector<Format> read;
  do {
    Batch& front = under_way_.front();
    const auto patience = front.documents.size() > 1 ? std::min(batch_patience, whole) : whole;
    const auto frame = process_->answer_before(quiet_since_ + patience);
    auto answered = frame ? decode_worker_answer(*frame) : Result<WorkerAnswer>(pass_on(frame));
    if (!answered) {
      note_times(read, quiet_since_ - began);
      return worker_failed(answered.error());
    }
    quiet_since_ = Stopwatch::now();
    if (!answered->unchanged) read.push_back(answered->document.format);
    Document document = std::move(front.documents.front());
    front.documents.pop_front();
    if (front.documents.empty()) {
      free_slot_of(front);
      under_way_.pop_front();
    }
    if (document.in_memory) {
      answer(document, std::move(answered->document));
    } else {
      answer_described(document, std::move(*answered));
    }
  } while (!under_way_.empty() && process_->has_answer());
  note_times(read, quiet_since_ - began);
}

// Answers come in handfuls: each document took its share.
void ParserDesk::note_times(const std::vector<Format>& read, Stopwatch::duration took) const {
  if (options_.pool.metrics == nullptr || read.empty()) return;
  for (const Format format : read) options_.pool.metrics->timing("millrace_parse_seconds", word(format)).record(took / read.size());
}

void ParserDesk::note_replaced() {
  ++replaced_;
  if (options_.pool.metrics != nullptr) options_.pool.metrics->counter("millrace_parser_workers_replaced_total").add();
}

void ParserDesk::worker_failed(const Error& error) {
  const bool silent = error.code() == ErrorCode::limit_reached;
  std::deque<Document>& at = under_way_.front().documents;
  const std::string reason = silent ? process_->end() : process_->reason_of_end();
  if (at.size() == 1 && silent) {
    return blame_front("reading the document takes longer than " + std::to_string(options_.pool.time_max.count()) + " ms");
  }
  // It may have been ended from outside: only a second end alone with the document is the document's fault.
  if (at.size() == 1 && ++at.front().crashes >= crashes_until_blamed) return blame_front("the document makes its parser crash (" + reason + ")");
  log_warning("parser_ended", {{"document", printable(at.front().job.name)}, {"documents", std::to_string(at.size())}, {"reason", reason}});
  note_replaced();
  restart();
}

void ParserDesk::blame_front(std::string reason) {
  Batch& front = under_way_.front();
  log_warning("parser_replaced", {{"document", printable(front.documents.front().job.name)}, {"reason", reason}});
  note_replaced();  // before the answer: who has it finds the count that goes with it
  answer(front.documents.front(), refusal(std::move(reason)));
  front.documents.pop_front();
  restart();
}

// The documents of the batch it was at go on one by one, the batch behind it as it is.
void ParserDesk::restart() {
  process_.reset();
  put_off_under_way();
  deliver();
}

void ParserDesk::put_off_under_way() {
  std::deque<Batch> again;
  Batch front = std::move(under_way_.front());
  under_way_.pop_front();
  for (Document& document : front.documents) {
    Batch alone;
    alone.slot = front.slot;
    alone.documents.push_back(std::move(document));
    ++slot_uses_[front.slot];
    again.push_back(std::move(alone));
  }
  free_slot_of(front);
  for (Batch& batch : under_way_) again.push_back(std::move(batch));
  under_way_.clear();
  put_off_.insert(put_off_.begin(), std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
}

void ParserDesk::free_slot_of(const Batch& batch) { --slot_uses_[batch.slot]; }

void ParserDesk::answer(Document& document, ParsedDocument parsed) {
  ParseAnswer said;
  said.id = document.job.id;
  said.hash = document.hash;
  said.bytes = document.in_memory ? document.size : 0;
  said.document = std::move(parsed);
  document.job.file.reset();
  answers_.push_back(std::move(said));
}

// The worker read the descriptor: whether the file stood still meanwhile is found out here.
void ParserDesk::answer_described(Document& document, WorkerAnswer worker) {
  struct stat after {};
  ParseAnswer said;
  said.id = document.job.id;
  said.unchanged = worker.unchanged;
  said.moved_while_read = worker.moved_while_read || fstat(document.job.file.get(), &after) != 0 || !same_stamp(document.before, after);
  said.hash = worker.hash;
  said.bytes = worker.bytes;
  said.document = std::move(worker.document);
  document.job.file.reset();
  answers_.push_back(std::move(said));
}

void ParserDesk::deliver() {
  if (!answers_.empty()) on_answers_(std::exchange(answers_, {}));
}

}  // namespace millrace::ingest
