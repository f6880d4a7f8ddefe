// All sources that take pushed batches, by their ids: the door that the server knows.
//
// Invariants
//   * A source may come and go while others push; `remove` returns when nobody is in it any more.
#pragma once
#include <map>
#include <shared_mutex>
#include <string>

#include "ingest/push_source.h"

namespace millrace::ingest {

class PushDesk final : public PushDoor {
 public:
  // `source` stays until it is removed, or as long as the desk.
  void add(const std::string& id, PushSource& source);
  // From now on pushing to it is refused as unavailable; also for a source that never could start.
  void remove(const std::string& id);

  // Besides the errors of PushDoor: unavailable  the source is known and cannot take batches now
  Result<BatchReceipt> push(std::string_view source, PushedBatch batch, std::string_view token) override;
  Result<BatchReceipt> receipt(std::string_view source, std::string_view stream, std::string_view id,
                               std::string_view token) override;

 private:
  Result<PushSource*> find(std::string_view id) const;  // under mutex_

  mutable std::shared_mutex mutex_;
  std::map<std::string, PushSource*, std::less<>> sources_;  // guarded by mutex_; nullptr: known and away
};

}  // namespace millrace::ingest
