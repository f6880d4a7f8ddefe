#include "erp/internal/service_loop.h"

#include <doctest/doctest.h>

#include "domain/order_rules.h"
#include "ingest/layout_profile.h"
#include "testing/temporary_folder.h"

using namespace millrace;
using namespace millrace::erp;
using namespace std::chrono_literals;

namespace {

class HandClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  Instant now_{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + 8h};
};

class HandPace final : public outbound::Pace {
 public:
  explicit HandPace(HandClock& clock) : clock_(clock) {}
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point(clock_.now().time_since_epoch());
  }
  bool wait_until(std::chrono::steady_clock::time_point) override { return true; }

 private:
  HandClock& clock_;
};

// A Service Layer as a map of rows per stream.
class PlantRemote final : public Remote {
 public:
  struct Row {
    std::string json;
    std::uint64_t version = 0;
    bool open = false;
  };
  std::map<StreamName, std::map<std::string, Row>> rows;
  std::vector<PageQuestion::Kind> asked;
  std::optional<RemoteError> connects_not, answers_not;
  std::map<StreamName, RemoteError> hidden;  // streams that the user may not see
  std::uint64_t version = 0;
  int log_outs = 0, connects = 0, sign_ins = 0;
  bool on_its_way = false;  // an answer that was asked for ahead

  explicit PlantRemote(HandClock& clock) : clock_(clock) {}
  bool scanned_orders() const {
    return std::ranges::any_of(asked, [](PageQuestion::Kind kind) { return kind == PageQuestion::Kind::open || kind == PageQuestion::Kind::moving; });
  }
  void put(StreamName stream, const std::string& key, std::string json, bool open = false) {
    rows[stream][key] = {std::move(json), ++version, open};
  }

  Dialect dialect() const override { return Dialect::sap_b1_v2; }
  Remotely<Page> ask(const StreamDescriptor& stream, const PageQuestion& question) override {
    asked.push_back(question.kind);
    if (answers_not) return *answers_not;
    if (const auto found = hidden.find(stream.name); found != hidden.end()) return found->second;
    using Kind = PageQuestion::Kind;
    std::map<Key, Row> sorted;
    for (const auto& [text, row] : rows[stream.name]) sorted.emplace(key_of(stream, text), row);
    Page page;
    page.complete = true;
    page.server_time = clock_.now();
    for (const auto& [key, row] : sorted) {
      if (question.after_key && key <= *question.after_key) continue;
      if (question.kind == Kind::open && !row.open) continue;
      if (question.kind == Kind::fetch && std::ranges::find(question.keys, key) == question.keys.end()) continue;
      if (page.rows.size() == question.rows_max) {
        page.complete = false;
        break;
      }
      RemoteRow answer;
      answer.key = key;
      answer.version = std::to_string(row.version);
      if (!stream.open_filter.empty()) answer.open = row.open;
      if (question.kind == Kind::documents || question.kind == Kind::fetch) answer.document = row.json;
      page.rows.push_back(std::move(answer));
    }
    return page;
  }
  std::vector<Capability> capabilities() const override { return {{"version", "1000110"}}; }
  outbound::CallCount cost() const override { return {.calls = 1}; }
  bool asks_ahead() const override { return on_its_way; }
  std::optional<RemoteError> connect() override {
    ++connects;
    return connects_not;
  }
  std::optional<RemoteError> sign_in() override {
    ++sign_ins;
    return connects_not;
  }
  void log_out() override { ++log_outs; }
  outbound::CallerStatus calls() const override {
    outbound::CallerStatus status;
    status.counts.of[0].calls = asked.size();
    return status;
  }

 private:
  HandClock& clock_;
};

std::string order_json(int entry, const std::string& amount, const std::string& item = "A1", bool open = true) {
  const std::string status = open ? "bost_Open" : "bost_Close";
  return R"({"DocEntry":)" + std::to_string(entry) + R"(,"DocNum":)" + std::to_string(entry + 40'000) +
         R"(,"CardCode":"C1","CardName":"Smith","DocCurrency":"EUR","DocDate":"2026-02-17","DocDueDate":"2026-03-01","DocumentStatus":")" + status +
         R"(","Cancelled":"tNO","UpdateDate":"2026-02-18","UpdateTime":"06:55:18","DocumentLines":[{"LineNum":0,"ItemCode":")" + item +
         R"(","Quantity":1,"UnitPrice":)" + amount + R"(,"LineTotal":)" + amount + R"(,"RemainingOpenQuantity":1,"LineStatus":")" + status + R"("}]})";
}

struct Plant {
  HandClock clock;
  HandPace pace{clock};
  testing::TemporaryFolder folder;
  metrics::Registry metrics;
  PlantRemote* remote = nullptr;  // of the source
  std::unique_ptr<PlantRemote> kept_remote = std::make_unique<PlantRemote>(clock);
  std::unique_ptr<store::Record> record;
  std::unique_ptr<ingest::Intake> intake;
  std::unique_ptr<ingest::Source> source;
  ServiceSourceOptions options;
  int cancels = 0;  // of a call that runs

  Plant() {
    options.id = "sap";
    options.connect.url = "https://sap:50000/b1s/v2";
    options.streams = {"manufacturers", "items", "orders"};
    open();
  }
  PlantRemote& erp() { return remote != nullptr ? *remote : *kept_remote; }

  void open() {
    record = *store::open_sqlite_record({.path = folder / "a.db", .clock = &clock});
    intake = std::make_unique<ingest::Intake>(*record, ingest::built_in_profile());
    REQUIRE(intake->restore({"sap"}, nullptr, [](const Error&) {}));
    Peer peer;
    peer.remote = std::move(kept_remote);
    remote = static_cast<PlantRemote*>(peer.remote.get());
    peer.pace = &pace;
    peer.cancel = [this] { ++cancels; };
    source = make_service_loop(options, std::move(peer), *intake, *record, metrics, clock);
  }
  void restart() {
    auto again = std::make_unique<PlantRemote>(clock);
    again->rows = remote->rows;
    again->version = remote->version;
    source.reset();
    intake.reset();
    record.reset();
    kept_remote = std::move(again);
    open();
  }
  // Until it waits for the next sync.
  void settle() {
    for (int i = 0; i < 1'000 && source->step(0ms); ++i) {}
  }
  void sync() {
    clock.now_ += 31min;
    settle();
  }
  // "40001 Open 10.00 Bosch": what the record says of the orders.
  std::string orders() {
    std::string out;
    const auto read = record->candidates("sap", [&](const store::Candidate& candidate) {
      const SalesOrder& order = *candidate.order;
      out += order.number.text + " " + order.status + " " + decimal_text(Money{amounts(order).open, order.currency}) + " " +
             order.lines[0].manufacturer + "\n";
      return true;
    });
    REQUIRE(read);
    return out;
  }
  std::uint64_t revision() { return record->position()->revision; }
};

void fill(PlantRemote& remote) {
  remote.put(StreamName::manufacturers, "7", R"({"Code":7,"ManufacturerName":"Bosch"})");
  remote.put(StreamName::items, "A1", R"({"ItemCode":"A1","ItemName":"Bolt","Manufacturer":7,"UpdateDate":"2026-02-18"})");
  for (int i = 1; i <= 3; ++i) remote.put(StreamName::orders, std::to_string(i), order_json(i, std::to_string(i * 10)), true);
}

}  // namespace

TEST_CASE("the orders of an ERP come with the names of their manufacturers") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  CHECK(plant.orders() == "40001 Open 10.00 Bosch\n40002 Open 20.00 Bosch\n40003 Open 30.00 Bosch\n");
  const auto status = plant.source->status();
  CHECK(status.state == ingest::SourceState::polling);
  CHECK(status.orders == 3);
  CHECK(status.as_of_time.has_value());
  REQUIRE(status.service);
  REQUIRE(status.service->streams.size() == 3);
  CHECK(status.service->streams[2].rows_open == 3);
}

TEST_CASE("every order of an ERP keeps when it was synced last with a new content") {
  Plant plant;
  fill(plant.erp());
  const Instant first = plant.clock.now();
  plant.settle();
  plant.erp().put(StreamName::orders, "2", order_json(2, "25"), true);
  plant.sync();
  const Instant second = plant.clock.now();
  const auto files = plant.record->files("sap");
  REQUIRE(files);
  REQUIRE(files->size() == 3);
  for (const store::FileRecord& file : *files) {
    CAPTURE(file.path);
    CHECK(file.read_at == (file.path == "Open/Orders(2)" ? second : first));
  }
}

TEST_CASE("a sync of its own gives the session back at its end, a server keeps it") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.sync();
  CHECK(plant.erp().log_outs == 0);
  plant.options.one_sync = true;
  plant.restart();
  plant.settle();
  CHECK(plant.erp().log_outs == 1);
  PlantRemote* const remote = plant.remote;
  plant.sync();  // signs in again
  CHECK(remote->log_outs == 2);
  CHECK(plant.source->status().refresh_count == 2);
}

TEST_CASE("a quiet sync leaves the record as it is, also after a restart") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.sync();
  const auto revision = plant.revision();
  plant.sync();
  CHECK(plant.revision() == revision);
  plant.restart();
  plant.settle();
  plant.sync();
  CHECK(plant.revision() == revision);
  CHECK(plant.source->status().refresh_count == 2);
  CHECK(plant.source->status().refresh_with_changes == 0);
}

TEST_CASE("an order that closes moves to its new status in one commit") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  const auto before = plant.record->position()->sequence;
  plant.erp().put(StreamName::orders, "2", order_json(2, "20", "A1", false), false);
  plant.sync();
  CHECK(plant.orders() == "40002 Closed 0.00 Bosch\n40001 Open 10.00 Bosch\n40003 Open 30.00 Bosch\n");
  CHECK(plant.record->position()->sequence.value == before.value + 1);
}

TEST_CASE("an order that is removed there leaves here, and comes back when it is back") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  const auto row = plant.erp().rows[StreamName::orders]["2"];
  plant.erp().rows[StreamName::orders].erase("2");
  plant.sync();
  CHECK(plant.orders() == "40001 Open 10.00 Bosch\n40003 Open 30.00 Bosch\n");
  plant.restart();
  plant.erp().rows[StreamName::orders]["2"] = row;
  plant.settle();
  CHECK(plant.orders() == "40001 Open 10.00 Bosch\n40002 Open 20.00 Bosch\n40003 Open 30.00 Bosch\n");
}

TEST_CASE("a manufacturer's new name comes to its open orders without reading them again") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.erp().put(StreamName::manufacturers, "7", R"({"Code":7,"ManufacturerName":"Siemens"})");
  plant.erp().asked.clear();
  plant.sync();
  CHECK(plant.orders() == "40001 Open 10.00 Siemens\n40002 Open 20.00 Siemens\n40003 Open 30.00 Siemens\n");
  CHECK(std::ranges::count(plant.erp().asked, PageQuestion::Kind::fetch) == 0);
  SUBCASE("and when they are read again, nothing is written") {
    const auto revision = plant.revision();
    plant.erp().rows[StreamName::orders]["1"].version = 999;
    plant.sync();
    CHECK(std::ranges::count(plant.erp().asked, PageQuestion::Kind::fetch) == 1);
    CHECK(plant.revision() == revision);
  }
}

TEST_CASE("an order that changed when its manufacturer got a new name is written once, with both") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  const auto rename_and_change = [&] {
    plant.erp().put(StreamName::manufacturers, "7", R"({"Code":7,"ManufacturerName":"Siemens"})");
    plant.erp().put(StreamName::orders, "2", order_json(2, "25"), true);
  };
  const auto before = plant.record->position()->sequence;
  SUBCASE("in one sync") {
    rename_and_change();
    plant.sync();
  }
  SUBCASE("also when the sync is killed after it heard the name") {
    rename_and_change();
    plant.clock.now_ += 31min;
    plant.erp().asked.clear();
    while (!plant.erp().scanned_orders() && plant.source->step(0ms)) {}
    CHECK(plant.record->position()->sequence == before);
    plant.restart();
    plant.settle();
  }
  SUBCASE("also when the sync fails after it heard the name") {
    rename_and_change();
    plant.clock.now_ += 31min;
    plant.erp().asked.clear();
    while (plant.source->step(0ms))
      if (plant.erp().scanned_orders()) plant.erp().answers_not = RemoteError{RemoteErrorKind::later, "busy"};
    CHECK(plant.orders() == "40001 Open 10.00 Bosch\n40002 Open 20.00 Bosch\n40003 Open 30.00 Bosch\n");
    plant.erp().answers_not.reset();
    plant.sync();
  }
  CHECK(plant.orders() == "40001 Open 10.00 Siemens\n40002 Open 25.00 Siemens\n40003 Open 30.00 Siemens\n");
  CHECK(plant.record->position()->sequence.value == before.value + 3);
}

TEST_CASE("a name that changes twice before its orders were told reaches those with the first and those with the second") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.erp().put(StreamName::manufacturers, "7", R"({"Code":7,"ManufacturerName":"Siemens"})");
  plant.clock.now_ += 31min;
  plant.erp().asked.clear();
  while (plant.source->step(0ms))
    if (plant.erp().scanned_orders()) plant.erp().answers_not = RemoteError{RemoteErrorKind::later, "busy"};
  plant.erp().answers_not.reset();
  plant.erp().put(StreamName::orders, "2", order_json(2, "25"), true);
  plant.source->request_keys("orders", {"2"});  // takes the second name
  plant.settle();
  CHECK(plant.orders().find("40002 Open 25.00 Siemens\n") != std::string::npos);
  plant.erp().put(StreamName::manufacturers, "7", R"({"Code":7,"ManufacturerName":"Festo"})");
  plant.sync();
  CHECK(plant.orders() == "40001 Open 10.00 Festo\n40002 Open 25.00 Festo\n40003 Open 30.00 Festo\n");
}

TEST_CASE("an item that nobody knows yet is asked for once") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.sync();
  plant.erp().rows[StreamName::orders].clear();
  plant.erp().put(StreamName::orders, "9", order_json(9, "90", "NEW"), true);
  plant.erp().asked.clear();
  plant.source->request_keys("orders", {"9"});
  plant.settle();
  CHECK(plant.orders().find("40009 Open 90.00 \n") != std::string::npos);
  CHECK(std::ranges::count(plant.erp().asked, PageQuestion::Kind::fetch) == 2);  // the order, then its item
  plant.erp().put(StreamName::items, "NEW", R"({"ItemCode":"NEW","ItemName":"Nut","Manufacturer":7,"UpdateDate":"2026-02-18"})");
  plant.source->request_keys("items", {"NEW"});
  plant.settle();
  CHECK(plant.orders().find("40009 Open 90.00 Bosch\n") != std::string::npos);
}

TEST_CASE("a webhook's key is read at once, without a sync") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.erp().put(StreamName::orders, "1", order_json(1, "11"), true);
  plant.erp().asked.clear();
  plant.source->request_keys("orders", {"1"});
  plant.settle();
  CHECK(plant.erp().asked.size() == 1);
  CHECK(plant.orders().starts_with("40001 Open 11.00 Bosch\n"));
}

TEST_CASE("what would remove too much waits for a person") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.erp().rows[StreamName::orders].clear();
  plant.sync();
  auto status = plant.source->status();
  CHECK(status.state == ingest::SourceState::held);
  REQUIRE(status.service->held.size() == 1);
  CHECK(status.service->held[0].examples[0].number == "40001");
  CHECK(status.service->held[0].examples[0].customer == "Smith");
  CHECK(plant.orders() != "");
  SUBCASE("accepted") {
    plant.source->request_accept();
    plant.settle();
    CHECK(plant.orders() == "");
    CHECK(plant.source->status().state == ingest::SourceState::polling);
  }
  SUBCASE("and who looks at it learns as well that the ERP is not reached any more") {
    const std::string why = status.message;
    plant.erp().answers_not = RemoteError{RemoteErrorKind::denied, "the ERP refuses the user; check its password", true};
    plant.sync();
    status = plant.source->status();
    CHECK(status.state == ingest::SourceState::held);
    CHECK(status.message == why + ". Besides: the ERP refuses the user; check its password");
    plant.erp().answers_not.reset();
    plant.sync();
    CHECK(plant.source->status().message == why);
  }
  SUBCASE("rejected") {
    fill(plant.erp());
    plant.source->request_reject();
    plant.settle();
    CHECK(plant.orders() == "40001 Open 10.00 Bosch\n40002 Open 20.00 Bosch\n40003 Open 30.00 Bosch\n");
    CHECK(plant.source->status().state == ingest::SourceState::polling);
  }
}

TEST_CASE("wrong credentials stop the calls until a person asks again") {
  Plant plant;
  fill(plant.erp());
  plant.erp().connects_not = RemoteError{RemoteErrorKind::denied, "the ERP refuses the user; check its password", true};
  plant.settle();
  CHECK(plant.source->status().state == ingest::SourceState::failed);
  CHECK(plant.source->status().needs_person);
  CHECK(plant.source->status().message == "the ERP refuses the user; check its password");
  plant.erp().connects_not.reset();
  plant.clock.now_ += 10min;
  plant.settle();
  CHECK(plant.erp().asked.empty());
  plant.source->request_refresh(false);
  plant.settle();
  CHECK(plant.source->status().state == ingest::SourceState::polling);
  CHECK_FALSE(plant.source->status().needs_person);
}

TEST_CASE("a right that is missing for one stream stops that stream only") {
  Plant plant;
  fill(plant.erp());
  plant.erp().hidden[StreamName::items] = RemoteError{RemoteErrorKind::denied, "The user may not read Items; give it the right to.", false, true};
  plant.settle();
  CHECK(plant.orders() == "40001 Open 10.00 \n40002 Open 20.00 \n40003 Open 30.00 \n");
  CHECK(plant.source->status().state == ingest::SourceState::failed);
  CHECK(plant.source->status().needs_person);
  CHECK(plant.source->status().message == "The user may not read Items; give it the right to.");
  plant.erp().hidden.clear();
  plant.clock.now_ += 16s;
  plant.settle();
  CHECK(plant.source->status().state == ingest::SourceState::polling);
  CHECK_FALSE(plant.source->status().needs_person);
}

TEST_CASE("a missing right or a bad certificate is looked at again soon: that locks nobody") {
  Plant plant;
  fill(plant.erp());
  plant.erp().connects_not = RemoteError{RemoteErrorKind::denied, "The certificate of sap:50000 expired on 2026-03-01."};
  plant.settle();
  CHECK(plant.source->status().needs_person);
  plant.erp().connects_not.reset();
  plant.clock.now_ += 16s;
  plant.settle();
  CHECK(plant.source->status().state == ingest::SourceState::polling);
}

TEST_CASE("a sync that fails is tried again soon, and what was is served meanwhile") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  const std::string before = plant.orders();
  plant.erp().answers_not = RemoteError{RemoteErrorKind::later, "the ERP answers 502"};
  plant.sync();
  CHECK(plant.source->status().state == ingest::SourceState::failed);
  CHECK(plant.source->status().message == "the ERP answers 502");
  CHECK(plant.orders() == before);
  plant.erp().answers_not.reset();
  plant.clock.now_ += 16s;
  plant.settle();
  CHECK(plant.source->status().state == ingest::SourceState::polling);
}

TEST_CASE("a paused source asks nothing; its session is given back at the end") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.source->request_pause();
  plant.settle();
  plant.erp().asked.clear();
  plant.sync();
  CHECK(plant.source->status().state == ingest::SourceState::paused);
  CHECK(plant.erp().asked.empty());
  plant.source->request_resume();
  plant.settle();
  CHECK_FALSE(plant.erp().asked.empty());
  plant.source->request_stop();
  CHECK_FALSE(plant.source->step(1h));
  CHECK(plant.erp().log_outs == 1);
  CHECK_FALSE(plant.source->step(1h));
  CHECK(plant.erp().log_outs == 1);
  CHECK(plant.cancels == 0);
}

TEST_CASE("who stops does not wait for an answer that was asked for ahead") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  plant.erp().on_its_way = true;
  plant.source->request_stop();
  CHECK_FALSE(plant.source->step(1h));
  CHECK(plant.cancels == 1);
  CHECK(plant.erp().log_outs == 0);  // after a call that was cut off nothing is sent any more
}

TEST_CASE("an ERP that was read before is signed in to and not tried out") {
  Plant plant;
  fill(plant.erp());
  plant.settle();
  CHECK(plant.erp().connects == 1);
  plant.restart();
  plant.settle();
  CHECK(plant.erp().connects == 0);
  CHECK(plant.erp().sign_ins == 1);
}
