#include "planning/cash_simulation.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "domain/decimal.h"
#include "planning/cash_paths.h"

namespace millrace::planning {
namespace {

constexpr std::int32_t days_max = 400;
constexpr std::size_t parties_max = 1'000'000;
constexpr std::uint32_t group_max = 512;     // of parties that share draws
constexpr std::uint32_t own = UINT32_MAX;    // draws for itself
constexpr std::size_t party_block = 32;      // their sums stay in the first cache
constexpr std::size_t path_tile = 128;       // drawn at once
constexpr std::size_t group_batch = 8;       // their tables stay in the second

Failure no_such_party(std::uint32_t party) {
  return fail(ErrorCode::invalid_input, "an item names party " + std::to_string(party) + ", which is not among the parties of the simulation");
}

std::uint64_t group_key(std::uint32_t group) { return 0x6D696C6C72616365U + group; }

}  // namespace

DelayTable DelayTable::of(std::span<const std::int32_t> equally_likely, std::int32_t planned) {
  check(equally_likely.size() == size, "a table of delays has its number of them");
  DelayTable table;
  std::int64_t before = -earlier_max;
  for (std::size_t i = 0; i < size; ++i) {
    before = std::clamp<std::int64_t>(std::int64_t{equally_likely[i]} - planned, before, later_max);
    table.days[i] = static_cast<std::int16_t>(before);
  }
  return table;
}

// Of each party the cumulative sums of its documents by planned day, so that "all documents s days later" is the same row
// read s places further left:
//
//   zeros (later_max) | day 0 .. day_count - 1 | up to earlier_max days more | room up to a multiple of 8
//   ^ cell             ^ cell + later_max: what is paid by day 0 when all come as planned
struct CashSimulation::State {
  std::int32_t first_day = 0, day_count = 0;
  SimulationSettings settings;
  std::size_t width = 0;  // days of a row, a multiple of 8
  std::size_t cell = 0;   // numbers kept per party
  std::vector<SimulationParty> parties;
  std::vector<std::uint32_t> group_of;  // of each party, or `own`
  std::uint32_t group_count = 0;
  std::vector<std::int64_t> sums;       // [party][cell]
  std::vector<std::int64_t> certain;    // per day, not cumulative
  paths::Draws draws;
  std::vector<std::int64_t> balances;   // [day][path]: what uncertain documents paid by then
  std::vector<BandDay> quantiles;       // of them

  State(std::int32_t first, std::int32_t days, const SimulationSettings& wanted)
      : first_day(first), day_count(days), settings(wanted), width((static_cast<std::size_t>(days) + 7) / 8 * 8),
        cell(DelayTable::later_max + width + DelayTable::earlier_max), certain(static_cast<std::size_t>(days)),
        draws(wanted.seed, wanted.common_percent, wanted.paths), balances(static_cast<std::size_t>(days) * wanted.paths),
        quantiles(static_cast<std::size_t>(days)) {}

  std::span<std::int64_t> day_balances(std::size_t day) { return {balances.data() + day * settings.paths, settings.paths}; }
  // Where a planned day stands in a party's cell; nothing when it is too far to come inside the horizon in any path.
  std::size_t place(std::int32_t day) const {
    const std::int64_t offset = std::max<std::int64_t>(0, std::int64_t{day} - first_day);
    return static_cast<std::size_t>(std::min<std::int64_t>(DelayTable::later_max + offset, static_cast<std::int64_t>(cell)));
  }

  void choose_draws();
  void sum_items(std::span<const SimulationItem> items);
  void walk_all();
  void add_own(std::span<const std::uint32_t> alone, std::size_t first_path, std::size_t last_path, std::vector<std::int64_t>& rows) const;
  void add_groups(std::vector<std::int64_t>& rows) const;
  void shift_into(std::int64_t* table, const std::int64_t* cell_sums, const DelayTable& delays) const;
  std::vector<std::int32_t> offsets_of(std::uint32_t party, const DelayTable& delays) const;
  void move_party(std::uint32_t party, const std::vector<std::int64_t>& change);
  void add_change(const std::int64_t* base, std::span<const std::int32_t> offsets, std::size_t first, std::size_t last);
  void find_quantiles(unsigned threads, std::size_t first, std::size_t last, const std::function<std::int64_t(std::size_t)>& moved_by);
};

namespace {

paths::Offsets shift_offsets(const DelayTable& delays, std::int32_t begin) {
  paths::Offsets offsets;
  const auto& parts = paths::part_of_step();
  for (std::size_t step = 0; step < offsets.size(); ++step) offsets[step] = begin - delays.days[parts[step]];
  return offsets;
}

paths::Offsets table_offsets(std::size_t width, std::int32_t begin) {
  paths::Offsets offsets;
  const auto& parts = paths::part_of_step();
  for (std::size_t step = 0; step < offsets.size(); ++step) offsets[step] = begin + static_cast<std::int32_t>(parts[step] * width);
  return offsets;
}

std::size_t rank_of(std::uint32_t percent, std::uint32_t paths) { return (std::size_t{paths} * percent + 99) / 100 - 1; }

constexpr std::int64_t anywhere = std::numeric_limits<std::int64_t>::max();

}  // namespace

// Who has most money at stake draws alone; decided once, so that a later change moves nobody else.
void CashSimulation::State::choose_draws() {
  group_of.assign(parties.size(), own);
  if (parties.size() <= settings.own_draws_max) return;
  std::vector<std::int64_t> money(parties.size());
  for (std::size_t party = 0; party < parties.size(); ++party) {
    const std::int64_t* row = sums.data() + party * cell;
    for (std::size_t i = DelayTable::later_max; i < cell; ++i) money[party] += std::abs(row[i] - row[i - 1]);
  }
  std::vector<std::uint32_t> order(parties.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto before = [&](std::uint32_t a, std::uint32_t b) { return money[a] != money[b] ? money[a] > money[b] : parties[a].key < parties[b].key; };
  const auto last_own = order.begin() + settings.own_draws_max;
  std::nth_element(order.begin(), last_own, order.end(), before);
  group_count = std::min<std::uint32_t>(group_max, static_cast<std::uint32_t>(order.end() - last_own));
  for (auto party = last_own; party != order.end(); ++party) group_of[*party] = static_cast<std::uint32_t>(parties[*party].key % group_count);
}

void CashSimulation::State::sum_items(std::span<const SimulationItem> items) {
  sums.assign(parties.size() * cell, 0);
  for (const SimulationItem& item : items) {
    if (item.party == certain_party) {
      const std::int64_t day = std::max<std::int64_t>(0, std::int64_t{item.day} - first_day);
      if (day < day_count) certain[static_cast<std::size_t>(day)] += item.amount;
      continue;
    }
    const std::size_t at = place(item.day);
    if (at < cell) sums[item.party * cell + at] += item.amount;
  }
  paths::in_parallel(settings.threads, parties.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t party = first; party < last; ++party) {
      std::int64_t* row = sums.data() + party * cell;
      std::partial_sum(row + DelayTable::later_max, row + cell, row + DelayTable::later_max);
    }
  });
}

void CashSimulation::State::add_own(std::span<const std::uint32_t> alone, std::size_t first_path, std::size_t last_path, std::vector<std::int64_t>& rows) const {
  std::vector<paths::Offsets> by_step(party_block);
  std::vector<std::int32_t> offsets(party_block * path_tile);
  for (std::size_t block = 0; block < alone.size(); block += party_block) {
    const auto here = alone.subspan(block, std::min(party_block, alone.size() - block));
    for (std::size_t i = 0; i < here.size(); ++i)
      by_step[i] = shift_offsets(parties[here[i]].delays, static_cast<std::int32_t>((std::size_t{here[i]} - here[0]) * cell));
    for (std::size_t tile = first_path; tile < last_path; tile += path_tile) {
      const std::size_t count = std::min(path_tile, last_path - tile);
      for (std::size_t i = 0; i < here.size(); ++i) draws.offsets(parties[here[i]].key, by_step[i], tile, std::span(offsets).subspan(i * count, count));
      paths::add_rows(rows.data() + tile * width, width, sums.data() + here[0] * cell + DelayTable::later_max, std::span(offsets).first(here.size() * count), count);
    }
  }
}

// table[part][day] += what the party paid by the day when it draws that part of its delays.
void CashSimulation::State::shift_into(std::int64_t* table, const std::int64_t* cell_sums, const DelayTable& delays) const {
  std::array<std::int32_t, DelayTable::size> offsets;
  for (std::size_t part = 0; part < offsets.size(); ++part) offsets[part] = -delays.days[part];
  paths::add_rows(table, width, cell_sums + DelayTable::later_max, offsets, offsets.size());
}

void CashSimulation::State::add_groups(std::vector<std::int64_t>& rows) const {
  std::vector<std::vector<std::uint32_t>> members(group_count);
  for (std::uint32_t party = 0; party < group_of.size(); ++party)
    if (group_of[party] != own) members[group_of[party]].push_back(party);
  const std::size_t table_size = DelayTable::size * width;
  std::vector<std::int64_t> tables(group_batch * table_size);
  for (std::size_t batch = 0; batch < group_count; batch += group_batch) {
    const std::size_t count = std::min(group_batch, group_count - batch);
    std::ranges::fill(tables, 0);
    paths::in_parallel(settings.threads, count, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i)
        for (const std::uint32_t party : members[batch + i]) shift_into(tables.data() + i * table_size, sums.data() + party * cell, parties[party].delays);
    });
    paths::in_parallel(settings.threads, settings.paths, [&](std::size_t first, std::size_t last) {
      std::vector<std::int32_t> offsets(count * (last - first));
      for (std::size_t i = 0; i < count; ++i)
        draws.offsets(group_key(static_cast<std::uint32_t>(batch + i)), table_offsets(width, static_cast<std::int32_t>(i * table_size)), first,
                      std::span(offsets).subspan(i * (last - first), last - first));
      paths::add_rows(rows.data() + first * width, width, tables.data(), offsets, last - first);
    });
  }
}

void CashSimulation::State::walk_all() {
  std::vector<std::uint32_t> alone;
  for (std::uint32_t party = 0; party < group_of.size(); ++party)
    if (group_of[party] == own) alone.push_back(party);
  std::vector<std::int64_t> rows(settings.paths * width);  // [path][day]
  paths::in_parallel(settings.threads, settings.paths, [&](std::size_t first, std::size_t last) { add_own(alone, first, last, rows); });
  add_groups(rows);
  const auto days = static_cast<std::size_t>(day_count);
  paths::in_parallel(settings.threads, settings.paths, [&](std::size_t first, std::size_t last) {
    for (std::size_t tile = first; tile < last; tile += 8)
      for (std::size_t day = 0; day < days; ++day)
        for (std::size_t path = tile; path < std::min(tile + 8, last); ++path) balances[day * settings.paths + path] = rows[path * width + day];
  });
  find_quantiles(settings.threads, 0, days, [](std::size_t) { return anywhere; });
}

// After a change that moved no path's balance of a day by more than `moved_by(day)`, so no quantile either.
void CashSimulation::State::find_quantiles(unsigned threads, std::size_t first_day_index, std::size_t last_day_index, const std::function<std::int64_t(std::size_t)>& moved_by) {
  paths::in_parallel(threads, last_day_index - first_day_index, [&](std::size_t first, std::size_t last) {
    std::vector<std::int64_t> scratch;
    for (std::size_t day = first_day_index + first; day < first_day_index + last; ++day) {
      BandDay& band = quantiles[day];
      const auto values = day_balances(day);
      const std::int64_t most = moved_by(day);
      band.day = first_day + static_cast<std::int32_t>(day);
      if (most == 0) continue;
      const auto find = [&](std::int64_t& quantile, std::uint32_t percent) {
        const std::size_t rank = rank_of(percent, settings.paths);
        quantile = most == anywhere ? paths::select(values, rank, scratch) : paths::select_between(values, rank, quantile - most, quantile + most, scratch);
      };
      find(band.p10, 10);
      find(band.p50, 50);
      find(band.p90, 90);
    }
  });
}

std::vector<std::int32_t> CashSimulation::State::offsets_of(std::uint32_t party, const DelayTable& delays) const {
  const bool alone = group_of[party] == own;
  std::vector<std::int32_t> offsets(settings.paths);
  draws.offsets(alone ? parties[party].key : group_key(group_of[party]), alone ? shift_offsets(delays, 0) : table_offsets(width, 0), 0, offsets);
  return offsets;
}

// On the caller's thread: on a busy machine another one would begin after this is done.
void CashSimulation::State::add_change(const std::int64_t* base, std::span<const std::int32_t> offsets, std::size_t first, std::size_t last) {
  for (std::size_t day = first; day < last; ++day) paths::add_looked_up(day_balances(day).data(), base + day, offsets);
}

// `change` is a cell of cumulative differences.
void CashSimulation::State::move_party(std::uint32_t party, const std::vector<std::int64_t>& change) {
  const DelayTable& delays = parties[party].delays;
  const auto begin = std::ranges::find_if(change, [](std::int64_t sum) { return sum != 0; });
  if (begin == change.end()) return;
  const auto end = std::ranges::find_if(change.rbegin(), change.rend(), [](std::int64_t sum) { return sum != 0; });
  std::int64_t* row = sums.data() + party * cell;
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < cell; ++i) row[i] += change[i], largest = std::max(largest, std::abs(change[i]));
  // A difference at a place counts from the earliest to the latest day it can come on.
  const std::int64_t from = begin - change.begin() - DelayTable::later_max + delays.days.front();
  const std::int64_t to = end.base() - change.begin() - DelayTable::later_max + delays.days.back();
  const auto first = static_cast<std::size_t>(std::clamp<std::int64_t>(from, 0, day_count));
  const auto last = static_cast<std::size_t>(std::clamp<std::int64_t>(to, 0, day_count));
  if (first >= last) return;
  const std::vector<std::int32_t> offsets = offsets_of(party, delays);
  if (group_of[party] == own) {
    add_change(change.data() + DelayTable::later_max, offsets, first, last);
  } else {
    std::vector<std::int64_t> table(DelayTable::size * width);
    shift_into(table.data(), change.data(), delays);
    add_change(table.data(), offsets, first, last);
  }
  find_quantiles(1, first, last, [&](std::size_t) { return largest; });
}

CashSimulation::CashSimulation(std::unique_ptr<State> state) : state_(std::move(state)) {}
CashSimulation::CashSimulation(CashSimulation&&) noexcept = default;
CashSimulation& CashSimulation::operator=(CashSimulation&&) noexcept = default;
CashSimulation::~CashSimulation() = default;

Result<CashSimulation> CashSimulation::run(std::int32_t first_day, std::int32_t day_count, std::span<const SimulationParty> parties,
                                           std::span<const SimulationItem> items, const SimulationSettings& settings) {
  const auto refuse = [](std::string what, std::int64_t value, std::int64_t low, std::int64_t high) {
    return fail(ErrorCode::invalid_input, what + " " + std::to_string(value) + " of a simulation has to be " + std::to_string(low) + " to " + std::to_string(high));
  };
  if (settings.paths < 100 || settings.paths > 100'000) return refuse("paths", settings.paths, 100, 100'000);
  if (settings.threads < 1 || settings.threads > 64) return refuse("threads", settings.threads, 1, 64);
  if (settings.common_percent < 0 || settings.common_percent > 100) return refuse("common_percent", settings.common_percent, 0, 100);
  if (day_count < 1 || day_count > days_max) return refuse("day_count", day_count, 1, days_max);
  if (parties.size() > parties_max) return refuse("the number of parties", static_cast<std::int64_t>(parties.size()), 0, parties_max);
  for (const SimulationItem& item : items)
    if (item.party != certain_party && item.party >= parties.size()) return no_such_party(item.party);
  auto state = std::make_unique<State>(first_day, day_count, settings);
  state->parties.assign(parties.begin(), parties.end());
  state->sum_items(items);
  state->choose_draws();
  state->walk_all();
  return CashSimulation(std::move(state));
}

Result<void> CashSimulation::change(std::span<const SimulationItem> gone, std::span<const SimulationItem> come) {
  for (const auto items : {gone, come})
    for (const SimulationItem& item : items)
      if (item.party != certain_party && item.party >= state_->parties.size()) return no_such_party(item.party);
  std::map<std::uint32_t, std::vector<std::int64_t>> changes;
  const auto note = [&](const SimulationItem& item, std::int64_t sign) {
    if (item.party == certain_party) {
      const std::int64_t day = std::max<std::int64_t>(0, std::int64_t{item.day} - state_->first_day);
      if (day < state_->day_count) state_->certain[static_cast<std::size_t>(day)] += sign * item.amount;
      return;
    }
    auto& cell = changes[item.party];
    cell.resize(state_->cell);
    for (std::size_t at = state_->place(item.day); at < state_->cell; ++at) cell[at] += sign * item.amount;
  };
  for (const SimulationItem& item : gone) note(item, -1);
  for (const SimulationItem& item : come) note(item, 1);
  for (const auto& [party, cell] : changes) state_->move_party(party, cell);
  return {};
}

Result<void> CashSimulation::change_delays(std::uint32_t party, const DelayTable& delays) {
  if (party >= state_->parties.size()) return no_such_party(party);
  State& state = *state_;
  const std::int64_t* row = state.sums.data() + party * state.cell;
  std::vector<std::int64_t> back(row, row + state.cell);
  for (std::int64_t& sum : back) sum = -sum;
  const auto days = static_cast<std::size_t>(state.day_count);
  const auto apply = [&](const std::int64_t* cell, const DelayTable& table) {
    const auto offsets = state.offsets_of(party, table);
    if (state.group_of[party] == own) return state.add_change(cell + DelayTable::later_max, offsets, 0, days);
    std::vector<std::int64_t> shifted(DelayTable::size * state.width);
    state.shift_into(shifted.data(), cell, table);
    state.add_change(shifted.data(), offsets, 0, days);
  };
  apply(back.data(), state.parties[party].delays);
  apply(row, delays);
  const DelayTable former = std::exchange(state.parties[party].delays, delays);
  state.find_quantiles(1, 0, days, [&](std::size_t day) {
    std::int64_t most = 0;
    for (std::size_t part = 0; part < DelayTable::size; ++part) {
      const std::int64_t* paid = row + DelayTable::later_max + day;
      most = std::max(most, std::abs(*(paid - delays.days[part]) - *(paid - former.days[part])));
    }
    return most;
  });
  return {};
}

std::vector<BandDay> CashSimulation::band(std::int64_t opening) const {
  std::vector<BandDay> days = state_->quantiles;
  for (std::size_t day = 0; day < days.size(); ++day) {
    opening += state_->certain[day];
    days[day].p10 += opening;
    days[day].p50 += opening;
    days[day].p90 += opening;
  }
  return days;
}

std::uint32_t CashSimulation::paths_below(std::int32_t day_index, std::int64_t opening, std::int64_t limit) const {
  check(day_index >= 0 && day_index < state_->day_count, "a day of the simulation is asked for");
  const auto day = static_cast<std::size_t>(day_index);
  opening = std::accumulate(state_->certain.begin(), state_->certain.begin() + day_index + 1, opening);
  return static_cast<std::uint32_t>(paths::count_below(state_->day_balances(day), limit - opening));
}

std::uint32_t CashSimulation::paths() const { return state_->settings.paths; }

}  // namespace millrace::planning
