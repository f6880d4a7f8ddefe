#include "ingest/internal/folder_pending.h"

#include "base/check.h"

namespace millrace::ingest {

const PendingFile* PendingFiles::find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

void PendingFiles::link(const Files::value_type& file) {
  if (file.second.due != TimePoint::max()) by_due_.emplace(file.second.due, &file);
  if (!file.second.being_written) by_since_.emplace(file.second.since, &file);
}

void PendingFiles::unlink(const Files::value_type& file) {
  by_due_.erase({file.second.due, &file});
  by_since_.erase({file.second.since, &file});
}

void PendingFiles::erase(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return;
  unlink(*found);
  files_.erase(found);
}

void PendingFiles::clear() {
  by_due_.clear();
  by_since_.clear();
  files_.clear();
}

PendingFiles::TimePoint PendingFiles::next_due() const { return by_due_.empty() ? TimePoint::max() : by_due_.begin()->first; }

std::optional<std::string> PendingFiles::first_due(TimePoint now) const {
  if (by_due_.empty() || by_due_.begin()->first > now) return std::nullopt;
  return by_due_.begin()->second->first;
}

PendingFile PendingFiles::take(const std::string& path) {
  const auto found = files_.find(path);
  check(found != files_.end(), "only a file that waits is taken");
  unlink(*found);
  PendingFile file = std::move(found->second);
  files_.erase(found);
  return file;
}

PendingFiles::TimePoint PendingFiles::oldest() const { return by_since_.empty() ? TimePoint::max() : by_since_.begin()->first; }

void ExpectedRemovals::expect(const std::string& path, TimePoint due, std::uint64_t inode) {
  const auto [at, added] = removals_.try_emplace(path, Removal{due, inode});
  if (!added) return;
  by_due_.emplace(due, &*at);
  by_inode_.emplace(inode, &*at);
}

void ExpectedRemovals::cancel(const std::string& path) {
  const auto found = removals_.find(path);
  if (found == removals_.end()) return;
  by_due_.erase({found->second.due, &*found});
  for (auto [at, end] = by_inode_.equal_range(found->second.inode); at != end; ++at) {
    if (at->second != &*found) continue;
    by_inode_.erase(at);
    break;
  }
  removals_.erase(found);
}

void ExpectedRemovals::clear() {
  by_due_.clear();
  by_inode_.clear();
  removals_.clear();
}

std::vector<std::string> ExpectedRemovals::with_inode(std::uint64_t inode) const {
  std::vector<std::string> paths;
  for (auto [at, end] = by_inode_.equal_range(inode); at != end; ++at) paths.push_back(at->second->first);
  return paths;
}

ExpectedRemovals::TimePoint ExpectedRemovals::next_due() const { return by_due_.empty() ? TimePoint::max() : by_due_.begin()->first; }

std::string ExpectedRemovals::take_first() {
  check(!by_due_.empty(), "something is expected to go");
  std::string path = by_due_.begin()->second->first;
  cancel(path);
  return path;
}

}  // namespace millrace::ingest
