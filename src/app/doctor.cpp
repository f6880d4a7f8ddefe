#include "app/doctor.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "app/build_info.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/loopback_http.h"
#include "app/source_probe.h"
#include "base/fd.h"
#include "base/text.h"
#include "ingest/folder.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t free_bytes_low = 1'000'000'000;
constexpr std::uint64_t free_bytes_least = 100'000'000;
constexpr int fsync_count = 20;
constexpr std::chrono::microseconds fsync_slow{50'000};

// The folder itself, or the nearest one above that exists: where a new data folder would be made.
fs::path nearest_existing(const std::string& folder) {
  std::error_code error;
  fs::path path = fs::absolute(folder, error);
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path;
}

// The longest of several 4 KiB writes that must reach the disk: what one commit costs at worst.
Result<std::chrono::microseconds> measure_fsync(const fs::path& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!fd) return fail(ErrorCode::unavailable, std::strerror(errno));
  const std::string block(4096, 'm');
  std::chrono::microseconds longest{0};
  for (int i = 0; i < fsync_count; ++i) {
    const auto began = Stopwatch::now();
    if (::pwrite(fd.get(), block.data(), block.size(), i * 4096) != 4096 || ::fdatasync(fd.get()) != 0)
      return fail(ErrorCode::unavailable, std::strerror(errno));
    longest = std::max(longest, std::chrono::duration_cast<std::chrono::microseconds>(Stopwatch::now() - began));
  }
  return longest;
}

std::string milliseconds(std::chrono::microseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

std::string zone_name() {
  std::error_code error;
  const std::string link = fs::read_symlink("/etc/localtime", error).string();
  const auto at = link.find("zoneinfo/");
  return error || at == std::string::npos ? "UTC" : link.substr(at + 9);
}

std::optional<std::uint64_t> number_in(const char* path) {
  std::ifstream in(path);
  std::uint64_t number = 0;
  if (!(in >> number)) return std::nullopt;
  return number;
}

// File systems of other machines give no file events.
std::optional<std::string_view> network_file_system(const std::string& folder) {
  struct statfs status{};
  if (::statfs(folder.c_str(), &status) != 0) return std::nullopt;
  switch (static_cast<unsigned long>(status.f_type)) {
    case 0x6969:
      return "NFS";
    case 0xFF534D42:
    case 0xFE534D42:
    case 0x517B:
      return "SMB";
    case 0x65735546:
      return "FUSE";
    default:
      return std::nullopt;
  }
}

bool in_path(const Environment& environment, const std::string& program) {
  const std::string path = find(environment, "PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  return std::ranges::any_of(split(path, ':'), [&](std::string_view folder) {
    return !folder.empty() && ::access((std::string(folder) + "/" + program).c_str(), X_OK) == 0;
  });
}

Check check_watches(std::uint64_t folders) {
  const auto most = number_in("/proc/sys/fs/inotify/max_user_watches");
  if (!most)
    return {"file watches", Verdict::warning, "this system does not say how many files may be watched",
            "Millrace polls where events do not work"};
  const std::string text = "file watches " + grouped(folders) + " of " + grouped(*most);
  if (folders < *most) return {"file watches", Verdict::good, text, ""};
  return {"file watches", Verdict::warning, text + ": not enough, folders will be polled",
          "sudo sysctl fs.inotify.max_user_watches=" + std::to_string(std::max<std::uint64_t>(524288, folders * 2))};
}

}  // namespace

std::string_view word(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::warning:
      return "warning";
    case Verdict::bad:
      return "bad";
  }
  return "";
}

Check check_program() {
  const server::BuildInfo& info = build_info();
  return {"program", Verdict::good, "binary " + info.version + " (" + info.commit + ", " + info.compiler + ")", ""};
}

Check check_data_folder(const std::string& data) {
  const std::string name = "data folder";
  const fs::path folder = nearest_existing(data);
  const std::string shown =
      printable(data) + (folder == fs::path(data) ? "" : " (will be made below " + printable(folder.string()) + ")");
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return {name, Verdict::bad, printable(folder.string()) + " is not a folder", "choose another folder with --data"};
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return {name, Verdict::bad, shown + " cannot be written: " + std::strerror(errno),
            "give this user the right to write there, or choose another folder with --data"};
  }
  struct statvfs status{};
  if (::statvfs(folder.c_str(), &status) != 0)
    return {name, Verdict::bad, shown + ": " + std::strerror(errno), "check the disk"};
  const std::uint64_t free_bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
  std::string text = shown + " writable, " + bytes_text(free_bytes) + " free";
  const auto longest = measure_fsync(folder);
  text +=
      longest ? ", fsync at most " + milliseconds(*longest) : ", fsync not measured here: " + longest.error().text();
  if (free_bytes < free_bytes_least) return {name, Verdict::bad, text, "make room: the record needs space to write"};
  if (free_bytes < free_bytes_low) return {name, Verdict::warning, text, "make room soon"};
  if (longest && *longest > fsync_slow)
    return {name, Verdict::warning, text, "a slow disk: changes reach the screens later"};
  return {name, Verdict::good, text, ""};
}

Check check_port(const std::string& listen) {
  const auto free = try_to_listen(listen);
  if (free) return {"port", Verdict::good, "address " + listen + " free", ""};
  if (free.error().code() == ErrorCode::conflict && server_answers(listen))
    return {"port", Verdict::good, "a Millrace already serves on " + listen, ""};
  return {"port", Verdict::bad, free.error().text(), "choose another address with --listen"};
}

Check check_clock(Instant now) {
  timex times{};
  const bool known = ::adjtimex(&times) >= 0;
  const std::string text = "clock " + rfc3339(now) + ", zone " + zone_name();
  if (now < std::chrono::sys_days(std::chrono::year(2024) / 1 / 1))
    return {"clock", Verdict::bad, text + ": years behind", "set the clock; due dates depend on it"};
  if (known && (times.status & STA_UNSYNC) != 0)
    return {"clock", Verdict::warning, text + ", not synchronised", "timedatectl set-ntp true"};
  return {"clock", Verdict::good, text + (known ? ", synchronised" : ""), ""};
}

std::vector<Check> check_order_folders(const Settings& settings, const std::atomic<bool>& stop) {
  std::vector<Check> checks;
  std::uint64_t folders = 0;
  for (const std::string& root : settings.orders) {
    const std::string shown = printable(root);
    const auto listing = ingest::list_folder(root, ingest::ListOptions{}, stop, {});
    if (!listing) {
      checks.push_back(
          {"orders", Verdict::bad, shown + ": " + listing.error().text(), "check the path, the mount and the rights"});
      continue;
    }
    folders += listing->directories;
    std::string text =
        shown + ": " + grouped(listing->files.size()) + " files in " + grouped(listing->directories) + " folders";
    if (!listing->faults.empty()) {
      checks.push_back({"orders", Verdict::warning,
                        text + ", " + grouped(listing->faults.size()) + " not readable, first " +
                            printable(listing->faults.front().path),
                        "give this user the right to read there"});
    } else if (const auto kind = network_file_system(root)) {
      checks.push_back(
          {"orders", Verdict::good, text + " on " + std::string(*kind) + ": no file events there, it is polled", ""});
    } else {
      checks.push_back({"orders", Verdict::good, std::move(text), ""});
    }
  }
  if (settings.orders.empty()) {
    checks.push_back(
        {"orders", Verdict::warning, "no order folder is set", "name it with --orders DIR or in the settings file"});
  }
  checks.push_back(check_watches(folders));
  return checks;
}

std::vector<Check> check_tools(const Environment& environment) {
  std::vector<Check> checks;
  if (in_path(environment, "pdftotext"))
    checks.push_back({"pdftotext", Verdict::good, "pdftotext found", ""});
  else
    checks.push_back({"pdftotext", Verdict::bad, "pdftotext is missing: PDF orders will be rejected",
                      "apt-get install poppler-utils"});
  if (in_path(environment, "bwrap"))
    checks.push_back({"bubblewrap", Verdict::good, "bubblewrap found", ""});
  else
    checks.push_back({"bubblewrap", Verdict::warning,
                      "bubblewrap is missing: documents are read behind rlimits and seccomp only",
                      "apt-get install bubblewrap"});
  return checks;
}

Check check_sandbox(const Settings& settings) {
  auto options = parser_options(settings);
  if (!options) return {"sandbox", Verdict::bad, options.error().text(), "correct the layout profile"};
  options->worker_count = 1;
  auto pool = ingest::ParserPool::start(std::move(*options), [](const std::vector<ingest::ParseAnswer>&) {});
  if (!pool) return {"sandbox", Verdict::bad, pool.error().text(), "documents cannot be read; see the text"};
  const std::string kind = (*pool)->sandbox();
  (*pool)->stop();
  return {"sandbox", Verdict::good, "documents are read behind " + kind, ""};
}

Check check_record(const std::string& path, const std::atomic<bool>& stop, std::optional<store::RecordReport>& found) {
  const auto whole = store::verify_sqlite_record(path, [&](std::uint64_t, std::uint64_t) { return !stop.load(); });
  if (whole) {
    found = *whole;
    return {"record", Verdict::good,
            "record whole: " + grouped(whole->changes) + " changes, " + grouped(whole->files) + " files, digest " + whole->digest, ""};
  }
  switch (whole.error().code()) {
    case ErrorCode::not_found:
      return {"record", Verdict::good, "no record yet: the first start of the server makes it", ""};
    case ErrorCode::conflict:
      return {"record", Verdict::warning, whole.error().text(), ""};
    case ErrorCode::corrupt:
      return {"record", Verdict::bad, whole.error().text(), "see the text; nothing of it is served as an answer"};
    default:
      return {"record", Verdict::bad, whole.error().text(), "check the disk that holds the data folder"};
  }
}

std::vector<Check> all_checks(const Settings& settings, const Environment& environment, const Clock& clock,
                              const std::atomic<bool>& stop, std::optional<store::RecordReport>& record) {
  std::vector<Check> checks = {check_program(), check_data_folder(settings.data), check_record(record_path(settings), stop, record),
                               check_port(settings.listen), check_clock(clock.now())};
  std::ranges::move(check_order_folders(settings, stop), std::back_inserter(checks));
  std::ranges::move(check_sources(settings, environment, clock, stop), std::back_inserter(checks));
  std::ranges::move(check_tools(environment), std::back_inserter(checks));
  checks.push_back(check_sandbox(settings));
  checks.push_back({"telemetry", Verdict::good, "telemetry: none, ever", ""});
  return checks;
}

std::string verdict_sentence(const std::vector<Check>& checks) {
  const auto count = [&](Verdict verdict) { return std::ranges::count(checks, verdict, &Check::verdict); };
  const auto counted = [](std::ptrdiff_t number, const std::string& noun) {
    return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
  };
  const auto bad = count(Verdict::bad), warnings = count(Verdict::warning);
  if (bad == 0 && warnings == 0) return "All well.";
  if (bad == 0) return counted(warnings, "warning") + ". Ready.";
  return counted(bad, "problem") + ", " + counted(warnings, "warning") + ". Not ready for users yet: fix the ✗ above.";
}

Verdict worst(const std::vector<Check>& checks) {
  Verdict verdict = Verdict::good;
  for (const Check& check : checks) verdict = std::max(verdict, check.verdict);
  return verdict;
}

}  // namespace millrace::app
