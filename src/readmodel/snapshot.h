// An immutable state of the order book, as of one Sequence. (Column access: see below.)
#pragma once
#include <memory>

namespace millrace::readmodel {

class Snapshot;
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace millrace::readmodel
