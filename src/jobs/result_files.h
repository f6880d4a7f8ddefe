// The files that jobs leave for people, below DATA/results.
//
// Invariants
//   * A file has its name only once it is whole and synced: it is written under a name of its lease and renamed in the
//     moment before its job commits as done.
//   * What belongs to no job that is done is removed at the start.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace millrace::jobs {

class ResultFiles {
 public:
  explicit ResultFiles(std::string folder) : folder_(std::move(folder)) {}

  // Errors   unavailable  the folder cannot be made or read
  Result<void> open() const;
  // Where a try writes.
  std::string part_path(const std::string& job, std::uint64_t lease) const;
  // Gives the part its name; answers its size.
  // Errors   unavailable  there is no such part, or the disk refuses
  Result<std::uint64_t> keep(const std::string& job, std::uint64_t lease) const;
  Result<UniqueFd> read(const std::string& job) const;  // not_found
  // Removing what is not there is no error.
  void remove_part(const std::string& job, std::uint64_t lease) const;
  void remove(const std::string& job) const;
  // Removes every part and every file whose job `wanted` does not know; answers how many.
  std::size_t remove_orphans(const std::function<bool(const std::string& job)>& wanted) const;

 private:
  std::string path(const std::string& job) const { return folder_ + "/" + job; }
  std::string folder_;
};

}  // namespace millrace::jobs
