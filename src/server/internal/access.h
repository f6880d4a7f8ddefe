// Who may use a route, and how much of the orders an answer may show.
//
// Invariants
//   * Every route says what it needs and what somebody gets who is limited to his own orders: `Need` has no default, so a
//     row of the table without it does not compile.
//   * A View only takes away. Whatever is kept or shared between askers is kept under its `key`.
#pragma once
#include <string>
#include <string_view>

#include "people/people.h"

namespace millrace::server {

using people::Right;
using people::Rights;

class Need {
 public:
  // Anybody, signed in or not: the door itself, and whether we are alive.
  static constexpr Need nothing() { return Need(Who::anybody, {}); }
  // Whoever has signed in, whatever his rights.
  static constexpr Need sign_in() { return Need(Who::signed_in, {}); }
  // A machine that proves itself to the handler: the token of a source, or a signature over the body.
  static constexpr Need own_key() { return Need(Who::own_key, {}); }
  constexpr Need(Right right) : Need(Who::holder, Rights{right}) {}   // NOLINT: rows read as the right they name
  constexpr Need(Rights rights) : Need(Who::holder, rights) {}        // NOLINT

  constexpr bool asks_nobody() const { return who_ == Who::anybody; }
  constexpr bool asks_own_key() const { return who_ == Who::own_key; }
  constexpr Rights rights() const { return rights_; }
  // What OpenAPI and the matrix of tests call it: "anybody", "signed in", "own key" or the rights.
  std::string words() const;

 private:
  enum class Who { anybody, signed_in, own_key, holder };
  constexpr Need(Who who, Rights rights) : who_(who), rights_(rights) {}

  Who who_;
  Rights rights_;
};

// Needs of several routes and topics.
inline constexpr Rights amounts{Right::see_orders, Right::see_money};
// Changes are told in words, and the words name amounts.
inline constexpr Rights told_changes{Right::see_orders, Right::see_money, Right::see_changes};
// What sources say, value by value: amounts are among them.
inline constexpr Rights source_values{Right::see_orders, Right::see_money, Right::see_sources};

// What a user gets who sees the orders of one salesperson only.
enum class Own {
  filtered,  // his orders alone: counts and totals are theirs too
  open,      // nothing of an order is in it
  closed,    // cannot be filtered
};

// What of the orders somebody may see.
struct View {
  std::string salesman;  // only this salesperson's, exactly as the orders write it; "" all
  bool money = true;     // amounts, prices and totals

  bool whole() const { return salesman.empty() && money; }
  bool shows(std::string_view order_salesman) const { return salesman.empty() || order_salesman == salesman; }
  // What kept answers are told apart by; "" for the whole view.
  std::string key() const;
};
View view_of(const people::Identity& identity);

}  // namespace millrace::server
