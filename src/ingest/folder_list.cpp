// How the walk is shared out
//
//   work_   a stack of items, newest first, so that finished branches free their descriptors early
//     Item{node}          open the directory and read its names; sub-directories become items
//     Item{node, block}   stamp a block of names (directories with thousands of files feed all threads)
//
// A node is a directory, a block the files of one kernel answer. Nodes live until the end; sorting happens once, by
// walking the nodes: a directory compares as "name/", which gives exactly the order of the whole paths.
#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <tuple>

#include "base/text.h"
#include "ingest/folder.h"
#include "ingest/folder_open.h"

namespace millrace::ingest {
namespace {

using folder::EntryReader;
using folder::HandleBudget;

constexpr std::size_t handles_kept_max = 256;
constexpr std::size_t file_faults_per_block_max = 16;
constexpr auto progress_interval = std::chrono::milliseconds(100);
// One slow trip may be a thread that had to wait for a processor; so many in a row are the share.
constexpr int slow_trips_in_a_row = 3;

struct FileRow {
  std::uint32_t name_offset = 0;  // in `names` of its block
  std::uint32_t name_size = 0;
  FileStamp stamp;
};

struct FileBlock {
  std::string names;  // each ends with NUL, as the kernel wants them back
  std::vector<FileRow> rows;
};

struct FolderNode {
  FolderNode* parent = nullptr;
  std::string name;  // "Open/", so that it sorts as in a path; "" for the root
  std::size_t depth = 0;
  // guarded by FolderWalk::mutex_
  std::vector<std::unique_ptr<FileBlock>> blocks;
  std::vector<FolderNode*> folders;
};

// With '/' at the end.
std::string prefix_of(const FolderNode* node) {
  std::vector<const FolderNode*> way;
  for (; node; node = node->parent) way.push_back(node);
  std::string path;
  for (auto it = way.rbegin(); it != way.rend(); ++it) path += (*it)->name;
  return path;
}

std::string path_of(const FolderNode* node) {
  std::string path = prefix_of(node);
  if (!path.empty()) path.pop_back();
  return path;
}

// The nodes below one directory, in the order of the whole paths. Explicit stack: depth is the disk's business.
class SortedFiles {
 public:
  explicit SortedFiles(std::vector<ListedFile>& out) : out_(out) {}

  void append(const FolderNode* root) {
    enter(root);
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.at == level.entries.size()) {
        prefix_.resize(level.prefix_size);
        levels_.pop_back();
        continue;
      }
      const Entry& entry = level.entries[level.at++];
      // A directory that changes while it is read may show one name twice.
      if (level.at > 1 && level.entries[level.at - 2].name == entry.name) continue;
      if (entry.folder) {
        enter(entry.folder);
      } else {
        std::string path;
        path.reserve(prefix_.size() + entry.name.size());
        path.append(prefix_).append(entry.name);
        out_.push_back({std::move(path), entry.row->stamp});
      }
    }
  }

 private:
  struct Entry {
    std::string_view name;
    const FolderNode* folder = nullptr;
    const FileRow* row = nullptr;
  };
  struct Level {
    std::vector<Entry> entries;
    std::size_t at = 0;
    std::size_t prefix_size = 0;  // to return to
  };

  void enter(const FolderNode* node) {
    Level level;
    level.prefix_size = prefix_.size();
    for (const auto& block : node->blocks) {
      const std::string_view names = block->names;
      for (const auto& row : block->rows) {
        level.entries.push_back({names.substr(row.name_offset, row.name_size), nullptr, &row});
      }
    }
    for (const auto* child : node->folders) level.entries.push_back({child->name, child, nullptr});
    std::sort(level.entries.begin(), level.entries.end(),
              [](const Entry& left, const Entry& right) { return left.name < right.name; });
    prefix_ += node->name;
    levels_.push_back(std::move(level));
  }

  std::vector<ListedFile>& out_;
  std::vector<Level> levels_;
  std::string prefix_;
};

class FolderWalk {
  using Clock = std::chrono::steady_clock;

 public:
  FolderWalk(int root, std::string_view below, const ListOptions& options, const std::atomic<bool>& stop,
             const std::function<void(std::uint64_t)>& progress)
      : root_(root), options_(options), stop_(stop), progress_(progress), budget_(handles_kept_max) {
    auto node = std::make_unique<FolderNode>();
    if (!below.empty()) {
      node->name = std::string(below) + '/';
      node->depth = 1 + static_cast<std::size_t>(std::count(below.begin(), below.end(), '/'));
    }
    first_ = node.get();
    nodes_.push_back(std::move(node));
    work_.push_back({first_, nullptr, nullptr});
    unfinished_ = 1;
  }

  Result<Listing> run() {
    {
      std::lock_guard lock(mutex_);
      add_helpers(options_.thread_count);
    }
    work(true);
    // Nothing is waiting or the walk has ended: nobody adds helpers any more.
    for (std::thread& helper : helpers_) helper.join();
    if (failure_) return Failure(*failure_);
    Listing listing;
    listing.threads_used = helpers_.size() + 1;
    listing.directories = directories_read_.load();
    for (std::size_t i = 0; i < skipped_.size(); ++i) listing.skipped[i] = skipped_[i];
    listing.faults = sorted_faults();
    listing.files.reserve(files_seen_.load());
    SortedFiles(listing.files).append(first_);
    if (progress_) progress_(listing.files.size());
    return listing;
  }

 private:
  struct Item {
    FolderNode* node = nullptr;
    HandleBudget::Handle handle;       // of the parent (to open) or of the node itself (to stamp); may be absent
    std::unique_ptr<FileBlock> block;  // set: stamp these names
  };
  using Skips = std::array<std::uint64_t, 8>;

  // What one thread found in one directory before it tells the others.
  struct Found {
    Skips skipped{};
    std::vector<std::unique_ptr<FolderNode>> folders;
    std::unique_ptr<FileBlock> candidates;
  };

  // Under mutex_. Threads in all, the calling one included.
  void add_helpers(std::size_t thread_count) {
    while (!no_more_helpers_ && helpers_.size() + 1 < thread_count) {
      try {
        helpers_.emplace_back([this] { work(false); });
      } catch (const std::system_error&) {
        no_more_helpers_ = true;  // the machine has no thread to give: fewer do the same work
      }
    }
  }

  // How long a directory takes to open and to begin to read. Trips that wait can wait together.
  void note_trip(Clock::time_point asked) {
    const auto now = Clock::now();
    if (options_.pulse) options_.pulse->store(now.time_since_epoch().count(), std::memory_order_relaxed);
    const auto took = now - asked;
    if (took < options_.trip_slow) {
      slow_trips_.store(0, std::memory_order_relaxed);
    } else if (slow_trips_.load(std::memory_order_relaxed) < slow_trips_in_a_row) {
      slow_trips_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void work(bool calling_thread) {
    EntryReader reader;
    auto told = Clock::now();
    while (auto item = take(calling_thread)) {
      if (stop_.load(std::memory_order_relaxed)) {
        end_with(Error(ErrorCode::cancelled, "listing the folder was stopped"));
      } else if (item->block) {
        stamp(*item);
      } else {
        read_folder(*item, reader);
      }
      item->handle.reset();
      finish_one();
      if (calling_thread && progress_ && Clock::now() - told >= progress_interval) {
        progress_(files_seen_.load(std::memory_order_relaxed));
        told = Clock::now();
      }
    }
  }

  std::optional<Item> take(bool calling_thread) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return ended_.load() || unfinished_ == 0 || !work_.empty(); };
    if (calling_thread && progress_) {
      while (!changed_.wait_for(lock, progress_interval, ready)) {
        lock.unlock();
        progress_(files_seen_.load(std::memory_order_relaxed));
        lock.lock();
      }
    } else {
      changed_.wait(lock, ready);
    }
    if (ended_.load() || work_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(work_.back()));
    work_.pop_back();
    return item;
  }

  void finish_one() {
    std::lock_guard lock(mutex_);
    if (--unfinished_ == 0) changed_.notify_all();
  }

  void end_with(Error error) {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
    ended_.store(true);
    changed_.notify_all();
  }

  bool ending() const {
    return ended_.load(std::memory_order_relaxed) || stop_.load(std::memory_order_relaxed);
  }

  UniqueFd open_node(const Item& item) {
    if (item.handle) {
      const std::string& name = item.node->name;
      return folder::open_folder_at(item.handle->fd.get(), name.substr(0, name.size() - 1).c_str());
    }
    return folder::open_folder_path(root_, path_of(item.node));
  }

  void read_folder(Item& item, EntryReader& reader) {
    const auto asked = Clock::now();
    UniqueFd own = open_node(item);
    if (!own) return folder_fault(item.node, errno);
    item.handle.reset();  // the parent is no longer needed, the last child closes it
    directories_read_.fetch_add(1, std::memory_order_relaxed);
    HandleBudget::Handle kept = budget_.keep(own);
    const int fd = kept ? kept->fd.get() : own.get();

    bool first = true;
    for (;;) {
      const int more = reader.read_block(fd);
      if (first) note_trip(asked);
      if (more < 0) folder_fault(item.node, errno);
      if (more <= 0 || ending()) return;
      Found found;
      sort_out(fd, item.node, reader, found);
      std::unique_ptr<FileBlock> block = std::move(found.candidates);
      const bool hand_on = !first && kept;  // a big directory: let the others help
      first = false;
      publish(item.node, std::move(found), kept, hand_on ? std::move(block) : nullptr);
      if (block) {
        stamp_block(fd, item.node, *block);
        add_block(item.node, std::move(block));
      }
    }
  }

  // Names to stamp, directories to enter, and everything else counted.
  void sort_out(int fd, FolderNode* node, EntryReader& reader, Found& found) {
    EntryReader::Entry entry{};
    while (reader.next(entry)) {
      unsigned char type = entry.type;
      if (type == DT_UNKNOWN) type = type_by_stat(fd, entry.name);
      if (type == DT_DIR) {
        sort_out_folder(node, entry.text(), found);
      } else if (type == DT_LNK) {
        count(found.skipped, SkipReason::link);
      } else if (type != DT_REG && type != DT_UNKNOWN) {
        count(found.skipped, SkipReason::special_file);
      } else if (const auto skip = skip_by_name(entry.text())) {
        count(found.skipped, *skip);
      } else {
        if (!found.candidates) found.candidates = std::make_unique<FileBlock>();
        const auto name = entry.text();
        FileBlock& block = *found.candidates;
        block.rows.push_back(
            {static_cast<std::uint32_t>(block.names.size()), static_cast<std::uint32_t>(name.size()), {}});
        block.names.append(name).push_back('\0');
      }
    }
  }

  void sort_out_folder(FolderNode* node, std::string_view name, Found& found) {
    if (const auto skip = skip_folder_by_name(name)) return count(found.skipped, *skip);
    auto child = std::make_unique<FolderNode>();
    child->parent = node;
    child->name.assign(name).push_back('/');
    child->depth = node->depth + 1;
    if (child->depth > options_.depth_max) {
      count(found.skipped, SkipReason::too_deep);
      add_fault(path_of(child.get()), "deeper than " + std::to_string(options_.depth_max) +
                                          " folders: move it up, or is this a folder that copies itself?", true);
      return;
    }
    found.folders.push_back(std::move(child));
  }

  // Some file systems do not say what an entry is.
  static unsigned char type_by_stat(int fd, const char* name) {
    folder::FileStatus status;
    if (!folder::status_at(fd, name, status)) return DT_UNKNOWN;  // `stamp_block` hears why
    return static_cast<unsigned char>(IFTODT(status.mode));
  }

  static void count(Skips& skipped, SkipReason reason) { ++skipped[static_cast<std::size_t>(reason)]; }

  void publish(FolderNode* node, Found found, const HandleBudget::Handle& handle, std::unique_ptr<FileBlock> block) {
    bool too_many = false;
    {
      std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < skipped_.size(); ++i) skipped_[i] += found.skipped[i];
      for (auto& child : found.folders) {
        node->folders.push_back(child.get());
        work_.push_back({child.get(), handle, nullptr});
        nodes_.push_back(std::move(child));
      }
      unfinished_ += found.folders.size();
      if (block) {
        work_.push_back({node, handle, std::move(block)});
        ++unfinished_;
      }
      too_many = nodes_.size() > options_.directories_max;
      if (slow_trips_.load(std::memory_order_relaxed) >= slow_trips_in_a_row && !ended_.load()) {
        add_helpers(std::min(helpers_.size() + work_.size(), options_.thread_count_max));
      }
      if (work_.size() > 1) changed_.notify_all();
    }
    if (too_many) {
      end_with(Error(ErrorCode::limit_reached, "more than " + std::to_string(options_.directories_max) +
                                                   " folders: choose a narrower folder or raise the limit"));
    }
  }

  void stamp(Item& item) {
    stamp_block(item.handle->fd.get(), item.node, *item.block);
    add_block(item.node, std::move(item.block));
  }

  void add_block(FolderNode* node, std::unique_ptr<FileBlock> block) {
    if (block->rows.empty()) return;
    std::lock_guard lock(mutex_);
    node->blocks.push_back(std::move(block));
  }

  // Keeps the rows that are regular files now. A file that vanished is simply absent.
  void stamp_block(int fd, FolderNode* node, FileBlock& block) {
    std::size_t kept = 0;
    std::size_t faults = 0;
    Skips skipped{};
    for (std::size_t i = 0; i < block.rows.size(); ++i) {
      if (i % 256 == 255) {
        if (ending()) return;
        if (options_.pulse) options_.pulse->store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
      }
      FileRow row = block.rows[i];
      const char* name = block.names.data() + row.name_offset;
      folder::FileStatus status;
      if (!folder::status_at(fd, name, status)) {
        if (errno != ENOENT && !file_fault(node, name, errno, ++faults)) break;
      } else if (S_ISREG(status.mode)) {
        row.stamp = status.stamp;
        block.rows[kept++] = row;
      } else if (!S_ISDIR(status.mode)) {  // swapped since its name was read; a directory is found next time
        count(skipped, S_ISLNK(status.mode) ? SkipReason::link : SkipReason::special_file);
      }
    }
    block.rows.resize(kept);
    {
      std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < skipped_.size(); ++i) skipped_[i] += skipped[i];
    }
    if (files_seen_.fetch_add(kept, std::memory_order_relaxed) + kept > options_.files_max) {
      end_with(Error(ErrorCode::limit_reached, "more than " + std::to_string(options_.files_max) +
                                                   " files: choose a narrower folder or raise the limit"));
    }
  }

  // False when the whole directory is at fault and asking for more of its files is idle.
  bool file_fault(FolderNode* node, const char* name, int error, std::size_t faults) {
    if (error == EACCES || faults > file_faults_per_block_max) {
      folder_fault(node, error);
      return false;
    }
    add_fault(prefix_of(node) + name, folder::reason_of(error), false);
    return true;
  }

  void folder_fault(const FolderNode* node, int error) { add_fault(path_of(node), folder::reason_of(error), true); }

  void add_fault(std::string path, std::string reason, bool directory) {
    std::lock_guard lock(mutex_);
    faults_.push_back({std::move(path), std::move(reason), directory});
  }

  std::vector<FolderFault> sorted_faults() {
    std::sort(faults_.begin(), faults_.end(), [](const FolderFault& left, const FolderFault& right) {
      return std::tie(left.path, left.directory) < std::tie(right.path, right.directory);
    });
    const auto same = [](const FolderFault& left, const FolderFault& right) {
      return left.path == right.path && left.directory == right.directory;
    };
    faults_.erase(std::unique(faults_.begin(), faults_.end(), same), faults_.end());
    return std::move(faults_);
  }

  // fixed after construction
  const int root_;
  const ListOptions& options_;
  const std::atomic<bool>& stop_;
  const std::function<void(std::uint64_t)>& progress_;
  FolderNode* first_ = nullptr;
  // locked inside themselves
  HandleBudget budget_;
  std::atomic<std::uint64_t> files_seen_{0};
  std::atomic<std::uint64_t> directories_read_{0};
  std::atomic<bool> ended_{false};
  std::atomic<int> slow_trips_{0};  // in a row, by all threads
  std::mutex mutex_;
  // guarded by mutex_; bounded by directories_max and files_max
  std::condition_variable changed_;
  std::vector<Item> work_;
  std::size_t unfinished_ = 0;  // items waiting or being worked on
  std::vector<std::unique_ptr<FolderNode>> nodes_;
  Skips skipped_{};
  std::vector<FolderFault> faults_;
  std::optional<Error> failure_;
  std::vector<std::thread> helpers_;
  bool no_more_helpers_ = false;
};

Result<Listing> list_from(int root, std::string_view below, const ListOptions& options, const std::atomic<bool>& stop,
                          const std::function<void(std::uint64_t)>& progress) {
  struct stat status {};
  if (::fstat(root, &status) != 0) {
    return fail(ErrorCode::unavailable, "the folder itself: " + folder::reason_of(errno));
  }
  FolderWalk walk(root, below, options, stop, progress);
  auto listing = walk.run();
  if (!listing) return listing;
  listing->root_device = status.st_dev;
  listing->root_inode = status.st_ino;
  // What cannot be read at its very top tells nothing, not even that it is empty.
  for (const auto& fault : listing->faults) {
    if (fault.path == below && fault.directory && listing->files.empty()) {
      const std::string_view what = below.empty() ? std::string_view("the folder itself") : below;
      return fail(ErrorCode::unavailable, printable(what) + ": " + fault.reason);
    }
  }
  return listing;
}

}  // namespace

Result<Listing> list_folder(const std::string& root, const ListOptions& options, const std::atomic<bool>& stop,
                            const std::function<void(std::uint64_t files)>& progress) {
  const auto fd = folder::open_root(root);
  if (!fd) return pass_on(fd);
  return list_from(fd->get(), {}, options, stop, progress);
}

Result<Listing> list_subfolder(const std::string& root, std::string_view below, const ListOptions& options,
                               const std::atomic<bool>& stop) {
  const auto fd = folder::open_root(root);
  if (!fd) return pass_on(fd);
  if (!below.empty()) {
    if (!folder::is_plain_relative(below)) {
      return fail(ErrorCode::invalid_input, printable(below) + ": not a path below the folder");
    }
    // Opened once here for its precise error; the walk opens it again by the same rules.
    if (!folder::open_folder_path(fd->get(), below)) return Failure(folder::error_of(errno, below));
  }
  return list_from(fd->get(), below, options, stop, {});
}

}  // namespace millrace::ingest
