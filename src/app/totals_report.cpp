#include "app/totals_report.h"

#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <exception>

#include "base/text.h"
#include "query/cells.h"
#include "server/workbook.h"

namespace millrace::app {
namespace {

namespace json = boost::json;
using query::Cell;
using query::FieldType;

constexpr std::array columns = std::to_array<server::SheetColumn>({
    {"key", FieldType::text},
    {"name", FieldType::text},
    {"currency", FieldType::text},
    {"orders", FieldType::number},
    {"lines", FieldType::number},
    {"net", FieldType::money},
    {"total", FieldType::money},
    {"open_amount", FieldType::money},
    {"open_orders", FieldType::number},
    {"late_orders", FieldType::number},
    {"late_amount", FieldType::money},
});

Result<Cell> cell_of(const json::object& sum, const server::SheetColumn& column) {
  const json::value& value = sum.at(column.title);
  if (column.type == FieldType::text) return query::text_cell(std::string_view(value.as_string()));
  if (column.type == FieldType::number) return query::number_cell(value.to_number<std::int64_t>());
  const auto currency = Currency::parse(std::string_view(value.at("currency").as_string()));
  if (!currency) return fail(ErrorCode::corrupt, "the totals name a currency that is none");
  return query::money_cell(Money{value.at("minor").to_number<std::int64_t>(), *currency});
}

using Rows = std::vector<std::vector<Cell>>;

Result<Rows> rows_of(const json::value& answer) {
  Rows rows;
  const json::array& groups = answer.at("data").as_array();
  const auto total = answer.at("total").to_number<std::uint64_t>();
  if (groups.size() < total)
    return fail(ErrorCode::limit_reached, "there are " + std::to_string(total) + " groups and a report holds " + std::to_string(groups.size()) + "; filter, or group by something with fewer values");
  for (const json::value& group : groups) {
    for (const json::value& sum : group.at("sums").as_array()) {
      std::vector<Cell> row = {query::text_cell(std::string_view(group.at("key").as_string())), query::text_cell(std::string_view(group.at("name").as_string()))};
      for (std::size_t i = row.size(); i < columns.size(); ++i) {
        auto cell = cell_of(sum.as_object(), columns[i]);
        if (!cell) return pass_on(cell);
        row.push_back(std::move(*cell));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

Result<void> write_csv(const Rows& rows, const Sink& sink) {
  const query::CsvStyle style;
  std::string text;
  for (const server::SheetColumn& column : columns) text += (text.empty() ? "" : ",") + std::string(column.title);
  text += style.line_end;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += style.separator;
      append_csv_cell(text, row[i], style);
    }
    text += style.line_end;
  }
  sink(text);
  return {};
}

Result<void> write_xlsx(const Rows& rows, const json::value& answer, const Sink& sink) {
  auto book = server::Workbook::start("Totals", {columns.begin(), columns.end()});
  if (!book) return pass_on(book);
  for (const auto& row : rows)
    if (auto written = book->row(row); !written) return written;
  const Instant now = SystemClock().now();
  const auto as_of_time = parse_instant(std::string_view(answer.at("as_of_time").as_string()));
  const auto file = book->finish({"Millrace totals", "", feed::Sequence{answer.at("as_of").to_number<std::uint64_t>()}, as_of_time.value_or(now), now, utc_day(now)});
  if (!file) return pass_on(file);
  std::array<char, 64 << 10> block;
  for (;;) {
    const auto count = ::read(file->get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::unavailable, std::string("the workbook cannot be read back: ") + std::strerror(errno));
    if (count == 0 || !sink(std::string_view(block.data(), static_cast<std::size_t>(count)))) return {};
  }
}

}  // namespace

Result<void> write_totals_report(std::string_view answer, std::string_view format, const Sink& sink) {
  if (format == "json") {
    sink(answer);
    return {};
  }
  try {
    const json::value parsed = json::parse(json::string_view(answer.data(), answer.size()));
    const auto rows = rows_of(parsed);
    if (!rows) return pass_on(rows);
    return format == "xlsx" ? write_xlsx(*rows, parsed, sink) : write_csv(*rows, sink);
  } catch (const std::exception& error) {
    return fail(ErrorCode::corrupt, std::string("the answer of the totals is not what was expected: ") + error.what());
  }
}

}  // namespace millrace::app
