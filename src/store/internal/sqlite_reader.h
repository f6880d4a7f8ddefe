// Answers from committed, verified state: a read-only connection behind a mutex.
//
// Invariants
//   * Every row is verified; an answer that lacks rows it should have is `corrupt`, not short.
//   * `on_damage` hears of every `corrupt`, from the thread that asked.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "feed/reader.h"
#include "store/internal/sqlite_rows.h"

namespace millrace::store {

class SqliteReader final : public feed::Reader {
 public:
  // Throws SQLite::Exception.
  SqliteReader(const std::string& path, std::function<void(const Error&)> on_damage);

  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override;
  Result<feed::Sequence> last_sequence() override;
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override;

  Result<std::vector<FileRecord>> files(const std::string& source);
  Result<void> candidates(const std::string& source, const std::function<bool(Candidate)>& row);
  Result<Candidate> candidate(const std::string& source, const std::string& path, std::uint32_t ordinal);
  Result<std::vector<feed::Rejection>> rejections();
  Result<void> kept(const std::string& space, const std::function<bool(KeptRow)>& row);
  Result<std::optional<std::string>> kept_one(const std::string& space, const std::string& key);
  Result<RecordState> state();
  // See Record::files_changed_after; `revisions_max`, `files_max` are its bounds.
  Result<std::vector<FileNow>> files_changed_after(std::uint64_t revision, std::uint64_t revisions_max, std::size_t files_max);
  std::uint64_t statements() const { return statements_; }
  // PRAGMA quick_check or integrity_check: the structure of the pages.
  Result<void> check_pages(bool full);

 private:
  using Touched = std::vector<std::pair<std::string, std::string>>;  // source, path; sorted, each once

  // Runs `question` in one read transaction, one caller at a time.
  template <class Question>
  auto answer(const std::string& doing, Question question) -> Result<decltype(question())>;
  std::optional<Touched> touched_after(std::uint64_t revision, std::uint64_t revisions_max, std::size_t files_max);
  FileNow file_now(const std::string& source, const std::string& path);
  void verify_histories_once();
  void verify_kept_once();

  const std::function<void(const Error&)> on_damage_;
  std::atomic<std::uint64_t> statements_{0};
  std::mutex mutex_;
  // guarded by mutex_
  SqliteConnection connection_;
  bool histories_verified_ = false;
  bool kept_verified_ = false;
};

}  // namespace millrace::store
