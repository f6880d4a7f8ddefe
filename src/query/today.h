// The morning's answer: what is open, what is late, what needs a decision.
#pragma once
#include <vector>

#include "query/orders.h"

namespace millrace::query {

struct AgeBucket {          // open amount by lateness
  std::string_view name;    // not_due, 1-7, 8-30, 31-60, 61+, no_date
  std::vector<CurrencySum> sums;
};

struct Today {
  feed::Sequence as_of;
  Instant as_of_time;
  std::vector<CurrencySum> sums;        // all orders
  std::vector<CurrencySum> due_soon;    // open, due within seven days from today, not late
  std::vector<AgeBucket> ages;
  std::vector<OrderRow> needs_decision;  // late orders ranked by open amount x days late, at most `limit`,
                                         // currencies interleaved by rank, never compared as amounts
  // Nothing where only one salesperson's orders are asked for: they are counted over all orders.
  std::optional<std::uint64_t> rejections;
  std::optional<std::uint64_t> differences;  // orders whose sources differ where no person decided yet
};

// `salesman`: only the orders of this one, exactly as they write it; "" all.
Today today(const readmodel::Snapshot& snapshot, Day day, std::size_t limit, std::string_view salesman = "");

}  // namespace millrace::query
