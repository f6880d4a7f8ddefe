#include "ingest/sources.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "testing/temporary_folder.h"

namespace millrace::ingest {
namespace {

const SystemClock system_clock;

// A service that brings one order with every refresh and notes what was asked of it.
class SmallService final : public Source {
 public:
  SmallService(std::string id, Intake& intake, std::string heard_at_start)
      : id_(std::move(id)), intake_(intake), heard_(std::move(heard_at_start)) {}

  bool step(std::chrono::milliseconds patience) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return stop_ || refresh_; });
    if (stop_ || !refresh_) return false;
    refresh_ = false;
    lock.unlock();
    const std::string number = std::to_string(100 + status().refresh_count);
    intake_.with_book([&](OrderBook& book) { book.file_read(id_, document(number), system_clock.now()); });
    const bool wrote = intake_.commit(id_, {{{"erp/" + id_, "last", number}}, {}}).has_value();
    lock.lock();
    count_ += wrote;
    changed_.notify_all();
    return true;
  }
  SourceStatus status() const override {
    const std::lock_guard lock(mutex_);
    SourceStatus status;
    status.id = id_;
    status.kind = "service";
    status.refresh_count = count_;
    return status;
  }
  std::optional<Stopwatch::time_point> hangs_since() const override { return std::nullopt; }
  void tell_news() const override {}
  void request_refresh(bool) override {
    note("refresh", [&] { refresh_ = true; });
  }
  void request_pause() override { note("pause"); }
  void request_resume() override { note("resume"); }
  void request_interval(std::chrono::seconds interval) override { note("interval " + std::to_string(interval.count())); }
  void request_accept() override { note("accept"); }
  void request_reject() override { note("reject"); }
  void request_replay(const std::string& path) override { note("replay " + path); }
  void request_keys(std::string_view stream, std::vector<std::string> keys) override {
    note("keys " + std::string(stream) + " " + keys.at(0) + " of " + std::to_string(keys.size()));
  }
  void request_stop() override {
    note("stop", [&] { stop_ = true; });
  }

  void wait_for_refreshes(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  std::string heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  static ReadFile document(const std::string& number) {
    SalesOrder order;
    order.number.text = number;
    order.currency = *Currency::parse("EUR");
    order.lines.resize(1);
    ReadFile read{"Open/Orders(" + number + ")", FileStamp{1, 1, 1}, content_hash(number), {}};
    read.document.is_order_document = true;
    read.document.orders.push_back(std::move(order));
    return read;
  }
  void note(const std::string& what, const std::function<void()>& change = [] {}) {
    {
      const std::lock_guard lock(mutex_);
      heard_ += (heard_.empty() ? "" : ", ") + what;
      change();
    }
    changed_.notify_all();
  }

  const std::string id_;
  Intake& intake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::string heard_;
  bool refresh_ = false, stop_ = false;
  std::uint64_t count_ = 0;
};

// A record and the sources over it.
class Plant {
 public:
  Plant() : record(*store::open_sqlite_record({.path = folder / "a.db", .clock = &system_clock})) {}

  SourcesOptions services(const std::vector<std::string>& ids) {
    SourcesOptions options;
    options.parsers.executable = MILLRACE_PARSE_WORKER;
    options.parsers.profile = built_in_profile();
    for (const std::string& id : ids)
      options.services.push_back({id, [this, id](Intake& intake, store::Record&) -> Result<std::unique_ptr<Source>> {
                                    std::string knows;
                                    intake.with_book([&](OrderBook& book) {
                                      book.each_file(id, [&](const store::FileRecord& file) { knows += (knows.empty() ? "" : " ") + file.path; });
                                    });
                                    auto made = std::make_unique<SmallService>(id, intake, knows.empty() ? "" : "knows " + knows);
                                    service = made.get();
                                    return made;
                                  }});
    return options;
  }
  SourcesOptions with_folder(SourcesOptions options, const std::string& name) {
    folder.write(name + "/Open/note.txt", "no order");
    FolderSourceOptions made;
    made.root = folder / name;
    options.folders.push_back(std::move(made));
    return options;
  }
  Result<std::unique_ptr<Sources>> start(SourcesOptions options) {
    return Sources::start(std::move(options), *record, metrics, system_clock);
  }

  testing::TemporaryFolder folder;
  std::unique_ptr<store::Record> record;
  metrics::Registry metrics;
  SmallService* service = nullptr;  // the one made last
};

TEST_CASE("A service runs beside the folders, is asked through the same door and stops with them") {
  Plant plant;
  auto sources = plant.start(plant.with_folder(plant.services({"sap"}), "orders"));
  REQUIRE_MESSAGE(sources.has_value(), (sources ? "" : sources.error().text()));
  std::string ids;
  for (const SourceStatus& status : (*sources)->sources()) ids += status.id + " " + status.kind + ";";
  CHECK(ids == "orders folder;sap service;");
  REQUIRE((*sources)->refresh("sap", false));
  plant.service->wait_for_refreshes(1);
  REQUIRE((*sources)->pause("sap"));
  REQUIRE((*sources)->resume("sap"));
  REQUIRE((*sources)->set_interval("sap", std::chrono::seconds(60)));
  CHECK((*sources)->set_interval("sap", std::chrono::seconds(1)).error().code() == ErrorCode::invalid_input);
  REQUIRE((*sources)->accept_vanished("sap"));
  REQUIRE((*sources)->reject_held("sap"));
  REQUIRE((*sources)->hint("sap", "orders", {"4711", "4712"}));
  CHECK(plant.service->heard() == "refresh, pause, resume, interval 60, accept, reject, keys orders 4711 of 2");
  CHECK((*sources)->hint("orders", "orders", {"1"}).error().text() ==
        "the source orders is a folder and has no records to name; refresh it instead");
  CHECK((*sources)->reject_held("orders"));
  CHECK((*sources)->hint("b1", "orders", {"1"}).error().text() == "there is no source \"b1\"; there is: orders, sap");
  (*sources)->stop();
  CHECK(plant.service->heard().ends_with(", stop"));
  CHECK(plant.record->kept_one("erp/sap", "last") == "100");
}

TEST_CASE("Services alone start no parsers, and find their orders again after a cold and a warm start") {
  Plant plant;
  std::string sections;
  WarmBook warm;
  {
    auto sources = *plant.start(plant.services({"sap", "odata"}));
    CHECK(sources->sandbox() == "not started yet");
    REQUIRE(sources->refresh("odata", false));
    plant.service->wait_for_refreshes(1);
    CHECK(plant.record->last_sequence()->value == 1);
    CHECK(sources->sandbox() == "not started yet");
    sources->stop();
    sources->intake().want_image([&](Result<Intake::Image> image) {
      REQUIRE(image);
      warm.revision = image->revision;
      warm.sources = image->sources;
      warm.file_count = image->book->file_count();
      image->book->write([&](std::string_view section) { sections = section; });
    });
    CHECK(warm.sources == std::vector<std::string>{"sap", "odata"});
    CHECK(warm.file_count == 1);
  }
  warm.sections = [&](const auto& take) { return take(sections); };
  for (const bool is_warm : {false, true}) {
    SourcesOptions options = plant.services({"odata"});
    if (is_warm) options.warm = warm;
    options.warm_refused = [](const Error& why) { FAIL(why.text()); };
    auto sources = plant.start(std::move(options));
    REQUIRE(sources);
    CHECK(plant.service->heard() == "knows Open/Orders(100)");
  }
}

TEST_CASE("Two sources with one name are refused, whatever kind they are") {
  Plant plant;
  CHECK(plant.start(plant.services({"sap", "sap"})).error().text() == "two sources are called sap; give one of them another id");
  CHECK(plant.start(plant.with_folder(plant.services({"orders"}), "Orders")).error().text() ==
        "two sources are called orders; give one of them another id");
  CHECK(plant.start(plant.services({""})).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("A service that cannot be made ends the start with its reason") {
  Plant plant;
  SourcesOptions options = plant.with_folder(plant.services({}), "orders");
  options.services.push_back({"sap", [](Intake&, store::Record&) -> Result<std::unique_ptr<Source>> {
                                return fail(ErrorCode::invalid_input, "there is no address; give one");
                              }});
  const auto refused = plant.start(std::move(options));
  REQUIRE(!refused);
  CHECK(refused.error().code() == ErrorCode::invalid_input);
  CHECK(refused.error().text() == "the source sap: there is no address; give one");
}

}  // namespace
}  // namespace millrace::ingest
