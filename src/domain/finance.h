// What a company's money does beside its orders: invoices, payments, bills, costs, balances, and the rules they follow.
//
// One type for all kinds: what a kind has no use for stays empty. The table says what each kind fills.
//
//   kind              who        amount                       dates                    besides
//   invoice           customer   gross; `tax` of it           posted, due              instalments, lines, terms
//   credit_note       customer   gross, takes an invoice back posted                   lines, allocations (the invoice)
//   payment           customer   what came                    posted                   allocations, account
//   write_off         customer   what will not be paid        posted                   allocations
//   bill              supplier   gross; `tax` of it           posted, due              instalments, lines, terms
//   supplier_credit   supplier   gross, takes a bill back     posted                   allocations
//   supplier_payment  supplier   what went                    posted                   allocations, account
//   purchase_order    supplier   what is not billed yet       posted, due (delivery)   terms
//   delivery          customer   0                            posted                   lines (order lines and quantities)
//   cost              -          what it costs                posted or due            category, account; `paid` when it is
//   recurring_cost    -          each time                    posted (first day)       category, `every`, `until`
//   budget            -          of the month                 posted (first of month)  category
//   tax               -          what is to be paid           posted, due              category; `paid` when it is
//   balance           -          at the end of the day        posted                   account
//   credit_line       -          what may be drawn            posted (from), until     account
//   terms             -          0                            -                        `terms_rule`; number is its code
//   rate              -          0                            posted (from)            `rate`; number is "USD/EUR", one a day
//
// Invariants
//   * `amount` is positive in the kind's own direction; only a balance may be below zero. All amounts of one document
//     are minor units of its `currency`.
//   * Instalments add up to `amount`; allocations never exceed it (a payment on account is the rest). What uses up a
//     credit note (kind credit_note or supplier_credit) adds to what the payment can settle.
//   * Absent is `optional`, never 0, "" or 1900-01-01.
//   * `finance_key` is unique within kind and source: the number, of a rate with its day.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/money.h"
#include "domain/order.h"
#include "domain/quantity.h"

namespace millrace {

// Stored and sent: numbers are never given twice.
enum class FinanceKind : std::uint8_t {
  invoice = 1,
  credit_note = 2,
  payment = 3,
  write_off = 4,
  bill = 5,
  supplier_credit = 6,
  supplier_payment = 7,
  purchase_order = 8,
  delivery = 9,
  cost = 10,
  recurring_cost = 11,
  budget = 12,
  tax = 13,
  balance = 14,
  credit_line = 15,
  terms = 16,
  rate = 17,
};
inline constexpr std::size_t finance_kind_count = 18;  // with room for 0
std::string_view word(FinanceKind kind);               // "invoice", "supplier_payment"
std::optional<FinanceKind> parse_finance_kind(std::string_view word);

struct Instalment {
  std::optional<Day> due;
  std::int64_t amount = 0;
  bool operator==(const Instalment&) const = default;
};

// A part of an invoice, credit note, bill or delivery.
struct FinanceLine {
  OrderNumber order;                     // "" when it belongs to no order of ours
  std::optional<std::int32_t> order_line;  // as OrderLine::line_number
  Quantity quantity;
  std::int64_t amount = 0;  // net of tax; 0 on a delivery
  std::string text;
  bool operator==(const FinanceLine&) const = default;
};

// What a payment, credit note or write-off settles.
struct Allocation {
  FinanceKind kind = FinanceKind::invoice;  // of what it settles: invoice, bill
  std::string number;
  std::int32_t instalment = 0;  // counted from 1; 0: the oldest that is open
  std::int64_t amount = 0;      // in the currency of what it settles
  Currency currency = {};       // of what it settles, when that is another than the document's own
  bool operator==(const Allocation&) const = default;
};

// When an invoice is due, counted from its posting day: `months` later, then to the month's end if so, then `days` later.
struct TermsRule {
  std::int32_t days = 0;
  std::int32_t months = 0;
  bool month_end = false;
  std::int32_t discount_days = 0;  // 0: no discount
  Percent discount = {};
  struct Part {                    // empty: all at once
    std::int32_t days = 0;
    Percent part;                  // of the whole; the parts are 100 together
    bool operator==(const Part&) const = default;
  };
  std::vector<Part> parts = {};
  bool operator==(const TermsRule&) const = default;
};
Day due_day(const TermsRule& rule, Day posted);  // of the whole amount, or of its last part
// Split by largest remainder, so that they add up to `amount` exactly.
std::vector<Instalment> instalments_of(const TermsRule& rule, Day posted, std::int64_t amount);

enum class Every : std::uint8_t { none = 0, week = 1, month = 2, quarter = 3, year = 4 };
std::string_view word(Every every);
// The `n`-th day (from 0) of a rule that begins at `first`: the 31st is the last day of a shorter month.
Day recurrence(Day first, Every every, std::int32_t n);

// What one unit of `number`'s first currency costs in its second.
struct ExchangeRate {
  Currency from, to;
  std::int64_t scaled = 0;  // times 10^10
  bool operator==(const ExchangeRate&) const = default;
};
inline constexpr int rate_digits = 10;

struct FinanceDocument {
  FinanceKind kind = FinanceKind::invoice;
  std::string source;        // id of the source; "entered" on the screen, "import" by a file
  std::string number;        // as people say it
  std::string source_key;    // the key of the source system, "" when none
  std::string party_code;    // customer or supplier
  std::string party_name;
  std::string reference;     // the other side's own number
  std::string category;      // of a cost, budget or tax: "Wages"
  std::string account;
  std::string salesperson;
  std::string country;
  std::string terms;         // code of payment terms
  std::string comment;
  Currency currency;
  std::optional<Day> posted;
  std::optional<Day> due;
  std::optional<Day> until;
  std::optional<Day> paid;
  std::int64_t amount = 0;
  std::int64_t tax = 0;      // part of `amount`
  bool cancelled = false;    // as if it had never been
  bool closed = false;       // settled or billed, whatever its amounts say
  Every every = Every::none;
  std::optional<ExchangeRate> rate;
  std::optional<TermsRule> terms_rule;
  std::vector<Instalment> instalments;
  std::vector<FinanceLine> lines;
  std::vector<Allocation> allocations;
  std::string origin;        // "Invoices(4711)", "costs.csv", "anna": where it comes from, for people
  Place place;               // in its document
  bool operator==(const FinanceDocument&) const = default;
};

// Under this a source keeps one document of the kind: "9001"; of a rate "USD/EUR 2026-11-20".
std::string finance_key(const FinanceDocument& document);

// Whether they say the same, wherever each was read.
bool equal_but_origin(const FinanceDocument& left, const FinanceDocument& right);

// Whose money moves: who owes us, whom we owe, or nobody.
enum class FinanceParty : std::uint8_t { none, customer, supplier };
FinanceParty party_of(FinanceKind kind);

// Whether it may be what it says: the first sentence that is wrong with it, for the person who sent it.
// Errors   invalid_input
Result<void> check_finance_document(const FinanceDocument& document);

}  // namespace millrace
