// The movements of money that are still to come, each with the document behind it: the one list from which every figure of
// the cash answers is summed.
//
//   layer      where from                                                  expected day
//   balance    newest balance of each account, payments since              today; together they are the opening balance
//   invoiced   open instalments of invoices and bills, what is on account  due day + usual delay, given how late it is already
//   delivered  order lines delivered and not invoiced (the chain of money) today + terms + usual delay
//   ordered    order lines not delivered; purchase orders not billed       due date, not before today, + terms + usual delay
//   planned    costs, recurring costs, taxes                               their day, not before today
//
// Invariants
//   * Nothing counts twice: an order that deliveries or invoices name is split by domain/cash_chain.h, one that none names is
//     open for what is open of it. A cost whose reference is the number of a recurring cost stands for its nearest turn.
//   * Amounts are minor units of the movement's own currency, + comes in, - goes out; `converted` is not filled here.
//   * Immutable once built; equal inputs give equal lists. Any thread may read.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "domain/exchange.h"
#include "domain/finance.h"
#include "planning/cash_plan.h"
#include "planning/payment_behaviour.h"
#include "readmodel/finance_book.h"
#include "readmodel/snapshot.h"

namespace millrace::query {

inline constexpr std::int32_t cash_days_max = planning::weeks_max * 7 + 14;  // as far as rules are followed

// Who pays, or is paid. One code may be a customer and a supplier: these are two parties.
struct CashParty {
  std::string code, name;
  bool supplier = false;
  planning::DelayDistribution delay;  // usual
  std::int32_t p10 = 0, p50 = 0, p90 = 0;
  TermsRule terms;            // as of the newest document
  bool terms_known = false;
};

CashParty cash_party(std::string code, std::string name, bool supplier, planning::DelayDistribution delay);

// What stands behind an item, at the same index.
struct CashSource {
  enum class Kind : std::uint8_t { order_line = 0 };  // else a FinanceKind
  std::uint32_t origin = 0;   // row of the order, or index of `documents`
  std::int32_t part = 0;      // line number of the order, instalment from 1, turn of a rule from 0
  std::int32_t due = planning::cash_no_day;   // due day of an instalment or cost, due date of an order line
  std::int32_t base = planning::cash_no_day;  // from which the delay counts
  std::uint8_t kind = 0;
  bool was_due = false;       // its due date had passed: it counts from today

  bool is_order_line() const { return kind == 0; }
  FinanceKind finance_kind() const { return static_cast<FinanceKind>(kind); }
};

struct CashAccount {
  std::string account;
  std::int32_t day = 0;  // of the newest balance
  Money balance;
};

struct CashList {
  std::vector<planning::CashItem> items;  // `id` is the index, `order` the row of the order
  std::vector<CashSource> sources;
};

// What the finance documents give, kept while the book and the day stay.
struct CashFinance {
  std::uint64_t version = 0;
  std::int32_t today = 0;
  CashList list;
  std::vector<readmodel::FinancePtr> documents;
  std::vector<CashParty> parties;
  std::vector<std::string> categories{""};
  std::vector<CashAccount> accounts;
  std::vector<readmodel::FinancePtr> credit_lines;
  RateTable rates;
  std::unordered_map<std::string, TermsRule> terms;
  planning::PaymentBehaviour customers, suppliers;
  // Orders that deliveries or invoices name, with the quantities (micros) they speak of.
  struct OrderFacts {
    std::int64_t delivered = 0, invoiced = 0;
    bool has_deliveries = false;
  };
  std::unordered_map<std::string, OrderFacts> orders;
  std::unordered_map<std::string, std::uint32_t> customer_codes, supplier_codes;  // code -> index of `parties`
};
std::shared_ptr<const CashFinance> cash_finance(const readmodel::FinanceBook& book, Day today);

class CashMoves {
 public:
  readmodel::SnapshotPtr snapshot;
  std::shared_ptr<const CashFinance> finance;
  CashList list;                   // those of `finance` first
  std::vector<CashParty> parties;  // those of `finance` first

  // Texts of a movement.
  std::string id(std::size_t item) const;  // "invoice/sap/9001/1", "order/43659/2", "delivered/43659/2": the same from day to day
  std::string_view kind(std::size_t item) const;
  std::string number(std::size_t item) const;
  std::string order(std::size_t item) const;  // the order it belongs to, "" none
  std::string why(std::size_t item) const;    // "due 25 Nov + usually 9 days late"
  std::string_view party_code(std::size_t item) const;
  std::string_view party_name(std::size_t item) const;
  std::string_view category(std::size_t item) const;
};
std::shared_ptr<const CashMoves> cash_moves(const readmodel::SnapshotPtr& snapshot, const readmodel::FinanceBook& book,
                                            std::shared_ptr<const CashFinance> finance);

// "30", "Net 30", "30 days", "30 Tage netto": the days a text names; nothing when it names none or several numbers.
std::optional<std::int32_t> terms_days(std::string_view text);

// What the company's own currency is: that of most accounts, else of most orders, else EUR.
Currency company_currency(const readmodel::Snapshot& snapshot, const readmodel::FinanceBook& book);

}  // namespace millrace::query
