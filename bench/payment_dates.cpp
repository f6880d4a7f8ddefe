// How good are predicted payment days? Made-up histories with known truth, walked forward; ratios to what people do without us,
// and how long learning takes.
//
//   payment_dates [SEEDS [PARTIES [INVOICES]]]     default: 5 seeds (0: only the million), 100 parties, 5,000 invoices, and a history of 1,000,000
//
// The second half of each history is scored. Bars: mean error at most 0.9 of "customer's last 12", 80 % intervals
// hold 78 to 82 %.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/time.h"
#include "planning/payment_score.h"
#include "testing/payment_generator.h"

namespace millrace::planning {
namespace {

using testing::make_payments;
using testing::PaymentWorld;

void print(const char* who, const PaymentScore& score, const PaymentScore& last_12) {
  std::printf("  %-24s mae %6.2f (%.3f of last 12)  weekly wape %.3f  by count %.3f  covered %.3f  width %5.1f  pinball %.3f\n", who,
              score.mean_error, score.mean_error / last_12.mean_error, score.weekly_error, score.weekly_error_count, score.covered,
              score.width, score.pinball);
}

struct Totals {
  double ratio = 0, covered = 0;
  int runs = 0;
  int good = 0;
};

void walk(const char* title, const PaymentWorld& world, Totals& totals) {
  const auto cases = make_payments(world);
  std::vector<std::int32_t> posted;
  for (const PaymentCase& one : cases) posted.push_back(one.posted);
  std::nth_element(posted.begin(), posted.begin() + static_cast<std::ptrdiff_t>(posted.size() / 2), posted.end());
  std::vector<bool> counted;
  for (const PaymentCase& one : cases) counted.push_back(one.posted >= posted[posted.size() / 2]);
  std::vector<PaymentCase> asked;
  for (std::size_t index = 0; index < cases.size(); ++index)
    if (counted[index]) asked.push_back(cases[index]);
  const auto started = Stopwatch::now();
  const auto delays = walk_forward(cases, asked);
  const double seconds = std::chrono::duration<double>(Stopwatch::now() - started).count();
  std::vector<ToldDays> told;
  for (const DelayDistribution& delay : *delays) told.push_back(told_days(delay));
  const PaymentScore last_12 = score(cases, baseline_days(cases, Baseline::last_12), counted);
  const PaymentScore ours = score(asked, told, std::vector<bool>(asked.size(), true));
  std::printf("%s, seed %llu: %zu invoices scored, %.1f s\n", title, static_cast<unsigned long long>(world.seed), ours.cases, seconds);
  for (const Baseline baseline : baselines) print(std::string(name(baseline)).c_str(), score(cases, baseline_days(cases, baseline), counted), last_12);
  print("millrace", ours, last_12);
  const double ratio = ours.mean_error / last_12.mean_error;
  totals.ratio += ratio;
  totals.covered += ours.covered;
  totals.runs += 1;
  totals.good += ratio <= 0.9 && ours.covered >= 0.78 && ours.covered <= 0.82 ? 1 : 0;
}

void learn_a_million() {
  const auto cases = make_payments({.seed = 1, .parties = 5000, .invoices = 1000000});
  for (int turn = 0; turn < 3; ++turn) {
    const auto started = Stopwatch::now();
    const std::clock_t worked = std::clock();
    const auto behaviour = PaymentBehaviour::learn(cases, 19357);
    const double seconds = std::chrono::duration<double>(Stopwatch::now() - started).count();
    const double processor = static_cast<double>(std::clock() - worked) / CLOCKS_PER_SEC;
    std::vector<PaymentCase> own;
    for (const PaymentCase& one : cases)
      if (one.party == 77) own.push_back(one);
    const auto again = Stopwatch::now();
    const auto changed = behaviour.with_party(77, own, 19357);
    std::printf("learned %zu cases of 5,000 parties in %.3f s (%.3f s of processor time); one party of %zu cases again in %.0f us "
                "(p50 %d)\n", cases.size(), seconds, processor, own.size(), std::chrono::duration<double, std::micro>(Stopwatch::now() - again).count(),
                changed.usual(77).p50());
  }
}

int run(int argc, char** argv) {
  const auto number = [&](int at, long usual) { return argc > at ? std::strtol(argv[at], nullptr, 10) : usual; };
  const long seeds = number(1, 5);
  const auto parties = static_cast<std::uint32_t>(number(2, 100)), invoices = static_cast<std::uint32_t>(number(3, 5000));
  Totals totals;
  for (long seed = 1; seed <= seeds; ++seed) {
    const auto own = static_cast<std::uint64_t>(seed) * 7919;
    walk("mixed habits", {.seed = own, .parties = parties, .invoices = invoices}, totals);
    walk("few invoices", {.seed = own, .parties = parties * 4, .invoices = invoices}, totals);
    walk("steady, any day", {.seed = own, .parties = parties, .invoices = invoices, .drifting = 0, .changing = 0, .run_payers = 0}, totals);
    walk("drifting, any day", {.seed = own, .parties = parties, .invoices = invoices, .drifting = 0.8, .changing = 0.2, .run_payers = 0}, totals);
  }
  if (totals.runs > 0)
    std::printf("%d histories: mean error %.3f of last 12, covered %.3f; within both bars: %d\n", totals.runs,
              totals.ratio / totals.runs, totals.covered / totals.runs, totals.good);
  if (argc <= 2) learn_a_million();
  return 0;
}

}  // namespace
}  // namespace millrace::planning

int main(int argc, char** argv) { return millrace::planning::run(argc, argv); }
