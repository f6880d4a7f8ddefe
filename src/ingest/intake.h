// The one door into the record: sources bring what they read, Intake lets the order book decide and commits.
//
// Invariants
//   * One caller at a time works on the book; decisions and commits happen in the same order.
//   * A batch whose commit failed is kept and committed first next time: nothing decided is lost.
#pragma once
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/order_book.h"
#include "store/record.h"

namespace millrace::ingest {

class Intake {
 public:
  Intake(store::Record& record, LayoutProfile profile);

  // Loads what the record knows of these sources. Before the first `commit`.
  Result<void> restore(const std::vector<std::string>& sources);

  // Runs `work` on the book, alone.
  template <class Work>
  auto with_book(Work work) {
    const std::lock_guard lock(mutex_);
    return work(book_);
  }

  // Decides and commits what `source` brought. Errors: those of Record::commit; call again later.
  // Answers whether anything was written.
  Result<bool> commit(const std::string& source);

 private:
  store::Record& record_;
  std::mutex mutex_;
  // guarded by mutex_
  OrderBook book_;
  std::optional<store::Batch> unsent_;
};

}  // namespace millrace::ingest
