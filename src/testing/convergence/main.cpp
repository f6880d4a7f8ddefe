// millrace_convergence: many schedules of the harness, with their seeds.
//
//   millrace_convergence [--schedules N] [--seed N] [--broken offset|exclusive|late_watermark|absence] [--until-broken]
//   [--no-renames]
//
// Without --seed a random one is taken and printed; schedule i has seed + i. --seed N --schedules 1 replays one.
// Exit code 1 when a schedule broke, 2 when a word was not understood.
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <random>
#include <span>
#include <string_view>

#include "base/log.h"
#include "testing/convergence/harness.h"

namespace {

struct Wish {
  std::uint64_t schedules = 100, seed = 0;
  millrace::erp::SyncRules rules;
  bool until_broken = false, renames = true;
};

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Wish> read(std::span<char* const> words) {
  Wish wish;
  wish.seed = std::random_device{}() % 1'000'000'000;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::string_view value = i + 1 < words.size() ? words[i + 1] : "";
    if (word == "--until-broken") {
      wish.until_broken = true;
      continue;
    }
    if (word == "--no-renames") {
      wish.renames = false;
      continue;
    }
    const auto number = number_of(value);
    if (word == "--schedules" && number)
      wish.schedules = *number;
    else if (word == "--seed" && number)
      wish.seed = *number;
    else if (const auto rules = millrace::testing::broken_rules(value); word == "--broken" && rules)
      wish.rules = *rules;
    else
      return std::nullopt;
    ++i;
  }
  return wish;
}

}  // namespace

int main(int argc, char** argv) {
  const auto wish = read(std::span<char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!wish) {
    std::cerr << "usage: millrace_convergence [--schedules N] [--seed N] [--broken "
                 "offset|exclusive|late_watermark|absence] [--until-broken] [--no-renames]\n";
    return 2;
  }
  millrace::set_log_level(millrace::LogLevel::error);
  std::cout << "seed " << wish->seed << ", " << wish->schedules << " schedules" << std::endl;
  millrace::testing::ScheduleCounts all;
  std::uint64_t broken = 0;
  for (std::uint64_t i = 0; i < wish->schedules && !(wish->until_broken && broken > 0); ++i) {
    const auto result = millrace::testing::run_schedule(wish->seed + i, wish->rules, wish->renames);
    all += result.counts;
    if (result.good) continue;
    ++broken;
    std::cout << "BROKEN --seed " << wish->seed + i << " --schedules 1   (" << result.story << ")\n  " << result.why
              << std::endl;
  }
  std::cout << all.schedules << " schedules, " << broken << " broken; " << all.syncs << " syncs, " << all.calls
            << " calls, " << all.changes << " changes, " << all.faults << " faults, " << all.kills << " kills, "
            << all.hints << " hints, " << all.holds << " holds, " << all.orders_written << " orders written" << std::endl;
  return broken > 0 ? 1 : 0;
}
