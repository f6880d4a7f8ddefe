// What the finance documents give to the movements of money.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/check.h"
#include "query/cash_moves.h"
#include "query/ledger_dues.h"

namespace millrace::query {
namespace {

using planning::CashItem;
using planning::CashLayer;
using readmodel::FinanceBook;
using readmodel::FinancePtr;
using readmodel::LedgerSide;

constexpr std::int32_t no_day = planning::cash_no_day;
static_assert(planning::cash_no_day == readmodel::no_day);

std::int32_t number_of(const std::optional<Day>& day) { return day ? day_number(*day) : no_day; }

TermsRule plain_terms(std::int32_t days) {
  TermsRule rule;
  rule.days = std::max(days, 0);
  return rule;
}

class Builder {
 public:
  Builder(const FinanceBook& book, Day today) : book_(book), today_(day_number(today)), made_(std::make_shared<CashFinance>()) {
    made_->version = book.version();
    made_->today = today_;
  }

  std::shared_ptr<const CashFinance> build() {
    take_rates_and_terms();
    take_ledger(LedgerSide::receivables);
    take_ledger(LedgerSide::payables);
    take_orders();
    take_purchase_orders();
    take_costs();
    take_balances();
    book_.each(FinanceKind::credit_line, [&](const FinancePtr& line) {
      if (!line->cancelled) made_->credit_lines.push_back(line);
      return true;
    });
    return made_;
  }

 private:
  void take_rates_and_terms() {
    book_.each(FinanceKind::rate, [&](const FinancePtr& rate) {
      // A rate that was refused here would have been refused on its way in.
      if (!rate->cancelled && rate->rate && rate->posted) (void)made_->rates.add(*rate->rate, *rate->posted, rate->number);
      return true;
    });
    book_.each(FinanceKind::terms, [&](const FinancePtr& terms) {
      if (terms->terms_rule && !terms->cancelled) made_->terms.emplace(terms->number, *terms->terms_rule);
      return true;
    });
  }

  std::uint32_t document(FinancePtr document) {
    made_->documents.push_back(std::move(document));
    return static_cast<std::uint32_t>(made_->documents.size() - 1);
  }

  std::uint16_t category(const std::string& name) {
    if (name.empty()) return 0;
    const auto [found, fresh] = categories_.emplace(name, made_->categories.size());
    if (fresh && made_->categories.size() == UINT16_MAX) found->second = UINT16_MAX - 1;  // the rest of an absurd list shares one
    else if (fresh) made_->categories.push_back(name);
    return static_cast<std::uint16_t>(found->second);
  }

  // ---- invoices and bills

  void take_ledger(LedgerSide side) {
    const std::vector<LedgerDue> dues = ledger_dues(book_, side);
    const bool supplier = side == LedgerSide::payables;
    auto& behaviour = supplier ? made_->suppliers : made_->customers;
    behaviour = planning::PaymentBehaviour::learn(cases_of(dues), today_);
    make_parties(dues, supplier, behaviour);
    for (const LedgerDue& due : dues)
      if (due.open != 0 && due.owed > 0) take_due(due, supplier);
    take_on_account(dues, supplier);
  }

  static std::vector<planning::PaymentCase> cases_of(const std::vector<LedgerDue>& dues) {
    std::vector<planning::PaymentCase> cases;
    for (const LedgerDue& due : dues) {
      if (due.owed <= 0 || due.due == no_day || due.posted == no_day) continue;
      const bool settled = due.open <= 0 && due.settled != no_day;
      cases.push_back({due.party, due.posted, due.due, settled ? due.settled : planning::not_paid, due.owed});
    }
    return cases;
  }

  void make_parties(const std::vector<LedgerDue>& dues, bool supplier, const planning::PaymentBehaviour& behaviour) {
    struct Newest {
      const LedgerDue* due = nullptr;
    };
    std::vector<Newest> newest(book_.party_count());
    for (const LedgerDue& due : dues) {
      if (due.party >= newest.size() || due.owed <= 0) continue;
      Newest& known = newest[due.party];
      if (known.due == nullptr || due.posted > known.due->posted || (due.posted == known.due->posted && due.due > known.due->due)) known.due = &due;
    }
    auto& codes = supplier ? made_->supplier_codes : made_->customer_codes;
    auto& places = supplier ? supplier_places_ : customer_places_;
    places.assign(book_.party_count(), planning::cash_no_code);
    for (std::uint32_t code = 0; code < newest.size(); ++code) {
      if (newest[code].due == nullptr) continue;
      places[code] = static_cast<std::uint32_t>(made_->parties.size());
      codes.emplace(book_.party(code), places[code]);
      CashParty party = cash_party(std::string(book_.party(code)), std::string(book_.party_name(code)), supplier, behaviour.usual(code));
      take_terms(party, *newest[code].due);
      made_->parties.push_back(std::move(party));
    }
  }

  // The rule by its code where the document names one, else the days it gave.
  void take_terms(CashParty& party, const LedgerDue& newest) {
    const FinancePtr document = book_.document(newest.document);
    if (document && !document->terms.empty())
      if (const auto rule = made_->terms.find(document->terms); rule != made_->terms.end()) {
        party.terms = rule->second;
        party.terms_known = true;
        return;
      }
    if (newest.due == no_day || newest.posted == no_day) return;
    party.terms = plain_terms(newest.due - newest.posted);
    party.terms_known = true;
  }

  std::uint32_t place_of(std::uint32_t code, bool supplier) const {
    const auto& places = supplier ? supplier_places_ : customer_places_;
    return code < places.size() ? places[code] : planning::cash_no_code;
  }

  void take_due(const LedgerDue& due, bool supplier) {
    FinancePtr owed = book_.document(due.document);
    if (!owed || owed->closed) return;
    CashSource source;
    source.kind = static_cast<std::uint8_t>(owed->kind);
    source.part = instalment_of(*owed, due.due);
    source.due = due.due;
    const std::uint32_t party = place_of(due.party, supplier);
    source.base = due.due;
    if (source.base == no_day && due.posted != no_day && party != planning::cash_no_code)
      source.base = day_number(due_day(made_->parties[party].terms, day_from_number(due.posted)));
    CashItem item;
    item.amount = supplier ? -due.open : due.open;
    item.party = party;
    item.currency = book_.currency(due.currency).packed();
    item.layer = CashLayer::invoiced;
    item.category = supplier ? category(owed->category.empty() ? "Bills" : owed->category) : std::uint16_t{0};
    if (source.base != no_day) set_days(item, source.base);
    source.origin = document(std::move(owed));
    add(item, source);
  }

  static std::int32_t instalment_of(const FinanceDocument& document, std::int32_t due) {
    for (std::size_t i = 0; i < document.instalments.size(); ++i)
      if (number_of(document.instalments[i].due) == due) return static_cast<std::int32_t>(i + 1);
    return 1;
  }

  // p10, p50 and p90 of what is owed since `base`, given that it is not paid yet.
  void set_days(CashItem& item, std::int32_t base) const {
    if (item.party == planning::cash_no_code) {
      item.day = item.early = item.late = std::max(base, today_);
      return;
    }
    const CashParty& party = made_->parties[item.party];
    if (base + party.delay.quantile(0) > today_) {  // it could not have been paid yet
      item.day = base + party.p50, item.early = base + party.p10, item.late = base + party.p90;
    } else {
      const planning::DelayDistribution open = party.delay.still_open(today_ - base);
      item.day = base + open.p50(), item.early = base + open.p10(), item.late = base + open.p90();
    }
    item.day = std::max(item.day, today_);
    item.early = std::clamp(item.early, today_, item.day);
    item.late = std::max(item.late, item.day);
  }

  // What somebody paid or was credited without saying what for is taken from what he owes first; beyond that it moves no money.
  void take_on_account(const std::vector<LedgerDue>& dues, bool supplier) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::size_t>> owed;  // party and currency -> items, by due day
    for (std::size_t i = 0; i < made_->list.items.size(); ++i) {
      const CashItem& item = made_->list.items[i];
      if (item.party != planning::cash_no_code && made_->parties[item.party].supplier == supplier && item.day != no_day)
        owed[{item.party, item.currency}].push_back(i);
    }
    for (auto& [key, items] : owed) {
      std::ranges::stable_sort(items, {}, [&](std::size_t i) { return made_->list.sources[i].due; });
    }
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> used;
    for (const LedgerDue& due : dues) {
      if (due.open >= 0 || due.owed > 0) continue;
      const std::uint32_t party = place_of(due.party, supplier);
      const auto found = owed.find({party, book_.currency(due.currency).packed()});
      if (found == owed.end()) continue;
      offset(due, supplier, found->second, used[found->first]);
    }
  }

  void offset(const LedgerDue& due, bool supplier, const std::vector<std::size_t>& items, std::int64_t& used) {
    std::int64_t left = -due.open, before = 0;
    FinancePtr paid = book_.document(due.document);
    if (!paid) return;
    std::uint32_t origin = planning::cash_no_code;
    std::int32_t part = 0;
    for (const std::size_t at : items) {
      const CashItem owing = made_->list.items[at];
      const std::int64_t amount = owing.amount < 0 ? -owing.amount : owing.amount;
      const std::int64_t free = std::max<std::int64_t>(0, before + amount - std::max(used, before));
      before += amount;
      const std::int64_t taken = std::min(free, left);
      if (taken <= 0) continue;
      if (origin == planning::cash_no_code) origin = document(paid);
      CashItem item = owing;
      item.amount = supplier ? taken : -taken;
      CashSource source = made_->list.sources[at];
      source.kind = static_cast<std::uint8_t>(paid->kind);
      source.origin = origin;
      source.part = ++part;
      add(item, source);
      used += taken;
      if ((left -= taken) == 0) return;
    }
  }

  // ---- orders that documents name

  void take_orders() {
    const auto quantities = [&](FinanceKind kind, std::int64_t CashFinance::OrderFacts::*field, int sign) {
      book_.each(kind, [&](const FinancePtr& document) {
        if (document->cancelled) return true;
        for (const FinanceLine& line : document->lines) {
          if (line.order.text.empty()) continue;
          CashFinance::OrderFacts& facts = made_->orders[line.order.text];
          facts.*field += sign * line.quantity.micros;
          if (kind == FinanceKind::delivery) facts.has_deliveries = true;
        }
        return true;
      });
    };
    quantities(FinanceKind::delivery, &CashFinance::OrderFacts::delivered, 1);
    quantities(FinanceKind::invoice, &CashFinance::OrderFacts::invoiced, 1);
    quantities(FinanceKind::credit_note, &CashFinance::OrderFacts::invoiced, -1);
  }

  // ---- purchases

  void take_purchase_orders() {
    book_.each(FinanceKind::purchase_order, [&](const FinancePtr& purchase) {
      if (purchase->cancelled || purchase->closed || purchase->amount == 0) return true;
      CashSource source;
      source.kind = static_cast<std::uint8_t>(FinanceKind::purchase_order);
      source.due = number_of(purchase->due);
      CashItem item;
      item.amount = -purchase->amount;
      item.currency = purchase->currency.packed();
      item.layer = CashLayer::ordered;
      item.category = category(purchase->category.empty() ? "Purchases" : purchase->category);
      item.party = supplier_of(*purchase);
      if (source.due != no_day) {
        source.was_due = source.due < today_;
        const Day billed = day_from_number(std::max(source.due, today_));
        source.base = day_number(due_day(terms_of(*purchase, item.party), billed));
        set_days(item, source.base);
      }
      source.origin = document(purchase);
      add(item, source);
      return true;
    });
  }

  TermsRule terms_of(const FinanceDocument& document, std::uint32_t party) const {
    if (const auto rule = made_->terms.find(document.terms); rule != made_->terms.end()) return rule->second;
    if (const auto days = terms_days(document.terms)) return plain_terms(*days);
    return party == planning::cash_no_code ? TermsRule() : made_->parties[party].terms;
  }

  std::uint32_t supplier_of(const FinanceDocument& document) {
    if (document.party_code.empty()) return planning::cash_no_code;
    const auto [found, fresh] = made_->supplier_codes.emplace(document.party_code, made_->parties.size());
    if (fresh) {
      made_->parties.push_back(cash_party(document.party_code, document.party_name, true, made_->suppliers.company()));
    }
    return found->second;
  }

  // ---- costs

  void take_costs() {
    book_.each(FinanceKind::cost, [&](const FinancePtr& cost) {
      if (!cost->cancelled && !cost->reference.empty() && (cost->due || cost->posted)) met_[cost->reference].push_back(number_of(cost->due ? cost->due : cost->posted));
      take_planned(cost, "Costs");
      return true;
    });
    book_.each(FinanceKind::tax, [&](const FinancePtr& tax) {
      take_planned(tax, "Tax");
      return true;
    });
    book_.each(FinanceKind::recurring_cost, [&](const FinancePtr& rule) {
      take_rule(rule);
      return true;
    });
  }

  // What is paid, or had no due day and is past, has happened: the balance knows it.
  void take_planned(const FinancePtr& cost, std::string_view otherwise) {
    if (cost->cancelled || cost->closed || cost->paid || cost->amount == 0) return;
    const std::int32_t day = number_of(cost->due ? cost->due : cost->posted);
    if (day == no_day || (!cost->due && day < today_)) return;
    add_planned(cost, otherwise, day, 0);
  }

  void add_planned(const FinancePtr& cost, std::string_view otherwise, std::int32_t day, std::int32_t part) {
    CashSource source;
    source.kind = static_cast<std::uint8_t>(cost->kind);
    source.part = part;
    source.due = source.base = day;
    source.was_due = day < today_;
    source.origin = document(cost);
    CashItem item;
    item.amount = -cost->amount;
    item.currency = cost->currency.packed();
    item.layer = CashLayer::planned;
    item.category = category(cost->category.empty() ? std::string(otherwise) : cost->category);
    item.day = item.early = item.late = std::max(day, today_);
    add(item, source);
  }

  void take_rule(const FinancePtr& rule) {
    if (rule->cancelled || rule->closed || !rule->posted || rule->every == Every::none || rule->amount == 0) return;
    const std::int32_t until = std::min(rule->until ? day_number(*rule->until) : INT32_MAX, today_ + cash_days_max);
    const auto met = met_.find(rule->number);
    for (std::int32_t n = 0;; ++n) {
      const std::int32_t day = day_number(recurrence(*rule->posted, rule->every, n));
      if (day > until) return;
      if (day < today_ || (met != met_.end() && is_met(*rule, n, met->second))) continue;
      add_planned(rule, "Recurring", day, n);
    }
  }

  // A cost stands for the turn it is nearest to, the earlier of two.
  static bool is_met(const FinanceDocument& rule, std::int32_t n, const std::vector<std::int32_t>& costs) {
    const auto turn = [&](std::int32_t i) { return day_number(recurrence(*rule.posted, rule.every, i)); };
    const std::int32_t day = turn(n);
    return std::ranges::any_of(costs, [&](std::int32_t cost) {
      const std::int32_t off = std::abs(cost - day);
      return off <= std::abs(turn(n + 1) - cost) && (n == 0 || off < std::abs(cost - turn(n - 1)));
    });
  }

  // ---- what is there

  void take_balances() {
    std::map<std::string, FinancePtr> newest;
    book_.each(FinanceKind::balance, [&](const FinancePtr& balance) {
      if (balance->cancelled || !balance->posted || day_number(*balance->posted) > today_) return true;
      FinancePtr& known = newest[balance->account];
      if (!known || *known->posted < *balance->posted || (*known->posted == *balance->posted && known->number < balance->number)) known = balance;
      return true;
    });
    for (const auto& [account, balance] : newest) {
      made_->accounts.push_back({account, day_number(*balance->posted), {balance->amount, balance->currency}});
      add_balance(balance, balance->amount, balance->currency);
    }
    if (newest.empty()) return;
    take_since(FinanceKind::payment, newest, 1);
    take_since(FinanceKind::supplier_payment, newest, -1);
    take_paid_since(FinanceKind::cost, newest);
    take_paid_since(FinanceKind::tax, newest);
  }

  // The day of the balance that knows the movement if it came before: of its account, else the newest of all.
  static std::int32_t balance_day(const FinanceDocument& document, const std::map<std::string, FinancePtr>& newest) {
    if (const auto found = newest.find(document.account); found != newest.end()) return day_number(*found->second->posted);
    std::int32_t day = no_day;
    for (const auto& [account, balance] : newest) day = std::max(day, day_number(*balance->posted));
    return day;
  }
  void take_since(FinanceKind kind, const std::map<std::string, FinancePtr>& newest, int sign) {
    book_.each(kind, [&](const FinancePtr& payment) {
      if (payment->cancelled || !payment->posted) return true;
      const std::int32_t day = day_number(*payment->posted);
      if (day > balance_day(*payment, newest) && day <= today_) add_balance(payment, sign * payment->amount, payment->currency);
      return true;
    });
  }
  void take_paid_since(FinanceKind kind, const std::map<std::string, FinancePtr>& newest) {
    book_.each(kind, [&](const FinancePtr& cost) {
      const std::int32_t day = number_of(cost->paid ? cost->paid : cost->due ? std::optional<Day>() : cost->posted);
      if (!cost->cancelled && day != no_day && day > balance_day(*cost, newest) && (cost->paid ? day <= today_ : day < today_))
        add_balance(cost, -cost->amount, cost->currency);
      return true;
    });
  }
  void add_balance(const FinancePtr& balance, std::int64_t amount, Currency currency) {
    CashSource source;
    source.kind = static_cast<std::uint8_t>(balance->kind);
    source.due = source.base = number_of(balance->posted);
    CashItem item;
    item.amount = amount;
    item.currency = currency.packed();
    item.layer = CashLayer::balance;
    item.day = item.early = item.late = today_;
    if (!balance->party_code.empty()) item.party = party_of(*balance);
    source.origin = document(balance);
    add(item, source);
  }
  std::uint32_t party_of(const FinanceDocument& document) const {
    const auto& codes = document.kind == FinanceKind::supplier_payment ? made_->supplier_codes : made_->customer_codes;
    const auto found = codes.find(document.party_code);
    return found == codes.end() ? planning::cash_no_code : found->second;
  }

  void add(CashItem item, const CashSource& source) {
    item.id = made_->list.items.size();
    made_->list.items.push_back(item);
    made_->list.sources.push_back(source);
  }

  const FinanceBook& book_;
  const std::int32_t today_;
  std::shared_ptr<CashFinance> made_;
  std::map<std::string, std::size_t> categories_;
  std::vector<std::uint32_t> customer_places_, supplier_places_;  // code of the book -> index of `parties`
  std::map<std::string, std::vector<std::int32_t>> met_;  // number of a rule -> days of the costs that name it
};

}  // namespace

CashParty cash_party(std::string code, std::string name, bool supplier, planning::DelayDistribution delay) {
  CashParty party;
  party.code = std::move(code);
  party.name = std::move(name);
  party.supplier = supplier;
  party.p10 = delay.p10(), party.p50 = delay.p50(), party.p90 = delay.p90();
  party.delay = std::move(delay);
  return party;
}

std::optional<std::int32_t> terms_days(std::string_view text) {
  std::optional<std::int32_t> found;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] < '0' || text[i] > '9') {
      ++i;
      continue;
    }
    std::int32_t days = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), days);
    if (error != std::errc() || days > 365 || found) return std::nullopt;
    found = days;
    i = static_cast<std::size_t>(end - text.data());
  }
  return found;
}

std::shared_ptr<const CashFinance> cash_finance(const FinanceBook& book, Day today) { return Builder(book, today).build(); }

}  // namespace millrace::query
