// The fields we know, and the words of one profile made ready for looking up.
//
// Invariants
//   * One table names every field; profiles, parsers and messages use it.
//   * Looking up never allocates for short ASCII words.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "ingest/layout_profile.h"

namespace millrace::ingest {

enum class Field : std::uint8_t {
  // of the order
  order_number, source_key, document_status, cancelled, revision, customer_code, customer_name, customer_reference,
  salesperson, payment_terms, comment, currency, order_date, requested_date, promise_date, document_date,
  document_type, document_kind, tax, freight, net_total, document_total, open_total, updated, updated_date, updated_time,
  lines, expenses,
  // of the line
  line_number, item_code, item_name, manufacturer, warehouse_code, unit, quantity_ordered, quantity_open,
  quantity_delivered, unit_price, discount, line_total, open_amount, line_status, line_cancelled,
  line_requested_date, line_promise_date, line_currency, expense_amount,
  unknown
};
inline constexpr std::size_t field_count = static_cast<std::size_t>(Field::unknown);

std::string_view field_name(Field field);
bool is_line_field(Field field);
bool is_date_field(Field field);    // a calendar day or an instant
bool is_number_field(Field field);  // an amount, quantity or percentage

// The word as it is compared: ASCII lower case, without blanks, '_', '-', '.' and ':'.
std::string normal_word(std::string_view word);

// Where a word was met. A flat table (CSV) has order and line fields side by side; order fields win there.
enum class Scope : std::uint8_t { order, line, flat };

struct FieldMatch {
  Field field = Field::unknown;
  std::uint16_t rank = 0;  // place of the word in its list: lower counts first
  bool from_zero = false;  // a line number under this word is one less than people and other documents say
};

class CompiledLayout {
 public:
  explicit CompiledLayout(LayoutProfile profile);
  const LayoutProfile& profile() const { return profile_; }
  FieldMatch find(std::string_view word, Scope scope) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash64(text); }
  };
  using Words = std::unordered_map<std::string, FieldMatch, Hash, std::equal_to<>>;
  FieldMatch find_normal(std::string_view normal, Scope scope) const;

  LayoutProfile profile_;
  Words order_words_;
  Words line_words_;
};

}  // namespace millrace::ingest
