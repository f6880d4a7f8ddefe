#include "ingest/csv_parser.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ingest/internal/csv_text.h"
#include "ingest/internal/flat_table.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t header_rows_max = 50;  // letterheads stand above a header, but not for pages
constexpr std::uint32_t rows_max = 2'000'000;

struct Header {
  char delimiter = ',';
  std::uint32_t row = 0;
  std::vector<FlatColumn> columns;
  std::string damage;  // why the row cannot be read whole, though it names an order
};

ParsedDocument refused(std::string place, std::string reason, std::string value = {}) {
  ParsedDocument answer;
  answer.format = Format::csv;
  answer.is_order_document = true;
  answer.findings.push_back({feed::Outcome::reject, std::move(place), std::move(reason), std::move(value), ""});
  return answer;
}

// True when the row cannot name more than `count` of our fields: most rows below a header, found out cheaply.
bool names_at_most(const std::vector<std::string_view>& fields, std::ptrdiff_t count, const CompiledLayout& layout) {
  if (std::ssize(fields) <= count) return true;
  return std::count_if(fields.begin(), fields.end(), [&](std::string_view field) {
           return layout.find(trim(field), Scope::flat).field != Field::unknown;
         }) <= count;
}

// The delimiter is the one under which some row names most of our fields.
std::optional<Header> find_header(std::string_view text, const CompiledLayout& layout) {
  std::optional<Header> best;
  std::ptrdiff_t best_count = 0;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    if (text.find(delimiter) == std::string_view::npos) continue;
    RecordReader reader(text, delimiter);
    std::vector<std::string_view> fields;
    for (std::size_t i = 0; i < header_rows_max && reader.damage().empty(); ++i) {
      // A row of too many columns still shows its first ones: whose header it is can be told.
      if (!reader.next(fields) && reader.damage().empty()) break;
      if (fields.size() < 2 || names_at_most(fields, best_count, layout)) continue;
      std::vector<std::string> words;
      for (const std::string_view field : fields) words.emplace_back(trim(field));
      auto columns = flat_columns(words, layout);
      const auto known = std::count_if(columns.begin(), columns.end(),
                                       [](const FlatColumn& column) { return column.match.field != Field::unknown; });
      if (known <= best_count || !is_order_header(columns)) continue;
      best_count = known;
      best = Header{delimiter, reader.row(), std::move(columns), reader.damage()};
    }
  }
  return best;
}

struct Votes {
  std::vector<NumberVote> numbers;
  std::vector<DateVote> dates;
};

// Why the columns cannot be read for certain, with the column and a value; "" when they can.
struct Doubt {
  std::string place;
  std::string reason;
  std::string value;
};

std::optional<Doubt> settle_numbers(std::vector<FlatColumn>& columns, const Votes& votes, const LayoutProfile& profile) {
  bool comma = false;
  bool point = false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const NumberVote& vote = votes.numbers[i];
    if (vote.comma() && vote.point()) {
      return Doubt{"column " + printable(columns[i].header), "some numbers of the column use a decimal comma and some a decimal point", vote.sample()};
    }
    comma = comma || vote.comma();
    point = point || vote.point();
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const NumberVote& vote = votes.numbers[i];
    char mark = vote.comma() ? ',' : '.';
    if (!vote.comma() && !vote.point() && vote.undecided()) {
      if (!profile.csv_decimal_mark.empty()) {
        mark = profile.csv_decimal_mark.front();
      } else if (comma != point) {
        mark = comma ? ',' : '.';
      } else {
        return Doubt{"column " + printable(columns[i].header),
                     "ambiguous number " + vote.sample() + ": set csv_decimal_mark in the layout profile", vote.sample()};
      }
    }
    columns[i].style.decimal_mark = mark;
  }
  return std::nullopt;
}

DateOrder order_of(std::string_view word) {
  return word == "dmy" ? DateOrder::dmy : word == "mdy" ? DateOrder::mdy : word == "ymd" ? DateOrder::ymd : DateOrder::unknown;
}

std::optional<Doubt> settle_dates(std::vector<FlatColumn>& columns, const Votes& votes, const LayoutProfile& profile) {
  bool some_dmy = false;
  bool some_mdy = false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const DateVote& vote = votes.dates[i];
    if (vote.silent()) continue;
    const bool dmy = vote.can_be(DateOrder::dmy);
    const bool mdy = vote.can_be(DateOrder::mdy);
    if (!dmy && !mdy) {
      return Doubt{"column " + printable(columns[i].header), "the dates of the column are written in different orders of day and month", vote.sample()};
    }
    some_dmy = some_dmy || (dmy && !mdy);
    some_mdy = some_mdy || (mdy && !dmy);
  }
  const DateOrder configured = order_of(profile.csv_date_order);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const DateVote& vote = votes.dates[i];
    if (vote.silent()) continue;
    DateOrder& order = columns[i].style.date_order;
    const bool dmy = vote.can_be(DateOrder::dmy);
    const bool mdy = vote.can_be(DateOrder::mdy);
    if (dmy != mdy) {
      order = dmy ? DateOrder::dmy : DateOrder::mdy;
    } else if (!vote.matters()) {
      order = DateOrder::dmy;
    } else if (configured == DateOrder::dmy || configured == DateOrder::mdy) {
      order = configured;
    } else if (some_dmy != some_mdy) {
      order = some_dmy ? DateOrder::dmy : DateOrder::mdy;
    } else if (vote.dotted() && !some_mdy) {
      order = DateOrder::dmy;  // nobody writes 12.31.2026
    } else {
      return Doubt{"column " + printable(columns[i].header),
                   "ambiguous dates " + vote.sample() + ": set csv_date_order in the layout profile", vote.sample()};
    }
  }
  return std::nullopt;
}

// Fields beyond the header must be empty, or the row is not what the header says.
bool fits(const std::vector<std::string_view>& fields, std::size_t width) {
  if (fields.size() < width) return false;
  return std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(width), fields.end(),
                     [](std::string_view field) { return trim(field).empty(); });
}

bool is_blank(const std::vector<std::string_view>& fields) {
  return std::all_of(fields.begin(), fields.end(), [](std::string_view field) { return trim(field).empty(); });
}

class CsvReader {
 public:
  CsvReader(std::string_view text, Header header, const CompiledLayout& layout)
      : text_(text), header_(std::move(header)), layout_(layout) {}

  ParsedDocument read() {
    if (auto damaged = vote()) return refused("row " + std::to_string(damaged->first), damaged->second);
    for (const auto& doubt : {settle_numbers(header_.columns, votes_, layout_.profile()),
                              settle_dates(header_.columns, votes_, layout_.profile())}) {
      if (doubt) return refused(doubt->place, doubt->reason, doubt->value);
    }
    return build();
  }

 private:
  // The damaged row and what is wrong with it, if any.
  std::optional<std::pair<std::uint32_t, std::string>> vote() {
    const std::size_t width = header_.columns.size();
    votes_.numbers.resize(width);
    votes_.dates.resize(width);
    RecordReader reader(text_, header_.delimiter);
    std::vector<std::string_view> fields;
    while (reader.next(fields)) {
      if (reader.row() > rows_max) return std::pair(reader.row(), std::string("the file has more than 2,000,000 rows"));
      if (reader.row() <= header_.row || !fits(fields, width)) continue;
      for (std::size_t i = 0; i < width; ++i) {
        const Field field = header_.columns[i].match.field;
        if (field == Field::unknown) continue;
        if (is_number_field(field)) votes_.numbers[i].hear(fields[i]);
        if (is_date_field(field)) votes_.dates[i].hear(fields[i]);
      }
    }
    if (!reader.damage().empty()) return std::pair(reader.row(), reader.damage());
    return std::nullopt;
  }

  ParsedDocument build() {
    ParsedDocument answer;
    answer.format = Format::csv;
    const std::size_t width = header_.columns.size();
    FlatTable table(header_.columns, layout_);
    RecordReader reader(text_, header_.delimiter);
    std::vector<std::string_view> fields;
    std::vector<FieldValue> values;
    while (reader.next(fields)) {
      if (reader.row() <= header_.row || is_blank(fields)) continue;
      values.clear();
      for (std::size_t i = 0; i < std::min(width, fields.size()); ++i) values.push_back(FieldValue::of_text(fields[i]));
      const Place place{Place::Kind::row, reader.row(), 0};
      if (fits(fields, width)) {
        table.add_row(values, place);
      } else if (!(fields.size() <= 2 || is_total_word(fields.front()))) {
        table.refuse_row(values, place, "the row has " + std::to_string(fields.size()) + " fields, the header " + std::to_string(width));
      } else if (!is_total_word(fields.front())) {
        table.refuse_row({}, place, "the row is cut off or is not part of the table");
      }
    }
    table.finish(answer);
    if (!answer.is_order_document) answer.ignored_because = "a header without order rows";
    return answer;
  }

  std::string_view text_;
  Header header_;
  const CompiledLayout& layout_;
  Votes votes_;
};

}  // namespace

ParsedDocument parse_csv(std::string_view content, const CompiledLayout& layout) {
  auto text = decode_text(content);
  if (!text) return refused("", text.error().text());
  auto header = find_header(*text, layout);
  if (!header) {
    ParsedDocument answer;
    answer.format = Format::csv;
    answer.ignored_because = "no row names an order number and line columns";
    return answer;
  }
  if (!header->damage.empty()) return refused("row " + std::to_string(header->row), header->damage);
  return CsvReader(*text, std::move(*header), layout).read();
}

}  // namespace millrace::ingest
