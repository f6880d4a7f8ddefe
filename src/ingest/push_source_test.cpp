// Pushed batches against a real record and real parser processes.
#include "ingest/push_source.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "ingest/folder_test_tree.h"
#include "ingest/internal/push_rows.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

std::string order(const std::string& number, const std::string& quantity, const std::string& status = "Open") {
  return R"({"DocNum":)" + number + R"(,"Status":")" + status + R"(","CardCode":"C1","CardName":"ACME","DocCurrency":"EUR","DocDate":"2026-03-01",)" +
         R"("DocumentLines":[{"LineNum":0,"ItemCode":"P-1","Quantity":)" + quantity + R"(,"UnitPrice":2.50}]})";
}

// A record, an intake and one source on them; `restart` leaves them as a kill would.
class Shop {
 public:
  explicit Shop(PushSourceOptions options = {}) : options_(std::move(options)) {
    options_.id = "shop";
    options_.parsers.executable = MILLRACE_PARSE_WORKER;
    options_.parsers.profile = built_in_profile();
    restart();
  }
  void restart() {
    source_.reset();
    intake_.reset();
    record_.reset();
    auto record = store::open_sqlite_record({.path = folder_.outside() + "/record.sqlite", .clock = &clock_});
    REQUIRE_MESSAGE(record, record.error().text());
    record_ = std::move(*record);
    record_->on_commit([this](const std::vector<feed::Change>& changes) { changes_ += changes.size(); });
    intake_ = std::make_unique<Intake>(*record_, built_in_profile());
    REQUIRE(intake_->restore({"shop"}, nullptr, [](const Error&) {}));
    auto source = PushSource::open(options_, *intake_, *record_, metrics, clock_);
    REQUIRE_MESSAGE(source, source.error().text());
    source_ = std::move(*source);
  }
  static PushedBatch batch(std::string body, PushFormat format = PushFormat::json, std::string key = "") {
    PushedBatch batch;
    batch.stream = "orders";
    batch.format = format;
    batch.idempotency_key = std::move(key);
    batch.body = std::move(body);
    return batch;
  }
  static PushedBatch snapshot(std::string body, std::uint64_t rows) {
    PushedBatch whole = batch(std::move(body), PushFormat::lines);
    whole.mode = PushMode::snapshot;
    whole.rows = rows;
    return whole;
  }
  BatchReceipt push(PushedBatch batch) {
    stream_ = batch.stream;
    auto receipt = source_->push(std::move(batch), options_.token);
    REQUIRE_MESSAGE(receipt, receipt.error().text());
    return *receipt;
  }
  // Steps until the batch is decided or waits for a person.
  BatchReceipt settled(const std::string& id) {
    for (int turn = 0; turn < 200; ++turn) {
      auto receipt = source_->receipt(stream_, id, options_.token);
      REQUIRE_MESSAGE(receipt, receipt.error().text());
      if (receipt->is_final() || receipt->state == BatchReceipt::State::held) return *receipt;
      source_->step(100ms);
    }
    FAIL("the batch does not end");
    return {};
  }
  BatchReceipt take(PushedBatch batch) { return settled(push(std::move(batch)).id); }
  std::string files() {
    std::string text;
    intake_->with_book([&](OrderBook& book) {
      book.each_file("shop", [&](const store::FileRecord& file) { text += file.path + "\n"; });
    });
    return text;
  }
  PushSource& source() { return *source_; }
  store::Record& record() { return *record_; }
  std::uint64_t changes() const { return changes_; }
  // "/orders/7 row 2: the field ...": the list of rejections as people see it.
  std::string rejections() {
    std::vector<std::string> lines;
    const auto all = record_->rejections();
    REQUIRE(all);
    for (const feed::Rejection& one : *all) lines.push_back(one.source + " " + one.path + " " + one.place + " " + one.value);
    std::ranges::sort(lines);
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
  metrics::Registry metrics;

 private:
  folder::TestTree folder_;
  SystemClock clock_;
  PushSourceOptions options_;
  std::string stream_ = "orders";  // of the batch pushed last
  std::atomic<std::uint64_t> changes_{0};
  std::unique_ptr<store::Record> record_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<PushSource> source_;
};

}  // namespace

TEST_CASE("a pushed batch adds its orders, and the same batch again changes nothing") {
  Shop shop;
  const std::string body = "[" + order("7", "4") + "," + order("8", "1", "In Production") + "]";
  const BatchReceipt first = shop.take(Shop::batch(body));
  CHECK(first.state == BatchReceipt::State::done);
  CHECK(first.accepted == 2);
  CHECK(shop.files() == "In Production/8\nOpen/7\n");
  const std::uint64_t changes = shop.changes();
  CHECK(changes == 2);
  const BatchReceipt again = shop.take(Shop::batch("[" + order("8", "1", "In Production") + "," + order("7", "4") + "]"));
  CHECK(again.accepted == 0);
  CHECK(again.unchanged == 2);
  CHECK(shop.changes() == changes);
  CHECK(shop.source().status().orders == 2);
}

TEST_CASE("pushed invoices are kept with their changes; the same again changes nothing, and a bad row is listed until it comes right") {
  Shop shop;
  const auto invoices = [](std::string body) {
    PushedBatch batch = Shop::batch(std::move(body), PushFormat::lines);
    batch.stream = "invoices";
    return batch;
  };
  const std::string first = R"({"number":"9001","party":"C1","posted":"2026-03-01","amount":"119.00","currency":"EUR"})",
                    bad = R"({"number":"9002","party":"C1","posted":"2026-03-01","amount":"1,5","currency":"EUR"})",
                    right = R"({"number":"9002","party":"C1","posted":"2026-03-01","amount":"1.5","currency":"EUR"})";
  const BatchReceipt receipt = shop.take(invoices(first + "\n" + bad + "\n"));
  CHECK(receipt.state == BatchReceipt::State::done);
  CHECK(receipt.accepted == 1);
  CHECK(receipt.rejected == 1);
  REQUIRE(receipt.refused.size() == 1);
  CHECK(receipt.refused[0].row == 2);
  CHECK(receipt.refused[0].field == "amount");
  CHECK(shop.changes() == 2);  // the invoice and the rejection
  CHECK(shop.rejections().find("/invoices/9002 row 2 field amount") != std::string::npos);
  shop.restart();
  const BatchReceipt again = shop.take(invoices(first + "\n" + right + "\n"));
  CHECK(again.unchanged == 1);
  CHECK(again.accepted == 1);
  CHECK(shop.rejections() == "");
  const FinanceWriter writer(shop.record());
  const auto standing = writer.standing("shop", FinanceKind::invoice, "9001");
  REQUIRE(standing);
  REQUIRE(*standing);
  CHECK((*standing)->amount == 11'900);
  PushedBatch whole = invoices(right + "\n");
  whole.mode = PushMode::snapshot;
  whole.rows = 1;
  CHECK(shop.take(whole).removed == 1);
  CHECK(!writer.standing("shop", FinanceKind::invoice, "9001")->has_value());
}

TEST_CASE("an order that changes its status moves, with one change and no gap") {
  Shop shop;
  shop.take(Shop::batch(order("7", "4")));
  const std::uint64_t before = shop.changes();
  CHECK(shop.take(Shop::batch(order("7", "4", "Shipped"))).accepted == 1);
  CHECK(shop.files() == "Shipped/7\n");
  CHECK(shop.changes() == before + 1);
}

TEST_CASE("one bad row is refused with its row, field, reason and value, and the others go in") {
  Shop shop;
  const std::string bad = R"({"DocNum":9,"CardCode":"C1","DocCurrency":"EUR","DocDate":"soon","DocumentLines":[{"ItemCode":"P-1","Quantity":1,"UnitPrice":1}]})";
  SUBCASE("one JSON document per line") {
    const BatchReceipt receipt = shop.take(Shop::batch(order("7", "4") + "\n" + bad + "\n\n" + order("8", "1") + "\n", PushFormat::lines));
    CHECK(receipt.state == BatchReceipt::State::done);
    CHECK(receipt.accepted == 2);
    REQUIRE(receipt.rejected == 1);
    CHECK(receipt.refused[0].row == 2);
    CHECK(receipt.refused[0].field == "DocDate");
    CHECK(receipt.refused[0].value == "soon");
    CHECK(receipt.refused[0].order == "9");
    CHECK_FALSE(receipt.refused[0].reason.empty());
  }
  SUBCASE("a line that is no JSON spoils only itself") {
    const BatchReceipt receipt = shop.take(Shop::batch(order("7", "4") + "\n{\"DocNum\":\n" + order("8", "1") + "\n{\"note\":1}\n", PushFormat::lines));
    CHECK(receipt.accepted == 2);
    REQUIRE(receipt.rejected == 2);
    CHECK(receipt.refused[0].row + receipt.refused[1].row == 6);
  }
  SUBCASE("a table") {
    const BatchReceipt receipt = shop.take(Shop::batch(
        "OrderNo,CustomerCode,OrderDate,Currency,LineNo,ItemCode,Quantity,UnitPrice\n7,C1,2026-03-01,EUR,1,P-1,4,2.50\n8,C1,2026-03-01,EUR,1,P-2,many,1.25\n",
        PushFormat::csv));
    CHECK(receipt.accepted == 1);
    REQUIRE(receipt.rejected == 1);
    CHECK(receipt.refused[0].row == 3);
    CHECK(receipt.refused[0].field == "Quantity");
    CHECK(receipt.refused[0].value == "many");
  }
}

TEST_CASE("the same key and batch are answered alike and done once, also after a restart; another batch is refused") {
  Shop shop;
  const BatchReceipt first = shop.push(Shop::batch(order("7", "4"), PushFormat::json, "k1"));
  CHECK_FALSE(first.replayed);
  const BatchReceipt waiting = shop.push(Shop::batch(order("7", "4"), PushFormat::json, "k1"));
  CHECK(waiting.replayed);
  CHECK(waiting.id == first.id);
  CHECK(shop.source().status().pending == 1);
  CHECK(shop.settled(first.id).accepted == 1);
  shop.restart();
  const BatchReceipt later = shop.push(Shop::batch(order("7", "4"), PushFormat::json, "k1"));
  CHECK(later.replayed);
  CHECK(later.state == BatchReceipt::State::done);
  CHECK(later.accepted == 1);
  CHECK(shop.source().status().pending == 0);
  const auto other = shop.source().push(Shop::batch(order("7", "5"), PushFormat::json, "k1"), "");
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == ErrorCode::conflict);
}

TEST_CASE("a batch that was acknowledged is taken after a kill, once") {
  Shop shop;
  const BatchReceipt first = shop.push(Shop::batch(order("7", "4"), PushFormat::json, "a"));
  const BatchReceipt second = shop.push(Shop::batch(order("7", "5"), PushFormat::json, "b"));
  shop.source().step(10ms);  // the first is being read
  shop.restart();
  CHECK(shop.source().status().pending == 2);
  CHECK(shop.settled(second.id).accepted == 1);
  CHECK(shop.settled(first.id).accepted == 1);
  CHECK(shop.files() == "Open/7\n");
  std::size_t waiting = 0;
  REQUIRE(shop.record().kept("push/shop/waiting", [&](store::KeptRow) { return ++waiting > 0; }));
  CHECK(waiting == 0);
  CHECK(shop.changes() == 2);
}

TEST_CASE("a snapshot removes what is absent, but only when it is as long as it says") {
  Shop shop;
  shop.take(Shop::batch(order("7", "4") + "\n" + order("8", "1") + "\n", PushFormat::lines));
  const BatchReceipt short_one = shop.take(Shop::snapshot(order("7", "4") + "\n", 2));
  CHECK(short_one.state == BatchReceipt::State::failed);
  CHECK(short_one.message.find("declares 2 rows and holds 1") != std::string::npos);
  CHECK(shop.files() == "Open/7\nOpen/8\n");
  const BatchReceipt unreadable = shop.take(Shop::snapshot(order("7", "4") + "\n{\n", 2));
  CHECK(unreadable.state == BatchReceipt::State::failed);
  CHECK(shop.files().ends_with("Open/7\nOpen/8\n"));  // besides what was refused
  const BatchReceipt whole = shop.take(Shop::snapshot(order("7", "4") + "\n", 1));
  CHECK(whole.state == BatchReceipt::State::done);
  CHECK(whole.removed == 1);
  CHECK(shop.files() == "Open/7\n");
  CHECK_FALSE(shop.source().push([] { auto batch = Shop::snapshot("{}", 1); batch.rows.reset(); return batch; }(), ""));
}

TEST_CASE("a snapshot that would remove too much waits for a person, also over a restart") {
  PushSourceOptions options;
  options.gone_always = 1;
  Shop shop(options);
  std::string many;
  for (int number = 1; number <= 10; ++number) many += order(std::to_string(number), "1") + "\n";
  shop.take(Shop::batch(many, PushFormat::lines));
  const auto smaller = Shop::snapshot(order("1", "1") + "\n", 1);
  const BatchReceipt held = shop.take(smaller);
  REQUIRE(held.state == BatchReceipt::State::held);
  CHECK(held.message.find("would remove 9 of 10 orders") != std::string::npos);
  CHECK(shop.source().status().state == SourceState::held);
  CHECK(shop.source().status().service->held.at(0).rows_gone == 9);
  CHECK(shop.source().status().service->held.at(0).examples.size() == 9);
  shop.restart();
  CHECK(shop.settled(held.id).state == BatchReceipt::State::held);
  SUBCASE("who accepts it has it done") {
    shop.source().request_accept();
    shop.source().step(100ms);
    CHECK(shop.settled(held.id).removed == 9);
    CHECK(shop.files() == "Open/1\n");
    CHECK(shop.source().status().service->held.empty());
  }
  SUBCASE("who rejects it keeps all orders") {
    shop.source().request_reject();
    shop.source().step(100ms);
    CHECK(shop.settled(held.id).state == BatchReceipt::State::failed);
    CHECK(shop.source().status().orders == 10);
    CHECK(shop.source().status().state == SourceState::live);
  }
}

TEST_CASE("a batch without the token, of another stream or of another format is refused") {
  PushSourceOptions options;
  options.token = "s3cret";
  options.waiting_max = 2;
  Shop shop(options);
  const auto code = [&](PushedBatch batch, std::string_view token) {
    const auto refused = shop.source().push(std::move(batch), token);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text().find("s3cret") == std::string::npos);
    return refused.error().code();
  };
  CHECK(code(Shop::batch(order("7", "4")), "") == ErrorCode::denied);
  CHECK(code(Shop::batch(order("7", "4")), "s3cret2") == ErrorCode::denied);
  auto items = Shop::batch(order("7", "4"));
  items.stream = "items";
  CHECK(code(items, "s3cret") == ErrorCode::not_found);
  CHECK(code(Shop::batch(""), "s3cret") == ErrorCode::invalid_input);
  CHECK(code(Shop::batch("order;customer\n1;2\n"), "s3cret") == ErrorCode::invalid_input);
  CHECK(code(Shop::batch("{}", PushFormat::csv), "s3cret") == ErrorCode::invalid_input);
  shop.push(Shop::batch(order("1", "1")));
  shop.push(Shop::batch(order("2", "1")));
  CHECK(code(Shop::batch(order("3", "1")), "s3cret") == ErrorCode::limit_reached);
}

TEST_CASE("receipts that are too old go with a later batch") {
  PushSourceOptions options;
  options.receipts_max = 2;
  Shop shop(options);
  std::string first;
  for (int number = 1; number <= 4; ++number) {
    const auto receipt = shop.take(Shop::batch(order(std::to_string(number), "1")));
    if (number == 1) first = receipt.id;
  }
  const auto gone = shop.source().receipt("orders", first, "");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code() == ErrorCode::not_found);
}

TEST_CASE("paths keep every number apart, and a receipt survives its encoding") {
  CHECK(push_path("In Production", "SO/7") == "In Production/SO%2F7");
  CHECK(push_path("Open", "50%2F") == "Open/50%252F");
  BatchReceipt receipt;
  receipt.id = "x";
  receipt.state = BatchReceipt::State::failed;
  receipt.finished = Instant(std::chrono::milliseconds(5));
  receipt.refused = {{3, "DocDate", "no date", "soon", "9"}};
  const auto read = decode_batch_receipt(encode(receipt));
  REQUIRE(read);
  CHECK(read->refused == receipt.refused);
  CHECK(read->finished == receipt.finished);
  CHECK_FALSE(decode_batch_receipt(encode(receipt).substr(0, 9)));
  CHECK(lines_as_array("{1}\n\n{2}\n") == "[{1}\n\n,{2}]");
  CHECK(same_secret("abc", "abc"));
  CHECK_FALSE(same_secret("abc", "abd"));
  CHECK_FALSE(same_secret("abc", "ab"));
  CHECK_FALSE(same_secret("", "a"));
}

TEST_CASE("a refused pushed row stands in the list of rejections until its order comes right") {
  Shop shop;
  const auto bad = [](const std::string& number, const std::string& quantity) { return order(number, quantity); };
  shop.take(Shop::batch(order("7", "4") + "\n" + bad("8", "\"many\"") + "\n", PushFormat::lines));
  CHECK(shop.rejections() == "shop /orders/8 row 2 field Quantity many\n");
  CHECK(shop.source().status().rejections == 1);
  const std::uint64_t changes = shop.changes();
  shop.take(Shop::batch(order("7", "4") + "\n" + bad("8", "\"many\"") + "\n", PushFormat::lines));
  CHECK(shop.changes() == changes);
  // An order that was good stays as it was while its new row is wrong.
  shop.take(Shop::batch(bad("7", "\"some\"") + "\n" + order("9", "1") + "\n", PushFormat::lines));
  CHECK(shop.rejections() == "shop /orders/7 row 1 field Quantity some\nshop /orders/8 row 2 field Quantity many\n");
  CHECK(shop.source().status().orders == 2);
  shop.restart();
  CHECK(shop.source().status().rejections == 2);
  shop.take(Shop::batch(order("8", "2") + "\n" + order("7", "5") + "\n", PushFormat::lines));
  CHECK(shop.rejections().empty());
  CHECK(shop.files() == "Open/7\nOpen/8\nOpen/9\n");
  CHECK(shop.source().status().rejections == 0);
}

TEST_CASE("a refused row without an order number is listed once, also of a batch that failed, and a snapshot clears the list") {
  Shop shop;
  const std::string nameless = R"({"CardCode":"C1","DocumentLines":[{"LineNum":0,"Quantity":1}],"DocDate":"2026-03-01"})";
  CHECK(shop.take(Shop::batch(nameless + "\n", PushFormat::lines)).state == BatchReceipt::State::failed);
  shop.take(Shop::batch(nameless + "\n" + order("7", "4") + "\n", PushFormat::lines));
  const std::string listed = shop.rejections();
  CAPTURE(listed);
  CHECK(std::ranges::count(listed, '\n') == 1);
  CHECK(listed.starts_with("shop /orders/?/"));
  shop.restart();
  CHECK(shop.rejections() == listed);
  CHECK(shop.take(Shop::snapshot(order("7", "4"), 1)).state == BatchReceipt::State::done);
  CHECK(shop.rejections().empty());
  CHECK(shop.files() == "Open/7\n");
}

TEST_CASE("of the refused rows without a number only so many are listed") {
  PushSourceOptions options;
  options.nameless_max = 3;
  Shop shop(options);
  std::string body;
  for (int row = 0; row < 6; ++row) body += R"({"Note":)" + std::to_string(row) + "}\n";
  CHECK(shop.take(Shop::batch(body, PushFormat::lines)).rejected == 6);
  const std::string listed = shop.rejections();
  CAPTURE(listed);
  CHECK(std::ranges::count(listed, '\n') == 3);
}

TEST_CASE("5,000 orders with 20,000 lines are one batch, new and changed") {
  Shop shop;
  const auto batch = [](const std::string& price) {
    std::string body;
    for (int number = 1; number <= 5000; ++number) {
      body += R"({"DocNum":)" + std::to_string(number) + R"(,"CardCode":"C1","CardName":"ACME","DocCurrency":"EUR","DocDate":"2026-03-01","DocumentLines":[)";
      for (int line = 0; line < 4; ++line)
        body += std::string(line == 0 ? "" : ",") + R"({"LineNum":)" + std::to_string(line) + R"(,"ItemCode":"P-1","Quantity":2,"UnitPrice":)" + price + "}";
      body += "]}\n";
    }
    return Shop::batch(body, PushFormat::lines);
  };
  const BatchReceipt created = shop.take(batch("2.50"));
  CHECK(created.message == "");
  CHECK(created.accepted == 5000);
  CHECK(created.rejected == 0);
  CHECK(shop.source().status().orders == 5000);
  std::size_t lines = 0;
  REQUIRE(shop.record().candidates("shop", [&](const store::Candidate& candidate) {
    lines += candidate.order->lines.size();
    return true;
  }));
  CHECK(lines == 20'000);
  CHECK(shop.take(batch("2.75")).accepted == 5000);
  CHECK(shop.take(batch("2.75")).unchanged == 5000);
}

TEST_CASE("pushed batches and rows are counted") {
  Shop shop;
  shop.take(Shop::batch(order("7", "4") + "\n" + order("8", "\"many\"") + "\n", PushFormat::lines));
  const std::string text = shop.metrics.prometheus_text();
  for (const std::string line : {"millrace_push_batches_total{source=\"shop\",state=\"done\"} 1", "millrace_push_rows_total{outcome=\"accepted\",source=\"shop\"} 1",
                           "millrace_push_rows_total{outcome=\"rejected\",source=\"shop\"} 1", "millrace_push_seconds"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

}  // namespace millrace::ingest
