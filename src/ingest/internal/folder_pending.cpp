#include "ingest/internal/folder_pending.h"

#include <algorithm>
#include <iterator>

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
  const auto [at, added] = removals_.try_emplace(path, Removal{due, inode, {}});
  if (!added) return;
  by_due_.emplace(due, &*at);
  by_inode_.emplace(inode, &*at);
}

void ExpectedRemovals::set_due(Removals::value_type& removal, TimePoint due) {
  by_due_.erase({removal.second.due, &removal});
  removal.second.due = due;
  by_due_.emplace(due, &removal);
}

void ExpectedRemovals::set_target(Removals::value_type& removal, const std::string& target) {
  for (auto [at, end] = by_target_.equal_range(removal.second.target); at != end; ++at) {
    if (at->second != &removal) continue;
    by_target_.erase(at);
    break;
  }
  removal.second.target = target;
  if (!target.empty()) by_target_.emplace(target, &removal);
}

std::vector<ExpectedRemovals::Removals::value_type*> ExpectedRemovals::at_or_moved_to(const std::string& path) {
  std::vector<Removals::value_type*> found;
  if (const auto at = removals_.find(path); at != removals_.end()) found.push_back(&*at);
  for (auto [at, end] = by_target_.equal_range(path); at != end; ++at) found.push_back(at->second);
  return found;
}

void ExpectedRemovals::postpone(const std::string& path, TimePoint due) {
  for (Removals::value_type* removal : at_or_moved_to(path))
    if (removal->second.due < due) set_due(*removal, due);
}

void ExpectedRemovals::moved(const std::string& from, const std::string& to, TimePoint due) {
  for (Removals::value_type* removal : at_or_moved_to(from)) {
    set_due(*removal, due);
    set_target(*removal, removal->first == to ? std::string() : to);  // it came back
  }
}

void ExpectedRemovals::cancel(const std::string& path) {
  const auto found = removals_.find(path);
  if (found == removals_.end()) return;
  set_target(*found, {});
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
  by_target_.clear();
  removals_.clear();
}

std::vector<std::string> ExpectedRemovals::with_inode(std::uint64_t inode) const {
  std::vector<std::string> paths;
  for (auto [at, end] = by_inode_.equal_range(inode); at != end; ++at) paths.push_back(at->second->first);
  return paths;
}

ExpectedRemovals::TimePoint ExpectedRemovals::next_due() const { return by_due_.empty() ? TimePoint::max() : by_due_.begin()->first; }

const std::string& ExpectedRemovals::first() const {
  check(!by_due_.empty(), "something is expected to go");
  return by_due_.begin()->second->first;
}

const std::string& ExpectedRemovals::first_target() const {
  check(!by_due_.empty(), "something is expected to go");
  return by_due_.begin()->second->second.target;
}

std::string ExpectedRemovals::take_first() {
  std::string path = first();
  cancel(path);
  return path;
}

void HalfMoves::left(std::uint32_t cookie, const std::string& path, TimePoint now) {
  while (!halves_.empty() && now - halves_.front().since > patience_) halves_.pop_front();
  halves_.push_back({cookie, path, now});
}

std::optional<std::string> HalfMoves::arrived(std::uint32_t cookie) {
  // The other half is nearly always the last one that was heard.
  const auto found = std::ranges::find(halves_.rbegin(), halves_.rend(), cookie, &Half::cookie);
  if (found == halves_.rend()) return std::nullopt;
  std::string path = std::move(found->path);
  halves_.erase(std::next(found).base());
  return path;
}

}  // namespace millrace::ingest
