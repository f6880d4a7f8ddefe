// What is left when a write fails or the process is killed: everything of a change or nothing of it.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>

#include "base/fd.h"
#include "people/internal/rows.h"
#include "people/people_test_world.h"

namespace millrace::people {
namespace {

using namespace std::chrono_literals;

// A record whose disk is full when the test says so.
class FullRecord final : public store::Record {
 public:
  explicit FullRecord(store::Record& record) : record_(record) {}
  bool full = false;

  Result<store::Committed> commit(store::Batch batch) override {
    if (full) return fail(ErrorCode::storage_full, "the disk is full; make room");
    return record_.commit(std::move(batch));
  }
  void on_commit(std::function<void(const std::vector<feed::Change>&)> listener) override { record_.on_commit(std::move(listener)); }
  Result<std::vector<store::FileRecord>> files(const std::string& source) override { return record_.files(source); }
  Result<void> candidates(const std::string& source, const std::function<bool(store::Candidate)>& row) override { return record_.candidates(source, row); }
  Result<store::Candidate> candidate(const std::string& source, const std::string& path, std::uint32_t ordinal) override {
    return record_.candidate(source, path, ordinal);
  }
  Result<std::vector<feed::Rejection>> rejections() override { return record_.rejections(); }
  Result<void> kept(const std::string& space, const std::function<bool(store::KeptRow)>& row) override { return record_.kept(space, row); }
  Result<std::optional<std::string>> kept_one(const std::string& space, const std::string& key) override { return record_.kept_one(space, key); }
  Result<store::RecordPosition> position() override { return record_.position(); }
  Result<std::vector<store::FileNow>> files_changed_after(std::uint64_t revision) override { return record_.files_changed_after(revision); }
  store::RecordStatistics statistics() const override { return record_.statistics(); }
  store::RecordCondition condition() const override { return record_.condition(); }
  Result<void> verify(bool whole) override { return record_.verify(whole); }
  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override { return record_.changes_after(after, limit); }
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override { return record_.changes_of_order(number, limit); }
  Result<feed::Sequence> last_sequence() override { return record_.last_sequence(); }

 private:
  store::Record& record_;
};

TEST_CASE("On a full disk nothing of a change is there, and later it is done whole") {
  Office office;
  const User boss = office.add("boss", Role::admin);
  const SignedIn open = office.signed_in("boss");
  const auto token = office.directory().make_token(boss.id, {"t", Scope::read, {}}, command_line_actor());
  REQUIRE(token);
  FullRecord record(office.record());
  office.open_on(record);
  const auto password = office.hash("four other small words");
  const Actor actor = command_line_actor();
  record.full = true;
  const auto is_full = [](const auto& result) { return !result && result.error().code() == ErrorCode::storage_full; };
  CHECK(is_full(office.directory().create({"anna", "", "", Role::viewer, "", {}}, actor)));
  CHECK(is_full(office.directory().change(boss.id, {.display_name = "Boss"}, actor)));
  CHECK(is_full(office.directory().set_password(boss.id, *password, actor)));
  CHECK(is_full(office.directory().end_sessions_of(boss.id, actor)));
  CHECK(is_full(office.directory().make_token(boss.id, {"u", Scope::read, {}}, actor)));
  CHECK(is_full(office.directory().revoke_token(token->token.id, actor)));
  CHECK(is_full(office.directory().new_setup_link(actor)));
  CHECK(is_full(office.sign_in("boss").entered));
  CHECK(office.directory().users().size() == 1);
  CHECK(office.directory().user(boss.id)->version == 1);
  CHECK(office.holds(open));
  CHECK(office.directory().identify_token(token->secret.reveal()));
  CHECK(office.directory().tokens().size() == 1);
  CHECK(office.revoked().sessions.empty());
  record.full = false;
  CHECK(office.sign_in("boss").text() == "in as boss");
  REQUIRE(office.directory().create({"anna", "", "", Role::viewer, "", {}}, actor));
  REQUIRE(office.directory().set_password(boss.id, *password, actor));
  const auto proof = office.audit().verify([](std::uint64_t, std::uint64_t) { return true; });
  REQUIRE(proof);
  CHECK(proof->problem == "");
  CHECK(office.directory().users().size() == 2);
  office.open_on(office.record());
}

// The life of an office until it is killed. Says when it begins with the next user.
[[noreturn]] void work(const std::string& path, int news) {
  const SystemClock clock;
  metrics::Registry metrics;
  auto record = store::open_sqlite_record({.path = path, .clock = &clock});
  if (!record) ::_exit(1);
  auto audit = Audit::open(**record, clock);
  if (!audit) ::_exit(2);
  auto directory = Directory::open(**record, **audit, clock, metrics, cheap_options());
  if (!directory) ::_exit(3);
  const Actor actor = command_line_actor();
  const auto hash = people::hash_password(Secret("three small words"), cheap_options().cost);
  for (;;) {
    if (::write(news, "u", 1) != 1) ::_exit(7);
    const std::string name = "user" + std::to_string((*directory)->users().size());
    const auto made = (*directory)->create({name, "", "", Role::admin, "", *hash}, actor);
    if (!made) ::_exit(4);
    std::promise<void> in;
    (*directory)->sign_in({name, Secret("three small words"), "192.0.2.1", ""}, [&](const Result<SignedIn>&, std::chrono::seconds) { in.set_value(); });
    in.get_future().wait();
    if (!(*directory)->make_token(made->id, {"t", Scope::read, {}}, actor)) ::_exit(5);
    if (!(*directory)->change(made->id, {.role = Role::floor}, actor) && made->id.value != 1) ::_exit(6);
  }
}

TEST_CASE("A kill leaves no half user and no change without its row of the trail") {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "record.sqlite";
  const auto seed = std::random_device{}();
  MESSAGE("seed ", seed);
  std::mt19937 dice(seed);
  const SystemClock clock;
  std::size_t users_before = 0;
  for (int kill = 0; kill < 12; ++kill) {
    std::array<int, 2> news{};
    REQUIRE(::pipe(news.data()) == 0);
    const UniqueFd heard(news[0]);
    UniqueFd told(news[1]);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) work(path, told.get());
    told.reset();  // when it ends by itself, reading ends too
    std::array<char, 3> begun;  // it began with a third user: two are done
    for (char& one : begun) REQUIRE(::read(heard.get(), &one, 1) == 1);
    // Anywhere in its life from here on.
    std::promise<void> never;
    never.get_future().wait_for(std::chrono::microseconds(dice() % 30'000));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE_MESSAGE(WIFSIGNALED(status), "it ended by itself with ", WEXITSTATUS(status));
    auto record = store::open_sqlite_record({.path = path, .clock = &clock});
    REQUIRE_MESSAGE(record, record.error().text());
    auto audit = Audit::open(**record, clock);
    REQUIRE_MESSAGE(audit, audit.error().text());
    metrics::Registry metrics;
    auto directory = Directory::open(**record, **audit, clock, metrics, cheap_options());
    REQUIRE_MESSAGE(directory, directory.error().text());
    const auto proof = (*audit)->verify([](std::uint64_t, std::uint64_t) { return true; });
    REQUIRE(proof);
    CHECK(proof->problem == "");
    const auto page_count = [&](const std::string& verb) {
      std::size_t count = 0;
      std::uint64_t before = 0;
      do {
        const auto page = (*audit)->page(before, 500, {.verb = verb});
        REQUIRE(page);
        count += page->rows.size();
        before = page->next.value_or(0);
      } while (before != 0);
      return count;
    };
    const auto users = (*directory)->users();
    CHECK(users.size() >= users_before + 2);  // what it went on from was acknowledged
    CHECK(page_count("user.create") == users.size());
    CHECK(page_count("token.create") == (*directory)->tokens().size());
    for (const Session& session : (*directory)->sessions()) CHECK((*directory)->user(session.user));
    for (const User& user : users)
      if (user.role == Role::floor) CHECK((*directory)->sessions(user.id).empty());
    users_before = users.size();
  }
  MESSAGE(users_before, " users after 12 kills");
}

}  // namespace
}  // namespace millrace::people
