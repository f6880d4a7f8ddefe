// Reads a tree once, without a record or a server: `millrace scan`.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "feed/change.h"
#include "ingest/folder.h"
#include "ingest/parser_pool.h"

namespace millrace::ingest {

struct ScanProgress {
  enum class Phase : std::uint8_t { listing, reading };
  Phase phase = Phase::listing;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0 while listing
};

struct ScanOptions {
  std::string root;
  ListOptions listing;
  ParserPoolOptions parsers;
};

struct ScanResult {
  std::vector<feed::OrderPut> orders;          // exactly those that count, by order number
  std::vector<feed::Rejection> rejections;     // by path and place
  std::uint64_t files = 0, directories = 0, bytes = 0, ignored = 0, superseded = 0;
  std::uint64_t skipped = 0;                   // by name or kind, never opened
  std::chrono::milliseconds listing_took{0}, reading_took{0}, deciding_took{0};
};

// Errors   those of list_folder and ParserPool::start; cancelled when `stop` was set
Result<ScanResult> scan_once(ScanOptions options, const Clock& clock, const std::atomic<bool>& stop,
                             const std::function<void(const ScanProgress&)>& progress);

}  // namespace millrace::ingest
