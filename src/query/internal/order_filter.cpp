#include "query/internal/order_filter.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include "base/text.h"
#include "query/internal/rows.h"
#include "query/internal/values.h"

namespace millrace::query::internal {
namespace {

using readmodel::chunk_rows;
using readmodel::Code;
using readmodel::OrderChunk;
using readmodel::RowId;
using readmodel::Snapshot;
using readmodel::Vocabulary;
using readmodel::Words;

bool has(std::string_view text, std::string_view part) {
  if (part.size() > text.size()) return false;
  return part.empty() || memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

// One value of a text filter, folded; `*` at an end leaves that end open.
struct Pattern {
  std::string text;
  bool open_front = false;
  bool open_back = false;

  bool matches(std::string_view folded) const {
    if (open_front && open_back) return has(folded, text);
    if (open_front) return folded.ends_with(text);
    if (open_back) return folded.starts_with(text);
    return folded == text;
  }
};

Pattern pattern(std::string_view value, FilterOp op) {
  Pattern made;
  made.open_front = made.open_back = op == FilterOp::contains;
  if (op == FilterOp::equal || op == FilterOp::not_equal || op == FilterOp::one_of) {
    if (value.ends_with('*')) made.open_back = true, value.remove_suffix(1);
    if (value.starts_with('*')) made.open_front = true, value.remove_prefix(1);
  }
  made.text = search_fold(value);
  return made;
}

// Whether a folded text passes; `ne` is asked as "not equal", by the caller of `any`.
struct TextTest {
  FilterOp op = FilterOp::equal;
  std::vector<Pattern> patterns;

  explicit TextTest(const Filter& filter) : op(filter.op) {
    for (const std::string& value : filter.values) patterns.push_back(pattern(value, op));
  }
  bool negative() const { return op == FilterOp::not_equal; }
  bool any(std::string_view folded) const {
    if (!is_ordering(op)) {
      return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(folded); });
    }
    const std::string_view bound = patterns.front().text;
    switch (op) {
      case FilterOp::less: return natural_less(folded, bound);
      case FilterOp::less_equal: return !natural_less(bound, folded);
      case FilterOp::greater: return natural_less(bound, folded);
      default: return !natural_less(folded, bound);
    }
  }
  bool holds(std::string_view folded) const { return any(folded) != negative(); }

  // One byte per code of the dictionary.
  std::vector<std::uint8_t> any_of(const Words& words) const {
    if (patterns.size() == 1 && patterns[0].open_front && patterns[0].open_back) return words.containing(patterns[0].text);
    std::vector<std::uint8_t> table(words.size());
    for (Code code = 0; code < words.size(); ++code) table[code] = any(words.folded(code));
    return table;
  }
};

// Both forms of a condition on one column: for a whole chunk the column is unpacked and every value tested without a
// branch, which the compiler turns into vector instructions.
template <class Column, class Test>
Condition of_column(Column OrderChunk::*member, Test test) {
  const auto shared = std::make_shared<const Test>(std::move(test));
  return {[shared, member](const OrderChunk& chunk, Mask& mask) {
            const Test& one = *shared;
            std::array<typename Column::value_type, chunk_rows> values;
            (chunk.*member).decode(0, std::span(values.data(), chunk.used));
            for (std::size_t i = 0; i < chunk.used; ++i) mask[i] &= static_cast<std::uint8_t>(one(values[i]));
          },
          [shared, member](const OrderChunk& chunk, std::size_t row) { return static_cast<bool>((*shared)((chunk.*member)[row])); }};
}

// Both forms of a condition from what decides one row, asked only for rows that still count.
template <class Holds>
Condition dear(Holds holds) {
  const auto shared = std::make_shared<const Holds>(std::move(holds));
  return {[shared](const OrderChunk& chunk, Mask& mask) {
            const Holds& one = *shared;
            for (std::size_t i = 0; i < chunk.used; ++i)
              if (mask[i]) mask[i] = static_cast<std::uint8_t>(one(chunk, i));
          },
          [shared](const OrderChunk& chunk, std::size_t row) { return static_cast<bool>((*shared)(chunk, row)); }};
}

// A column of the chunk behind a field, for conditions on whole columns.
template <class T>
using ColumnOf = OrderChunk::Column<T> OrderChunk::*;

std::optional<std::pair<Vocabulary, ColumnOf<Code>>> word_column(OrderField field) {
  switch (field) {
    case OrderField::status: return std::pair(Vocabulary::status, &OrderChunk::status);
    case OrderField::customer: return std::pair(Vocabulary::customer, &OrderChunk::customer);
    case OrderField::customer_name: return std::pair(Vocabulary::customer_name, &OrderChunk::customer_name);
    case OrderField::salesman: return std::pair(Vocabulary::salesman, &OrderChunk::salesman);
    case OrderField::revision: return std::pair(Vocabulary::revision, &OrderChunk::revision);
    case OrderField::format: return std::pair(Vocabulary::format, &OrderChunk::format);
    case OrderField::source: return std::pair(Vocabulary::source, &OrderChunk::source);
    default: return std::nullopt;
  }
}

std::vector<std::uint8_t> same_words(const Words& words, const std::vector<std::string>& values) {
  std::vector<std::uint8_t> table(words.size());
  for (Code code = 0; code < words.size(); ++code) table[code] = std::find(values.begin(), values.end(), words.text(code)) != values.end();
  return table;
}

Condition word_condition(const Snapshot& snapshot, OrderField field, const Filter& filter, std::int32_t today) {
  const auto [vocabulary, column] = *word_column(field);
  const TextTest test(filter);
  std::vector<std::uint8_t> table = filter.op == FilterOp::exactly ? same_words(snapshot.words(vocabulary), filter.values) : test.any_of(snapshot.words(vocabulary));
  // "late" is no folder, but people ask for it as if it were one.
  const bool or_late = field == OrderField::status && !is_ordering(filter.op) && filter.op != FilterOp::contains &&
                       std::any_of(filter.values.begin(), filter.values.end(),
                                   [](const std::string& value) { return equal_ignoring_case(value, "late"); });
  const std::uint8_t flip = test.negative() ? 1 : 0;
  if (or_late) {
    return dear([table = std::move(table), column = column, flip, today](const OrderChunk& chunk, std::size_t i) {
      return (table[(chunk.*column)[i]] | std::uint8_t{is_late(chunk, i, today)}) ^ flip;
    });
  }
  if (std::count(table.begin(), table.end(), 1) == 1) {  // one word, as mostly: a comparison, not a look into the table
    const auto wanted = static_cast<Code>(std::find(table.begin(), table.end(), 1) - table.begin());
    return of_column(column, [wanted, flip](Code code) { return static_cast<std::uint8_t>(code == wanted) ^ flip; });
  }
  return of_column(column, [table = std::move(table), flip](Code code) { return table[code] ^ flip; });
}

// The codes of the customers that a filter names one by one; nothing when it asks in another way.
std::optional<std::vector<Code>> named_customers(const Snapshot& snapshot, const Filter& filter) {
  if (filter.name != "customer" || (filter.op != FilterOp::equal && filter.op != FilterOp::one_of)) return std::nullopt;
  std::vector<Code> codes;
  for (const Pattern& one : TextTest(filter).patterns) {
    if (one.open_front || one.open_back) return std::nullopt;
    const auto found = snapshot.customers().codes_of(one.text, snapshot.words(Vocabulary::customer));
    codes.insert(codes.end(), found.begin(), found.end());
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

Condition customer_condition(const std::vector<Code>& codes) {
  if (codes.size() == 1) return of_column(&OrderChunk::customer, [wanted = codes.front()](Code code) { return code == wanted; });
  return of_column(&OrderChunk::customer, [codes](Code code) { return std::binary_search(codes.begin(), codes.end(), code); });
}

std::vector<std::uint32_t> currencies_in_use(const Snapshot& snapshot) {
  std::set<std::uint32_t> found;
  for (const auto& block : snapshot.kept(readmodel::KeptGroup::status)) {
    if (block == nullptr) continue;
    for (const auto& entry : block->entries) found.insert(entry.currency);
  }
  return {found.begin(), found.end()};
}

Condition currency_condition(const Snapshot& snapshot, const Filter& filter) {
  const TextTest test(filter);
  std::vector<std::uint32_t> passing;
  for (const std::uint32_t packed : currencies_in_use(snapshot)) {
    if (test.holds(search_fold(Currency::from_packed(packed).code()))) passing.push_back(packed);
  }
  return dear([passing = std::move(passing)](const OrderChunk& chunk, std::size_t i) {
    return std::find(passing.begin(), passing.end(), chunk.currency[i]) != passing.end();
  });
}

// "hold=yes": any reason, "hold=no": none.
std::optional<bool> any_or_none(OrderField field, const Filter& filter) {
  if (field != OrderField::hold || filter.op == FilterOp::contains || is_ordering(filter.op) || filter.values.size() != 1) return std::nullopt;
  const bool yes = equal_ignoring_case(filter.values.front(), "yes"), no = equal_ignoring_case(filter.values.front(), "no");
  return yes || no ? std::optional(yes != (filter.op == FilterOp::not_equal)) : std::nullopt;
}

Condition overlay_condition(OrderField field, const Filter& filter) {
  if (const auto any = any_or_none(field, filter))
    return dear([field, any = *any](const OrderChunk& chunk, std::size_t i) { return overlay_text(chunk, i, field).empty() != any; });
  TextTest test(filter);
  const bool without = test.holds("");
  return dear([field, without, test = std::move(test)](const OrderChunk& chunk, std::size_t i) {
    const std::string_view text = overlay_text(chunk, i, field);
    return text.empty() ? without : test.holds(search_fold(text));
  });
}

Condition text_condition(OrderField field, const Filter& filter) {
  return dear([field, test = TextTest(filter)](const OrderChunk& chunk, std::size_t i) {
    switch (field) {
      case OrderField::order: return test.holds(search_fold(chunk.number(i)));
      case OrderField::customer_reference: return test.holds(search_fold(chunk.reference(i)));
      case OrderField::path: return test.holds(search_fold(chunk.path(i)));
      default: return test.holds(search_fold(millrace::word(static_cast<DocumentStatus>(chunk.document_status[i]))));
    }
  });
}

Result<std::vector<Interval>> intervals(const FieldRow& field, const Filter& filter) {
  std::vector<Interval> found;
  const bool optional = field.type == FieldType::day || field.type == FieldType::instant;
  const std::int64_t floor = optional ? none_value(field) + 1 : lowest;
  for (const std::string& value : filter.values) {
    if (is_none(field, value)) {
      if (is_ordering(filter.op)) return fail(ErrorCode::invalid_input, "none has no order; use eq, ne or in");
      found.push_back({none_value(field), none_value(field)});
      continue;
    }
    const auto read = interval(field, value);
    if (!read) return pass_on(read);
    switch (filter.op) {
      case FilterOp::less:
        if (read->low == lowest) found.push_back({highest, lowest});
        else found.push_back({floor, read->low - 1});
        break;
      case FilterOp::less_equal: found.push_back({floor, read->high}); break;
      case FilterOp::greater:
        if (read->high == highest) found.push_back({highest, lowest});
        else found.push_back({read->high + 1, highest});
        break;
      case FilterOp::greater_equal: found.push_back({read->low, highest}); break;
      case FilterOp::contains: return fail(ErrorCode::invalid_input, "has works on texts only");
      default: found.push_back(*read);
    }
  }
  return found;
}

bool within(const std::vector<Interval>& wanted, std::int64_t value) {
  return std::any_of(wanted.begin(), wanted.end(), [value](const Interval& one) { return value >= one.low && value <= one.high; });
}

template <class Value>
Condition interval_condition(std::vector<Interval> wanted, bool negative, Value value) {
  return dear([wanted = std::move(wanted), negative, value](const OrderChunk& chunk, std::size_t i) {
    return within(wanted, value(chunk, i)) != negative;
  });
}

template <class Column>
Condition column_condition(std::vector<Interval> wanted, bool negative, Column OrderChunk::*member) {
  if (wanted.size() == 1) {
    return of_column(member, [only = wanted.front(), negative](std::int64_t value) {
      return ((value >= only.low) & (value <= only.high)) != negative;
    });
  }
  return of_column(member, [wanted = std::move(wanted), negative](std::int64_t value) { return within(wanted, value) != negative; });
}

Result<Condition> number_condition(const FieldRow& field, const Filter& filter, std::int32_t today) {
  auto wanted = intervals(field, filter);
  if (!wanted) return pass_on(wanted);
  const bool negative = filter.op == FilterOp::not_equal;
  const auto column = [&](auto member) { return column_condition(std::move(*wanted), negative, member); };
  switch (field.field) {
    case OrderField::order_date: return column(&OrderChunk::order_date);
    case OrderField::due: return column(&OrderChunk::due);
    case OrderField::requested: return column(&OrderChunk::requested);
    case OrderField::promise: return column(&OrderChunk::promise);
    case OrderField::lines: return column(&OrderChunk::lines);
    case OrderField::quantity: return column(&OrderChunk::quantity);
    case OrderField::open_quantity: return column(&OrderChunk::open_quantity);
    case OrderField::net: return column(&OrderChunk::net);
    case OrderField::tax: return column(&OrderChunk::tax);
    case OrderField::freight: return column(&OrderChunk::freight);
    case OrderField::total: return column(&OrderChunk::total);
    case OrderField::open_amount: return column(&OrderChunk::open_amount);
    case OrderField::updated: return column(&OrderChunk::updated);
    case OrderField::changed_at: return column(&OrderChunk::changed_at);
    case OrderField::flagged: return column(&OrderChunk::flagged);
    case OrderField::late:
      return interval_condition(std::move(*wanted), negative, [today](const OrderChunk& chunk, std::size_t i) {
        return std::int64_t{is_late(chunk, i, today)};
      });
    case OrderField::lateness_days:  // no lateness: the marker lies below every number, and bounds never include it
      for (Interval& one : *wanted)
        if (one.low == lowest && one.high != lowest) one.low = lowest + 1;
      return interval_condition(std::move(*wanted), negative, [today](const OrderChunk& chunk, std::size_t i) {
        const bool none = chunk.open_amount[i] <= 0 || chunk.due[i] == readmodel::no_day;
        return none ? readmodel::no_instant : std::int64_t{today} - chunk.due[i];
      });
    case OrderField::priority:  // the same for what nobody gave a priority
      for (Interval& one : *wanted)
        if (one.low == lowest && one.high != lowest) one.low = lowest + 1;
      return interval_condition(std::move(*wanted), negative, [](const OrderChunk& chunk, std::size_t i) {
        const auto priority = overlay_priority(chunk, i);
        return priority ? std::int64_t{*priority} : readmodel::no_instant;
      });
    default: return fail(ErrorCode::internal, "field " + std::string(field.name) + " has no column of numbers");
  }
}

// Any line whose item (code or name) or manufacturer passes; `ne` means no line does.
Condition line_condition(const Snapshot& snapshot, const Filter& filter) {
  const TextTest test(filter);
  const bool item = filter.name == "item";
  auto first = test.any_of(snapshot.words(item ? Vocabulary::item : Vocabulary::manufacturer));
  auto second = item ? test.any_of(snapshot.words(Vocabulary::item_name)) : std::vector<std::uint8_t>();
  return dear([first = std::move(first), second = std::move(second), item, negative = test.negative()](
                  const OrderChunk& chunk, std::size_t i) {
    bool hit = false;
    for (std::size_t at = chunk.line_begin[i], end = at + chunk.lines[i]; at < end && !hit; ++at) {
      hit = item ? first[chunk.line_item(at)] || second[chunk.line_item_name(at)] : first[chunk.line_manufacturer(at)] != 0;
    }
    return hit != negative;
  });
}

// Orders whose sources say different things.
Condition difference_condition(const Filter& filter) {
  const std::string& value = filter.values.front();
  const std::uint8_t wanted = value == "undecided" ? readmodel::order_undecided : readmodel::order_has_differences;
  return of_column(&OrderChunk::bits, [wanted, none = value == "0"](std::uint8_t bits) { return ((bits & wanted) != 0) != none; });
}

// The chunk's texts as they are searched. ASCII, the usual case, folds in place; then what is found at a place
// belongs to the text there. Empty when a text needs more than that.
std::vector<char> folded_texts(const OrderChunk& chunk) {
  std::vector<char> folded(chunk.texts.size());
  unsigned char high = 0;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const auto c = static_cast<unsigned char>(chunk.texts[i]);
    high |= c;
    folded[i] = static_cast<char>(c + (static_cast<unsigned char>(c - 'A') < 26 ? 32 : 0));
  }
  if (high >= 0x80) folded.clear();
  return folded;
}

// Marks the rows whose number or reference contains the needle: all texts of the chunk are searched as one, and a
// hit is then given to the row it lies in, if it lies in one.
void mark_texts(const OrderChunk& chunk, std::string_view needle, Mask& hits) {
  const std::vector<char> folded = folded_texts(chunk);
  if (folded.empty()) {
    for (std::size_t i = 0; i < chunk.used; ++i) {
      hits[i] = chunk.live[i] && (has(search_fold(chunk.number(i)), needle) || has(search_fold(chunk.reference(i)), needle));
    }
    return;
  }
  std::array<std::uint32_t, chunk_rows> begins, sizes;
  chunk.text_begin.decode(0, std::span(begins.data(), chunk.used));
  chunk.text_size.decode(0, std::span(sizes.data(), chunk.used));
  std::array<std::uint16_t, chunk_rows> rows;
  for (std::size_t i = 0; i < chunk.used; ++i) rows[i] = static_cast<std::uint16_t>(i);
  const auto end = rows.begin() + chunk.used;
  const auto begins_first = [&](std::uint16_t left, std::uint16_t right) {
    return std::pair(begins[left], sizes[left]) < std::pair(begins[right], sizes[right]);
  };
  if (!std::is_sorted(rows.begin(), end, begins_first)) std::sort(rows.begin(), end, begins_first);
  const char* const first = folded.data();
  const std::size_t size = folded.size();
  std::size_t next = 0;  // the row after the last one that begins at or before the hit
  for (std::size_t at = 0; at < size;) {
    const auto* hit = static_cast<const char*>(memmem(first + at, size - at, needle.data(), needle.size()));
    if (hit == nullptr) return;
    const auto place = static_cast<std::size_t>(hit - first);
    while (next < chunk.used && begins[rows[next]] <= place) ++next;
    at = place + 1;
    if (next == 0) continue;
    const std::uint16_t row = rows[next - 1];
    const std::size_t row_end = std::size_t{begins[row]} + sizes[row];
    if (place + needle.size() > row_end) continue;
    hits[row] = 1;
    at = row_end;
  }
}

// A text found anywhere in what identifies an order: its number and reference, its customer, its items.
struct Search {
  std::string needle;
  std::vector<std::uint8_t> customers, names, items, item_names;
  bool look_at_lines = false;

  Search(const Snapshot& snapshot, const Filter& filter)
      : needle(search_fold(trim(filter.values.front()))),
        customers(snapshot.words(Vocabulary::customer).containing(needle)),
        names(snapshot.words(Vocabulary::customer_name).containing(needle)),
        items(snapshot.words(Vocabulary::item).containing(needle)),
        item_names(snapshot.words(Vocabulary::item_name).containing(needle)) {
    const auto any = [](const std::vector<std::uint8_t>& hits) { return std::find(hits.begin(), hits.end(), 1) != hits.end(); };
    look_at_lines = any(items) || any(item_names);
  }

  bool in_texts(const OrderChunk& chunk, std::size_t i) const {
    return has(search_fold(chunk.number(i)), needle) || has(search_fold(chunk.reference(i)), needle);
  }
  bool by_words(const OrderChunk& chunk, std::size_t i) const {
    if (customers[chunk.customer[i]] || names[chunk.customer_name[i]]) return true;
    if (!look_at_lines) return false;
    for (std::size_t at = chunk.line_begin[i], end = at + chunk.lines[i]; at < end; ++at) {
      if (items[chunk.line_item(at)] || item_names[chunk.line_item_name(at)]) return true;
    }
    return false;
  }
};

Condition search_condition(const Snapshot& snapshot, const Filter& filter) {
  const auto search = std::make_shared<const Search>(snapshot, filter);
  return {[search](const OrderChunk& chunk, Mask& mask) {
            if (search->needle.empty()) return;
            Mask texts{};
            mark_texts(chunk, search->needle, texts);
            for (std::size_t i = 0; i < chunk.used; ++i) {
              if (mask[i] && !texts[i]) mask[i] = search->by_words(chunk, i);
            }
          },
          [search](const OrderChunk& chunk, std::size_t row) {
            return search->needle.empty() || search->in_texts(chunk, row) || search->by_words(chunk, row);
          }};
}

Result<Condition> condition(const Snapshot& snapshot, const Filter& filter, std::int32_t today) {
  if (filter.values.empty()) return fail(ErrorCode::invalid_input, "filter " + filter.name + " has no value");
  if (filter.name == "q") return search_condition(snapshot, filter);
  if (filter.name == "item" || filter.name == "manufacturer") return line_condition(snapshot, filter);
  if (filter.name == "differences") return difference_condition(filter);
  const FieldRow* field = find_field(filter.name);
  if (field == nullptr) return fail(ErrorCode::invalid_input, "there is no filter " + printable(filter.name));
  if (field->type != FieldType::text) return number_condition(*field, filter, today);
  if (field->field == OrderField::currency) return currency_condition(snapshot, filter);
  if (is_overlay(field->field)) return overlay_condition(field->field, filter);
  if (word_column(field->field)) return word_condition(snapshot, field->field, filter, today);
  return text_condition(field->field, filter);
}

}  // namespace

Result<OrderFilter> OrderFilter::prepare(const Snapshot& snapshot, std::span<const Filter> filters, Day today) {
  OrderFilter prepared;
  for (const Filter& filter : filters) {
    if (const auto customers = named_customers(snapshot, filter)) {
      prepared.conditions_.push_back(customer_condition(*customers));
      prepared.narrow_candidates(snapshot, *customers);
      continue;
    }
    auto made = condition(snapshot, filter, day_number(today));
    if (!made) return pass_on(made, filter.name);
    prepared.conditions_.push_back(std::move(*made));
  }
  return prepared;
}

// The shorter of two lists is as good: every condition is asked again row by row.
void OrderFilter::narrow_candidates(const Snapshot& snapshot, const std::vector<Code>& customers) {
  std::vector<RowId> rows;
  for (const Code code : customers) {
    const auto some = snapshot.customers().rows_of(code);
    if (!some) return;
    rows.insert(rows.end(), some->begin(), some->end());
  }
  if (customers.size() > 1) std::sort(rows.begin(), rows.end());
  if (!candidates_ || rows.size() < candidates_->size()) candidates_ = std::move(rows);
}

std::size_t OrderFilter::select(const OrderChunk& chunk, std::array<std::uint16_t, chunk_rows>& rows) const {
  Mask mask;
  chunk.live.decode(0, std::span(mask.data(), chunk.used));
  for (const Condition& one : conditions_) one.narrow(chunk, mask);
  std::size_t count = 0;
  for (std::size_t i = 0; i < chunk.used; ++i) {
    rows[count] = static_cast<std::uint16_t>(i);
    count += mask[i];
  }
  return count;
}

bool OrderFilter::passes(const OrderChunk& chunk, std::size_t row) const {
  return chunk.live[row] && std::all_of(conditions_.begin(), conditions_.end(),
                                        [&](const Condition& one) { return one.holds(chunk, row); });
}

}  // namespace millrace::query::internal
