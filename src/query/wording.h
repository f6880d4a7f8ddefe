// What happened, in one sentence a planner understands.
#pragma once
#include <string>

#include "feed/change.h"

namespace millrace::query {

struct WordedChange {
  feed::Sequence sequence;
  Instant at;
  std::string kind;   // order_new, order_changed, status_changed, order_removed, rejection_new, rejection_solved,
                      // finance_new, finance_changed, finance_removed
  std::string order;  // "" when none
  std::string customer_name;
  std::string salesman;  // of the order after the change, of a removed one before it; "" when none
  std::string by;     // who made it, when a person did
  std::string text;   // "SO 43659: status Open -> In Production"
  std::vector<std::pair<std::string, std::pair<std::string, std::string>>> fields;  // name, before, after
};

// `before` is the change of the same subject that this one replaces, or nullptr when it is the first.
WordedChange worded(const feed::Change& change, const feed::Change* before);

}  // namespace millrace::query
