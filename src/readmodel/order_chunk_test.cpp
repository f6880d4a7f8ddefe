#include "readmodel/order_chunk.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <random>

#include "domain/order_rules.h"
#include "readmodel/line_price.h"
#include "readmodel/memory_report.h"
#include "readmodel/order_record.h"
#include "readmodel/read_model.h"
#include "testing/arbitrary_order.h"

namespace millrace::readmodel {
namespace {

// A book as it is in life: most orders alike, now and then one that nobody expected.
class Book {
 public:
  Book(std::uint64_t seed, std::vector<SalesOrder> odd) : random_(seed), odd_(std::move(odd)) {}

  feed::OrderPut put(const std::string& number) {
    SalesOrder order = below(12) == 0 ? odd_[below(odd_.size())] : usual_order();
    order.number.text = number;
    feed::OrderPut made;
    const OrderAmounts sums = amounts(order);
    const std::uint64_t documents = below(20) == 0 ? below(4) : 1;
    for (std::uint64_t i = 0; i < documents; ++i) {
      const std::string path = below(3) == 0 ? "Open/orders-" + std::to_string(below(3)) + ".csv" : "Open/SO" + number + ".json";
      made.documents.push_back({.source = "orders", .path = path, .format = "json", .hash = content_hash(path),
                                .modified = Instant(std::chrono::seconds(1'760'000'000 + static_cast<std::int64_t>(below(5)))),
                                .updated = order.updated, .status = order.status, .total = sums.total, .open = sums.open,
                                .line_count = static_cast<std::uint32_t>(order.lines.size()), .damaged_since = below(30) == 0});
    }
    if (below(25) == 0) made.flags = {"DocTotal says 110.00, the lines give 100.00"};
    if (documents > 1) {
      made.differences.push_back({"quantity", static_cast<std::int32_t>(below(4)), {{0, "400"}, {1, "450"}}, 1, "decided", "Ann",
                                  below(2) == 0 ? std::nullopt : std::optional(Instant(std::chrono::seconds(1'760'000'000)))});
      made.origins.push_back({"promise", 0, 1});
    }
    if (below(10) == 0) {
      made.overlay_version = 1 + below(5);
      const Instant at{std::chrono::milliseconds(1'760'000'000'123)};
      if (below(2) == 0) made.overlay.push_back({{"note", "call first\n" + std::to_string(below(99)), "", "Ann", at, std::nullopt}, ""});
      if (below(2) == 0) made.overlay.push_back({{"promised_date", "2026-12-01", "2026-11-01", "Ben", at, at}, "2026-11-02"});
    }
    made.order = std::make_shared<const SalesOrder>(std::move(order));
    return made;
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  SalesOrder usual_order() {
    SalesOrder order;
    order.source_key = std::to_string(below(100'000));
    order.status = below(2) == 0 ? "Open" : "Closed";
    order.customer_code = "C" + std::to_string(below(300));
    order.customer_name = "Customer " + order.customer_code;
    order.customer_reference = "PO-" + std::to_string(below(90'000'000));
    order.currency = *Currency::parse(below(5) == 0 ? "JPY" : "EUR");
    order.order_date = day_from_number(20'000 + static_cast<std::int32_t>(below(400)));
    order.requested_date = day_from_number(20'012 + static_cast<std::int32_t>(below(400)));
    order.updated = Instant(std::chrono::seconds(1'750'000'000 + static_cast<std::int64_t>(below(10'000'000))));
    for (std::uint64_t i = 0, count = below(7); i < count; ++i) order.lines.push_back(line(i, order.currency));
    settle_amounts(order);
    order.document_total = amounts(order).total;
    return order;
  }
  OrderLine line(std::uint64_t i, Currency currency) {
    OrderLine line;
    const std::uint64_t item = below(400);
    line.line_number = static_cast<std::int32_t>(i + 1);
    line.item_code = "BK-" + std::to_string(item);
    line.item_name = "Bike part " + std::to_string(item);
    line.manufacturer = "Maker " + std::to_string(item % 9);
    line.unit = "pcs";
    line.quantity_ordered.micros = static_cast<std::int64_t>(1 + below(40)) * micros_per_one;
    line.quantity_open = below(2) == 0 ? line.quantity_ordered : Quantity{};
    line.unit_price.micros = static_cast<std::int64_t>(100 + below(300'000)) * 10'000;
    line.discount.micros = below(6) == 0 ? 5'000'000 : 0;
    line.line_total = line_total(line.quantity_ordered, line.unit_price, line.discount, currency).value_or(0);
    line.status = below(9) == 0 ? LineStatus::cancelled : LineStatus::open;
    line.requested_date = day_from_number(20'010 + static_cast<std::int32_t>(below(400)));
    line.place = {.kind = Place::Kind::row, .number = static_cast<std::uint32_t>(2 + i), .column = 0};
    return line;
  }

  std::mt19937_64 random_;
  std::vector<SalesOrder> odd_;
};


void check_equal(const feed::OrderPut& back, const feed::OrderPut& put) {
  RC_ASSERT(*back.order == *put.order);
  RC_ASSERT(back.documents == put.documents);
  RC_ASSERT(back.flags == put.flags);
  RC_ASSERT(back.differences == put.differences);
  RC_ASSERT(back.origins == put.origins);
  RC_ASSERT(back.overlay_version == put.overlay_version);
  RC_ASSERT(back.overlay == put.overlay);
}

TEST_CASE("a chunk gives back every order, packed, changed, thinned out and tidied up") {
  CHECK(rc::check("chunk round trip", [] {
    std::vector<SalesOrder> odd;
    for (int i = 0; i < 8; ++i) odd.push_back(*testing::arbitrary_order());
    Book book(*rc::gen::arbitrary<std::uint32_t>(), std::move(odd));
    Dictionaries words;
    auto chunk = std::make_shared<OrderChunk>();
    std::map<std::size_t, feed::OrderPut> expected;
    const auto put = [&](std::size_t row) {
      expected[row] = book.put("SO-" + std::to_string(1000 + row));
      chunk->put(row, expected[row], feed::Sequence{row + 1}, Instant(std::chrono::seconds(1'760'000'000)), words);
    };
    const auto check_all = [&] {
      const WordLists lists(words.publish());
      for (const auto& [row, one] : expected) {
        check_equal(decode_record(*chunk, row, lists), one);
        const SalesOrder& order = *one.order;
        RC_ASSERT(chunk->number(row) == order.number.text);
        RC_ASSERT(chunk->reference(row) == order.customer_reference);
        RC_ASSERT(chunk->path(row) == (one.documents.empty() ? "" : one.documents.front().path));
        for (std::size_t i = 0; i < order.lines.size(); ++i) {
          RC_ASSERT(chunk->line_open(chunk->line_begin[row] + i) == order.lines[i].open_amount);
        }
      }
    };
    for (std::size_t row = 0; row < chunk_rows; ++row) put(row);
    chunk->pack();
    check_all();
    for (int turn = 0; turn < 200; ++turn) {
      const std::size_t row = book.below(chunk_rows);
      if (book.below(4) == 0 && expected.erase(row) == 1) chunk->remove(row);
      else put(row);
      if (book.below(8) == 0) chunk = copy_block(*chunk);
    }
    chunk = copy_block(*chunk);
    check_all();
  }));
}

TEST_CASE("a whole price is what the line total suggests, with and without discount") {
  CHECK(expected_price(74'97, 3'000'000, 0, 2) == 24'990'000);
  CHECK(expected_price(28'53, 3'000'000, 5'000'000, 2) == 10'010'000);  // 3 * 10.01 less 5 % is 28.5285
  CHECK(expected_price(-50'00, 2'000'000, 0, 2) == -25'000'000);
  CHECK(expected_price(1200, 4'000'000, 0, 0) == 300'000'000);
  CHECK(expected_price(100, 0, 0, 2) == 0);
  CHECK(expected_price(100, 1'000'000, 100'000'000, 2) == 0);
  CHECK(expected_price(std::numeric_limits<std::int64_t>::max(), 1, 0, 2) == 0);
}

TEST_CASE("usual orders take few bytes, and the memory report adds up") {
  Book book(7, {SalesOrder{}});
  ReadModel model;
  std::vector<feed::Change> changes;
  for (std::uint64_t i = 0; i < 4 * chunk_rows; ++i) {
    feed::Change change = feed::order_put(book.put(std::to_string(1'000'000 + i)));
    change.sequence = feed::Sequence{i + 1};
    change.at = Instant(std::chrono::seconds(1'760'000'000));
    changes.push_back(std::move(change));
  }
  REQUIRE(model.apply(changes));
  const auto snapshot = model.current();
  const auto tables = memory_report(*snapshot);
  REQUIRE(tables.size() >= 2);
  CHECK(tables[0].name == "orders");
  CHECK(tables[0].rows == snapshot->order_count());
  CHECK(tables[1].name == "lines");
  CHECK(tables[1].rows == snapshot->line_count());
  for (const MemoryTable& table : tables) {
    std::uint64_t bytes = 0, plain = 0;
    for (const MemoryColumn& column : table.columns) bytes += column.bytes, plain += column.bytes_plain;
    CHECK(bytes == table.bytes);
    CHECK(plain == table.bytes_plain);
  }
  const auto column = [&](const MemoryTable& table, std::string_view name) {
    return *std::find_if(table.columns.begin(), table.columns.end(), [&](const MemoryColumn& one) { return one.name == name; });
  };
  CHECK(column(tables[0], "status").distinct == 3);  // two folders, and the odd order without one
  CHECK(column(tables[0], "live").entropy_bytes == 0);
  CHECK(tables[1].bytes < tables[1].bytes_plain / 8);
}

}  // namespace
}  // namespace millrace::readmodel
