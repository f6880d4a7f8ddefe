// The text of a question, as it stands in the address line, turned into an OrderQuery.
#include <algorithm>
#include <charconv>
#include <span>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text.h"
#include "query/internal/hash.h"
#include "query/internal/values.h"
#include "query/orders.h"

namespace millrace::query {
namespace {

constexpr std::array<std::string_view, 4> page_parameters{"sort", "limit", "cursor", "fields"};

std::string did_you_mean(std::string_view word, std::span<const std::string_view> words) {
  const std::string_view near = closest(word, words);
  return near.empty() ? std::string() : "; did you mean " + std::string(near) + "?";
}

class Parser {
 public:
  Parser(Day today, std::span<const std::string_view> also_known) : today_(today), also_known_(also_known) {}

  ParsedQuery parse(const Parameters& parameters) {
    for (const auto& [name, value] : parameters) {
      if (std::find(also_known_.begin(), also_known_.end(), name) != also_known_.end()) continue;
      if (name == "sort") sort(value);
      else if (name == "limit") limit(value);
      else if (name == "cursor") query().cursor = value;
      else if (name == "fields") fields(value);
      else filter(name, value);
    }
    if (query().filters.size() > filter_count_max) {
      error("filters", "limit", "there are " + std::to_string(query().filters.size()) + " filters; at most " +
                                    std::to_string(filter_count_max) + " can be combined");
      query().filters.resize(filter_count_max);
    }
    query().filter_hash = internal::filter_hash(query());
    return std::move(parsed_);
  }

 private:
  OrderQuery& query() { return parsed_.query; }
  void error(std::string_view parameter, std::string_view code, std::string detail) {
    parsed_.errors.push_back({printable(parameter.substr(0, 64)), std::string(code), std::move(detail)});
  }

  void limit(std::string_view value) {
    std::size_t number = 0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failed != std::errc{} || end != value.data() + value.size() || number < 1 || number > page_limit_max) {
      return error("limit", "limit", "limit is a number from 1 to " + std::to_string(page_limit_max) + ", not \"" +
                                         printable(value.substr(0, 32)) + "\"; exports give all rows");
    }
    query().limit = number;
  }

  const FieldRow* field(std::string_view parameter, std::string_view name) {
    if (const FieldRow* found = find_field(name)) return found;
    std::vector<std::string_view> names;
    for (const FieldRow& row : order_fields()) names.push_back(row.name);
    error(parameter, "bad-value", "there is no field \"" + printable(name.substr(0, 64)) + "\"" + did_you_mean(name, names));
    return nullptr;
  }

  void sort(std::string_view value) {
    for (std::string_view name : split(value, ',')) {
      name = trim(name);
      if (name.empty()) continue;
      SortKey key;
      if (name.starts_with('-')) key.descending = true, name.remove_prefix(1);
      const FieldRow* row = field("sort", name);
      if (row == nullptr) continue;
      if (!row->sort) {
        error("sort", "bad-value", "the list cannot be sorted by " + std::string(row->name));
        continue;
      }
      const bool repeated = std::any_of(query().sort.begin(), query().sort.end(),
                                        [&](const SortKey& known) { return known.field == row->field; });
      key.field = row->field;
      if (!repeated) query().sort.push_back(key);  // a second sort by the same field decides nothing
    }
  }

  void fields(std::string_view value) {
    for (std::string_view name : split(value, ',')) {
      name = trim(name);
      if (name.empty()) continue;
      const FieldRow* row = field("fields", name);
      if (row == nullptr) continue;
      auto& wanted = query().fields;
      if (std::find(wanted.begin(), wanted.end(), row->field) == wanted.end()) wanted.push_back(row->field);
    }
  }

  void unknown(const std::string& name) {
    std::vector<std::string_view> names(page_parameters.begin(), page_parameters.end());
    for (const FieldRow& row : order_fields()) names.push_back(row.name);
    for (const FilterRow& row : line_filters()) names.push_back(row.name);
    names.insert(names.end(), also_known_.begin(), also_known_.end());
    error(name, "unknown-parameter",
          "there is no parameter \"" + printable(std::string_view(name).substr(0, 64)) + "\"" + did_you_mean(name, names));
  }

  // Splits "gte.500" into operator and value; a text before the dot that is no operator belongs to the value.
  static std::pair<FilterOp, std::string_view> operation(std::string_view value) {
    const std::size_t dot = value.find('.');
    if (dot == std::string_view::npos) return {FilterOp::equal, value};
    const std::string_view name = value.substr(0, dot);
    using enum FilterOp;
    for (const FilterOp op : {equal, not_equal, less, less_equal, greater, greater_equal, one_of, contains}) {
      if (name != internal::word(op)) continue;
      if (op == one_of && (dot + 1 >= value.size() || value[dot + 1] != '(')) break;  // "in.stock" is a text
      return {op, value.substr(dot + 1)};
    }
    return {equal, value};
  }

  // "(a,\"b,c\",d)" without its brackets, split at commas outside of double quotes.
  bool list(const std::string& name, std::string_view text, std::vector<std::string>& values) {
    if (!text.ends_with(')')) {
      error(name, "bad-value", "a list is written in.(a,b,c); the closing bracket is missing");
      return false;
    }
    text = text.substr(1, text.size() - 2);
    std::string value;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '"') quoted = !quoted;
      else if (text[i] == ',' && !quoted) values.push_back(std::exchange(value, {}));
      else value.push_back(text[i]);
    }
    values.push_back(std::move(value));
    if (quoted) error(name, "bad-value", "a double quote in the list is not closed");
    return !quoted;
  }

  void filter(const std::string& name, std::string_view value) {
    const FieldRow* row = find_field(name);
    const bool by_line = std::any_of(line_filters().begin(), line_filters().end(),
                                     [&](const FilterRow& known) { return known.name == name; });
    if ((row == nullptr || !row->filter) && !by_line) return unknown(name);
    if (value.empty()) return;  // an empty field of a form asks nothing; eq. asks for the empty text
    if (value.size() > filter_text_max) {
      return error(name, "limit", "a filter has at most " + std::to_string(filter_text_max) + " bytes, this one has " +
                                      std::to_string(value.size()));
    }
    Filter made;
    made.name = name;
    if (name == "q") {
      made.op = FilterOp::contains;
      made.values.emplace_back(value);
      query().filters.push_back(std::move(made));
      return;
    }
    const auto [op, rest] = operation(value);
    made.op = op;
    if (op != FilterOp::one_of) made.values.emplace_back(rest);
    else if (!list(name, rest, made.values)) return;
    if (by_line ? check_line_filter(made) : check_values(*row, made)) query().filters.push_back(std::move(made));
  }

  bool check_line_filter(const Filter& made) {
    if (made.name == "differences") {
      const auto known = [](const std::string& value) { return value == "1" || value == "0" || value == "undecided"; };
      if (made.op == FilterOp::equal && known(made.values.front())) return true;
      error(made.name, "bad-value", "differences is 1, undecided or 0");
      return false;
    }
    if (!internal::is_ordering(made.op)) return true;
    error(made.name, "bad-value", made.name + " has no order; use eq, ne, in or has");
    return false;
  }

  bool check_values(const FieldRow& row, Filter& made) {
    if (row.type == FieldType::text) return true;
    if (made.op == FilterOp::contains) {
      error(row.name, "bad-value", "has works on texts only; use eq, ne, lt, lte, gt, gte or in for " + std::string(row.name));
      return false;
    }
    bool good = true;
    for (std::string& value : made.values) {
      value = internal::canonical_value(row, value, today_);
      if (internal::is_none(row, value)) {
        value = "none";
        if (!internal::is_ordering(made.op)) continue;
        error(row.name, "bad-value", "none has no order; use eq, ne or in");
        good = false;
      } else if (const auto read = internal::interval(row, value); !read) {
        error(row.name, "bad-value", read.error().text());
        good = false;
      }
    }
    return good;
  }

  Day today_;
  std::span<const std::string_view> also_known_;
  ParsedQuery parsed_;
};

}  // namespace

ParsedQuery parse_order_query(const Parameters& parameters, Day today, std::span<const std::string_view> also_known) {
  return Parser(today, also_known).parse(parameters);
}

void only_of(OrderQuery& query, std::string salesman) {
  query.filters.push_back({"salesman", FilterOp::exactly, {std::move(salesman)}});
  query.filter_hash = internal::filter_hash(query);
}

namespace internal {

std::uint64_t filter_hash(const OrderQuery& query) {
  const auto in_order_once = [](std::vector<std::string>& texts) {
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  };
  std::vector<std::string> filters;  // in any order, and asking the same twice is asking once
  filters.reserve(query.filters.size());
  for (const Filter& filter : query.filters) {
    std::string& text = filters.emplace_back();
    ByteWriter out(text);
    out.text(filter.name);
    out.u8(static_cast<std::uint8_t>(filter.op));
    if (filter.values.size() == 1) {
      out.text(filter.values.front());
      continue;
    }
    std::vector<std::string> values = filter.values;
    in_order_once(values);
    for (const std::string& value : values) out.text(value);
  }
  in_order_once(filters);
  std::string all;
  ByteWriter out(all);
  for (const std::string& filter : filters) out.text(filter);
  constexpr SortKey by_number{};
  const std::span<const SortKey> sort = query.sort.empty() ? std::span(&by_number, 1) : std::span(query.sort);
  for (const SortKey& key : sort) {
    out.u8(static_cast<std::uint8_t>(key.field));
    out.u8(key.descending ? 1 : 0);
  }
  return hash64(all);
}

}  // namespace internal
}  // namespace millrace::query
