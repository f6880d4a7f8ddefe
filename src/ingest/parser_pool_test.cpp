#include "ingest/parser_pool.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>

#include "ingest/internal/job_lanes.h"
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
  void add(std::vector<ParseAnswer> together) {
    const std::lock_guard lock(mutex_);
    for (ParseAnswer& answer : together) {
      const std::uint64_t id = answer.id;
      answers_.insert_or_assign(id, std::move(answer));
    }
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
  auto pool = ParserPool::start(std::move(wanted), [&](std::vector<ParseAnswer> together) { answers.add(std::move(together)); });
  if (!pool) FAIL(pool.error().text());
  MESSAGE("sandbox: ", (*pool)->sandbox());
  return std::move(*pool);
}

TEST_CASE("Documents given to the pool come back read, each under its own id") {
  Answers answers;
  metrics::Registry registry;
  ParserPoolOptions counted = options();
  counted.metrics = &registry;
  const auto pool = start(std::move(counted), answers);
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
  CHECK(registry.timing("millrace_parse_seconds", "json").count() == 40);
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
  metrics::Registry registry;
  hasty.metrics = &registry;
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
  CHECK(registry.counter("millrace_parser_workers_replaced_total").value() == 1);
}

TEST_CASE("A program that is no parser is named instead of a silent pool") {
  ParserPoolOptions wrong = options();
  wrong.executable = "/usr/bin/true";
  const auto pool = ParserPool::start(std::move(wrong), [](std::vector<ParseAnswer>) {});
  REQUIRE_FALSE(pool.has_value());
  CHECK(pool.error().code() == ErrorCode::unavailable);
}

// One page, one order, as small as a PDF can be.
std::string order_pdf() {
  struct Text {
    int x, y;
    const char* text;
  };
  std::string page = "BT";
  for (const Text& t : std::initializer_list<Text>{{40, 760, "Order No:"}, {140, 760, "SO77"}, {40, 746, "Customer:"}, {140, 746, "C1"}, {40, 732, "Currency:"}, {140, 732, "EUR"},
                                                   {40, 700, "Item"}, {140, 700, "Description"}, {330, 700, "Qty"}, {400, 700, "Unit price"}, {503, 700, "Line total"},
                                                   {40, 685, "BK-1"}, {140, 685, "Road bike"}, {340, 685, "2"}, {422, 685, "2.50"}, {526, 685, "5.00"},
                                                   {400, 650, "Net total"}, {526, 650, "5.00"}}) {
    page += " /F1 9 Tf 1 0 0 1 " + std::to_string(t.x) + " " + std::to_string(t.y) + " Tm (" + t.text + ") Tj";
  }
  page += " ET";
  const std::string objects[] = {"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
                                 "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>",
                                 "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
                                 "<< /Length " + std::to_string(page.size()) + " >>\nstream\n" + page + "\nendstream"};
  std::string pdf = "%PDF-1.4\n";
  std::string table = "xref\n0 6\n0000000000 65535 f \n";
  for (std::size_t i = 0; i < 5; ++i) {
    const std::string offset = std::to_string(pdf.size());
    table += std::string(10 - offset.size(), '0') + offset + " 00000 n \n";
    pdf += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::size_t start = pdf.size();
  return pdf + table + "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n" + std::to_string(start) + "\n%%EOF\n";
}

TEST_CASE("A PDF is read inside the walls, a broken one is refused there") {
  Answers answers;
  const auto pool = start(options(), answers);
  REQUIRE(pool->submit({1, memory_document(order_pdf()), "a.pdf", std::nullopt}));
  REQUIRE(pool->submit({2, memory_document("%PDF-1.4\nstartxref\n0\n%%EOF\n"), "b.pdf", std::nullopt}));
  REQUIRE(answers.wait_for(2));
  const ParsedDocument& whole = answers.at(1).document;
  REQUIRE_MESSAGE(whole.orders.size() == 1, (whole.findings.empty() ? whole.ignored_because : whole.findings[0].reason));
  CHECK(whole.orders[0].lines.at(0).line_total == 500);
  REQUIRE(answers.at(2).document.findings.size() == 1);
  CHECK(answers.at(2).document.findings[0].outcome == feed::Outcome::reject);
  CHECK(pool->workers_replaced() == 0);
}

// The processes below `process` that are parsers by now, and no longer the sandbox that starts one.
void find_parsers(const std::string& process, std::vector<pid_t>& found) {
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + process + "/task", gone)) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;) {
      std::ifstream command("/proc/" + std::to_string(pid) + "/cmdline");
      std::string program;
      std::getline(command, program, '\0');
      if (program.ends_with("/millrace") || program.ends_with("parse_worker")) found.push_back(pid);
      find_parsers(std::to_string(pid), found);
    }
  }
}

TEST_CASE("Workers that are ended in the middle of their batches lose no document and blame none") {
  Answers answers;
  const auto pool = start(options(), answers);
  constexpr int documents = 400;
  for (int i = 1; i <= documents; ++i) {
    REQUIRE(pool->submit({static_cast<std::uint64_t>(i), memory_document(order_json(i)), "a.json", std::nullopt}));
    if (i != documents / 2) continue;
    std::vector<pid_t> parsers;
    find_parsers("self", parsers);
    for (const pid_t pid : parsers) kill(pid, SIGKILL);
  }
  REQUIRE(answers.wait_for(documents));
  for (int i = 1; i <= documents; ++i) {
    const ParseAnswer& answer = answers.at(static_cast<std::uint64_t>(i));
    REQUIRE_MESSAGE(answer.document.orders.size() == 1, (answer.document.findings.empty() ? "" : answer.document.findings[0].reason));
    CHECK(answer.document.orders[0].number.text == std::to_string(i));
  }
}

TEST_CASE("Quick documents are read before the pages that wait in front of them") {
  JobLanes lanes(8, 1);
  for (const char* name : {"a.pdf", "b.json", "c.PDF", "d.csv"}) REQUIRE(lanes.push({0, UniqueFd(), name, std::nullopt}));
  const auto names = [](const std::vector<ParseJob>& jobs) {
    std::string all;
    for (const ParseJob& job : jobs) all += job.name + " ";
    return all;
  };
  CHECK(names(lanes.take(JobLanes::Wait::no, 64, 1)) == "b.json d.csv ");
  CHECK(names(lanes.take(JobLanes::Wait::no, 64, 1)) == "a.pdf ");
  CHECK(names(lanes.take(JobLanes::Wait::no, 64, 1)) == "c.PDF ");
  CHECK(lanes.take(JobLanes::Wait::no, 64, 1).empty());
}

TEST_CASE("After stop nothing more is taken") {
  Answers answers;
  const auto pool = start(options(), answers);
  pool->stop();
  CHECK_FALSE(pool->submit({1, memory_document(order_json(1)), "a.json", std::nullopt}));
}

TEST_CASE("Messages between pool and worker survive the round trip") {
  const WorkerSetup setup{1, 2, 3, 4, HashMethod::md5, "name = 'x'"};
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
