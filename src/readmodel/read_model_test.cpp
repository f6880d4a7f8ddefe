#include "readmodel/read_model.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "domain/order_rules.h"
#include "testing/arbitrary_order.h"
#include "testing/world.h"

namespace millrace::readmodel {
namespace {

using testing::World;

// Everything a Snapshot says, as text: two equal texts are two equal answers.
std::string told(const Snapshot& snapshot) {
  std::map<std::string, std::string> orders;
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    for (std::size_t i = 0; i < snapshot.chunk(c).used; ++i) {
      if (!snapshot.chunk(c).live[i]) continue;
      const auto put = snapshot.order(static_cast<RowId>(c * chunk_rows + i));
      CHECK(snapshot.find(put.order->number.text).has_value());
      feed::Change change = feed::order_put(put);
      orders[put.order->number.text] =
          feed::encode_payload(change) + std::to_string(snapshot.chunk(c).sequence[i]) + "@" + std::to_string(snapshot.chunk(c).due[i]);
    }
  }
  std::ostringstream out;
  out << "as of " << snapshot.as_of().value << ' ' << rfc3339(snapshot.as_of_time()) << ' ' << snapshot.order_count()
      << " orders " << snapshot.line_count() << " lines\n";
  for (const auto& [number, text] : orders) out << text << '\n';
  for (const auto& rejection : snapshot.rejections()) out << rejection->id << ' ' << rejection->path << '\n';
  return out.str();
}

using SumMap = std::map<std::tuple<int, std::string, std::uint32_t>, std::vector<std::int64_t>>;

std::string key_text(const Snapshot& snapshot, KeptGroup group, std::uint32_t key) {
  switch (group) {
    case KeptGroup::customer: return std::string(snapshot.words(Vocabulary::customer).text(key));
    case KeptGroup::item: return std::string(snapshot.words(Vocabulary::item).text(key));
    case KeptGroup::manufacturer: return std::string(snapshot.words(Vocabulary::manufacturer).text(key));
    case KeptGroup::salesman: return std::string(snapshot.words(Vocabulary::salesman).text(key));
    case KeptGroup::status: return std::string(snapshot.words(Vocabulary::status).text(key));
    case KeptGroup::due_day: return std::to_string(static_cast<std::int32_t>(key));
  }
  return "";
}

SumMap kept_sums(const Snapshot& snapshot) {
  SumMap sums;
  for (std::size_t g = 0; g < kept_group_count; ++g) {
    const auto group = static_cast<KeptGroup>(g);
    for (const auto& block : snapshot.kept(group)) {
      if (!block) continue;
      for (const auto& [key, currency, sum] : block->entries) {
        sums[{static_cast<int>(g), key_text(snapshot, group, key), currency}] = {
            static_cast<std::int64_t>(sum.orders), static_cast<std::int64_t>(sum.lines),
            static_cast<std::int64_t>(sum.open_orders), sum.net, sum.total, sum.open_amount};
      }
    }
  }
  return sums;
}

// The same sums, from the orders that were put, without any column.
SumMap recomputed(const std::map<std::string, feed::OrderPut>& orders) {
  SumMap sums;
  const auto add = [&](KeptGroup group, const std::string& key, std::uint32_t currency, std::vector<std::int64_t> more) {
    auto& sum = sums[{static_cast<int>(group), key, currency}];
    sum.resize(6);
    for (std::size_t i = 0; i < 6; ++i) sum[i] += more[i];
  };
  for (const auto& [number, put] : orders) {
    const SalesOrder& order = *put.order;
    const OrderAmounts own = amounts(order);
    const std::uint32_t currency = order.currency.packed();
    const std::vector<std::int64_t> whole{1, static_cast<std::int64_t>(order.lines.size()), own.open > 0, own.net, own.total, own.open};
    add(KeptGroup::customer, order.customer_code, currency, whole);
    add(KeptGroup::salesman, order.salesperson, currency, whole);
    add(KeptGroup::status, order.status, currency, whole);
    const auto due = list_due_date(order);
    add(KeptGroup::due_day, std::to_string(due ? day_number(*due) : no_day), currency, whole);
    for (const bool item : {true, false}) {
      std::map<std::string, std::vector<std::int64_t>> by_key;
      for (const OrderLine& line : order.lines) {
        auto& sum = by_key[item ? line.item_code : line.manufacturer];
        sum.resize(6);
        const std::int64_t net = line.status == LineStatus::cancelled ? 0 : line.line_total;
        sum[0] = 1, sum[1] += 1, sum[3] += net, sum[4] += net, sum[5] += line.open_amount;
      }
      for (auto& [key, sum] : by_key) {
        sum[2] = sum[5] > 0;
        add(item ? KeptGroup::item : KeptGroup::manufacturer, key, currency, sum);
      }
    }
  }
  return sums;
}

// Customer text -> order numbers as the index of customers finds them, and as the columns say.
std::map<std::string, std::vector<std::string>> by_customer(const Snapshot& snapshot, bool through_index) {
  std::map<std::string, std::vector<std::string>> found;
  const Words& customers = snapshot.words(Vocabulary::customer);
  const auto number = [&](RowId row) { return std::string(snapshot.chunk_of(row).number(row % chunk_rows)); };
  if (through_index) {
    for (Code code = 0; code < customers.size(); ++code) {
      const auto codes = snapshot.customers().codes_of(customers.folded(code), customers);
      if (std::find(codes.begin(), codes.end(), code) == codes.end()) found["the index does not know"].push_back(std::string(customers.text(code)));
      const auto rows = snapshot.customers().rows_of(code);
      if (!rows) continue;
      CHECK(std::is_sorted(rows->begin(), rows->end()));
      for (const RowId row : *rows) found[std::string(customers.text(code))].push_back(number(row));
    }
    return found;
  }
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    for (std::size_t i = 0; i < snapshot.chunk(c).used; ++i) {
      if (!snapshot.chunk(c).live[i]) continue;
      const Code code = snapshot.chunk(c).customer[i];
      if (!snapshot.customers().rows_of(code)) continue;  // many
      found[std::string(customers.text(code))].push_back(number(static_cast<RowId>(c * chunk_rows + i)));
    }
  }
  return found;
}

// A busy order desk: puts, changes and removals of a few dozen orders, rejections now and then.
class Desk {
 public:
  explicit Desk(std::uint64_t seed) : random_(seed) {}

  feed::Change next() {
    feed::Change change;
    const auto dice = number(100);
    if (dice < 70) {
      feed::OrderPut put = some_put();
      orders_[put.order->number.text] = put;
      change = feed::order_put(std::move(put));
    } else if (dice < 92) {
      const std::string gone = "SO-" + std::to_string(number(60));
      orders_.erase(gone);
      change = feed::order_removed(OrderNumber{gone}, "file deleted");
    } else if (dice < 97) {
      feed::Rejection rejection;
      rejection.id = number(9) + 1;
      rejection.path = "bad-" + std::to_string(number(1000)) + ".json";
      change = feed::rejection_put(std::move(rejection));
    } else {
      change = feed::rejection_removed(number(9) + 1);
    }
    change.sequence = feed::Sequence{++sequence_};
    change.at = Instant(std::chrono::seconds(1'700'000'000 + sequence_));
    return change;
  }
  const std::map<std::string, feed::OrderPut>& orders() const { return orders_; }
  std::uint64_t number(std::uint64_t below) { return random_() % below; }

 private:
  feed::OrderPut some_put() {
    testing::OrderStory story;
    SalesOrder& order = story.order();
    order.number.text = "SO-" + std::to_string(number(60));
    order.status = std::array{"Open", "In Production", "Closed"}[number(3)];
    order.customer_code = "C" + std::to_string(number(7));
    order.customer_name = "Customer " + std::to_string(number(9));
    order.customer_reference = std::string(number(30), 'r');
    order.salesperson = number(3) == 0 ? "" : "Ann";
    order.currency = *Currency::parse(std::array{"EUR", "JPY", "USD"}[number(3)]);
    if (number(4) != 0) order.requested_date = day_from_number(20'500 + static_cast<int>(number(90)));
    order.tax = static_cast<std::int64_t>(number(1000));
    const std::uint64_t lines = number(6);
    for (std::uint64_t i = 0; i < lines; ++i) {
      OrderLine line;
      line.line_number = static_cast<std::int32_t>(i + 1);
      line.item_code = "A" + std::to_string(number(5));
      line.item_name = "Item " + std::to_string(number(5));
      line.manufacturer = std::array{"", "Bosch", "Festo"}[number(3)];
      line.quantity_ordered.micros = static_cast<std::int64_t>(1 + number(9)) * micros_per_one;
      line.quantity_open.micros = number(2) == 0 ? 0 : line.quantity_ordered.micros;
      line.line_total = static_cast<std::int64_t>(number(100'000)) - 20'000;
      line.status = static_cast<LineStatus>(number(3));
      if (number(3) == 0) line.promise_date = day_from_number(20'400 + static_cast<int>(number(200)));
      order.lines.push_back(line);
    }
    settle_amounts(order);
    feed::OrderPut put;
    feed::OrderDocument document;
    document.source = "orders";
    document.path = order.status + "/" + order.number.text + ".json";
    document.format = "json";
    put.documents.push_back(document);
    put.order = std::make_shared<const SalesOrder>(std::move(order));
    return put;
  }

  std::mt19937_64 random_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, feed::OrderPut> orders_;
};

TEST_CASE("a read model that knows nothing answers as of 0") {
  const ReadModel model;
  const auto snapshot = model.current();
  REQUIRE(snapshot != nullptr);
  CHECK(snapshot->as_of().value == 0);
  CHECK(snapshot->order_count() == 0);
  CHECK_FALSE(snapshot->find("SO-1").has_value());
}

TEST_CASE("a hole or a repeated change is refused and changes nothing") {
  World world;
  world.sales_order("SO-1").line("1", "EUR 1.00");
  world.sales_order("SO-2").line("1", "EUR 1.00");
  world.sales_order("SO-3").line("1", "EUR 1.00");
  const std::span<const feed::Change> changes = world.changes();
  ReadModel model;
  REQUIRE(model.apply(changes.subspan(0, 1)));
  const auto hole = model.apply(changes.subspan(2, 1));
  REQUIRE_FALSE(hole);
  CHECK(hole.error().code() == ErrorCode::corrupt);
  CHECK(hole.error().text().find("change 3 came where change 2 was due") != std::string::npos);
  CHECK_FALSE(model.apply(changes.subspan(0, 1)));
  const std::vector<feed::Change> gap{changes[1], changes[1]};
  CHECK_FALSE(model.apply(gap));
  CHECK(model.current()->order_count() == 1);
  CHECK(model.apply(changes.subspan(1)));
  CHECK(model.current()->order_count() == 3);
}

TEST_CASE("an order comes back whole, with its documents and flags") {
  World world;
  world.sales_order("SO-7").customer("C1", "ACME").promised("2026-03-09").line("4 pcs", "EUR 25.00").open("2").flag("look at this");
  const auto snapshot = world.snapshot();
  const auto put = snapshot->order(*snapshot->find("SO-7"));
  const feed::OrderPut& told_put = world.changes().front().put;
  CHECK(*put.order == *told_put.order);
  CHECK(put.documents == told_put.documents);
  CHECK(put.flags == told_put.flags);
}

TEST_CASE("any order that can be put comes back equal") {
  CHECK(rc::check("record round trip", [] {
    const SalesOrder order = *testing::arbitrary_order();
    feed::OrderPut put;
    const auto count = *rc::gen::inRange(0, 4);
    for (int i = 0; i < count; ++i) {
      feed::OrderDocument document;
      document.source = *testing::arbitrary_text();
      document.path = *testing::arbitrary_text();
      document.format = *rc::gen::element<std::string>("json", "csv", "");
      document.modified = Instant(std::chrono::milliseconds(*rc::gen::arbitrary<std::int32_t>()));
      document.status = *rc::gen::element(order.status, std::string("Closed"));
      if (*rc::gen::arbitrary<bool>()) document.updated = order.updated;
      document.total = *rc::gen::element(amounts(order).total, std::int64_t{5});
      document.open = amounts(order).open;
      document.line_count = static_cast<std::uint32_t>(order.lines.size());
      document.damaged_since = *rc::gen::arbitrary<bool>();
      put.documents.push_back(document);
    }
    put.flags = *rc::gen::container<std::vector<std::string>>(testing::arbitrary_text());
    put.order = std::make_shared<const SalesOrder>(order);
    feed::Change change = feed::order_put(put);
    change.sequence = feed::Sequence{1};
    ReadModel model;
    RC_ASSERT(model.apply(std::span(&change, 1)).has_value());
    const auto back = model.current()->order(*model.current()->find(order.number.text));
    RC_ASSERT(*back.order == order);
    RC_ASSERT(back.documents == put.documents);
    RC_ASSERT(back.flags == put.flags);
  }));
}

TEST_CASE("answers do not depend on how the changes were cut into batches, and kept sums stay exact") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Desk desk(seed);
    std::vector<feed::Change> changes;
    for (int i = 0; i < 1500; ++i) changes.push_back(desk.next());
    ReadModel whole, one_by_one, cut;
    REQUIRE(whole.apply(changes));
    for (const feed::Change& change : changes) REQUIRE(one_by_one.apply(std::span(&change, 1)));
    for (std::size_t at = 0; at < changes.size();) {
      const std::size_t size = std::min<std::size_t>(1 + desk.number(70), changes.size() - at);
      REQUIRE(cut.apply(std::span(changes).subspan(at, size)));
      at += size;
    }
    const std::string expected = told(*whole.current());
    CHECK(told(*one_by_one.current()) == expected);
    CHECK(told(*cut.current()) == expected);
    const SumMap sums = recomputed(desk.orders());
    CHECK(kept_sums(*whole.current()) == sums);
    CHECK(kept_sums(*one_by_one.current()) == sums);
    CHECK(kept_sums(*cut.current()) == sums);
    CHECK(whole.current()->order_count() == desk.orders().size());
    for (const ReadModel* model : {&whole, &one_by_one, &cut})
      CHECK(by_customer(*model->current(), true) == by_customer(*model->current(), false));
  }
}

TEST_CASE("a snapshot taken earlier answers the same after later changes") {
  Desk desk(99);
  ReadModel model;
  std::vector<std::pair<SnapshotPtr, std::string>> kept;
  std::vector<SumMap> sums;
  for (int i = 0; i < 400; ++i) {
    const feed::Change change = desk.next();
    REQUIRE(model.apply(std::span(&change, 1)));
    if (i % 20 != 0) continue;
    kept.emplace_back(model.current(), told(*model.current()));
    sums.push_back(kept_sums(*model.current()));
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    CHECK(told(*kept[i].first) == kept[i].second);
    CHECK(kept_sums(*kept[i].first) == sums[i]);
  }
}

TEST_CASE("many chunks fill, empty and fill again") {
  ReadModel model;
  std::vector<feed::Change> changes;
  const auto tell = [&](feed::Change change) {
    change.sequence = feed::Sequence{changes.size() + 1};
    changes.push_back(std::move(change));
  };
  const auto put = [](int n) {
    SalesOrder order;
    order.number.text = std::to_string(n);
    order.customer_code = "C" + std::to_string(n % 100);
    feed::OrderPut made;
    made.order = std::make_shared<const SalesOrder>(std::move(order));
    return feed::order_put(std::move(made));
  };
  for (int n = 0; n < 1500; ++n) tell(put(n));
  for (int n = 0; n < 1500; n += 2) tell(feed::order_removed(OrderNumber{std::to_string(n)}, ""));
  for (int n = 2000; n < 2750; ++n) tell(put(n));
  REQUIRE(model.apply(changes));
  const auto snapshot = model.current();
  CHECK(snapshot->order_count() == 1500);
  CHECK(snapshot->chunk_count() == 3);  // rows of removed orders were used again
  CHECK_FALSE(snapshot->find("4").has_value());
  CHECK(snapshot->find("5").has_value());
  CHECK(snapshot->find("2749").has_value());
}

TEST_CASE("a customer with very many orders is looked up in the column, until the last of them is gone") {
  ReadModel model;
  std::uint64_t sequence = 0;
  std::vector<feed::Change> changes;
  const auto tell = [&](feed::Change change) {
    change.sequence = feed::Sequence{++sequence};
    changes.push_back(std::move(change));
  };
  const auto put = [&](int n, std::string customer) {
    SalesOrder order;
    order.number.text = std::to_string(n);
    order.customer_code = std::move(customer);
    feed::OrderPut made;
    made.order = std::make_shared<const SalesOrder>(std::move(order));
    tell(feed::order_put(std::move(made)));
  };
  const auto apply = [&] {
    REQUIRE(model.apply(changes));
    changes.clear();
    return model.current();
  };
  const auto rows_of = [](const SnapshotPtr& snapshot, std::string_view folded) {
    const auto codes = snapshot->customers().codes_of(folded, snapshot->words(Vocabulary::customer));
    REQUIRE(codes.size() == 1);
    const auto rows = snapshot->customers().rows_of(codes.front());
    return rows ? std::optional<std::size_t>(rows->size()) : std::nullopt;
  };
  constexpr int many = customer_rows_max;
  for (int n = 0; n < many; ++n) put(n, "Big");
  put(many, "small");
  auto snapshot = apply();
  CHECK(rows_of(snapshot, "big") == std::size_t{many});
  put(many + 1, "Big");
  CHECK(rows_of(apply(), "big") == std::nullopt);
  CHECK(rows_of(model.current(), "small") == std::size_t{1});
  CHECK(rows_of(snapshot, "big") == std::size_t{many});  // what was published stays
  for (int n = 0; n < many; ++n) tell(feed::order_removed(OrderNumber{std::to_string(n)}, ""));
  CHECK(rows_of(apply(), "big") == std::nullopt);
  put(many + 1, "small");  // the last one goes to another customer
  CHECK(rows_of(apply(), "big") == std::size_t{0});
  CHECK(rows_of(model.current(), "small") == std::size_t{2});
  put(1, "Big");
  CHECK(rows_of(apply(), "big") == std::size_t{1});
  CHECK(snapshot->customers().codes_of("BIG", snapshot->words(Vocabulary::customer)).empty());  // texts come folded
}

TEST_CASE("readers read while the writer writes") {
  Desk desk(7);
  ReadModel model;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> wrong = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto snapshot = model.current();
      std::uint64_t live = 0;
      for (std::size_t c = 0; c < snapshot->chunk_count(); ++c) {
        for (std::size_t i = 0; i < snapshot->chunk(c).used; ++i) {
          if (!snapshot->chunk(c).live[i]) continue;
          ++live;
          if (snapshot->words(Vocabulary::customer).text(snapshot->chunk(c).customer[i]).empty()) ++wrong;
        }
      }
      if (live != snapshot->order_count()) ++wrong;
    }
  });
  for (int i = 0; i < 3000; ++i) {
    const feed::Change change = desk.next();
    if (!model.apply(std::span(&change, 1))) ++wrong;
  }
  stop = true;
  reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("the list's due date is the promise, else the wish, else the earliest open line") {
  World world;
  SalesOrder& order = world.sales_order("SO-1").line("1", "EUR 1").line_promised("2026-05-01").line("1", "EUR 1").line_promised("2026-04-01").order();
  CHECK(iso(*list_due_date(order)) == "2026-04-01");
  order.lines[1].quantity_open.micros = 0;
  CHECK(iso(*list_due_date(order)) == "2026-05-01");
  order.requested_date = testing::day("2026-06-01");
  CHECK(iso(*list_due_date(order)) == "2026-06-01");
  order.promise_date = testing::day("2026-07-01");
  CHECK(iso(*list_due_date(order)) == "2026-07-01");
}

struct Section {
  std::uint32_t number;
  std::string bytes;
};
std::vector<Section> warm_sections(const Snapshot& snapshot) {
  std::vector<Section> sections;
  write_warm(snapshot, [&](std::uint32_t number, std::string_view bytes) { sections.push_back({number, std::string(bytes)}); });
  return sections;
}
Result<WarmParts> read_sections(const std::vector<Section>& sections) {
  WarmReader reader;
  for (const Section& section : sections)
    if (const auto added = reader.add(section.number, section.bytes); !added) return pass_on(added);
  return reader.finish();
}

TEST_CASE("a read model from a warm start answers and goes on as the one it was written from") {
  for (std::uint64_t seed = 21; seed <= 26; ++seed) {
    CAPTURE(seed);
    Desk desk(seed);
    ReadModel model;
    for (int i = 0; i < 700; ++i) {
      const feed::Change change = desk.next();
      REQUIRE(model.apply(std::span(&change, 1)));
    }
    auto parts = read_sections(warm_sections(*model.current()));
    REQUIRE_MESSAGE(parts, parts.error().text());
    ReadModel warm;
    warm.restore(std::move(*parts));
    CHECK(told(*warm.current()) == told(*model.current()));
    CHECK(kept_sums(*warm.current()) == kept_sums(*model.current()));
    CHECK(by_customer(*warm.current(), true) == by_customer(*model.current(), true));
    for (int i = 0; i < 300; ++i) {
      const feed::Change change = desk.next();
      REQUIRE(model.apply(std::span(&change, 1)));
      REQUIRE(warm.apply(std::span(&change, 1)));
    }
    CHECK(told(*warm.current()) == told(*model.current()));
    CHECK(kept_sums(*warm.current()) == kept_sums(*model.current()));
    CHECK(kept_sums(*warm.current()) == recomputed(desk.orders()));
    CHECK(by_customer(*warm.current(), true) == by_customer(*warm.current(), false));
  }
}

TEST_CASE("an empty read model has a warm start too") {
  const ReadModel model;
  auto parts = read_sections(warm_sections(*model.current()));
  REQUIRE(parts);
  ReadModel warm;
  warm.restore(std::move(*parts));
  CHECK(told(*warm.current()) == told(*model.current()));
}

TEST_CASE("sections of a warm start that are missing, doubled or senseless are refused, never trusted") {
  Desk desk(31);
  ReadModel model;
  for (int i = 0; i < 400; ++i) {
    const feed::Change change = desk.next();
    REQUIRE(model.apply(std::span(&change, 1)));
  }
  const std::vector<Section> whole = warm_sections(*model.current());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::vector<Section> some = whole;
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(i));
    const bool empty_rejections = whole[i].number == 5 && whole[i].bytes.empty();
    if (whole[i].number != 4 && !empty_rejections) CHECK_FALSE(read_sections(some));
  }
  for (int i = 0; i < 300; ++i) {
    std::vector<Section> wrong = whole;
    Section& section = wrong[desk.number(wrong.size())];
    if (section.bytes.empty()) continue;
    if (i % 3 == 0) section.bytes.resize(desk.number(section.bytes.size()));
    else section.bytes[desk.number(section.bytes.size())] = static_cast<char>(desk.number(256));
    auto parts = read_sections(wrong);  // the checksum of the file would have refused it; here nothing may break
    if (!parts) continue;
    ReadModel warm;
    warm.restore(std::move(*parts));
    CHECK(warm.current()->order_count() == model.current()->order_count());
  }
}

}  // namespace
}  // namespace millrace::readmodel
