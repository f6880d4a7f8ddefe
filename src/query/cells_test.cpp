#include "query/cells.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "testing/world.h"

namespace millrace::query {
namespace {

using millrace::testing::day;
using millrace::testing::World;

std::string csv(const Cell& cell, const CsvStyle& style = {}) {
  std::string out;
  append_csv_cell(out, cell, style);
  return out;
}

// What a reader of RFC 4180 makes of one written cell.
std::string read_back(std::string_view cell) {
  if (!cell.starts_with('"')) return std::string(cell);
  std::string text;
  for (std::size_t i = 1; i + 1 < cell.size(); ++i) {
    text += cell[i];
    if (cell[i] == '"') ++i;
  }
  return text;
}

TEST_CASE("every column of an order has a cell of the catalogue's type") {
  World world;
  world.sales_order("SO-7").customer("C1", "Müller GmbH").requested("2026-03-03").line("4 pcs", "EUR 25.00").item("A-1", "Bearing").open("2");
  const auto snapshot = world.snapshot();
  const auto row = order_row(*snapshot, "SO-7", day("2026-03-10"));
  REQUIRE(row);
  for (const FieldRow& field : order_fields()) {
    INFO(std::string(field.name));
    CHECK(order_cell(*row, field.field).type == field.type);
  }
  CHECK(order_cell(*row, OrderField::customer_name).text == "Müller GmbH");
  CHECK(order_cell(*row, OrderField::open_amount).text == "50.00");
  CHECK(order_cell(*row, OrderField::open_amount).number == 5000);
  CHECK(order_cell(*row, OrderField::open_amount).currency.code() == "EUR");
  CHECK(order_cell(*row, OrderField::open_quantity).text == "2");
  CHECK(order_cell(*row, OrderField::open_quantity).number == 2 * micros_per_one);
  CHECK(order_cell(*row, OrderField::due).text == "2026-03-03");
  CHECK(order_cell(*row, OrderField::due).day == day("2026-03-03"));
  CHECK(order_cell(*row, OrderField::lateness_days).number == 7);
  CHECK(order_cell(*row, OrderField::late).number == 1);
  CHECK(order_cell(*row, OrderField::promise).text.empty());
  CHECK_FALSE(order_cell(*row, OrderField::promise).day);
  CHECK(order_cell(*row, OrderField::changed_at).instant == row->changed_at);
}

TEST_CASE("a list has the columns asked for, in the catalogue's order, and always the order") {
  OrderQuery query;
  CHECK(list_columns(query).size() == order_fields().size());
  query.fields = {OrderField::total, OrderField::status};
  std::string names;
  for (const FieldRow* column : list_columns(query)) names += std::string(column->name) + " ";
  CHECK(names == "order status total ");
}

TEST_CASE("no text leaves as a formula, in no style") {
  const CsvStyle pipe{.quote_doubtful = false, .line_end = "\n"};
  for (const std::string text : {"=1+1", "+49 40", "-5", "@sum", "\tx", "\rx"}) {
    INFO(text);
    CHECK(csv(text_cell(text)) == "\"'" + text + "\"");
    CHECK(read_back(csv(text_cell(text), pipe)) == "'" + text);
  }
  CHECK(csv(text_cell("=cmd()"), pipe) == "'=cmd()");
  CHECK(csv(number_cell(-5)) == "-5");
  CHECK(csv(money_cell({-500, *Currency::parse("EUR")})) == "-5.00");
}

TEST_CASE("a download quotes what a spreadsheet could misread, a pipe only what it must") {
  const CsvStyle pipe{.quote_doubtful = false, .line_end = "\n"};
  CHECK(csv(text_cell("ACME, Inc.")) == "\"ACME, Inc.\"");
  CHECK(csv(text_cell("ACME, Inc."), pipe) == "\"ACME, Inc.\"");
  CHECK(csv(text_cell("a;b")) == "\"a;b\"");
  CHECK(csv(text_cell("a;b"), pipe) == "a;b");
  CHECK(csv(text_cell("# rows: 3")) == "\"# rows: 3\"");
  CHECK(csv(text_cell("# rows: 3"), pipe) == "# rows: 3");
  CHECK(csv(text_cell("6\" pipe"), pipe) == "\"6\"\" pipe\"");
  CHECK(csv(text_cell("a|b"), {.separator = '|'}) == "\"a|b\"");
}

TEST_CASE("a decimal comma is quoted where the comma also separates") {
  const Cell amount = money_cell({123456, *Currency::parse("EUR")});
  CHECK(csv(amount, {.separator = ';', .decimal = ','}) == "1234,56");
  CHECK(csv(amount, {.separator = ',', .decimal = ','}) == "\"1234,56\"");
  CHECK(csv(quantity_cell(1'500'000), {.separator = ';', .decimal = ','}) == "1,5");
  CHECK(csv(number_cell(1500), {.separator = ';', .decimal = ','}) == "1500");
  CHECK(csv(number_cell({})).empty());
}

TEST_CASE("what is written is read back, whatever the text") {
  CHECK(rc::check("text cells survive CSV", [](const std::string& text) {
    for (const char separator : {',', ';', '\t', '|'}) {
      for (const bool careful : {true, false}) {
        std::string read = read_back(csv(text_cell(text), {.separator = separator, .quote_doubtful = careful}));
        if (read.starts_with('\'') && !text.starts_with('\'')) read.erase(0, 1);
        RC_ASSERT(read == text);
      }
    }
  }));
}

}  // namespace
}  // namespace millrace::query
