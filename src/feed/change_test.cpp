#include "feed/change.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "testing/arbitrary_finance.h"
#include "testing/arbitrary_order.h"

using namespace millrace;
using namespace millrace::feed;

namespace {

Instant instant() {
  return Instant{std::chrono::milliseconds{*rc::gen::inRange<std::int64_t>(-1'000'000, 5'000'000'000'000)}};
}

OrderDocument arbitrary_document() {
  OrderDocument document;
  document.source = *testing::arbitrary_text();
  document.path = *rc::gen::arbitrary<std::string>();
  document.format = *rc::gen::element<std::string>("json", "csv", "xlsx", "pdf");
  for (auto& byte : document.hash.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  document.modified = instant();
  if (*rc::gen::arbitrary<bool>()) document.updated = instant();
  document.status = *testing::arbitrary_text();
  document.total = testing::arbitrary_amount();
  document.open = testing::arbitrary_amount();
  document.line_count = *rc::gen::inRange<std::uint32_t>(0, 10'000);
  document.damaged_since = *rc::gen::arbitrary<bool>();
  return document;
}

Difference arbitrary_difference(std::uint32_t documents) {
  Difference difference;
  difference.field = *testing::arbitrary_text();
  difference.line = *rc::gen::arbitrary<std::int32_t>();
  const int values = *rc::gen::inRange(1, 4);
  for (int i = 0; i < values; ++i)
    difference.values.push_back({*rc::gen::inRange<std::uint32_t>(0, documents), *testing::arbitrary_text()});
  difference.counts = *rc::gen::inRange<std::uint32_t>(0, static_cast<std::uint32_t>(values));
  difference.rule = *testing::arbitrary_text();
  difference.decided_by = *testing::arbitrary_text();
  if (*rc::gen::arbitrary<bool>()) difference.decided_at = instant();
  return difference;
}

void join(OrderPut& put) {
  const auto documents = static_cast<std::uint32_t>(put.documents.size());
  const int differences = *rc::gen::inRange(0, 3), origins = *rc::gen::inRange(0, 3);
  for (int i = 0; i < differences; ++i) put.differences.push_back(arbitrary_difference(documents));
  for (int i = 0; i < origins; ++i)
    put.origins.push_back({*testing::arbitrary_text(), *rc::gen::arbitrary<std::int32_t>(), *rc::gen::inRange<std::uint32_t>(0, documents)});
}

void overlay(OrderPut& put) {
  put.overlay_version = *rc::gen::inRange<std::uint64_t>(1, 1'000);
  const int values = *rc::gen::inRange(0, 4);
  for (int i = 0; i < values; ++i) {
    Overlaid value{{*testing::arbitrary_text(), *testing::arbitrary_text(), *testing::arbitrary_text(), *testing::arbitrary_text(), instant(), std::nullopt},
                   *testing::arbitrary_text()};
    if (*rc::gen::arbitrary<bool>()) value.written.expires = instant();
    put.overlay.push_back(std::move(value));
  }
  put.by = *testing::arbitrary_text();
}

Rejection arbitrary_rejection() {
  Rejection rejection;
  rejection.id = *rc::gen::arbitrary<std::uint64_t>();
  rejection.source = *testing::arbitrary_text();
  rejection.path = *rc::gen::arbitrary<std::string>();
  rejection.place = *testing::arbitrary_text();
  rejection.reason = *testing::arbitrary_text();
  rejection.value = *rc::gen::arbitrary<std::string>();
  rejection.outcome = *rc::gen::element(Outcome::reject, Outcome::keep_previous, Outcome::ingest_and_flag,
                                        Outcome::superseded, Outcome::held);
  rejection.order_number = *testing::arbitrary_text();
  rejection.since = instant();
  return rejection;
}

rc::Gen<Change> arbitrary_change() {
  return rc::gen::exec([]() -> Change {
    switch (*rc::gen::inRange(0, 6)) {
      case 0: {
        OrderPut put;
        put.order = std::make_shared<const SalesOrder>(*testing::arbitrary_order());
        const int documents = *rc::gen::inRange(0, 4);
        for (int i = 0; i < documents; ++i) put.documents.push_back(arbitrary_document());
        put.flags = *rc::gen::container<std::vector<std::string>>(testing::arbitrary_text());
        if (documents > 0) join(put);
        if (*rc::gen::arbitrary<bool>()) overlay(put);
        return order_put(std::move(put));
      }
      case 1:
        return order_removed({*testing::arbitrary_text()}, *testing::arbitrary_text());
      case 2:
        return rejection_put(arbitrary_rejection());
      case 3:
        return finance_put(*testing::arbitrary_finance_document(), *testing::arbitrary_text());
      case 4:
        return finance_removed({static_cast<FinanceKind>(*rc::gen::inRange(1, 18)), *testing::arbitrary_text(), *testing::arbitrary_text(), "gone", "anna"});
      default:
        return rejection_removed(*rc::gen::arbitrary<std::uint64_t>());
    }
  });
}

bool same(const Change& left, const Change& right) {
  const bool orders = (left.put.order == nullptr) == (right.put.order == nullptr) &&
                      (left.put.order == nullptr || *left.put.order == *right.put.order);
  const bool finance = (left.finance_put.document == nullptr) == (right.finance_put.document == nullptr) &&
                       (left.finance_put.document == nullptr || *left.finance_put.document == *right.finance_put.document) &&
                       left.finance_put.by == right.finance_put.by && left.finance_removed.kind == right.finance_removed.kind &&
                       left.finance_removed.source == right.finance_removed.source && left.finance_removed.key == right.finance_removed.key &&
                       left.finance_removed.reason == right.finance_removed.reason && left.finance_removed.by == right.finance_removed.by;
  return left.kind == right.kind && orders && finance && left.put.documents == right.put.documents &&
         left.put.flags == right.put.flags && left.put.differences == right.put.differences && left.put.overlay == right.put.overlay &&
         left.put.overlay_version == right.put.overlay_version && left.put.by == right.put.by &&
         left.put.origins == right.put.origins && left.removed.number == right.removed.number &&
         left.removed.reason == right.removed.reason && left.rejection_put.rejection == right.rejection_put.rejection &&
         left.rejection_removed.id == right.rejection_removed.id;
}

}  // namespace

TEST_CASE("A change comes back from its record exactly as it went in") {
  CHECK(rc::check("round trip", [] {
    const Change change = *arbitrary_change();
    const auto again = decode_payload(change.kind, encode_payload(change));
    RC_ASSERT(again.has_value());
    RC_ASSERT(same(*again, change));
    RC_ASSERT(subject(*again) == subject(change));
  }));
}

TEST_CASE("A change record that was cut anywhere or has bytes too many is corrupt") {
  CHECK(rc::check("cut", [] {
    const Change change = *arbitrary_change();
    const std::string bytes = encode_payload(change);
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const auto cut = decode_payload(change.kind, std::string_view(bytes).substr(0, at));
    RC_ASSERT(!cut.has_value());
    RC_ASSERT(cut.error().code() == ErrorCode::corrupt);
    RC_ASSERT(!decode_payload(change.kind, bytes + '\0').has_value());
  }));
}

TEST_CASE("Changed or foreign bytes are corrupt or read as some change, and never crash") {
  CHECK(rc::check("changed bytes", [] {
    const Change change = *arbitrary_change();
    std::string bytes = encode_payload(change);
    const auto changes = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
        rc::gen::pair(rc::gen::inRange<std::size_t>(0, bytes.size()), rc::gen::arbitrary<char>()));
    for (const auto& [at, byte] : changes) bytes[at] = byte;
    const auto again = decode_payload(change.kind, bytes);
    if (again) RC_ASSERT(decode_payload(again->kind, encode_payload(*again)).has_value());
  }));
  CHECK(rc::check("any bytes under any kind", [](const std::string& tail, std::uint8_t kind) {
    const auto change = decode_payload(static_cast<ChangeKind>(kind), "\x01" + tail);
    if (change) RC_ASSERT(kind >= 1 && kind <= 6);
  }));
}

TEST_CASE("A change of an unknown kind or format is corrupt") {
  const std::string bytes = encode_payload(rejection_removed(7));
  CHECK(decode_payload(ChangeKind::rejection_removed, bytes)->rejection_removed.id == 7);
  CHECK_FALSE(decode_payload(static_cast<ChangeKind>(0), bytes).has_value());
  CHECK_FALSE(decode_payload(static_cast<ChangeKind>(7), bytes).has_value());
  std::string newer = bytes;
  newer[0] = 2;
  const auto refused = decode_payload(ChangeKind::rejection_removed, newer);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text() == "a change has the unknown format 2");
}

TEST_CASE("An order that one source speaks of is written as it always was, and a joined one says so in its first byte") {
  SalesOrder order;
  order.number = {"43659"};
  OrderPut put{std::make_shared<const SalesOrder>(order), {OrderDocument{}, OrderDocument{}}, {}, {}, {}};
  CHECK(encode_payload(order_put(put))[0] == 1);
  put.differences.push_back({"quantity", 1, {{0, "400"}, {1, "450"}}, 0, "erp-wins", "", std::nullopt});
  const std::string joined = encode_payload(order_put(put));
  CHECK(joined[0] == 2);
  CHECK(decode_payload(ChangeKind::order_put, joined)->put.differences == put.differences);
}

TEST_CASE("A difference that speaks of a document or value that is not there is corrupt") {
  SalesOrder order;
  order.number = {"43659"};
  OrderPut put{std::make_shared<const SalesOrder>(order), {OrderDocument{}}, {}, {}, {}};
  put.differences.push_back({"quantity", 1, {{0, "400"}, {1, "450"}}, 0, "erp-wins", "", std::nullopt});
  CHECK_FALSE(decode_payload(ChangeKind::order_put, encode_payload(order_put(put))).has_value());
  put.differences[0].values[1].document = 0;
  put.differences[0].counts = 2;
  CHECK_FALSE(decode_payload(ChangeKind::order_put, encode_payload(order_put(put))).has_value());
  put.differences.clear();
  put.origins.push_back({"promise", 0, 1});
  CHECK_FALSE(decode_payload(ChangeKind::order_put, encode_payload(order_put(put))).has_value());
}

TEST_CASE("A change of a finance document is about its kind, source and key") {
  FinanceDocument invoice;
  invoice.source = "erp";
  invoice.number = "9001";
  CHECK(subject(finance_put(invoice)) == "invoice/erp/9001");
  CHECK(subject(finance_removed({FinanceKind::supplier_payment, "entered", "V7", "", ""})) == "supplier_payment/entered/V7");
}

TEST_CASE("A change is about an order number or a rejection") {
  SalesOrder order;
  order.number = {"43659"};
  CHECK(subject(order_put({std::make_shared<const SalesOrder>(order), {}, {}, {}, {}})) == "43659");
  CHECK(subject(order_removed({"43660"}, "file deleted: Open/43660.json")) == "43660");
  Rejection rejection;
  rejection.id = 12;
  CHECK(subject(rejection_put(rejection)) == "12");
  CHECK(subject(rejection_removed(13)) == "13");
}

TEST_CASE("Outcomes are named as the rejection list shows them") {
  CHECK(word(Outcome::reject) == "reject");
  CHECK(word(Outcome::keep_previous) == "keep_previous");
  CHECK(word(Outcome::ingest_and_flag) == "ingest_and_flag");
  CHECK(word(Outcome::superseded) == "superseded");
  CHECK(word(Outcome::held) == "held");
}

TEST_CASE("Sequences count one by one from before everything") {
  CHECK(Sequence{}.value == 0);
  CHECK(Sequence{}.next() == Sequence{1});
  CHECK(Sequence{7} < Sequence{7}.next());
}
