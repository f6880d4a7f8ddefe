#include "ingest/intake.h"

#include <doctest/doctest.h>

#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::ingest {
namespace {

const std::string sap = "sap";
const SystemClock system_clock;

// A record whose disk is full when told so.
class MoodyRecord final : public store::Record {
 public:
  MoodyRecord() : record_(*store::open_sqlite_record({.path = folder_ / "a.db", .clock = &system_clock})) {}
  bool full = false;

  void on_commit(std::function<void(const std::vector<feed::Change>&)> listener) override { record_->on_commit(std::move(listener)); }
  Result<store::Committed> commit(store::Batch batch) override {
    if (full) return fail(ErrorCode::storage_full, "the disk is full");
    return record_->commit(std::move(batch));
  }
  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override { return record_->changes_after(after, limit); }
  Result<feed::Sequence> last_sequence() override { return record_->last_sequence(); }
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override {
    return record_->changes_of_order(number, limit);
  }
  Result<std::vector<store::FileRecord>> files(const std::string& source) override { return record_->files(source); }
  Result<void> candidates(const std::string& source, const std::function<bool(store::Candidate)>& row) override {
    return record_->candidates(source, row);
  }
  Result<store::Candidate> candidate(const std::string& source, const std::string& path, std::uint32_t ordinal) override {
    return record_->candidate(source, path, ordinal);
  }
  Result<std::vector<feed::Rejection>> rejections() override { return record_->rejections(); }
  Result<void> kept(const std::string& space, const std::function<bool(store::KeptRow)>& row) override { return record_->kept(space, row); }
  Result<std::optional<std::string>> kept_one(const std::string& space, const std::string& key) override { return record_->kept_one(space, key); }
  Result<store::RecordPosition> position() override { return record_->position(); }
  Result<std::vector<store::FileNow>> files_changed_after(std::uint64_t revision) override { return record_->files_changed_after(revision); }
  store::RecordStatistics statistics() const override { return record_->statistics(); }
  store::RecordCondition condition() const override { return record_->condition(); }
  Result<void> verify(bool full_pages) override { return record_->verify(full_pages); }

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<store::Record> record_;
};

// An intake as a service uses it, told in orders and answering with what the record holds.
class Desk {
 public:
  Desk() { REQUIRE(intake.restore({sap, "orders"}, nullptr, [](const Error&) {})); }

  static ReadFile document(const std::string& path, const std::string& number, std::int64_t total) {
    SalesOrder order;
    order.number.text = number;
    order.currency = *Currency::parse("EUR");
    order.lines.resize(1);
    order.lines[0].line_total = order.lines[0].open_amount = total;
    ReadFile read{path, FileStamp{1, 1, 1}, content_hash(path + std::to_string(total)), {}};
    read.document.is_order_document = true;
    read.document.orders.push_back(std::move(order));
    return read;
  }
  Desk& brings(const std::string& path, const std::string& number, std::int64_t total, const std::string& source = sap) {
    intake.with_book([&](OrderBook& book) { book.file_read(source, document(path, number, total), system_clock.now()); });
    return *this;
  }
  Desk& loses(const std::string& path) {
    intake.with_book([&](OrderBook& book) { book.file_removed(sap, path); });
    return *this;
  }
  // "wrote", "nothing" or the error.
  std::string commit(Intake::Kept kept = {}, const std::string& source = sap) {
    const auto wrote = intake.commit(source, std::move(kept));
    if (!wrote) return wrote.error().text();
    return *wrote ? "wrote" : "nothing";
  }

  // "revision 1, change 1: Open/Orders(1); cursor=1": files and kept rows of the service.
  std::string holds() {
    const store::RecordPosition position = *record.position();
    std::string text = "revision " + std::to_string(position.revision) + ", change " + std::to_string(position.sequence.value) + ":";
    const auto files = record.files(sap);
    REQUIRE(files);
    for (const store::FileRecord& file : *files) text += " " + file.path;
    text += ";";
    REQUIRE(record.kept("erp/sap", [&](const store::KeptRow& row) {
      text += " " + row.key + "=" + row.content;
      return true;
    }));
    return text;
  }
  std::string history(const std::string& number) {
    std::string text;
    const auto changes = record.changes_of_order(OrderNumber{number}, 100);
    REQUIRE(changes);
    for (const feed::Change& change : *changes) {
      const bool put = change.kind == feed::ChangeKind::order_put;
      text += (text.empty() ? "" : ", ") +
              (put ? change.put.order->status + " " + std::to_string(change.put.order->lines[0].line_total) : std::string("gone"));
    }
    return text;
  }

  MoodyRecord record;
  Intake intake{record, built_in_profile()};
};

store::KeptRow row(const std::string& key, const std::string& content) { return {"erp/sap", key, content}; }
store::KeptKey key(const std::string& text) { return {"erp/sap", text}; }

TEST_CASE("What a source keeps is committed in the transaction of what it brought") {
  Desk desk;
  CHECK(desk.brings("Open/Orders(1)", "1", 100).commit({{row("cursor", "1")}, {}}) == "wrote");
  CHECK(desk.holds() == "revision 1, change 1: Open/Orders(1); cursor=1");
  CHECK(desk.commit({{row("cursor", "2"), row("watermark", "a")}, {}}) == "wrote");
  CHECK(desk.holds() == "revision 2, change 1: Open/Orders(1); cursor=2 watermark=a");
  CHECK(desk.commit({{row("round", "1")}, {key("watermark")}}) == "wrote");
  CHECK(desk.holds() == "revision 3, change 1: Open/Orders(1); cursor=2 round=1");
  CHECK(desk.commit() == "nothing");
  CHECK(desk.holds() == "revision 3, change 1: Open/Orders(1); cursor=2 round=1");
}

TEST_CASE("An order of an ERP that changes its status is one change with one document in the record") {
  Desk desk;
  desk.brings("Open/Orders(1)", "1", 100).commit();
  CHECK(desk.loses("Open/Orders(1)").brings("Closed/Orders(1)", "1", 100).commit() == "wrote");
  CHECK(desk.history("1") == "Open 100, Closed 100");
  CHECK(desk.brings("Open/Orders(1)", "1", 50).loses("Closed/Orders(1)").commit() == "wrote");
  CHECK(desk.history("1") == "Open 100, Closed 100, Open 50");
  CHECK(desk.holds() == "revision 3, change 3: Open/Orders(1);");
  CHECK(desk.record.candidate(sap, "Open/Orders(1)", 0)->order->status == "Open");
  CHECK(!desk.record.candidate(sap, "Closed/Orders(1)", 0));
}

TEST_CASE("What the full disk refused goes first, as it was decided, and what was kept with it is not lost") {
  Desk desk;
  desk.record.full = true;
  CHECK(desk.brings("Open/Orders(1)", "1", 100).commit({{row("cursor", "1")}, {}}) == "the disk is full");
  CHECK(desk.brings("Open/Orders(2)", "2", 100).commit({{row("cursor", "2"), row("page", "9")}, {}}) == "the disk is full");
  CHECK(desk.commit({{row("round", "1")}, {key("page")}}) == "the disk is full");
  CHECK(desk.holds() == "revision 0, change 0:;");
  desk.record.full = false;
  CHECK(desk.commit() == "wrote");
  CHECK(desk.holds() == "revision 2, change 2: Open/Orders(1) Open/Orders(2); cursor=2 round=1");
  CHECK(desk.history("1") == "Open 100");
  CHECK(desk.commit() == "nothing");
}

TEST_CASE("What one source keeps waits for its own batch, not for that of another") {
  Desk desk;
  desk.record.full = true;
  CHECK(desk.brings("Open/a.json", "9", 100, "orders").commit({}, "orders") == "the disk is full");
  CHECK(desk.brings("Open/Orders(1)", "1", 100).commit({{row("cursor", "1")}, {}}) == "the disk is full");
  desk.record.full = false;
  CHECK(desk.commit({}, "orders") == "wrote");
  CHECK(desk.holds().ends_with(":;"));
  CHECK(desk.commit() == "wrote");
  CHECK(desk.holds().ends_with(": Open/Orders(1); cursor=1"));
}

TEST_CASE("What is kept already is no news, and neither is a quiet sync") {
  Desk desk;
  desk.commit({{row("cursor", "1")}, {}});
  const std::string before = desk.holds();
  desk.commit({{row("cursor", "1")}, {key("never")}});
  CHECK(desk.holds() == before);
}

}  // namespace
}  // namespace millrace::ingest
