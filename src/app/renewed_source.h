// A source that is made again when one of the files it is made from (its secrets) was changed: a password that is put
// right counts at once, without a restart.
//
//   made? ── yes ──> its steps are ours; a file changed and says something else: give it back, make it anew
//         └─ no ───> failed, with the sentence of `make`; a file changed or a person asks: make it
//
// Invariants
//   * A file that was only touched changes nothing; a running source is never given up for one that cannot be read.
//   * A file is taken as it is when it has not changed for `settle`, so that half a password is never sent.
//   * One thread steps; requests and `status` may come from any.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/source.h"

namespace millrace::app {

// What a file says, and when it was changed; nothing of it is the secret itself.
struct SecretFile {
  std::string stamp;                     // inode, size, times and rights; "" when there is none
  std::function<std::string()> content;  // a hash of it, "" when it cannot be read
};

struct RenewedSourceOptions {
  ingest::SourceStatus failed;                     // id, kind and root of a source that cannot be made
  std::function<std::vector<SecretFile>()> files;  // as they are now
  std::function<Result<std::unique_ptr<ingest::Source>>()> make;
  std::function<void()> gone = [] {};  // before a source that was made ends
  std::chrono::milliseconds settle{300};
};

class RenewedSource final : public ingest::Source {
 public:
  // Errors   those of `make` that a change of the files cannot mend
  static Result<std::unique_ptr<RenewedSource>> start(RenewedSourceOptions options);
  ~RenewedSource() override;

  bool step(std::chrono::milliseconds patience) override;
  ingest::SourceStatus status() const override;
  std::optional<Stopwatch::time_point> hangs_since() const override;
  void tell_news() const override;
  void request_refresh(bool reread_everything) override;
  void request_pause() override;
  void request_resume() override;
  void request_interval(std::chrono::seconds interval) override;
  void request_accept() override;
  void request_reject() override;
  void request_replay(const std::string& path) override;
  void request_keys(std::string_view stream, std::vector<std::string> keys) override;
  void request_stop() override;

 private:
  explicit RenewedSource(RenewedSourceOptions options);
  std::shared_ptr<ingest::Source> current() const;
  Result<void> make();
  void look();
  void give_up();
  bool wait(std::chrono::milliseconds patience);
  static std::string stamps_of(const std::vector<SecretFile>& files);
  static std::string contents_of(const std::vector<SecretFile>& files);

  // fixed after construction
  const RenewedSourceOptions options_;

  // used by the stepping thread only
  std::string made_from_;  // contents the source was made from
  std::string seen_;       // stamps, as last seen
  Stopwatch::time_point seen_since_{};
  bool settled_ = true;  // what was seen was acted upon

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::condition_variable wake_;
  std::shared_ptr<ingest::Source> source_;
  ingest::SourceStatus failed_;
  bool asked_ = false, paused_ = false, stop_ = false;
  std::optional<std::chrono::seconds> interval_;
};

}  // namespace millrace::app
