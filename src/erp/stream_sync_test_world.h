// An ERP of one stream and a record, both as sorted maps: what the sync is tried against without a network or a disk.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/hash.h"
#include "domain/order_rules.h"
#include "erp/stream_sync.h"

namespace millrace::erp::testing {

inline Key number_key(std::int64_t number) {
  Key key;
  key.number = number;
  return key;
}
// Texts that the ERP orders as numbers and we as texts: "9" before "10" there, after it here.
inline Key text_key(std::int64_t number) {
  Key key;
  key.is_number = false;
  key.text = std::to_string(number);
  return key;
}
inline std::int64_t number_of(const Key& key) { return key.is_number ? key.number : std::stoll(key.text); }

class TestClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  Instant now_{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::hours(8)};
};

inline StreamDescriptor orders_stream() {
  StreamDescriptor stream{};
  stream.name = StreamName::orders;
  stream.entity_set = "Orders";
  stream.key = "DocEntry";
  stream.version = Version::etag;
  stream.stamp = StampKind::day_and_time;
  stream.open_filter = "DocumentStatus eq 'bost_Open'";
  stream.page_of_documents = 20;
  stream.page_of_keys = 100;
  stream.keys_in_one_fetch = 5;
  return stream;
}

struct Doc {
  std::int64_t amount = 0;  // minor units
  bool open = true;
  std::uint64_t version = 0;
  RemoteStamp stamp;
  bool operator==(const Doc&) const = default;
};

// The company's system. Its clock is two hours ahead of ours and its rows are stamped by the second.
class Erp {
 public:
  explicit Erp(TestClock& of) : clock(of) {}
  TestClock& clock;
  std::map<std::int64_t, Doc> docs;

  RemoteStamp now() const {
    const auto local = std::chrono::floor<std::chrono::seconds>((clock.now() + std::chrono::hours(2)).time_since_epoch()).count();
    return {static_cast<std::int32_t>(local / 86'400), static_cast<std::int32_t>(local % 86'400)};
  }
  void put(std::int64_t key, std::int64_t amount, bool open = true, bool stamped = true) {
    Doc& doc = docs[key];
    doc.amount = amount;
    doc.open = open;
    doc.version = ++version_;
    if (stamped || doc.stamp == RemoteStamp{}) doc.stamp = now();
  }
  void touch(std::int64_t key) { put(key, docs[key].amount, docs[key].open); }
  void fill(int count) {
    for (int i = 1; i <= count; ++i) put(i, i * 100);
  }
  static std::string text(std::int64_t key, const Doc& doc) {
    return std::to_string(key) + " " + std::to_string(doc.amount) + (doc.open ? " open" : " closed");
  }

 private:
  std::uint64_t version_ = 0;
};

class ErpRemote final : public Remote {
 public:
  explicit ErpRemote(Erp& erp) : erp_(erp) {}

  bool etags = true;
  bool texts = false;
  std::uint64_t questions = 0;
  std::vector<PageQuestion> asked, ahead;
  int forgotten = 0;
  // Before a question is answered; an error instead of the answer, or a change of the answer afterwards.
  std::function<std::optional<RemoteError>(const PageQuestion&)> before = [](const auto&) { return std::nullopt; };
  std::function<void(const PageQuestion&, Page&)> after = [](const auto&, auto&) {};

  Dialect dialect() const override { return Dialect::sap_b1_v2; }
  Remotely<Page> ask(const StreamDescriptor&, const PageQuestion& question) override {
    ++questions;
    asked.push_back(question);
    if (auto error = before(question)) return *error;
    Page page = answer(question);
    after(question, page);
    return page;
  }
  std::vector<Capability> capabilities() const override { return {}; }
  std::optional<RemoteError> connect() override { return std::nullopt; }
  void log_out() override {}
  void ask_ahead(const StreamDescriptor&, const PageQuestion& question) override { ahead.push_back(question); }
  void forget_ahead() override { ++forgotten; }
  outbound::CallCount cost() const override { return {.calls = 1}; }
  outbound::CallerStatus calls() const override {
    outbound::CallerStatus status;
    status.counts.of[0].calls = questions;
    return status;
  }

 private:
  bool wanted(const PageQuestion& question, std::int64_t number, const Doc& doc) const {
    using Kind = PageQuestion::Kind;
    if (question.kind == Kind::fetch) return std::ranges::find(question.keys, key_for(number)) != question.keys.end();
    if (question.after_key && number <= number_of(*question.after_key)) return false;
    if (question.until_key && number_of(*question.until_key) < number) return false;
    if (question.kind == Kind::open) return doc.open;
    if (question.kind == Kind::changed) return doc.stamp >= *question.since;
    if (question.kind == Kind::moving) return doc.open || doc.stamp >= *question.since;
    if (question.documents_since) return doc.open || doc.stamp >= *question.documents_since;
    return true;
  }
  Key key_for(std::int64_t number) const { return texts ? text_key(number) : number_key(number); }
  Page answer(const PageQuestion& question) const {
    Page page;
    page.complete = true;
    page.server_time = erp_.clock.now();
    const bool whole = question.kind == PageQuestion::Kind::documents || question.kind == PageQuestion::Kind::fetch;
    std::size_t skip = question.skip;
    for (const auto& [number, doc] : erp_.docs) {
      if (!wanted(question, number, doc) || (skip > 0 && skip-- > 0)) continue;
      if (page.rows.size() == question.rows_max) {
        page.complete = false;
        break;
      }
      page.rows.push_back({key_for(number), etags ? "W/" + std::to_string(doc.version) : "", doc.stamp, doc.open,
                           whole ? Erp::text(number, doc) : ""});
    }
    if (question.kind == PageQuestion::Kind::fetch) std::ranges::sort(page.rows, {}, &RemoteRow::key);
    return page;
  }

  Erp& erp_;
};

// "7 1200 open": an order with one line of that amount.
inline Mapped map_text(const StreamDescriptor&, std::string_view text) {
  Mapped mapped;
  mapped.hash = content_hash(text);
  const std::size_t first = text.find(' '), second = text.find(' ', first + 1);
  mapped.open = text.substr(second + 1) == "open";
  mapped.status = mapped.open ? "Open" : "Closed";
  SalesOrder order;
  order.number.text = std::string(text.substr(0, first));
  order.currency = *Currency::parse("EUR");
  OrderLine line;
  line.quantity_ordered = line.quantity_open = {micros_per_one};
  line.line_total = std::stoll(std::string(text.substr(first + 1, second - first - 1)));
  line.open_amount = mapped.open ? line.line_total : 0;
  if (!mapped.open) line.status = LineStatus::closed;
  order.lines.push_back(line);
  mapped.document.is_order_document = true;
  mapped.document.orders.push_back(std::move(order));
  mapped.kept = std::string(text);
  return mapped;
}

// The record: what survives a kill.
class MapSink final : public SyncSink {
 public:
  struct Row {
    LedgerRow row;
    std::string kept;
  };
  std::map<Key, Row> rows;
  SyncState state;
  std::uint64_t commits = 0, rows_written = 0, tombstones = 0;
  bool refuses = false;

  Result<void> commit(const StreamDescriptor&, SyncBatch batch) override {
    waiting_ = std::move(batch);
    return commit_again();
  }
  Result<void> commit_again() override {
    if (refuses) return fail(ErrorCode::storage_full, "the disk is full; make room");
    if (!waiting_) return {};
    ++commits;
    for (RowPut& put : waiting_->put) {
      ++rows_written;
      rows[put.key] = {decode_ledger_row(encode(put.row)).value(), put.mapped.kept};
    }
    for (const RowGone& gone : waiting_->gone) {
      ++tombstones;
      rows[gone.key] = {gone.row, ""};
    }
    if (waiting_->state) state = decode_sync_state(encode(*waiting_->state)).value();
    waiting_.reset();
    return {};
  }
  Face face(const StreamDescriptor&, const Key& key, const LedgerRow&) override { return {key_text(key), "Smith"}; }
  bool holds(const StreamDescriptor&, const Key& key, const LedgerRow&, const Mapped& mapped) override {
    const auto found = rows.find(key);
    return found != rows.end() && found->second.kept == mapped.kept;
  }

  Ledger ledger() const {
    Ledger ledger;
    for (const auto& [key, row] : rows) ledger.put(key, row.row);
    return ledger;
  }

 private:
  std::optional<SyncBatch> waiting_;
};

// Everything of one stream; `restart` is a kill: only the record is left.
struct World {
  explicit World(StreamDescriptor of = orders_stream(), StreamSyncOptions with = {}, SyncRules wrong = {})
      : stream(std::make_unique<StreamDescriptor>(of)), options(with), rules(wrong) {
    restart();
  }
  std::unique_ptr<StreamDescriptor> stream;
  StreamSyncOptions options;
  SyncRules rules;
  TestClock clock;
  Erp erp{clock};
  ErpRemote remote{erp};
  MapSink sink;
  std::unique_ptr<StreamSync> sync;

  void restart() { sync = std::make_unique<StreamSync>(*stream, remote, map_text, sink, sink.ledger(), sink.state, options, clock, rules); }

  // One whole sync; the last step.
  SyncStep run(bool everything = false) {
    sync->begin(everything, std::chrono::minutes(5));
    SyncStep step;
    while ((step = sync->step()).kind == SyncStep::Kind::more) {}
    clock.advance(std::chrono::minutes(5));
    return step;
  }
  SyncStep run_hint(std::vector<std::int64_t> numbers) {
    std::vector<Key> keys;
    for (const std::int64_t number : numbers) keys.push_back(remote.texts ? text_key(number) : number_key(number));
    sync->hint(keys);
    SyncStep step;
    while ((step = sync->hint_step()).kind == SyncStep::Kind::more) {}
    return step;
  }
  // What is wrong with our copy, one line each; "" when it is equal.
  std::string differences() const {
    std::string out;
    for (const auto& [number, doc] : erp.docs) {
      const auto held = sink.rows.find(remote.texts ? text_key(number) : number_key(number));
      if (held == sink.rows.end() || held->second.row.gone_at) {
        out += "missing " + std::to_string(number) + "\n";
      } else if (held->second.kept != Erp::text(number, doc)) {
        out += "stale " + std::to_string(number) + ": " + held->second.kept + " is " + Erp::text(number, doc) + "\n";
      }
    }
    for (const auto& [key, held] : sink.rows)
      if (!held.row.gone_at && !erp.docs.contains(number_of(key))) out += "ghost " + key_text(key) + "\n";
    return out;
  }
};

}  // namespace millrace::erp::testing
