// Decides which document counts for each order, and words the decisions as changes.
//
//   files read, moved, gone ──> OrderBook ──> one store::Batch: file rows, candidates, numbered changes
//
// The rules (docs/decisions/0003): of several documents for one order the newest `updated` stamp counts; without a
// stamp the file's mtime stands in; then mtime, then format json > csv > xlsx > pdf, then the path. A whole older
// document beats a damaged newer one. Documents that do not count stay visible on the order.
// Where a service speaks of the order too, both are joined value by value (order_join.h, docs/decisions/0005). Documents of
// an order are found by its number, and by the customer reference of the service's order where that names no other.
//
// Invariants
//   * Keeps packed summaries in memory (internal/book_table.h), not contents; contents come from `load` when an
//     earlier document counts again.
//   * A file that becomes unreadable keeps its last good content (`damaged`) until it is gone or readable.
//   * Touching or listing a file again without a new content makes no change.
//   * What counts follows from the documents, the rules, the decisions of people and what they wrote on the order, not from
//     the order of their coming.
//   * Not thread-safe: `Intake` serialises its callers.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "ingest/control.h"
#include "ingest/document.h"
#include "ingest/folder.h"
#include "ingest/layout_profile.h"
#include "ingest/order_join.h"
#include "ingest/overlay_book.h"
#include "store/record.h"

namespace millrace::ingest {

// The state folder of a path: its first folder, in the profile's words; "Unfiled" directly below the root.
std::string status_of_path(std::string_view path, const LayoutProfile& profile);

// One file as it was read.
struct ReadFile {
  std::string path;
  FileStamp stamp;
  ContentHash hash;
  ParsedDocument document;
};

// The files of the book and what they say of orders, frozen at one moment: for the warm-start file. Any thread may
// write it while the book goes on; it shares the book's memory.
class BookImage {
 public:
  virtual ~BookImage() = default;
  virtual std::size_t file_count() const = 0;
  virtual std::size_t order_count() const = 0;
  // Calls `section` with pieces of about a megabyte, each to be given to `OrderBook::restore_section`.
  virtual void write(const std::function<void(std::string_view section)>& section) const = 0;
};

class OrderBook {
 public:
  using LoadContent = std::function<Result<std::shared_ptr<const SalesOrder>>(
      const std::string& source, const std::string& path, std::uint32_t ordinal)>;

  OrderBook(LayoutProfile profile, LoadContent load, JoinRules rules = {}, OverlayFields overlay_fields = OverlayFields(),
            OverlayBook::LoadEdit load_edit = nullptr);
  ~OrderBook();
  OrderBook(OrderBook&&) noexcept;
  OrderBook& operator=(OrderBook&&) noexcept;

  // ---- what the record already knows; makes no changes
  void restore_file(const std::string& source, store::FileRecord file);
  void restore_candidate(const std::string& source, const store::Candidate& candidate);
  void restore_rejection(feed::Rejection rejection);
  // A row of `decisions_space`. Errors   corrupt  it is no decision
  Result<void> restore_decision(const store::KeptRow& row);
  // After all files: with other rules than before, every joined order is decided anew by the next `finish`. `before` is
  // the kept row `rules_key` of `rules_space`.
  void restore_rules(const std::optional<std::string>& before);
  // A warm image made under other rules does not know what these ask for.
  bool rules_are(const std::optional<std::string>& before) const;
  void finish_restore();

  // ---- the warm start: instead of `restore_file` and `restore_candidate`
  // Nothing is waiting to be decided or committed: the book says what the record says.
  bool settled() const;
  // Only while `settled`.
  std::shared_ptr<const BookImage> image();
  void restore_expects(std::size_t files, std::size_t orders);  // reserves memory
  // False when the bytes make no sense: call `forget_restored` and restore from the record.
  bool restore_section(std::string_view section);
  void restored_sections();  // after the last of them
  // What the record says now of a file that changed after the image was taken.
  void restore_now(const store::FileNow& now);
  void forget_restored();

  // ---- what happened; collects into the next batch of that source
  void file_read(const std::string& source, ReadFile file, Instant now);
  // Same content under a new stamp.
  void file_touched(const std::string& source, const std::string& path, const FileStamp& stamp);
  // Same file under another name. Errors: not_found  `from` is not known
  Result<void> file_moved(const std::string& source, const std::string& from, const std::string& to, const FileStamp& stamp);
  void file_removed(const std::string& source, const std::string& path);
  // A file or folder that cannot be read at all: reported, nothing leaves the book.
  void fault(const std::string& source, const FolderFault& fault, Instant now);
  void fault_solved(const std::string& source, const std::string& path);

  // ---- decisions of people, kept in the next batch of any source
  static constexpr std::string_view decisions_space = "decisions", rules_space = "join", rules_key = "rules";
  // From now on the value of `source` counts, until any source says another. Answers the source to finish.
  // Errors   not_found      there is no such order, or its sources do not differ there
  //          invalid_input  `source` says nothing of it; the text says who does
  Result<std::string> decide(const DifferenceChoice& choice, const std::string& source, const std::string& by, Instant now);
  // The rule counts again. Errors   not_found  nobody decided that
  Result<std::string> undecide(const DifferenceChoice& choice);

  // ---- what people write on orders, kept in the next batch of any source (internal/order_book_overlay.cpp)
  // For restoring, questions and plans; what is planned is kept by `keep_overlay` alone.
  OverlayBook& overlays();
  bool has_order(const std::string& number) const;
  // What the sources say now of a field that can be written on.
  // Errors   what `load` answers
  Result<std::string> says(const std::string& number, std::string_view field);
  struct KeptOverlays {
    std::string source;  // to finish
    std::vector<OverlayEdit> edits;
  };
  KeptOverlays keep_overlay(OverlayPlan plan);

  // Decides every order touched since the last call and answers the batch to commit.
  // Errors   what `load` answers; the decisions are then made again by the next call
  Result<store::Batch> finish(const std::string& source);

  // ---- questions
  // Good until the next question; nullptr when the file is not known.
  const store::FileRecord* known_file(const std::string& source, const std::string& path) const;
  // Calls `file` for every known file of the source, by path.
  void each_file(const std::string& source, const std::function<void(const store::FileRecord&)>& file) const;
  // The same with what a listing is held against; cheap.
  void each_stamp(const std::string& source, const std::function<void(std::string_view path, const FileStamp& stamp)>& file) const;
  std::vector<std::string> faulty_paths(const std::string& source) const;
  std::vector<std::string> files_below(const std::string& source, std::string_view folder) const;
  std::uint64_t file_count(const std::string& source) const;
  struct Counts {
    std::uint64_t orders = 0, rejections = 0, ignored = 0;
  };
  Counts counts(const std::string& source) const;
  // nullptr when there is none.
  const feed::Rejection* find_rejection(std::uint64_t id) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  mutable store::FileRecord asked_;  // what `known_file` points to
};

}  // namespace millrace::ingest
