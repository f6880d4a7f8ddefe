#include "ingest/internal/push_rows.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "base/text.h"
#include "domain/order_codec.h"
#include "ingest/push_source.h"

namespace millrace::ingest {
namespace {

bool is_blank(std::string_view line) { return trim(line).empty(); }

// "row 7" -> 7
std::uint64_t number_after(std::string_view text, std::string_view word) {
  if (!text.starts_with(word)) return 0;
  text.remove_prefix(word.size());
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

void each_line(std::string_view body, const std::function<void(std::string_view line, std::uint64_t number)>& line) {
  std::uint64_t number = 0;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    const std::string_view text = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    ++number;
    if (!is_blank(text)) line(text, number);
  }
}

std::uint64_t line_count(std::string_view body) {
  std::uint64_t count = 0;
  each_line(body, [&](std::string_view, std::uint64_t) { ++count; });
  return count;
}

std::string lines_as_array(std::string_view body) {
  std::string text = "[";
  text.reserve(body.size() + line_count(body) + 2);
  std::uint64_t at = 1;
  bool first = true;
  each_line(body, [&](std::string_view line, std::uint64_t number) {
    for (; at < number; ++at) text += '\n';
    if (!first) text += ',';
    first = false;
    text += line;
  });
  return text + "]";
}

RefusedRow refused_row(const Finding& finding) {
  constexpr std::string_view field_words = "the field '";
  constexpr std::string_view column_word = " column ";
  RefusedRow row;
  row.reason = finding.reason;
  row.value = finding.value;
  row.order = finding.order_number;
  row.row = std::max(number_after(finding.place, "row "), number_after(finding.place, "line "));
  const std::size_t column = finding.place.find(column_word);
  if (finding.place.starts_with("row ") && column != std::string::npos) row.field = finding.place.substr(column + column_word.size());
  if (const std::size_t begin = finding.reason.find(field_words); row.field.empty() && begin != std::string::npos) {
    const std::size_t end = finding.reason.find('\'', begin + field_words.size());
    if (end != std::string::npos) row.field = finding.reason.substr(begin + field_words.size(), end - begin - field_words.size());
  }
  return row;
}

void PushRows::refuse(RefusedRow row) {
  ++rejected;
  if (refused.size() < BatchReceipt::refused_rows_max) refused.push_back(std::move(row));
}

bool PushRows::misses_some(const ParsedDocument& document, std::uint64_t lines) const {
  const auto refusals = std::ranges::count(document.findings, feed::Outcome::reject, &Finding::outcome);
  return document.orders.size() + document.finance.size() + static_cast<std::size_t>(refusals) < lines;
}

void PushRows::take(ParsedDocument document, std::uint64_t row) {
  bool said = false;
  for (const Finding& finding : document.findings) {
    if (finding.outcome != feed::Outcome::reject) continue;
    RefusedRow bad = refused_row(finding);
    if (row != 0) bad.row = row;
    refuse(std::move(bad));
    said = true;
  }
  for (FinanceRow& one : document.finance) {
    if (row != 0) one.row = row;
    finance.push_back(std::move(one));
    said = true;
  }
  if (row != 0 && document.orders.empty() && !said)
    refuse({row, "", "this is no order: it needs an order number, and lines, a customer, a currency or a date", "", ""});
  for (SalesOrder& order : document.orders) {
    Row& taken = orders.emplace_back();
    taken.format = document.format;
    taken.row = row != 0 ? row : order.lines.empty() ? 0 : order.lines.front().place.number;
    // Where it stood in its batch is no part of the order: the same order further down is the same order.
    for (OrderLine& line : order.lines) line.place = {};
    taken.status = push_status(order);
    const std::string content = encode(order);
    taken.bytes = content.size();
    taken.hash = content_hash(content);
    for (const Finding& finding : document.findings)
      if (finding.outcome == feed::Outcome::ingest_and_flag && finding.order_number == order.number.text) taken.flags.push_back(finding);
    taken.order = std::move(order);
  }
}

void PushRows::settle() {
  std::unordered_map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < orders.size(); ++i) last[orders[i].order.number.text] = i;
  if (last.size() == orders.size()) return;
  std::vector<bool> counts(orders.size(), false);
  for (const auto& [number, index] : last) counts[index] = true;
  std::vector<Row> kept;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (counts[i]) continue;
    refuse({orders[i].row, "", "the order stands in this batch again further down, and the later one counts", "",
            orders[i].order.number.text});
  }
  for (std::size_t i = 0; i < orders.size(); ++i)
    if (counts[i]) kept.push_back(std::move(orders[i]));
  orders = std::move(kept);
}

}  // namespace millrace::ingest
