// A disk for tests that fails, or kills the process, at the Nth write or flush of the database and its log: a layer of
// real SQLite (a VFS) between the record and the files.
#pragma once
#include <atomic>
#include <cstdint>

namespace millrace::store {

class FaultyDisk {
 public:
  enum class Fault : std::uint8_t {
    none,
    write_error,  // EIO, half of the bytes may be there
    disk_full,    // ENOSPC, nothing is there
    flush_error,  // EIO on a flush
    kill,         // SIGKILL before the bytes are written
  };

  // From here on every connection of this process uses it; one at a time.
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // The `nth` operation from now (1 is the next) meets the fault, and so do the `more` after it.
  void arm(Fault fault, int nth, int more = 0);
  void disarm();
  // How many operations met it.
  int hits() const { return hits_; }
  // Called by the layer: what happens to this operation.
  Fault next(bool flush);

 private:
  std::atomic<Fault> fault_{Fault::none};
  std::atomic<int> before_{0}, left_{0}, hits_{0};
};

}  // namespace millrace::store
