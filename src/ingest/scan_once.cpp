#include "ingest/scan_once.h"

#include <algorithm>
#include <numeric>

#include "base/bounded_queue.h"
#include "base/text.h"
#include "ingest/order_book.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t in_flight_max = 200;  // below ParserPoolOptions::queue_bound, so submit never waits
const std::string source_name = "scan";

struct Reading {
  OrderBook& book;
  const ScanOptions& options;
  const Listing& listing;
  const Clock& clock;
  ScanResult& result;

  // Opens the file and hands it to the parsers; false when there is nothing to wait for.
  bool submit(ParserPool& pool, std::size_t index) {
    const ListedFile& file = listing.files[index];
    auto opened = open_below(options.root, file.path);
    if (!opened) {
      if (opened.error().code() != ErrorCode::not_found)
        book.fault(source_name, {file.path, opened.error().text(), false}, clock.now());
      return false;
    }
    ParseJob job;
    job.id = index;
    job.file = std::move(opened->fd);
    job.name = file.path;
    return pool.submit(std::move(job));
  }

  void take(ParseAnswer& answer) {
    const ListedFile& file = listing.files[answer.id];
    result.bytes += answer.bytes;
    if (answer.moved_while_read && answer.document.findings.empty())
      answer.document.findings.push_back({feed::Outcome::held, "", "changed while it was read; scan again", "", ""});
    book.file_read(source_name, {file.path, file.stamp, answer.hash, std::move(answer.document)}, clock.now());
  }
};

Result<void> read_all(Reading reading, ParserPool& pool, BoundedQueue<ParseAnswer>& answers, const std::atomic<bool>& stop,
                      const std::function<void(const ScanProgress&)>& progress) {
  const std::size_t total = reading.listing.files.size();
  std::size_t next = 0, in_flight = 0, done = 0;
  while (done < total) {
    if (stop) return fail(ErrorCode::cancelled, "the scan was stopped");
    while (next < total && in_flight < in_flight_max) {
      if (reading.submit(pool, next++)) {
        ++in_flight;
      } else {
        ++done;
      }
    }
    if (in_flight == 0) continue;
    auto answer = answers.pop_for(200ms);
    for (; answer; answer = answers.try_pop()) {
      --in_flight;
      ++done;
      reading.take(*answer);
    }
    if (progress) progress({ScanProgress::Phase::reading, done, total});
  }
  return {};
}

void collect(store::Batch batch, ScanResult& result) {
  for (feed::Change& change : batch.changes) {
    if (change.kind == feed::ChangeKind::order_put) {
      result.superseded += change.put.documents.size() - 1;
      result.orders.push_back(std::move(change.put));
    } else if (change.kind == feed::ChangeKind::rejection_put) {
      result.rejections.push_back(std::move(change.rejection_put.rejection));
    }
  }
  std::ranges::sort(result.orders, [](const feed::OrderPut& a, const feed::OrderPut& b) { return a.order->number < b.order->number; });
  std::ranges::sort(result.rejections, [](const feed::Rejection& a, const feed::Rejection& b) {
    return std::tie(a.path, a.place, a.reason) < std::tie(b.path, b.place, b.reason);
  });
}

}  // namespace

Result<ScanResult> scan_once(ScanOptions options, const Clock& clock, const std::atomic<bool>& stop,
                             const std::function<void(const ScanProgress&)>& progress) {
  ScanResult result;
  const auto started = Stopwatch::now();
  const auto listing = list_folder(options.root, options.listing, stop, [&](std::uint64_t files) {
    if (progress) progress({ScanProgress::Phase::listing, files, 0});
  });
  if (!listing) return pass_on(listing);
  const auto listed = Stopwatch::now();
  BoundedQueue<ParseAnswer> answers(in_flight_max + 8);
  auto pool = ParserPool::start(options.parsers, [&](std::vector<ParseAnswer> together) {
    for (ParseAnswer& answer : together) answers.push(std::move(answer));
  });
  if (!pool) return pass_on(pool);
  // Nothing is decided before everything was read, so no content is ever asked for again.
  OrderBook book(options.parsers.profile, [](const std::string&, const std::string& path, std::uint32_t) -> Result<std::shared_ptr<const SalesOrder>> {
    return fail(ErrorCode::internal, "the content of " + printable(path) + " was not kept");
  });
  for (const FolderFault& fault : listing->faults) book.fault(source_name, fault, clock.now());
  const auto read = read_all({book, options, *listing, clock, result}, **pool, answers, stop, progress);
  answers.close();
  (*pool)->stop();
  if (!read) return pass_on(read);
  const auto parsed = Stopwatch::now();
  auto batch = book.finish(source_name);
  if (!batch) return pass_on(batch);
  collect(std::move(*batch), result);
  result.files = listing->files.size();
  result.directories = listing->directories;
  result.ignored = book.counts(source_name).ignored;
  result.skipped = std::accumulate(std::begin(listing->skipped), std::end(listing->skipped), std::uint64_t{0});
  result.listing_took = duration_cast<milliseconds>(listed - started);
  result.reading_took = duration_cast<milliseconds>(parsed - listed);
  result.deciding_took = duration_cast<milliseconds>(Stopwatch::now() - parsed);
  return result;
}

}  // namespace millrace::ingest
