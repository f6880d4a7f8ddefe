#include "people/audit.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "people/people_test_world.h"

namespace millrace::people {
namespace {

Actor anna() { return {"anna", "session", "192.0.2.1", UserId{1}}; }

AuditEntry entry(const std::string& object, const std::string& verb = "order.note", Actor actor = anna()) {
  return {std::move(actor), verb, object, R"({"note":"old"})", R"({"note":"new"})"};
}

store::Batch change_of(const std::string& key, const std::string& content) {
  store::Batch batch;
  batch.source = "test";
  batch.kept_put.push_back({"test", key, content});
  return batch;
}

void write(Office& office, int count) {
  for (int i = 1; i <= count; ++i) {
    std::vector<AuditEntry> entries{entry("order:" + std::to_string(i))};
    REQUIRE(office.audit().commit(change_of(std::to_string(i), "x"), std::move(entries)));
  }
}

std::string verified(Office& office) {
  const auto proof = office.audit().verify([](std::uint64_t, std::uint64_t) { return true; });
  if (!proof) return proof.error().text();
  return proof->whole() ? std::to_string(proof->rows) + " rows are right" : proof->problem;
}

// What somebody does who can write to the record past the program.
std::vector<store::KeptRow> rows_of(Office& office) {
  std::vector<store::KeptRow> rows;
  for (int block = 0; block < 4; ++block)
    REQUIRE(office.record().kept("people/audit/0000000" + std::to_string(block), [&](store::KeptRow row) {
      rows.push_back(std::move(row));
      return true;
    }));
  return rows;
}
void put(Office& office, store::KeptRow row) {
  store::Batch batch;
  batch.kept_put.push_back(std::move(row));
  REQUIRE(office.record().commit(std::move(batch)));
}
void remove(Office& office, const store::KeptRow& row) {
  store::Batch batch;
  batch.kept_removed.push_back({row.space, row.key});
  REQUIRE(office.record().commit(std::move(batch)));
}

TEST_CASE("Every row says who did what from where with before and after") {
  Office office;
  REQUIRE(office.audit().commit(change_of("1", "x"), [] {
    std::vector<AuditEntry> entries;
    entries.push_back(entry("order:7"));
    return entries;
  }()));
  const auto row = office.audit().row(1);
  REQUIRE(row);
  CHECK(row->entry.actor.who == "anna");
  CHECK(row->entry.actor.via == "session");
  CHECK(row->entry.actor.address == "192.0.2.1");
  CHECK(row->entry.verb == "order.note");
  CHECK(row->entry.object == "order:7");
  CHECK(row->entry.before == R"({"note":"old"})");
  CHECK(row->entry.after == R"({"note":"new"})");
  CHECK(rfc3339(row->at) == "2026-03-01T08:00:00.000Z");
  CHECK(office.audit().row(2).error().code() == ErrorCode::not_found);
}

TEST_CASE("The trail goes on after a restart and is whole") {
  Office office;
  write(office, 3);
  office.restart();
  write(office, 2);
  CHECK(verified(office) == "5 rows are right");
  CHECK(office.audit().head().count == 5);
}

TEST_CASE("A change that was not stored leaves no row and no hole") {
  Office office;
  write(office, 2);
  {
    store::Batch batch = change_of("3", "x");
    auto turn = office.audit().turn();
    REQUIRE(turn);
    turn->add(batch, entry("order:3"));
    // The commit failed: the batch is dropped.
  }
  CHECK(office.audit().head().count == 2);
  write(office, 2);
  CHECK(verified(office) == "4 rows are right");
}

TEST_CASE("A turn that wrote several rows hands over a whole chain") {
  Office office;
  auto turn = office.audit().turn();
  REQUIRE(turn);
  store::Batch batch = change_of("1", "x");
  for (int i = 0; i < 300; ++i) turn->add(batch, entry("order:" + std::to_string(i)));
  REQUIRE(office.record().commit(std::move(batch)));
  turn->committed();
  { auto done = std::move(*turn); }
  CHECK(verified(office) == "300 rows are right");
}

TEST_CASE("A page is read by number, newest first, and by who and what") {
  Office office;
  for (int i = 1; i <= 600; ++i) {
    auto turn = office.audit().turn();
    REQUIRE(turn);
    store::Batch batch;
    for (int j = 0; j < 2; ++j, ++i)
      turn->add(batch, i % 100 == 0 ? entry("user:" + std::to_string(i), "user.change", command_line_actor()) : entry("order:" + std::to_string(i)));
    --i;
    REQUIRE(office.record().commit(std::move(batch)));
    turn->committed();
  }
  const auto numbers = [&](std::uint64_t before, std::size_t limit, const AuditFilter& filter) {
    const auto page = office.audit().page(before, limit, filter);
    REQUIRE_MESSAGE(page, page.error().text());
    std::string text;
    for (const AuditRow& row : page->rows) text += std::to_string(row.number) + " ";
    return text + (page->next ? "next " + std::to_string(*page->next) : "end") + " of " + std::to_string(page->count);
  };
  CHECK(numbers(0, 3, {}) == "600 599 598 next 598 of 600");
  CHECK(numbers(598, 3, {}) == "597 596 595 next 595 of 600");
  CHECK(numbers(258, 4, {}) == "257 256 255 254 next 254 of 600");
  CHECK(numbers(3, 10, {}) == "2 1 end of 600");
  CHECK(numbers(1, 10, {}) == "end of 600");
  CHECK(numbers(0, 10, {.who = "command line"}) == "600 500 400 300 200 100 end of 600");
  CHECK(numbers(0, 2, {.object = "user:"}) == "600 500 next 500 of 600");
  CHECK(numbers(500, 2, {.object = "user:"}) == "400 300 next 300 of 600");
  CHECK(numbers(0, 10, {.object = "order:257"}) == "257 end of 600");
  CHECK(numbers(0, 10, {.verb = "user.change"}) == "600 500 400 300 200 100 end of 600");
}

TEST_CASE("A row that is changed, missing, swapped, added or cut off is found and named") {
  Office office;
  write(office, 300);
  REQUIRE(verified(office) == "300 rows are right");
  const auto rows = rows_of(office);
  REQUIRE(rows.size() == 300);
  SUBCASE("changed") {
    store::KeptRow row = rows[16];
    row.content[row.content.find("order:17")] = 'x';
    put(office, row);
    CHECK(verified(office) == "audit row 17 was changed");
  }
  SUBCASE("changed with its hash made anew") {
    store::KeptRow row = rows[16];
    row.content[row.content.find("order:17")] = 'x';
    const std::string covered = row.content.substr(0, row.content.size() - 32);
    const Digest hash = digest_of(covered);
    row.content = covered + std::string(reinterpret_cast<const char*>(hash.bytes.data()), 32);
    put(office, row);
    CHECK(verified(office) == "audit row 18 does not follow the row before it: one of the two was replaced");
  }
  SUBCASE("missing") {
    remove(office, rows[99]);
    CHECK(verified(office) == "audit row 100 is missing");
  }
  SUBCASE("missing at the end of a block") {
    remove(office, rows[254]);
    CHECK(verified(office) == "audit row 255 is missing");
  }
  SUBCASE("swapped") {
    put(office, {rows[9].space, rows[9].key, rows[10].content});
    put(office, {rows[10].space, rows[10].key, rows[9].content});
    CHECK(verified(office) == "audit row 10 was swapped with row 11");
  }
  SUBCASE("the newest row is cut off") {
    remove(office, rows[299]);
    CHECK(verified(office) == "audit row 300 is missing");
  }
  SUBCASE("all rows are cut off") {
    for (const store::KeptRow& row : rows) remove(office, row);
    CHECK(verified(office) == "audit row 1 is missing");
  }
  SUBCASE("a row behind the newest") {
    put(office, {rows[299].space, "0000000000000301", rows[299].content});
    CHECK(verified(office) == "audit row 301 stands behind the newest one that was written");
  }
}

TEST_CASE("Any change of any byte of a row is found") {
  Office office;
  write(office, 8);
  const auto rows = rows_of(office);
  rc::check("wherever it is", [&] {
    store::KeptRow row = rows[*rc::gen::inRange<std::size_t>(0, rows.size())];
    const auto at = *rc::gen::inRange<std::size_t>(0, row.content.size());
    const auto other = static_cast<char>(row.content[at] ^ *rc::gen::inRange(1, 256));
    const store::KeptRow right = row;
    row.content[at] = other;
    put(office, row);
    const std::string said = verified(office);
    put(office, right);
    RC_ASSERT(said.starts_with("audit row "));
  });
  CHECK(verified(office) == "8 rows are right");
}

TEST_CASE("Rows that are written from many threads make one chain") {
  Office office;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&office, t] {
      for (int i = 0; i < 20; ++i) {
        std::vector<AuditEntry> entries{entry("order:" + std::to_string(t))};
        if (!office.audit().commit(change_of(std::to_string(t), std::to_string(i)), std::move(entries))) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(verified(office) == "80 rows are right");
}

TEST_CASE("No secret enters the trail") {
  CHECK(without_secrets(R"({"name":"anna","password":"three small words","has_password":true,"nested":[{"api_key":"k","Authorization":"Bearer x"}],"password_file":"/etc/x"})") ==
        R"({"name":"anna","password":"***","has_password":true,"nested":[{"api_key":"***","Authorization":"***"}],"password_file":"/etc/x"})");
  CHECK(without_secrets("no json \x01") == R"("no json \\x01")");
  Office office;
  std::vector<AuditEntry> entries{entry("user:1")};
  entries[0].after = R"({"client_secret":"canary"})";
  entries[0].object = "user:1\nforged=row";
  entries[0].before = std::string(300 << 10, 'x');
  REQUIRE(office.audit().commit({}, std::move(entries)));
  const auto row = office.audit().row(1);
  REQUIRE(row);
  CHECK(row->entry.after == R"({"client_secret":"***"})");
  CHECK(row->entry.object == "user:1\\x0aforged=row");
  CHECK(row->entry.before == R"({"omitted_bytes":307200})");
}

}  // namespace
}  // namespace millrace::people
