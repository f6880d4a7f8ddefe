// What does it cost to make changes durable? A first load of 31,465 orders (121k lines) from as many documents, and
// single-order commits from several threads at once, as they come when people save files.
//
// Usage: store_bench [FOLDER]   the folder decides which disk is measured, default: a temporary one
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "domain/order_rules.h"
#include "store/record.h"

namespace {

using namespace millrace;

constexpr int load_orders = 31'465;
constexpr int load_batch = 1000;  // as many documents as the folder source commits together
constexpr int single_writers = 8;
constexpr int single_commits = 250;  // per writer

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::shared_ptr<const SalesOrder> made_order(int number, std::mt19937& random, std::string status) {
  SalesOrder order;
  order.number.text = std::to_string(43'659 + number);
  order.source_key = std::to_string(1'000'000 + number);
  order.status = std::move(status);
  order.customer_code = "C" + std::to_string(20'000 + random() % 800);
  order.customer_name = "Brightwater Pump and Valve Company " + std::to_string(random() % 800);
  order.customer_reference = "PO-" + std::to_string(random() % 1'000'000);
  order.salesperson = "Kovacs, Anna";
  order.payment_terms = "30 days net";
  order.currency = *Currency::parse("EUR");
  order.order_date = day_from_number(static_cast<std::int32_t>(20'000 + random() % 500));
  order.requested_date = day_from_number(static_cast<std::int32_t>(20'300 + random() % 500));
  const int lines = 1 + static_cast<int>(random() % 6) + (number % 3 == 0 ? 1 : 0);
  for (int i = 0; i < lines; ++i) {
    OrderLine line;
    line.line_number = i + 1;
    line.item_code = "FR-R" + std::to_string(random() % 500) + "B-58";
    line.item_name = "Mountain frame, silver, size " + std::to_string(random() % 60);
    line.warehouse_code = "01";
    line.unit = "pcs";
    line.quantity_ordered = line.quantity_open = Quantity{static_cast<std::int64_t>(1 + random() % 20) * 1'000'000};
    line.line_total = line.open_amount = static_cast<std::int64_t>(random() % 5'000'000);
    line.place = {Place::Kind::line, static_cast<std::uint32_t>(20 + 14 * i), 5};
    order.lines.push_back(std::move(line));
  }
  return std::make_shared<const SalesOrder>(std::move(order));
}

// One document with one order that counts: its file, what it says and the change it makes.
void add_document(store::Batch& batch, int number, std::mt19937& random) {
  static constexpr const char* folders[] = {"Open", "In Production", "Shipped", "Closed"};
  const std::string status = folders[number % 4];
  store::FileRecord file;
  file.path = status + "/2026/" + std::to_string(number % 12 + 1) + "/SO" + std::to_string(43'659 + number) + ".json";
  file.size = 900 + random() % 3000;
  file.mtime_ns = 1'790'000'000'000'000'000 + number;
  file.inode = 5'000'000 + static_cast<std::uint64_t>(number);
  file.hash = content_hash(file.path);
  file.format = "json";
  store::Candidate candidate{file.path, 0, made_order(number, random, ""), {}};
  SalesOrder filed = *candidate.order;
  filed.status = status;
  feed::OrderPut put;
  feed::OrderDocument document;
  document.source = batch.source;
  document.path = file.path;
  document.format = file.format;
  document.hash = file.hash;
  document.status = status;
  document.total = amounts(filed).total;
  document.line_count = static_cast<std::uint32_t>(filed.lines.size());
  put.documents.push_back(std::move(document));
  put.order = std::make_shared<const SalesOrder>(std::move(filed));
  batch.files_put.push_back(std::move(file));
  batch.candidates_put.push_back(std::move(candidate));
  batch.changes.push_back(feed::order_put(std::move(put)));
}

void fail_with(const Error& error) {
  std::fprintf(stderr, "store_bench: %s\n", error.text().c_str());
  std::exit(1);
}

double seconds_since(Stopwatch::time_point began) { return std::chrono::duration<double>(Stopwatch::now() - began).count(); }

void first_load(store::Record& record) {
  std::mt19937 random(7);
  std::vector<store::Batch> batches;
  std::size_t lines = 0;
  for (int i = 0; i < load_orders; ++i) {
    if (i % load_batch == 0) batches.emplace_back().source = "orders";
    add_document(batches.back(), i, random);
    lines += batches.back().changes.back().put.order->lines.size();
  }
  const double cpu = cpu_seconds();
  const auto began = Stopwatch::now();
  for (store::Batch& batch : batches)
    if (const auto done = record.commit(std::move(batch)); !done) fail_with(done.error());
  const double wall = seconds_since(began), used = cpu_seconds() - cpu;
  const auto facts = record.statistics();
  std::printf("first load      %d orders, %zu lines: %.3f s CPU (%.1f us per order), %.3f s wall, %.0f orders/s, %.1f MB\n", load_orders, lines,
              used, used * 1e6 / load_orders, wall, load_orders / wall, static_cast<double>(facts.database_bytes + facts.log_bytes) / 1e6);
}

void single_orders(store::Record& record) {
  const double cpu = cpu_seconds();
  const auto before = record.statistics().commits;
  const auto began = Stopwatch::now();
  std::vector<std::thread> writers;
  for (int w = 0; w < single_writers; ++w)
    writers.emplace_back([&record, w] {
      std::mt19937 random(static_cast<unsigned>(w));
      for (int i = 0; i < single_commits; ++i) {
        store::Batch batch;
        batch.source = "orders";
        add_document(batch, static_cast<int>(random() % load_orders), random);
        if (const auto done = record.commit(std::move(batch)); !done) fail_with(done.error());
      }
    });
  for (std::thread& writer : writers) writer.join();
  const double wall = seconds_since(began);
  const int total = single_writers * single_commits;
  std::printf("single orders   %d from %d threads: %.0f acknowledged/s, %.1f us CPU each, %.1f in one transaction\n", total, single_writers,
              total / wall, (cpu_seconds() - cpu) * 1e6 / total, static_cast<double>(total) / static_cast<double>(record.statistics().commits - before));
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = (argc > 1 ? std::filesystem::path(argv[1]) : std::filesystem::temp_directory_path()) /
                                       ("store_bench." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    const SystemClock clock;
    auto record = store::open_sqlite_record({.path = (folder / "record.sqlite").string(), .clock = &clock});
    if (!record) fail_with(record.error());
    first_load(**record);
    single_orders(**record);
  }
  std::filesystem::remove_all(folder);
}
