// A record in a folder of its own with its audit trail and directory, under a clock that tests turn; cheap passwords.
#pragma once
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "people/directory.h"
#include "store/backup.h"
#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::people {

class TurnedClock final : public Clock {
 public:
  Instant now() const override { return Instant{std::chrono::milliseconds{now_.load()}}; }
  void turn(std::chrono::milliseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{testing::instant("2026-03-01T08:00:00Z").time_since_epoch().count()};
};

inline DirectoryOptions cheap_options() {
  DirectoryOptions options;
  options.cost = {64u << 10, 1};
  return options;
}

inline bool going_on(std::string_view, std::uint64_t, std::uint64_t) { return true; }

class Office {
 public:
  explicit Office(DirectoryOptions options = cheap_options()) : options_(std::move(options)) { restart(); }
  ~Office() { close(); }

  void close() {
    directory_.reset();
    audit_.reset();
    record_.reset();
  }
  void restart() {
    close();
    auto record = store::open_sqlite_record({.path = folder_ / "record.sqlite", .clock = &clock_});
    REQUIRE_MESSAGE(record, record.error().text());
    record_ = std::move(*record);
    open_on(*record_);
  }
  // The record becomes what the backup says.
  void restore_from(const std::string& backup) {
    close();
    const auto restored = store::restore_backup(backup, folder_ / "record.sqlite", true, clock_.now(), going_on);
    REQUIRE_MESSAGE(restored, restored.error().text());
    restart();
  }
  std::string back_up() {
    const std::string file = folder_ / "people.backup";
    const auto written = store::write_backup(folder_ / "record.sqlite", file, clock_.now(), going_on);
    REQUIRE_MESSAGE(written, written.error().text());
    return file;
  }
  // Through a record that a test puts in between.
  void open_on(store::Record& record) {
    directory_.reset();
    auto audit = Audit::open(record, clock_);
    REQUIRE_MESSAGE(audit, audit.error().text());
    audit_ = std::move(*audit);
    auto directory = Directory::open(record, *audit_, clock_, metrics_, options_);
    REQUIRE_MESSAGE(directory, directory.error().text());
    directory_ = std::move(*directory);
    directory_->on_revoked([this](const Revoked& revoked) {
      std::lock_guard lock(revoked_mutex_);
      for (const SessionId id : revoked.sessions) revoked_.sessions.push_back(id);
      for (const TokenId id : revoked.tokens) revoked_.tokens.push_back(id);
    });
  }

  Directory& directory() { return *directory_; }
  Audit& audit() { return *audit_; }
  store::Record& record() { return *record_; }
  TurnedClock& clock() { return clock_; }
  metrics::Registry& metrics() { return metrics_; }
  Revoked revoked() {
    std::lock_guard lock(revoked_mutex_);
    return std::exchange(revoked_, {});
  }

  Result<PasswordHash> hash(const std::string& password, const std::string& login = "") {
    std::promise<Result<PasswordHash>> told;
    directory_->hash_new_password(Secret(password), login, "192.0.2.9", [&](Result<PasswordHash> made) { told.set_value(std::move(made)); });
    return told.get_future().get();
  }
  User add(const std::string& name, Role role = Role::viewer, const std::string& password = "three small words") {
    auto hashed = hash(password, name);
    REQUIRE_MESSAGE(hashed, hashed.error().text());
    auto made = directory_->create({name, "", "", role, "", *hashed}, command_line_actor());
    REQUIRE_MESSAGE(made, made.error().text());
    return *made;
  }
  struct Answer {
    Result<SignedIn> entered = fail(ErrorCode::internal, "");
    std::chrono::seconds retry_after{0};
    std::string text() const { return entered ? "in as " + entered->identity.name : entered.error().text(); }
  };
  // Runs `ask(done)` and waits for what it is told.
  template <class Ask>
  static Answer answer_of(Ask ask) {
    std::promise<Answer> told;
    ask([&](Result<SignedIn> entered, std::chrono::seconds retry_after) { told.set_value({std::move(entered), retry_after}); });
    return told.get_future().get();
  }
  Answer sign_in(const std::string& name, const std::string& password = "three small words", const std::string& address = "192.0.2.1") {
    return answer_of([&](SignInDone done) { directory_->sign_in({name, Secret(password), address, "a browser"}, std::move(done)); });
  }
  SignedIn signed_in(const std::string& name, const std::string& address = "192.0.2.1") {
    auto answer = sign_in(name, "three small words", address);
    REQUIRE_MESSAGE(answer.entered, answer.text());
    return *answer.entered;
  }
  bool holds(const SignedIn& entered) const { return directory_->identify_session(entered.session.reveal()).has_value(); }
  // "sign-in user:1 by anna": the newest rows first.
  std::string trail(std::size_t count) {
    const auto page = audit_->page(0, count);
    REQUIRE_MESSAGE(page, page.error().text());
    std::string text;
    for (const AuditRow& row : page->rows)
      text += (text.empty() ? "" : ", ") + row.entry.verb + " " + row.entry.object + " by " + row.entry.actor.who;
    return text;
  }

 private:
  testing::TemporaryFolder folder_;
  TurnedClock clock_;
  metrics::Registry metrics_;
  const DirectoryOptions options_;
  std::unique_ptr<store::Record> record_;
  std::unique_ptr<Audit> audit_;
  std::unique_ptr<Directory> directory_;
  std::mutex revoked_mutex_;
  Revoked revoked_;  // guarded by revoked_mutex_
};

}  // namespace millrace::people
