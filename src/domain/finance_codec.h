// A finance document as bytes, for the record and the feed.
//
// Invariants
//   * encode/decode round-trip; damaged bytes decode to `corrupt`. What an earlier version wrote stays readable for ever.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/finance.h"

namespace millrace {

std::string encode(const FinanceDocument& document);
Result<FinanceDocument> decode_finance_document(std::string_view bytes);

// What a document is, without reading it all; the texts live in `bytes`. Nothing when the bytes are damaged.
struct FinanceHead {
  FinanceKind kind = FinanceKind::invoice;
  std::string_view source, number;
};
std::optional<FinanceHead> finance_head(std::string_view bytes);

}  // namespace millrace
