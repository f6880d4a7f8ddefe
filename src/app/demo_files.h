// The demo company's documents as files: JSON as SAP Business One gives it, CSV, XLSX and PDF as people make them.
//
// Invariants
//   * Our own parsers read every document back to the same order (test), except for what a format does not carry.
//   * Same document, same bytes.
//   * A file appears whole: written under a temporary name beside its place, then renamed; its mtime is the order's
//     own stamp.
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "app/demo_company.h"
#include "base/result.h"

namespace millrace::app {

// Errors   unavailable  the library could not write; the text names the order
Result<std::string> render(const DemoDocument& document);

// What lies between good order files in real folders: lock files, half documents, a price list.
struct DemoStray {
  std::string path;  // relative
  std::string content;
  Instant modified;
};
Result<std::vector<DemoStray>> demo_strays(const DemoCompany& company);

// Creates missing folders. Errors  unavailable  with the path and the system's reason
Result<void> write_file_whole(const std::string& root, const std::string& path, const std::string& content,
                              Instant modified);
Result<void> write_document(const std::string& root, const DemoDocument& document);

struct DemoTree {
  std::string root;                 // orders folder
  Day company_day{};                // "today" of the company in the folder
  std::size_t next_index = 0;       // the order that would be entered next
  std::uint64_t files_written = 0;  // 0: an earlier run of the same company is still there
};

// Writes the company below `data`/orders, unless the same company (seed, size, day) is already there. Another company
// that an earlier run wrote is replaced; a folder we did not write is never touched.
// Errors   conflict     `data`/orders holds files that are not the demo's
//          unavailable  disk full or no right to write
//          cancelled    `stop` became true; the next run begins again
Result<DemoTree> prepare_demo_tree(const std::string& data, const DemoCompany& company, const std::atomic<bool>& stop,
                                   const std::function<void(std::size_t done, std::size_t total)>& progress);

// Remembers how far the ticking ERP got, so that a restart does not enter the same order twice.
Result<void> remember_next_index(const std::string& data, const DemoCompany& company, std::size_t next_index);

}  // namespace millrace::app
