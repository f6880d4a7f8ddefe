#include "app/demo_company.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "app/demo_files.h"
#include "app/demo_ticker.h"
#include "domain/order_rules.h"
#include "ingest/document.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::sys_days;

constexpr Day today = std::chrono::year(2026) / 11 / 20;
const std::atomic<bool> never{false};

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "millrace-demo-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::map<std::string, std::string> tree(const std::string& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files[fs::relative(entry.path(), root).string()] = content(entry.path());
  }
  return files;
}

TEST_CASE("the same seed and day make the same company, another seed another one") {
  const DemoCompany first({7, 200, today}), again({7, 200, today}), other({8, 200, today});
  std::size_t different = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK(first.document(i).order == again.document(i).order);
    CHECK(first.document(i).path == again.document(i).path);
    different += first.document(i).order == other.document(i).order ? 0 : 1;
  }
  CHECK(different == 200);
}

TEST_CASE("the generator's numbers are the same on every machine") {
  Dice dice(42);
  CHECK(dice.next() == 13679457532755275413ull);  // splitmix64 with seed 42, as published
  CHECK(dice.below(1) == 0);
  for (int i = 0; i < 1000; ++i) {
    const auto roll = dice.between(-3, 4);
    CHECK((roll >= -3 && roll <= 4));
  }
}

TEST_CASE("the company looks like a company: several currencies, some late, most closed, a few copies") {
  const DemoCompany company({42, 3000, today});
  std::map<std::string, int> statuses, currencies;
  std::set<std::string> paths;
  int late = 0, partly = 0, superseded = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    const DemoDocument document = company.document(i);
    const SalesOrder& order = document.order;
    ++statuses[order.status];
    ++currencies[order.currency.code()];
    CHECK(paths.insert(document.path).second);
    CHECK(sys_days(*order.order_date) < sys_days(today));
    CHECK(*order.updated < Instant(sys_days(today)));
    CHECK(utc_day(*order.updated) >= *order.order_date);
    if (is_active(order.status) && lateness_days(*order.requested_date, today) > 0) ++late;
    partly += std::ranges::any_of(order.lines, [](const OrderLine& line) {
      return line.quantity_open.micros > 0 && line.quantity_open < line.quantity_ordered;
    });
    if (const auto older = company.superseded(i)) {
      ++superseded;
      CHECK(paths.insert(older->path).second);
      CHECK(*older->order.updated < *order.updated);
      CHECK(older->order.number == order.number);
    }
  }
  CHECK(statuses.size() == 6);
  CHECK(statuses["Closed"] > 1500);
  CHECK(currencies.size() == 5);
  CHECK(currencies["EUR"] > 1500);
  CHECK((late > 15 && late < 150));
  CHECK(partly > 10);
  CHECK((superseded > 50 && superseded < 300));
}

TEST_CASE("amounts of every order follow the rules") {
  const DemoCompany company({3, 300, today});
  for (std::size_t i = 0; i < 300; ++i) {
    SalesOrder order = company.document(i).order;
    const SalesOrder before = order;
    settle_amounts(order);
    CHECK(order == before);
    CHECK(order.document_total == amounts(order).total);
    for (const OrderLine& line : order.lines)
      CHECK(line.line_total ==
            line_total(line.quantity_ordered, line.unit_price, line.discount, order.currency).value());
  }
}

// Without what a format does not say.
SalesOrder comparable(SalesOrder order, ingest::Format format) {
  order.status.clear();
  order.extra.clear();
  for (OrderLine& line : order.lines) line.place = {};
  if (format != ingest::Format::json) {
    order.source_key.clear();
    order.document_status = DocumentStatus::unknown;
    order.cancelled = false;
  }
  return order;
}

TEST_CASE("our own parsers read the demo's JSON, CSV and XLSX back to the same orders") {
  const DemoCompany company({42, 400, today});
  std::map<ingest::Format, int> read;
  for (std::size_t i = 0; i < 400; ++i) {
    DemoDocument document = company.document(i);
    if (document.format == ingest::Format::pdf) continue;  // its text comes from pdftotext; see the scenario
    const auto bytes = render(document);
    REQUIRE_MESSAGE(bytes, bytes.error().text());
    const auto parsed = ingest::parse_document(*bytes, document.path, ingest::built_in_profile());
    CAPTURE(document.path);
    for (const auto& finding : parsed.findings)
      FAIL_CHECK(finding.place << ": " << finding.reason << " " << finding.value);
    REQUIRE(parsed.orders.size() == 1);
    const SalesOrder is = comparable(parsed.orders.front(), document.format);
    const SalesOrder wanted = comparable(document.order, document.format);
    REQUIRE(is.lines.size() == wanted.lines.size());
    for (std::size_t line = 0; line < is.lines.size(); ++line) {
      CHECK(is.lines[line].line_number == wanted.lines[line].line_number);
      CHECK(is.lines[line].item_name == wanted.lines[line].item_name);
      CHECK(is.lines[line].unit_price == wanted.lines[line].unit_price);
      CHECK(is.lines[line].line_total == wanted.lines[line].line_total);
      CHECK(is.lines[line].status == wanted.lines[line].status);
      CHECK(is.lines[line].requested_date == wanted.lines[line].requested_date);
      CHECK(is.lines[line] == wanted.lines[line]);
    }
    CHECK(is.source_key == wanted.source_key);
    CHECK(is.document_total == wanted.document_total);
    CHECK(is.document_status == wanted.document_status);
    CHECK(is.order_date == wanted.order_date);
    CHECK(is.tax == wanted.tax);
    CHECK(is.freight == wanted.freight);
    CHECK(is.number == wanted.number);
    CHECK(is.customer_name == wanted.customer_name);
    CHECK(is.salesperson == wanted.salesperson);
    CHECK(is.currency == wanted.currency);
    CHECK(is.requested_date == wanted.requested_date);
    CHECK(is.updated == wanted.updated);
    CHECK(is == wanted);
    ++read[document.format];
  }
  CHECK(read.size() == 3);
}

TEST_CASE("the same company gives the same files to the byte, with the order's stamp as their time") {
  const Folder first, second;
  const DemoCompany company({5, 120, today});
  const auto made = prepare_demo_tree(first.path(), company, never, {});
  REQUIRE_MESSAGE(made, made.error().text());
  REQUIRE(prepare_demo_tree(second.path(), company, never, {}));
  CHECK(tree(first.path() + "/orders") == tree(second.path() + "/orders"));
  const DemoDocument some = company.document(60);
  struct stat status{};
  REQUIRE(::stat((made->root + "/" + some.path).c_str(), &status) == 0);
  CHECK(Instant(std::chrono::seconds(status.st_mtim.tv_sec)) == *some.order.updated);
}

TEST_CASE("PDF orders are whole PDF files") {
  const DemoCompany company({5, 120, today});
  for (std::size_t i = 0; i < 120; ++i) {
    DemoDocument document = company.document(i);
    if (document.format != ingest::Format::pdf) continue;
    const auto bytes = render(document);
    REQUIRE(bytes);
    CHECK(bytes->starts_with("%PDF-"));
    CHECK(bytes->find("%%EOF") != std::string::npos);
    CHECK(*bytes == *render(document));
  }
}

TEST_CASE("a second start finds the same company and writes nothing; a new day writes a new one") {
  const Folder folder;
  const DemoCompany company({5, 60, today});
  REQUIRE(prepare_demo_tree(folder.path(), company, never, {})->files_written > 60);
  CHECK(prepare_demo_tree(folder.path(), company, never, {})->files_written == 0);
  const DemoCompany tomorrow({5, 60, Day(sys_days(today) + std::chrono::days(1))});
  CHECK(prepare_demo_tree(folder.path(), tomorrow, never, {})->files_written > 60);
}

TEST_CASE("a folder with somebody's own files is never touched") {
  const Folder folder;
  fs::create_directories(folder.path() + "/orders");
  std::ofstream(folder.path() + "/orders/mine.json") << "{}";
  const auto made = prepare_demo_tree(folder.path(), DemoCompany({5, 60, today}), never, {});
  REQUIRE_FALSE(made);
  CHECK(made.error().code() == ErrorCode::conflict);
  CHECK(fs::exists(folder.path() + "/orders/mine.json"));
}

TEST_CASE("a stopped generator begins again at the next start") {
  const Folder folder;
  const DemoCompany company({5, 60, today});
  std::atomic<bool> stop{false};
  const auto stopped =
      prepare_demo_tree(folder.path(), company, stop, [&](std::size_t done, std::size_t) { stop = done == 30; });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code() == ErrorCode::cancelled);
  const auto made = prepare_demo_tree(folder.path(), company, never, {});
  REQUIRE(made);
  CHECK(made->files_written > 60);
}

TEST_CASE("the ticking ERP makes the same changes from the same seed, and one order stays one current file") {
  const Folder first, second;
  const DemoCompany company({11, 400, today});
  const auto made = prepare_demo_tree(first.path(), company, never, {});
  REQUIRE(made);
  REQUIRE(prepare_demo_tree(second.path(), company, never, {}));
  DemoTicker ticker(company, first.path(), *made);
  DemoTicker twin(company, second.path(), DemoTree{second.path() + "/orders", today, made->next_index, 0});
  REQUIRE(ticker.active_count() > 5);
  Instant now = Instant(sys_days(today)) + std::chrono::hours(9);
  std::set<std::string> kinds;
  for (int i = 0; i < 120; ++i) {
    const auto tick = ticker.step(now);
    REQUIRE_MESSAGE(tick, tick.error().text());
    CHECK(tick->text == twin.step(now)->text);
    CHECK(fs::exists(first.path() + "/orders/" + tick->path));
    for (const char* kind : {"entered", "moved from", "delivered", "due date", "price of"}) {
      if (tick->text.find(kind) != std::string::npos) kinds.insert(kind);
    }
    now += std::chrono::seconds(3);
  }
  CHECK(kinds.size() == 5);
  CHECK(tree(first.path() + "/orders") == tree(second.path() + "/orders"));
  for (const auto& [path, bytes] : tree(first.path() + "/orders")) CHECK_FALSE(path.ends_with("json.tmp.tmp"));
}

TEST_CASE("the ticking ERP leaves alone what a person edited, and enters no order twice after a restart") {
  const Folder folder;
  const DemoCompany company({11, 100, today});
  auto made = prepare_demo_tree(folder.path(), company, never, {});
  REQUIRE(made);
  for (std::size_t i = 0; i < 100; ++i) {
    const DemoDocument document = company.document(i);
    if (is_active(document.order.status)) std::ofstream(made->root + "/" + document.path) << "{\"edited\": true}";
  }
  const auto before = tree(made->root);
  DemoTicker ticker(company, folder.path(), *made);
  CHECK(ticker.active_count() == 0);
  const Instant now = Instant(sys_days(today)) + std::chrono::hours(9);
  const auto entered = ticker.step(now);
  REQUIRE(entered);
  CHECK(entered->text.starts_with("SO 100101 entered for"));
  for (const auto& [path, bytes] : before) CHECK(content(made->root + "/" + path) == bytes);
  made = prepare_demo_tree(folder.path(), company, never, {});
  REQUIRE(made);
  CHECK(made->next_index == 101);
}

}  // namespace
}  // namespace millrace::app
