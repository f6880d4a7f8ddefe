// How far the balance may lie from the plan: payment days drawn many times, p10 to p90 per day.
//
// The model. Each path draws for every party one number: normal, sqrt(common) of it shared by all parties (a bad month for
// everybody), the rest the party's own. Its place in the party's delays says by how many days all documents of this party
// come sooner or later than planned, in this path. A document that would come before the first day comes on it.
//
// What is approximated: documents of one party move together (its cash desk is late, not one invoice), which makes the band
// rather too wide than too narrow. Beyond `own_draws_max` parties, those with the least money share draws in groups, each
// with delays of its own; this too can only widen the band.
//
// Invariants
//   * Amounts are int64 sums; double occurs only in the fixed table of normal quantiles and the weights of the two shares.
//   * Random numbers are made from (seed, party key, path), so the same data and seed give the same bytes on any number of
//     threads, in any order of parties and documents, changed one by one or all at once.
//   * A change of one party touches this party's paths only.
//   * Not thread-safe while it is changed; it uses up to `threads` threads inside a call.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"

namespace millrace::planning {

// Delays of a party beside its planned day, at (i + 0.5) / 256 of its distribution: 0 is as planned, + is later.
struct DelayTable {
  static constexpr std::size_t size = 256;
  static constexpr int later_max = 180, earlier_max = 60;
  std::array<std::int16_t, size> days{};  // not falling, within -earlier_max..later_max

  // From `size` equally likely delays, rising (DelayDistribution::equally_likely), and the one the plan counts with, usually
  // the p50. What leaves the bounds is cut.
  static DelayTable of(std::span<const std::int32_t> equally_likely, std::int32_t planned);
  bool certain() const { return days.front() == 0 && days.back() == 0; }
  bool operator==(const DelayTable&) const = default;
};

struct SimulationSettings {
  std::uint32_t paths = 10'000;   // 100..100,000
  std::uint64_t seed = 20'261'122;
  unsigned threads = 2;           // 1..64
  std::int32_t common_percent = 20;     // share of the variance that all parties have in common, 0..100
  std::uint32_t own_draws_max = 8'192;  // parties that draw for themselves
};

struct SimulationParty {
  std::uint64_t key = 0;  // of the party's code, so that its draws stay its own: hash64(code); unique
  DelayTable delays;
};

struct SimulationItem {
  std::uint32_t party = 0;  // index of the parties, or `certain_party`: on its day in every path
  std::int32_t day = 0;     // planned, day number
  std::int64_t amount = 0;  // signed, in the plan's currency
};
inline constexpr std::uint32_t certain_party = UINT32_MAX;

struct BandDay {
  std::int32_t day = 0;
  std::int64_t p10 = 0, p50 = 0, p90 = 0;  // of the closing balance: the ceil(p * paths)-th smallest
  bool operator==(const BandDay&) const = default;
};

class CashSimulation {
 public:
  // Errors   invalid_input  a setting out of bounds, day_count outside 1..400, an item of a party that is not there
  static Result<CashSimulation> run(std::int32_t first_day, std::int32_t day_count, std::span<const SimulationParty> parties,
                                    std::span<const SimulationItem> items, const SimulationSettings& settings);
  CashSimulation(CashSimulation&&) noexcept;
  CashSimulation& operator=(CashSimulation&&) noexcept;
  ~CashSimulation();

  // Documents of parties that go and come. Costs what the changed days cost, whatever else is simulated.
  // Errors   invalid_input  an item of a party that is not there; nothing is changed then
  Result<void> change(std::span<const SimulationItem> gone, std::span<const SimulationItem> come);
  // Another payment behaviour of one party.
  Result<void> change_delays(std::uint32_t party, const DelayTable& delays);

  // The band for an opening balance before the first day.
  std::vector<BandDay> band(std::int64_t opening) const;
  // In how many of the paths the balance of a day (index) is below `limit`.
  std::uint32_t paths_below(std::int32_t day_index, std::int64_t opening, std::int64_t limit) const;
  std::uint32_t paths() const;

 private:
  struct State;
  explicit CashSimulation(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::planning
