#include "ingest/order_book.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "testing/world.h"

namespace millrace::ingest {
namespace {

const std::string source = "orders";

SalesOrder order(std::string number, std::string_view updated, std::int64_t total = 2500) {
  SalesOrder made;
  made.number.text = std::move(number);
  made.currency = *Currency::parse("EUR");
  made.updated = testing::instant(updated);
  OrderLine line;
  line.quantity_ordered = line.quantity_open = Quantity{1'000'000};
  line.line_total = line.open_amount = total;
  made.lines.push_back(line);
  return made;
}

// An order book with a memory for contents, told in files and answering in sentences.
class Desk {
 public:
  Desk() : book_(make()) {}

  Desk& file(std::string path, std::vector<SalesOrder> orders, std::vector<Finding> findings = {}, Format format = Format::json) {
    ReadFile read{path, FileStamp{100, 1'000'000'000, ++inode_}, content_hash(path + std::to_string(inode_)), {}};
    read.document.format = format;
    read.document.is_order_document = !orders.empty() || !findings.empty();
    read.document.ignored_because = "it is a note";
    read.document.orders = std::move(orders);
    read.document.findings = std::move(findings);
    book_.file_read(source, std::move(read), testing::instant("2026-03-01T08:00:00Z"));
    return *this;
  }
  Desk& damaged(std::string path) { return file(std::move(path), {}, {{feed::Outcome::reject, "line 3", "ends in the middle", "", ""}}); }
  Desk& removed(const std::string& path) {
    book_.file_removed(source, path);
    return *this;
  }
  Desk& moved(const std::string& from, const std::string& to) {
    const auto done = book_.file_moved(source, from, to, FileStamp{100, 1'000'000'000, ++inode_});
    REQUIRE(done);
    return *this;
  }

  // Decides, keeps what a record would keep, and says what changed.
  std::string decide() {
    const auto batch = book_.finish(source);
    REQUIRE(batch);
    keep(*batch);
    std::string text;
    for (const feed::Change& change : batch->changes) text += said(change) + "\n";
    return text;
  }

  // A new book restored from what the record kept.
  void restart() {
    book_ = make();
    for (const auto& [path, file] : files_) book_.restore_file(source, file);
    for (const auto& [key, candidate] : contents_) book_.restore_candidate(source, candidate);
    for (const auto& [id, rejection] : rejections_) book_.restore_rejection(rejection);
    book_.finish_restore();
  }

  OrderBook& book() { return book_; }

 private:
  OrderBook make() {
    return OrderBook(built_in_profile(), [this](const std::string&, const std::string& path, std::uint32_t ordinal) -> Result<std::shared_ptr<const SalesOrder>> {
      const auto found = contents_.find({path, ordinal});
      if (found == contents_.end()) return fail(ErrorCode::not_found, "no content of " + path);
      return found->second.order;
    });
  }

  void keep(const store::Batch& batch) {
    const auto forget = [&](const std::string& path) { std::erase_if(contents_, [&](const auto& entry) { return entry.first.first == path; }); };
    for (const std::string& path : batch.files_removed) files_.erase(path);
    for (const store::FileRecord& file : batch.files_put) files_[file.path] = file;
    for (const std::string& path : batch.candidates_removed) forget(path);
    for (const store::Candidate& candidate : batch.candidates_put) {
      if (candidate.ordinal == 0) forget(candidate.path);
      contents_[{candidate.path, candidate.ordinal}] = candidate;
    }
    for (const feed::Change& change : batch.changes) {
      if (change.kind == feed::ChangeKind::rejection_put) rejections_[change.rejection_put.rejection.id] = change.rejection_put.rejection;
      if (change.kind == feed::ChangeKind::rejection_removed) rejections_.erase(change.rejection_removed.id);
    }
  }

  std::string said(const feed::Change& change) const {
    switch (change.kind) {
      case feed::ChangeKind::order_put: {
        std::string text = change.put.order->number.text + " " + change.put.order->status + " " +
                           std::to_string(change.put.order->lines[0].line_total) + " from";
        for (const feed::OrderDocument& document : change.put.documents) text += " " + document.path + (document.damaged_since ? "(damaged)" : "");
        for (const std::string& flag : change.put.flags) text += " ! " + flag;
        return text;
      }
      case feed::ChangeKind::order_removed: return change.removed.number.text + " gone: " + change.removed.reason;
      case feed::ChangeKind::rejection_put:
        return std::string(word(change.rejection_put.rejection.outcome)) + " " + change.rejection_put.rejection.path + ": " + change.rejection_put.rejection.reason;
      case feed::ChangeKind::rejection_removed: break;
    }
    return "solved";
  }

  std::uint64_t inode_ = 0;
  std::map<std::string, store::FileRecord> files_;
  std::map<std::pair<std::string, std::uint32_t>, store::Candidate> contents_;
  std::map<std::uint64_t, feed::Rejection> rejections_;
  OrderBook book_;
};

TEST_CASE("Of several documents for one order the newest stamp counts and the others stay visible") {
  Desk desk;
  desk.file("Open/SO7.pdf", {order("7", "2026-03-02T08:00:00Z", 100)}, {}, Format::pdf);
  desk.file("Shipped/SO7.json", {order("7", "2026-03-01T08:00:00Z", 200)});
  CHECK(desk.decide() == "7 Open 100 from Open/SO7.pdf Shipped/SO7.json\n");
  desk.file("Shipped/SO7 rev B.json", {order("7", "2026-03-03T08:00:00Z", 300)});
  CHECK(desk.decide() == "7 Shipped 300 from Shipped/SO7 rev B.json Open/SO7.pdf Shipped/SO7.json\n");
}

TEST_CASE("With one stamp JSON counts before PDF, and other amounts are pointed out") {
  Desk desk;
  desk.file("Open/SO7.pdf", {order("7", "2026-03-01T08:00:00Z", 110)}, {}, Format::pdf);
  desk.file("Open/SO7.json", {order("7", "2026-03-01T08:00:00Z", 100)});
  const std::string said = desk.decide();
  CHECK(said.starts_with("7 Open 100 from Open/SO7.json Open/SO7.pdf ! Open/SO7.pdf has the same stamp but says total 1.10"));
}

TEST_CASE("A file that moves to another status folder is one change of status") {
  Desk desk;
  desk.file("Open/SO7.json", {order("7", "2026-03-01T08:00:00Z")}).decide();
  CHECK(desk.moved("Open/SO7.json", "In Production/SO7.json").decide() == "7 In Production 2500 from In Production/SO7.json\n");
}

TEST_CASE("A move made of a newer copy and a deletion never loses the order") {
  Desk desk;
  desk.file("Open/SO7.json", {order("7", "2026-03-01T08:00:00Z")}).decide();
  desk.file("Shipped/SO7.json", {order("7", "2026-03-02T08:00:00Z", 900)});
  CHECK(desk.decide() == "7 Shipped 900 from Shipped/SO7.json Open/SO7.json\n");
  CHECK(desk.removed("Open/SO7.json").decide() == "7 Shipped 900 from Shipped/SO7.json\n");
}

TEST_CASE("When the document that counts goes away an older one counts again, also after a restart") {
  Desk desk;
  desk.file("Open/a.json", {order("7", "2026-03-01T08:00:00Z", 100)});
  desk.file("Open/b.json", {order("7", "2026-03-02T08:00:00Z", 200)}).decide();
  desk.restart();
  CHECK(desk.decide() == "");
  CHECK(desk.removed("Open/b.json").decide() == "7 Open 100 from Open/a.json\n");
  CHECK(desk.removed("Open/a.json").decide() == "7 gone: file deleted: Open/a.json\n");
}

TEST_CASE("A whole older document beats a damaged newer one, and the refusal says so") {
  Desk desk;
  desk.file("Open/SO7.json", {order("7", "2026-03-01T08:00:00Z")}).decide();
  CHECK(desk.damaged("Shipped/SO7.json").decide() == "keep_previous Shipped/SO7.json: ends in the middle\n");
  desk.restart();
  CHECK(desk.removed("Open/SO7.json").decide() ==
        "7 gone: file deleted: Open/SO7.json\nreject Shipped/SO7.json: ends in the middle\n");
}

TEST_CASE("A file that becomes unreadable keeps its last good content until it is gone or whole again") {
  Desk desk;
  desk.file("Open/SO7.json", {order("7", "2026-03-01T08:00:00Z")}).decide();
  CHECK(desk.damaged("Open/SO7.json").decide() ==
        "7 Open 2500 from Open/SO7.json(damaged) ! Open/SO7.json cannot be read now; this is its last good content\n"
        "keep_previous Open/SO7.json: ends in the middle\n");
  desk.restart();
  CHECK(desk.decide() == "");
  desk.file("Open/SO7.json", {order("7", "2026-03-02T08:00:00Z", 700)});
  CHECK(desk.decide() == "7 Open 700 from Open/SO7.json\nsolved\n");
}

TEST_CASE("A refused file without any whole copy adds nothing and is solved when it is whole") {
  Desk desk;
  CHECK(desk.damaged("Open/SO9.json").decide() == "reject Open/SO9.json: ends in the middle\n");
  CHECK(desk.damaged("Open/SO9.json").decide() == "");
  CHECK(desk.file("Open/SO9.json", {order("9", "2026-03-01T08:00:00Z")}).decide() == "9 Open 2500 from Open/SO9.json\nsolved\n");
}

TEST_CASE("A bad row refuses its order only and keeps what an earlier reading of the file said of it") {
  Desk desk;
  desk.file("Open/all.csv", {order("7", "2026-03-01T08:00:00Z", 100), order("8", "2026-03-01T08:00:00Z", 200)}, {}, Format::csv).decide();
  desk.file("Open/all.csv", {order("8", "2026-03-02T08:00:00Z", 250)}, {{feed::Outcome::reject, "row 2", "no number", "x", "7"}}, Format::csv);
  CHECK(desk.decide() == "8 Open 250 from Open/all.csv\nkeep_previous Open/all.csv: no number\n");
}

TEST_CASE("An order that a file no longer names is gone") {
  Desk desk;
  desk.file("Open/all.csv", {order("7", "2026-03-01T08:00:00Z"), order("8", "2026-03-01T08:00:00Z")}, {}, Format::csv).decide();
  desk.file("Open/all.csv", {order("8", "2026-03-01T08:00:00Z")}, {}, Format::csv);
  CHECK(desk.decide() == "7 gone: the document no longer names it: Open/all.csv\n");
}

TEST_CASE("Touching a file, or reading the same content again, is no change of the order") {
  Desk desk;
  desk.file("Open/SO7.json", {order("7", "2026-03-01T08:00:00Z")}).decide();
  desk.book().file_touched(source, "Open/SO7.json", FileStamp{100, 2'000'000'000, 1});
  CHECK(desk.decide() == "");
  CHECK(desk.book().known_file(source, "Open/SO7.json")->mtime_ns == 2'000'000'000);
}

TEST_CASE("A folder that cannot be read is reported and takes nothing away") {
  Desk desk;
  desk.file("Open/locked/SO7.json", {order("7", "2026-03-01T08:00:00Z")}).decide();
  desk.book().fault(source, {"Open/locked", "permission denied; give the right to read", true}, testing::instant("2026-03-01T08:00:00Z"));
  CHECK(desk.decide() == "held Open/locked: permission denied; give the right to read\n");
  desk.restart();
  CHECK(desk.book().faulty_paths(source) == std::vector<std::string>{"Open/locked"});
  desk.book().fault_solved(source, "Open/locked");
  CHECK(desk.decide() == "solved\n");
}

TEST_CASE("An order of an ERP that changes its status is one change, whichever half of it is told first") {
  Desk desk;
  CHECK(desk.file("Open/Orders(4711)", {order("7", "2026-03-01T08:00:00Z")}).decide() == "7 Open 2500 from Open/Orders(4711)\n");
  desk.file("Closed/Orders(4711)", {order("7", "2026-03-01T08:00:00Z", 0)}).removed("Open/Orders(4711)");
  CHECK(desk.decide() == "7 Closed 0 from Closed/Orders(4711)\n");
  desk.removed("Closed/Orders(4711)").file("Open/Orders(4711)", {order("7", "2026-03-01T08:00:00Z", 300)});
  CHECK(desk.decide() == "7 Open 300 from Open/Orders(4711)\n");
  desk.removed("Open/Orders(4711)").file("Open/Orders(4711)", {order("7", "2026-03-01T08:00:00Z", 300)});
  CHECK(desk.decide() == "");
  CHECK(desk.book().known_file(source, "Closed/Orders(4711)") == nullptr);
  desk.restart();
  CHECK(desk.decide() == "");
  CHECK(desk.removed("Open/Orders(4711)").decide() == "7 gone: file deleted: Open/Orders(4711)\n");
}

TEST_CASE("Thousands of an ERP's orders lie in one folder, and half of them change their status in one batch") {
  constexpr int count = 4'000;
  Desk desk;
  const auto path = [](const std::string& status, int n) { return status + "/Orders(" + std::to_string(n) + ")"; };
  const auto lines = [](const std::string& text) { return std::ranges::count(text, '\n'); };
  for (int n = 0; n < count; ++n) desk.file(path("Open", n), {order(std::to_string(n), "2026-03-01T08:00:00Z")});
  CHECK(lines(desk.decide()) == count);
  for (int n = 0; n < count; n += 2) {
    desk.file(path("Closed", n), {order(std::to_string(n), "2026-03-02T08:00:00Z")});
    desk.removed(path("Open", n));
  }
  const std::string said = desk.decide();
  CHECK(lines(said) == count / 2);
  CHECK(said.find("gone") == std::string::npos);
  for (int restarted = 0; restarted < 2; ++restarted) {
    CHECK(desk.book().counts(source).orders == count);
    CHECK(desk.book().file_count(source) == count);
    CHECK(desk.book().files_below(source, "Closed").size() == count / 2);
    CHECK(desk.book().known_file(source, path("Open", 2)) == nullptr);
    CHECK(desk.book().known_file(source, path("Closed", 2))->path == path("Closed", 2));
    desk.restart();
    CHECK(desk.decide() == "");
  }
}

TEST_CASE("The status is the first folder, in the profile's words") {
  LayoutProfile profile = built_in_profile();
  profile.status_words["01_New"] = "Open";
  CHECK(status_of_path("01_New/2026/a.json", profile) == "Open");
  CHECK(status_of_path("In Production/a.json", profile) == "In Production");
  CHECK(status_of_path("a.json", profile) == "Unfiled");
}

}  // namespace
}  // namespace millrace::ingest
