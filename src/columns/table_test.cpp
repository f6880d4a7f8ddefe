#include "columns/table.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <thread>

#include "columns/scan.h"

namespace millrace::columns {
namespace {

// order (ascending, run key), status (text), amount (number)
constexpr std::size_t order = 0, status = 1, amount = 2;
Shape small_shape() {
  Shape shape;
  shape.columns = {{"order", NumberFormat{}, nullptr},
                   {"status", std::nullopt, std::make_shared<Dictionary>()},
                   {"amount", NumberFormat{}, nullptr}};
  shape.derivations.resize(3);
  shape.run_key = order;
  return shape;
}

// The table as somebody would write it who has memory to spare.
using Naive = std::vector<std::array<std::string, 3>>;

void add_rows(Table& table, Naive& naive, const std::vector<std::array<std::string, 3>>& rows) {
  std::array<std::vector<std::int64_t>, 3> columns;
  for (const auto& row : rows)
    for (std::size_t column = 0; column < 3; ++column) columns[column].push_back(*table.value_of(column, row[column]));
  const std::array<const std::int64_t*, 3> pointers{columns[0].data(), columns[1].data(), columns[2].data()};
  table.append(pointers, rows.size());
  naive.insert(naive.end(), rows.begin(), rows.end());
}

void must_equal(const Snapshot& snapshot, const Naive& naive) {
  RC_ASSERT(snapshot.rows() == naive.size());
  std::vector<std::int64_t> numbers(block_rows);
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    for (std::size_t column = 0; column < 3; ++column) {
      snapshot.decode(block, column, numbers.data());
      for (std::size_t row = 0; row < snapshot.rows_of_block(block); ++row) {
        std::string cell;
        snapshot.append_cell(column, numbers[row], cell);
        RC_ASSERT(cell == naive[block * block_rows + row][column]);
      }
    }
  }
}

std::map<std::string, std::int64_t> naive_totals(const Naive& naive, std::string_view left_out) {
  std::map<std::string, std::int64_t> totals;
  for (const auto& row : naive)
    if (row[1] != left_out && !row[2].empty()) totals[row[1]] += std::stoll(row[2]);
  return totals;
}

std::map<std::string, std::int64_t> named(const Table& table, const std::vector<GroupTotal>& groups) {
  std::map<std::string, std::int64_t> totals;
  for (const GroupTotal& group : groups)
    totals[std::string(table.shape().columns[status].dictionary->text(static_cast<std::uint32_t>(group.group)))] =
        static_cast<std::int64_t>(group.sum);
  return totals;
}

TEST_CASE("A table under random additions and changes is the naive table, and old snapshots stay as they were") {
  CHECK(rc::check("model", [] {
    Table table(small_shape());
    Naive naive;
    const std::vector<std::string> words{"open", "closed", "", "\"a,b\"", "on hold"};
    std::uint64_t state = *rc::gen::arbitrary<std::uint32_t>();
    const auto next = [&](std::uint64_t below) {
      return ((state = state * 6364136223846793005U + 1442695040888963407U) >> 30) % below;
    };
    for (const auto& word : words) (void)table.value_of(status, word);
    std::int64_t number = 0;
    const auto fresh_rows = [&](std::size_t count) {
      Naive rows;
      for (std::size_t row = 0; row < count; ++row) {
        number += static_cast<std::int64_t>(next(2));
        rows.push_back({std::to_string(number), words[next(words.size())],
                        next(9) == 0 ? "" : std::to_string(static_cast<std::int64_t>(next(5000)) - 2500)});
      }
      return rows;
    };
    add_rows(table, naive, fresh_rows(next(9000)));
    const Condition not_closed{status,
                               {*table.value_of(status, "open"), *table.value_of(status, ""),
                                *table.value_of(status, "\"a,b\""), *table.value_of(status, "on hold")}};
    const TotalQuestion question{amount, not_closed, Grouping{status, 0, 1}};
    const std::size_t kept = table.keep_total(question);
    table.publish();
    auto old = table.snapshot();
    Naive old_naive = naive;
    const auto steps = *rc::gen::inRange(1, 8);
    for (int step = 0; step < steps; ++step) {
      switch (next(6)) {
        case 0:
          add_rows(table, naive, fresh_rows(next(6000)));
          break;
        case 1:
          table.compact();
          break;
        case 2:
          table.publish();
          must_equal(*old, old_naive);
          old = table.snapshot();
          old_naive = naive;
          break;
        default:
          for (std::size_t change = next(700); change > 0 && !naive.empty(); --change) {
            const std::size_t row = next(2) == 0 ? next(naive.size()) : next(std::min<std::size_t>(naive.size(), 50));
            const std::size_t column = next(20) == 0 ? order : 1 + next(2);
            const std::string cell = column == status                   ? words[next(words.size())]
                                     : next(7) == 0 && column == amount ? ""
                                                                        : std::to_string(next(100'000));
            RC_ASSERT(table.set_cell(row, column, cell).has_value());
            naive[row][column] = cell;
          }
      }
    }
    table.publish();
    const auto snapshot = table.snapshot();
    must_equal(*old, old_naive);
    must_equal(*snapshot, naive);
    const auto expected = naive_totals(naive, "closed");
    RC_ASSERT(named(table, totals(*snapshot, question)) == expected);
    RC_ASSERT(named(table, snapshot->kept_total(kept).groups()) == expected);
    RC_ASSERT(totals(*snapshot, question) == snapshot->kept_total(kept).groups());
    if (!naive.empty()) {
      const std::size_t row = next(naive.size());
      const std::int64_t wanted = snapshot->value(order, row);
      std::vector<std::uint64_t> expected_rows;
      for (std::size_t index = 0; index < naive.size(); ++index)
        if (naive[index][order] == naive[row][order]) expected_rows.push_back(index);
      RC_ASSERT(rows_where(*snapshot, {order, {wanted}}, naive.size()) == expected_rows);
      if (snapshot->ascends(order)) {
        const RowRange range = snapshot->equal_range(order, wanted);
        RC_ASSERT(range.first == expected_rows.front());
        RC_ASSERT(range.count == expected_rows.size());
        RC_ASSERT(snapshot->equal_range(order, wanted + 1'000'000'000).count == 0);
      }
    }
  }));
}

TEST_CASE("A cell that its column cannot write is refused with a sentence, and nothing changes") {
  Shape shape = small_shape();
  shape.columns[amount].format = NumberFormat{NumberKind::plain, 2, 0, "", ""};
  Table table(std::move(shape));
  Naive naive;
  add_rows(table, naive, {{"1", "open", "10.00"}, {"2", "open", ""}});
  table.publish();
  const auto refused = table.set_cell(0, amount, "10.5");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::invalid_input);
  CHECK(refused.error().text() == "column amount holds values like 0.12, not \"10.5\"");
  CHECK(table.set_cell(2, amount, "1.00").error().code() == ErrorCode::not_found);
  CHECK(table.set_cell(0, 3, "1.00").error().code() == ErrorCode::not_found);
  CHECK(table.set(0, status, 1).error().code() == ErrorCode::invalid_input);
  table.publish();
  must_equal(*table.snapshot(), naive);
}

TEST_CASE("Changes wait beside their block and are folded into it when they are many") {
  Table table(small_shape());
  Naive naive;
  Naive rows;
  for (int row = 0; row < 4096; ++row) rows.push_back({std::to_string(row / 5), "open", std::to_string(row % 100)});
  add_rows(table, naive, rows);
  table.publish();
  const auto before = table.snapshot();
  for (std::size_t row = 0; row + 1 < delta_cells_max; ++row) REQUIRE(table.set_cell(row, amount, "7"));
  table.publish();
  CHECK(table.snapshot()->state(0)->main == before->state(0)->main);
  CHECK(table.snapshot()->state(0)->delta.size() == delta_cells_max - 1);
  REQUIRE(table.set_cell(4000, status, "closed"));
  table.publish();
  CHECK(table.snapshot()->state(0)->delta.empty());
  CHECK(table.snapshot()->text(status, 4000) == "closed");
  CHECK(before->text(status, 4000) == "open");
}

TEST_CASE("Readers see whole publications while the writer goes on") {
  Table table(small_shape());
  Naive naive;
  Naive rows;
  for (int row = 0; row < 6000; ++row) rows.push_back({std::to_string(row / 5), "open", "10"});
  add_rows(table, naive, rows);
  const TotalQuestion question{amount, std::nullopt, std::nullopt};
  table.keep_total(question);
  table.publish();
  std::atomic<bool> ends{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    while (!ends.load()) {
      const auto snapshot = table.snapshot();
      // Every publication moves amounts between two rows: the total stays.
      if (total(*snapshot, question) != 60'000 || snapshot->kept_total(0).groups().front().sum != 60'000) ++wrong;
    }
  });
  for (int change = 0; change < 3000; ++change) {
    const auto from = static_cast<std::uint64_t>(change * 37 % 6000);
    const auto to = static_cast<std::uint64_t>(change * 101 % 6000);
    const std::int64_t both = table.snapshot()->value(amount, from) + table.snapshot()->value(amount, to);
    if (from == to) continue;
    REQUIRE(table.set(from, amount, both - 3));
    REQUIRE(table.set(to, amount, 3));
    table.publish();
  }
  ends = true;
  reader.join();
  CHECK(wrong.load() == 0);
}

}  // namespace
}  // namespace millrace::columns
