// Is the mathematics of cash exact, quick and the same on any number of threads?
// Usage: cash_bench [--quick] [--json] [--seed N]
//
// Exact: a million random documents in 30 currencies of 0, 2, 3 and 4 decimals; how many minor units each identity is off.
// Quick: 13 weeks, a million open documents of 5,000 parties, 10,000 paths; ageing of ten million postings as of past days.
// Beside each time a limit of the same run: adding as many numbers in the first cache, reading the same columns once.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "domain/exchange.h"
#include "planning/ageing.h"
#include "planning/cash_bridge.h"
#include "planning/cash_plan.h"
#include "planning/cash_simulation.h"
#include "testing/money_history.h"

namespace {

using namespace millrace;
using namespace millrace::planning;
using testing::SmallRandom;

constexpr std::int32_t today = 20'779;  // 2026-11-22
constexpr unsigned threads = 2;

double milliseconds(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

// Seconds say little on a shared machine; the work all threads did together says what two free cores would need.
struct Time {
  double wall = 0, cpu = 0;  // milliseconds; CPU of all threads
};

Time timed(const std::function<void()>& work) {
  const std::clock_t began = std::clock();
  const double wall = milliseconds(work);
  return {wall, 1000.0 * static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC};
}

struct Figures {
  std::vector<std::pair<std::string, double>> rows;
  bool json = false;
  void add(const std::string& name, double value, const char* unit = "") {
    rows.emplace_back(name, value);
    if (!json) std::printf("%-58s %12.4g %s\n", name.c_str(), value, unit);
    std::fflush(stdout);
  }
  void add(const std::string& name, const Time& time) {
    add(name + "_ms", time.wall, "ms");
    add(name + "_cpu_ms", time.cpu, "ms of all threads");
  }
  void print_json() const {
    std::string text = "{";
    for (const auto& [name, value] : rows) text += (text.size() > 1 ? "," : "") + std::string("\"") + name + "\":" + std::to_string(value);
    std::printf("%s}\n", text.c_str());
  }
};

// Medians of wall and CPU.
Time median_of(int rounds, const std::function<void()>& work) {
  std::vector<double> walls, cpus;
  for (int i = 0; i < rounds; ++i) {
    const Time one = timed(work);
    walls.push_back(one.wall);
    cpus.push_back(one.cpu);
  }
  std::ranges::sort(walls);
  std::ranges::sort(cpus);
  return {walls[walls.size() / 2], cpus[cpus.size() / 2]};
}

std::vector<Currency> currencies() {
  std::vector<Currency> all;
  for (const char* code : {"EUR", "USD", "JPY", "KWD", "CLF", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "TRY", "BRL", "MXN", "CAD", "AUD", "NZD", "CNY",
                           "INR", "KRW", "VND", "BHD", "TND", "UYW", "ZAR", "SGD"})
    all.push_back(*Currency::parse(code));
  return all;
}

// Every currency has a rate to the euro, some of them the other way round or through the dollar.
RateTable rates(SmallRandom& random) {
  RateTable table;
  const auto all = currencies();
  for (std::size_t i = 1; i < all.size(); ++i) {
    const Currency partner = i % 5 == 4 ? all[1] : all[0];
    const std::int64_t scaled = 1 + random.below(i % 2 == 0 ? 300 * rate_scale : 3 * rate_scale);
    const ExchangeRate rate = i % 3 == 0 ? ExchangeRate{partner, all[i], scaled} : ExchangeRate{all[i], partner, scaled};
    if (auto added = table.add(rate, day_from_number(today - 5), "r"); !added) std::abort();
  }
  return table;
}

// ---- exact

struct Documents {
  std::vector<CashItem> items;
  KeptForecast before, after;
};

Documents random_documents(SmallRandom& random, std::size_t count) {
  const auto all = currencies();
  const RateTable first = rates(random), second = rates(random);
  Documents made;
  made.before.currency = made.after.currency = all[0];
  std::map<Currency, RateRoad> old_road, new_road;
  for (const Currency currency : all) {
    old_road[currency] = *first.road(currency, all[0], day_from_number(today));
    new_road[currency] = *second.road(currency, all[0], day_from_number(today));
    if (currency == all[0]) continue;
    made.before.rates.push_back(old_road[currency]);
    made.after.rates.push_back(new_road[currency]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Currency currency = all[static_cast<std::size_t>(random.below(30))];
    CashItem item;
    item.id = i;
    item.day = item.early = item.late = today - 20 + static_cast<std::int32_t>(random.below(150));
    item.late += static_cast<std::int32_t>(random.below(20));
    item.amount = random.below(100'000'000) - 30'000'000;
    item.converted = *new_road[currency].convert(item.amount);
    item.layer = static_cast<CashLayer>(1 + random.below(5));
    item.category = static_cast<std::uint16_t>(random.below(20));
    made.items.push_back(item);
    KeptItem kept{.id = "invoice/" + std::to_string(1'000'000 + i), .party = "P" + std::to_string(i % 5000), .day = item.day, .amount = item.amount, .converted = item.converted, .currency = currency, .layer = 1};
    if (!random.chance(5)) made.after.items.push_back(kept);
    if (random.chance(5)) continue;
    if (random.chance(20)) kept.day += static_cast<std::int32_t>(random.below(60)) - 30;
    if (random.chance(20)) kept.amount = random.below(100'000'000);
    kept.converted = *old_road[currency].convert(kept.amount);
    made.before.items.push_back(std::move(kept));
  }
  made.before.opening = 1'000'000;
  made.after.opening = 1'200'003;
  return made;
}

std::int64_t plan_off(const Documents& documents) {
  PlanFrame frame;
  frame.first_day = today;
  frame.opening = 5;
  CashPlan plan(frame);
  for (const CashItem& item : documents.items) plan.add(item);
  std::int64_t off = 0;
  for (const CashView view : {CashView::expected, CashView::pessimistic, CashView::optimistic}) {
    const PlanAnswer answer = plan.answer(view, LayerSet::all());
    std::int64_t days = 0, weeks = 0, items = 0;
    for (const PlanDay& day : answer.days) days += day.sums.net();
    for (const PlanWeek& week : answer.weeks) weeks += week.sums.net();
    for (const CashItem& item : documents.items)
      if (counted_day(item, view, frame) < frame.end_day()) items += item.converted;
    off += std::abs(days - weeks) + std::abs(days - items) + std::abs(answer.weeks.back().closing - frame.opening - items);
  }
  return off;
}

std::int64_t bridge_off(const Documents& documents) {
  const auto found = bridge(documents.before, documents.after, today + 91);
  if (!found) return INT64_MAX;
  const auto again = decode_kept_forecast(encode(documents.before));
  if (!again || !(*again == documents.before)) return INT64_MAX;
  return std::abs(std::accumulate(found->parts.begin(), found->parts.end(), std::int64_t{0}) - found->difference());
}

// Histories in which something is wrong.
std::int64_t histories_off(std::uint64_t seed, std::int64_t histories) {
  std::vector<std::int64_t> wrong(threads);
  {
    std::vector<std::jthread> workers;
    for (unsigned n = 0; n < threads; ++n)
      workers.emplace_back([&, n] {
        for (std::int64_t i = n; i < histories; i += threads) {
          testing::MoneyHistory history(seed + static_cast<std::uint64_t>(i) * 7919);
          bool right = true;
          for (int step = 0; step < 8; ++step) {
            history.step();
            right = history.mistake().empty() && right;
          }
          wrong[n] += right ? 0 : 1;
        }
      });
  }
  return std::accumulate(wrong.begin(), wrong.end(), std::int64_t{0});
}

// ---- postings

struct Ledger {
  struct Chunk {
    std::vector<std::int32_t> posted, due;
    std::vector<std::int64_t> amount;
    std::vector<std::uint32_t> party, document;
    std::vector<std::uint16_t> currency;
  };
  std::vector<Chunk> chunks;
  std::vector<PostingColumns> columns;

  // Five years of invoices and what settled them, in the order of their posting; the last 60 days are mostly open.
  Ledger(SmallRandom& random, std::size_t count) {
    struct Row {
      std::int32_t posted, due;
      std::int64_t amount;
      std::uint32_t party, document;
      std::uint16_t currency;
    };
    std::vector<Row> rows;
    for (std::uint32_t document = 0; rows.size() < count; ++document) {
      const auto posted = today - 1826 + static_cast<std::int32_t>(document * std::uint64_t{2} * 1826 / count);
      // A party has its currency; now and then it pays in another.
      const auto party = static_cast<std::uint32_t>(random.below(5'000));
      const auto currency = static_cast<std::uint16_t>(random.chance(3) ? random.below(30) : party % 30);
      Row row{posted, random.chance(1) ? ageing_no_day : posted + 30, 1 + random.below(10'000'000), party, document, currency};
      rows.push_back(row);
      row.posted += 20 + static_cast<std::int32_t>(random.below(50));
      row.amount = -row.amount;
      if (row.posted <= today && !random.chance(1)) rows.push_back(row);
    }
    std::ranges::stable_sort(rows, {}, &Row::posted);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i % 65'536 == 0) chunks.emplace_back();
      Chunk& chunk = chunks.back();
      chunk.posted.push_back(rows[i].posted), chunk.due.push_back(rows[i].due), chunk.amount.push_back(rows[i].amount);
      chunk.party.push_back(rows[i].party), chunk.document.push_back(rows[i].document), chunk.currency.push_back(rows[i].currency);
    }
    for (const Chunk& chunk : chunks) columns.push_back({chunk.posted, chunk.due, chunk.amount, chunk.party, chunk.currency, chunk.document});
  }

  // The limit: the columns an ageing needs, read once.
  std::int64_t read_once() const {
    std::vector<std::int64_t> sums(threads);
    std::vector<std::jthread> workers;
    for (unsigned n = 0; n < threads; ++n)
      workers.emplace_back([&, n] {
        std::int64_t sum = 0;
        for (std::size_t c = columns.size() * n / threads; c < columns.size() * (n + 1) / threads; ++c) {
          for (const std::int32_t value : columns[c].posted) sum += value;
          for (const std::int32_t value : columns[c].due) sum += value;
          for (const std::int64_t value : columns[c].amount) sum += value;
          for (const std::uint16_t value : columns[c].currency) sum += value;
        }
        sums[n] = sum;
      });
    workers.clear();
    return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
  }

  std::int64_t buckets_off(const AgeingAnswer& answer, std::int32_t as_of) const {
    std::vector<std::int64_t> open(answer.currencies());
    for (const PostingColumns& chunk : columns)
      for (std::size_t i = 0; i < chunk.amount.size(); ++i)
        if (chunk.posted[i] <= as_of) open[chunk.currency[i]] += chunk.amount[i];
    std::int64_t off = 0;
    for (std::uint32_t code = 0; code < answer.currencies(); ++code) off += std::abs(answer.total(code) - open[code]);
    return off;
  }
};

void measure_ageing(Figures& figures, SmallRandom& random, std::size_t count, int rounds) {
  const Ledger ledger(random, count);
  AgeingQuestion question{.as_of = today - 200, .currency_count = 30, .threads = threads};
  volatile std::int64_t kept = 0;
  figures.add("ageing_read", median_of(rounds, [&] { kept = ledger.read_once(); }));
  figures.add("ageing_totals", median_of(rounds, [&] { kept = ageing(ledger.columns, question)->total(0); }));
  std::int64_t off = ledger.buckets_off(*ageing(ledger.columns, question), question.as_of);
  std::vector<std::uint32_t> own_group(5'000);
  std::iota(own_group.begin(), own_group.end(), 0U);
  AgeingQuestion by_party = question;
  by_party.group_of_party = own_group;
  by_party.group_count = 5'000;
  figures.add("ageing_by_party", median_of(rounds, [&] { kept = ageing(ledger.columns, by_party)->total(0); }));
  off += ledger.buckets_off(*ageing(ledger.columns, by_party), question.as_of);
  Result<AgeingIndex> index = fail(ErrorCode::internal, "not built");
  figures.add("ageing_index_build", timed([&] { index = AgeingIndex::build(ledger.columns, AgeingBasis::due, 30, {}, threads); }));
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    question.as_of = today - static_cast<std::int32_t>(random.below(1'800));
    Result<AgeingAnswer> answer = fail(ErrorCode::internal, "not asked");
    times.push_back(milliseconds([&] { answer = index->answer(question.as_of, question.bounds); }));
    if (i < 3) off += *answer == *ageing(ledger.columns, question) ? 0 : 1;
  }
  std::ranges::sort(times);
  figures.add("ageing_index_p99_ms", times[197], "ms");
  figures.add("ageing_off", static_cast<double>(off), "minor units");
}

// ---- simulation

struct Company {
  std::vector<SimulationParty> parties;
  std::vector<SimulationItem> items;

  Company(SmallRandom& random, std::uint32_t party_count, std::size_t documents) {
    for (std::uint32_t i = 0; i < party_count; ++i) {
      std::array<std::int32_t, DelayTable::size> days;
      const std::int64_t spread = 4 + random.below(30);
      for (std::size_t at = 0; at < days.size(); ++at) days[at] = static_cast<std::int32_t>((static_cast<std::int64_t>(at) - 100) * spread / 128 + (at > 245 ? 3 * static_cast<std::int64_t>(at - 245) : 0));
      parties.push_back({.key = hash64("party " + std::to_string(i)), .delays = DelayTable::of(days, days[128])});
    }
    for (std::size_t i = 0; i < documents; ++i) {
      // A few customers make most of the documents.
      const double share = static_cast<double>(random.below(1'000'000)) / 1e6;
      items.push_back({.party = static_cast<std::uint32_t>(share * share * party_count), .day = today + static_cast<std::int32_t>(random.below(100)), .amount = random.below(1'000'000) - 250'000});
    }
  }
};

std::uint64_t bytes_of(const std::vector<BandDay>& band) {
  std::string bytes;
  for (const BandDay& day : band) bytes += std::to_string(day.p10) + "," + std::to_string(day.p50) + "," + std::to_string(day.p90) + ";";
  return hash64(bytes);
}

// The limit: as many additions of 64 bits as parties, paths and days make, in the first cache, on as many threads.
void add_in_cache(std::size_t party_count, std::size_t path_count) {
  std::vector<std::jthread> workers;
  for (unsigned n = 0; n < threads; ++n)
    workers.emplace_back([=] {
      std::vector<std::int64_t> row(96, 1), from(96, 3);
      for (std::size_t i = 0; i < party_count * path_count / threads; ++i) {
        for (std::size_t d = 0; d < 96; ++d) row[d] += from[d];
        asm volatile("" : : "r"(row.data()), "r"(from.data()) : "memory");
      }
    });
}

void measure_simulation(Figures& figures, SmallRandom& random, std::size_t documents, std::uint32_t paths, int rounds) {
  Company company(random, 5'000, documents);
  const SimulationSettings settings{.paths = paths, .threads = threads};
  figures.add("simulation_limit", median_of(rounds, [&] { add_in_cache(company.parties.size(), paths); }));
  Result<CashSimulation> simulation = fail(ErrorCode::internal, "not run");
  figures.add("simulation", median_of(rounds, [&] { simulation = CashSimulation::run(today, 92, company.parties, company.items, settings); }));
  const std::uint64_t two = bytes_of(simulation->band(0));
  std::int64_t differ = 0;
  for (const unsigned other : {1U, 4U}) {
    SimulationSettings wanted = settings;
    wanted.threads = other;
    differ += bytes_of(CashSimulation::run(today, 92, company.parties, company.items, wanted)->band(0)) == two ? 0 : 1;
  }
  std::vector<double> moved, settled;
  for (int i = 0; i < 50; ++i) {
    SimulationItem& item = company.items[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(company.items.size())))];
    const SimulationItem before = item;
    item.day += 14;
    moved.push_back(milliseconds([&] { (void)simulation->change({&before, 1}, {&item, 1}); }));
    const SimulationItem late = item;
    item.amount = 0;  // paid: gone from the plan
    settled.push_back(milliseconds([&] { (void)simulation->change({&late, 1}, {&item, 1}); }));
  }
  std::ranges::sort(moved);
  std::ranges::sort(settled);
  figures.add("change_moved_p50_ms", moved[25], "ms");
  figures.add("change_moved_max_ms", moved.back(), "ms");
  figures.add("change_paid_p50_ms", settled[25], "ms");
  figures.add("change_paid_max_ms", settled.back(), "ms");
  figures.add("change_delays_twice", median_of(5, [&] { (void)simulation->change_delays(7, company.parties[8].delays), (void)simulation->change_delays(7, company.parties[7].delays); }));
  differ += bytes_of(simulation->band(0)) == bytes_of(CashSimulation::run(today, 92, company.parties, company.items, settings)->band(0)) ? 0 : 1;
  figures.add("simulation_differs", static_cast<double>(differ), "runs");

  const Company many(random, 100'000, documents);
  figures.add("simulation_100000_parties", median_of(std::min(rounds, 2), [&] { simulation = CashSimulation::run(today, 92, many.parties, many.items, settings); }));
}

}  // namespace

int main(int argc, char** argv) {
  Figures figures;
  bool quick = false;
  std::uint64_t seed = 20'261'122;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--quick") quick = true;
    if (word == "--json") figures.json = true;
    if (word == "--seed" && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 10);
  }
  if (!figures.json) std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  SmallRandom random(seed);
  const std::size_t documents = quick ? 100'000 : 1'000'000;
  const int rounds = quick ? 1 : 5;
  {
    const Documents made = random_documents(random, documents);
    figures.add("plan_off", static_cast<double>(plan_off(made)), "minor units");
    figures.add("bridge_off", static_cast<double>(bridge_off(made)), "minor units");
    const std::string bytes = encode(made.before);
    figures.add("kept_bytes_per_item", static_cast<double>(bytes.size()) / static_cast<double>(made.before.items.size()), "B");
  }
  std::int64_t wrong = 0;
  figures.add("histories", timed([&] { wrong = histories_off(seed, quick ? 100'000 : 1'000'000); }));
  figures.add("histories_off", static_cast<double>(wrong), "histories");
  measure_ageing(figures, random, documents * 10, rounds);
  measure_simulation(figures, random, documents, quick ? 1'000 : 10'000, rounds);
  if (figures.json) figures.print_json();
  return 0;
}
