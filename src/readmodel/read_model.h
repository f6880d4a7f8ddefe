// The one writer of the read model: applies changes in order and publishes immutable Snapshots.
//
// Invariants
//   * Built from changes alone, or from the parts of a Snapshot that was; knows no database, file or clock.
//   * `apply` takes changes in ascending Sequence without holes; a hole is `corrupt` and applies nothing.
//   * A published Snapshot never changes; publishing copies only what the changes touched.
//   * Two read models fed the same changes answer every question equally, however the changes were cut into
//     batches (property test).
#pragma once
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"
#include "feed/change.h"
#include "readmodel/snapshot.h"
#include "readmodel/warm_model.h"

namespace millrace::readmodel {

class ReadModel {
 public:
  ReadModel();
  ~ReadModel();
  ReadModel(const ReadModel&) = delete;
  ReadModel& operator=(const ReadModel&) = delete;

  // Applies the changes and publishes one new Snapshot with the Sequence of the last of them.
  // One thread at a time. Errors   corrupt  a hole or a repeated Sequence; the text names both numbers
  Result<void> apply(std::span<const feed::Change> changes);

  // Becomes what `parts` say and publishes it, instead of applying all changes up to their Sequence.
  // Only before the first `apply`.
  void restore(WarmParts parts);

  // The newest Snapshot; never null, Sequence 0 before the first change. Any thread may call.
  SnapshotPtr current() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::readmodel
