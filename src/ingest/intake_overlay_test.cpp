// What people write on orders, through the intake, into a real record and back.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <deque>
#include <map>

#include "domain/order_rules.h"
#include "ingest/overlay_desk.h"
#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::ingest {
namespace {

const SystemClock system_clock;
const Instant noon = testing::instant("2026-03-05T12:00:00Z");

SalesOrder order_with(const std::string& number, std::int64_t quantity, const std::string& promise) {
  SalesOrder order;
  order.number.text = number;
  order.currency = *Currency::parse("EUR");
  if (!promise.empty()) order.promise_date = parse_iso_day(promise);
  order.lines.resize(1);
  OrderLine& line = order.lines[0];
  line.line_number = 1;
  line.item_code = "P-1";
  line.quantity_ordered = line.quantity_open = Quantity{quantity * micros_per_one};
  line.unit_price.micros = micros_per_one;
  line.line_total = *line_total(line.quantity_ordered, line.unit_price, line.discount, order.currency);
  settle_amounts(order);
  return order;
}

// A record that stays while intakes come and go.
class Plant {
 public:
  Plant() { restart(); }

  void restart() {
    desk_.reset();
    intake_.reset();
    record_.reset();
    record_ = *store::open_sqlite_record({.path = folder_ / "a.db", .clock = &system_clock});
    intake_ = std::make_unique<Intake>(*record_, built_in_profile(), JoinRules(), OverlayFields(std::vector{OwnColumn{"truck", "Truck"}}));
    REQUIRE(intake_->restore({"orders"}, nullptr, [](const Error&) {}));
    desk_ = std::make_unique<OverlayDesk>(*intake_);
  }
  Plant& brings(const std::string& number, std::int64_t quantity, const std::string& promise) {
    bring(number, quantity, promise);
    REQUIRE(intake_->commit("orders"));
    return *this;
  }
  void bring(const std::string& number, std::int64_t quantity, const std::string& promise) {
    const std::string path = "Open/SO" + number + ".json";
    ReadFile read{path, FileStamp{1, ++stamp_, 1}, content_hash(path + std::to_string(quantity) + promise), {}};
    read.document.is_order_document = true;
    read.document.orders.push_back(order_with(number, quantity, promise));
    intake_->with_book([&](OrderBook& book) { book.file_read("orders", std::move(read), noon); });
  }
  Plant& loses(const std::string& number) {
    intake_->with_book([&](OrderBook& book) { book.file_removed("orders", "Open/SO" + number + ".json"); });
    REQUIRE(intake_->commit("orders"));
    return *this;
  }
  feed::Change last_of(const std::string& number) {
    const auto changes = record_->changes_of_order(OrderNumber{number}, 100'000);
    REQUIRE(changes);
    REQUIRE_FALSE(changes->empty());
    return changes->back();
  }
  // "2026-12-01 over 2026-11-01, hold=paint by Ann": what the record says of the order now.
  std::string told(const std::string& number) {
    const feed::Change change = last_of(number);
    if (change.kind != feed::ChangeKind::order_put) return "gone";
    std::string text = change.put.order->promise_date ? iso(*change.put.order->promise_date) : "none";
    for (const feed::Overlaid& value : change.put.overlay)
      if (value.written.field == overlay_field::promised_date) text += " over " + (value.beneath.empty() ? "none" : value.beneath);
    for (const feed::Overlaid& value : change.put.overlay)
      if (value.written.field != overlay_field::promised_date) text += ", " + value.written.field + "=" + value.written.value;
    return change.put.by.empty() ? text : text + " by " + change.put.by;
  }
  Result<OverlayAnswer> write(const std::string& number, std::optional<std::uint64_t> base, const std::string& who, std::vector<OverlayWish> wishes) {
    return desk_->edit(number, base, wishes, {who, now()});
  }
  std::string conflicts(const Result<OverlayAnswer>& answer) {
    REQUIRE(answer);
    std::string text;
    for (const OverlayConflict& conflict : answer->conflicts) {
      const auto shown = [](const std::optional<OverlayValue>& value) { return value ? value->value : std::string("none"); };
      text += conflict.field + ": was " + shown(conflict.before) + ", " + conflict.by + " " + shown(conflict.theirs) + ", mine " + conflict.mine.value_or("none") + "\n";
    }
    return text;
  }
  Instant now() { return noon + std::chrono::seconds(++seconds_); }

  OverlayDesk& desk() { return *desk_; }
  Intake& intake() { return *intake_; }
  store::Record& record() { return *record_; }

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<store::Record> record_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<OverlayDesk> desk_;
  std::int64_t stamp_ = 0;
  std::int64_t seconds_ = 0;
};

std::string text_of(const OverlayState& state) {
  std::string text = std::to_string(state.version) + ":";
  for (const auto& field : state.fields) text += " " + field.written.field + "=" + field.written.value;
  return text;
}

}  // namespace

TEST_CASE("A date that a person promises stands above the source's, through syncs, restarts and while the order is away") {
  Plant plant;
  plant.brings("7", 4, "2026-11-01");
  CHECK(plant.told("7") == "2026-11-01");
  REQUIRE(plant.write("7", 0, "Ann", {{"promised_date", "2026-12-01", {}}, {"hold", "paint", {}}, {"truck", "T 9", {}}}));
  CHECK(plant.told("7") == "2026-12-01 over 2026-11-01, hold=paint, truck=T 9 by Ann");
  CHECK(plant.desk().overlay("7")->fields[1].written.said == "2026-11-01");
  plant.brings("7", 5, "2026-11-08");
  CHECK(plant.told("7") == "2026-12-01 over 2026-11-08, hold=paint, truck=T 9");
  plant.restart();
  plant.brings("7", 6, "2026-11-09");
  CHECK(plant.told("7") == "2026-12-01 over 2026-11-09, hold=paint, truck=T 9");
  plant.loses("7");
  CHECK(plant.told("7") == "gone");
  CHECK(text_of(*plant.desk().overlay("7")) == "1: hold=paint promised_date=2026-12-01 truck=T 9");
  REQUIRE(plant.write("7", 1, "Ben", {{"hold", std::nullopt, {}}}));
  plant.restart();
  plant.brings("7", 6, "");
  CHECK(plant.told("7") == "2026-12-01 over none, truck=T 9");
}

TEST_CASE("Two people who write different fields both keep theirs; in the same field the second sees both values and nothing is written") {
  Plant plant;
  plant.brings("7", 4, "");
  REQUIRE(plant.write("7", 0, "Ann", {{"priority", "3", {}}}));
  CHECK(plant.conflicts(plant.write("7", 0, "Ben", {{"note", "call", {}}})) == "");
  CHECK(text_of(*plant.desk().overlay("7")) == "2: note=call priority=3");
  const auto both = plant.write("7", 0, "Ben", {{"priority", "5", {}}, {"colour", "red", {}}});
  CHECK(plant.conflicts(both) == "priority: was none, Ann 3, mine 5\n");
  CHECK(both->edit == 0);
  CHECK(text_of(*plant.desk().overlay("7")) == "2: note=call priority=3");
  CHECK(plant.conflicts(plant.write("7", 0, "Ben", {{"priority", "3", {}}})) == "");  // they agree
  REQUIRE(plant.write("7", 2, "Ann", {{"priority", std::nullopt, {}}}));
  CHECK(plant.conflicts(plant.write("7", 2, "Ben", {{"priority", "5", {}}})) == "priority: was 3, Ann none, mine 5\n");
  CHECK(plant.conflicts(plant.write("7", std::nullopt, "Ben", {{"priority", "5", {}}})) == "");
  CHECK(plant.write("7", 99, "Ben", {{"priority", "5", {}}}).error().code() == ErrorCode::invalid_input);
  CHECK(plant.write("8", 0, "Ben", {{"priority", "5", {}}}).error().code() == ErrorCode::not_found);
  CHECK(plant.write("7", std::nullopt, "Ben", {{"wheel", "5", {}}}).error().text().find("there is: promised_date") != std::string::npos);
  CHECK(plant.write("7", std::nullopt, "Ben", {{"priority", "12", {}}}).error().text().find("from 0 to 9") != std::string::npos);
}

TEST_CASE("Undo puts back exactly what stood before; where somebody wrote after it, only when that is wanted") {
  Plant plant;
  plant.brings("7", 4, "2026-11-01");
  const auto first = plant.write("7", 0, "Ann", {{"note", "one", {}}});
  const OverlayValue written = plant.desk().overlay("7")->fields[0].written;
  const auto second = plant.write("7", 1, "Ben", {{"note", "two", {}}, {"promised_date", "2026-12-24", {}}});
  CHECK(plant.told("7") == "2026-12-24 over 2026-11-01, note=two by Ben");
  CHECK(plant.conflicts(plant.desk().undo("7", first->edit, false, {"Cay", plant.now()})) == "note: was one, Ben two, mine none\n");
  REQUIRE(plant.desk().undo("7", second->edit, false, {"Cay", plant.now()}));
  CHECK(plant.told("7") == "2026-11-01, note=one by Cay");
  CHECK(plant.desk().overlay("7")->fields[0].written == written);
  CHECK(plant.desk().undo("7", second->edit, false, {"Cay", plant.now()}).error().code() == ErrorCode::conflict);
  plant.restart();
  REQUIRE(plant.write("7", 3, "Ben", {{"note", "three", {}}}));
  REQUIRE(plant.desk().undo("7", first->edit, true, {"Cay", plant.now()}));
  CHECK(text_of(*plant.desk().overlay("7")) == "5:");
  CHECK(plant.desk().undo("7", 99, false, {"Cay", plant.now()}).error().code() == ErrorCode::not_found);
  const auto edits = plant.desk().edits_of("7", std::nullopt, 100);
  std::string list;
  for (const OverlayEdit& edit : edits->edits) list += std::to_string(edit.version) + " " + std::string(word(edit.kind)) + " by " + edit.author + "\n";
  CHECK(list == "5 undone by Cay\n4 written by Ben\n3 undone by Cay\n2 written by Ben\n1 written by Ann\n");
}

TEST_CASE("A value that ends stops to count at its time, says so, and does it also when the server was down then") {
  Plant plant;
  plant.brings("7", 4, "2026-11-01").brings("8", 4, "");
  const Instant end = noon + std::chrono::hours(1);
  REQUIRE(plant.write("7", 0, "Ann", {{"promised_date", "2026-12-24", end}, {"note", "stays", {}}}));
  REQUIRE(plant.write("8", 0, "Ann", {{"hold", "paint", end + std::chrono::hours(1)}}));
  CHECK(*plant.intake().end_overlays(noon) == 0);
  CHECK(*plant.intake().end_overlays(end) == 1);
  CHECK(plant.told("7") == "2026-11-01, note=stays by (time)");
  plant.restart();
  CHECK(*plant.intake().end_overlays(end) == 0);
  CHECK(*plant.intake().end_overlays(end + std::chrono::hours(9)) == 1);
  CHECK(plant.told("8") == "none by (time)");
  CHECK(*plant.intake().end_overlays(end + std::chrono::hours(9)) == 0);
  CHECK(plant.write("8", 2, "Ann", {{"hold", "paint", noon}}).error().text().find("ended") != std::string::npos);
  CHECK(plant.desk().undo("8", 4, false, {"Ann", plant.now()}).error().code() == ErrorCode::conflict);
}

TEST_CASE("The same wish under the same key is done once, also over a restart") {
  Plant plant;
  plant.brings("7", 4, "");
  const OverlayAsker asker{"Ann", noon, "k1", 17};
  const auto first = plant.desk().edit("7", 0, {{"note", "one", {}}}, asker);
  plant.restart();
  const auto again = plant.desk().edit("7", 0, {{"note", "one", {}}}, asker);
  REQUIRE(again);
  CHECK(again->replayed);
  CHECK(again->edit == first->edit);
  CHECK(again->now.version == 1);
  CHECK(plant.desk().edit("7", 0, {{"note", "two", {}}}, {"Ann", noon, "k1", 18}).error().code() == ErrorCode::conflict);
}

TEST_CASE("500 overlays stay through 100 syncs that change every row below, with restarts between") {
  Plant plant;
  for (int i = 0; i < 500; ++i) plant.bring(std::to_string(i), 1, "2026-10-01");
  REQUIRE(plant.intake().commit("orders"));
  for (int i = 0; i < 500; ++i)
    REQUIRE(plant.write(std::to_string(i), 0, i % 2 == 0 ? "Ann" : "Ben", {{"promised_date", "2026-12-0" + std::to_string(1 + i % 9), {}}, {"note", "note " + std::to_string(i), {}}}));
  for (int sync = 1; sync <= 100; ++sync) {
    for (int i = 0; i < 500; ++i) plant.bring(std::to_string(i), 1 + sync, "2026-10-" + std::to_string(10 + sync % 20));
    REQUIRE(plant.intake().commit("orders"));
    if (sync % 25 == 0) plant.restart();
  }
  std::uint64_t wrong = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string wanted = "2026-12-0" + std::to_string(1 + i % 9) + " over 2026-10-10, note=note " + std::to_string(i);
    if (plant.told(std::to_string(i)) != wanted) ++wrong;
    if (decimal_text(plant.last_of(std::to_string(i)).put.order->lines[0].quantity_ordered) != "101") ++wrong;
  }
  CHECK(wrong == 0);
}

namespace {

// What two people did, kept as plainly as possible: a map of values per order, and what every edit found and left.
class Model {
 public:
  using Fields = std::map<std::string, OverlayValue>;
  struct Edit {
    std::string order;
    std::map<std::string, std::pair<std::optional<OverlayValue>, std::optional<OverlayValue>>> changes;
  };
  static std::optional<OverlayValue> at(const Fields& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::nullopt : std::optional(found->second);
  }
  static void put(Fields& fields, const std::string& name, const std::optional<OverlayValue>& value) {
    if (value) fields[name] = *value;
    else fields.erase(name);
  }

  std::map<std::string, Fields> orders;
  std::map<std::string, std::vector<Fields>> versions;  // [v]: as it was at version v
  std::map<std::uint64_t, Edit> edits;

  const Fields& seen(const std::string& order, std::uint64_t version) {
    auto& known = versions[order];
    if (known.empty()) known.emplace_back();
    return known.at(version);
  }
  void keep(std::uint64_t id, Edit edit) {
    Fields& fields = orders[edit.order];
    auto& known = versions[edit.order];
    if (known.empty()) known.emplace_back();
    for (const auto& [name, change] : edit.changes) put(fields, name, change.second);
    known.push_back(fields);
    edits[id] = std::move(edit);
  }
};

std::string value_text(const std::optional<OverlayValue>& value) { return value ? value->value : ""; }

// One case: a hundred edits and undos of two people on a few orders, with syncs, restarts and orders that come and go.
class TwoPeople {
 public:
  void run(int actions) {
    for (const char* const number : numbers_) plant_.bring(number, 1, "2026-10-01");
    RC_ASSERT(plant_.intake().commit("orders").has_value());
    for (int i = 0; i < actions; ++i) {
      const int what = *rc::gen::inRange(0, 20);
      if (what < 13) edit();
      else if (what < 16) undo();
      else if (what < 18) sync();
      else if (what < 19) look();
      else if (*rc::gen::inRange(0, 4) == 0) plant_.restart();
      else look();
    }
    check_all();
  }
  int conflicts_seen = 0, undone = 0, written = 0;

 private:
  std::string number() { return *rc::gen::element<std::string>("1", "2", "3"); }
  std::string person() { return *rc::gen::element<std::string>("Ann", "Ben"); }
  static std::string word() { return *rc::gen::element<std::string>("", "one", "two", "three"); }

  void edit() {
    const std::string order = number(), who = person();
    const std::uint64_t base = seen_[{who, order}];
    std::vector<OverlayWish> wishes;
    for (const char* const field : {"note", "hold", "truck"})
      if (*rc::gen::inRange(0, 3) == 0) wishes.push_back({field, word(), {}});
    if (wishes.empty()) wishes.push_back({"promised_date", *rc::gen::element<std::string>("", "2026-12-01", "2026-12-02"), {}});
    const Instant at = plant_.now();
    const auto answer = plant_.desk().edit(order, base, wishes, {who, at});
    if (gone_.contains(order) && model_.versions[order].size() < 2) {
      RC_ASSERT(answer.error().code() == ErrorCode::not_found);
      return;
    }
    RC_ASSERT(answer.has_value());
    const Model::Fields before = model_.seen(order, base);
    Model::Fields& now = model_.orders[order];
    Model::Edit made{order, {}};
    std::map<std::string, std::string> meets;  // field -> "before|theirs|mine"
    for (const OverlayWish& wish : wishes) {
      const auto was = Model::at(before, wish.field), is = Model::at(now, wish.field);
      const std::string& mine = *wish.value;
      if (mine == value_text(is)) continue;
      if (value_text(was) != value_text(is)) meets[wish.field] = value_text(was) + "|" + value_text(is) + "|" + mine;
      else made.changes[wish.field] = {is, mine.empty() ? std::nullopt : std::optional(OverlayValue{wish.field, mine, "", who, at, std::nullopt})};
    }
    std::map<std::string, std::string> shown;
    for (const OverlayConflict& conflict : answer->conflicts)
      shown[conflict.field] = value_text(conflict.before) + "|" + value_text(conflict.theirs) + "|" + conflict.mine.value_or("");
    RC_ASSERT(shown == meets);
    if (!meets.empty()) {
      ++conflicts_seen;
      RC_ASSERT(answer->edit == 0u);
      look(who, order);
    } else if (!made.changes.empty()) {
      ++written;
      for (const auto& [name, change] : made.changes)
        if (change.second) made.changes[name].second->said = said(answer->now, name);
      model_.keep(answer->edit, made);
      seen_[{who, order}] = answer->now.version;
    } else {
      RC_ASSERT(answer->edit == 0u);
    }
    check(order, answer->now);
  }

  static std::string said(const OverlayState& state, const std::string& name) {
    for (const auto& field : state.fields)
      if (field.written.field == name) return field.written.said;
    return "";
  }

  void undo() {
    if (model_.edits.empty()) return;
    auto chosen = model_.edits.begin();
    std::advance(chosen, *rc::gen::inRange<std::size_t>(0, model_.edits.size()));
    const auto [id, edit] = *chosen;
    const bool also_later = *rc::gen::inRange(0, 3) == 0;
    const auto answer = plant_.desk().undo(edit.order, id, also_later, {person(), plant_.now()});
    Model::Edit back{edit.order, {}};
    std::map<std::string, std::string> meets;
    for (const auto& [name, change] : edit.changes) {
      const auto is = Model::at(model_.orders[edit.order], name);
      if (is == change.first) continue;
      if (is != change.second && !also_later) meets[name] = value_text(is);
      else back.changes[name] = {is, change.first};
    }
    if (meets.empty() && back.changes.empty()) {
      RC_ASSERT_FALSE(answer.has_value());
      return;
    }
    RC_ASSERT(answer.has_value());
    std::map<std::string, std::string> shown;
    for (const OverlayConflict& conflict : answer->conflicts) shown[conflict.field] = value_text(conflict.theirs);
    RC_ASSERT(shown == meets);
    if (meets.empty()) {
      ++undone;
      model_.keep(answer->edit, back);
    }
    check(edit.order, answer->now);
  }

  void sync() {
    const std::string order = number();
    if (*rc::gen::inRange(0, 4) == 0) {
      plant_.loses(order);
      gone_.insert(order);
      if (*rc::gen::inRange(0, 2) == 0) return;
    }
    gone_.erase(order);
    plant_.brings(order, *rc::gen::inRange(1, 50), *rc::gen::element<std::string>("", "2026-10-01", "2026-10-02"));
  }

  void look() { look(person(), number()); }
  void look(const std::string& who, const std::string& order) { seen_[{who, order}] = model_.versions[order].empty() ? 0 : model_.versions[order].size() - 1; }

  void check(const std::string& order, const OverlayState& state) {
    Model::Fields shown;
    for (const auto& field : state.fields) shown[field.written.field] = field.written;
    RC_ASSERT(shown == model_.orders[order]);
  }

  // What the record tells the read model is the same too.
  void check_all() {
    plant_.restart();
    for (const char* const number : numbers_) {
      const auto state = plant_.desk().overlay(number);
      if (state) check(number, *state);
      plant_.brings(number, 99, "2026-10-30");
      const feed::Change change = plant_.last_of(number);
      Model::Fields told;
      for (const feed::Overlaid& value : change.put.overlay) told[value.written.field] = value.written;
      RC_ASSERT(told == model_.orders[number]);
      const auto promised = Model::at(model_.orders[number], "promised_date");
      RC_ASSERT(iso(*change.put.order->promise_date) == (promised ? promised->value : std::string("2026-10-30")));
    }
  }

  static constexpr const char* numbers_[] = {"1", "2", "3"};
  Plant plant_;
  Model model_;
  std::set<std::string> gone_;  // orders that no source speaks of now
  std::map<std::pair<std::string, std::string>, std::uint64_t> seen_;  // person, order -> version
};

}  // namespace

TEST_CASE("Edits of two people with syncs between: none is lost without a conflict that shows it, and undo restores exactly") {
  int written = 0, conflicts = 0, undone = 0;
  CHECK(rc::check("a map of what people wrote says the same", [&] {
    TwoPeople people;
    people.run(200);
    written += people.written, conflicts += people.conflicts_seen, undone += people.undone;
  }));
  MESSAGE(written, " edits, ", undone, " undone, ", conflicts, " wishes met somebody else's");
  CHECK(written + undone >= 10'000);
}

}  // namespace millrace::ingest
