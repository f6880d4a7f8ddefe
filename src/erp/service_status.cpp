// What an ERP source says of itself.
#include <algorithm>

#include "erp/internal/service_loop.h"

namespace millrace::erp {
using namespace std::chrono_literals;

namespace {

constexpr auto hang_patience = 60s;  // one question, its retries and waits included

}  // namespace

ingest::SourceStatus ServiceLoop::status() const {
  ingest::SourceStatus status;
  {
    const std::lock_guard lock(mutex_);
    status = published_;
  }
  if (stop_) status.state = ingest::SourceState::stopped;
  status.hangs_since.reset();
  if (const auto since = hangs_since())
    status.hangs_since = clock_.now() - std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - *since);
  return status;
}

std::optional<Stopwatch::time_point> ServiceLoop::hangs_since() const {
  const auto asking = asking_.load();
  if (asking == 0) return std::nullopt;
  const Stopwatch::time_point since{Stopwatch::duration(asking)};
  if (Stopwatch::now() - since < hang_patience) return std::nullopt;
  return since;
}

void ServiceLoop::tell_news() const {
  if (options_.news) options_.news();
}

void ServiceLoop::count_stream(const StreamSync& sync) {
  const ingest::SyncRun* run = sync.last_run();
  if (run == nullptr) return;
  wrote_ |= run->rows_written + run->rows_gone > 0;
  const std::string_view stream = word(sync.stream().name);
  metrics_.counter("millrace_erp_rows_read_total", options_.id, stream).add(run->rows_read);
  metrics_.counter("millrace_erp_rows_written_total", options_.id, stream).add(run->rows_written + run->rows_gone);
  metrics_.counter("millrace_erp_syncs_total", run->outcome, stream).add();
  metrics_.timing("millrace_erp_sync_seconds", options_.id, stream).record(run->took);
  if (sync.stream().name != StreamName::orders) return;
  if (const auto as_of = sync.as_of())
    metrics_.gauge("millrace_source_age_seconds", options_.id).set(std::chrono::floor<std::chrono::seconds>(clock_.now() - *as_of).count());
  if (const auto proven = sync.verified_as_of())
    metrics_.gauge("millrace_erp_verified_age_seconds", options_.id).set(std::chrono::floor<std::chrono::seconds>(clock_.now() - *proven).count());
}

std::string ServiceLoop::message() const {
  if (!blocked_.empty()) return "what the ERP answered waits to be stored: " + blocked_;
  for (const auto& sync : streams_)
    if (const auto* held = sync->held()) return failure_.empty() || syncing_ ? held->why : held->why + ". Besides: " + failure_;
  return failure_;
}

void ServiceLoop::publish_status() {
  using State = ingest::SourceState;
  const auto counts = intake_.with_book([&](ingest::OrderBook& book) { return book.counts(options_.id); });
  now_.orders = counts.orders;
  now_.rejections = counts.rejections;
  now_.ignored = counts.ignored;
  now_.message = message();
  now_.needs_person = needs_person_;
  now_.refresh_interval = pace_.interval();
  now_.poll_interval = now_.delay_max = pace_.interval();
  now_.delay_why = pace_.interval() > pace_.base() ? "the ERP answers slowly, so it is asked less often than every " + std::to_string(pace_.base().count()) + " s"
                                                   : "the ERP is asked every " + std::to_string(pace_.interval().count()) + " s";
  const bool held = std::ranges::any_of(streams_, [](const auto& sync) { return sync->held() != nullptr; });
  now_.state = paused_ ? State::paused
               : held  ? State::held
               : syncing_ ? State::scanning
               : !failure_.empty() || !blocked_.empty() ? State::failed
               : now_.refresh_count == 0 ? State::starting
                                         : State::polling;
  const auto until_due = std::chrono::duration_cast<std::chrono::milliseconds>(due_ - peer_.pace->now());
  now_.refresh_next = paused_ || syncing_ ? std::nullopt : std::optional(clock_.now() + std::max(until_due, 0ms));
  now_.progress_done = now_.progress_total = now_.pending = 0;
  ingest::ServiceStatus service;
  fill_service(service);
  for (const ingest::StreamStatus& stream : service.streams) {
    now_.progress_done += stream.progress_done;
    now_.progress_total += stream.progress_total;
  }
  if (const StreamSync* orders = find(StreamName::orders)) {
    now_.as_of_time = orders->as_of();
    now_.files = orders->ledger().rows();
    if (const auto* run = orders->last_run()) {
      now_.files_read = run->documents_read;
      now_.files_unchanged = run->rows_read - std::min(run->rows_read, run->documents_read);
    }
  }
  now_.service = std::move(service);
  bool news = false;
  {
    const std::lock_guard lock(mutex_);
    news = published_.state != now_.state || published_.refresh_count != now_.refresh_count;
    published_ = now_;
  }
  if (news) tell_news();
}

void ServiceLoop::fill_service(ingest::ServiceStatus& service) const {
  service.dialect = word(options_.dialect);
  service.address = options_.connect.url;
  service.company = options_.connect.company;
  service.insecure = options_.http.tls.insecure;
  for (const auto& sync : streams_) {
    service.streams.push_back(sync->status());
    if (const auto* held = sync->held()) service.held.push_back(*held);
  }
  const outbound::CallerStatus calls = peer_.remote->calls();
  for (std::size_t kind = 0; kind < outbound::call_kind_count; ++kind) {
    const outbound::CallCount& count = calls.counts.of[kind];
    if (count.calls == 0) continue;
    service.calls.push_back({std::string(word(static_cast<outbound::CallKind>(kind))), count.calls, count.retries, count.failed, count.bytes, count.time});
  }
  service.breaker = word(calls.breaker);
  service.breaker_until = calls.breaker_until;
  service.calls_this_hour = calls.calls_this_hour;
  service.calls_per_hour = calls.calls_per_hour;
  if (connected_)
    for (Remote::Capability& capability : peer_.remote->capabilities())
      service.capabilities.push_back({std::move(capability.name), std::move(capability.value)});
}

}  // namespace millrace::erp
