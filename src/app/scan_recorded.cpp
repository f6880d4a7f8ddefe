#include "app/scan_recorded.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>

#include "app/console.h"
#include "app/road.h"
#include "app/scan_report.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr auto look_pause = 100ms;  // between two looks at the progress and at `stop`

// Something happened on the road: a source has news, or changes were published.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    heard_.notify_all();
  }
  void wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    heard_.wait_for(lock, patience, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable heard_;
  bool rung_ = false;  // guarded by mutex_
};

// The state of the one source once its first look ended; nothing while it is still under way.
Result<std::optional<ingest::SourceStatus>> first_look(const Road& road) {
  ingest::SourceStatus source = road.sources().front();
  if (source.refresh_count > 0) return source;
  if (source.state == ingest::SourceState::held || source.state == ingest::SourceState::failed)
    return fail(ErrorCode::unavailable, source.message);
  return std::nullopt;
}

Result<ingest::SourceStatus> wait_for_first_look(const Road& road, Bell& bell, const std::atomic<bool>& stop,
                                                 const std::function<void(const ingest::ScanProgress&)>& progress) {
  using Phase = ingest::ScanProgress::Phase;
  for (;;) {
    auto ended = first_look(road);
    if (!ended) return pass_on(ended);
    if (*ended) return std::move(**ended);
    if (stop) return fail(ErrorCode::cancelled, "the scan was stopped; what was read so far is kept");
    bell.wait(look_pause);
    const ingest::SourceStatus now = road.sources().front();
    if (progress) progress({now.progress_done > 0 ? Phase::reading : Phase::listing, now.progress_done, now.progress_total});
  }
}

Result<readmodel::SnapshotPtr> wait_for_last_change(Road& road, Bell& bell) {
  const auto last = road.record().last_sequence();
  if (!last) return pass_on(last);
  for (;;) {
    if (auto snapshot = road.snapshot(); snapshot->as_of() >= *last) return snapshot;
    if (road.broken()) return fail(ErrorCode::corrupt, "the read model could not follow the record; scan again");
    bell.wait(look_pause);
  }
}

struct CurrencySum {
  std::uint64_t orders = 0, lines = 0;
  std::int64_t net = 0, total = 0, open = 0;  // minor units
};

// Kept per status by the read model: nothing is computed again.
struct Sums {
  std::map<std::string, CurrencySum> by_currency;
  std::map<std::string, std::uint64_t> by_status;
  CurrencySum all;

  explicit Sums(const readmodel::Snapshot& snapshot) {
    for (const auto& block : snapshot.kept(readmodel::KeptGroup::status)) {
      if (block == nullptr) continue;
      for (const readmodel::KeptEntry& entry : block->entries) {
        add(by_currency[Currency::from_packed(entry.currency).code()], entry.sum);
        add(all, entry.sum);
        by_status[std::string(snapshot.words(readmodel::Vocabulary::status).text(entry.key))] += entry.sum.orders;
      }
    }
  }

  static void add(CurrencySum& to, const readmodel::Sum& sum) {
    to.orders += sum.orders, to.lines += sum.lines;
    to.net += sum.net, to.total += sum.total, to.open += sum.open_amount;
  }
};

void money_field(JsonWriter& json, std::string_view name, std::int64_t minor, std::string_view currency) {
  json.key(name).begin_object().field("minor", minor).field("currency", currency).end_object();
}

}  // namespace

std::uint64_t refused_count(const readmodel::Snapshot& snapshot) {
  return static_cast<std::uint64_t>(std::ranges::count_if(snapshot.rejections(), [](const auto& rejection) {
    return rejection->outcome == feed::Outcome::reject || rejection->outcome == feed::Outcome::keep_previous;
  }));
}

Result<RecordedScan> scan_recorded(const Settings& settings, const std::string& root, const Clock& clock,
                                   const std::atomic<bool>& stop,
                                   const std::function<void(const ingest::ScanProgress&)>& progress) {
  std::error_code error;
  std::filesystem::create_directories(settings.data, error);
  if (error) return fail(ErrorCode::unavailable, "cannot create the data folder " + settings.data + ": " + error.message());
  Settings scanned = settings;
  scanned.orders = {root};
  scanned.sources.clear();
  scanned.watch = ingest::WatchMode::poll;  // one look: nothing to listen for
  scanned.listen.clear();
  RecordedScan scan;
  Bell bell;
  const auto began = Stopwatch::now();
  auto road = Road::open(scanned, clock, {}, [&bell] { bell.ring(); });
  if (!road) return pass_on(road);
  const auto loaded = Stopwatch::now();
  scan.loading_took = duration_cast<microseconds>(loaded - began);
  (*road)->follow([&bell](const auto&, const auto&) { bell.ring(); });
  auto source = wait_for_first_look(**road, bell, stop, progress);
  if (!source) return pass_on(source);
  auto snapshot = wait_for_last_change(**road, bell);
  if (!snapshot) return pass_on(snapshot);
  scan.verifying_took = duration_cast<microseconds>(Stopwatch::now() - loaded);
  scan.source = std::move(*source);
  scan.snapshot = std::move(*snapshot);
  return scan;
}

ingest::ScanResult scan_result(const RecordedScan& scan) {
  ingest::ScanResult result;
  const readmodel::Snapshot& snapshot = *scan.snapshot;
  result.orders.reserve(snapshot.order_count());
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c)
    for (std::size_t row = 0; row < snapshot.chunk(c).used; ++row)
      if (snapshot.chunk(c).live[row]) result.orders.push_back(snapshot.order(static_cast<readmodel::RowId>(c * readmodel::chunk_rows + row)));
  for (const auto& rejection : snapshot.rejections()) result.rejections.push_back(*rejection);
  std::ranges::sort(result.rejections, [](const feed::Rejection& a, const feed::Rejection& b) {
    return std::tie(a.path, a.place, a.reason) < std::tie(b.path, b.place, b.reason);
  });
  return result;
}

std::string recorded_scan_text(const std::string& root, const RecordedScan& scan) {
  const Sums sums(*scan.snapshot);
  const ingest::SourceStatus& source = scan.source;
  std::string text = printable(root) + "\n";
  text += "  orders      " + grouped(scan.snapshot->order_count()) + " with " + grouped(scan.snapshot->line_count()) + " lines\n";
  text += "  files       " + grouped(source.files) + ", " + grouped(source.files_read) + " opened, " +
          grouped(source.files_unchanged) + " proven unchanged\n";
  text += "  not counted " + grouped(refused_count(*scan.snapshot)) + " rejected, " + grouped(source.ignored) + " not orders\n\n";
  Table table({{"currency"}, {"orders", true}, {"lines", true}, {"net", true}, {"total", true}, {"open", true}});
  for (const auto& [code, sum] : sums.by_currency) {
    std::vector<std::string> cells = {code, grouped(sum.orders), grouped(sum.lines)};
    for (const std::int64_t minor : {sum.net, sum.total, sum.open}) cells.push_back(grouped(Money{minor, *Currency::parse(code)}));
    table.row(std::move(cells));
  }
  text += table.text() + "\n";
  Table statuses({{"status"}, {"orders", true}});
  for (const auto& [status, count] : sums.by_status) statuses.row({printable(status), grouped(count)});
  text += statuses.text();
  text += "\nloaded in " + duration_text(duration_cast<std::chrono::milliseconds>(scan.loading_took)) + ", verified in " +
          duration_text(duration_cast<std::chrono::milliseconds>(scan.verifying_took)) + "\n";
  return text;
}

std::string recorded_scan_json(const std::string& root, const RecordedScan& scan) {
  const Sums sums(*scan.snapshot);
  const ingest::SourceStatus& source = scan.source;
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("root", root).field("as_of", scan.snapshot->as_of().value);
  json.field("orders", scan.snapshot->order_count()).field("lines", scan.snapshot->line_count());
  json.field("net", sums.all.net).field("open", sums.all.open);
  json.field("files", source.files).field("files_read", source.files_read).field("files_unchanged", source.files_unchanged);
  json.field("bytes", source.bytes_read).field("ignored", source.ignored).field("rejected", refused_count(*scan.snapshot));
  json.key("totals").begin_array();
  for (const auto& [code, sum] : sums.by_currency) {
    json.begin_object().field("currency", code).field("orders", sum.orders).field("lines", sum.lines);
    money_field(json, "net", sum.net, code);
    money_field(json, "total", sum.total, code);
    money_field(json, "open", sum.open, code);
    json.end_object();
  }
  json.end_array().key("statuses").begin_array();
  for (const auto& [status, count] : sums.by_status)
    json.begin_object().field("status", status).field("orders", count).end_object();
  json.end_array().key("took_us").begin_object();
  json.field("loading", std::int64_t{scan.loading_took.count()}).field("verifying", std::int64_t{scan.verifying_took.count()});
  json.end_object().end_object();
  return text + "\n";
}

}  // namespace millrace::app
