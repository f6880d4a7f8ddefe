// One row of a pushed batch as names and values, and the finance document it says.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/finance.h"

namespace millrace::ingest {

struct BatchValue {
  enum class Kind : unsigned char { none, text, yes, no, object, array } kind = Kind::none;
  std::string text;  // of texts and numbers, as they are written
  std::vector<std::pair<std::string, BatchValue>> fields;
  std::vector<BatchValue> items;

  const BatchValue* find(std::string_view name) const;  // null when absent or none
};

struct FinanceFields {
  FinanceDocument document;
  bool removed = false;
};
// Errors   invalid_input  "the field 'amount': ..."
Result<FinanceFields> read_finance_fields(FinanceKind kind, const BatchValue& row);

}  // namespace millrace::ingest
