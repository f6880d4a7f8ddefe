#include "columns/csv_table.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstring>

#include "columns/column_guess.h"

namespace millrace::columns {
namespace {

// A file in memory, handed out in pieces of `piece` bytes.
OpenFile held(std::string content, std::size_t piece = 1 << 16) {
  auto bytes = std::make_shared<const std::string>(std::move(content));
  return [bytes, piece]() -> Result<ByteSource> {
    return ByteSource([bytes, piece, at = std::size_t{0}](std::span<char> buffer) mutable -> Result<std::size_t> {
      const std::size_t now = std::min({buffer.size(), piece, bytes->size() - at});
      std::memcpy(buffer.data(), bytes->data() + at, now);
      at += now;
      return now;
    });
  };
}

std::string written(const CsvTable& csv) {
  std::string out;
  REQUIRE(write_csv(*csv.table->snapshot(), csv.dialect, csv.head, [&](std::string_view bytes) {
    out += bytes;
    return true;
  }));
  return out;
}

CsvTable loaded(const std::string& content) {
  auto csv = load_csv(held(content), {});
  REQUIRE_MESSAGE(csv, csv.error().text());
  return std::move(*csv);
}

std::string refusal(const std::string& content, LoadOptions options = {}) {
  const auto csv = load_csv(held(content), options);
  REQUIRE_FALSE(csv);
  return csv.error().text();
}

TEST_CASE("Columns get the type their texts have, and no other") {
  const auto csv = loaded(
      "id,price,day,code,quoted,dirty,empty,item\n"
      "1,10.00,2026-11-21,007,\"5\",1,,SO-001\n"
      "2,0.50,2026-11-22,012,\"6\",01,,SO-002\n"
      ",-3.25,,113,\"7\",x,,SO-003\n");
  const auto& columns = csv.table->shape().columns;
  CHECK(columns[0].format == NumberFormat{});
  CHECK(columns[1].format->decimals == 2);
  CHECK(columns[2].format->kind == NumberKind::date);
  CHECK(columns[3].format->kind == NumberKind::padded);
  CHECK(columns[4].format->prefix == "\"");
  CHECK(columns[5].is_text());
  CHECK(columns[6].is_text());
  CHECK(columns[7].format->prefix == "SO-");
  CHECK(csv.table->snapshot()->value(0, 2) == absent);
  CHECK(csv.table->snapshot()->value(1, 2) == -325);
}

TEST_CASE("Whatever a file looks like, it is written back to the byte") {
  for (const std::string file : {"a\n", "a", "a,b\n1,2\n", "a,b\n1,2", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r\n1,2\r\n3,4",
                                 "a,b\r\n1,2\n3,4\r\n", "a,b\n1,2\r\n3,4\n",
                                 "\xEF\xBB\xBF"
                                 "a;b\n1;2\n",
                                 "a\tb\n\"x\ty\"\t\"\"\n", "a,b\n\"line\nbreak\",\"say \"\"hi\"\"\"\n",
                                 "a,b\n,\n\"\",\n", "a,b\nM\xFCller,5\" pipe\n", "a\n\n1\n", "a,b\n\"1\r\n2\",3\n",
                                 "a,b\r\n\"1\",\"2\"\r\n", "a,b\r\n1,\"2\"\r\n3,\"x\"\n", "a|b\nx,y|1\n"}) {
    CAPTURE(file);
    CHECK(written(loaded(file)) == file);
  }
}

TEST_CASE("A row far down that contradicts the start changes the type, not the text") {
  std::string file = "id,amount\n";
  for (int row = 0; row < 70'000; ++row) file += std::to_string(row) + "," + std::to_string(row % 97) + ".50\n";
  file += "70000,n/a\n";
  const auto csv = loaded(file);
  CHECK(csv.table->shape().columns[0].format);
  CHECK(csv.table->shape().columns[1].is_text());
  CHECK(written(csv) == file);
}

TEST_CASE("Random files come back to the byte, in whatever pieces they are read") {
  CHECK(rc::check("round trip", [] {
    const auto width = *rc::gen::inRange<std::size_t>(1, 5);
    const auto rows = *rc::gen::inRange<std::size_t>(0, 60);
    const auto line_end = *rc::gen::element<std::string>("\n", "\r\n");
    const auto cell = rc::gen::oneOf(
        rc::gen::element<std::string>("", "0", "17", "-4", "1.50", "\"\"", "\"x,y\"", "\"a\nb\"", "\"a\r\nb\"",
                                      "\"q\"\"q\"", "text", "2026-01-31", "SO-0017", "a\"b", "\r"),
        rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t number) { return std::to_string(number); }));
    std::string file;
    for (std::size_t column = 0; column < width; ++column) file += (column > 0 ? ",c" : "c") + std::to_string(column);
    for (std::size_t row = 0; row < rows; ++row) {
      file += *rc::gen::inRange(0, 20) == 0 ? "\n" : line_end;
      for (std::size_t column = 0; column < width; ++column) file += (column > 0 ? "," : "") + *cell;
    }
    if (*rc::gen::arbitrary<bool>()) file += line_end;
    const auto csv = load_csv(held(file, *rc::gen::inRange<std::size_t>(1, 40)), {});
    RC_ASSERT(csv.has_value());
    RC_ASSERT(written(*csv) == file);
  }));
}

TEST_CASE("What is no table is refused with its row and the reason") {
  CHECK(refusal("") == "the file is empty: the first line must name the columns");
  CHECK(refusal("a,b\n1,2\n3\n") == "row 3 has 1 field, the first row has 2");
  CHECK(refusal("a,b\n1,2,3\n") == "row 2 has 3 fields, the first row has 2");
  CHECK(refusal("a,b\n1,\"2\n") == "row 2: a quote is opened and not closed");
  CHECK(refusal("a,b\n1,\"2\"x\n") == "row 2: text goes on after a closing quote");
  CHECK(refusal(std::string("P\0K\3", 4) + "\n").find("zero bytes") != std::string::npos);
  LoadOptions tight;
  tight.limits = {.field_bytes_max = 10, .record_bytes_max = 1 << 20, .fields_max = 3};
  CHECK(refusal("a,b\n1,12345678901\n", tight) == "row 2: field 2 is longer than 10 bytes");
  CHECK(refusal("a,b,c,d\n", tight) == "row 1: there are more than 3 fields");
  CHECK(refusal("a\n\"" + std::string(3 << 20, 'x'), tight).find("row 2: the row is longer than") == 0);
  LoadOptions small;
  small.memory_max = 1000;
  CHECK(refusal("a\n1\n", small).find("over its bound of 1000 bytes") != std::string::npos);
}

TEST_CASE("Columns that belong together are found from the rows") {
  std::vector<std::int64_t> order, line, item, price, customer;
  for (std::int64_t row = 0; row < 2000; ++row) {
    order.push_back(row / 4);
    line.push_back(row % 4);
    item.push_back(row * 7919 % 83);
    price.push_back(item.back() * 13 % 101);
    customer.push_back(row / 4 * 31 % 17);
  }
  const Relations found = find_relations({{order.data(), false},
                                          {line.data(), false},
                                          {item.data(), true},
                                          {price.data(), false},
                                          {customer.data(), true}},
                                         2000);
  CHECK(found.run_key == 0);
  CHECK(found.sources[3] == 2);
  CHECK_FALSE(found.sources[1]);
  CHECK_FALSE(found.sources[4]);
}

}  // namespace
}  // namespace millrace::columns
