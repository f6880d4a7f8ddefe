// How a batch that was read enters the book: what differs, what a snapshot removes, what was refused, and its receipt.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "base/text.h"
#include "ingest/finance_batch.h"
#include "ingest/internal/push_work.h"
#include "ingest/push_source.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t examples_max = 50;
constexpr std::size_t runs_max = 24;
constexpr std::size_t pruned_max = 100;  // receipts that one commit removes

std::string share_text(double share) { return std::to_string(static_cast<int>(share * 100.0 + 0.5)) + " %"; }

std::int64_t stamp_of(Instant instant) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(instant.time_since_epoch()).count();
}

// Where a refused row stands in the list of rejections. Without an order's number it is known by what is wrong with it,
// so that the same row sent again is the same rejection.
std::string refusal_path(const std::string& stream, const RefusedRow& row) {
  if (!row.order.empty()) return refusals_of(stream) + push_path("", row.order);
  const std::string text = std::to_string(row.row) + "\n" + row.field + "\n" + row.reason + "\n" + row.value;
  return refusals_of(stream) + "?/" + hex(content_hash(text)).substr(0, 16);
}

Finding finding_of(const RefusedRow& row, bool of_order) {
  Finding finding;
  if (row.row != 0) finding.place = "row " + std::to_string(row.row);
  if (!row.field.empty()) finding.place += (finding.place.empty() ? "" : " ") + ("field " + row.field);
  finding.reason = row.reason;
  finding.value = row.value;
  if (of_order) finding.order_number = row.order;
  return finding;
}

}  // namespace

// Paths of the orders that a snapshot does not hold; `known` becomes how many there are now.
std::vector<std::string> PushSource::absent_in(const OrderBook& book, const PushRows& rows,
                                               std::uint64_t& known) const {
  std::unordered_set<std::string> present;
  for (const PushRows::Row& row : rows.orders) present.insert(push_path("", row.order.number.text));
  std::vector<std::string> gone;
  known = 0;
  book.each_stamp(options_.id, [&](std::string_view path, const FileStamp&) {
    if (is_refusal(path)) return;
    ++known;
    if (!present.contains(std::string(tail_of(path)))) gone.emplace_back(path);
  });
  return gone;
}

// More would go than may go without a person.
bool PushSource::is_held(const std::vector<std::string>& gone, std::uint64_t known) {
  const auto allowed = std::max<std::uint64_t>(
      options_.gone_always, static_cast<std::uint64_t>(options_.gone_share_max * static_cast<double>(known)));
  if (!work_->guard || gone.size() <= allowed) return false;
  HeldSync& held = work_->held.emplace();
  held.stream = work_->waiting.receipt.stream;
  held.since = clock_.now();
  held.rows_before = known;
  held.rows_gone = gone.size();
  held.why = "The snapshot of " + options_.id + " would remove " + std::to_string(gone.size()) + " of " +
             std::to_string(known) + " " + (work_->is_finance ? work_->waiting.receipt.stream : "orders") + ", more than " + std::to_string(allowed) + " (" +
             share_text(options_.gone_share_max) + ").";
  for (std::size_t i = 0; i < gone.size() && i < examples_max; ++i)
    held.examples.push_back({gone[i], std::string(tail_of(gone[i])), "", "gone"});
  return true;
}

void PushSource::bring_order(OrderBook& book, PushRows& rows, std::size_t at, Instant now) {
  PushRows::Row& row = rows.orders[at];
  BatchReceipt& receipt = work_->waiting.receipt;
  std::string path = push_path(row.status, row.order.number.text);
  const std::string tail(tail_of(path));
  const store::FileRecord* const known = book.known_file(options_.id, path);
  if (known != nullptr && known->hash == row.hash && known->state == store::FileRecord::State::counts) {
    ++receipt.unchanged;
    return;
  }
  ++receipt.accepted;
  for (const std::string& status : statuses_) {
    const std::string other = status + "/" + tail;
    if (other != path && book.known_file(options_.id, other) != nullptr) book.file_removed(options_.id, other);
  }
  statuses_.insert(path.substr(0, path.find('/')));
  ReadFile read{std::move(path), {row.bytes, stamp_of(receipt.received), 0}, row.hash, {}};
  read.document.format = row.format;
  read.document.is_order_document = true;
  read.document.orders.push_back(std::move(row.order));
  read.document.findings = std::move(row.flags);
  book.file_read(options_.id, std::move(read), now);
}

// The refused rows of this batch enter the list of rejections; those of one order together.
void PushSource::list_refused(OrderBook& book, const PushRows& rows, Instant now) {
  std::unordered_set<std::string_view> right;  // an earlier row of an order that came right further down
  for (const PushRows::Row& row : rows.orders) right.insert(row.order.number.text);
  for (const FinanceRow& row : rows.finance) right.insert(row.document.number);
  const std::string& stream = work_->waiting.receipt.stream;
  std::map<std::string, ReadFile> listed;
  for (const RefusedRow& row : rows.refused) {
    if (!row.order.empty() && right.contains(row.order)) continue;
    const std::string path = refusal_path(stream, row);
    ReadFile& read = listed[path];
    read.path = path;
    read.document.is_order_document = true;
    read.document.findings.push_back(finding_of(row, !work_->is_finance));
  }
  const Instant received = work_->waiting.receipt.received;
  for (auto& [path, read] : listed) {
    std::string content;
    for (const Finding& finding : read.document.findings)
      content += finding.place + "\n" + finding.reason + "\n" + finding.value + "\n";
    read.hash = content_hash(content);
    read.stamp = {content.size(), stamp_of(received), 0};
    if (is_nameless(path)) {
      std::erase_if(nameless_, [&](const auto& known) { return known.second == path; });
      nameless_.emplace(received, path);
    }
    const store::FileRecord* const known = book.known_file(options_.id, path);
    if (known != nullptr && known->hash == read.hash) {
      if (is_nameless(path)) book.file_touched(options_.id, path, read.stamp);  // it lives on from now
      continue;
    }
    book.file_read(options_.id, std::move(read), now);
  }
}

// What came right leaves the list; `all`: a snapshot was read whole, so nothing older counts.
void PushSource::forget_refused(OrderBook& book, const PushRows& rows, bool all) {
  std::vector<std::string> right;
  const std::string refusals = refusals_of(work_->waiting.receipt.stream);
  const auto came_right = [&](const std::string& number) {
    std::string path = refusals + push_path("", number);
    if (book.known_file(options_.id, path) != nullptr) right.push_back(std::move(path));
  };
  if (all) {
    book.each_stamp(options_.id, [&](std::string_view path, const FileStamp&) {
      if (path.starts_with(refusals)) right.emplace_back(path);
    });
    std::erase_if(nameless_, [&](const auto& known) { return known.second.starts_with(refusals); });
  } else {
    for (const PushRows::Row& row : rows.orders) came_right(row.order.number.text);
    for (const FinanceRow& row : rows.finance) came_right(row.document.number);
  }
  for (const std::string& path : right) book.file_removed(options_.id, path);
}

void PushSource::forget_nameless(OrderBook& book, Instant oldest) {
  while (!nameless_.empty() && (nameless_.begin()->first < oldest || nameless_.size() > options_.nameless_max)) {
    book.file_removed(options_.id, nameless_.begin()->second);
    nameless_.erase(nameless_.begin());
  }
}

// Holds the batch against the book, brings what differs, and commits it with its receipt.
void PushSource::bring() {
  BatchReceipt& receipt = work_->waiting.receipt;
  PushRows& rows = work_->rows;
  const bool snapshot = receipt.mode == PushMode::snapshot;
  const Instant now = clock_.now();
  work_->held.reset();
  intake_.with_book([&](OrderBook& book) {
    std::vector<std::string> gone;
    std::uint64_t known = 0;
    if (snapshot) gone = absent_in(book, rows, known);
    if (snapshot && is_held(gone, known)) return;
    forget_refused(book, rows, snapshot);
    list_refused(book, rows, now);
    forget_nameless(book, now - options_.receipt_life);
    receipt.accepted = receipt.unchanged = 0;
    for (std::size_t at = 0; at < rows.orders.size(); ++at) bring_order(book, rows, at, now);
    for (const std::string& path : gone) book.file_removed(options_.id, path);
    receipt.removed = gone.size();
  });
  if (work_->held) return hold();
  finish_receipt(rows.orders.size());
  commit(receipt_rows());
}

// What a batch of a finance stream wants, and what a snapshot of it does not hold.
Result<FinanceWriter::Wishes> PushSource::finance_wishes() {
  const BatchReceipt& receipt = work_->waiting.receipt;
  const FinanceKind kind = *finance_kind_of_stream(receipt.stream);
  FinanceWriter::Wishes wishes;
  std::unordered_set<std::string> present;
  for (FinanceRow& row : work_->rows.finance) {
    FinanceDocument document = row.document;  // the batch may wait for a person, or for the record
    document.source = options_.id;
    document.origin = receipt.stream;
    if (document.source_key.empty()) document.source_key = document.number;
    const std::string key = finance_key(document);
    if (row.removed) wishes.removed.push_back({kind, options_.id, key, "removed by " + options_.id});
    else present.insert(key), wishes.put.push_back(std::move(document));
  }
  if (receipt.mode != PushMode::snapshot) return wishes;
  std::vector<std::string> gone;
  std::uint64_t known = 0;
  const auto read = record_.kept(finance_space(options_.id, kind), [&](store::KeptRow row) {
    ++known;
    if (!present.contains(row.key)) gone.push_back(std::move(row.key));
    return true;
  });
  if (!read) return pass_on(read);
  if (is_held(gone, known)) return wishes;
  for (std::string& key : gone) wishes.removed.push_back({kind, options_.id, std::move(key), "not in the snapshot of " + options_.id});
  return wishes;
}

// The same for a stream of finance documents: their rows and changes go with the receipt.
void PushSource::bring_finance() {
  BatchReceipt& receipt = work_->waiting.receipt;
  PushRows& rows = work_->rows;
  work_->held.reset();
  auto wishes = finance_wishes();
  if (!wishes) return read_again(wishes.error().text());
  if (work_->held) return hold();
  const std::uint64_t count = rows.count();
  auto plan = finance_.plan(std::move(*wishes));
  if (!plan) return read_again(plan.error().text());
  const Instant now = clock_.now();
  intake_.with_book([&](OrderBook& book) {
    forget_refused(book, rows, receipt.mode == PushMode::snapshot);
    list_refused(book, rows, now);
    forget_nameless(book, now - options_.receipt_life);
  });
  receipt.accepted = plan->put;
  receipt.removed = plan->removed;
  receipt.unchanged = plan->unchanged;
  finish_receipt(count);
  Intake::Kept kept = receipt_rows();
  std::ranges::move(plan->kept_put, std::back_inserter(kept.put));
  std::ranges::move(plan->kept_removed, std::back_inserter(kept.removed));
  kept.changes = std::move(plan->changes);
  commit(std::move(kept));
}

// The batch stays in the record as it came, and is read again.
void PushSource::read_again(std::string why) {
  work_.reset();
  wait_for_retry(std::move(why));
}

void PushSource::hold() {
  work_->waiting.receipt.state = BatchReceipt::State::held;
  work_->waiting.receipt.message = work_->held->why;
  work_->phase = Work::Phase::held;
  show_progress();
  tell_news();
}

void PushSource::finish_receipt(std::uint64_t taken) {
  BatchReceipt& receipt = work_->waiting.receipt;
  PushRows& rows = work_->rows;
  receipt.state = BatchReceipt::State::done;
  receipt.message.clear();
  receipt.total = receipt.done = taken + rows.rejected;
  receipt.rejected = rows.rejected;
  receipt.refused = std::move(rows.refused);
}

void PushSource::fail_batch(std::string message) {
  BatchReceipt& receipt = work_->waiting.receipt;
  receipt.state = BatchReceipt::State::failed;
  receipt.message = std::move(message);
  const Instant now = clock_.now();
  intake_.with_book([&](OrderBook& book) {
    list_refused(book, work_->rows, now);
    forget_nameless(book, now - options_.receipt_life);
  });
  receipt.rejected = work_->rows.rejected;
  receipt.refused = std::move(work_->rows.refused);
  commit(receipt_rows());
}

// The final receipt in, the waiting batch and what is too old out.
Intake::Kept PushSource::receipt_rows() {
  BatchReceipt& receipt = work_->waiting.receipt;
  receipt.finished = std::max(clock_.now(), receipt.received);
  Intake::Kept kept;
  kept.put.push_back({kept_space(), receipt.id, encode(receipt)});
  kept.removed.push_back({waiting_space(), receipt.id});
  const Instant oldest = clock_.now() - options_.receipt_life;
  for (std::size_t i = 0; i < pruned_max && !receipts_.empty(); ++i) {
    if (receipts_.begin()->first >= oldest && receipts_.size() < options_.receipts_max) break;
    kept.removed.push_back({kept_space(), receipts_.begin()->second});
    receipts_.erase(receipts_.begin());
  }
  return kept;
}

void PushSource::commit(Intake::Kept kept) {
  work_->phase = Work::Phase::committing;
  if (const auto committed = intake_.commit(options_.id, std::move(kept)); !committed)
    return wait_for_retry(committed.error().text());
  finish();
}

// What was refused waits in the intake and goes first.
void PushSource::commit_again() {
  if (const auto committed = intake_.commit(options_.id); !committed) return wait_for_retry(committed.error().text());
  finish();
}

void PushSource::finish() {
  const BatchReceipt receipt = std::move(work_->waiting.receipt);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - work_->began);
  work_.reset();
  receipts_.emplace(*receipt.finished, receipt.id);
  const auto counts = intake_.with_book([&](OrderBook& book) { return book.counts(options_.id); });
  count(receipt, took);
  {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
    running_.reset();
    published_.state = paused_ ? SourceState::paused : SourceState::live;
    published_.message.clear();
    published_.service->held.clear();
    published_.as_of_time = receipt.finished;
    published_.refresh_started = receipt.received;
    published_.refresh_took = took;
    ++published_.refresh_count;
    if (receipt.accepted + receipt.removed > 0) ++published_.refresh_with_changes;
    published_.orders = counts.orders;
    published_.rejections = counts.rejections;
    published_.pending = waiting_.size();
    published_.progress_done = published_.progress_total = 0;
    StreamStatus& stream = published_.service->streams[0];
    stream.rows = counts.orders;
    if (receipt.state == BatchReceipt::State::done) stream.last_good = receipt.finished;
    SyncRun run{receipt.received,
                took,
                1,
                receipt.bytes,
                receipt.done,
                receipt.done,
                receipt.accepted,
                receipt.removed,
                receipt.state == BatchReceipt::State::done ? "good" : "failed",
                receipt.message};
    stream.runs.insert(stream.runs.begin(), std::move(run));
    if (stream.runs.size() > runs_max) stream.runs.pop_back();
  }
  log_info("batch_taken", {{"source", options_.id},
                           {"batch", receipt.id},
                           {"state", std::string(word(receipt.state))},
                           {"accepted", std::to_string(receipt.accepted)},
                           {"rejected", std::to_string(receipt.rejected)}});
  tell_news();
}

void PushSource::count(const BatchReceipt& receipt, std::chrono::milliseconds took) {
  metrics_.counter("millrace_push_batches_total", options_.id, word(receipt.state)).add();
  for (const auto& [outcome, rows] : {std::pair<std::string_view, std::uint64_t>{"accepted", receipt.accepted},
                                      {"unchanged", receipt.unchanged},
                                      {"removed", receipt.removed},
                                      {"rejected", receipt.rejected}})
    metrics_.counter("millrace_push_rows_total", options_.id, outcome).add(rows);
  metrics_.timing("millrace_push_seconds", options_.id).record(took);
}

void PushSource::wait_for_retry(std::string why) {
  retry_at_ = Stopwatch::now() + options_.retry_pause;
  const std::lock_guard lock(mutex_);
  if (published_.state != SourceState::paused) published_.state = SourceState::failed;
  published_.message = std::move(why);
}

void PushSource::show_progress() {
  const std::lock_guard lock(mutex_);
  running_ = work_->waiting.receipt;
  if (!paused_) published_.state = work_->held ? SourceState::held : SourceState::live;
  published_.message = work_->held ? work_->held->why : "";
  published_.service->held.clear();
  if (work_->held) published_.service->held.push_back(*work_->held);
}

}  // namespace millrace::ingest
