#include "app/warm_file.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::app {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void put(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A data folder with a record, a read model beside it and a warm-start file of both.
class Plant {
 public:
  explicit Plant(int orders) : record_(*store::open_sqlite_record({.path = folder_ / "record.sqlite", .clock = &clock_})), intake_(*record_, ingest::built_in_profile()) {
    record_->on_commit([this](const std::vector<feed::Change>& changes) { REQUIRE(model_.apply(changes)); });
    REQUIRE(intake_.restore({"orders"}, nullptr, [](const Error&) {}));
    for (int n = 1; n <= orders; ++n) read("Open/" + std::to_string(n) + ".json", n, 100 * n);
    REQUIRE(intake_.commit("orders"));
    write();
  }

  void read(const std::string& path, int number, std::int64_t total) {
    SalesOrder order;
    order.number.text = std::to_string(number);
    order.customer_code = "C" + std::to_string(number % 7);
    order.currency = *Currency::parse("EUR");
    order.lines.resize(1);
    order.lines[0].item_code = "A" + std::to_string(number % 5);
    order.lines[0].line_total = order.lines[0].open_amount = total;
    ingest::ReadFile file{path, {10, 20 + total, static_cast<std::uint64_t>(number)}, content_hash(path), {}};
    file.document.is_order_document = true;
    file.document.orders.push_back(std::move(order));
    intake_.with_book([&](ingest::OrderBook& book) { book.file_read("orders", std::move(file), clock_.now()); });
  }
  void commit() { REQUIRE(intake_.commit("orders")); }

  void write() {
    std::optional<ingest::Intake::Image> image;
    intake_.want_image([&](Result<ingest::Intake::Image> taken) { image = std::move(*taken); });
    REQUIRE(image.has_value());
    const auto written = WarmFile::write(path(), position().identity, *model_.current(), *image);
    REQUIRE_MESSAGE(written, written.error().text());
  }

  // What a start from the file would know, or nothing when any of it is refused.
  std::optional<std::string> start() {
    const auto file = WarmFile::open(path(), position());
    if (!file) return std::nullopt;
    auto parts = (*file)->model();
    if (!parts) return std::nullopt;
    readmodel::ReadModel model;
    model.restore(std::move(*parts));
    ingest::Intake intake(*record_, ingest::built_in_profile());
    const ingest::WarmBook book = WarmFile::book(*file);
    bool refused = false;
    REQUIRE(intake.restore({"orders"}, &book, [&](const Error&) { refused = true; }));
    if (refused) return std::nullopt;
    return told(*model.current()) + told(intake);
  }
  std::string now() { return told(*model_.current()) + told(intake_); }

  static std::string told(const readmodel::Snapshot& snapshot) {
    std::string text = std::to_string(snapshot.as_of().value) + "\n";
    for (std::size_t c = 0; c < snapshot.chunk_count(); ++c)
      for (std::size_t row = 0; row < snapshot.chunk(c).used; ++row)
        if (snapshot.chunk(c).live[row])
          text += feed::encode_payload(feed::order_put(snapshot.order(static_cast<readmodel::RowId>(c * readmodel::chunk_rows + row)))) + "\n";
    return text;
  }
  static std::string told(ingest::Intake& intake) {
    std::string text;
    intake.with_book([&](ingest::OrderBook& book) {
      text += std::to_string(book.counts("orders").orders) + " orders\n";
      book.each_file("orders", [&](const store::FileRecord& file) { text += file.path + " " + std::to_string(file.mtime_ns) + " " + hex(file.hash) + "\n"; });
    });
    return text;
  }

  std::string path() const { return folder_ / "warm.bin"; }
  store::RecordPosition position() { return *record_->position(); }

 private:
  testing::TemporaryFolder folder_;
  SystemClock clock_;
  readmodel::ReadModel model_;
  std::unique_ptr<store::Record> record_;
  ingest::Intake intake_;
};

TEST_CASE("a start from the warm file knows what was known") {
  Plant plant(1200);
  CHECK(plant.start() == plant.now());
}

TEST_CASE("what the record heard after the warm file was written is in the order book of the next start") {
  Plant plant(50);
  plant.read("Open/7.json", 7, 999'999);
  plant.read("Open/51.json", 51, 5);
  plant.commit();
  const auto file = WarmFile::open(plant.path(), plant.position());
  REQUIRE(file);
  CHECK((*file)->model_as_of().value == 50);
  const auto started = plant.start();
  REQUIRE(started);
  REQUIRE(started->find("51 orders") != std::string::npos);
  CHECK(started->substr(started->find("51 orders")) == plant.now().substr(plant.now().find("51 orders")));
}

TEST_CASE("a warm file of another record, or ahead of this one, is not used") {
  Plant ours(20), theirs(20);
  put(ours.path(), slurp(theirs.path()));
  const auto foreign = WarmFile::open(ours.path(), ours.position());
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code() == ErrorCode::conflict);
  ours.write();
  store::RecordPosition earlier = ours.position();
  earlier.sequence.value -= 1;
  CHECK(WarmFile::open(ours.path(), earlier).error().code() == ErrorCode::conflict);
}

TEST_CASE("three hundred ways to damage the warm file: each is noticed") {
  Plant plant(60);
  const std::string whole = slurp(plant.path());
  std::mt19937_64 random(4711);
  int changed = 0;  // zeros written over zeros change nothing
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    std::string bytes = whole;
    const std::size_t at = random() % bytes.size(), to = random() % bytes.size();
    const std::size_t size = std::min<std::size_t>({1 + random() % 512, bytes.size() - at, bytes.size() - to});
    switch (i % 6) {
      case 0: bytes[at] ^= static_cast<char>(1u << random() % 8); break;
      case 1: bytes.resize(at); break;
      case 2: bytes.replace(at, size, std::string(size, '\0')); break;
      case 3: bytes.replace(to, size, whole.substr(at, size)); break;
      case 4: bytes.erase(at, size); break;
      case 5: bytes.insert(at, whole.substr(to, size)); break;
    }
    put(plant.path(), bytes);
    if (bytes == whole) continue;
    ++changed;
    CHECK_FALSE(plant.start().has_value());
  }
  CHECK(changed > 200);
}

}  // namespace
}  // namespace millrace::app
