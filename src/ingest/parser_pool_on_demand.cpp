#include "ingest/parser_pool_on_demand.h"

#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr std::chrono::seconds retry_pause{3};

}  // namespace

ParserPoolOnDemand::ParserPoolOnDemand(ParserPoolOptions options, std::function<void(std::vector<ParseAnswer>)> on_answer)
    : options_(std::move(options)), on_answer_(std::move(on_answer)) {}

ParserPool* ParserPoolOnDemand::started(std::string& why_not) {
  const std::lock_guard lock(mutex_);
  if (pool_ == nullptr && !stopped_ && Stopwatch::now() >= try_again_) {
    if (auto pool = ParserPool::start(options_, on_answer_); pool) {
      pool_ = std::move(*pool);
    } else {
      log_error("parsers_not_started", {{"reason", pool.error().text()}});
      why_not_ = pool.error().text();
      try_again_ = Stopwatch::now() + retry_pause;
    }
  }
  why_not = why_not_;
  return pool_.get();
}

bool ParserPoolOnDemand::submit(ParseJob job) {
  std::string why_not;
  if (ParserPool* const pool = started(why_not)) return pool->submit(std::move(job));
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
  }
  ParseAnswer answer;
  answer.id = job.id;
  answer.document.findings.push_back({feed::Outcome::held, "", "the parsers could not be started: " + why_not, "", ""});
  std::vector<ParseAnswer> answers;
  answers.push_back(std::move(answer));
  on_answer_(std::move(answers));
  return true;
}

void ParserPoolOnDemand::prepare() {
  std::string why_not;
  started(why_not);
}

void ParserPoolOnDemand::stop() {
  ParserPool* pool = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    pool = pool_.get();
  }
  if (pool != nullptr) pool->stop();
}

std::string ParserPoolOnDemand::sandbox() const {
  const std::lock_guard lock(mutex_);
  return pool_ ? pool_->sandbox() : "not started yet";
}

std::uint64_t ParserPoolOnDemand::workers_replaced() const {
  const std::lock_guard lock(mutex_);
  return pool_ ? pool_->workers_replaced() : 0;
}

}  // namespace millrace::ingest
