// A running server over a small order book, with fakes for the record and the sources.
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/server.h"
#include "server/test_cash.h"
#include "server/test_client.h"
#include "server/test_finance.h"
#include "server/test_jobs.h"
#include "server/test_overlays.h"
#include "testing/world.h"

namespace millrace::server {

class TestClock final : public Clock {
 public:
  Instant now() const override { return testing::instant("2026-03-10T08:00:00Z"); }
};

// The record, as far as histories read it.
class TestHistory final : public feed::Reader {
 public:
  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override {
    const std::lock_guard lock(mutex);
    std::vector<feed::Change> found;
    for (const auto& change : changes)
      if (change.sequence > after && found.size() < limit) found.push_back(change);
    return found;
  }
  Result<feed::Sequence> last_sequence() override {
    const std::lock_guard lock(mutex);
    return changes.empty() ? feed::Sequence{} : changes.back().sequence;
  }
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override {
    const std::lock_guard lock(mutex);
    std::vector<feed::Change> found;
    for (const auto& change : changes) {
      const bool order = change.kind == feed::ChangeKind::order_put || change.kind == feed::ChangeKind::order_removed;
      if (order && feed::subject(change) == number.text && found.size() < limit) found.push_back(change);
    }
    return found;
  }

  std::mutex mutex;
  std::vector<feed::Change> changes;
};

class TestSources final : public ingest::Control {
 public:
  TestSources() {
    ingest::SourceStatus source;
    source.id = "orders";
    source.kind = "folder";
    source.root = "/orders";
    source.state = ingest::SourceState::live;
    source.as_of_time = testing::instant("2026-03-10T07:59:58Z");
    source.refresh_interval = std::chrono::seconds(1800);
    source.files = 10;
    source.files_unchanged = 9;
    source.files_read = 1;
    source.refresh_count = 1;
    source.watching = true;
    list_.push_back(source);
  }
  std::vector<ingest::SourceStatus> sources() const override {
    const std::lock_guard lock(mutex_);
    return list_;
  }
  Result<void> refresh(std::string_view id, bool reread) override {
    return on(id, [&](ingest::SourceStatus& source) { source.message = reread ? "rereading" : "refreshing"; });
  }
  Result<void> pause(std::string_view id) override {
    return on(id, [](ingest::SourceStatus& source) { source.state = ingest::SourceState::paused; });
  }
  Result<void> resume(std::string_view id) override {
    return on(id, [](ingest::SourceStatus& source) { source.state = ingest::SourceState::live; });
  }
  Result<void> set_interval(std::string_view id, std::chrono::seconds interval) override {
    if (interval.count() < 10 || interval.count() > 604'800)
      return fail(ErrorCode::invalid_input, "an interval is between 10 s and 7 days");
    return on(id, [&](ingest::SourceStatus& source) { source.refresh_interval = interval; });
  }
  Result<void> accept_vanished(std::string_view id) override {
    return on(id, [](ingest::SourceStatus&) {});
  }
  Result<void> reject_held(std::string_view id) override {
    return on(id, [](ingest::SourceStatus& source) {
      if (source.service) source.service->held.clear();
    });
  }
  Result<void> hint(std::string_view id, std::string_view stream, std::vector<std::string> keys) override {
    return on(id, [&](ingest::SourceStatus& source) {
      for (const std::string& key : keys) source.message += std::string(stream) + " " + key + ";";
    });
  }
  void add(ingest::SourceStatus source) {
    const std::lock_guard lock(mutex_);
    list_.push_back(std::move(source));
  }
  Result<void> replay(std::uint64_t id) override {
    if (id != 7) return fail(ErrorCode::not_found, "there is no rejection " + std::to_string(id));
    return {};
  }

  // The order as the record would put it: `decided` is what the plant gives, with the next Sequence.
  Result<feed::Change> decide(const ingest::DifferenceChoice& choice, const std::string& source, const std::string& by) override {
    return put_decided(choice, choice.field + " from " + source + " by " + by);
  }
  Result<feed::Change> undecide(const ingest::DifferenceChoice& choice) override { return put_decided(choice, choice.field + " by rule"); }
  std::function<std::optional<feed::Change>(const std::string& order)> newest_put = [](const std::string&) { return std::nullopt; };

 private:
  Result<feed::Change> put_decided(const ingest::DifferenceChoice& choice, std::string flag) const {
    auto change = newest_put(choice.order);
    if (!change) return fail(ErrorCode::not_found, "there is no order " + choice.order);
    change->sequence = change->sequence.next();
    change->put.flags = {std::move(flag) + " line " + std::to_string(choice.line)};
    return *change;
  }
  template <class Act>
  Result<void> on(std::string_view id, Act act) {
    const std::lock_guard lock(mutex_);
    for (auto& source : list_)
      if (source.id == id) {
        act(source);
        return {};
      }
    return fail(ErrorCode::not_found, "there is no source \"" + std::string(id) + "\"; there is orders");
  }
  mutable std::mutex mutex_;
  std::vector<ingest::SourceStatus> list_;
};

// Takes every batch for "shop" and knows it again as "b1".
class TestPush final : public ingest::PushDoor {
 public:
  Result<ingest::BatchReceipt> push(std::string_view source, ingest::PushedBatch batch, std::string_view token) override {
    if (source != "shop") return fail(ErrorCode::not_found, "There is no source that takes batches but shop.");
    if (token == "wrong") return fail(ErrorCode::denied, "Another token is needed.");
    if (batch.idempotency_key == "used") return fail(ErrorCode::conflict, "The key was used.");
    if (batch.idempotency_key == "full") return fail(ErrorCode::limit_reached, "Too many batches wait.");
    ingest::BatchReceipt receipt;
    receipt.id = "b1";
    receipt.source = source;
    receipt.stream = batch.stream;
    receipt.mode = batch.mode;
    receipt.format = batch.format;
    receipt.bytes = batch.body.size();
    receipt.replayed = batch.idempotency_key == "again";
    return receipt;
  }
  Result<ingest::BatchReceipt> receipt(std::string_view source, std::string_view stream, std::string_view id, std::string_view) override {
    if (id != "b1") return fail(ErrorCode::not_found, "There is no such batch.");
    ingest::BatchReceipt receipt;
    receipt.id = id;
    receipt.source = source;
    receipt.stream = stream;
    receipt.state = ingest::BatchReceipt::State::done;
    receipt.accepted = 2;
    receipt.rejected = 1;
    receipt.refused = {{3, "DocDate", "this is no date", "soon", "9"}};
    return receipt;
  }
};

// Three orders of ACME, one late, one refused file; then the server.
class TestPlant {
 public:
  explicit TestPlant(ServerOptions options = {}) : TestPlant(options, nullptr) { start_on(options); }
  virtual ~TestPlant() = default;

 protected:
  // Without a server yet.
  TestPlant(const ServerOptions&, std::nullptr_t) {
    world.sales_order("43659")
        .status("Open")
        .customer("C1", "ACME & Söhne")
        .salesman("279")
        .requested("2026-03-03")
        .line("26", "EUR 25.00")
        .item("P-1", "Bolt")
        .open("10");
    world.sales_order("43660")
        .status("Open")
        .customer("C2", "=cmd|' /C calc'!A0")
        .requested("2026-04-01")
        .line("4", "EUR 2.50")
        .item("P-2", "Nut");
    world.sales_order("43661")
        .status("Shipped")
        .customer("C1", "ACME & Söhne")
        .requested("2026-02-01")
        .line("3", "USD 9.99")
        .item("P-1", "Bolt")
        .open("0");
    world.reject(7, "Open/broken.json", "the file ends in the middle of line 3");
    snapshot = world.snapshot();
    history.changes = world.changes();
    sources.newest_put = [this](const std::string& order) -> std::optional<feed::Change> {
      const auto changes = history.changes_of_order(OrderNumber{order}, 1000);
      return changes->empty() ? std::nullopt : std::optional(changes->back());
    };
  }
  void start_on(ServerOptions options) {
    options.listen = "127.0.0.1:0";
    auto started = Server::start(services(), options);
    if (!started) throw std::runtime_error(started.error().text());
    server = std::move(*started);
    address = server->address();
  }

 public:
  virtual Services services() {
    Services all{[this] {
              const std::lock_guard lock(mutex);
              return snapshot;
            },
            history,
            sources,
            metrics,
            results,
            clock,
            [] { return RecordFacts{4096, 1024, 3}; },
            [this](std::string& why) {
              why = ready ? "" : "still loading";
              return ready.load();
            },
            {"1.2.3", "abc", "g++"},
            "Plant Nord",
            push,
            jobs,
            overlays,
            [](std::string_view source) { return source == "orders" ? std::optional<std::string>("webhook key") : std::nullopt; }};
    all.cash = &cash;
    all.finance = &finance;
    return all;
  }

  // Applies what was told to the world since the last time, as the applier does: Snapshot first, then the news.
  void commit() {
    const std::size_t known = history.changes.size();
    auto next = world.snapshot();
    const auto& all = world.changes();
    std::vector<feed::Change> fresh(all.begin() + static_cast<std::ptrdiff_t>(known), all.end());
    {
      const std::lock_guard lock(history.mutex);
      history.changes = all;
    }
    {
      const std::lock_guard lock(mutex);
      snapshot = next;
    }
    server->publish(fresh, next);
  }

  TestAnswer get(std::string_view target, const std::string& headers = "") {
    return ask(address, "GET", target, headers);
  }

  testing::World world;
  std::mutex mutex;
  readmodel::SnapshotPtr snapshot;
  TestHistory history;
  TestSources sources;
  TestPush push;
  TestJobs jobs;
  TestCash cash;
  TestOverlays overlays{{"43659", "43660", "43661"}};
  TestFinance finance;
  metrics::Registry metrics;
  cache::MemoryCache results{8 << 20};
  TestClock clock;
  std::atomic<bool> ready{true};
  std::unique_ptr<Server> server;
  std::string address;
};

}  // namespace millrace::server
