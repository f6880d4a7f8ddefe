#include "query/orders.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/text.h"
#include "query/order_detail.h"
#include "query/testing_tables.h"
#include "query/today.h"
#include "query/totals.h"
#include "testing/world.h"

namespace millrace::query {
namespace {

using millrace::testing::day;
using millrace::testing::World;
using testing_tables::numbers;
using testing_tables::table;

const Day today_day = day("2026-03-10");

OrderQuery ask(const Parameters& parameters) {
  const auto parsed = parse_order_query(parameters, today_day);
  for (const auto& error : parsed.errors) FAIL(error.detail);
  return parsed.query;
}

World small_world() {
  World world;
  world.sales_order("SO-7").customer("C1", "Müller GmbH").requested("2026-03-03").line("4 pcs", "EUR 25.00").item("A-1", "Bearing").manufacturer("Festo").open("2");
  world.sales_order("SO-10").status("In Production").customer("C2", "ACME").requested("2026-03-12").line("1", "EUR 80.00").item("A-2", "Belt").salesman("Ann").reference("PO 4711");
  world.sales_order("SO-9").status("Closed").customer("C1", "Müller GmbH").requested("2026-02-01").line("1", "JPY 900").open("0").item("A-1", "Bearing");
  world.sales_order("SO-11").customer("C3", "Nord, Süd & Co").line("3", "JPY 500").item("A-3", "Chain").flag("no date");
  return world;
}

std::string found(const Parameters& parameters) {
  World world = small_world();
  const auto snapshot = world.snapshot();
  const auto page = orders(*snapshot, ask(parameters), today_day);
  REQUIRE(page);
  return numbers(page->rows);
}

TEST_CASE("the list shows every order by its number, with what is open and late, and sums per currency") {
  World world = small_world();
  const auto snapshot = world.snapshot();
  const auto page = orders(*snapshot, ask({}), today_day);
  REQUIRE(page);
  CHECK(table(*page) ==
        "SO-7 Open C1 2026-03-03 EUR 50.00 late\n"
        "SO-9 Closed C1 2026-02-01 JPY 0\n"
        "SO-10 In Production C2 2026-03-12 EUR 80.00\n"
        "SO-11 Open C3 none JPY 1500\n");
  CHECK(table(page->sums) ==
        "EUR 130.00 open of EUR 180.00, 2 orders, 2 lines, 2 open, 1 late EUR 50.00\n"
        "JPY 1500 open of JPY 2400, 2 orders, 2 lines, 1 open, 0 late JPY 0\n");
  CHECK(page->as_of.value == 4);
  CHECK(page->matching == 4);
  CHECK(page->next_cursor.empty());
}

TEST_CASE("filters choose as a planner reads them") {
  CHECK(found({{"status", "open"}}) == "SO-7 SO-11");
  CHECK(found({{"status", "late"}}) == "SO-7");
  CHECK(found({{"status", "in.(late,closed)"}}) == "SO-7 SO-9");
  CHECK(found({{"status", "ne.Open"}}) == "SO-9 SO-10");
  CHECK(found({{"status", "in*"}}) == "SO-10");
  CHECK(found({{"late", "true"}}) == "SO-7");
  CHECK(found({{"customer", "c1"}, {"currency", "EUR"}}) == "SO-7");
  CHECK(found({{"customer_name", "has.muller"}}) == "SO-7 SO-9");
  CHECK(found({{"customer_name", "in.(\"nord, süd & co\",acme)"}}) == "SO-10 SO-11");
  CHECK(found({{"due", "none"}}) == "SO-11");
  CHECK(found({{"due", "lt.today"}}) == "SO-7 SO-9");
  CHECK(found({{"due", "lte.today+2"}, {"due", "gte.today"}}) == "SO-10");
  CHECK(found({{"due", "ne.none"}}) == "SO-7 SO-9 SO-10");
  CHECK(found({{"open_amount", "gte.5000"}}) == "SO-7 SO-10");
  CHECK(found({{"open_quantity", "2"}}) == "SO-7");
  CHECK(found({{"item", "A-1"}}) == "SO-7 SO-9");
  CHECK(found({{"item", "belt"}}) == "SO-10");
  CHECK(found({{"item", "ne.A-1"}}) == "SO-10 SO-11");
  CHECK(found({{"manufacturer", "festo"}}) == "SO-7");
  CHECK(found({{"salesman", "eq."}}) == "SO-7 SO-9 SO-11");
  CHECK(found({{"salesman", ""}}) == "SO-7 SO-9 SO-10 SO-11");
  CHECK(found({{"flagged", "yes"}}) == "SO-11");
  CHECK(found({{"order", "so-1*"}}) == "SO-10 SO-11");
  CHECK(found({{"order", "gte.SO-9"}}) == "SO-9 SO-10 SO-11");
  CHECK(found({{"path", "has.so-9.json"}}) == "SO-9");
  CHECK(found({{"lateness_days", "gt.0"}}) == "SO-7");
  CHECK(found({{"lateness_days", "none"}}) == "SO-9 SO-11");
  CHECK(found({{"lateness_days", "lt.0"}}) == "SO-10");
  CHECK(found({{"changed_at", "2026-01-01"}}) == "SO-7 SO-9 SO-10 SO-11");
  CHECK(found({{"updated", "none"}, {"format", "json"}}) == "SO-7 SO-9 SO-10 SO-11");
}

TEST_CASE("one search looks at numbers, customers, references and items") {
  CHECK(found({{"q", "4711"}}) == "SO-10");
  CHECK(found({{"q", "MULLER"}}) == "SO-7 SO-9");
  CHECK(found({{"q", "so-1"}}) == "SO-10 SO-11");
  CHECK(found({{"q", "chain"}}) == "SO-11");
  CHECK(found({{"q", "c2"}}) == "SO-10");
  CHECK(found({{"q", "nothing like it"}}) == "");
}

TEST_CASE("orders without a value come last, whichever way the list is sorted") {
  CHECK(found({{"sort", "due"}}) == "SO-9 SO-7 SO-10 SO-11");
  CHECK(found({{"sort", "-due"}}) == "SO-10 SO-7 SO-9 SO-11");
  CHECK(found({{"sort", "customer_name,-order"}}) == "SO-10 SO-9 SO-7 SO-11");
  CHECK(found({{"sort", "-order"}}) == "SO-11 SO-10 SO-9 SO-7");
}

TEST_CASE("all that is wrong with a question is said at once, with what would be right") {
  const auto parsed = parse_order_query({{"custmer", "C1"}, {"limit", "0"}, {"sort", "duo"}, {"due", "tomorrow"},
                                         {"open_amount", "has.5"}, {"due", "lt.none"}, {"status", "in.(a,b"},
                                         {"q", std::string(600, 'x')}, {"format_of", "csv"}},
                                        today_day, std::array<std::string_view, 1>{"format_of"});
  std::string told;
  for (const auto& error : parsed.errors) told += error.parameter + " " + error.code + ": " + error.detail + "\n";
  CHECK(told ==
        "custmer unknown-parameter: there is no parameter \"custmer\"; did you mean customer?\n"
        "limit limit: limit is a number from 1 to 1000, not \"0\"; exports give all rows\n"
        "sort bad-value: there is no field \"duo\"; did you mean due?\n"
        "due bad-value: \"tomorrow\" is no value of due; write 2026-11-21, today, today+7 or none\n"
        "open_amount bad-value: has works on texts only; use eq, ne, lt, lte, gt, gte or in for open_amount\n"
        "due bad-value: none has no order; use eq, ne or in\n"
        "status bad-value: a list is written in.(a,b,c); the closing bracket is missing\n"
        "q limit: a filter has at most 512 bytes, this one has 600\n");
}

TEST_CASE("a cursor of another question, a damaged or a made-up one is refused") {
  World world = small_world();
  const auto snapshot = world.snapshot();
  const auto page = orders(*snapshot, ask({{"limit", "2"}}), today_day);
  REQUIRE(page);
  REQUIRE_FALSE(page->next_cursor.empty());
  CHECK(page->prev_cursor.empty());
  const auto other = orders(*snapshot, ask({{"limit", "2"}, {"sort", "due"}, {"cursor", page->next_cursor}}), today_day);
  REQUIRE_FALSE(other);
  CHECK(other.error().text().starts_with("cursor-mismatch"));
  std::mt19937_64 random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string text = page->next_cursor;
    if (i % 2 == 0) text[random() % text.size()] = static_cast<char>(random() % 256);
    else text.resize(random() % text.size());
    if (text == page->next_cursor || text.empty()) continue;
    (void)orders(*snapshot, ask({{"limit", "2"}, {"cursor", text}}), today_day);  // refused or harmless, never a crash
  }
  CHECK_FALSE(orders(*snapshot, ask({{"cursor", "!!!"}}), today_day));
  CHECK_FALSE(orders(*snapshot, ask({{"cursor", "AAAA"}}), today_day));
}

TEST_CASE("a cursor holds its place while rows come and go") {
  World world = small_world();
  auto snapshot = world.snapshot();
  auto page = orders(*snapshot, ask({{"limit", "2"}}), today_day);
  REQUIRE(page);
  CHECK(numbers(page->rows) == "SO-7 SO-9");
  world.remove("SO-9");
  world.sales_order("SO-8").customer("C9").line("1", "EUR 1");
  snapshot = world.snapshot();
  page = orders(*snapshot, ask({{"limit", "2"}, {"cursor", page->next_cursor}}), today_day);
  REQUIRE(page);
  CHECK(numbers(page->rows) == "SO-10 SO-11");
  CHECK(page->next_cursor.empty());
  const auto back = orders(*snapshot, ask({{"limit", "2"}, {"cursor", page->prev_cursor}}), today_day);
  REQUIRE(back);
  CHECK(numbers(back->rows) == "SO-7 SO-8");
}

// Random worlds, asked in many ways, against an answer computed row by row without any of the machinery.
struct RandomWorld {
  World world;
  std::mt19937_64 random;
  explicit RandomWorld(std::uint64_t seed) : random(seed) {
    for (int i = 0; i < 700; ++i) tell();
    (void)world.snapshot();
    for (int i = 0; i < 200; ++i) {
      if (below(3) == 0) world.remove("SO-" + std::to_string(below(900)));
      else tell();
    }
  }
  std::uint64_t below(std::uint64_t n) { return random() % n; }
  void tell() {
    auto& story = world.sales_order("SO-" + std::to_string(below(900)));
    story.no_lines().status(std::array{"Open", "In Production", "Closed"}[below(3)]);
    story.customer("C" + std::to_string(below(12)), std::array{"Alpen Werk", "ÅSE", "Zed"}[below(3)]);
    const std::string currency = std::array{"EUR ", "JPY "}[below(2)];
    if (below(5) != 0) story.requested(iso(day_from_number(day_number(today_day) - 20 + static_cast<int>(below(40)))));
    for (std::uint64_t i = below(4); i < 4; ++i) {
      story.line(std::to_string(1 + below(9)), currency + std::to_string(1 + below(50)));
      story.item("A-" + std::to_string(below(6))).manufacturer(std::array{"Festo", "Bosch"}[below(2)]);
      if (below(2) == 0) story.open("0");
    }
  }
};

using Naive = std::vector<OrderRow>;

Naive naive(const readmodel::Snapshot& snapshot, OrderCursor& everything, auto keep, auto less) {
  Naive rows = everything.next(100'000);
  std::erase_if(rows, [&](const OrderRow& row) { return !keep(snapshot, row); });
  std::sort(rows.begin(), rows.end(), [&](const OrderRow& a, const OrderRow& b) {
    if (less(a, b)) return true;
    if (less(b, a)) return false;
    return natural_less(a.order, b.order);
  });
  return rows;
}

TEST_CASE("any filtered and sorted list, its pages both ways, its window and its sums equal a naive answer") {
  using Keep = bool (*)(const readmodel::Snapshot&, const OrderRow&);
  using Less = bool (*)(const OrderRow&, const OrderRow&);
  const auto has_item = [](const readmodel::Snapshot& snapshot, const OrderRow& row) {
    const auto detail = order_detail(snapshot, row.order, today_day);
    return std::any_of(detail->put.order->lines.begin(), detail->put.order->lines.end(),
                       [](const OrderLine& line) { return line.item_code == "A-2"; });
  };
  const std::vector<std::pair<Parameters, Keep>> filters{
      {{}, [](const auto&, const OrderRow&) { return true; }},
      {{{"status", "Open"}}, [](const auto&, const OrderRow& row) { return row.status == "Open"; }},
      {{{"late", "true"}, {"currency", "JPY"}}, [](const auto&, const OrderRow& row) { return row.open_amount > 0 && row.due && *row.due < today_day && row.currency.code() == "JPY"; }},
      {{{"due", "gte.today-3"}, {"open_amount", "lt.9000"}}, [](const auto&, const OrderRow& row) { return row.due && day_number(*row.due) >= day_number(today_day) - 3 && row.open_amount < 9000; }},
      {{{"customer", "in.(C1,C10,c3)"}}, [](const auto&, const OrderRow& row) { return row.customer == "C1" || row.customer == "C10" || row.customer == "C3"; }},
      {{{"customer", "c7"}, {"status", "Open"}}, [](const auto&, const OrderRow& row) { return row.customer == "C7" && row.status == "Open"; }},
      {{{"customer", "C4"}, {"customer", "in.(C4,C5)"}, {"late", "false"}, {"q", "ase"}}, [](const auto&, const OrderRow& row) { return row.customer == "C4" && !row.late && row.customer_name == "ÅSE"; }},
      {{{"customer", "C99"}}, [](const auto&, const OrderRow&) { return false; }},
      {{{"customer", "ne.C4"}, {"due", "in.(none,today)"}}, [](const auto&, const OrderRow& row) { return row.customer != "C4" && (!row.due || *row.due == today_day); }},
      {{{"item", "A-2"}}, has_item},
      {{{"q", "ase"}}, [](const auto&, const OrderRow& row) { return row.customer_name == "ÅSE"; }},
  };
  const std::vector<std::pair<std::string, Less>> sorts{
      {"", [](const OrderRow&, const OrderRow&) { return false; }},
      {"-open_amount", [](const OrderRow& a, const OrderRow& b) { return a.open_amount > b.open_amount; }},
      {"customer,-total", [](const OrderRow& a, const OrderRow& b) { return a.customer != b.customer ? natural_less(a.customer, b.customer) : a.total > b.total; }},
      {"due", [](const OrderRow& a, const OrderRow& b) { return a.due && (!b.due || *a.due < *b.due); }},
      {"-lateness_days", [](const OrderRow& a, const OrderRow& b) { return a.lateness_days && (!b.lateness_days || *a.lateness_days > *b.lateness_days); }},
  };
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    RandomWorld random(seed);
    const auto snapshot = random.world.snapshot();
    for (const auto& [filter, keep] : filters) {
      for (const auto& [sort, less] : sorts) {
        CAPTURE(seed);
        CAPTURE(sort);
        Parameters parameters = filter;
        if (!sort.empty()) parameters.emplace_back("sort", sort);
        OrderCursor everything(snapshot, OrderQuery{}, today_day);
        const Naive expected = naive(*snapshot, everything, keep, less);

        OrderCursor all(snapshot, ask(parameters), today_day);
        REQUIRE(numbers(all.next(100'000)) == numbers(expected));

        Parameters paged = parameters;
        paged.emplace_back("limit", std::to_string(17 + random.below(60)));
        std::vector<OrderRow> forward, backward;
        OrderQuery query = ask(paged);
        OrderPage last;
        for (;;) {
          auto page = orders(*snapshot, query, today_day);
          REQUIRE(page);
          REQUIRE(page->matching == expected.size());
          forward.insert(forward.end(), page->rows.begin(), page->rows.end());
          last = *page;
          if (page->next_cursor.empty()) break;
          query.cursor = page->next_cursor;
        }
        CHECK(numbers(forward) == numbers(expected));
        backward = last.rows;
        for (query.cursor = last.prev_cursor; !query.cursor.empty();) {
          auto page = orders(*snapshot, query, today_day);
          REQUIRE(page);
          backward.insert(backward.begin(), page->rows.begin(), page->rows.end());
          query.cursor = page->prev_cursor;
        }
        CHECK(numbers(backward) == numbers(expected));

        const std::size_t offset = random.below(expected.size() + 5);
        const auto window = orders_window(*snapshot, ask(paged), offset, today_day);
        REQUIRE(window);
        const std::size_t begin = std::min(offset, expected.size());
        const std::size_t end = std::min(expected.size(), begin + query.limit);
        CHECK(numbers(window->rows) == numbers({expected.begin() + static_cast<long>(begin), expected.begin() + static_cast<long>(end)}));

        std::map<std::string, std::array<std::int64_t, 6>> sums;
        for (const OrderRow& row : expected) {
          auto& sum = sums[row.currency.code()];
          sum[0] += 1, sum[1] += row.lines, sum[2] += row.total, sum[3] += row.open_amount;
          if (row.late) sum[4] += 1, sum[5] += row.open_amount;
        }
        REQUIRE(last.sums.size() == sums.size());
        for (const CurrencySum& sum : last.sums) {
          CHECK(sums.at(sum.currency.code()) == std::array<std::int64_t, 6>{static_cast<std::int64_t>(sum.orders), static_cast<std::int64_t>(sum.lines), sum.total, sum.open_amount, static_cast<std::int64_t>(sum.late_orders), sum.late_amount});
        }
      }
      for (const OrderRow& row : OrderCursor(snapshot, OrderQuery{}, today_day).next(50)) {
        CHECK(matches(*snapshot, row.order, ask(filter), today_day) == keep(*snapshot, row));
      }
    }
    // Kept totals equal totals by one pass: a filter that everything passes forces the pass.
    for (const std::string_view name : totals_group_names()) {
      const auto kept = totals(*snapshot, *parse_totals_group(name), OrderQuery{}, today_day);
      const auto passed = totals(*snapshot, *parse_totals_group(name), ask({{"order", "*"}}), today_day);
      CHECK(table(*kept) == table(*passed));
    }
  }
}

TEST_CASE("groups come sorted by what was asked for, only the first of them, and say how many there are") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    RandomWorld random(seed);
    const auto snapshot = random.world.snapshot();
    for (const std::string_view group : totals_group_names()) {
      for (const Parameters& filter : {Parameters{}, Parameters{{"status", "Open"}, {"due", "lte.today+3"}}, Parameters{{"customer", "C3"}}, Parameters{{"currency", "JPY"}}}) {
        for (const std::string_view sort : totals_sort_names()) {
          for (const bool descending : {true, false}) {
            CAPTURE(seed);
            CAPTURE(group);
            CAPTURE(sort);
            CAPTURE(descending);
            const OrderQuery query = ask(filter);
            const auto everything = totals(*snapshot, *parse_totals_group(group), query, today_day, {*parse_totals_sort(sort), descending});
            CHECK(everything->rows.size() == everything->groups);
            // The same by the rule in words: the currency with the most orders decides, then the others, then the key.
            std::map<std::string, std::uint64_t> orders;
            for (const TotalRow& row : everything->rows)
              for (const CurrencySum& sum : row.sums) orders[sum.currency.code()] += sum.orders;
            std::vector<std::string> currencies;
            for (const auto& [code, count] : orders) currencies.push_back(code);
            std::stable_sort(currencies.begin(), currencies.end(), [&](auto& a, auto& b) { return orders[a] > orders[b]; });
            const auto values = [&](const TotalRow& row) {
              std::vector<std::int64_t> all(currencies.size());
              for (const CurrencySum& sum : row.sums) {
                const auto place = static_cast<std::size_t>(std::find(currencies.begin(), currencies.end(), sum.currency.code()) - currencies.begin());
                const std::map<std::string_view, std::int64_t> by_name{
                    {"open_amount", sum.open_amount}, {"total", sum.total}, {"net", sum.net}, {"late_amount", sum.late_amount}};
                const std::map<std::string_view, std::uint64_t> counts{
                    {"orders", sum.orders}, {"lines", sum.lines}, {"open_orders", sum.open_orders}, {"late_orders", sum.late_orders}};
                if (const auto amount = by_name.find(sort); amount != by_name.end()) all[place] = amount->second;
                if (const auto count = counts.find(sort); count != counts.end()) all[0] += static_cast<std::int64_t>(count->second);
              }
              return all;
            };
            const auto before = [&](const TotalRow& a, const TotalRow& b) {
              if (sort == "key") return descending ? natural_less(b.key, a.key) : natural_less(a.key, b.key);
              const auto left = values(a), right = values(b);
              if (left != right) return descending ? left > right : left < right;
              return natural_less(a.key, b.key);
            };
            CHECK(std::is_sorted(everything->rows.begin(), everything->rows.end(), before));
            const std::size_t limit = 1 + random.below(5);
            auto some = totals(*snapshot, *parse_totals_group(group), query, today_day, {*parse_totals_sort(sort), descending, limit});
            CHECK(some->groups == everything->groups);
            Totals first = *everything;
            first.rows.resize(std::min(limit, first.rows.size()));
            CHECK(table(*some) == table(first));
          }
        }
      }
    }
  }
}

TEST_CASE("totals per customer, item and month name what is open in each currency") {
  World world = small_world();
  const auto snapshot = world.snapshot();
  CHECK(table(*totals(*snapshot, TotalsGroup::customer, OrderQuery{}, today_day)) ==
        "C2 (ACME): EUR 80.00 open of EUR 80.00, 1 orders, 1 lines, 1 open, 0 late EUR 0.00\n"
        "C1 (Müller GmbH): EUR 50.00 open of EUR 100.00, 1 orders, 1 lines, 1 open, 1 late EUR 50.00\n"
        "JPY 0 open of JPY 900, 1 orders, 1 lines, 0 open, 0 late JPY 0\n"
        "C3 (Nord, Süd & Co): JPY 1500 open of JPY 1500, 1 orders, 1 lines, 1 open, 0 late JPY 0\n");
  CHECK(table(*totals(*snapshot, TotalsGroup::due_month, ask({{"currency", "EUR"}}), today_day)) ==
        "2026-03: EUR 130.00 open of EUR 180.00, 2 orders, 2 lines, 2 open, 1 late EUR 50.00\n");
  CHECK(table(*totals(*snapshot, TotalsGroup::due_month, ask({{"due", "none"}}), today_day)) ==
        "none: JPY 1500 open of JPY 1500, 1 orders, 1 lines, 1 open, 0 late JPY 0\n");
  CHECK_FALSE(parse_totals_group("colour").has_value());
}

TEST_CASE("the morning's answer ranks what is late within its currency") {
  World world = small_world();
  world.sales_order("SO-20").customer("C5").requested("2026-01-01").line("1", "EUR 10.00");
  world.sales_order("SO-21").customer("C5").requested("2026-03-09").line("1", "JPY 99999");
  world.reject(1, "Open/bad.json", "not JSON");
  const auto snapshot = world.snapshot();
  const Today answer = today(*snapshot, today_day, 10);
  CHECK(numbers(answer.needs_decision) == "SO-20 SO-21 SO-7");
  CHECK(table(answer.due_soon) == "EUR 80.00 open of EUR 80.00, 1 orders, 1 lines, 1 open, 0 late EUR 0.00\n");
  CHECK(answer.ages[1].name == "1-7");
  CHECK(answer.ages[1].sums.size() == 2);
  CHECK(answer.rejections == 1);
  CHECK(numbers(today(*snapshot, today_day, 1).needs_decision) == "SO-20");
}

TEST_CASE("an order that is not there is not found, and the answer says what to check") {
  World world = small_world();
  const auto snapshot = world.snapshot();
  const auto detail = order_detail(*snapshot, "SO-99", today_day);
  REQUIRE_FALSE(detail);
  CHECK(detail.error().code() == ErrorCode::not_found);
  CHECK(order_detail(*snapshot, "SO-7", today_day)->row.lateness_days == 7);
  CHECK_FALSE(order_row(*snapshot, "SO-99", today_day).has_value());
}

TEST_CASE("rejections come newest first") {
  World world;
  world.reject(5, "a.json", "not JSON");
  world.reject(3, "b.json", "no number");
  world.reject(4, "c.json", "no lines");
  world.solve_rejection(4);
  const auto all = rejections(*world.snapshot());
  REQUIRE(all.size() == 2);
  CHECK(all[0].path == "b.json");
  CHECK(all[1].path == "a.json");
}

TEST_CASE("every field of the catalogue stands at its own place and can be found by its name") {
  for (std::size_t i = 0; i < order_fields().size(); ++i) {
    CHECK(static_cast<std::size_t>(order_fields()[i].field) == i);
    CHECK(find_field(order_fields()[i].name) == &order_fields()[i]);
    World world = small_world();
    const auto snapshot = world.snapshot();
    const auto page = orders(*snapshot, ask({{"sort", "-" + std::string(order_fields()[i].name)}}), today_day);
    REQUIRE(page);
    CHECK(page->rows.size() == 4);
  }
}

}  // namespace
}  // namespace millrace::query
