// Keeping watches and disk in step
//
// When an event is handled the disk is already ahead of it: the directory it speaks of may have moved on. So an event
// about a directory is a reason to look at that place, and what is found there (by watch descriptor, which the kernel
// gives once per inode) decides. The last event about a place is handled after the last change to it, hence the
// watches end up right:
//
//   created, rights changed   look at the place: watch it and all below
//   moved in                  the same, also when it is known: names below may have changed under an old path
//   moved out                 detach; when the queue is empty, look at the old place once more (names may have been
//                             exchanged) and forget what is still detached
//   deleted                   forget
//   overflow, unmount         look at everything
//
// A watch is always set before the directory is read, and the caller lists after `step` returns: no file falls between.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "base/text.h"
#include "ingest/folder.h"
#include "ingest/folder_open.h"
#include "ingest/folder_watch_tree.h"

namespace millrace::ingest {
namespace {

using folder::EntryReader;
using folder::FolderIdentity;
using folder::HandleBudget;
using folder::WatchNode;
using folder::WatchTree;

constexpr std::uint32_t folder_mask = IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
                                      IN_DELETE | IN_ONLYDIR | IN_EXCL_UNLINK;
constexpr std::uint32_t root_mask = folder_mask | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::size_t events_per_step_max = 200'000;
constexpr std::size_t discarded_reads_max = 256;
constexpr std::size_t handles_kept_max = 128;
constexpr auto unwatched_retry_interval = std::chrono::seconds(60);

using Clock = std::chrono::steady_clock;

std::uint64_t kernel_number(const char* file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  in >> number;
  return number;
}

std::string limit_text(std::uint64_t watched) {
  const auto limit = kernel_number("/proc/sys/fs/inotify/max_user_watches");
  const auto wanted = std::max<std::uint64_t>(524'288, limit * 2);
  return "the kernel lets this user watch " + std::to_string(limit) + " folders, " + std::to_string(watched) +
         " are watched here: run `sysctl fs.inotify.max_user_watches=" + std::to_string(wanted) + "`";
}

class InotifyWatch final : public FolderWatch {
 public:
  InotifyWatch(std::string root, UniqueFd queue, UniqueFd waker)
      : root_path_(std::move(root)), queue_(std::move(queue)), waker_(std::move(waker)), budget_(handles_kept_max) {}

  Result<void> begin();
  std::vector<FolderEvent> step(std::chrono::milliseconds patience) override;
  std::uint64_t watch_count() const override { return watch_count_.load(std::memory_order_relaxed); }
  void wake() override;
  std::uint64_t unwatched_count() const override { return unwatched_.load(std::memory_order_relaxed); }
  std::string unwatched_reason() const override;

 private:
  using Kind = FolderEvent::Kind;
  enum class Seen { covered, known, gone, unreadable, missed };

  struct Place {  // a directory to look at: a name in a watched directory
    int parent_watch = -1;
    std::string name;
    HandleBudget::Handle parent;  // absent: reached by path
  };
  struct Transit {  // moved out; whereto is not known yet
    int watch = -1;
    Place from;
  };

  bool wait(std::chrono::milliseconds patience);
  bool read_queue(std::vector<FolderEvent>& events);
  void handle(const inotify_event& event, std::vector<FolderEvent>& events);
  void handle_folder(const inotify_event& event, WatchNode& node, std::string_view name,
                     std::vector<FolderEvent>& events);
  void handle_file(const inotify_event& event, const WatchNode& node, std::string_view name,
                   std::vector<FolderEvent>& events);
  void leave_root(std::vector<FolderEvent>& events);
  void settle_transit(std::vector<FolderEvent>& events);
  void look_again(std::vector<FolderEvent>& events);
  void retry_unwatched(std::vector<FolderEvent>& events);

  int add_watch(int fd, std::uint32_t mask);
  Result<void> look_at_everything();
  Seen look_at(WatchNode& parent, std::string_view name, bool also_below_known);
  bool still_at(int fd, const WatchNode& node) const;
  Seen enter(Place place, bool also_below_known);
  Seen adopt(int fd, WatchNode& parent, std::string_view name, WatchNode*& adopted, bool& known);
  void walk();
  void push_folders_of(UniqueFd fd, int watch);
  Seen miss(int error);
  void forget(WatchNode& node);
  void forgotten(int watch);
  void publish_count() { watch_count_.store(tree_.size(), std::memory_order_relaxed); }

  // fixed after construction
  const std::string root_path_;
  UniqueFd queue_;
  const UniqueFd waker_;
  // locked inside themselves
  HandleBudget budget_;
  std::atomic<std::uint64_t> watch_count_{0};
  std::atomic<std::uint64_t> unwatched_{0};
  std::atomic<int> unwatched_error_{0};
  // of the stepping thread
  WatchTree tree_;
  std::vector<Place> places_;  // still to look at in this walk; bounded by the directories of the tree
  std::vector<Transit> transit_;
  EntryReader reader_;
  UniqueFd walk_root_;  // open only during a walk: an open root would keep a share from being unmounted
  std::uint64_t pass_ = 0;
  bool look_at_everything_ = false;
  bool gone_ = false;
  std::uint64_t unwatched_in_walk_ = 0;
  Clock::time_point unwatched_tried_{};
};

// ---- events

void InotifyWatch::wake() {
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) means that a wake is already waiting.
  while (::write(waker_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

// True when there may be something to read.
bool InotifyWatch::wait(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  pollfd fds[2] = {{waker_.get(), POLLIN, 0}, {gone_ ? -1 : queue_.get(), POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    const auto bounded = std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 3'600'000);
    const int ready = ::poll(fds, 2, static_cast<int>(bounded));
    if (ready < 0 && errno == EINTR) continue;
    if (fds[0].revents & POLLIN) {
      std::uint64_t count = 0;
      while (::read(waker_.get(), &count, sizeof count) < 0 && errno == EINTR) {
      }
    }
    return (fds[1].revents & POLLIN) != 0;
  }
}

std::vector<FolderEvent> InotifyWatch::step(std::chrono::milliseconds patience) {
  std::vector<FolderEvent> events;
  const bool readable = wait(patience);
  if (gone_) return events;
  const bool drained = !readable || read_queue(events);
  if (gone_) return events;
  if (look_at_everything_) {
    look_again(events);
  } else if (drained) {
    settle_transit(events);
    retry_unwatched(events);
  }
  publish_count();
  return events;
}

// True when the queue is empty.
bool InotifyWatch::read_queue(std::vector<FolderEvent>& events) {
  alignas(inotify_event) char bytes[read_bytes];
  std::size_t discarded = 0;
  while (events.size() < events_per_step_max) {
    const auto size = ::read(queue_.get(), bytes, sizeof bytes);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    // Everything is looked at and listed afterwards anyway; a busy writer must not keep us here for ever.
    if (look_at_everything_ && ++discarded > discarded_reads_max) return false;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      const auto* event = reinterpret_cast<const inotify_event*>(bytes + at);
      at += sizeof(inotify_event) + event->len;
      handle(*event, events);
      if (gone_) return true;
    }
  }
  return false;
}

void InotifyWatch::handle(const inotify_event& event, std::vector<FolderEvent>& events) {
  if (event.mask & IN_Q_OVERFLOW) {
    look_at_everything_ = true;
    return;
  }
  WatchNode* node = tree_.find(event.wd);
  if (!node) return;  // forgotten meanwhile
  if (node == tree_.root() && (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED))) {
    return leave_root(events);
  }
  if (event.mask & IN_UNMOUNT) {
    look_at_everything_ = true;
    return;
  }
  if (event.mask & IN_IGNORED) return forget(*node);
  if (look_at_everything_ || event.len == 0) return;
  const std::string_view name(event.name);
  if (event.mask & IN_ISDIR) {
    if (!skip_folder_by_name(name)) handle_folder(event, *node, name, events);
  } else if (!skip_by_name(name)) {
    handle_file(event, *node, name, events);
  }
}

void InotifyWatch::handle_file(const inotify_event& event, const WatchNode& node, std::string_view name,
                               std::vector<FolderEvent>& events) {
  auto path = tree_.path_of(node);
  if (!path) return;  // moved away; if it moved to a place of ours, that place will be listed
  if (!path->empty()) path->push_back('/');
  path->append(name);
  Kind kind = event.mask & IN_ATTRIB ? Kind::file_touched : Kind::file_changed;
  if (event.mask & (IN_DELETE | IN_MOVED_FROM)) kind = Kind::file_gone;
  if (event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) kind = Kind::file_closed;
  events.push_back({kind, std::move(*path), event.cookie});
}

void InotifyWatch::handle_folder(const inotify_event& event, WatchNode& node, std::string_view name,
                                 std::vector<FolderEvent>& events) {
  auto path = tree_.path_of(node);
  if (!path) return;
  if (!path->empty()) path->push_back('/');
  path->append(name);
  if (event.mask & (IN_DELETE | IN_MOVED_FROM)) {
    WatchNode* child = WatchTree::child(node, name);
    if (event.mask & IN_MOVED_FROM) {
      transit_.push_back({child ? child->watch : -1, {node.watch, std::string(name), nullptr}});
      if (child) tree_.detach(*child);
    } else if (child) {
      forget(*child);
    }
    events.push_back({Kind::folder_gone, std::move(*path), event.cookie});
    return;
  }
  if (!(event.mask & (IN_CREATE | IN_MOVED_TO | IN_ATTRIB))) return;
  const Seen seen = look_at(node, name, (event.mask & IN_MOVED_TO) != 0);
  if (seen == Seen::gone) return;  // moved on; what follows in the queue says where to
  // Known: it was found while its parent was looked at, and the parent was reported.
  if (seen == Seen::known && !(event.mask & IN_MOVED_TO)) return;
  // Rights taken away from a folder that was never watched are no news.
  if (seen == Seen::unreadable && (event.mask & IN_ATTRIB)) return;
  events.push_back({Kind::folder_appeared, std::move(*path), event.cookie});
}

void InotifyWatch::leave_root(std::vector<FolderEvent>& events) {
  gone_ = true;
  queue_.reset();  // gives all watches back
  tree_.clear();
  transit_.clear();
  unwatched_.store(0, std::memory_order_relaxed);
  publish_count();
  events.push_back({Kind::root_gone, {}, 0});
}

void InotifyWatch::settle_transit(std::vector<FolderEvent>& events) {
  for (const Transit& moved : std::exchange(transit_, {})) {
    WatchNode* node = tree_.find(moved.watch);
    if (node && !node->parent && node != tree_.root()) forget(*node);
    WatchNode* parent = tree_.find(moved.from.parent_watch);
    if (!parent || WatchTree::child(*parent, moved.from.name)) continue;
    auto path = tree_.path_of(*parent);
    if (!path) continue;
    const Seen seen = look_at(*parent, moved.from.name, true);
    if (seen == Seen::gone || seen == Seen::known) continue;
    if (!path->empty()) path->push_back('/');
    events.push_back({Kind::folder_appeared, *path + moved.from.name, 0});
  }
}

// Everything may have changed: watch what is there now, then let the caller list it.
void InotifyWatch::look_again(std::vector<FolderEvent>& events) {
  look_at_everything_ = false;
  transit_.clear();
  if (const auto looked = look_at_everything(); !looked) {
    log_warning("folder_watch_lost", {{"root", printable(root_path_)}, {"reason", looked.error().text()}});
    return leave_root(events);
  }
  events.push_back({Kind::overflow, {}, 0});
}

void InotifyWatch::retry_unwatched(std::vector<FolderEvent>& events) {
  if (unwatched_count() == 0 || Clock::now() - unwatched_tried_ < unwatched_retry_interval) return;
  const auto before = tree_.size();
  if (!look_at_everything()) return leave_root(events);
  if (tree_.size() > before || unwatched_count() == 0) events.push_back({Kind::overflow, {}, 0});
}

// ---- watches

int InotifyWatch::add_watch(int fd, std::uint32_t mask) {
  // The descriptor names exactly the directory that was opened without following links, however long its path.
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::inotify_add_watch(queue_.get(), path.c_str(), mask);
}

Result<void> InotifyWatch::begin() {
  if (const auto looked = look_at_everything(); !looked) return looked;
  if (unwatched_count() != 0 && unwatched_error_.load() == ENOSPC) {
    return fail(ErrorCode::limit_reached, "watching " + printable(root_path_) + ": " + limit_text(watch_count()));
  }
  return {};
}

Result<void> InotifyWatch::look_at_everything() {
  auto root = folder::open_root(root_path_);
  if (!root) return pass_on(root);
  const auto refuse = [&](int error) -> Result<void> {
    if (error == ENOSPC) return fail(ErrorCode::limit_reached, "watching " + printable(root_path_) + ": " + limit_text(0));
    return fail(ErrorCode::unavailable, printable(root_path_) + " cannot be watched: " + folder::reason_of(error));
  };
  struct stat status {};
  if (::fstat(root->get(), &status) != 0) return refuse(errno);
  const int watch = add_watch(root->get(), root_mask);
  if (watch < 0) return refuse(errno);
  if (tree_.root() && tree_.root()->watch != watch) {
    ::inotify_rm_watch(queue_.get(), watch);
    return fail(ErrorCode::unavailable, printable(root_path_) + " is another folder now");
  }
  ++pass_;
  unwatched_in_walk_ = 0;
  unwatched_tried_ = Clock::now();
  WatchNode& node = tree_.root() ? *tree_.root() : tree_.add_root(watch, {status.st_dev, status.st_ino});
  node.pass = pass_;
  walk_root_ = std::move(*root);
  UniqueFd reading = folder::open_path(walk_root_.get(), {}, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!reading) {
    walk_root_.reset();
    return refuse(errno);
  }
  push_folders_of(std::move(reading), watch);
  walk();
  walk_root_.reset();
  tree_.drop_unseen(pass_, [this](int unseen) { forgotten(unseen); });
  unwatched_.store(unwatched_in_walk_, std::memory_order_relaxed);
  publish_count();
  return {};
}

// Looks at one place and, when it is a directory that is new there, at everything below it.
InotifyWatch::Seen InotifyWatch::look_at(WatchNode& parent, std::string_view name, bool also_below_known) {
  const auto path = tree_.path_of(parent);
  if (!path) return Seen::gone;
  auto root = folder::open_root(root_path_);
  if (!root) return Seen::gone;  // the root's own event follows
  walk_root_ = std::move(*root);
  UniqueFd fd = folder::open_folder_path(walk_root_.get(), *path);
  Seen seen = Seen::gone;
  // Another directory under our old path: ours has moved, and its own event, which follows, looks at all below it.
  if (fd && still_at(fd.get(), parent)) {
    ++pass_;
    unwatched_in_walk_ = 0;
    auto handle = budget_.keep(fd);
    seen = enter({parent.watch, std::string(name), std::move(handle)}, also_below_known);
    walk();
    unwatched_.fetch_add(unwatched_in_walk_, std::memory_order_relaxed);
  }
  walk_root_.reset();
  return seen;
}

bool InotifyWatch::still_at(int fd, const WatchNode& node) const {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && FolderIdentity{status.st_dev, status.st_ino} == node.identity;
}

void InotifyWatch::walk() {
  while (!places_.empty()) {
    Place place = std::move(places_.back());
    places_.pop_back();
    enter(std::move(place), true);
  }
}

InotifyWatch::Seen InotifyWatch::enter(Place place, bool also_below_known) {
  WatchNode* parent = tree_.find(place.parent_watch);
  if (!parent) return Seen::gone;
  UniqueFd fd;
  if (place.parent) {
    fd = folder::open_folder_at(place.parent->fd.get(), place.name.c_str());
  } else {
    auto path = tree_.path_of(*parent);
    if (!path) return Seen::gone;
    if (!path->empty()) path->push_back('/');
    fd = folder::open_folder_path(walk_root_.get(), *path + place.name);
  }
  place.parent.reset();
  if (!fd) return miss(errno);
  WatchNode* node = nullptr;
  bool known = false;
  const Seen seen = adopt(fd.get(), *parent, place.name, node, known);
  if (!node || (known && !also_below_known)) return seen;
  push_folders_of(std::move(fd), node->watch);
  return seen;
}

// Watches the open directory and gives it its place in the tree. `adopted` stays empty when there is nothing to do
// below it.
InotifyWatch::Seen InotifyWatch::adopt(int fd, WatchNode& parent, std::string_view name, WatchNode*& adopted,
                                       bool& known) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return miss(errno);
  const int watch = add_watch(fd, folder_mask);
  if (watch < 0) return miss(errno);
  WatchNode* node = tree_.find(watch);
  WatchNode* occupant = WatchTree::child(parent, name);
  known = node && node == occupant;
  if (node && node->pass == pass_ && !known) return Seen::gone;  // seen elsewhere in this walk: mounted twice, or moving
  if (!known) {
    if (node == tree_.root() || (node && WatchTree::is_at_or_above(*node, parent))) {
      // The root mounted below itself, or our picture is older than the disk by several moves.
      if (node == tree_.root()) add_watch(fd, root_mask);
      else look_at_everything_ = true;
      return Seen::gone;
    }
    if (node) tree_.detach(*node);  // before the occupant goes, it may lie below it
    if (occupant) forget(*occupant);
    if (node) {
      tree_.place(*node, parent, name);
    } else {
      node = &tree_.add(parent, name, watch, {status.st_dev, status.st_ino});
    }
  }
  node->pass = pass_;
  adopted = node;
  return known ? Seen::known : Seen::covered;
}

void InotifyWatch::push_folders_of(UniqueFd fd, int watch) {
  const auto handle = budget_.keep(fd);
  const int folder = handle ? handle->fd.get() : fd.get();
  int more = 0;
  while ((more = reader_.read_block(folder)) > 0) {
    EntryReader::Entry entry{};
    while (reader_.next(entry)) {
      // Unknown types are tried: opening as a directory decides.
      if (entry.type != DT_DIR && entry.type != DT_UNKNOWN) continue;
      if (skip_folder_by_name(entry.text())) continue;
      places_.push_back({watch, std::string(entry.text()), handle});
    }
  }
  if (more < 0) miss(errno);
}

// A directory that is there and cannot be watched is counted and tried again; one that is gone is no loss.
InotifyWatch::Seen InotifyWatch::miss(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP: return Seen::gone;
    case EACCES: return Seen::unreadable;
    default: break;
  }
  unwatched_error_.store(error, std::memory_order_relaxed);
  if (unwatched_in_walk_++ == 0) {
    const std::string reason = error == ENOSPC ? limit_text(tree_.size()) : folder::reason_of(error);
    log_warning("folder_not_watched", {{"root", printable(root_path_)}, {"reason", reason}});
  }
  return Seen::missed;
}

std::string InotifyWatch::unwatched_reason() const {
  if (unwatched_count() == 0) return {};
  const int error = unwatched_error_.load(std::memory_order_relaxed);
  return error == ENOSPC ? limit_text(watch_count()) : folder::reason_of(error);
}

void InotifyWatch::forget(WatchNode& node) {
  tree_.drop(node, [this](int watch) { forgotten(watch); });
}

void InotifyWatch::forgotten(int watch) {
  // The kernel may have dropped it already, with the directory (EINVAL).
  ::inotify_rm_watch(queue_.get(), watch);
}

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::start(const std::string& root) {
  UniqueFd queue(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!queue) {
    if (errno == EMFILE) {
      const auto limit = kernel_number("/proc/sys/fs/inotify/max_user_instances");
      return fail(ErrorCode::limit_reached, "this user may open " + std::to_string(limit) +
                                                " watches of folder trees and has: run `sysctl "
                                                "fs.inotify.max_user_instances=" +
                                                std::to_string(std::max<std::uint64_t>(1024, limit * 2)) + "`");
    }
    return fail(ErrorCode::unavailable, "folders cannot be watched here: " + folder::reason_of(errno));
  }
  UniqueFd waker(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!waker) return fail(ErrorCode::unavailable, "folders cannot be watched here: " + folder::reason_of(errno));
  auto watch = std::make_unique<InotifyWatch>(root, std::move(queue), std::move(waker));
  if (const auto begun = watch->begin(); !begun) return pass_on(begun);
  return std::unique_ptr<FolderWatch>(std::move(watch));
}

}  // namespace millrace::ingest
