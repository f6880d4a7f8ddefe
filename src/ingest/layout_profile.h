// Where a company's own files keep their fields. Read from TOML; the built-in profile reads SAP Business One JSON,
// the usual English and German column words, and label/value sheets and pages.
//
// Source words stop here: one table maps them to the names of `domain/order.h`.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::ingest {

struct LayoutProfile {
  std::string name;  // "built-in" or the file's `name`
  // Prefixes that are not part of the order number: "SO43659" and 43659 are one order.
  std::vector<std::string> order_number_prefixes;
  // Our field name ("order_number", "customer_code", "quantity_open", ...) -> the words sources use for it, compared
  // without case, blanks, '_', '-', '.' and ':'. The catalogue of our names is `layout_field_names()`. When a
  // document uses two words of one field, the earlier word counts.
  std::map<std::string, std::vector<std::string>, std::less<>> words;
  std::string default_currency;  // "" : a document without a currency is refused
  std::string csv_date_order;    // "", "dmy", "mdy", "ymd": answers an ambiguous column; "" refuses it
  std::string csv_decimal_mark;  // "", ".", ","
  // Status words by folder: first folder below the root, "" takes the folder's own name.
  std::map<std::string, std::string, std::less<>> status_words;
};

const LayoutProfile& built_in_profile();

// The names that may stand under [words].
std::span<const std::string_view> layout_field_names();

// A profile extends the built-in one: its words come before the built-in words of the same field.
//
//   name = "our files"
//   order_number_prefixes = ["AB"]
//   default_currency = "EUR"
//   [words]
//   customer_reference = ["Bestellung", "Ihr Zeichen"]
//   [status_words]
//   "03_In Production" = "In Production"
//
// Errors   invalid_input  with line and key, and the nearest known key
Result<LayoutProfile> parse_layout_profile(std::string_view toml);
// Reads back as the same profile (`extends_built_in = false` is written with it).
std::string to_toml(const LayoutProfile& profile);

}  // namespace millrace::ingest
