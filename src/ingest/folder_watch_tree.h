// Which kernel watch stands for which directory: the memory of a FolderWatch, without any system call.
//
// Invariants
//   * One node per watch descriptor. A path is read from the chain of parents, so that moving a directory moves
//     everything below it at once.
//   * A node without a parent that is not the root is detached: it was moved away and nobody knows yet where to.
//   * Not thread-safe: it belongs to the one thread that steps the watch.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace millrace::ingest::folder {

struct FolderIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FolderIdentity&) const = default;
};

struct WatchNode {
  int watch = -1;
  FolderIdentity identity;
  std::uint64_t pass = 0;  // the last walk that saw it
  WatchNode* parent = nullptr;
  std::string name;
  std::map<std::string, WatchNode*, std::less<>> children;
};

class WatchTree {
 public:
  WatchNode* root() const { return root_; }
  WatchNode* find(int watch) const;
  static WatchNode* child(const WatchNode& parent, std::string_view name);
  std::size_t size() const { return nodes_.size(); }

  WatchNode& add_root(int watch, FolderIdentity identity);
  WatchNode& add(WatchNode& parent, std::string_view name, int watch, FolderIdentity identity);
  void detach(WatchNode& node);
  void place(WatchNode& node, WatchNode& parent, std::string_view name);

  // Forgets the node and all below it; `forgotten` hears every watch.
  void drop(WatchNode& node, const std::function<void(int watch)>& forgotten);
  // Forgets every node that was not seen in walk `pass`.
  void drop_unseen(std::uint64_t pass, const std::function<void(int watch)>& forgotten);
  void clear();

  // "" for the root, nothing for a node that is or lies below a detached one.
  std::optional<std::string> path_of(const WatchNode& node) const;
  // `upper` is `node` or one of its parents.
  static bool is_at_or_above(const WatchNode& upper, const WatchNode& node);

 private:
  std::unordered_map<int, std::unique_ptr<WatchNode>> nodes_;
  WatchNode* root_ = nullptr;
};

}  // namespace millrace::ingest::folder
