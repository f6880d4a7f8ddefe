#include "ingest/parser_pool.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "ingest/internal/worker_protocol.h"

namespace millrace::ingest {
namespace {

UniqueFd memory_document(std::string_view content) {
  UniqueFd file(memfd_create("document", MFD_CLOEXEC));
  REQUIRE(static_cast<bool>(file));
  REQUIRE(write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  return file;
}

std::string order_json(int number) {
  return R"({"DocNum":)" + std::to_string(number) +
         R"(,"CardCode":"C1","DocCurrency":"EUR","DocumentLines":[{"ItemCode":"A","Quantity":2,"UnitPrice":"2.50","RemainingOpenQuantity":1}]})";
}

// Collects answers by id and lets a test wait for a number of them.
class Answers {
 public:
  void add(ParseAnswer answer) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t id = answer.id;
    answers_.insert_or_assign(id, std::move(answer));
    changed_.notify_all();
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return answers_.size() >= count; });
  }
  const ParseAnswer& at(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    return answers_.at(id);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, ParseAnswer> answers_;
};

ParserPoolOptions options() {
  ParserPoolOptions options;
  options.executable = MILLRACE_PARSE_WORKER;
  options.profile = built_in_profile();
  return options;
}

std::unique_ptr<ParserPool> start(ParserPoolOptions wanted, Answers& answers) {
  auto pool = ParserPool::start(std::move(wanted), [&](ParseAnswer answer) { answers.add(std::move(answer)); });
  if (!pool) FAIL(pool.error().text());
  MESSAGE(std::string("sandbox: ") + (*pool)->sandbox());
  return std::move(*pool);
}

TEST_CASE("Documents given to the pool come back read, each under its own id") {
  Answers answers;
  const auto pool = start(options(), answers);
  for (int i = 1; i <= 40; ++i) {
    REQUIRE(pool->submit({static_cast<std::uint64_t>(i), memory_document(order_json(i)), "a.json", std::nullopt}));
  }
  REQUIRE(answers.wait_for(40));
  for (int i = 1; i <= 40; ++i) {
    const ParseAnswer& answer = answers.at(static_cast<std::uint64_t>(i));
    REQUIRE(answer.document.orders.size() == 1);
    CHECK(answer.document.orders[0].number.text == std::to_string(i));
    CHECK(answer.document.orders[0].lines[0].open_amount == 250);
    CHECK(answer.hash == content_hash(order_json(i)));
    CHECK_FALSE(answer.moved_while_read);
  }
  CHECK(pool->workers_replaced() == 0);
}

TEST_CASE("A document whose content is already known is answered as unchanged") {
  Answers answers;
  const auto pool = start(options(), answers);
  const std::string content = order_json(7);
  REQUIRE(pool->submit({1, memory_document(content), "a.json", content_hash(content)}));
  REQUIRE(answers.wait_for(1));
  CHECK(answers.at(1).unchanged);
  CHECK(answers.at(1).document.orders.empty());
}

TEST_CASE("A file over the size limit is refused without reading it, also when it is sparse") {
  Answers answers;
  const auto pool = start(options(), answers);
  UniqueFd file(memfd_create("sparse", MFD_CLOEXEC));
  REQUIRE(ftruncate(file.get(), 1ll << 40) == 0);
  REQUIRE(pool->submit({1, std::move(file), "huge.json", std::nullopt}));
  REQUIRE(answers.wait_for(1));
  REQUIRE(answers.at(1).document.findings.size() == 1);
  CHECK(answers.at(1).document.findings[0].reason.find("file_size_max") != std::string::npos);
  CHECK(answers.at(1).bytes == 0);
}

TEST_CASE("A document that needs too much memory is refused and the next one is read") {
  Answers answers;
  ParserPoolOptions small = options();
  small.worker_count = 1;
  small.memory_max = 160ull << 20;
  const auto pool = start(std::move(small), answers);
  std::string many = "[";
  for (int i = 0; i < 400'000; ++i) many += (i == 0 ? "" : ",") + order_json(i);
  many += "]";
  REQUIRE(pool->submit({1, memory_document(many), "many.json", std::nullopt}));
  REQUIRE(pool->submit({2, memory_document(order_json(2)), "a.json", std::nullopt}));
  REQUIRE(answers.wait_for(2));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  REQUIRE(answers.at(1).document.findings.size() == 1);
  CHECK(answers.at(1).document.orders.empty());
#endif
  CHECK(answers.at(2).document.orders.size() == 1);
}

TEST_CASE("A document that takes too long is refused, its worker is replaced and the next one is read") {
  Answers answers;
  ParserPoolOptions hasty = options();
  hasty.worker_count = 1;
  hasty.time_max = std::chrono::milliseconds(1);
  std::string many = "[";
  for (int i = 0; i < 100'000; ++i) many += (i == 0 ? "" : ",") + order_json(i);
  many += "]";
  const auto pool = start(std::move(hasty), answers);
  REQUIRE(pool->submit({1, memory_document(many), "many.json", std::nullopt}));
  REQUIRE(answers.wait_for(1));
  REQUIRE(answers.at(1).document.findings.size() == 1);
  CHECK(answers.at(1).document.findings[0].reason.find("longer than 1 ms") != std::string::npos);
  CHECK(pool->workers_replaced() == 1);
}

TEST_CASE("A program that is no parser is named instead of a silent pool") {
  ParserPoolOptions wrong = options();
  wrong.executable = "/usr/bin/true";
  const auto pool = ParserPool::start(std::move(wrong), [](ParseAnswer) {});
  REQUIRE_FALSE(pool.has_value());
  CHECK(pool.error().code() == ErrorCode::unavailable);
}

TEST_CASE("After stop nothing more is taken") {
  Answers answers;
  const auto pool = start(options(), answers);
  pool->stop();
  CHECK_FALSE(pool->submit({1, memory_document(order_json(1)), "a.json", std::nullopt}));
}

TEST_CASE("Messages between pool and worker survive the round trip") {
  const WorkerSetup setup{1, 2, 3, HashMethod::md5, "name = 'x'"};
  const auto setup_back = decode_worker_setup(encode(setup));
  REQUIRE(setup_back.has_value());
  CHECK(setup_back->hash_method == HashMethod::md5);
  CHECK(setup_back->profile_toml == setup.profile_toml);
  WorkerAnswer answer;
  answer.hash = content_hash("x");
  answer.bytes = 77;
  answer.document.findings.push_back({feed::Outcome::reject, "line 1", "reason", "value", "7"});
  const auto back = decode_worker_answer(encode(answer));
  REQUIRE(back.has_value());
  CHECK(back->hash == answer.hash);
  CHECK(back->document.findings[0].reason == "reason");
  CHECK_FALSE(decode_worker_answer("nonsense").has_value());
}

}  // namespace
}  // namespace millrace::ingest
