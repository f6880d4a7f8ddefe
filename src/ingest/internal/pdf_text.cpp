#include "ingest/internal/pdf_text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "base/time.h"
#include "ingest/internal/pdf_plain.h"
#include "ingest/internal/values.h"
#include "ingest/pdf_parser.h"

namespace millrace::ingest {
namespace {

constexpr const char* pdftotext_path = "/usr/bin/pdftotext";

Failure system_failure(std::string_view doing) {
  return fail(ErrorCode::unavailable, std::string(doing) + ": " + std::strerror(errno));
}

// A child that never outlives its owner.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

Result<UniqueFd> memory_file(std::string_view content) {
  UniqueFd file(memfd_create("document", MFD_CLOEXEC));
  if (!file) return system_failure("memory for a PDF");
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = pwrite(file.get(), content.data() + done, content.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_failure("memory for a PDF");
    done += static_cast<std::size_t>(n);
  }
  return file;
}

Result<pid_t> spawn_pdftotext(int input, int output, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  std::array<char*, 6> arguments{const_cast<char*>("pdftotext"), const_cast<char*>("-tsv"), const_cast<char*>("-enc"),
                                 const_cast<char*>("UTF-8"), const_cast<char*>("-"), nullptr};
  std::array<char*, 7> with_output{arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], const_cast<char*>("-"), nullptr};
  std::array<char*, 2> environment{const_cast<char*>("LC_ALL=C.UTF-8"), nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, pdftotext_path, &actions, nullptr, with_output.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(ErrorCode::unavailable, "pdftotext cannot be started (package poppler-utils): " + std::string(std::strerror(error)));
  return pid;
}

void set_limit(pid_t pid, __rlimit_resource kind, rlim_t value) {
  const rlimit limit{value, value};
  // A child that is already gone needs no limit; a raised limit is refused and the lower one stays.
  (void)prlimit(pid, kind, &limit, nullptr);
}

struct Output {
  std::string text;
  std::string errors;
};

// Reads both pipes until they close. Errors: limit_reached.
Result<Output> collect(UniqueFd& text, UniqueFd& errors, const PdfTextLimits& limits) {
  Output output;
  const auto deadline = Stopwatch::now() + limits.time_max;
  std::array<char, 64 * 1024> buffer;
  while (text || errors) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Stopwatch::now());
    if (left.count() <= 0) return fail(ErrorCode::limit_reached, "the PDF needs more than " + std::to_string(limits.time_max.count() / 1000) + " s to read");
    std::array<pollfd, 2> waits{pollfd{text.get(), POLLIN, 0}, pollfd{errors.get(), POLLIN, 0}};
    const int ready = poll(waits.data(), waits.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return system_failure("waiting for pdftotext");
    for (const bool is_text : {true, false}) {
      UniqueFd& pipe = is_text ? text : errors;
      if (!pipe || waits[is_text ? 0 : 1].revents == 0) continue;
      const ssize_t n = read(pipe.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        pipe.reset();
        continue;
      }
      std::string& into = is_text ? output.text : output.errors;
      if (is_text && into.size() + static_cast<std::size_t>(n) > limits.text_bytes_max) {
        return fail(ErrorCode::limit_reached, "the PDF holds more than 64 MB of text");
      }
      if (is_text || into.size() < 4096) into.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  return output;
}

std::string first_line(std::string_view text) { return printable(shortened(trim(text.substr(0, text.find('\n'))))); }

Result<std::array<UniqueFd, 2>> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_failure("a pipe for pdftotext");
  return std::array<UniqueFd, 2>{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

Result<std::string> pdf_words(std::string_view content, const PdfTextLimits& limits) {
  auto input = memory_file(content);
  if (!input) return pass_on(input);
  auto text = make_pipe();
  if (!text) return pass_on(text);
  auto errors = make_pipe();
  if (!errors) return pass_on(errors);
  auto pid = spawn_pdftotext(input->get(), (*text)[1].get(), (*errors)[1].get());
  if (!pid) return pass_on(pid);
  Child child(*pid);
  set_limit(child.pid(), RLIMIT_AS, limits.memory_max);
  set_limit(child.pid(), RLIMIT_CPU, static_cast<rlim_t>(limits.time_max.count() / 1000 + 1));
  (*text)[1].reset();
  (*errors)[1].reset();
  auto output = collect((*text)[0], (*errors)[0], limits);
  if (!output) return pass_on(output);
  const int status = child.wait();
  if (WIFSIGNALED(status)) {
    return fail(ErrorCode::invalid_input, "pdftotext was ended by signal " + std::to_string(WTERMSIG(status)) + " on this PDF (damaged, or it needs too much memory or time)");
  }
  if (WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::invalid_input, "the PDF cannot be read: " + (output->errors.empty() ? "damaged" : first_line(output->errors)));
  }
  if (output->errors.find("Syntax Error") != std::string::npos) {
    return fail(ErrorCode::invalid_input, "the PDF is damaged: " + first_line(output->errors));
  }
  return std::move(output->text);
}

namespace {

// The answer of the short road when it is beyond doubt: orders whose printed sums agree. Whatever else a page says,
// pdftotext has the last word on it.
std::optional<ParsedDocument> plain_pdf(std::string_view content, const CompiledLayout& layout) {
  const auto words = plain_pdf_words(content);
  if (!words) return std::nullopt;
  ParsedDocument document = parse_pdf_rows(rows_of(words->words), layout);
  if (document.orders.empty() || !document.findings.empty()) return std::nullopt;
  return document;
}

}  // namespace

ParsedDocument parse_pdf(std::string_view content, const CompiledLayout& layout, const PdfTextLimits& limits) {
  ParsedDocument answer;
  answer.format = Format::pdf;
  answer.is_order_document = true;
  if (auto damage = pdf_damage(content)) {
    answer.findings.push_back(std::move(*damage));
    return answer;
  }
  if (auto plain = plain_pdf(content, layout)) return std::move(*plain);
  const auto words = pdf_words(content, limits);
  if (words) return parse_pdf_words(*words, layout);
  const bool ours = words.error().code() == ErrorCode::unavailable;  // nothing is wrong with the file
  answer.findings.push_back({ours ? feed::Outcome::held : feed::Outcome::reject, "", words.error().text(), "", ""});
  return answer;
}

}  // namespace millrace::ingest
