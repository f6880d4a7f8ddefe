#include "ingest/finance_batch.h"

#include <algorithm>
#include <array>
#include <simdjson.h>

#include "base/text.h"
#include "ingest/internal/csv_text.h"
#include "ingest/internal/finance_fields.h"

namespace millrace::ingest {
namespace {

namespace od = simdjson::ondemand;

constexpr std::string_view prefix = "//finance.batch/";
constexpr int depth_max = 8;
constexpr std::size_t values_max = 20'000;  // of one row
constexpr std::size_t rows_max = 1'000'000;

struct Stream {
  std::string_view name;
  FinanceKind kind;
};
constexpr std::array<Stream, 17> streams{{{"invoices", FinanceKind::invoice},
                                          {"credit_notes", FinanceKind::credit_note},
                                          {"payments", FinanceKind::payment},
                                          {"write_offs", FinanceKind::write_off},
                                          {"bills", FinanceKind::bill},
                                          {"supplier_credits", FinanceKind::supplier_credit},
                                          {"supplier_payments", FinanceKind::supplier_payment},
                                          {"purchase_orders", FinanceKind::purchase_order},
                                          {"deliveries", FinanceKind::delivery},
                                          {"costs", FinanceKind::cost},
                                          {"recurring_costs", FinanceKind::recurring_cost},
                                          {"budgets", FinanceKind::budget},
                                          {"taxes", FinanceKind::tax},
                                          {"balances", FinanceKind::balance},
                                          {"credit_lines", FinanceKind::credit_line},
                                          {"terms", FinanceKind::terms},
                                          {"rates", FinanceKind::rate}}};

// A document that is damaged as a whole; carries the sentence for a person.
struct Refused {
  std::string reason;
};

class BatchReader {
 public:
  BatchReader(FinanceKind kind, ParsedDocument& answer) : kind_(kind), answer_(answer) {}

  void take(std::uint64_t row, const BatchValue& value) {
    if (answer_.finance.size() >= rows_max) throw Refused{"the batch has more than 1,000,000 rows; send it in parts"};
    auto read = read_finance_fields(kind_, value);
    const BatchValue* number = value.find("number");
    const std::string known = number != nullptr ? number->text : std::string();
    if (!read) return refuse(row, known, read.error().text());
    read->document.place = {};
    if (!read->removed)
      if (const auto fine = check_finance_document(read->document); !fine) return refuse(row, known, fine.error().text());
    if (read->removed && read->document.number.empty()) return refuse(row, known, "what is removed has no number");
    answer_.finance.push_back({row, std::move(read->document), read->removed});
  }
  void refuse(std::uint64_t row, const std::string& number, std::string why) {
    answer_.findings.push_back({feed::Outcome::reject, "row " + std::to_string(row), std::move(why), "", number});
  }

 private:
  const FinanceKind kind_;
  ParsedDocument& answer_;
};

BatchValue read_value(od::value value, std::size_t& values, int depth) {
  if (depth > depth_max || ++values > values_max) throw Refused{"a row is nested too deep or has too many values"};
  BatchValue made;
  switch (value.type().value()) {
    case od::json_type::object:
      made.kind = BatchValue::Kind::object;
      for (auto field : value.get_object()) {
        std::string name(field.unescaped_key().value());
        made.fields.emplace_back(std::move(name), read_value(field.value().value(), values, depth + 1));
      }
      break;
    case od::json_type::array:
      made.kind = BatchValue::Kind::array;
      for (auto item : value.get_array()) made.items.push_back(read_value(item.value(), values, depth + 1));
      break;
    case od::json_type::string:
      made.kind = BatchValue::Kind::text;
      made.text = value.get_string().value();
      break;
    case od::json_type::boolean: made.kind = value.get_bool().value() ? BatchValue::Kind::yes : BatchValue::Kind::no; break;
    case od::json_type::number:
      made.kind = BatchValue::Kind::text;  // never through double
      made.text = trim(value.raw_json_token());
      (void)value.get_number().value();
      break;
    default:
      if (!value.is_null().value()) throw Refused{"the JSON holds an unknown constant"};
      break;
  }
  return made;
}

void read_rows(od::array rows, const char* begin, BatchReader& reader) {
  const char* counted = begin;
  std::uint64_t line = 1;
  for (auto element : rows) {
    od::value value = element.value();
    const char* at = value.raw_json_token().data();
    line += static_cast<std::uint64_t>(std::count(counted, at, '\n'));
    counted = at;
    std::size_t values = 0;
    const BatchValue row = read_value(value, values, 0);
    if (row.kind == BatchValue::Kind::object) reader.take(line, row);
    else reader.refuse(line, "", "a row is an object with the document's words");
  }
}

void read_json(std::string_view content, BatchReader& reader) {
  const simdjson::padded_string text(content);
  od::parser parser;
  od::document document = parser.iterate(text).value();
  const od::json_type type = document.type().value();
  if (type == od::json_type::array) {
    read_rows(document.get_array().value(), text.data(), reader);
  } else if (type == od::json_type::object) {
    od::object object = document.get_object().value();
    if (auto rows = object.find_field_unordered("value"); rows.error() == simdjson::SUCCESS && rows.type().value() == od::json_type::array) {
      read_rows(rows.get_array().value(), text.data(), reader);
      return;
    }
    document.rewind();
    std::size_t values = 0;
    reader.take(1, read_value(document.get_value().value(), values, 0));
  } else {
    throw Refused{"a single text, number or constant is no finance document"};
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) throw Refused{"there is more text behind the end of the JSON"};
}

BatchValue flat_value(std::string_view text) {
  BatchValue value;
  value.kind = BatchValue::Kind::text;
  value.text = text;
  return value;
}

char delimiter_of(std::string_view text) {
  const std::string_view header = text.substr(0, text.find_first_of("\r\n"));
  char best = ',';
  for (const char c : {';', '\t'})
    if (std::ranges::count(header, c) > std::ranges::count(header, best)) best = c;
  return best;
}

// Rows with one number that follow each other say more lines and settlements of the same document.
void join(ParsedDocument& answer) {
  std::vector<FinanceRow> joined;
  for (FinanceRow& row : answer.finance) {
    const bool same = !joined.empty() && !row.removed && finance_key(joined.back().document) == finance_key(row.document);
    if (!same || (row.document.lines.empty() && row.document.allocations.empty())) {
      joined.push_back(std::move(row));
      continue;
    }
    std::ranges::move(row.document.lines, std::back_inserter(joined.back().document.lines));
    std::ranges::move(row.document.allocations, std::back_inserter(joined.back().document.allocations));
  }
  answer.finance.clear();
  for (FinanceRow& row : joined) {
    const auto fine = row.removed ? Result<void>() : check_finance_document(row.document);
    if (fine) answer.finance.push_back(std::move(row));
    else answer.findings.push_back({feed::Outcome::reject, "row " + std::to_string(row.row), fine.error().text(), "", row.document.number});
  }
}

void read_csv(std::string_view content, BatchReader& reader) {
  const auto text = decode_text(content);
  if (!text) throw Refused{text.error().text()};
  RecordReader records(*text, delimiter_of(*text));
  std::vector<std::string_view> fields;
  if (!records.next(fields)) throw Refused{"the CSV has no header"};
  std::vector<std::string> names;
  for (const std::string_view name : fields) names.push_back(lower_ascii(trim(name)));
  while (records.next(fields)) {
    if (std::ranges::all_of(fields, [](std::string_view field) { return trim(field).empty(); })) continue;
    if (fields.size() > names.size()) {
      reader.refuse(records.row(), "", "the row has more fields than the header; quote fields that hold the delimiter");
      continue;
    }
    BatchValue row;
    row.kind = BatchValue::Kind::object;
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (!trim(fields[i]).empty()) row.fields.emplace_back(names[i], flat_value(fields[i]));
    reader.take(records.row(), row);
  }
  if (!records.damage().empty()) reader.refuse(records.row(), "", records.damage());
}

}  // namespace

std::optional<FinanceKind> finance_kind_of_stream(std::string_view stream) {
  const auto found = std::ranges::find(streams, stream, &Stream::name);
  return found == streams.end() ? std::nullopt : std::optional(found->kind);
}

std::string_view finance_stream_of_kind(FinanceKind kind) {
  const auto found = std::ranges::find(streams, kind, &Stream::kind);
  return found == streams.end() ? std::string_view() : found->name;
}

std::string finance_streams_text() {
  std::string text;
  for (const Stream& stream : streams) text += (text.empty() ? "" : ", ") + std::string(stream.name);
  return text;
}

std::string finance_batch_name(std::string_view stream, bool csv) { return std::string(prefix) + std::string(stream) + (csv ? ".csv" : ".json"); }
bool is_finance_batch(std::string_view name) { return name.starts_with(prefix); }

ParsedDocument parse_finance_batch(std::string_view content, std::string_view name) {
  ParsedDocument answer;
  answer.is_order_document = true;  // for us
  const std::string_view rest = name.substr(std::min(prefix.size(), name.size()));
  const auto kind = finance_kind_of_stream(rest.substr(0, rest.rfind('.')));
  const bool csv = rest.ends_with(".csv");
  answer.format = csv ? Format::csv : Format::json;
  if (!kind) {
    answer.findings.push_back({feed::Outcome::reject, "", "the batch is of no known stream; there are " + finance_streams_text(), "", ""});
    return answer;
  }
  BatchReader reader(*kind, answer);
  try {
    if (csv) {
      read_csv(content, reader);
      join(answer);
    } else {
      read_json(content, reader);
    }
  } catch (const Refused& refused) {
    answer.finance.clear();
    answer.findings.assign(1, {feed::Outcome::reject, "", refused.reason, "", ""});
  } catch (const simdjson::simdjson_error& error) {
    answer.finance.clear();
    answer.findings.assign(1, {feed::Outcome::reject, "", std::string("the JSON is damaged: ") + error.what() + "; send it whole", "", ""});
  }
  return answer;
}

}  // namespace millrace::ingest
