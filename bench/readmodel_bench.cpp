// How long do the questions of the order list take, and how much memory does an order need?
// Data: 31,465 orders with 121,317 lines (or about four times that per order count given), from a seeded generator.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdio>
#include <random>

#include "domain/order_rules.h"
#include "query/order_detail.h"
#include "query/orders.h"
#include "query/today.h"
#include "query/totals.h"
#include "readmodel/read_model.h"

namespace {

using namespace millrace;

constexpr std::uint64_t seed = 20261121;
constexpr int order_count = 31'465;
const Day today_day{std::chrono::year(2026), std::chrono::month(11), std::chrono::day(21)};

class Company {
 public:
  explicit Company(std::uint64_t s) : random_(s) {}

  feed::Change order(int n, std::uint64_t sequence) {
    SalesOrder order;
    order.number.text = std::to_string(43'659 + n);
    order.source_key = std::to_string(n);
    order.status = std::array{"Open", "In Production", "Shipped", "Closed", "Cancelled"}[below(5)];
    const bool closed = order.status[0] == 'S' || order.status[0] == 'C';
    order.document_status = closed ? DocumentStatus::closed : DocumentStatus::open;
    const std::uint64_t customer = below(19'000);
    order.customer_code = "C" + std::to_string(10'000 + customer);
    order.customer_name = name(customer);
    order.customer_reference = "PO-" + std::to_string(below(90'000'000));
    order.salesperson = "Person " + std::to_string(below(17));
    order.payment_terms = "30 days net";
    order.currency = *Currency::parse(std::array{"EUR", "USD", "GBP", "JPY"}[below(4)]);
    const auto day = 20'000 + static_cast<std::int32_t>(below(900));
    order.order_date = day_from_number(day);
    order.requested_date = day_from_number(day + 12);
    order.tax = static_cast<std::int64_t>(below(100'000));
    order.freight = static_cast<std::int64_t>(below(10'000));
    order.updated = Instant(std::chrono::seconds(std::int64_t{day} * 86'400 + static_cast<std::int64_t>(below(86'400))));
    const std::uint64_t lines = 1 + below(4) + below(4) + (below(3) == 0 ? 1 : 0);
    for (std::uint64_t i = 0; i < lines; ++i) add_line(order, i, closed);
    settle_amounts(order);
    const OrderAmounts sums = amounts(order);
    order.document_total = sums.total;
    feed::OrderDocument document{.source = "orders", .path = order.status + "/2026/SO-" + order.number.text + ".json",
                                 .format = "json", .hash = content_hash(order.number.text), .modified = *order.updated,
                                 .updated = order.updated, .status = order.status, .total = sums.total, .open = sums.open,
                                 .line_count = static_cast<std::uint32_t>(lines), .damaged_since = false};
    feed::OrderPut put;
    put.documents.push_back(std::move(document));
    put.order = std::make_shared<const SalesOrder>(std::move(order));
    feed::Change change = feed::order_put(std::move(put));
    change.sequence = feed::Sequence{sequence};
    change.at = Instant(std::chrono::seconds(1'760'000'000));
    return change;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  static std::string name(std::uint64_t customer) {
    static constexpr std::array first{"Alpen", "Nord", "Rhein", "Böhm", "Søren", "Delta", "Falcon", "Metro", "Granit", "Lumen"};
    static constexpr std::array second{"Werk", "Motoren", "Cycles", "Supply", "Technik", "Stores", "Traders"};
    return std::string(first[customer % 10]) + " " + second[customer / 10 % 7] + " " + std::to_string(customer);
  }
  void add_line(SalesOrder& order, std::uint64_t i, bool closed) {
    OrderLine line;
    line.line_number = static_cast<std::int32_t>(i + 1);
    const std::uint64_t item = below(266);
    line.item_code = "BK-M68B-" + std::to_string(item);
    line.item_name = "Mountain bike part number " + std::to_string(item);
    line.manufacturer = "Maker " + std::to_string(item % 23);
    line.warehouse_code = "W1";
    line.unit = "pcs";
    line.quantity_ordered.micros = static_cast<std::int64_t>(1 + below(12)) * micros_per_one;
    line.quantity_open.micros = below(3) == 0 ? 0 : line.quantity_ordered.micros;
    line.unit_price.micros = static_cast<std::int64_t>(100 + below(300'000)) * 10'000;
    line.line_total = *line_total(line.quantity_ordered, line.unit_price, line.discount, order.currency);
    line.status = closed ? LineStatus::closed : LineStatus::open;
    line.place = {.kind = Place::Kind::line, .number = static_cast<std::uint32_t>(20 + i * 14), .column = 0};
    order.lines.push_back(std::move(line));
  }
  std::mt19937_64 random_;
};

std::size_t allocated() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Loaded {
  Company company{seed};
  readmodel::ReadModel model;
  std::uint64_t sequence = 0;

  Loaded() {
    malloc_trim(0);
    const std::size_t before = allocated();
    std::vector<feed::Change> batch;
    for (int n = 0; n < order_count; ++n) {
      batch.push_back(company.order(n, ++sequence));
      if (batch.size() == 1000 || n + 1 == order_count) {
        if (const auto applied = model.apply(batch); !applied) std::abort();
        batch.clear();
      }
    }
    batch.shrink_to_fit();
    const auto bytes = allocated() - before;
    const auto snapshot = model.current();
    std::printf("seed %llu: %llu orders, %llu lines, %.1f MB, %.0f bytes per order with its lines\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(snapshot->order_count()),
                static_cast<unsigned long long>(snapshot->line_count()), static_cast<double>(bytes) / 1e6,
                static_cast<double>(bytes) / static_cast<double>(snapshot->order_count()));
  }
};
Loaded& loaded() {
  static Loaded once;
  return once;
}

void page(benchmark::State& state, const query::Parameters& parameters) {
  const auto snapshot = loaded().model.current();
  std::uint64_t matching = 0;
  for (auto _ : state) {
    const auto parsed = query::parse_order_query(parameters, today_day);
    const auto answer = query::orders(*snapshot, parsed.query, today_day);
    matching = answer->matching;
    benchmark::DoNotOptimize(answer);
  }
  state.counters["matching"] = static_cast<double>(matching);
}
BENCHMARK_CAPTURE(page, all, query::Parameters{});
BENCHMARK_CAPTURE(page, open_by_due, query::Parameters{{"status", "Open"}, {"sort", "-due"}});
BENCHMARK_CAPTURE(page, late_by_amount, query::Parameters{{"status", "late"}, {"sort", "-open_amount,order"}});
BENCHMARK_CAPTURE(page, all_by_customer_name, query::Parameters{{"sort", "customer_name"}});
BENCHMARK_CAPTURE(page, one_customer, query::Parameters{{"customer", "C10042"}});
BENCHMARK_CAPTURE(page, amount_range, query::Parameters{{"open_amount", "gte.500000"}, {"due", "lt.2026-12-01"}, {"sort", "due"}});
BENCHMARK_CAPTURE(page, one_item, query::Parameters{{"item", "BK-M68B-17"}});
BENCHMARK_CAPTURE(page, search_word, query::Parameters{{"q", "alpen"}});
BENCHMARK_CAPTURE(page, search_digits, query::Parameters{{"q", "4"}});
BENCHMARK_CAPTURE(page, search_nothing, query::Parameters{{"q", "no such words"}});

void window_jump(benchmark::State& state) {
  const auto snapshot = loaded().model.current();
  const auto parsed = query::parse_order_query({{"sort", "-total"}}, today_day);
  for (auto _ : state) benchmark::DoNotOptimize(query::orders_window(*snapshot, parsed.query, 15'000, today_day));
}
BENCHMARK(window_jump);

void totals(benchmark::State& state, query::TotalsGroup group, const query::Parameters& parameters) {
  const auto snapshot = loaded().model.current();
  const auto parsed = query::parse_order_query(parameters, today_day);
  for (auto _ : state) benchmark::DoNotOptimize(query::totals(*snapshot, group, parsed.query, today_day));
}
BENCHMARK_CAPTURE(totals, customer, query::TotalsGroup::customer, {});
BENCHMARK_CAPTURE(totals, status, query::TotalsGroup::status, {});
BENCHMARK_CAPTURE(totals, due_month, query::TotalsGroup::due_month, {});
BENCHMARK_CAPTURE(totals, item, query::TotalsGroup::item, {});
BENCHMARK_CAPTURE(totals, item_of_open, query::TotalsGroup::item, query::Parameters{{"status", "Open"}});

void morning(benchmark::State& state) {
  const auto snapshot = loaded().model.current();
  for (auto _ : state) benchmark::DoNotOptimize(query::today(*snapshot, today_day, 20));
}
BENCHMARK(morning);

void one_order(benchmark::State& state) {
  const auto snapshot = loaded().model.current();
  std::uint32_t n = 1;
  for (auto _ : state) {
    n = n * 1'664'525 + 1'013'904'223;
    benchmark::DoNotOptimize(query::order_detail(*snapshot, std::to_string(43'659 + n % order_count), today_day));
  }
}
BENCHMARK(one_order);

// One change of a random order, published at once, while somebody still holds the Snapshot before it.
void apply_one_change(benchmark::State& state) {
  Loaded& book = loaded();
  std::uint32_t n = 1;
  for (auto _ : state) {
    state.PauseTiming();
    n = n * 1'664'525 + 1'013'904'223;
    const feed::Change change = book.company.order(static_cast<int>(n % order_count), ++book.sequence);
    const auto held = book.model.current();
    state.ResumeTiming();
    if (!book.model.apply(std::span(&change, 1))) std::abort();
  }
}
BENCHMARK(apply_one_change);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  loaded();
  benchmark::RunSpecifiedBenchmarks();
}
