// Parsers that start with the first document: a start that finds every file unchanged needs none.
//
// Invariants
//   * Answers as the pool behind it does. When that cannot be started, a document is answered as `held` with the
//     reason, so that its source asks again later; the start itself is tried again after a pause.
#pragma once
#include <mutex>

#include "base/time.h"
#include "ingest/parser_pool.h"

namespace millrace::ingest {

class ParserPoolOnDemand final : public ParserPool {
 public:
  ParserPoolOnDemand(ParserPoolOptions options, std::function<void(std::vector<ParseAnswer>)> on_answer);

  bool submit(ParseJob job) override;
  void stop() override;
  std::string sandbox() const override;
  std::uint64_t workers_replaced() const override;
  // Starts the parsers now, when that was not done yet: the first document then does not wait for it.
  void prepare();

 private:
  ParserPool* started(std::string& why_not);

  const ParserPoolOptions options_;
  const std::function<void(std::vector<ParseAnswer>)> on_answer_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::unique_ptr<ParserPool> pool_;
  std::string why_not_;
  Stopwatch::time_point try_again_{};
  bool stopped_ = false;
};

}  // namespace millrace::ingest
