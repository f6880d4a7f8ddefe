// The contract for reading changes: what happened after N, in order, nothing skipped.
#pragma once
#include <cstddef>
#include <vector>

#include "base/result.h"
#include "feed/change.h"

namespace millrace::feed {

class Reader {
 public:
  virtual ~Reader() = default;

  // Up to `limit` changes with a Sequence above `after`, ascending, without holes. Empty: there are none yet.
  // Errors   corrupt      a stored change cannot be read; the text names its Sequence
  //          unavailable  the record cannot be read now
  virtual Result<std::vector<Change>> changes_after(Sequence after, std::size_t limit) = 0;
  virtual Result<Sequence> last_sequence() = 0;

  // All changes of one order, oldest first: its history.
  virtual Result<std::vector<Change>> changes_of_order(const OrderNumber& number, std::size_t limit) = 0;
};

}  // namespace millrace::feed
