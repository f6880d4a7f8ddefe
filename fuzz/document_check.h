// What must hold for the answer of every document parser, whatever the bytes were.
#pragma once
#include <cstdlib>

#include "ingest/document.h"

namespace millrace::ingest {

inline void hold(const ParsedDocument& document) {
  const bool said_something = !document.orders.empty() || !document.findings.empty() || !document.ignored_because.empty();
  const auto back = decode_parsed_document(encode(document));
  if (!said_something || !back || back->orders != document.orders) std::abort();
  for (const SalesOrder& order : document.orders) {
    if (order.number.text.empty() || order.currency.empty()) std::abort();
    for (const OrderLine& line : order.lines) {
      if (line.quantity_open.micros < 0) std::abort();
    }
  }
}

}  // namespace millrace::ingest
