#include "app/doctor.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

namespace millrace::app {
namespace {

TEST_CASE("a writable data folder is well, also when it must still be made") {
  std::string pattern = (std::filesystem::temp_directory_path() / "millrace-doctor-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const Check present = check_data_folder(pattern);
  CHECK(present.verdict != Verdict::bad);
  CHECK(present.text.find("writable") != std::string::npos);
  const Check later = check_data_folder(pattern + "/not/there/yet");
  CHECK(later.verdict != Verdict::bad);
  CHECK(later.text.find("will be made below") != std::string::npos);
  CHECK(std::filesystem::is_empty(pattern));  // nothing is left behind
  std::filesystem::remove_all(pattern);
}

TEST_CASE("a data folder without a record is well: the first start makes it") {
  const std::atomic<bool> stop{false};
  std::optional<store::RecordReport> found;
  CHECK(check_record("/nowhere/record.sqlite", stop, found).verdict == Verdict::good);
  CHECK(!found);
}

TEST_CASE("a file is no data folder") { CHECK(check_data_folder("/etc/passwd/x").verdict == Verdict::bad); }

TEST_CASE("a wrong address is a problem with advice, any free port is well") {
  CHECK(check_port("127.0.0.1:0").verdict == Verdict::good);
  const Check wrong = check_port("nowhere");
  CHECK(wrong.verdict == Verdict::bad);
  CHECK(wrong.advice.find("--listen") != std::string::npos);
}

TEST_CASE("a clock years behind is a problem") { CHECK(check_clock(Instant{}).verdict == Verdict::bad); }

TEST_CASE("missing tools are named with the package that brings them") {
  const auto checks = check_tools({{"PATH", "/nowhere"}});
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].advice == "apt-get install poppler-utils");
  CHECK(checks[1].advice == "apt-get install bubblewrap");
}

TEST_CASE("the verdict counts problems and warnings") {
  CHECK(verdict_sentence({{"a", Verdict::good, "", ""}}) == "All well.");
  CHECK(verdict_sentence({{"a", Verdict::warning, "", ""}}) == "1 warning. Ready.");
  const std::vector<Check> checks = {
      {"a", Verdict::bad, "", ""}, {"b", Verdict::warning, "", ""}, {"c", Verdict::warning, "", ""}};
  CHECK(verdict_sentence(checks) == "1 problem, 2 warnings. Not ready for users yet: fix the ✗ above.");
  CHECK(worst(checks) == Verdict::bad);
}

TEST_CASE("an order folder that is not there is a problem, none at all a warning") {
  const std::atomic<bool> stop{false};
  Settings settings;
  CHECK(worst(check_order_folders(settings, stop)) == Verdict::warning);
  settings.orders = {"/nowhere/at/all"};
  CHECK(worst(check_order_folders(settings, stop)) == Verdict::bad);
}

}  // namespace
}  // namespace millrace::app
