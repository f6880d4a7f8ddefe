#include "app/payment_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "columns/csv_reader.h"
#include "domain/decimal.h"

namespace millrace::app {
namespace {

enum Column : std::size_t { customer, invoice_date, due_date, paid_date, amount, column_count };
constexpr std::array<std::string_view, column_count> column_names = {"customer", "invoice_date", "due_date", "paid_date", "amount"};
constexpr std::size_t rejections_max = 100000;  // a file that is no history at all is refused before this matters

using Cells = std::array<std::string, column_count>;
struct TextRow {
  std::uint64_t row;
  Cells cells;
};

std::string plain(std::string_view field) {
  field = trim(field);
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  std::string text;
  for (std::size_t at = 1; at + 1 < field.size(); ++at) {
    text += field[at];
    if (field[at] == '"' && field[at + 1] == '"') ++at;
  }
  return std::string(trim(text));
}

// Three numbers with one mark between them, in the order they stand.
std::optional<std::array<int, 3>> three_numbers(std::string_view text) {
  if (const auto blank = text.find(' '); blank != std::string_view::npos) text = text.substr(0, blank);
  const auto mark = text.find_first_of("/.-");
  if (mark == std::string_view::npos) return std::nullopt;
  const auto parts = split(text, text[mark]);
  if (parts.size() != 3) return std::nullopt;
  std::array<int, 3> numbers{};
  for (std::size_t index = 0; index < 3; ++index) {
    const auto part = parts[index];
    const auto read = std::from_chars(part.data(), part.data() + part.size(), numbers[index]);
    if (read.ec != std::errc() || read.ptr != part.data() + part.size() || numbers[index] < 0) return std::nullopt;
  }
  return numbers;
}

enum class DayOrder : std::uint8_t { day_first, month_first };

std::optional<std::int32_t> day_of(std::string_view text, DayOrder order) {
  if (text.size() > 10 && (text[10] == 'T' || text[10] == ' ')) text = text.substr(0, 10);
  if (const auto iso_day = parse_iso_day(text)) return day_number(*iso_day);
  const auto numbers = three_numbers(text);
  if (!numbers) return std::nullopt;
  const auto [first, second, last] = *numbers;
  const int year = last < 100 ? 2000 + last : last;
  const int month = order == DayOrder::day_first ? second : first, day = order == DayOrder::day_first ? first : second;
  const Day date = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) / std::chrono::day(static_cast<unsigned>(day));
  if (!date.ok() || year < 1900 || year > 2200) return std::nullopt;
  return day_number(date);
}

// How many values of a column speak against either order.
struct OrderVotes {
  std::size_t against_day_first = 0, against_month_first = 0;
  std::optional<DayOrder> decided() const {
    if (against_day_first == against_month_first) return std::nullopt;
    return against_day_first < against_month_first ? DayOrder::day_first : DayOrder::month_first;
  }
};

std::array<DayOrder, column_count> day_orders(const std::vector<TextRow>& rows) {
  std::array<OrderVotes, column_count> votes;
  OrderVotes all;
  for (const TextRow& row : rows)
    for (const Column column : {invoice_date, due_date, paid_date}) {
      const std::string& text = row.cells[column];
      if (text.empty()) continue;
      const bool wrong_day_first = !day_of(text, DayOrder::day_first), wrong_month_first = !day_of(text, DayOrder::month_first);
      votes[column].against_day_first += wrong_day_first ? 1 : 0;
      votes[column].against_month_first += wrong_month_first ? 1 : 0;
      all.against_day_first += wrong_day_first ? 1 : 0;
      all.against_month_first += wrong_month_first ? 1 : 0;
    }
  std::array<DayOrder, column_count> orders{};
  for (const Column column : {invoice_date, due_date, paid_date})
    orders[column] = votes[column].decided().value_or(all.decided().value_or(DayOrder::day_first));
  return orders;
}

// "1234.50", "1,234.50", "1.234,50", "EUR 12": the last mark with one or two digits behind it is the decimal mark.
std::optional<std::int64_t> hundredths(std::string_view text) {
  if (text.empty()) return 0;
  std::string digits;
  const auto mark = text.find_last_of(".,");
  bool decimal_mark = mark != std::string_view::npos && (text[mark] == '.' ? text.find('.') == mark : text.size() - mark <= 3);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if ((letter >= '0' && letter <= '9') || (letter == '-' && digits.empty())) digits += letter;
    else if (at == mark && decimal_mark) digits += '.';
    else if (letter != '.' && letter != ',' && letter != ' ' && letter != '\'') return std::nullopt;
  }
  const auto value = parse_decimal(digits);
  return value ? scaled(*value, 2) : std::nullopt;
}

std::optional<PaymentRow> read_row(const Cells& cells, const std::array<DayOrder, column_count>& orders, std::string& reason) {
  PaymentRow row;
  row.customer = cells[customer];
  row.amount = cells[amount];
  if (row.customer.empty()) {
    reason = "no customer";
    return std::nullopt;
  }
  const auto date = [&](Column column, std::int32_t& day) {
    const auto read = day_of(cells[column], orders[column]);
    if (!read) {
      reason = std::string(column_names[column]) + " \"" + printable(cells[column]) + "\" is no date such as 2026-11-22 or 22/11/2026";
      return false;
    }
    day = *read;
    return true;
  };
  if (!date(invoice_date, row.facts.posted) || !date(due_date, row.facts.due)) return std::nullopt;
  if (!cells[paid_date].empty() && !date(paid_date, row.facts.paid)) return std::nullopt;
  constexpr std::int32_t far = 3650;
  if (std::abs(row.facts.due - row.facts.posted) > far ||
      (row.facts.paid != planning::not_paid && std::abs(row.facts.paid - row.facts.due) > far)) {
    reason = "the dates are more than ten years apart";
    return std::nullopt;
  }
  const auto value = hundredths(cells[amount]);
  if (!value) {
    reason = "amount \"" + printable(cells[amount]) + "\" is no number such as 1234.50";
    return std::nullopt;
  }
  row.facts.amount = *value;
  return row;
}

// Where each wanted column stands.
Result<std::array<std::size_t, column_count>> places(const std::vector<std::string>& head) {
  std::array<std::size_t, column_count> at{};
  for (std::size_t column = 0; column < column_count; ++column) {
    const auto found = std::find_if(head.begin(), head.end(), [&](const std::string& field) {
      return equal_ignoring_case(plain(field), column_names[column]);
    });
    if (found == head.end())
      return fail(ErrorCode::invalid_input, "the first row has no column \"" + std::string(column_names[column]) +
                                                "\"; it needs customer,invoice_date,due_date,paid_date,amount");
    at[column] = static_cast<std::size_t>(found - head.begin());
  }
  return at;
}

// Codes in the order of names, so that they do not depend on the order of rows.
std::size_t number_customers(std::vector<PaymentRow>& rows) {
  std::map<std::string_view, std::uint32_t> codes;
  for (const PaymentRow& row : rows) codes[row.customer] = 0;
  std::uint32_t next = 0;
  for (auto& [name, code] : codes) code = next++;
  for (PaymentRow& row : rows) row.facts.party = codes[row.customer];
  return codes.size();
}

// The rows as text; fields that are too few are refused on the way. Nothing when line ends are mixed: to be read again with
// `keep_carriage_returns`.
Result<std::optional<std::vector<TextRow>>> read_texts(const columns::OpenFile& open, bool keep_carriage_returns,
                                                       std::vector<PaymentRejection>& rejections) {
  auto source = open();
  if (!source) return pass_on(source);
  columns::CsvReader reader(std::move(*source), {}, keep_carriage_returns);
  const auto head = reader.head();
  if (!head) return pass_on(head);
  const auto at = places(*head);
  if (!at) return pass_on(at);
  std::vector<TextRow> texts;
  std::vector<std::string_view> fields;
  for (;;) {
    const auto answer = reader.next(fields);
    if (!answer) return pass_on(answer);
    if (*answer == columns::CsvReader::Answer::mixed_line_ends) return std::nullopt;
    if (*answer == columns::CsvReader::Answer::end) return texts;
    if (fields.size() == 1 && trim(fields.front()).empty()) continue;
    if (fields.size() < head->size()) {
      rejections.push_back({reader.row(), "has " + std::to_string(fields.size()) + " fields where the first row has " +
                                              std::to_string(head->size())});
      if (rejections.size() > rejections_max)
        return fail(ErrorCode::limit_reached, "more than 100,000 rows cannot be read; is this a history of payments?");
      continue;
    }
    TextRow row{reader.row(), {}};
    for (std::size_t column = 0; column < column_count; ++column) row.cells[column] = plain(fields[(*at)[column]]);
    texts.push_back(std::move(row));
  }
}

}  // namespace

Result<PaymentFile> read_payment_file(const columns::OpenFile& open) {
  PaymentFile file;
  auto texts = read_texts(open, false, file.rejections);
  if (texts && !*texts) {
    file.rejections.clear();
    texts = read_texts(open, true, file.rejections);
  }
  if (!texts) return pass_on(texts);
  const auto orders = day_orders(**texts);
  for (const TextRow& text : **texts) {
    std::string reason;
    if (auto row = read_row(text.cells, orders, reason)) file.rows.push_back(std::move(*row));
    else file.rejections.push_back({text.row, reason});
  }
  std::stable_sort(file.rejections.begin(), file.rejections.end(),
                   [](const PaymentRejection& left, const PaymentRejection& right) { return left.row < right.row; });
  file.customers = number_customers(file.rows);
  return file;
}

}  // namespace millrace::app
