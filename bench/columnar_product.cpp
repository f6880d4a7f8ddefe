// Packed columns against their peers: one line of JSON about a file of order lines.
//
// Usage: columnar_product LINES.csv          bytes per line, load, questions A-D, five lines of a random order (P)
//        columnar_product --updates LINES.csv [SECONDS]   changes while a reader scans
//
// LINES.csv has the columns line_id, order_id, line_no, sku, customer, warehouse, qty, price, currency, status,
// order_day, due_day, salesman, pending; LINES.csv.ids.json, where it is there, lists the orders to look up. Questions
// are asked warm, seven times, the median counts. A, B and C are asked twice: of totals that are kept right by every
// change
// (`A_ms`) and by a scan (`A_scan_ms`). P is one pass over the orders, as its peers do it; `P_warm_us` is the median of
// seven. Without a file name a small one is made up.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>

#include "base/json_writer.h"
#include "columns/csv_table.h"
#include "columns/scan.h"

namespace {

using namespace millrace;
using namespace millrace::columns;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/smaps_rollup");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("Rss:")) return std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
  return 0;
}

[[noreturn]] void stop(const std::string& why) {
  std::cerr << "columnar_product: " << why << "\n";
  std::exit(1);
}

struct LineTable {
  CsvTable csv;
  std::size_t order_id, sku, customer, qty, price, status, due_day, pending;
  Condition pending_status;  // open or in production

  std::size_t column(std::string_view name) const {
    for (std::size_t index = 0; index < csv.head.size(); ++index)
      if (csv.head[index] == name) return index;
    stop("the file has no column " + std::string(name));
  }
  Condition is(std::size_t in, std::initializer_list<std::string_view> texts) const {
    Condition condition{in, {}};
    for (const auto text : texts)
      if (const auto code = csv.table->shape().columns[in].dictionary->find(text)) condition.any_of.push_back(*code);
    return condition;
  }
};

LineTable load(const std::string& path) {
  auto csv = load_csv(file_opener(path), {});
  if (!csv) stop(csv.error().text());
  LineTable lines{std::move(*csv), 0, 0, 0, 0, 0, 0, 0, 0, {}};
  lines.order_id = lines.column("order_id");
  lines.sku = lines.column("sku");
  lines.customer = lines.column("customer");
  lines.qty = lines.column("qty");
  lines.price = lines.column("price");
  lines.status = lines.column("status");
  lines.due_day = lines.column("due_day");
  lines.pending = lines.column("pending");
  lines.pending_status = lines.is(lines.status, {"open", "production"});
  malloc_trim(0);
  return lines;
}

std::vector<std::int64_t> order_ids(const std::string& path) {
  std::ifstream in(path + ".ids.json");
  std::stringstream text;
  text << in.rdbuf();
  std::vector<std::int64_t> ids;
  std::string all = text.str();
  for (char& letter : all)
    if (letter < '0' || letter > '9') letter = ' ';
  std::istringstream numbers(all);
  for (std::int64_t id = 0; numbers >> id;) ids.push_back(id);
  return ids;
}

double median_ms(const std::function<void()>& ask) {
  ask();
  std::vector<double> times;
  for (int round = 0; round < 7; ++round) {
    const auto start = Clock::now();
    ask();
    times.push_back(seconds_since(start) * 1000);
  }
  std::sort(times.begin(), times.end());
  return times[3];
}

using Ranking = std::vector<std::pair<std::string, std::int64_t>>;

Ranking top_customers(const LineTable& lines, const std::vector<GroupTotal>& groups) {
  const Dictionary& names = *lines.csv.table->shape().columns[lines.customer].dictionary;
  std::vector<GroupTotal> sorted(groups);
  const auto count = std::min<std::size_t>(20, sorted.size());
  std::partial_sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count), sorted.end(),
                    [&](const GroupTotal& left, const GroupTotal& right) {
                      if (left.sum != right.sum) return left.sum > right.sum;
                      return names.text(static_cast<std::uint32_t>(left.group)) <
                             names.text(static_cast<std::uint32_t>(right.group));
                    });
  Ranking ranking;
  for (std::size_t index = 0; index < count; ++index)
    ranking.emplace_back(names.text(static_cast<std::uint32_t>(sorted[index].group)),
                         static_cast<std::int64_t>(sorted[index].sum));
  return ranking;
}

// One order line with all its columns, as a reader wants it: numbers and texts.
struct Cell {
  std::int64_t number = 0;
  std::string_view text;
};

struct OrderReader {
  const LineTable& lines;
  SnapshotPtr snapshot = lines.csv.table->snapshot();
  std::vector<std::int64_t> numbers = std::vector<std::int64_t>(64 * lines.csv.head.size());
  std::vector<Cell> cells = std::vector<Cell>(64 * lines.csv.head.size());

  std::int64_t amount(std::int64_t order) {
    const RowRange rows = snapshot->equal_range(lines.order_id, order);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(rows.count, 64));
    snapshot->read(rows.first, count, numbers.data());
    const auto& columns = snapshot->shape().columns;
    for (std::size_t column = 0; column < columns.size(); ++column) {
      for (std::size_t row = 0; row < count; ++row) {
        Cell& cell = cells[row * columns.size() + column];
        cell.number = numbers[column * count + row];
        if (!columns[column].is_text()) continue;
        const Cell* const above = row > 0 ? &cell - columns.size() : nullptr;
        cell.text = above != nullptr && above->number == cell.number
                        ? above->text
                        : columns[column].dictionary->text(static_cast<std::uint32_t>(cell.number));
      }
    }
    std::int64_t sum = 0;
    for (std::size_t row = 0; row < count; ++row)
      sum += cells[row * columns.size() + lines.qty].number * cells[row * columns.size() + lines.price].number;
    return sum;
  }
};

struct Point {
  double first_us = 0, warm_us = 0;
  std::int64_t all = 0, first_200 = 0;
};

Point look_up(const LineTable& lines, const std::vector<std::int64_t>& ids) {
  Point point;
  OrderReader reader{lines};
  std::vector<double> times;
  for (int pass = 0; pass < 8; ++pass) {
    std::int64_t sum = 0;
    const auto start = Clock::now();
    for (std::size_t index = 0; index < ids.size(); ++index) {
      sum += reader.amount(ids[index]);
      if (index == 199) point.first_200 = sum;
    }
    times.push_back(seconds_since(start) * 1e6 / static_cast<double>(ids.size()));
    point.all = sum;
  }
  point.first_us = times.front();
  times.erase(times.begin());
  std::sort(times.begin(), times.end());
  point.warm_us = times[3];
  return point;
}

void measure(const std::string& path) {
  malloc_trim(0);
  const std::uint64_t before = resident_bytes();
  const auto start = Clock::now();
  LineTable lines = load(path);
  Table& table = *lines.csv.table;
  const TotalQuestion question_a{lines.pending, lines.pending_status, {}};
  const TotalQuestion question_b{lines.pending, lines.pending_status, Grouping{lines.customer, 0, 1}};
  const TotalQuestion question_c{lines.pending, lines.pending_status, Grouping{lines.due_day, 4, 7}};
  for (const auto& question : {question_a, question_b, question_c}) table.keep_total(question);
  table.publish();
  const double load_seconds = seconds_since(start);
  const auto rows = static_cast<double>(table.rows());
  const std::uint64_t after = resident_bytes();
  std::uint64_t own = table.bytes();
  for (const Column& column : table.shape().columns) own += column.is_text() ? column.dictionary->bytes() : 0;

  const SnapshotPtr snapshot = table.snapshot();
  const Condition one_item = lines.is(lines.sku, {"SKU-00777"});
  Sum a = 0, a_scan = 0, d = 0;
  Ranking b, b_scan;
  std::vector<GroupTotal> c, c_scan;
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  const auto put = [&](std::string_view name, double value) { json.key(name).ratio(value, 4); };
  put("bytes_per_line", (static_cast<double>(after) - static_cast<double>(before)) / rows);
  put("own_bytes_per_line", static_cast<double>(own) / rows);
  put("load_s", load_seconds);
  put("A_ms", median_ms([&] {
        a = snapshot->kept_total(0).groups().empty() ? 0 : snapshot->kept_total(0).groups().front().sum;
      }));
  put("B_ms", median_ms([&] { b = top_customers(lines, snapshot->kept_total(1).groups()); }));
  put("C_ms", median_ms([&] { c = snapshot->kept_total(2).groups(); }));
  put("D_ms", median_ms([&] { d = total_of_products(*snapshot, lines.qty, lines.price, one_item); }));
  put("A_scan_ms", median_ms([&] { a_scan = total(*snapshot, question_a); }));
  put("B_scan_ms", median_ms([&] { b_scan = top_customers(lines, totals(*snapshot, question_b)); }));
  put("C_scan_ms", median_ms([&] { c_scan = totals(*snapshot, question_c); }));
  if (a != a_scan || b != b_scan || c != c_scan) stop("kept totals and scans differ");
  const Point point = look_up(lines, order_ids(path));
  put("P_us", point.first_us);
  put("P_warm_us", point.warm_us);
  json.field("lines", table.rows())
      .field("kept", "A, B, C from totals that every change keeps right; *_scan_ms without them");
  json.key("answers").begin_object().key("A").raw(text_of(a)).key("B").begin_array();
  for (const auto& [name, sum] : b) json.begin_array().text(name).number(sum).end_array();
  json.end_array().key("C").begin_array();
  for (const GroupTotal& week : c)
    json.begin_array().number(week.group).number(static_cast<std::int64_t>(week.sum)).end_array();
  json.end_array()
      .key("D")
      .raw(text_of(d))
      .field("P", point.all)
      .field("P200", point.first_200)
      .end_object()
      .end_object();
  std::cout << text << "\n";
}

// Random changes as fast as they go, published every millisecond or thousand, while a reader scans.
void measure_updates(const std::string& path, double seconds) {
  LineTable lines = load(path);
  Table& table = *lines.csv.table;
  const TotalQuestion question{lines.pending, lines.pending_status, Grouping{lines.customer, 0, 1}};
  table.keep_total(question);
  table.publish();
  const Condition one_item = lines.is(lines.sku, {"SKU-00777"});
  const auto scan = [&](const Snapshot& snapshot) {
    (void)total_of_products(snapshot, lines.qty, lines.price, one_item);
  };
  const double scan_alone = median_ms([&] { scan(*table.snapshot()); });

  std::atomic<bool> ends{false};
  std::vector<double> scans;
  double snapshot_wait_max = 0;
  std::uint64_t wrong = 0;
  std::thread reader([&] {
    while (!ends.load()) {
      const auto wait = Clock::now();
      const SnapshotPtr snapshot = table.snapshot();
      snapshot_wait_max = std::max(snapshot_wait_max, seconds_since(wait));
      const auto start = Clock::now();
      scan(*snapshot);
      scans.push_back(seconds_since(start) * 1000);
      if (scans.size() % 32 == 0 && totals(*snapshot, question) != snapshot->kept_total(0).groups()) ++wrong;
    }
  });
  std::mt19937_64 random(1);
  const std::uint64_t statuses = table.shape().columns[lines.status].dictionary->size();
  std::uint64_t changes = 0;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    for (int change = 0; change < 1000; ++change, ++changes) {
      const std::uint64_t row = random() % table.rows();
      Result<void> done;
      switch (random() % 4) {
        case 0:
          done = table.set(row, lines.status, static_cast<std::int64_t>(random() % statuses));
          break;
        case 1:
          done = table.set(row, lines.qty, static_cast<std::int64_t>(random() % 40 + 1));
          break;
        case 2:
          done = table.set(row, lines.pending, static_cast<std::int64_t>(random() % 3'000'000));
          break;
        default:
          done = table.set(row, lines.due_day, static_cast<std::int64_t>(19'000 + random() % 1'560));
      }
      if (!done) stop(done.error().text());
    }
    table.publish();
  }
  const double took = seconds_since(start);
  ends = true;
  reader.join();
  const double bytes_dirty = static_cast<double>(table.bytes()) / static_cast<double>(table.rows());
  if (totals(*table.snapshot(), question) != table.snapshot()->kept_total(0).groups()) ++wrong;
  const double scan_dirty = median_ms([&] { scan(*table.snapshot()); });
  table.compact();
  table.publish();
  if (totals(*table.snapshot(), question) != table.snapshot()->kept_total(0).groups()) ++wrong;
  std::sort(scans.begin(), scans.end());
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  const auto put = [&](std::string_view name, double value) { json.key(name).ratio(value, 4); };
  put("updates_per_s", static_cast<double>(changes) / took);
  json.field("updates", changes).field("scans", std::uint64_t{scans.size()});
  put("scan_alone_ms", scan_alone);
  put("scan_p50_ms", scans.empty() ? 0 : scans[scans.size() / 2]);
  put("scan_p99_ms", scans.empty() ? 0 : scans[scans.size() * 99 / 100]);
  put("scan_with_delta_ms", scan_dirty);
  put("snapshot_wait_max_us", snapshot_wait_max * 1e6);
  put("own_bytes_per_line_with_delta", bytes_dirty);
  put("own_bytes_per_line_compacted", static_cast<double>(table.bytes()) / static_cast<double>(table.rows()));
  json.field("wrong", wrong).end_object();
  std::cout << text << "\n";
  if (wrong > 0) stop("a snapshot's kept totals differed from a scan of it");
}

// Orders of five lines with the same columns as the shared file, smaller.
std::string made_up_file() {
  const std::string path = (std::filesystem::temp_directory_path() / "millrace-columnar-lines.csv").string();
  std::ofstream out(path, std::ios::trunc);
  out << "line_id,order_id,line_no,sku,customer,warehouse,qty,price,currency,status,order_day,due_day,salesman,"
         "pending\n";
  std::minstd_rand random(1);
  constexpr int orders = 100'000;
  for (int order = 1; order <= orders; ++order) {
    const auto customer = static_cast<unsigned>(random()) % 800;
    const bool open = order > orders * 93 / 100 || random() % 100 == 0;
    const int day = 19'000 + order * 15 / 1000;
    for (int line = 1; line <= 5; ++line) {
      const auto sku = static_cast<unsigned>(random()) % 5000;
      const unsigned qty = 1 + static_cast<unsigned>(random()) % 40;
      const unsigned price = 199 + sku * 7919 % 90'000;
      char text[256];
      std::snprintf(text, sizeof text, "%d,%d,%d,SKU-%05u,C%05u,WH%02u,%u,%u,%s,%s,%d,%d,S%02u,%u\n",
                    (order - 1) * 5 + line, order, line, sku, customer, sku % 12, qty, price,
                    customer % 3 == 0 ? "EUR" : "USD", open ? "open" : "closed", day,
                    day + static_cast<int>(5 + random() % 60), customer / 20, open ? qty * price / 2 : 0);
      out << text;
    }
  }
  out.close();
  std::ofstream ids(path + ".ids.json", std::ios::trunc);
  ids << "[1";
  for (int index = 0; index < 1999; ++index) ids << ", " << 1 + random() % orders;
  ids << "]";
  return path;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty()) {
    const std::string path = made_up_file();
    measure(path);
    measure_updates(path, 3);
    return 0;
  }
  if (words[0] == "--updates" && words.size() >= 2) {
    measure_updates(words[1], words.size() > 2 ? std::strtod(words[2].c_str(), nullptr) : 5);
    return 0;
  }
  measure(words[0]);
  return 0;
}
