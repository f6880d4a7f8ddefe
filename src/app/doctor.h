// The checks of `millrace doctor`: each looks at one thing a running server needs and says what a person can do.
//
// Invariants
//   * A check never throws and never changes the machine; the disk is measured with a file that has no name.
//   * `bad` means the server will not work as it should; `warning` means it works, with less.
#pragma once
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.h"
#include "base/time.h"
#include "store/record.h"

namespace millrace::app {

enum class Verdict : std::uint8_t { good, warning, bad };
std::string_view word(Verdict verdict);

struct Check {
  std::string name;  // "data folder": stable, for --json
  Verdict verdict = Verdict::good;
  std::string text;    // what was found
  std::string advice;  // what to do, "" when there is nothing to do
};

Check check_program();
Check check_data_folder(const std::string& data);
Check check_port(const std::string& listen);
Check check_clock(Instant now);
std::vector<Check> check_order_folders(const Settings& settings, const std::atomic<bool>& stop);
std::vector<Check> check_tools(const Environment& environment);
Check check_sandbox(const Settings& settings);
// Verifies every row of the record, also while a server uses it. `found` is filled when it is whole.
Check check_record(const std::string& path, const std::atomic<bool>& stop, std::optional<store::RecordReport>& found);

std::vector<Check> all_checks(const Settings& settings, const Environment& environment, const Clock& clock,
                              const std::atomic<bool>& stop, std::optional<store::RecordReport>& record);
// "1 problem, 1 warning. Not ready for users yet: ..."
std::string verdict_sentence(const std::vector<Check>& checks);
Verdict worst(const std::vector<Check>& checks);

}  // namespace millrace::app
