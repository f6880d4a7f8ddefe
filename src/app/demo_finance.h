// The money of the demo company: what follows from its orders (deliveries, invoices, payments by each customer's habit), two
// years before them, and what it pays: suppliers, wages, rent, tax; with terms, rates, budgets, balances and a credit line.
//
// Invariants
//   * Same company: the same documents. What was invoiced was delivered; what is open of an order is not invoiced.
//   * The bank's past balances follow from the payments; the credit line is a little more than the next 13 weeks need.
//   * It calls its source "books".
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/demo_company.h"
#include "domain/finance.h"

namespace millrace::app {

// How a customer pays.
struct DemoHabit {
  std::string terms;  // code of a document of kind terms
  TermsRule rule;
  int delay = 0;   // days after the due day, usually
  int spread = 0;  // and so many days around it
  int drift = 0;   // days later every year
};

class DemoFinance {
 public:
  static constexpr std::string_view source = "books";

  // `company` outlives it.
  explicit DemoFinance(const DemoCompany& company);

  // All documents on the company's day.
  const std::vector<FinanceDocument>& first_day() const { return documents_; }
  // What follows from the order as it is now: a delivery and its invoice when more was delivered than invoiced, else nothing.
  std::vector<FinanceDocument> follow(const SalesOrder& order, Day today);
  // The payment that is due next, and what the bank shows then; nothing when nobody owes anything.
  std::vector<FinanceDocument> pay_next(Day today);

 private:
  struct Owed {
    std::string number, party, party_name;
    Currency currency;
    std::int64_t amount = 0;
    std::int32_t instalment = 0;  // from 1; 0: all of it
  };

  FinanceDocument made(FinanceKind kind, std::string number, Currency currency, std::int64_t amount, Day posted) const;
  DemoHabit habit_of(std::size_t customer) const;
  const DemoCustomer* customer_of(const SalesOrder& order, std::size_t& place) const;
  // What left and was not invoiced yet, with the invoice's lines.
  std::vector<FinanceLine> uninvoiced(const SalesOrder& order);
  FinanceDocument invoice_of(const SalesOrder& order, const DemoCustomer& customer, const DemoHabit& habit, std::vector<FinanceLine> lines,
                             std::string number, Day posted) const;
  void flow(Day day, std::int64_t minor, Currency currency);

  static std::int32_t month_of(Day day);  // counted from year 0
  // What a month costs: of a past one by what came in then, so that the bank goes up and down like a real one.
  std::int64_t scale_of(Day day, std::int64_t month) const;
  void add_terms_and_rates();
  void add_sales();
  void add_sale(const SalesOrder& order);
  void add_older_sales();
  void add_invoice(FinanceDocument invoice, const DemoHabit& habit, Dice& dice);
  void expect_order(const SalesOrder& order, const DemoHabit& habit);
  void add_purchases(std::int64_t month);
  void add_costs(std::int64_t month);
  void add_month(Day first, std::int64_t month);
  void add_cost(std::string_view category, std::string number, Day day, std::int64_t minor);
  void add_balances(std::int64_t month);

  const DemoCompany& company_;
  const Day today_;
  std::vector<FinanceDocument> documents_;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> invoiced_;  // order and line: micros
  std::map<std::string, int> invoices_of_;                                 // order: how many
  std::multimap<std::int32_t, Owed> open_;                                 // by the day on which it is expected
  std::map<std::int32_t, std::int64_t> came_in_;                           // month: euro cents that customers paid
  std::map<std::int32_t, std::int64_t> flows_;                             // day: euro cents, past ones real, later ones expected
  std::int64_t balance_ = 0;                                               // of the bank, euro cents
};

}  // namespace millrace::app
