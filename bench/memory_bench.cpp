// How many bytes does the read model alone need for an order with five lines, and where do they go?
// Usage: memory_bench [ORDERS]    default 1,000,000; a wholesaler's book as bench/memory_million.py writes it
#include <malloc.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "domain/order_rules.h"
#include "readmodel/memory_report.h"
#include "readmodel/read_model.h"

namespace {

using namespace millrace;

constexpr std::uint64_t seed = 20261122;
constexpr std::uint64_t lines_per_order = 5, orders_per_file = 2500;

class Book {
 public:
  explicit Book(std::uint64_t orders) : orders_(orders) {}

  feed::Change order(std::uint64_t n) {
    SalesOrder order;
    order.number.text = std::to_string(1'000'000 + n);
    const double share = static_cast<double>(n) / static_cast<double>(orders_), chance = unit();
    const bool open = share > 0.93 ? chance > 0.02 : chance < 0.03;
    order.status = open ? (chance < 0.6 ? "Open" : "In Production") : "Closed";
    const double which = unit() * unit();
    const auto customer = static_cast<int>(800 * which);
    order.customer_code = "C" + std::to_string(10'000 + customer);
    order.customer_name = "Alpen Werk " + std::to_string(customer);
    order.customer_reference = "PO-" + std::to_string(10'000'000 + below(89'999'999));
    order.salesperson = "Person " + std::to_string(static_cast<int>(40 * which));
    order.currency = *Currency::parse(std::array{"USD", "EUR", "GBP", "AUD", "CAD"}[static_cast<std::size_t>(5 * std::pow(unit(), 3))]);
    const auto day = 19'000 + static_cast<std::int32_t>(n * 1500 / orders_);
    order.order_date = day_from_number(day);
    order.requested_date = day_from_number(day + 5 + static_cast<std::int32_t>(below(60)));
    order.updated = Instant(std::chrono::seconds(std::int64_t{day} * 86'400 + static_cast<std::int64_t>(below(5'000'000))));
    for (std::uint64_t i = 0; i < lines_per_order; ++i) order.lines.push_back(line(n, i, open, order.currency));
    settle_amounts(order);
    order.tax = amounts(order).net * 19 / 100;
    order.freight = static_cast<std::int64_t>(below(20)) * 100;
    const OrderAmounts sums = amounts(order);
    const std::string path = order.status + "/orders-" + std::to_string(n / orders_per_file) + ".csv";
    feed::OrderPut put;
    put.documents.push_back({.source = "orders", .path = path, .format = "csv", .hash = content_hash(path),
                             .modified = Instant(std::chrono::seconds(1'760'000'000 + static_cast<std::int64_t>(n / orders_per_file))),
                             .updated = order.updated, .status = order.status, .total = sums.total, .open = sums.open,
                             .line_count = lines_per_order, .damaged_since = false});
    put.order = std::make_shared<const SalesOrder>(std::move(order));
    feed::Change change = feed::order_put(std::move(put));
    change.sequence = feed::Sequence{n + 1};
    change.at = Instant(std::chrono::seconds(1'760'000'000 + static_cast<std::int64_t>(n / orders_per_file)));
    return change;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  double unit() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  OrderLine line(std::uint64_t n, std::uint64_t i, bool open, Currency currency) {
    OrderLine line;
    const auto item = static_cast<std::uint64_t>(5000 * std::pow(unit(), 2));
    line.line_number = static_cast<std::int32_t>(i + 1);
    line.item_code = "SKU-" + std::to_string(10'000 + item);
    line.item_name = "Bearing " + std::to_string(item % 50) + " mm type " + std::to_string(item);
    line.manufacturer = "Maker " + std::to_string(item % 37);
    line.warehouse_code = "WH" + std::to_string(10 + item * 2'654'435'761 % 12);
    line.quantity_ordered.micros = static_cast<std::int64_t>(1 + 40 * std::pow(unit(), 3)) * micros_per_one;
    line.quantity_open = open ? line.quantity_ordered : Quantity{};
    line.unit_price.micros = static_cast<std::int64_t>(199 + item * 40'503 % 90'000) * 10'000;
    line.discount.micros = below(10) == 0 ? 5'000'000 : 0;
    line.line_total = *line_total(line.quantity_ordered, line.unit_price, line.discount, currency);
    line.status = open ? LineStatus::open : LineStatus::closed;
    line.place = {.kind = Place::Kind::row, .number = static_cast<std::uint32_t>(2 + n % orders_per_file * lines_per_order + i), .column = 0};
    return line;
  }

  std::uint64_t orders_;
  std::mt19937_64 random_{seed};
};

std::size_t resident() {
  long size = 0, pages = 0;
  std::FILE* const statm = std::fopen("/proc/self/statm", "r");
  if (statm == nullptr || std::fscanf(statm, "%ld %ld", &size, &pages) != 2) std::abort();
  std::fclose(statm);
  return static_cast<std::size_t>(pages) * 4096;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t orders = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  Book book(orders);
  readmodel::ReadModel model;
  const std::size_t before = resident();
  std::vector<feed::Change> batch;
  for (std::uint64_t n = 0; n < orders; ++n) {
    batch.push_back(book.order(n));
    if (batch.size() < 500 && n + 1 < orders) continue;
    if (const auto applied = model.apply(batch); !applied) std::abort();
    batch.clear();
  }
  std::vector<feed::Change>().swap(batch);
  const std::size_t loaded = resident();
  malloc_trim(0);
  const std::size_t trimmed = resident();
  const auto snapshot = model.current();
  const auto count = static_cast<double>(snapshot->order_count());
  std::printf("seed %llu: %llu orders, %llu lines; RSS grew by %.1f MB (%.1f MB after malloc_trim), %.1f bytes per order with its lines\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(snapshot->order_count()),
              static_cast<unsigned long long>(snapshot->line_count()), static_cast<double>(loaded - before) / 1e6,
              static_cast<double>(trimmed - before) / 1e6, static_cast<double>(trimmed - before) / count);
  for (const auto& table : readmodel::memory_report(*snapshot)) {
    std::printf("%-20s %9llu rows %8.2f B per order, plain %8.2f\n", table.name.c_str(), static_cast<unsigned long long>(table.rows),
                static_cast<double>(table.bytes) / count, static_cast<double>(table.bytes_plain) / count);
    for (const auto& column : table.columns) {
      std::printf("    %-20s %8.3f  entropy %8.3f  plain %8.2f  distinct %llu\n", column.name.c_str(), static_cast<double>(column.bytes) / count,
                  static_cast<double>(column.entropy_bytes) / count, static_cast<double>(column.bytes_plain) / count,
                  static_cast<unsigned long long>(column.distinct));
    }
  }
}
