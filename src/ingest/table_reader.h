// Reads a document that a person sent, in a sandboxed process, while he waits.
//
// Invariants
//   * One document at a time: who comes meanwhile is told to try again. The wait is bounded by what a parser may take.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/document.h"
#include "ingest/parser_pool.h"

namespace millrace::ingest {

class TableReader {
 public:
  // Without parsers nothing can be read.
  explicit TableReader(std::optional<ParserPoolOptions> parsers);
  ~TableReader();
  void stop();

  // The table of the document; `name` says to the parser what is wanted of it.
  // Errors   invalid_input  it is no such document; the text says why
  //          unavailable    another one is being read, or no parser could be started
  Result<ParsedDocument> read(std::string_view content, std::string_view name);

 private:
  void on_answers(std::vector<ParseAnswer> answers);

  std::chrono::milliseconds patience_{};  // with one document
  std::unique_ptr<ParserPool> pool_;
  std::mutex mutex_;
  // guarded by mutex_
  bool reading_ = false, stopped_ = false;
  std::uint64_t job_ = 0;
  std::optional<ParsedDocument> answer_;
  std::condition_variable answered_;
};

}  // namespace millrace::ingest
