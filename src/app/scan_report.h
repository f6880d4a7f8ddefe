// What one reading of a tree says: the orders that count as CSV, the refused files as CSV, totals for people and
// programs.
//
// Invariants
//   * Pure: text out of a ScanResult. Amounts are exact decimal text in the currency's own decimals.
//   * Currencies are never added together; only the JSON's `net` and `open` are sums of minor units over all of them,
//     for comparing two readings with one number.
#pragma once
#include <string>
#include <vector>

#include "domain/money.h"
#include "ingest/scan_once.h"

namespace millrace::app {

struct ScanSum {
  Currency currency;
  std::uint64_t orders = 0;
  std::uint64_t lines = 0;
  std::int64_t net = 0, tax = 0, freight = 0, total = 0, open = 0;  // minor units
};
std::vector<ScanSum> scan_sums(const ingest::ScanResult& result);  // by currency code

// order,status,customer,currency,order_date,due_date,lines,net,tax,freight,total,open,updated,format,path
std::string orders_csv(const ingest::ScanResult& result);
// path,place,reason,outcome
std::string rejections_csv(const ingest::ScanResult& result);
// Files that add nothing, or less than they should: what exit code 6 is about.
std::uint64_t refused_count(const ingest::ScanResult& result);

std::string scan_text(const std::string& root, const ingest::ScanResult& result);
std::string scan_json(const std::string& root, const ingest::ScanResult& result);

}  // namespace millrace::app
