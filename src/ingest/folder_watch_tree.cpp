#include "ingest/folder_watch_tree.h"

#include <vector>

#include "base/check.h"

namespace millrace::ingest::folder {

WatchNode* WatchTree::find(int watch) const {
  const auto found = nodes_.find(watch);
  return found == nodes_.end() ? nullptr : found->second.get();
}

WatchNode* WatchTree::child(const WatchNode& parent, std::string_view name) {
  const auto found = parent.children.find(name);
  return found == parent.children.end() ? nullptr : found->second;
}

WatchNode& WatchTree::add_root(int watch, FolderIdentity identity) {
  check(root_ == nullptr, "a watch tree has one root");
  auto node = std::make_unique<WatchNode>();
  node->watch = watch;
  node->identity = identity;
  root_ = node.get();
  nodes_.emplace(watch, std::move(node));
  return *root_;
}

WatchNode& WatchTree::add(WatchNode& parent, std::string_view name, int watch, FolderIdentity identity) {
  auto owned = std::make_unique<WatchNode>();
  WatchNode& node = *owned;
  node.watch = watch;
  node.identity = identity;
  const bool fresh = nodes_.emplace(watch, std::move(owned)).second;
  check(fresh, "one node per watch descriptor");
  place(node, parent, name);
  return node;
}

void WatchTree::detach(WatchNode& node) {
  if (!node.parent) return;
  node.parent->children.erase(node.name);
  node.parent = nullptr;
}

void WatchTree::place(WatchNode& node, WatchNode& parent, std::string_view name) {
  check(&node != root_ && !is_at_or_above(node, parent), "a folder cannot be placed below itself");
  const std::string kept(name);  // `name` may be the node's own
  detach(node);
  check(child(parent, kept) == nullptr, "the place of a folder is free");
  node.parent = &parent;
  node.name = kept;
  parent.children.emplace(kept, &node);
}

void WatchTree::drop(WatchNode& node, const std::function<void(int)>& forgotten) {
  detach(node);
  if (&node == root_) root_ = nullptr;
  std::vector<WatchNode*> rest{&node};
  while (!rest.empty()) {
    WatchNode* next = rest.back();
    rest.pop_back();
    for (const auto& [name, below] : next->children) rest.push_back(below);
    const int watch = next->watch;
    nodes_.erase(watch);
    forgotten(watch);
  }
}

void WatchTree::drop_unseen(std::uint64_t pass, const std::function<void(int)>& forgotten) {
  std::vector<int> unseen;
  for (const auto& [watch, node] : nodes_) {
    if (node->pass != pass) unseen.push_back(watch);
  }
  // A seen node has only seen parents, so dropping the unseen never takes a seen one along.
  for (const int watch : unseen) {
    if (WatchNode* node = find(watch)) drop(*node, forgotten);
  }
}

void WatchTree::clear() {
  nodes_.clear();
  root_ = nullptr;
}

std::optional<std::string> WatchTree::path_of(const WatchNode& node) const {
  std::vector<const WatchNode*> way;
  std::size_t size = 0;
  const WatchNode* at = &node;
  for (; at->parent; at = at->parent) {
    way.push_back(at);
    size += at->name.size() + 1;
  }
  if (at != root_) return std::nullopt;
  std::string path;
  path.reserve(size);
  for (auto it = way.rbegin(); it != way.rend(); ++it) {
    if (!path.empty()) path.push_back('/');
    path += (*it)->name;
  }
  return path;
}

bool WatchTree::is_at_or_above(const WatchNode& upper, const WatchNode& node) {
  for (const WatchNode* at = &node; at; at = at->parent) {
    if (at == &upper) return true;
  }
  return false;
}

}  // namespace millrace::ingest::folder
