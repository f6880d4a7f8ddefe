// The one door into the record: sources bring what they read, Intake lets the order book decide and commits.
//
// Invariants
//   * One caller at a time works on the book; decisions and commits happen in the same order.
//   * A batch whose commit failed is kept and committed first next time: nothing decided is lost.
//   * Kept rows are committed with the files of their source and never before them. Whoever's commit was refused brings
//     nothing further until it went well, so that what waits stays small.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/order_book.h"
#include "store/record.h"

namespace millrace::ingest {

// What the order book was when the record stood at `revision`: read instead of every file and candidate.
struct WarmBook {
  std::uint64_t revision = 0;
  std::vector<std::string> sources;  // whose files are all in it
  std::size_t file_count = 0, order_count = 0;
  // Hands over every section; ends with the first error that `take` answers.
  std::function<Result<void>(const std::function<Result<void>(std::string_view section)>& take)> sections;
};

class Intake {
 public:
  Intake(store::Record& record, LayoutProfile profile, JoinRules rules = {}, OverlayFields overlay_fields = OverlayFields());

  // Loads what the record knows of these sources, from `warm` (may be null) as far as it goes. Before the first
  // `commit`. Errors   those of the record. A warm book that makes no sense is told to `warm_refused` and not used.
  Result<void> restore(const std::vector<std::string>& sources, const WarmBook* warm,
                       const std::function<void(const Error&)>& warm_refused);

  struct Image {
    std::shared_ptr<const BookImage> book;
    std::uint64_t revision = 0;
    std::vector<std::string> sources;
  };
  // Calls `take` with the book as it is when everything brought so far is committed: now, or at the end of a later
  // commit, on that thread. `take` only puts it aside. A second wish replaces the first.
  void want_image(std::function<void(Result<Image>)> take);

  // Runs `work` on the book, alone.
  template <class Work>
  auto with_book(Work work) {
    const std::lock_guard lock(mutex_);
    return work(book_);
  }

  // Rows that a source keeps for itself, committed with what it brought.
  struct Kept {
    std::vector<store::KeptRow> put;
    std::vector<store::KeptKey> removed;
    std::vector<feed::Change> changes;  // of finance documents, whose rows are among `put` and `removed`
  };
  // Decides and commits what `source` brought, with `kept` in the same transaction. Errors: those of Record::commit;
  // nothing was written then, and all of it, `kept` too, goes first with the next call. Answers whether anything was written.
  Result<bool> commit(const std::string& source, Kept kept = {});

  // A person's choice where sources differ, committed with the order as it then counts; answers that change.
  // Errors   those of OrderBook::decide and undecide, and of Record::commit: then the choice goes first with the next call
  Result<feed::Change> decide(const DifferenceChoice& choice, const std::string& source, const std::string& by, Instant now);
  Result<feed::Change> undecide(const DifferenceChoice& choice);

  // What people write on orders (intake_overlay.cpp): as OverlayDoor says, committed with the orders as they then count.
  // Errors   besides those of OverlayDoor: of Record::commit; what was written then goes first with the next call
  const OverlayFields& overlay_fields() const { return overlay_fields_; }
  Result<OverlayState> overlay(const std::string& order);
  using OverlayPlanner = std::function<Result<OverlayPlan>(const OverlayBook& book, const OverlaySaid& said)>;
  // `order` is whom the answer speaks of, and has to be there; "" for many.
  Result<OverlayAnswer> write_overlay(const std::string& order, const OverlayAsker& asker, const OverlayPlanner& plan);
  Result<OverlayEdits> overlay_edits_of(const std::string& order, std::optional<std::uint64_t> before, std::size_t limit);
  Result<OverlayEdits> overlay_edits_since(std::uint64_t since, std::size_t limit);
  // Ends the values whose time has come; cheap while there are none. Answers how many orders changed.
  Result<std::size_t> end_overlays(Instant now);

 private:
  Result<void> send_unsent();
  Result<OverlayState> overlay_state(const std::string& order);
  Result<void> commit_overlay(OverlayPlan plan, OverlayAnswer& answer);
  void note_next_end();
  Result<void> restore_overlays();
  Result<bool> decide_and_commit(const std::string& source, std::vector<feed::Change>* committed = nullptr);
  Result<feed::Change> commit_choice(const DifferenceChoice& choice, const Result<std::string>& source);
  Result<std::optional<std::string>> restore_decisions();
  Result<void> restore_from_record(const std::string& source);
  Result<void> restore_warm(const std::vector<std::string>& sources, const WarmBook& warm);
  void give_image();

  store::Record& record_;
  const OverlayFields overlay_fields_;
  std::atomic<std::int64_t> next_end_;  // of a value that people wrote, in milliseconds
  std::mutex mutex_;
  // guarded by mutex_
  OrderBook book_;
  std::optional<store::Batch> unsent_;
  std::map<std::string, Kept> kept_waiting_;  // by source: for its next batch
  std::vector<std::string> sources_;  // whose files are all in the book
  std::function<void(Result<Image>)> image_wanted_;
};

}  // namespace millrace::ingest
