// The worker process: `millrace parse-worker`. Reads documents from the shared memory or from descriptors, answers what is
// in them.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <new>

#include "base/text.h"
#include "base/time.h"
#include "ingest/finance_batch.h"
#include "ingest/finance_import.h"
#include "ingest/internal/pdf_text.h"
#include "ingest/internal/reader.h"
#include "ingest/internal/worker_protocol.h"
#include "ingest/overlay_sheet.h"
#include "ingest/parser_pool.h"
#include "ingest/sandbox.h"

namespace millrace::ingest {
namespace {

ParsedDocument refused(std::string reason, feed::Outcome outcome = feed::Outcome::reject) {
  ParsedDocument document;
  document.is_order_document = true;
  document.findings.push_back({outcome, "", std::move(reason), "", ""});
  return document;
}

struct Content {
  std::string bytes;
  bool moved = false;
};

// Errors   limit_reached  larger than the limit: nothing was read
//          unavailable    the file cannot be read now (EIO, ESTALE)
Result<Content> read_whole(int file, std::uint64_t size_max) {
  struct stat before {};
  if (fstat(file, &before) != 0) return fail(ErrorCode::unavailable, std::string("the file cannot be read: ") + std::strerror(errno));
  const auto size = static_cast<std::uint64_t>(before.st_size);
  if (size > size_max) {
    return fail(ErrorCode::limit_reached, "the file has " + std::to_string(size) + " bytes, the limit for a document is " + std::to_string(size_max) + " (file_size_max)");
  }
  Content content;
  content.bytes.resize(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = pread(file, content.bytes.data() + done, size - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::unavailable, std::string("the file cannot be read: ") + std::strerror(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  content.bytes.resize(done);
  struct stat after {};
  content.moved = done != size || fstat(file, &after) != 0 || after.st_size != before.st_size ||
                  after.st_mtim.tv_sec != before.st_mtim.tv_sec || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec;
  return content;
}

class Worker {
 public:
  // `shared` outlives the worker.
  Worker(const WorkerSetup& setup, LayoutProfile profile, std::string_view shared)
      : shared_(shared), setup_(setup), layout_(std::move(profile)) {
    // Below the parent's deadline, so that a slow PDF is answered and not taken for a hanging worker.
    pdf_limits_.time_max = std::chrono::milliseconds(setup.time_max_ms * 8 / 10);
    pdf_limits_.memory_max = setup.memory_max;
  }

  WorkerAnswer answer(const WorkerDocument& document, int file) {
    WorkerAnswer answer;
    try {
      if (document.in_memory) {
        answer.document = parse(shared_.substr(document.offset, document.size), document.name);
      } else {
        fill(answer, document, file);
      }
    } catch (const std::bad_alloc&) {
      answer.document = refused("reading the document needs more memory than " + std::to_string(setup_.memory_max >> 20) + " MB");
    }
    return answer;
  }

  // A document in memory lies inside it.
  bool can_reach(const WorkerDocument& document) const {
    return !document.in_memory || (document.offset <= shared_.size() && document.size <= shared_.size() - document.offset);
  }

 private:
  void fill(WorkerAnswer& answer, const WorkerDocument& document, int file) {
    auto content = read_whole(file, setup_.file_size_max);
    if (!content) {
      const bool later = content.error().code() == ErrorCode::unavailable;
      answer.document = refused(content.error().text(), later ? feed::Outcome::held : feed::Outcome::reject);
      return;
    }
    answer.bytes = content->bytes.size();
    answer.moved_while_read = content->moved;
    answer.hash = content_hash(content->bytes, setup_.hash_method);
    answer.unchanged = document.known_hash == answer.hash;
    if (answer.unchanged || answer.moved_while_read) return;
    answer.document = parse(content->bytes, document.name);
  }

  ParsedDocument parse(std::string_view content, std::string_view name) {
    if (name == overlay_sheet_name) return parse_overlay_sheet(content);
    if (is_finance_batch(name)) return parse_finance_batch(content, name);
    if (name == finance_table_name) return parse_finance_table(content);
    return sniff(content, name) == Format::pdf ? parse_pdf(content, layout_, pdf_limits_) : parse_with(content, name, layout_);
  }

  std::string_view shared_;
  WorkerSetup setup_;
  CompiledLayout layout_;
  PdfTextLimits pdf_limits_;
};

// The pool's memory for documents. It stays mapped as long as the process lives.
Result<std::string_view> map_shared(int file, std::uint64_t bytes) {
  void* const data = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  if (data == MAP_FAILED) return fail(ErrorCode::unavailable, std::string("the memory for documents: ") + std::strerror(errno));
  return std::string_view(static_cast<const char*>(data), bytes);
}

// Answers gather until they are worth a call, or until somebody may be waiting for the first of them.
Result<void> answer_batch(Worker& worker, const std::vector<WorkerDocument>& batch, int file, FrameSender& sender) {
  constexpr std::size_t worth_sending = 64 * 1024;
  constexpr std::chrono::milliseconds waited_enough{5};
  auto since = Stopwatch::now();
  for (const WorkerDocument& document : batch) {
    if (!worker.can_reach(document)) return fail(ErrorCode::corrupt, "a document outside the shared memory");
    if (auto added = sender.add(encode(worker.answer(document, file))); !added) return added;
    const auto now = Stopwatch::now();
    if (sender.waiting() < worth_sending && now - since < waited_enough) continue;
    if (auto sent = sender.flush(); !sent) return sent;
    since = now;
  }
  return sender.flush();
}

Result<void> serve(bool inside_bubblewrap) {
  const auto first = receive_frame(worker_socket);
  if (!first) return pass_on(first);
  const auto setup = decode_worker_setup(first->payload);
  if (!setup) return pass_on(setup);
  auto profile = parse_layout_profile(setup->profile_toml);
  if (!profile) return pass_on(profile);
  const auto shared = map_shared(first->descriptor.get(), setup->shared_bytes);
  if (!shared) return pass_on(shared);
  Worker worker(*setup, std::move(*profile), *shared);
  if (auto walls = enter_sandbox(setup->memory_max, setup->file_size_max, inside_bubblewrap); !walls) return walls;
  if (auto hello = send_frame(worker_socket, "ready"); !hello) return hello;
  FrameSender sender(worker_socket);
  while (true) {
    const auto frame = receive_frame(worker_socket);
    if (!frame) return {};  // the pool is done with us
    const auto batch = decode_worker_batch(frame->payload);
    if (!batch) return pass_on(batch);
    if (auto limit = renew_processor_limit(setup->time_max_ms / 1000 + 1); !limit) return limit;
    if (auto answered = answer_batch(worker, *batch, frame->descriptor.get(), sender); !answered) return answered;
  }
}

}  // namespace

int run_parse_worker(int argc, char** argv) {
  const bool inside_bubblewrap = argc > 2 && std::string_view(argv[2]) == "--bubblewrap";
  if (const auto served = serve(inside_bubblewrap); !served) {
    std::cerr << "parse-worker: " << served.error() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace millrace::ingest
