#include "ingest/push_source.h"

#include <algorithm>
#include <random>

#include "base/log.h"
#include "base/text.h"
#include "ingest/finance_batch.h"
#include "ingest/internal/memory_file.h"
#include "ingest/internal/push_work.h"
#include "ingest/parser_pool_on_demand.h"

namespace millrace::ingest {
namespace {

constexpr std::string_view stream_orders = "orders";
constexpr std::size_t key_bytes_max = 256;

std::string random_id() {
  std::random_device random;
  std::string seed;
  for (int i = 0; i < 4; ++i) seed += std::to_string(random()) + ".";
  return hex(content_hash(seed));
}

// What makes two pushes the same one.
ContentHash content_of(const PushedBatch& batch) {
  ContentHasher hasher;
  hasher.add(batch.stream);
  hasher.add(word(batch.mode));
  hasher.add(word(batch.format));
  hasher.add(batch.rows ? "rows=" + std::to_string(*batch.rows) + "\n" : "\n");
  hasher.add(batch.body);
  return hasher.hash();
}

}  // namespace

std::string push_path(std::string_view status, std::string_view number) {
  std::string path;
  for (const std::string_view part : {status, number}) {
    if (!path.empty()) path += '/';
    for (const char c : part) {
      if (c == '/') path += "%2F";
      else if (c == '%') path += "%25";
      else path += c;
    }
  }
  return path;
}

std::string push_status(const SalesOrder& order) {
  for (const auto& [name, value] : order.extra) {
    const std::string text(trim(value));
    if (equal_ignoring_case(name, "status") && !text.empty() && text.size() <= 60 && is_valid_utf8(text)) return printable(text);
  }
  if (order.cancelled) return "Cancelled";
  return order.document_status == DocumentStatus::closed ? "Closed" : "Open";
}

PushSource::PushSource(PushSourceOptions options, Intake& intake, store::Record& record, metrics::Registry& metrics, const Clock& clock)
    : options_(std::move(options)), intake_(intake), record_(record), metrics_(metrics), clock_(clock), finance_(record) {
  ParserPoolOptions parsers = options_.parsers;
  parsers.worker_count = 1;
  parsers.hash_method = HashMethod::xxh3_128;
  pool_ = std::make_unique<ParserPoolOnDemand>(std::move(parsers), [this](std::vector<ParseAnswer> answers) { on_answers(std::move(answers)); });
  published_.id = options_.id;
  published_.kind = "push";
  published_.root = "/api/v1/ingest/" + options_.id + "/" + std::string(stream_orders);
  published_.state = SourceState::live;
  published_.refresh_count = 1;  // what the record says is all there is to look at
  ServiceStatus& service = published_.service.emplace();
  service.dialect = "push";
  service.breaker = "closed";
  StreamStatus& orders = service.streams.emplace_back();
  orders.name = stream_orders;
  orders.phase = "following";
}

PushSource::~PushSource() { pool_->stop(); }

Result<std::unique_ptr<PushSource>> PushSource::open(PushSourceOptions options, Intake& intake, store::Record& record, metrics::Registry& metrics,
                                                     const Clock& clock) {
  std::unique_ptr<PushSource> source(new PushSource(std::move(options), intake, record, metrics, clock));
  if (const auto restored = source->restore(); !restored) return pass_on(restored);
  return source;
}

Result<void> PushSource::restore() {
  Result<void> readable;
  const auto waiting = record_.kept(waiting_space(), [&](store::KeptRow row) {
    const auto batch = decode_waiting_batch(row.content);
    if (!batch) readable = pass_on(batch);
    else waiting_.push_back({row.key, batch->batch.body.size(), batch->receipt.received});
    return readable.has_value();
  });
  if (!waiting) return pass_on(waiting);
  const auto receipts = record_.kept(kept_space(), [&](store::KeptRow row) {
    const auto receipt = decode_batch_receipt(row.content);
    if (!receipt) readable = pass_on(receipt);
    else receipts_.emplace(receipt->finished.value_or(receipt->received), row.key);
    return readable.has_value();
  });
  if (!receipts) return pass_on(receipts);
  if (!readable) return readable;
  std::ranges::sort(waiting_, {}, &Waiting::received);
  for (const Waiting& batch : waiting_) {
    waiting_bytes_ += batch.bytes;
    last_received_ = batch.received;
  }
  if (!receipts_.empty()) {
    published_.as_of_time = receipts_.rbegin()->first;
    last_received_ = std::max(last_received_, receipts_.rbegin()->first);
  }
  published_.pending = waiting_.size();
  intake_.with_book([&](OrderBook& book) {
    book.each_stamp(options_.id, [&](std::string_view path, const FileStamp& stamp) {
      if (!is_refusal(path)) statuses_.emplace(path.substr(0, path.find('/')));
      else if (is_nameless(path)) nameless_.emplace(std::chrono::floor<std::chrono::milliseconds>(std::chrono::sys_time(std::chrono::nanoseconds(stamp.mtime_ns))), path);
    });
    published_.orders = book.counts(options_.id).orders;
    published_.rejections = book.counts(options_.id).rejections;
  });
  published_.service->streams[0].rows = published_.orders;
  return {};
}

// ---- the door

Result<void> PushSource::check(const PushedBatch& batch, std::string_view token) const {
  if (!options_.token.empty() && !same_secret(options_.token, token))
    return fail(ErrorCode::denied, "The source " + options_.id + " takes batches with its bearer token only; send Authorization: Bearer <token>.");
  if (batch.stream != stream_orders && !finance_kind_of_stream(batch.stream))
    return fail(ErrorCode::not_found, "The source " + options_.id + " has no stream \"" + printable(batch.stream) + "\"; there are: orders, " + finance_streams_text() + ".");
  if (batch.body.empty()) return fail(ErrorCode::invalid_input, "The batch is empty; send at least one row.");
  if (batch.body.size() > options_.body_max)
    return fail(ErrorCode::invalid_input, "The batch is larger than " + std::to_string(options_.body_max >> 20) + " MiB; send it in parts.");
  if (batch.mode == PushMode::snapshot && !batch.rows)
    return fail(ErrorCode::invalid_input, "A snapshot says how many rows it holds, because it removes the others; add rows=N.");
  if (batch.idempotency_key.size() > key_bytes_max)
    return fail(ErrorCode::invalid_input, "The Idempotency-Key is longer than 256 bytes.");
  const std::string name = batch.format == PushFormat::csv ? "batch.csv" : "batch.json";
  const Format found = sniff(batch.body, name);
  if (found != (batch.format == PushFormat::csv ? Format::csv : Format::json))
    return fail(ErrorCode::invalid_input, "The body is not " + std::string(batch.format == PushFormat::csv ? "a CSV table" : "JSON") +
                                              " although Content-Type says so.");
  return {};
}

// Waiting first: a batch that is finished in between is found by its receipt.
Result<std::optional<BatchReceipt>> PushSource::find(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (running_ && running_->id == id && !running_->is_final()) return running_;
  }
  auto waiting = record_.kept_one(waiting_space(), id);
  if (!waiting) return pass_on(waiting);
  if (*waiting) {
    auto batch = decode_waiting_batch(**waiting);
    if (!batch) return pass_on(batch);
    return std::optional(std::move(batch->receipt));
  }
  auto kept = record_.kept_one(kept_space(), id);
  if (!kept) return pass_on(kept);
  if (!*kept) return std::optional<BatchReceipt>();
  auto receipt = decode_batch_receipt(**kept);
  if (!receipt) return pass_on(receipt);
  return std::optional(std::move(*receipt));
}

Result<BatchReceipt> PushSource::push(PushedBatch batch, std::string_view token) {
  if (const auto right = check(batch, token); !right) return pass_on(right);
  const std::lock_guard one_at_a_time(push_mutex_);
  BatchReceipt receipt;
  receipt.content = content_of(batch);
  if (batch.idempotency_key.empty()) {
    receipt.id = random_id();
  } else {
    receipt.id = hex(content_hash(batch.stream + "\n" + batch.idempotency_key));
    auto before = find(receipt.id);
    if (!before) return pass_on(before);
    if (*before) {
      if ((*before)->content != receipt.content)
        return fail(ErrorCode::conflict, "This Idempotency-Key was used for another batch; use a new key for new content.");
      (*before)->replayed = true;
      return std::move(**before);
    }
  }
  receipt.source = options_.id;
  receipt.stream = batch.stream;
  receipt.mode = batch.mode;
  receipt.format = batch.format;
  receipt.bytes = batch.body.size();
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.waiting_max || waiting_bytes_ + batch.body.size() > options_.waiting_bytes_max)
      return fail(ErrorCode::limit_reached, std::to_string(waiting_.size()) + " batches of " + options_.id +
                                                " wait already" + (running_ && running_->state == BatchReceipt::State::held ? " behind one that a person must decide" : "") +
                                                "; send it again later.");
    receipt.received = std::max(clock_.now(), last_received_ + std::chrono::milliseconds(1));
    last_received_ = receipt.received;
  }
  store::Batch durable;
  durable.source = options_.id;
  durable.kept_put.push_back({waiting_space(), receipt.id, encode(batch, receipt)});
  if (const auto committed = record_.commit(std::move(durable)); !committed) return pass_on(committed);
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({receipt.id, receipt.bytes, receipt.received});
    waiting_bytes_ += receipt.bytes;
    published_.pending = waiting_.size();
  }
  wake_.notify_all();
  return receipt;
}

Result<BatchReceipt> PushSource::receipt(std::string_view stream, std::string_view id, std::string_view token) {
  if (!options_.token.empty() && !same_secret(options_.token, token))
    return fail(ErrorCode::denied, "The source " + options_.id + " shows its batches with its bearer token only.");
  auto found = find(std::string(id));
  if (!found) return pass_on(found);
  if (!*found || (*found)->stream != stream)
    return fail(ErrorCode::not_found, "There is no batch \"" + printable(id.substr(0, 64)) + "\" of " + options_.id + " (any more).");
  return std::move(**found);
}

// ---- requests

void PushSource::tell_news() const {
  if (options_.news) options_.news();
}
SourceStatus PushSource::status() const {
  const std::lock_guard lock(mutex_);
  return published_;
}
void PushSource::request_refresh(bool) {
  const std::lock_guard lock(mutex_);
  asked_ = true;
  wake_.notify_all();
}
void PushSource::request_pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
  published_.state = SourceState::paused;
}
void PushSource::request_resume() {
  const std::lock_guard lock(mutex_);
  paused_ = false;
  published_.state = published_.service->held.empty() ? SourceState::live : SourceState::held;
  wake_.notify_all();
}
void PushSource::request_accept() {
  const std::lock_guard lock(mutex_);
  if (!published_.service->held.empty()) decision_ = Decision::accept;
  wake_.notify_all();
}
void PushSource::request_reject() {
  const std::lock_guard lock(mutex_);
  if (!published_.service->held.empty()) decision_ = Decision::reject;
  wake_.notify_all();
}
void PushSource::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
}

// ---- the loop

bool PushSource::step(std::chrono::milliseconds patience) {
  Decision decision = Decision::none;
  {
    std::unique_lock lock(mutex_);
    const auto something = [&] {
      if (stop_ || asked_ || decision_ != Decision::none || !answers_.empty()) return true;
      if (work_ != nullptr) return false;
      return !paused_ && !waiting_.empty() && Stopwatch::now() >= retry_at_;
    };
    const auto until = Stopwatch::now() + patience;
    const bool retry_soon = retry_at_ > Stopwatch::now() && (work_ != nullptr || !waiting_.empty());
    wake_.wait_until(lock, retry_soon ? std::min(until, retry_at_) : until, something);
    if (stop_) return false;
    decision = std::exchange(decision_, Decision::none);
    if (std::exchange(asked_, false)) retry_at_ = {};
    if (paused_ && work_ == nullptr) return false;
  }
  if (Stopwatch::now() < retry_at_) return false;
  if (work_ == nullptr) return begin_next();
  switch (work_->phase) {
    case Work::Phase::reading:
      return take_answers();
    case Work::Phase::held:
      if (decision == Decision::none) return false;
      work_->guard = false;
      if (decision == Decision::accept) work_->is_finance ? bring_finance() : bring();
      else fail_batch("A person rejected this snapshot: " + work_->held->why);
      return true;
    case Work::Phase::committing:
      commit_again();
      return true;
  }
  return false;
}

bool PushSource::begin_next() {
  std::string id;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return false;
    id = waiting_.front().id;
  }
  auto content = record_.kept_one(waiting_space(), id);
  auto batch = !content ? Result<WaitingBatch>(pass_on(content))
               : !*content ? Result<WaitingBatch>(fail(ErrorCode::corrupt, "the pushed batch " + id + " is not in the record any more; restore the last backup"))
                           : decode_waiting_batch(**content);
  if (!batch) {
    wait_for_retry(batch.error().text());
    return false;
  }
  work_ = std::make_unique<Work>();
  work_->waiting = std::move(*batch);
  work_->waiting.receipt.state = BatchReceipt::State::reading;
  work_->is_finance = finance_kind_of_stream(work_->waiting.batch.stream).has_value();
  show_progress();
  begin_reading();
  return true;
}

void PushSource::begin_reading() {
  const PushedBatch& batch = work_->waiting.batch;
  if (batch.format != PushFormat::lines) return submit(batch.body, 0);
  submit(lines_as_array(batch.body), 0);
}

// One document for a parser; `row` is where it stands in the body, 0: all of it.
void PushSource::submit(std::string_view text, std::uint64_t row) {
  if (stop_) return;
  auto file = memory_file(text);
  if (!file) {
    work_->no_parser = true;
    return;
  }
  const std::uint64_t id = next_job_++;
  work_->open[id] = row;
  ParseJob job;
  job.id = id;
  job.file = std::move(*file);
  const PushedBatch& batch = work_->waiting.batch;
  const bool csv = batch.format == PushFormat::csv;
  job.name = work_->is_finance ? finance_batch_name(batch.stream, csv) : csv ? "batch.csv" : "batch.json";
  if (!pool_->submit(std::move(job))) work_->no_parser = true;  // we stop
}

void PushSource::on_answers(std::vector<ParseAnswer> answers) {
  {
    const std::lock_guard lock(mutex_);
    answers_.insert(answers_.end(), std::make_move_iterator(answers.begin()), std::make_move_iterator(answers.end()));
  }
  wake_.notify_all();
}

bool PushSource::take_answers() {
  std::vector<ParseAnswer> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (ParseAnswer& answer : answers) {
    const auto open = work_->open.find(answer.id);
    if (open == work_->open.end()) continue;  // of an earlier try
    const std::uint64_t row = open->second;
    work_->open.erase(open);
    take_document(std::move(answer.document), row);
  }
  if (!work_->open.empty() || stop_) return !answers.empty();
  if (work_->no_parser) {
    read_again("no parser could be started, so pushed batches wait; see `millrace doctor`");
    return false;
  }
  if (!answers.empty()) end_reading();
  return !answers.empty();
}

void PushSource::take_document(ParsedDocument document, std::uint64_t row) {
  const bool held = std::ranges::any_of(document.findings, [](const Finding& finding) { return finding.outcome == feed::Outcome::held; });
  if (held) {
    work_->no_parser = true;
    return;
  }
  const bool is_lines = work_->waiting.batch.format == PushFormat::lines;
  if (is_lines && row == 0 && !work_->by_line && work_->rows.misses_some(document, line_count(work_->waiting.batch.body))) {
    work_->by_line = true;
    each_line(work_->waiting.batch.body, [&](std::string_view line, std::uint64_t number) { submit(line, number); });
    return;
  }
  work_->rows.take(std::move(document), row);
}

void PushSource::end_reading() {
  const PushedBatch& batch = work_->waiting.batch;
  PushRows& rows = work_->rows;
  rows.settle();
  if (rows.count() == 0)
    return fail_batch(rows.rejected == 0 ? "There is no row in this batch that says anything." : "No row of this batch could be read; the reasons are listed.");
  if (batch.rows && *batch.rows != rows.count() + rows.rejected)
    return fail_batch("The batch declares " + std::to_string(*batch.rows) + " rows and holds " + std::to_string(rows.count() + rows.rejected) +
                      ", so nothing of it was taken; send it again whole.");
  if (batch.mode == PushMode::snapshot && rows.rejected > 0)
    return fail_batch(std::to_string(rows.rejected) + " rows of this snapshot cannot be read, so what is absent cannot be told; nothing of it was taken.");
  work_->is_finance ? bring_finance() : bring();
}

}  // namespace millrace::ingest
