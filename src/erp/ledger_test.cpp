#include "erp/ledger.h"

#include <doctest/doctest.h>

#include "erp/guard.h"

using namespace millrace;
using namespace millrace::erp;

namespace {

Key key(std::int64_t number) {
  Key made;
  made.number = number;
  return made;
}

LedgerRow open_row(std::int64_t minor) {
  LedgerRow row;
  row.open = true;
  row.status = "Open";
  row.open_amount = {minor, *Currency::parse("EUR")};
  return row;
}

}  // namespace

TEST_CASE("a row of the ledger reads back as it was written, and damage is noticed") {
  LedgerRow row = open_row(-1250);
  row.version_hash = version_hash("W/\"3\"");
  row.stamp = RemoteStamp{20'000, 86'399};
  row.content = content_hash("x");
  CHECK(decode_ledger_row(encode(row)).value() == row);
  row.gone_at = Instant(std::chrono::milliseconds(1'700'000'000'123));
  row.stamp.reset();
  CHECK(decode_ledger_row(encode(row)).value() == row);
  const std::string stored = stored_row(row, R"({"code":"A1"})");
  CHECK(decode_stored_row(stored)->row == row);
  CHECK(decode_stored_row(stored)->content == R"({"code":"A1"})");
  const std::string bytes = encode(row);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) CHECK_FALSE(decode_ledger_row(std::string_view(bytes).substr(0, cut)));
}

TEST_CASE("the state of a sync reads back as it was written") {
  SyncState state;
  CHECK(decode_sync_state(encode(state)).value() == state);
  state.phase = SyncState::Phase::following;
  state.cursor = key(-4711);
  state.watermark = RemoteStamp{20'000, 60};
  state.slice_cursor = Key{false, 0, "C20'000"};
  state.epoch = 7;
  state.page_of_documents = 250;
  state.refused = {"open", "window"};
  CHECK(decode_sync_state(encode(state)).value() == state);
  const std::string bytes = encode(state);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) CHECK_FALSE(decode_sync_state(std::string_view(bytes).substr(0, cut)));
}

TEST_CASE("the ledger counts live and open rows and their open total") {
  Ledger ledger;
  ledger.put(key(1), open_row(100));
  ledger.put(key(2), open_row(250));
  CHECK(ledger.rows_open() == 2);
  CHECK(ledger.open_totals().begin()->second == 350);
  LedgerRow gone = open_row(250);
  gone.gone_at = Instant(std::chrono::milliseconds(5));
  ledger.put(key(2), gone);
  CHECK(ledger.rows() == 1);
  CHECK(ledger.rows_open() == 1);
  CHECK(ledger.open_totals().begin()->second == 100);
  CHECK_FALSE(ledger.alive(key(2)));
  CHECK(ledger.find(key(2)) == gone);
}

TEST_CASE("the guard lets small and usual syncs pass and holds what looks like lost rights") {
  const GuardOptions options;
  Consequence usual;
  usual.rows_before = 1'000;
  usual.open_before = 200;
  usual.gone = 20;
  usual.closed = 20;
  usual.totals[*Currency::parse("EUR")] = {100'000, 10'000, 20};
  CHECK_FALSE(why_held(options, "orders", usual));
  Consequence gone = usual;
  gone.gone = 21;
  CHECK(why_held(options, "orders", gone)->starts_with("the sync would remove 21 of 1000 orders (2 %)"));
  Consequence closed = usual;
  closed.closed = 41;
  CHECK(why_held(options, "orders", closed)->starts_with("the sync would close 41 of 200 open orders (21 %)"));
  Consequence total = usual;
  total.totals[*Currency::parse("EUR")].changed = 21;
  CHECK(why_held(options, "orders", total)->starts_with("the sync would move the open total of orders from 1000.00 to 100.00 EUR"));
}
