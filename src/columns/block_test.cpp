#include "columns/block.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

#include "columns/block_encoder.h"

namespace millrace::columns {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
using Column64 = std::vector<std::int64_t>;

// Columns of plain numbers; the first one is the run key.
Shape number_shape(std::size_t columns) {
  Shape shape;
  for (std::size_t column = 0; column < columns; ++column)
    shape.columns.push_back({"c" + std::to_string(column), NumberFormat{}, nullptr});
  shape.derivations.resize(columns);
  shape.run_key = 0;
  return shape;
}

std::shared_ptr<const Block> encoded(const Shape& shape, const std::vector<Column64>& columns) {
  std::vector<const std::int64_t*> pointers;
  for (const auto& column : columns) pointers.push_back(column.data());
  return BlockEncoder(shape).encode(pointers, columns.front().size());
}

void must_say(const Block& block, const Shape& shape, const std::vector<Column64>& columns) {
  const std::size_t rows = columns.front().size();
  REQUIRE(block.rows() == rows);
  for (std::size_t column = 0; column < columns.size(); ++column) {
    Column64 decoded(block_rows);
    block.decode(shape, column, decoded.data());
    decoded.resize(rows);
    RC_ASSERT(decoded == columns[column]);
    for (std::size_t row = 0; row < rows; row += 1 + rows / 37)
      RC_ASSERT(block.value(shape, column, row) == columns[column][row]);
  }
  const std::size_t first = rows / 3;
  const std::size_t count = std::min<std::size_t>(64, rows - first);
  Column64 read(columns.size() * count);
  block.read(shape, first, count, read.data());
  for (std::size_t column = 0; column < columns.size(); ++column)
    for (std::size_t row = 0; row < count; ++row) RC_ASSERT(read[column * count + row] == columns[column][first + row]);
}

// A column in one of the shapes that order data takes, or none.
Column64 arbitrary_column(std::size_t rows, const Column64& key) {
  const auto kind = *rc::gen::inRange(0, 9);
  const auto base = *rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange<std::int64_t>(-1000, 1000));
  const auto wide = *rc::gen::element<std::int64_t>(1, 2, 37, 1000, 1'000'000'007);
  std::uint64_t state = static_cast<std::uint64_t>(*rc::gen::arbitrary<std::uint32_t>());
  const auto next = [&] { return (state = state * 6364136223846793005U + 1442695040888963407U) >> 20; };
  Column64 column(rows);
  std::int64_t of_run = 0;
  std::size_t place = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row == 0 || (!key.empty() && key[row] != key[row - 1])) {
      of_run = static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(wide));
      place = 0;
    }
    const auto noise = static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(wide));
    switch (kind) {
      case 0:
        column[row] = noise;
        break;
      case 1:
        column[row] = of_run;
        break;
      case 2:
        column[row] = static_cast<std::int64_t>(++place);
        break;
      case 3:
        column[row] = static_cast<std::int64_t>(row) * 7 + noise % 2;
        break;
      case 4:
        column[row] = next() % 50 == 0 ? noise * 1'000'003 : 0;
        break;
      case 5:
        column[row] = next() % 3 == 0 ? absent : noise;
        break;
      case 6:
        column[row] = static_cast<std::int64_t>(static_cast<std::uint64_t>(base) ^ next() << 20);
        break;
      case 7:
        column[row] = next() % 40 == 0 ? (next() % 2 == 0 ? largest : absent + 1) : base;
        break;
      default:
        column[row] = next() % 100 == 0 ? of_run + 1 : of_run;
        break;
    }
  }
  return column;
}

TEST_CASE("A block says exactly what it was made from, whatever the columns hold") {
  CHECK(rc::check("round trip", [] {
    const auto rows = *rc::gen::oneOf(rc::gen::inRange<std::size_t>(1, 200), rc::gen::just(block_rows),
                                      rc::gen::inRange<std::size_t>(1000, 4097));
    Column64 key(rows);
    std::int64_t order = *rc::gen::inRange<std::int64_t>(0, 100000);
    const auto lines = *rc::gen::inRange(1, 9);
    for (std::size_t row = 0, left = 0; row < rows; ++row) {
      if (left == 0) left = static_cast<std::size_t>(1 + (row * 7) % static_cast<std::size_t>(lines)), ++order;
      --left;
      key[row] = order;
    }
    std::vector<Column64> columns{key};
    const auto more = *rc::gen::inRange(1, 6);
    for (int column = 0; column < more; ++column) columns.push_back(arbitrary_column(rows, key));
    const Shape shape = number_shape(columns.size());
    const auto block = encoded(shape, columns);
    must_say(*block, shape, columns);
    const auto wanted = key[rows / 2];
    RC_ASSERT(block->lower_bound(shape, 0, wanted) ==
              static_cast<std::size_t>(std::lower_bound(key.begin(), key.end(), wanted) - key.begin()));
    RC_ASSERT(block->lower_bound(shape, 0, wanted + 1) ==
              static_cast<std::size_t>(std::upper_bound(key.begin(), key.end(), wanted) - key.begin()));
    RC_ASSERT(block->lower_bound(shape, 0, largest) == rows);
  }));
}

TEST_CASE("The ends of the number range and empty cells survive in one column") {
  const Shape shape = number_shape(2);
  for (const std::size_t rows : {1U, 2U, 5U, 4096U}) {
    Column64 key(rows), values(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      key[row] = static_cast<std::int64_t>(row);
      values[row] = std::array<std::int64_t, 5>{largest, absent + 1, absent, 0, -1}[row % 5];
    }
    must_say(*encoded(shape, {key, values}), shape, {key, values});
    must_say(*encoded(shape, {key, Column64(rows, absent)}), shape, {key, Column64(rows, absent)});
  }
}

TEST_CASE("Lines of orders take next to nothing where one thing follows from another") {
  Shape shape = number_shape(5);  // order, line, item, price, customer
  shape.columns[2] = {"item", std::nullopt, std::make_shared<Dictionary>()};
  shape.derivations[3] = std::make_shared<Derivation>();
  shape.derivations[3]->source = 2;
  std::vector<Column64> columns(5, Column64(block_rows));
  std::uint64_t state = 1;
  for (std::size_t row = 0; row < block_rows; ++row) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const auto item = static_cast<std::int64_t>((state >> 33) % 500);
    const auto order = static_cast<std::int64_t>(row / 5);
    columns[0][row] = 700'000 + order;
    columns[1][row] = static_cast<std::int64_t>(row % 5) + 1;
    columns[2][row] = item;
    columns[3][row] = item * 7919 % 90'000;
    columns[4][row] = order * 7 % 64;
  }
  columns[3][4000] = 5;  // a price of its own
  const auto block = encoded(shape, columns);
  must_say(*block, shape, columns);
  CHECK(block->segment(0).basis == Basis::run);
  CHECK(block->segment(0).width == 0);
  CHECK(block->segment(1).basis == Basis::place);
  CHECK(block->segment(2).width == 9);
  CHECK(block->segment(3).basis == Basis::derived);
  CHECK(block->segment(3).exception_count == 1);
  CHECK(block->segment(4).basis == Basis::run);
  CHECK(block->bytes() * 8 < block_rows * 14);
}

}  // namespace
}  // namespace millrace::columns
