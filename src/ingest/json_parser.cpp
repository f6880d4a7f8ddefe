#include "ingest/json_parser.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <simdjson.h>

#include "base/text.h"
#include "ingest/internal/order_draft.h"

namespace millrace::ingest {
namespace {

namespace od = simdjson::ondemand;

constexpr int depth_max = 64;
constexpr std::size_t keys_max = 4096;
constexpr std::size_t orders_max = 1'000'000;
constexpr std::string_view sap_line_number = "LineNum";  // counts the lines of a document from 0

// A document that is damaged as a whole; carries the sentence for a person.
struct Refused {
  std::string reason;
};

bool is_json_number(std::string_view t) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < t.size() && t[i] >= '0' && t[i] <= '9') ++i;
    return i - from;
  };
  if (i < t.size() && t[i] == '-') ++i;
  const std::size_t first = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && t[first] == '0')) return false;
  if (i < t.size() && t[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
    ++i;
    if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == t.size();
}

std::string_view without_trailing_blanks(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

// Which line of the text a position is on. Positions come in ascending order, so each byte is counted once.
class LineCounter {
 public:
  explicit LineCounter(const char* begin) : at_(begin), line_begin_(begin) {}
  void advance(const char* to) {
    while (at_ < to) {
      const void* found = std::memchr(at_, '\n', static_cast<std::size_t>(to - at_));
      if (found == nullptr) break;
      at_ = static_cast<const char*>(found) + 1;
      line_begin_ = at_;
      ++line_;
    }
    at_ = std::max(at_, to);
  }
  std::uint32_t line() const { return line_; }
  std::uint32_t column() const { return static_cast<std::uint32_t>(at_ - line_begin_) + 1; }
  std::string place() const { return "line " + std::to_string(line_) + " column " + std::to_string(column()); }

 private:
  const char* at_;
  const char* line_begin_;
  std::uint32_t line_ = 1;
};

// The key of a field. Without escapes, which is nearly always, it is a view of the document itself.
std::string_view key_of(od::field& field) {
  const char* const begin = field.key().raw();
  for (const char* at = begin; *at != '\\'; ++at) {
    if (*at == '"') return {begin, static_cast<std::size_t>(at - begin)};
  }
  return field.unescaped_key().value();
}

// The text of a value, the same way. What stands in the document was validated as UTF-8; escapes are looked at.
std::string_view text_of_value(od::value& value) {
  const std::string_view token = without_trailing_blanks(value.raw_json_token());
  const bool plain = token.size() >= 2 && token.back() == '"' && std::memchr(token.data(), '\\', token.size()) == nullptr;
  if (plain) {
    (void)value.get_raw_json_string().value();
    return token.substr(1, token.size() - 2);
  }
  const std::string_view text = value.get_string().value();
  if (!is_valid_utf8(text)) throw Refused{"a text holds half of a surrogate pair"};
  return text;
}

// The keys of one object so far. Lines, and documents of one connector, repeat their keys in the same order, so the meaning of the n-th key is
// remembered from the object before and neither looked up nor compared again. One row is used with one layout.
class KeyRow {
 public:
  explicit KeyRow(Scope scope) : scope_(scope) {}
  void begin() {
    count_ = 0;
    matches_memo_ = true;
  }
  FieldMatch next(std::string_view key, const CompiledLayout& layout) {
    if (matches_memo_ && count_ < memo_.size() && memo_[count_].key == key) return memo_[count_++].match;
    if (matches_memo_) {
      matches_memo_ = false;
      memo_.resize(count_);
    }
    if (count_ >= keys_max) throw Refused{"an object has more than 4096 keys"};
    for (const Known& known : memo_) {
      if (known.key == key) throw Refused{"the key '" + printable(shortened(key)) + "' stands twice in one object; which one counts cannot be told"};
    }
    FieldMatch match = layout.find(key, scope_);
    match.from_zero = match.field == Field::line_number && key == sap_line_number;
    memo_.push_back({std::string(key), match});
    matches_memo_ = true;
    return memo_[count_++].match;
  }

 private:
  struct Known {
    std::string key;
    FieldMatch match;
  };
  Scope scope_;
  std::vector<Known> memo_;
  std::size_t count_ = 0;
  bool matches_memo_ = true;
};

// What is known of keys when a document begins.
struct KnownKeys {
  KeyRow order{Scope::order};  // of a document that is one order
  KeyRow line{Scope::line};
  KeyRow expense{Scope::line};
};

class JsonReader {
 public:
  JsonReader(const CompiledLayout& layout, KnownKeys& known, ParsedDocument& answer, const char* begin)
      : layout_(layout), known_(known), answer_(answer), lines_(begin) {}

  void read(od::document& document) {
    const od::json_type type = document.type();
    if (type == od::json_type::object) {
      read_top_object(document.get_object().value());
    } else if (type == od::json_type::array) {
      read_orders(document.get_array().value(), 1);
    } else {
      throw Refused{"a single text, number or constant is no order document"};
    }
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
      lines_.advance(rest);
      throw Refused{"there is more text behind the end of the document"};
    }
  }
  const LineCounter& lines() const { return lines_; }

 private:
  // An order, or the envelope of a list of orders.
  void read_top_object(od::object object) {
    OrderDraft draft(layout_);
    bool order_like = false;
    read_order_fields(object, draft, order_like, 1, true);
    finish(draft, order_like);
  }

  void read_orders(od::array array, int depth) {
    for (auto element : array) {
      od::value value = element.value();
      note_position(value);
      if (value.type() != od::json_type::object) {
        validate(value, depth + 1);
        continue;
      }
      if (answer_.orders.size() >= orders_max) throw Refused{"more than 1,000,000 orders in one document"};
      OrderDraft draft(layout_);
      bool order_like = false;
      read_order_fields(value.get_object().value(), draft, order_like, depth + 1, false);
      finish(draft, order_like);
    }
  }

  void finish(OrderDraft& draft, bool order_like) {
    if (!order_like || draft.document_kind_is_other()) return;
    draft.finish(answer_, Disagreement::flag);
  }

  void read_order_fields(od::object object, OrderDraft& draft, bool& order_like, int depth, bool envelope_possible) {
    KeyRow of_one_among_many(Scope::order);
    KeyRow& keys = envelope_possible ? known_.order : of_one_among_many;
    keys.begin();
    bool customer_or_money = false;
    for (auto member : object) {
      od::field field = std::move(member).take_value();
      const std::string_view key = key_of(field);
      const FieldMatch match = keys.next(key, layout_);
      od::value value = field.value();
      const od::json_type type = value.type();
      if (type == od::json_type::array && match.field == Field::lines) {
        order_like = read_lines(value.get_array().value(), draft, depth + 1) || order_like;
      } else if (type == od::json_type::array && match.field == Field::expenses) {
        read_expenses(value.get_array().value(), draft, depth + 1);
      } else if (type == od::json_type::array && envelope_possible && key == "value") {
        read_orders(value.get_array().value(), depth + 1);
      } else if (type == od::json_type::array || type == od::json_type::object) {
        note_position(value);
        if (match.field != Field::unknown && match.field != Field::lines && match.field != Field::expenses) {
          draft.refuse(lines_.place(), "the field '" + printable(key) + "' holds a list or an object where a plain value belongs");
        }
        validate(value, depth + 1);
      } else if (match.field == Field::unknown) {
        draft.add_extra(key, text_of(scalar(value, type)));
      } else {
        apply(draft, match, value, type, key, false);
        customer_or_money = customer_or_money || match.field == Field::customer_code || match.field == Field::document_total ||
                            match.field == Field::currency || match.field == Field::order_date;
      }
    }
    order_like = order_like || (draft.has(Field::order_number) && customer_or_money);
  }

  // True when the list holds at least one object, or nothing at all: an order may have no lines yet.
  bool read_lines(od::array array, OrderDraft& draft, int depth) {
    bool has_objects = false;
    bool empty = true;
    for (auto element : array) {
      empty = false;
      od::value value = element.value();
      note_position(value);
      if (value.type() != od::json_type::object) {
        draft.refuse(lines_.place(), "an order line is not an object");
        validate(value, depth + 1);
        continue;
      }
      has_objects = true;
      draft.add_line(Place{Place::Kind::line, lines_.line(), 0});
      read_line(value.get_object().value(), draft, depth + 1);
    }
    return has_objects || (empty && draft.has(Field::order_number));
  }

  void read_line(od::object object, OrderDraft& draft, int depth) {
    known_.line.begin();
    for (auto member : object) {
      od::field field = std::move(member).take_value();
      const std::string_view key = key_of(field);
      const FieldMatch match = known_.line.next(key, layout_);
      od::value value = field.value();
      const od::json_type type = value.type();
      if (type == od::json_type::array || type == od::json_type::object) {
        validate(value, depth + 1);
      } else if (match.field == Field::unknown) {
        scalar(value, type);
      } else {
        apply(draft, match, value, type, key, true);
      }
    }
  }

  void read_expenses(od::array array, OrderDraft& draft, int depth) {
    for (auto element : array) {
      od::value value = element.value();
      note_position(value);
      if (value.type() != od::json_type::object) {
        validate(value, depth + 1);
        continue;
      }
      known_.expense.begin();
      std::optional<Decimal> amount;
      od::object object = value.get_object().value();
      for (auto member : object) {
        od::field field = std::move(member).take_value();
        const std::string_view key = key_of(field);
        const FieldMatch match = known_.expense.next(key, layout_);
        od::value inner = field.value();
        const od::json_type type = inner.type();
        if (type == od::json_type::array || type == od::json_type::object) {
          validate(inner, depth + 1);
          continue;
        }
        const FieldValue read = scalar(inner, type);
        if (match.field != Field::line_total && match.field != Field::expense_amount) continue;
        if (read.kind == FieldValue::Kind::empty) continue;
        const auto number = read.kind == FieldValue::Kind::number ? Result<Decimal>(read.number) : parse_decimal(read.text);
        if (!number) {
          draft.refuse(lines_.place(), "additional expense: " + number.error().text(), read.text);
        } else if (!amount || amount->is_zero()) {
          amount = *number;
        }
      }
      if (amount) draft.add_expense(*amount);
    }
  }

  void apply(OrderDraft& draft, FieldMatch match, od::value& value, od::json_type type, std::string_view key, bool on_line) {
    if (type == od::json_type::number && !is_text_field(match.field)) {
      const std::string_view token = number_token(value);
      auto number = parse_decimal(token);
      if (!number) {
        lines_.advance(token.data());
        draft.refuse(lines_.place(), "the field '" + printable(key) + "': " + number.error().text(), token);
        return;
      }
      report(draft, key, token, on_line ? draft.set_on_line(match, FieldValue::of_number(*number, token))
                                        : draft.set(match, FieldValue::of_number(*number, token)));
      return;
    }
    const FieldValue read = scalar(value, type);
    report(draft, key, read.text, on_line ? draft.set_on_line(match, read) : draft.set(match, read));
  }

  void report(OrderDraft& draft, std::string_view key, std::string_view text, const std::string& wrong) {
    if (!wrong.empty()) draft.refuse("line " + std::to_string(lines_.line()), "the field '" + printable(key) + "': " + wrong, text);
  }

  static bool is_text_field(Field field) { return !is_number_field(field); }

  // Any value that is neither list nor object. Numbers are handed on as their text.
  FieldValue scalar(od::value& value, od::json_type type) {
    switch (type) {
      case od::json_type::string: return FieldValue::of_text(text_of_value(value));
      case od::json_type::number: return FieldValue::of_text(number_token(value));
      case od::json_type::boolean: return FieldValue::of_text(value.get_bool().value() ? "true" : "false");
      case od::json_type::null:
        if (!value.is_null()) throw Refused{"a constant that is neither true, false nor null"};
        return {};
      default: return {};
    }
  }

  std::string_view number_token(od::value& value) {
    const std::string_view token = without_trailing_blanks(value.raw_json_token());
    if (!is_json_number(token)) {
      lines_.advance(token.data());
      throw Refused{"'" + printable(shortened(token)) + "' is not a JSON number"};
    }
    return token;
  }

  void validate(od::value& value, int depth) {
    if (depth > depth_max) {
      note_position(value);
      throw Refused{"nested deeper than 64 levels"};
    }
    const od::json_type type = value.type();
    if (type == od::json_type::array) {
      od::array array = value.get_array().value();  // named: g++ 12 ends a temporary before the loop begins
      for (auto element : array) {
        od::value inner = element.value();
        validate(inner, depth + 1);
      }
    } else if (type == od::json_type::object) {
      od::object object = value.get_object().value();
      for (auto member : object) {
        od::field field = std::move(member).take_value();
        (void)field.unescaped_key().value();
        od::value inner = field.value();
        validate(inner, depth + 1);
      }
    } else {
      scalar(value, type);
    }
  }

  void note_position(od::value& value) {
    const char* position = nullptr;
    if (value.current_location().get(position) == simdjson::SUCCESS) lines_.advance(position);
  }

  const CompiledLayout& layout_;
  KnownKeys& known_;
  ParsedDocument& answer_;
  LineCounter lines_;
};

std::string_view without_bom(std::string_view content) {
  return content.starts_with("\xEF\xBB\xBF") ? content.substr(3) : content;
}

// One parser per thread keeps its buffers; a document larger than all before makes them grow.
od::parser& parser() {
  static thread_local od::parser instance;
  return instance;
}

// Cut-off files are the most common damage: say so in words.
std::string worded(simdjson::error_code code) {
  switch (code) {
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
    case simdjson::UNCLOSED_STRING: return "the JSON ends too early: the file is cut off or still being written";
    case simdjson::UTF8_ERROR: return "the text is not valid UTF-8";
    case simdjson::DEPTH_ERROR: return "nested too deeply";
    default: return std::string("this is not valid JSON: ") + simdjson::error_message(code);
  }
}

ParsedDocument parse(std::string_view content, const CompiledLayout& layout, KnownKeys& known) {
  ParsedDocument answer;
  answer.format = Format::json;
  const std::string_view text = without_bom(content);
  const simdjson::padded_string padded(text);
  JsonReader reader(layout, known, answer, padded.data());
  std::string damage;
  std::string place;
  od::document document;
  bool begun = false;
  try {
    document = parser().iterate(padded);
    begun = true;
    reader.read(document);
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
    damage = worded(error.error());
    const char* at = nullptr;
    LineCounter counter(padded.data());
    const bool cut_off = error.error() == simdjson::INCOMPLETE_ARRAY_OR_OBJECT || error.error() == simdjson::UNCLOSED_STRING;
    if (!begun || cut_off || document.current_location().get(at) != simdjson::SUCCESS || at == nullptr) at = padded.data() + padded.size();
    counter.advance(std::min(at, static_cast<const char*>(padded.data() + padded.size())));
    place = counter.place();
  } catch (const Refused& refused) {
    damage = refused.reason;
    place = reader.lines().place();
  }
  if (!damage.empty()) {
    answer.orders.clear();
    answer.findings.clear();
    answer.is_order_document = true;
    answer.findings.push_back({feed::Outcome::reject, place, damage, "", ""});
    return answer;
  }
  if (!answer.is_order_document) answer.ignored_because = "JSON without an order in it";
  return answer;
}

}  // namespace

ParsedDocument parse_json(std::string_view content, const CompiledLayout& layout) {
  KnownKeys known;
  return parse(content, layout, known);
}

// All documents of connectors have the keys that the mapping writes, in its order.
ParsedDocument parse_json(std::string_view content) {
  static const CompiledLayout layout(built_in_profile());
  static thread_local KnownKeys known;
  return parse(content, layout, known);
}

}  // namespace millrace::ingest
