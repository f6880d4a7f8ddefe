// The order lines among the movements of money, and the words for all of them.
#include "query/cash_moves.h"

#include <algorithm>
#include <array>
#include <map>

#include "domain/order_rules.h"
#include "query/order_chain.h"
#include "readmodel/order_record.h"

namespace millrace::query {
namespace {

using planning::CashItem;
using planning::CashLayer;
using readmodel::chunk_rows;
using readmodel::Code;
using readmodel::OrderChunk;
using readmodel::RowId;
using readmodel::Vocabulary;

constexpr std::int32_t no_day = planning::cash_no_day;

std::int32_t line_day(std::int64_t off, std::int64_t anchor) {
  return off == readmodel::no_instant ? no_day : static_cast<std::int32_t>(off + anchor);
}

// As domain/order_rules.h due_date(order, line), out of columns.
std::int32_t line_due(const OrderChunk& chunk, std::size_t row, std::size_t line, std::int64_t anchor) {
  if (const std::int32_t promised = line_day(chunk.line_promise_off[line], anchor); promised != no_day) return promised;
  if (chunk.promise[row] != no_day) return chunk.promise[row];
  if (const std::int32_t wished = line_day(chunk.line_requested_off[line], anchor); wished != no_day) return wished;
  return chunk.requested[row];
}

class OrderMoves {
 public:
  OrderMoves(const readmodel::SnapshotPtr& snapshot, const readmodel::FinanceBook& book, std::shared_ptr<const CashFinance> finance)
      : snapshot_(*snapshot), book_(book), finance_(*finance), today_(finance->today), made_(std::make_shared<CashMoves>()) {
    made_->snapshot = snapshot;
    made_->list = finance->list;
    made_->parties = finance->parties;
    made_->finance = std::move(finance);
    parties_.assign(snapshot_.words(Vocabulary::customer).size(), planning::cash_no_code);
    terms_.resize(snapshot_.words(Vocabulary::word).size());
  }

  std::shared_ptr<const CashMoves> build() {
    std::map<RowId, const CashFinance::OrderFacts*> documented;
    for (const auto& [number, facts] : finance_.orders)
      if (const auto row = snapshot_.find(number)) documented.emplace(*row, &facts);
    auto next = documented.begin();
    for (std::size_t c = 0; c < snapshot_.chunk_count(); ++c) {
      const OrderChunk& chunk = snapshot_.chunk(c);
      for (std::size_t i = 0; i < chunk.used; ++i) {
        const auto row = static_cast<RowId>(c * chunk_rows + i);
        while (next != documented.end() && next->first < row) ++next;
        if (!chunk.live[i]) continue;
        if (next != documented.end() && next->first == row) add_documented(chunk, i, row, *next->second);
        else if (chunk.open_amount[i] != 0) add_open(chunk, i, row);
      }
    }
    return made_;
  }

 private:
  // No document names it: what is open of it is what will come.
  void add_open(const OrderChunk& chunk, std::size_t i, RowId row) {
    const std::int64_t anchor = readmodel::line_day_anchor(chunk, i);
    const std::uint32_t party = party_of(chunk, i);
    const TermsRule* terms = terms_of(chunk.payment_terms[i], party);
    for (std::uint32_t k = 0; k < chunk.lines[i]; ++k) {
      const std::size_t at = chunk.line_begin[i] + k;
      const std::int64_t open = chunk.line_open(at);
      if (open == 0) continue;
      add(row, party, chunk.currency[i], static_cast<std::int32_t>(chunk.line_number_off[at] + k + 1), open, CashLayer::ordered, line_due(chunk, i, at, anchor), terms);
    }
  }

  // Whether all that was delivered of a closed order has been invoiced: then nothing of it is here, and its chain need not be told.
  static bool is_done(const OrderChunk& chunk, std::size_t i, const CashFinance::OrderFacts& facts) {
    if (chunk.open_amount[i] != 0) return false;
    const std::int64_t delivered = facts.has_deliveries ? facts.delivered : chunk.quantity[i] - chunk.open_quantity[i];
    return facts.invoiced >= delivered;
  }

  void add_documented(const OrderChunk& chunk, std::size_t i, RowId row, const CashFinance::OrderFacts& facts) {
    if (is_done(chunk, i, facts)) return;
    const SalesOrder order = *snapshot_.order(row).order;
    const OrderChain chain = order_chain(order, book_, finance_.rates);
    const std::uint32_t party = party_of(chunk, i);
    const TermsRule* terms = terms_of(chunk.payment_terms[i], party);
    for (std::size_t k = 0; k < order.lines.size(); ++k) {
      const auto due = due_date(order, order.lines[k]);
      const std::int32_t due_day = due ? day_number(*due) : no_day;
      const LineMoney& money = chain.lines[k];
      if (money.open != 0) add(row, party, order.currency.packed(), order.lines[k].line_number, money.open, CashLayer::ordered, due_day, terms);
      if (money.delivered != 0) add(row, party, order.currency.packed(), order.lines[k].line_number, money.delivered, CashLayer::delivered, due_day, terms);
    }
  }

  std::uint32_t party_of(const OrderChunk& chunk, std::size_t i) {
    const Code code = chunk.customer[i];
    std::uint32_t& place = parties_[code];
    if (place != planning::cash_no_code) return place;
    const std::string text(snapshot_.words(Vocabulary::customer).text(code));
    if (const auto known = finance_.customer_codes.find(text); known != finance_.customer_codes.end()) return place = known->second;
    place = static_cast<std::uint32_t>(made_->parties.size());
    made_->parties.push_back(cash_party(text, std::string(snapshot_.words(Vocabulary::customer_name).text(chunk.customer_name[i])), false, finance_.customers.company()));
    return place;
  }

  // The order's own terms where they can be understood, else those of the customer's newest invoice; null: nobody knows any.
  const TermsRule* terms_of(Code code, std::uint32_t party) {
    OwnTerms& own = terms_[code];
    if (!own.looked_up) {
      own.looked_up = true;
      const std::string text(snapshot_.words(Vocabulary::word).text(code));
      if (const auto rule = finance_.terms.find(text); rule != finance_.terms.end()) own.rule = rule->second;
      else if (const auto days = terms_days(text)) own.rule.emplace().days = *days;
    }
    if (own.rule) return &*own.rule;
    return made_->parties[party].terms_known ? &made_->parties[party].terms : nullptr;
  }

  void add(RowId row, std::uint32_t party, std::uint32_t currency, std::int32_t line, std::int64_t amount, CashLayer layer, std::int32_t due, const TermsRule* terms) {
    CashSource source;
    source.origin = row;
    source.part = line;
    source.due = due;
    CashItem item;
    item.id = made_->list.items.size();
    item.amount = amount;
    item.party = party;
    item.order = row;
    item.currency = currency;
    item.layer = layer;
    // What was delivered is invoiced today at the earliest, whatever its due date was.
    const std::int32_t invoiced = layer == CashLayer::delivered ? today_ : due == no_day ? no_day : std::max(due, today_);
    if (invoiced != no_day) {
      source.was_due = due != no_day && due < today_;
      source.base = terms == nullptr ? invoiced : due_day_of(*terms, invoiced);
      const CashParty& who = made_->parties[party];
      item.day = std::max(source.base + who.p50, today_);
      item.early = std::clamp(source.base + who.p10, today_, item.day);
      item.late = std::max(source.base + who.p90, item.day);
    }
    made_->list.items.push_back(item);
    made_->list.sources.push_back(source);
  }

  // Most terms are plain days, and there may be a million lines.
  static std::int32_t due_day_of(const TermsRule& terms, std::int32_t invoiced) {
    if (terms.months == 0 && !terms.month_end && terms.parts.empty()) return invoiced + terms.days;
    return day_number(due_day(terms, day_from_number(invoiced)));
  }

  struct OwnTerms {
    bool looked_up = false;
    std::optional<TermsRule> rule;
  };
  const readmodel::Snapshot& snapshot_;
  const readmodel::FinanceBook& book_;
  const CashFinance& finance_;
  const std::int32_t today_;
  std::shared_ptr<CashMoves> made_;
  std::vector<std::uint32_t> parties_;  // code of the customer -> index of `parties`
  std::vector<OwnTerms> terms_;         // by code of the text
};

std::string day_words(std::int32_t day) {
  static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Day date = day_from_number(day);
  return std::to_string(unsigned{date.day()}) + " " + months[unsigned{date.month()} - 1];
}
std::string days_words(std::int32_t days) { return std::to_string(days) + (days == 1 ? " day" : " days"); }

// " + usually 9 days late"; for one who is late already how late that is.
std::string delay_words(const CashMoves& moves, const CashItem& item, const CashSource& source) {
  if (item.party == planning::cash_no_code || item.day == no_day) return {};
  const std::int32_t usual = moves.parties[item.party].p50;
  const std::int32_t counted = item.day - source.base;
  if (counted > usual && source.base < moves.finance->today) return ", " + days_words(moves.finance->today - source.base) + " late already, expected " + days_words(counted) + " late";
  if (usual == 0) return " + usually on time";
  return " + usually " + days_words(std::abs(usual)) + (usual > 0 ? " late" : " early");
}

std::string order_why(const CashMoves& moves, const CashItem& item, const CashSource& source) {
  if (source.base == no_day) return "no due date, so nobody knows when";
  const std::int32_t today = moves.finance->today;
  std::string text;
  std::int32_t invoiced = source.due;
  if (item.layer == CashLayer::delivered) text = "delivered, invoice from " + day_words(invoiced = today);
  else if (source.was_due) text = "was due " + day_words(source.due) + ", delivery from " + day_words(invoiced = today);
  else text = "delivery " + day_words(source.due);
  const std::int32_t terms = source.base - invoiced;
  if (terms > 0) text += " + " + days_words(terms) + " terms";
  return text + delay_words(moves, item, source);
}

}  // namespace

std::shared_ptr<const CashMoves> cash_moves(const readmodel::SnapshotPtr& snapshot, const readmodel::FinanceBook& book, std::shared_ptr<const CashFinance> finance) {
  return OrderMoves(snapshot, book, std::move(finance)).build();
}

std::string CashMoves::order(std::size_t item) const {
  if (const CashSource& source = list.sources[item]; !source.is_order_line()) {
    const auto& lines = finance->documents[source.origin]->lines;
    return lines.empty() ? std::string() : lines.front().order.text;
  }
  const RowId row = list.sources[item].origin;
  return std::string(snapshot->chunk_of(row).number(row % chunk_rows));
}

std::string CashMoves::number(std::size_t item) const {
  const CashSource& source = list.sources[item];
  return source.is_order_line() ? order(item) : finance->documents[source.origin]->number;
}

std::string_view CashMoves::kind(std::size_t item) const {
  const CashSource& source = list.sources[item];
  if (!source.is_order_line()) return word(source.finance_kind());
  return list.items[item].layer == CashLayer::delivered ? "delivered" : "order";
}

std::string CashMoves::id(std::size_t item) const {
  const CashSource& source = list.sources[item];
  std::string text(kind(item));
  if (!source.is_order_line()) text += "/" + finance->documents[source.origin]->source;
  return text + "/" + number(item) + "/" + std::to_string(source.part);
}

std::string_view CashMoves::party_code(std::size_t item) const {
  const std::uint32_t party = list.items[item].party;
  return party == planning::cash_no_code ? std::string_view() : parties[party].code;
}
std::string_view CashMoves::party_name(std::size_t item) const {
  const std::uint32_t party = list.items[item].party;
  return party == planning::cash_no_code ? std::string_view() : parties[party].name;
}
std::string_view CashMoves::category(std::size_t item) const { return finance->categories[list.items[item].category]; }

std::string CashMoves::why(std::size_t at) const {
  const CashItem& item = list.items[at];
  const CashSource& source = list.sources[at];
  if (source.is_order_line()) return order_why(*this, item, source);
  switch (source.finance_kind()) {
    case FinanceKind::balance: return "balance at the end of " + day_words(source.due);
    case FinanceKind::payment:
    case FinanceKind::supplier_payment:
    case FinanceKind::credit_note:
    case FinanceKind::supplier_credit:
    case FinanceKind::write_off:
      return item.layer == CashLayer::balance ? "booked " + day_words(source.due) + ", after the balance of its account" : "on account, taken from what is owed first";
    case FinanceKind::cost:
    case FinanceKind::recurring_cost:
    case FinanceKind::tax:
      if (item.layer == CashLayer::balance) return "booked " + day_words(source.due) + ", after the balance of its account";
      return (source.was_due ? "was due " : "due ") + day_words(source.due);
    case FinanceKind::purchase_order: {
      if (source.base == no_day) return "no delivery date, so nobody knows when";
      const std::int32_t billed = std::max(source.due, finance->today);
      const std::string terms = source.base > billed ? " + " + days_words(source.base - billed) + " terms" : std::string();
      return (source.was_due ? "delivery was due " : "delivery ") + day_words(source.due) + terms + delay_words(*this, item, source);
    }
    default: break;
  }
  if (source.base == no_day) return "no due date, so nobody knows when";
  if (source.due == no_day) return "no due date; by the usual terms due " + day_words(source.base) + delay_words(*this, item, source);
  return "due " + day_words(source.due) + delay_words(*this, item, source);
}

Currency company_currency(const readmodel::Snapshot& snapshot, const readmodel::FinanceBook& book) {
  std::map<std::string, Currency> accounts;
  book.each(FinanceKind::balance, [&](const readmodel::FinancePtr& balance) {
    accounts[balance->account] = balance->currency;
    return true;
  });
  std::map<Currency, std::uint64_t> counts;
  for (const auto& [account, currency] : accounts) ++counts[currency];
  if (counts.empty())
    for (const auto& block : snapshot.kept(readmodel::KeptGroup::status)) {
      if (block == nullptr) continue;
      for (const auto& entry : block->entries) counts[Currency::from_packed(entry.currency)] += entry.sum.orders;
    }
  Currency most = *Currency::parse("EUR");
  std::uint64_t best = 0;
  for (const auto& [currency, count] : counts)
    if (count > best || (count == best && count > 0 && currency.code() < most.code())) most = currency, best = count;
  return most;
}

}  // namespace millrace::query
