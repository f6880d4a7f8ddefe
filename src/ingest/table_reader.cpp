#include "ingest/table_reader.h"

#include "ingest/internal/memory_file.h"
#include "ingest/parser_pool_on_demand.h"

namespace millrace::ingest {
namespace {

constexpr auto start_patience = std::chrono::seconds(10);  // for a parser that starts with this document

}  // namespace

TableReader::TableReader(std::optional<ParserPoolOptions> parsers) {
  if (!parsers) return;
  parsers->worker_count = 1;
  patience_ = parsers->time_max * 2 + start_patience;
  pool_ = std::make_unique<ParserPoolOnDemand>(std::move(*parsers), [this](std::vector<ParseAnswer> answers) { on_answers(std::move(answers)); });
}

TableReader::~TableReader() { stop(); }

void TableReader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  answered_.notify_all();
  if (pool_) pool_->stop();
}

void TableReader::on_answers(std::vector<ParseAnswer> answers) {
  {
    const std::lock_guard lock(mutex_);
    for (ParseAnswer& answer : answers)
      if (reading_ && answer.id == job_) answer_ = std::move(answer.document);
  }
  answered_.notify_all();
}

Result<ParsedDocument> TableReader::read(std::string_view content, std::string_view name) {
  const auto away = [] { return fail(ErrorCode::unavailable, "no sheet can be read now; try again later, and see `millrace doctor`"); };
  auto file = memory_file(content);
  if (!file) return pass_on(file);
  ParseJob job;
  {
    const std::lock_guard lock(mutex_);
    if (!pool_ || stopped_) return away();
    if (reading_) return fail(ErrorCode::unavailable, "another sheet is being read; try again in a moment");
    reading_ = true;
    answer_.reset();
    job.id = ++job_;
  }
  job.file = std::move(*file);
  job.name = name;
  const bool handed = pool_->submit(std::move(job));
  std::unique_lock lock(mutex_);
  if (handed) answered_.wait_for(lock, patience_, [&] { return answer_.has_value() || stopped_; });
  reading_ = false;
  if (!answer_) return away();
  ParsedDocument document = std::move(*answer_);
  answer_.reset();
  lock.unlock();
  for (const Finding& finding : document.findings)
    return fail(finding.outcome == feed::Outcome::held ? ErrorCode::unavailable : ErrorCode::invalid_input,
                "the sheet was not read: " + (finding.place.empty() ? "" : finding.place + ": ") + finding.reason);
  return document;
}

}  // namespace millrace::ingest
