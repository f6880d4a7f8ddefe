#include "query/order_chain.h"

#include <algorithm>
#include <map>
#include <set>

namespace millrace::query {
namespace {

using readmodel::FinancePtr;

std::int32_t day_of(const FinanceDocument& document) { return document.posted ? day_number(*document.posted) : readmodel::no_day; }

class Chain {
 public:
  Chain(const SalesOrder& order, const readmodel::FinanceBook& book, const RateTable& rates) : order_(order), book_(book), rates_(rates) {
    shares_.resize(order.lines.size());
    delivered_.resize(order.lines.size());
    has_delivery_.resize(order.lines.size());
  }

  OrderChain answer() {
    const std::vector<FinancePtr> named = book_.of_order(order_.number.text);
    for (const FinancePtr& document : named) note_document(document);
    for (const FinancePtr& document : named)
      if (!document->cancelled && document->kind == FinanceKind::invoice) note_invoiced_days(*document);
    for (const FinancePtr& document : named) {
      if (document->cancelled) continue;
      if (document->kind == FinanceKind::delivery) take_delivery(*document);
      if (document->kind == FinanceKind::invoice) take_invoice(document);
    }
    for (std::size_t i = 0; i < order_.lines.size(); ++i) result_.lines.push_back(line_money(line(i)));
    std::ranges::stable_sort(result_.documents, {}, [](const FinancePtr& document) { return day_of(*document); });
    return std::move(result_);
  }

 private:
  void note_document(const FinancePtr& document) {
    if (seen_.insert(document.get()).second && seen_keys_.insert({document->kind, document->source + '\n' + document->number}).second)
      result_.documents.push_back(document);
  }

  std::optional<std::size_t> place_of(const FinanceLine& line) const {
    if (!line.order_line) return order_.lines.size() == 1 ? std::optional<std::size_t>(0) : std::nullopt;
    for (std::size_t i = 0; i < order_.lines.size(); ++i)
      if (order_.lines[i].line_number == *line.order_line) return i;
    return std::nullopt;
  }
  bool is_ours(const FinanceLine& line) const { return line.order == order_.number; }

  void note_invoiced_days(const FinanceDocument& invoice) {
    for (const FinanceLine& line : invoice.lines)
      if (is_ours(line)) {
        auto& day = invoiced_until_[line.order_line.value_or(0)];
        day.first = std::max(day.first, day_of(invoice));
        day.second.insert(&invoice);
      }
  }

  void take_delivery(const FinanceDocument& delivery) {
    for (const FinanceLine& line : delivery.lines) {
      if (!is_ours(line)) continue;
      if (const auto place = place_of(line)) {
        delivered_[*place] += line.quantity.micros;
        has_delivery_[*place] = true;
      }
    }
  }

  // Minor units of the order's currency.
  std::optional<std::int64_t> converted(const FinanceDocument& document, std::int64_t amount) const {
    if (document.currency == order_.currency) return amount;
    const auto road = rates_.road(document.currency, order_.currency, document.posted.value_or(day_from_number(0)));
    if (!road) return std::nullopt;
    const auto result = road->convert(amount);
    return result ? std::optional(*result) : std::nullopt;
  }

  // Whether the line was invoiced again, by another invoice, on or after the day.
  bool invoiced_again(const FinanceLine& line, const FinanceDocument& invoice, std::int32_t day) const {
    const auto found = invoiced_until_.find(line.order_line.value_or(0));
    if (found == invoiced_until_.end() || found->second.first < day) return false;
    return found->second.second.size() > 1 || !found->second.second.contains(&invoice);
  }

  void take_credit(const FinanceDocument& invoice, const FinanceDocument& credit, std::int64_t allocated, InvoiceMoney& money) {
    std::int64_t net = 0;
    for (const FinanceLine& line : credit.lines) {
      for (std::size_t i = 0; i < invoice.lines.size(); ++i) {
        const FinanceLine& part = invoice.lines[i];
        if (part.order != line.order || part.order_line != line.order_line) continue;
        const bool back = is_ours(line) && invoiced_again(line, invoice, day_of(credit));
        (back ? money.parts[i].credited_back : money.parts[i].credited_final) += line.amount;
        net += line.amount;
        break;
      }
    }
    if (net == 0) money.credited_whole_final += allocated;
    else money.credited_tax += std::max<std::int64_t>(0, allocated - net);
  }

  void take_invoice(const FinancePtr& invoice) {
    InvoiceMoney money;
    money.gross = invoice->amount;
    money.tax = invoice->tax;
    for (const FinanceLine& line : invoice->lines) money.parts.push_back({line.amount, 0, 0});
    for (const FinancePtr& document : book_.settling(FinanceKind::invoice, invoice->number)) {
      if (document->cancelled) continue;
      note_document(document);
      std::int64_t allocated = 0;
      for (const Allocation& allocation : document->allocations)
        if (allocation.kind == FinanceKind::invoice && allocation.number == invoice->number) allocated += allocation.amount;
      if (document->kind == FinanceKind::payment) money.paid += allocated;
      if (document->kind == FinanceKind::write_off) money.written_off += allocated;
      if (document->kind == FinanceKind::credit_note) take_credit(*invoice, *document, allocated, money);
    }
    // Settled by the word of its source: what no document explains was paid.
    if (invoice->closed) money.paid = std::max(money.paid, invoice->amount - money.written_off - money.credited_whole_final);
    const InvoiceSplit split = split_invoice(money);
    bool all_converted = true;
    for (std::size_t i = 0; i < invoice->lines.size(); ++i)
      if (is_ours(invoice->lines[i])) all_converted = add_share(*invoice, invoice->lines[i], split.parts[i]) && all_converted;
    if (!all_converted) result_.unconverted.push_back(invoice);
  }

  bool add_share(const FinanceDocument& invoice, const FinanceLine& line, const InvoiceShare& share) {
    InvoiceShare ours;
    const std::pair<std::int64_t InvoiceShare::*, std::int64_t> fields[] = {{&InvoiceShare::paid, share.paid},
                                                                           {&InvoiceShare::written_off, share.written_off},
                                                                           {&InvoiceShare::credited_back, share.credited_back},
                                                                           {&InvoiceShare::credited_final, share.credited_final},
                                                                           {&InvoiceShare::still, share.still}};
    for (const auto& [field, amount] : fields) {
      const auto minor = converted(invoice, amount);
      if (!minor) return false;
      ours.*field = *minor;
      ours.net += *minor;
    }
    if (const auto place = place_of(line)) shares_[*place].push_back(ours);
    else spread(ours);
    return true;
  }

  // Over all lines by their totals; the last takes what is left, so that nothing is lost.
  void spread(const InvoiceShare& share) {
    std::int64_t left_total = 0;
    for (const OrderLine& line : order_.lines) left_total += std::max<std::int64_t>(0, line.line_total);
    InvoiceShare left = share;
    for (std::size_t i = 0; i < order_.lines.size(); ++i) {
      const std::int64_t weight = std::max<std::int64_t>(0, order_.lines[i].line_total);
      InvoiceShare part;
      for (const auto field : {&InvoiceShare::still, &InvoiceShare::paid, &InvoiceShare::written_off, &InvoiceShare::credited_back, &InvoiceShare::credited_final}) {
        const bool last = i + 1 == order_.lines.size() || weight == left_total;
        part.*field = last ? left.*field : left_total == 0 ? 0 : static_cast<std::int64_t>(divide_half_away(static_cast<Int128>(left.*field) * weight, left_total));
        left.*field -= part.*field;
        part.net += part.*field;
      }
      left_total -= weight;
      shares_[i].push_back(part);
    }
  }

  ChainLine line(std::size_t i) const {
    const OrderLine& line = order_.lines[i];
    ChainLine chain;
    chain.line_total = line.line_total;
    chain.ordered = line.quantity_ordered;
    chain.open = line.quantity_open;
    chain.cancelled = order_.cancelled || line.status == LineStatus::cancelled;
    chain.delivered.micros = has_delivery_[i] ? delivered_[i] : chain.cancelled ? 0 : std::max<std::int64_t>(0, line.quantity_ordered.micros - line.quantity_open.micros);
    chain.invoices = shares_[i];
    return chain;
  }

  const SalesOrder& order_;
  const readmodel::FinanceBook& book_;
  const RateTable& rates_;
  OrderChain result_;
  std::set<const FinanceDocument*> seen_;
  std::set<std::pair<FinanceKind, std::string>> seen_keys_;
  std::map<std::int32_t, std::pair<std::int32_t, std::set<const FinanceDocument*>>> invoiced_until_;  // by order line, 0: none named
  std::vector<std::vector<InvoiceShare>> shares_;
  std::vector<std::int64_t> delivered_;
  std::vector<bool> has_delivery_;
};

}  // namespace

OrderChain order_chain(const SalesOrder& order, const readmodel::FinanceBook& book, const RateTable& rates) { return Chain(order, book, rates).answer(); }

}  // namespace millrace::query
