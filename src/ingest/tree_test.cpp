// Reads a whole generated tree in this process and holds it against the generator's truth. Runs only when
// MILLRACE_TREE names a tree (its truth is <tree>.orders.csv): the end-to-end check of exactness.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "base/text.h"
#include "domain/order_rules.h"
#include "ingest/document.h"
#include "ingest/internal/reader.h"
#include "ingest/internal/pdf_text.h"
#include "ingest/pdf_parser.h"

namespace millrace::ingest {
namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return std::move(all).str();
}

ParsedDocument read_any(const std::string& content, const std::string& name, const CompiledLayout& layout) {
  if (sniff(content, name) != Format::pdf) return parse_with(content, name, layout);
  return parse_pdf(content, layout, PdfTextLimits{});
}

// The path may hold quotes and newlines: the truth's columns before it do not.
std::vector<std::vector<std::string>> truth_rows(const std::string& file) {
  std::vector<std::vector<std::string>> rows(1);
  std::string field;
  bool quoted = false;
  for (const char c : slurp(file)) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      rows.back().push_back(std::move(field));
      field.clear();
    } else if (c == '\n' && !quoted) {
      rows.back().push_back(std::move(field));
      field.clear();
      rows.emplace_back();
    } else {
      field += c;
    }
  }
  rows.pop_back();
  rows.erase(rows.begin());
  return rows;
}

std::string summary(const SalesOrder& order, std::string_view format) {
  const OrderAmounts sums = amounts(order);
  const auto day = [](const std::optional<Day>& d) { return d ? iso(*d) : std::string(); };
  std::ostringstream out;
  out << order.number.text << ' ' << order.customer_code << ' ' << order.currency.code() << ' ' << day(order.order_date) << ' '
      << day(order.requested_date) << ' ' << order.lines.size() << ' ' << sums.net << ' ' << order.tax << ' ' << order.freight << ' '
      << sums.total << ' ' << sums.open << ' ' << (order.updated ? utc_seconds(*order.updated) : "") << ' ' << format;
  return out.str();
}

TEST_CASE("a generated tree is read exactly as its truth says") {
  const char* tree = std::getenv("MILLRACE_TREE");
  if (tree == nullptr) return;
  const CompiledLayout layout(built_in_profile());
  std::map<std::string, int> seconds;
  std::size_t wrong = 0;
  for (const auto& row : truth_rows(std::string(tree) + ".orders.csv")) {
    const std::string& path = row.at(14);
    const ParsedDocument document = read_any(slurp(std::filesystem::path(tree) / path), path, layout);
    std::string expected;
    for (const std::size_t i : {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}) expected += (i == 0 ? "" : " ") + row.at(i);
    std::string got = document.orders.size() == 1 ? summary(document.orders[0], word(document.format)) : std::string("no single order");
    if (got != expected && ++wrong <= 20) {
      std::cerr << path << "\n  expected " << expected << "\n  got      " << got << "\n";
      for (const Finding& finding : document.findings) std::cerr << "  " << finding.place << ": " << finding.reason << " [" << finding.value << "]\n";
      std::cerr << "  ignored: " << document.ignored_because << "\n";
    }
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace millrace::ingest
