// Orders that others push to us, as a source: takes waiting batches one after the other and brings them to the intake.
//
//   push() ─> kept row "waiting" ─> step(): parse (sandboxed) ─> hold against the book ─> guard ─> commit with the receipt
//
// Invariants
//   * Finance documents of the streams in finance_batch.h are kept rows (finance_writer.h) and changes in the same commit.
//   * An order is the document "<Status>/<number>" of this source; equal content writes nothing but the receipt.
//   * Batches are taken in the order they came; one that is held keeps those behind it waiting.
//   * A row that was refused stands in the list of rejections as a document of its own, "/orders/7" for order 7, until the
//     order comes right; without a number as "/orders/?/<hash>", until a snapshot or `receipt_life` later.
//   * A snapshot removes only when it was read whole, holds as many orders as it declares, and within the guard.
//   * Bounds: `waiting_max` batches of `waiting_bytes_max` together wait; receipts live `receipt_life`, at most `receipts_max`.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ingest/finance_writer.h"
#include "ingest/intake.h"
#include "ingest/parser_pool.h"
#include "ingest/push.h"
#include "ingest/source.h"
#include "metrics/metrics.h"

namespace millrace::ingest {

struct PushRows;

struct PushSourceOptions {
  std::string id;
  std::string token;              // "" asks for none
  double gone_share_max = 0.02;   // of the orders held; more is held until a person decides
  std::uint64_t gone_always = 20; // fewer are never held
  ParserPoolOptions parsers;
  std::uint64_t body_max = 16ull << 20;
  std::size_t waiting_max = 64;
  std::uint64_t waiting_bytes_max = 64ull << 20;
  std::chrono::hours receipt_life{24 * 7};
  std::size_t receipts_max = 10'000;
  std::size_t nameless_max = 1'000;  // refused rows without an order number that are listed; the oldest leave first
  std::chrono::milliseconds retry_pause{1'000};  // while the record refuses or no parser starts
  std::function<void()> news;                    // from any thread
};

// "In Production", "SO/7" -> "In Production/SO%2F7"; and back the part behind the status.
std::string push_path(std::string_view status, std::string_view number);
// What a pushed order is filed under: its own word, else what its document status says.
std::string push_status(const SalesOrder& order);

class PushSource final : public Source {
 public:
  // Reads which batches wait and which receipts there are. Errors: those of the record
  static Result<std::unique_ptr<PushSource>> open(PushSourceOptions options, Intake& intake, store::Record& record, metrics::Registry& metrics,
                                                  const Clock& clock);
  ~PushSource() override;

  // ---- the door, from any thread
  Result<BatchReceipt> push(PushedBatch batch, std::string_view token);
  Result<BatchReceipt> receipt(std::string_view stream, std::string_view id, std::string_view token);

  bool step(std::chrono::milliseconds patience) override;
  SourceStatus status() const override;
  std::optional<Stopwatch::time_point> hangs_since() const override { return std::nullopt; }
  void tell_news() const override;
  void request_refresh(bool reread_everything) override;
  void request_pause() override;
  void request_resume() override;
  void request_interval(std::chrono::seconds) override {}            // the sender sets the pace
  void request_accept() override;
  void request_reject() override;
  void request_replay(const std::string&) override {}                // only the sender has the rows
  void request_keys(std::string_view, std::vector<std::string>) override {}
  void request_stop() override;

 private:
  struct Work;
  struct Waiting {
    std::string id;
    std::uint64_t bytes = 0;
    Instant received;
  };
  enum class Decision : std::uint8_t { none, accept, reject };

  PushSource(PushSourceOptions options, Intake& intake, store::Record& record, metrics::Registry& metrics, const Clock& clock);
  Result<void> restore();
  Result<void> check(const PushedBatch& batch, std::string_view token) const;
  Result<std::optional<BatchReceipt>> find(const std::string& id);
  void on_answers(std::vector<ParseAnswer> answers);

  bool begin_next();
  void begin_reading();
  void submit(std::string_view text, std::uint64_t row);
  bool take_answers();
  void take_document(ParsedDocument document, std::uint64_t row);
  void end_reading();
  void bring();
  std::vector<std::string> absent_in(const OrderBook& book, const PushRows& rows, std::uint64_t& known) const;
  bool is_held(const std::vector<std::string>& gone, std::uint64_t known);
  void bring_finance();
  void hold();
  void read_again(std::string why);
  void finish_receipt(std::uint64_t taken);
  Result<FinanceWriter::Wishes> finance_wishes();
  void bring_order(OrderBook& book, PushRows& rows, std::size_t at, Instant now);
  void list_refused(OrderBook& book, const PushRows& rows, Instant now);
  void forget_refused(OrderBook& book, const PushRows& rows, bool all);
  void forget_nameless(OrderBook& book, Instant oldest);
  void count(const BatchReceipt& receipt, std::chrono::milliseconds took);
  void fail_batch(std::string message);
  void commit(Intake::Kept kept);
  void commit_again();
  void finish();
  void wait_for_retry(std::string why);
  Intake::Kept receipt_rows();
  void show_progress();
  std::string kept_space() const { return "push/" + options_.id; }
  std::string waiting_space() const { return "push/" + options_.id + "/waiting"; }

  // fixed after construction
  const PushSourceOptions options_;
  Intake& intake_;
  store::Record& record_;
  metrics::Registry& metrics_;
  const Clock& clock_;

  std::mutex push_mutex_;  // one batch becomes durable at a time, so that a key is never taken twice

  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  Instant last_received_{};
  std::vector<ParseAnswer> answers_;
  bool paused_ = false, asked_ = false;
  Decision decision_ = Decision::none;
  std::optional<BatchReceipt> running_;  // as it stands now
  SourceStatus published_;

  // used by the stepping thread only
  std::unique_ptr<Work> work_;
  std::set<std::string> statuses_;                     // under which orders of ours are filed
  std::multimap<Instant, std::string> receipts_;       // by when they were finished
  std::multimap<Instant, std::string> nameless_;       // listed rows without a number: paths, by when they were last refused
  Stopwatch::time_point retry_at_{};
  std::uint64_t next_job_ = 1;
  FinanceWriter finance_;
  std::unique_ptr<ParserPool> pool_;                   // its threads answer to us: goes first
};

}  // namespace millrace::ingest
