// What a worker process does for each kind: `millrace job-worker`.
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/backup_report.h"
#include "app/exporter.h"
#include "app/job_kinds.h"
#include "app/job_payload.h"
#include "app/month_pack.h"
#include "app/totals_report.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/text.h"
#include "store/backup.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto nap_max = std::chrono::milliseconds(20);  // between two looks whether the job shall stop

// ---- report

constexpr std::string_view type_of(std::string_view format) {
  if (format == "csv") return "text/csv; charset=utf-8";
  if (format == "xlsx") return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
  if (format == "ndjson") return "application/x-ndjson";
  return "application/json";
}

std::string address_of(std::string_view path, const ReportPayload& report) {
  std::string address(path);
  char separator = '?';
  for (const auto& [name, value] : report.parameters) {
    address += separator + percent_encoded(name) + "=" + percent_encoded(value);
    separator = '&';
  }
  return address;
}

jobs::ResultFile file_of(const ReportPayload& report, const WorkerBrief& brief) {
  const std::string name = report.name.empty() ? report.of + "_" + brief.day : report.name;
  return {name + "." + report.format, std::string(type_of(report.format)), 0};
}

// The result file while it is written.
class ResultWriter {
 public:
  explicit ResultWriter(const std::string& path) : out_(path, std::ios::binary | std::ios::trunc) {}
  bool add(std::string_view bytes) {
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes_ += bytes.size();
    return out_.good();
  }
  std::uint64_t bytes() const { return bytes_; }
  Result<void> finish() {
    out_.close();
    if (out_) return {};
    return fail(ErrorCode::storage_full, "the result could not be written to the end; is the disk full?");
  }

 private:
  std::ofstream out_;
  std::uint64_t bytes_ = 0;
};

std::string result_text(std::uint64_t bytes) { return R"({"bytes":)" + std::to_string(bytes) + "}"; }

// A list that the server writes itself: copied as it comes.
Result<jobs::Outcome> report_of_orders(jobs::WorkerRun& run, const ReportPayload& report, const WorkerBrief& brief) {
  ResultWriter file(run.result_path());
  bool written = true;
  const auto answered = run.ask(address_of("/api/v1/orders." + report.format, report), [&](std::string_view block) {
    written = file.add(block);
    run.progress({file.bytes(), 0, "bytes", "writing"});
    return written;
  });
  if (!written) return fail(ErrorCode::storage_full, "the result could not be written; is the disk full?");
  if (!answered) return pass_on(answered);
  if (auto finished = file.finish(); !finished) return pass_on(finished);
  return jobs::Outcome{result_text(file.bytes()), file_of(report, brief)};
}

Result<jobs::Outcome> report_of_totals(jobs::WorkerRun& run, const ReportPayload& report, const WorkerBrief& brief) {
  std::string answer;
  const auto answered = run.ask(address_of("/api/v1/totals", report), [&](std::string_view block) {
    answer += block;
    return answer.size() <= (64u << 20);
  });
  if (!answered) return pass_on(answered);
  ResultWriter file(run.result_path());
  const auto written = write_totals_report(answer, report.format, [&](std::string_view bytes) { return file.add(bytes); });
  if (!written) return pass_on(written);
  if (auto finished = file.finish(); !finished) return pass_on(finished);
  return jobs::Outcome{result_text(file.bytes()), file_of(report, brief)};
}

// Lines are read from the record itself: the server is not held up by a walk over the whole book.
Result<jobs::Outcome> report_of_lines(jobs::WorkerRun& run, const ReportPayload& report, const WorkerBrief& brief) {
  const auto today = parse_iso_day(brief.day);
  if (!today) return fail(ErrorCode::internal, "the worker was not told the day");
  auto parsed = query::parse_order_query({report.parameters.begin(), report.parameters.end()}, *today);
  if (!parsed.errors.empty()) return fail(ErrorCode::invalid_input, parsed.errors.front().parameter + ": " + parsed.errors.front().detail);
  auto reader = store::open_sqlite_reader(brief.record);
  if (!reader) return pass_on(reader);
  std::atomic<bool> stop{false};
  const auto snapshot = replay(**reader, {}, stop, [&](std::uint64_t done, std::uint64_t total) {
    run.progress({done, total, "changes", "reading"});
    stop = run.stop_wanted();
  });
  if (!snapshot) return pass_on(snapshot);
  ExportRequest request;
  request.lines = true;
  request.format = *parse_export_format(report.format);
  request.query = std::move(parsed.query);
  request.today = *today;
  request.written = SystemClock().now();
  ResultWriter file(run.result_path());
  const auto written = write_export(*snapshot, request, [&](std::string_view bytes) { return file.add(bytes) && !run.stop_wanted(); });
  if (!written) return pass_on(written);
  if (run.stop_wanted()) return fail(ErrorCode::cancelled, "stopped while the lines were written");
  if (auto finished = file.finish(); !finished) return pass_on(finished);
  return jobs::Outcome{result_text(file.bytes()), file_of(report, brief)};
}

Result<jobs::Outcome> run_report(jobs::WorkerRun& run) {
  const auto report = parse_report(run.payload());
  if (!report) return pass_on(report);
  const auto brief = parse_brief(run.brief());
  if (!brief) return pass_on(brief);
  if (report->of == "totals") return report_of_totals(run, *report, *brief);
  if (report->of == "lines") return report_of_lines(run, *report, *brief);
  return report_of_orders(run, *report, *brief);
}

// ---- report of a month

// From the record itself, so that the state of any Sequence can be told again, to the byte.
Result<jobs::Outcome> run_month_report(jobs::WorkerRun& run) {
  const auto report = parse_month_report(run.payload());
  if (!report) return pass_on(report);
  const auto brief = parse_brief(run.brief());
  if (!brief) return pass_on(brief);
  const auto as_of = parse_as_of(report->as_of);
  if (!as_of) return pass_on(as_of);
  auto reader = store::open_sqlite_reader(brief->record);
  if (!reader) return pass_on(reader);
  std::atomic<bool> stop{false};
  const auto snapshot = replay(**reader, *as_of, stop, [&](std::uint64_t done, std::uint64_t total) {
    run.progress({done, total, "changes", "reading"});
    stop = run.stop_wanted();
  });
  if (!snapshot) return pass_on(snapshot);
  MonthPackAsked asked;
  asked.month_end = report->month_end;
  asked.company = brief->company;
  if (!report->currency.empty()) asked.currency = *Currency::parse(report->currency);
  const std::optional<Day> today = report->as_of.empty() ? parse_iso_day(brief->day) : utc_day((*snapshot)->as_of_time());
  if (!report->day && !today) return fail(ErrorCode::internal, "the worker was not told the day");
  asked.day = report->day ? *report->day : *today;
  asked.month = report->month.value_or(asked.day.year() / asked.day.month());
  const auto pack = month_pack(*snapshot, (*snapshot)->finance(), asked);
  if (!pack) return pass_on(pack);
  run.progress({1, 1, "reports", "writing"});
  if (report->format == "xlsx") {
    if (const auto written = write_pack_xlsx(*pack, run.result_path()); !written) return pass_on(written);
  } else {
    const auto pdf = pack_pdf(*pack);
    if (!pdf) return pass_on(pdf);
    ResultWriter file(run.result_path());
    file.add(*pdf);
    if (auto finished = file.finish(); !finished) return pass_on(finished);
  }
  const std::string name = (report->month_end ? "month_end_" : "monthly_") + iso(Day(asked.month / 1)).substr(0, 7) + "." + report->format;
  const std::string type = report->format == "pdf" ? "application/pdf" : std::string(type_of("xlsx"));
  std::string text = R"({"as_of":)" + std::to_string(pack->as_of.value) + R"(,"day":")" + iso(pack->day) + R"("})";
  return jobs::Outcome{std::move(text), jobs::ResultFile{name, type, 0}};
}

// ---- restore test

Result<jobs::Outcome> run_restore_test(jobs::WorkerRun& run) {
  const auto brief = parse_brief(run.brief());
  if (!brief) return pass_on(brief);
  if (brief->backup.empty()) return fail(ErrorCode::not_found, "there is no backup to test; run a backup first");
  // One restore test at a time: what is there was left by one that was killed.
  std::error_code error;
  std::filesystem::remove_all(brief->scratch, error);
  if (!error) std::filesystem::create_directories(brief->scratch, error);
  if (error) return fail(ErrorCode::unavailable, "the folder " + brief->scratch + " cannot be made anew: " + error.message());
  const auto manifest = store::verify_backup(brief->backup, brief->scratch, [&](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    run.progress({done, total, phase == "verifying" ? "rows" : "bytes", std::string(phase)});
    return !run.stop_wanted();
  });
  if (!manifest) return pass_on(manifest);
  return jobs::Outcome{backup_json(brief->backup, *manifest, ""), {}};
}

// ---- self test

void die_as(const std::string& way) {
  if (way == "kill") ::kill(::getpid(), SIGKILL);
  if (way == "segv") {
    ::signal(SIGSEGV, SIG_DFL);
    ::kill(::getpid(), SIGSEGV);
  }
  if (way == "abort") std::abort();
  if (way == "exit") ::_exit(7);
}

Result<void> work(jobs::WorkerRun& run, const SelfTestPayload& test) {
  const auto began = Stopwatch::now();
  for (std::uint64_t step = 1; step <= test.steps; ++step) {
    const auto until = began + std::chrono::duration_cast<Stopwatch::duration>(std::chrono::duration<double>(test.seconds * static_cast<double>(step) / static_cast<double>(test.steps)));
    while (Stopwatch::now() < until) {
      if (run.stop_wanted()) return fail(ErrorCode::cancelled, "stopped at step " + std::to_string(step));
      std::this_thread::sleep_for(std::min<Stopwatch::duration>(nap_max, until - Stopwatch::now()));
    }
    run.progress({step, test.steps, "steps", ""});
  }
  return {};
}

Result<jobs::Outcome> run_self_test(jobs::WorkerRun& run) {
  const auto test = parse_self_test(run.payload());
  if (!test) return pass_on(test);
  const auto brief = parse_brief(run.brief());
  if (!brief) return pass_on(brief);
  if (auto worked = work(run, *test); !worked) return pass_on(worked);
  if (test->until_try == 0 || brief->attempt <= test->until_try) {
    if (test->silent) {
      run.fall_silent();
      for (;;) ::pause();
    }
    die_as(test->die);
    if (test->fail == "again") return fail(ErrorCode::unavailable, "failed as asked; trying again may help");
    if (test->fail == "final") return fail(ErrorCode::invalid_input, "failed as asked, for good");
  }
  jobs::Outcome outcome;
  if (test->bytes > 0) {
    ResultWriter file(run.result_path());
    const std::string block(64 << 10, '.');
    for (std::uint64_t left = test->bytes; left > 0;) {
      const std::size_t some = std::min<std::uint64_t>(left, block.size());
      if (!file.add(std::string_view(block).substr(0, some))) break;
      left -= some;
    }
    if (auto finished = file.finish(); !finished) return pass_on(finished);
    outcome.file = jobs::ResultFile{"self_test.txt", "text/plain; charset=utf-8", 0};
  }
  return outcome;
}

constexpr std::array worker_table = std::to_array<jobs::WorkerKind>({
    {"report", run_report},
    {"month_report", run_month_report},
    {"restore_test", run_restore_test},
    {"self_test", run_self_test},
});

}  // namespace

std::span<const jobs::WorkerKind> worker_kinds() { return worker_table; }

}  // namespace millrace::app
