// Where a process can die: between two calls, before a commit, after a commit. Dying is an exception that nobody below
// the harness catches; whoever it passes through is dropped and opened again from the record.
//
// Invariants
//   * After the kill nothing leaves any more: calls are cancelled, commits refused, until `revive`.
#pragma once
#include <cstdint>
#include <functional>

#include "outbound/http.h"
#include "store/record.h"

namespace millrace::testing {

struct Killed {};

class KillPoint {
 public:
  enum class Where : std::uint8_t { after_call, before_commit, after_commit };
  // Dies at the `count`th passing of `where`, counted from 1.
  void arm(Where where, std::uint64_t count) {
    where_ = where;
    left_ = count;
  }
  void revive() {
    dead_ = false;
    left_ = 0;
  }
  bool dead() const { return dead_; }
  void passes(Where where) {
    if (left_ == 0 || where != where_ || --left_ > 0) return;
    dead_ = true;
    throw Killed{};
  }

 private:
  Where where_ = Where::after_call;
  std::uint64_t left_ = 0;  // 0: not armed
  bool dead_ = false;
};

class MortalTransport final : public outbound::Transport {
 public:
  MortalTransport(std::function<outbound::Reply(const outbound::Call&)> send, KillPoint& kill)
      : send_(std::move(send)), kill_(kill) {}
  outbound::Reply send(const outbound::Call& call) override {
    if (kill_.dead()) {
      outbound::Reply reply;
      reply.failure = outbound::Failure::cancelled;
      return reply;
    }
    outbound::Reply reply = send_(call);
    kill_.passes(KillPoint::Where::after_call);
    return reply;
  }
  void cancel() override {}

 private:
  std::function<outbound::Reply(const outbound::Call&)> send_;
  KillPoint& kill_;
};

class MortalRecord final : public store::Record {
 public:
  MortalRecord(std::unique_ptr<store::Record> record, KillPoint& kill) : record_(std::move(record)), kill_(kill) {}

  Result<store::Committed> commit(store::Batch batch) override {
    if (kill_.dead()) return fail(ErrorCode::cancelled, "killed");
    kill_.passes(KillPoint::Where::before_commit);
    auto committed = record_->commit(std::move(batch));
    kill_.passes(KillPoint::Where::after_commit);
    return committed;
  }
  void on_commit(std::function<void(const std::vector<feed::Change>&)> listener) override {
    record_->on_commit(std::move(listener));
  }
  Result<std::vector<store::FileRecord>> files(const std::string& source) override { return record_->files(source); }
  Result<void> candidates(const std::string& source, const std::function<bool(store::Candidate)>& row) override {
    return record_->candidates(source, row);
  }
  Result<store::Candidate> candidate(const std::string& source, const std::string& path,
                                     std::uint32_t ordinal) override {
    return record_->candidate(source, path, ordinal);
  }
  Result<std::vector<feed::Rejection>> rejections() override { return record_->rejections(); }
  Result<void> kept(const std::string& space, const std::function<bool(store::KeptRow)>& row) override {
    return record_->kept(space, row);
  }
  Result<std::optional<std::string>> kept_one(const std::string& space, const std::string& key) override {
    return record_->kept_one(space, key);
  }
  Result<store::RecordPosition> position() override { return record_->position(); }
  Result<std::vector<store::FileNow>> files_changed_after(std::uint64_t revision) override {
    return record_->files_changed_after(revision);
  }
  store::RecordStatistics statistics() const override { return record_->statistics(); }
  store::RecordCondition condition() const override { return record_->condition(); }
  Result<void> verify(bool full) override { return record_->verify(full); }
  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override {
    return record_->changes_after(after, limit);
  }
  Result<feed::Sequence> last_sequence() override { return record_->last_sequence(); }
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override {
    return record_->changes_of_order(number, limit);
  }

 private:
  std::unique_ptr<store::Record> record_;
  KillPoint& kill_;
};

}  // namespace millrace::testing
