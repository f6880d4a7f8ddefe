#include "testing/convergence/harness.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "base/check.h"
#include "erp/internal/service_loop.h"
#include "ingest/intake.h"
#include "metrics/metrics.h"
#include "simulator/script.h"
#include "store/record.h"
#include "testing/convergence/fake_time.h"
#include "testing/convergence/kill_points.h"
#include "testing/convergence/order_text.h"

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using simulator::Fault;

constexpr std::string_view source_id = "erp";

// What a seed says.
struct Schedule {
  std::uint64_t seed = 0;
  bool v1 = false;
  simulator::RandomCompanyOptions company;
  simulator::ServiceLayerOptions server;
  simulator::ScriptOptions script;
  simulator::FaultPlan faults;
  unsigned hidden_rounds_percent = 0;  // rounds in which the user lost a right
  unsigned change_percent = 0;         // of pages that are followed by changes
  std::uint64_t changes_max = 3;       // behind such a page
  unsigned kill_percent = 0;           // of syncs
  unsigned hint_percent = 0;           // of steps: a webhook tells some of what changed, also in the middle of a sync
  unsigned reread_percent = 0;         // of syncs: somebody has everything read again
  unsigned rounds = 3;
  std::chrono::milliseconds call_max{900};  // of calls that nothing disturbs
  std::chrono::minutes overlap{0};
  std::size_t slice_keys = 8;
  // Some of it only a whole round of comparing finds: closed orders removed, changes without a trace, empty pages.
  bool needs_whole_round = false;
  bool hides_rows = false;

  // What a whole round finds, it may find by two syncs, and both write: an item that was hidden, then its order's name; a
  // change without ETag and stamp beside a new name; an order entered again that is gone, then the old key it stood for.
  bool finds_in_two_parts() const { return needs_whole_round; }
  std::string story() const;
};

std::string Schedule::story() const {
  std::string text = std::string(v1 ? "v1" : "v2") + ", " + std::to_string(company.orders) + " orders, cap " +
                     std::to_string(server.page_cap) + ", ETags " + (server.etags_in_collections ? "yes" : "no") +
                     ", slice " + std::to_string(slice_keys) + ", overlap " + std::to_string(overlap.count()) +
                     " min, changes " +  std::to_string(change_percent) + " % up to " + std::to_string(changes_max) + ", kills " + std::to_string(kill_percent) +
                     " %, hints " + std::to_string(hint_percent) + " %, calls up to " + std::to_string(call_max.count()) + " ms" + (server.minute_stamps ? ", stamps by minute" : "") +
                     (server.refuses_mixed_filters ? ", no mixed filters" : "");
  for (std::size_t i = 0; i < simulator::fault_count; ++i) {
    if (faults.per_mille[i] > 0)
      text +=
          ", " + std::string(word(static_cast<Fault>(i))) + " " + std::to_string(faults.per_mille[i]) + " per mille";
  }
  if (faults.rows_in_time > 0) text += ", pages over " + std::to_string(faults.rows_in_time) + " time out";
  if (hides_rows) text += ", rows hidden";
  if (needs_whole_round) text += ", whole round";
  return text;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : dice_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return dice_() % bound; }
  bool percent(unsigned chance) { return below(100) < chance; }
  std::mt19937_64& device() { return dice_; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + static_cast<std::ptrdiff_t>(below(values.size())));
  }

 private:
  std::mt19937_64 dice_;
};

constexpr Instant first_moment =
    Instant(std::chrono::sys_days(std::chrono::year(2026) / 3 / 2)) + std::chrono::hours(9);

// The deeds that syncs get wrong come more often than in a real company.
void choose_deeds(simulator::ScriptOptions& script) {
  using simulator::Deed;
  script.weight(Deed::enter) = 18;
  script.weight(Deed::edit_closed) = 40;  // what a wrong watermark loses
  script.weight(Deed::remove) = 22;       // what makes gaps in pages by position
  script.weight(Deed::cancel) = 6;
  script.weight(Deed::remove_line) = 8;
  script.weight(Deed::add_line) = 4;
  script.weight(Deed::enter_again) = 6;
  script.weight(Deed::reopen) = 4;
}

void choose_faults(Schedule& schedule, Dice& dice) {
  const std::uint64_t kinds = dice.percent(25) ? 0 : 1 + dice.below(3);
  for (std::uint64_t i = 0; i < kinds; ++i) {
    const auto fault = static_cast<Fault>(dice.below(simulator::fault_count));
    schedule.faults.chance(fault) = static_cast<unsigned>(10 + dice.below(90));
    if (fault == Fault::empty_list) schedule.needs_whole_round = true;
  }
  if (dice.percent(10)) schedule.faults.rows_in_time = 3 + dice.below(10);
  if (dice.percent(15)) {
    schedule.hides_rows = true;
    schedule.hidden_rounds_percent = 40;
    schedule.needs_whole_round = true;
  }
}

Schedule schedule_of(std::uint64_t seed) {
  Dice dice(seed);
  Schedule schedule;
  schedule.seed = seed;
  schedule.v1 = dice.percent(40);
  schedule.company.seed = seed;
  schedule.company.orders = 20 + dice.below(60);
  schedule.company.open_percent = static_cast<unsigned>(25 + dice.below(40));
  schedule.server.seed = seed + 1;
  schedule.server.page_cap = dice.one_of<std::size_t>({0, 4, 5, 9, 20});
  schedule.server.etags_in_collections = dice.percent(70);
  schedule.server.days_with_time = dice.percent(50);
  schedule.server.absolute_next_links = dice.percent(30);
  schedule.server.minute_stamps = dice.percent(30);
  schedule.server.refuses_mixed_filters = dice.percent(20);
  schedule.script.seed = seed + 2;
  choose_deeds(schedule.script);
  schedule.needs_whole_round = dice.percent(30);
  choose_faults(schedule, dice);
  if (schedule.needs_whole_round) {
    schedule.script.version_only_per_mille = 300;
    // Without a stamp and without an ETag nobody can tell that a closed order changed.
    schedule.script.closed_without_stamp = schedule.server.etags_in_collections;
  } else {
    if (schedule.server.etags_in_collections && dice.percent(50)) schedule.script.version_only_per_mille = 300;
    // Who holds an order as closed does not ask for it again; that it was reopened and then removed only a round shows.
    schedule.script.removes_closed = false;
    schedule.script.weight(simulator::Deed::reopen) = 0;
  }
  // A busy day makes the gaps that paging by position leaves.
  if (seed % 3 == 0) schedule.changes_max = 10;
  schedule.change_percent = dice.one_of({0u, 40u, 70u, 95u});
  schedule.kill_percent = dice.one_of({0u, 0u, 30u, 60u});
  schedule.hint_percent = dice.one_of({0u, 0u, 5u, 30u});
  schedule.reread_percent = dice.one_of({0u, 0u, 20u});
  schedule.rounds = static_cast<unsigned>(2 + dice.below(4));
  schedule.call_max = dice.one_of<std::chrono::milliseconds>({900ms, 900ms, 10s, 40s});
  schedule.overlap = dice.one_of({0min, 120min});
  // A last page of the scan before, shown once more, looks like a whole scan: only the overlap reads again what it hid.
  if (schedule.faults.chance(Fault::page_twice) > 0) schedule.overlap = 120min;
  // Half of those that must do without a whole round have no anti-entropy at all: it would heal a gap before anybody looks.
  schedule.slice_keys = schedule.needs_whole_round ? schedule.company.orders / 3 : dice.percent(50) ? 0 : 4 + dice.below(8);
  return schedule;
}

// A folder that is gone with its owner; in memory where that is possible, since a kill is no power cut.
class Folder {
 public:
  Folder() {
    const std::filesystem::path memory = "/dev/shm";
    std::string pattern = ((std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path()) /
                           "millrace-erp-XXXXXX")
                              .string();
    check(::mkdtemp(pattern.data()) != nullptr, "the harness needs a temporary folder");
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The orders as the feed tells them, read on where it was left.
class FeedBook {
 public:
  // Answers how many orders were put or removed.
  std::uint64_t read_on(store::Record& record) {
    std::uint64_t count = 0;
    for (;;) {
      const auto changes = record.changes_after(at_, 1000);
      check(changes.has_value(), "the harness can read the feed");
      if (changes->empty()) return count;
      for (const feed::Change& change : *changes) {
        at_ = change.sequence;
        if (change.kind == feed::ChangeKind::order_put) count += put(change.put) ? 1 : 0;
        if (change.kind == feed::ChangeKind::order_removed) {
          whole_.erase(change.removed.number.text);
          count += orders_.erase(change.removed.number.text);
        }
        // An order that was entered again is there twice until its old key is asked for.
        if (change.kind == feed::ChangeKind::rejection_put && change.rejection_put.rejection.outcome != feed::Outcome::superseded)
          rejected_ = change.rejection_put.rejection.path + ": " + change.rejection_put.rejection.reason;
      }
    }
  }
  const std::map<std::string, std::string>& orders() const { return orders_; }
  std::set<std::string> keys() const {  // of the orders that are there, as the ERP knows them
    std::set<std::string> keys;
    for (const auto& [number, put] : whole_) keys.insert(put.order->source_key);
    return keys;
  }
  const std::string& rejected() const { return rejected_; }
  std::vector<std::string> take_written() { return std::exchange(written_, {}); }  // what each order was and became
  const std::string& needless() const { return needless_; }  // an order that was written and was no different

 private:
  // Whether what is compared changed: a closed order that takes a manufacturer's new name is a change, but not of that.
  bool put(const feed::OrderPut& put) {
    const std::string& number = put.order->number.text;
    auto& whole = whole_[number];
    // An order that was entered again names the document of its old key until that one is gone.
    if (whole.order && *whole.order == *put.order && whole.documents == put.documents && whole.flags == put.flags)
      needless_ = order_text(*put.order);
    whole = put;
    std::string text = order_text(*put.order);
    std::string& held = orders_[number];
    if (held == text) return false;
    written_.push_back("\n  was " + held + "\n  is  " + text);
    held = std::move(text);
    return true;
  }

  feed::Sequence at_;
  std::map<std::string, feed::OrderPut> whole_;
  std::string needless_;
  std::vector<std::string> written_;
  std::map<std::string, std::string> orders_;
  std::string rejected_;
};

struct Broken {
  std::string why;
};

// One world: the ERP, the time, the record, and the source that is killed and opened again.
class World {
 public:
  World(Schedule schedule, erp::SyncRules rules)
      : schedule_(std::move(schedule)),
        rules_(rules),
        dice_(schedule_.seed + 3),
        time_(first_moment),
        waiting_(time_),
        server_(schedule_.server, simulator::random_company(with_now(schedule_.company)), time_),
        script_(schedule_.script),
        transport_([this](const outbound::Call& call) { return answer(call); }, kill_) {
    server_.after_each_page([this](simulator::Company& company) {
      if (!restless_ || !dice_.percent(schedule_.change_percent)) return;
      for (std::uint64_t i = 0, count = 1 + dice_.below(schedule_.changes_max); i < count; ++i) change(company);
    });
    open();
  }
  ~World() { close(); }

  void run();
  ScheduleCounts counts() const {
    ScheduleCounts counts = counts_;
    counts.schedules = 1;
    counts.calls = server_.stats().calls;
    counts.faults = server_.stats().faults;
    return counts;
  }

 private:
  static simulator::RandomCompanyOptions with_now(simulator::RandomCompanyOptions options) {
    options.now = {
        static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(first_moment).time_since_epoch().count()),
        10 * 3600};
    return options;
  }
  outbound::Reply answer(const outbound::Call& call) {
    time_.pass(5ms + std::chrono::milliseconds(dice_.below(static_cast<std::uint64_t>(schedule_.call_max.count()))));
    outbound::Reply reply = server_.answer(call);
    time_.pass(reply.took);
    return reply;
  }
  void change(simulator::Company& company) {
    script_.step(company, server_.local_time());
    ++counts_.changes;
  }
  void change_some(std::uint64_t count) {
    server_.with_company([&](simulator::Company& company) {
      for (std::uint64_t i = 0; i < count; ++i) change(company);
      return 0;
    });
  }

  void open();
  void close();
  void restless_round();
  void hint_some();
  bool sync(bool may_die);
  void step_until_it_ends();
  void decide();
  void look_for_false_tombstones();
  std::vector<std::string> differences();
  std::string streams() const;
  void settle();

  const Schedule schedule_;
  const erp::SyncRules rules_;
  Dice dice_;
  FakeTime time_;
  FakeTime::Waiting waiting_;
  simulator::ServiceLayer server_;
  simulator::Script script_;
  KillPoint kill_;
  MortalTransport transport_;
  Folder folder_;
  metrics::Registry metrics_;
  std::unique_ptr<store::Record> record_;
  std::unique_ptr<ingest::Intake> intake_;
  std::unique_ptr<ingest::Source> source_;
  FeedBook book_;
  std::set<std::string> held_before_;  // keys of the orders of the record at the last look
  bool restless_ = true, hidden_ = false;
  ScheduleCounts counts_;
};

void World::open() {
  kill_.revive();
  store::SqliteOptions options;
  options.path = folder_.path() + "/record.db";
  options.clock = &time_;
  options.verify_delay = std::chrono::hours(24);
  auto record = store::open_sqlite_record(std::move(options));
  check(record.has_value(), "the harness can open its record");
  record_ = std::make_unique<MortalRecord>(std::move(*record), kill_);
  intake_ = std::make_unique<ingest::Intake>(*record_, ingest::built_in_profile());
  const auto restored = intake_->restore({std::string(source_id)}, nullptr, [](const Error&) {});
  check(restored.has_value(), "the harness can restore its record");
  erp::ServiceSourceOptions source;
  source.id = source_id;
  source.dialect = schedule_.v1 ? erp::Dialect::sap_b1_v1 : erp::Dialect::sap_b1_v2;
  source.connect.url = schedule_.v1 ? "https://sap.test:50000/b1s/v1" : "https://sap.test:50000/b1s/v2";
  source.connect.company = schedule_.server.company;
  source.connect.user = schedule_.server.user;
  source.connect.password = schedule_.server.password;
  source.care.wait_base = 50ms;
  source.care.wait_max = 2s;
  source.interval = 300s;
  source.overlap = schedule_.overlap;
  source.recent_days = 0;
  source.slice_keys = schedule_.slice_keys;
  source.seed = schedule_.seed;
  source.streams = {"manufacturers", "items", "orders"};
  if (schedule_.hides_rows)
    source.guard = {.gone_share_max = 0, .gone_always = 0, .closed_share_max = 1, .total_share_max = 1};
  source_ = erp::make_service_source_with_rules(rules_, std::move(source), *intake_, *record_, metrics_, time_,
                                                transport_, waiting_);
}

void World::close() {
  source_.reset();
  intake_.reset();
  record_.reset();
}

// A person looks at what is held: it is wrong while rows are hidden, and right otherwise.
void World::decide() {
  ++counts_.holds;
  if (hidden_)
    source_->request_reject();
  else
    source_->request_accept();
}

// What webhooks tell: at most once, out of order, some of it lost.
void World::hint_some() {
  auto events = server_.with_company([](simulator::Company& company) { return company.take_events(); });
  std::shuffle(events.begin(), events.end(), dice_.device());
  for (const simulator::Event& event : events) {
    const bool is_order = event.set == "Orders";
    if ((!is_order && event.set != "Items") || dice_.percent(30)) continue;
    source_->request_keys(is_order ? "orders" : "items", {event.key});
    ++counts_.hints;
  }
}

void World::step_until_it_ends() {
  constexpr int steps_max = 200'000;
  const std::uint64_t before = source_->status().refresh_count;
  source_->request_refresh(restless_ && dice_.percent(schedule_.reread_percent));
  std::optional<std::uint64_t> decided;  // at which count: a person decides once about what one sync shows
  for (int i = 0; i < steps_max; ++i) {
    // Only while the sync runs: what a hint finds gone may wait for a person and be read again, with more hints.
    if (restless_ && source_->status().refresh_count == before && dice_.percent(schedule_.hint_percent)) hint_some();
    const bool did = source_->step(0ms);
    const ingest::SourceStatus status = source_->status();
    if (status.state == ingest::SourceState::held && decided != status.refresh_count) {
      decided = status.refresh_count;
      decide();
      if (hidden_) return;  // rejected: it looks again, and finds the same
    }
    const bool ended = status.refresh_count > before && status.state != ingest::SourceState::scanning;
    // Refused while something is held: it is held on, and the next try comes later.
    const bool refused = status.state == ingest::SourceState::failed || (status.state == ingest::SourceState::held && decided == status.refresh_count);
    // What follows a sync (names that changed) ends when there is nothing more to do before the next one.
    if (!did && (ended || refused)) return;
    if (!did) time_.pass(1s);
  }
  throw Broken{"a sync does not end: " + source_->status().message};
}

// One sync, maybe with a kill in it. Answers whether it went well.
bool World::sync(bool may_die) {
  if (may_die && dice_.percent(schedule_.kill_percent)) {
    const auto where =
        dice_.one_of({KillPoint::Where::after_call, KillPoint::Where::before_commit, KillPoint::Where::after_commit});
    kill_.arm(where, 1 + dice_.below(where == KillPoint::Where::after_call ? 25 : 4));
  }
  ++counts_.syncs;
  try {
    step_until_it_ends();
  } catch (const Killed&) {
    ++counts_.kills;
    close();
    open();
    look_for_false_tombstones();
    return false;
  }
  kill_.revive();
  look_for_false_tombstones();
  return source_->status().state != ingest::SourceState::failed && source_->status().state != ingest::SourceState::held;
}

void World::look_for_false_tombstones() {
  counts_.orders_written += book_.read_on(*record_);
  if (!book_.needless().empty()) throw Broken{"written without a difference: " + book_.needless()};
  if (!book_.rejected().empty()) throw Broken{"a document was refused: " + book_.rejected()};
  const simulator::Truth truth = server_.truth();
  std::set<std::string> held = book_.keys();
  for (const auto& [entry, order] : truth.orders) {
    const std::string key = std::to_string(entry);
    if (held_before_.contains(key) && !held.contains(key)) throw Broken{"false tombstone: the ERP has " + order_text(order, truth)};
  }
  held_before_ = std::move(held);
}

std::vector<std::string> World::differences() {
  std::vector<std::string> different;
  const simulator::Truth truth = server_.truth();
  std::map<std::string, std::string> wanted;
  for (const auto& [entry, order] : truth.orders) wanted[std::to_string(order.number)] = order_text(order, truth);
  for (const auto& [number, text] : wanted) {
    const auto held = book_.orders().find(number);
    if (held == book_.orders().end())
      different.push_back("missing\n  ERP    " + text);
    else if (held->second != text)
      different.push_back("different\n  ERP    " + text + "\n  record " + held->second);
  }
  for (const auto& [number, text] : book_.orders()) {
    if (!wanted.contains(number)) different.push_back("not in the ERP\n  record " + text);
  }
  return different;
}

// What the source says of its streams: the first thing to look at when something differs.
std::string World::streams() const {
  std::string text;
  const ingest::SourceStatus status = source_->status();
  if (!status.service) return text;
  for (const ingest::StreamStatus& stream : status.service->streams) {
    text += "\n  " + stream.name + ": " + stream.phase + ", " + std::to_string(stream.rows) + " rows";
    if (!stream.runs.empty()) text += ", last " + stream.runs.front().outcome + " " + stream.runs.front().message;
  }
  return text;
}

void World::restless_round() {
  hidden_ = dice_.percent(schedule_.hidden_rounds_percent);
  simulator::FaultPlan plan = schedule_.faults;
  plan.hidden_percent = hidden_ ? 20 : 0;
  server_.plan_faults(plan);
  change_some(dice_.below(8));
  for (std::uint64_t i = 0, count = 1 + dice_.below(3); i < count; ++i) {
    sync(true);
    time_.pass(std::chrono::seconds(dice_.below(600)));
  }
  if (hidden_) {
    // The right comes back. What was read without it is for nobody any more, also what is still being read.
    close();
    open();
  }
  hidden_ = false;
}

// Nothing changes any more and nothing breaks: the record must become what the ERP is.
void World::settle() {
  restless_ = false;
  server_.plan_faults({});
  if (schedule_.hint_percent > 0) {
    // Hints that wait for a system that did not answer go before the names of the next sync, and an order is then written
    // once with the old names and once with the new: a restart forgets them.
    close();
    open();
  }
  counts_.orders_written += book_.read_on(*record_);
  const std::size_t differ = differences().size();
  const std::uint64_t written_before = counts_.orders_written;
  static_cast<void>(book_.take_written());
  const std::size_t rows = server_.truth().orders.size();
  const std::size_t wanted = schedule_.needs_whole_round ? 16 + 2 * (rows / schedule_.slice_keys) : 2;
  const std::size_t tries_max = wanted + 100;  // a busy day may leave thousands of rows, whose round takes many syncs
  std::size_t good = 0;
  for (std::size_t tries = 0; good < wanted; ++tries) {
    if (tries == tries_max)
      throw Broken{"no sync goes well although nothing is wrong any more: " + source_->status().message};
    if (sync(false)) ++good;
    time_.pass(60s);
  }
  if (const auto still = differences(); !still.empty()) {
    std::string why =
        std::to_string(still.size()) + " differences after " + std::to_string(wanted) + " quiet syncs" + streams();
    for (std::size_t i = 0; i < std::min<std::size_t>(still.size(), 3); ++i) why += "\n" + still[i];
    throw Broken{why};
  }
  const std::uint64_t written = counts_.orders_written - written_before;
  if (written < differ || written > (schedule_.finds_in_two_parts() ? 2 * differ : differ)) {
    std::string why = std::to_string(differ) + " orders differed, " + std::to_string(written) + " were written";
    for (const std::string& one : book_.take_written()) why += one;
    throw Broken{why};
  }
  const auto refused = record_->rejections();
  check(refused.has_value(), "the harness can read the list of refused documents");
  if (!refused->empty()) throw Broken{"refused at the end: " + refused->front().path + ": " + refused->front().reason};
  const std::uint64_t commits = record_->statistics().commits;
  sync(false);
  if (record_->statistics().commits != commits) throw Broken{"a quiet sync wrote something"};
}

void World::run() {
  for (unsigned round = 0; round < schedule_.rounds; ++round) restless_round();
  settle();
}

}  // namespace

ScheduleCounts& ScheduleCounts::operator+=(const ScheduleCounts& other) {
  schedules += other.schedules;
  syncs += other.syncs;
  calls += other.calls;
  changes += other.changes;
  faults += other.faults;
  kills += other.kills;
  hints += other.hints;
  holds += other.holds;
  orders_written += other.orders_written;
  return *this;
}

ScheduleResult run_schedule(std::uint64_t seed, erp::SyncRules rules, bool renames) {
  ScheduleResult result;
  Schedule schedule = schedule_of(seed);
  if (!renames)
    schedule.script.weight(simulator::Deed::rename_manufacturer) = schedule.script.weight(simulator::Deed::move_item) =
        0;
  result.story = schedule.story();
  World world(schedule, rules);
  try {
    world.run();
  } catch (const Broken& broken) {
    result.good = false;
    result.why = broken.why;
  }
  result.counts = world.counts();
  return result;
}

std::optional<erp::SyncRules> broken_rules(std::string_view name) {
  erp::SyncRules rules;
  if (name == "offset")
    rules.page_by_position = true;
  else if (name == "exclusive")
    rules.exclusive_watermark = true;
  else if (name == "late_watermark")
    rules.watermark_at_end = true;
  else if (name == "absence")
    rules.tombstone_on_absence = true;
  else
    return std::nullopt;
  return rules;
}

}  // namespace millrace::testing
