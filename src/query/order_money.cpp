#include "query/order_money.h"

#include <algorithm>

#include "query/order_detail.h"

namespace millrace::query {

Result<OrderMoney> order_money(const CashMoves& moves, const readmodel::FinanceBook& book, std::string_view number) {
  const auto row = moves.snapshot->find(number);
  if (!row) return no_such_order(number);
  const SalesOrder order = *moves.snapshot->order(*row).order;
  OrderChain chain = order_chain(order, book, moves.finance->rates);
  OrderMoney answer;
  answer.order = order.number.text;
  answer.salesman = order.salesperson;
  answer.currency = order.currency;
  answer.documents = std::move(chain.documents);
  answer.unconverted = std::move(chain.unconverted);
  for (std::size_t i = 0; i < order.lines.size(); ++i) {
    answer.money += chain.lines[i];
    answer.lines.push_back({order.lines[i].line_number, order.lines[i].item_code, chain.lines[i], {}, {}});
  }
  const auto expect = [&](OrderMoneyLine& line, std::size_t item) {
    const std::int32_t day = moves.list.items[item].day;
    if (day != planning::cash_no_day && line.expected && day_number(*line.expected) >= day) return;
    if (day != planning::cash_no_day) line.expected = day_from_number(day);
    line.why = moves.why(item);
  };
  for (std::size_t i = 0; i < moves.list.items.size(); ++i) {
    const CashSource& source = moves.list.sources[i];
    if (source.is_order_line()) {
      if (source.origin != *row) continue;
      for (OrderMoneyLine& line : answer.lines)
        if (line.line == source.part) expect(line, i);
    } else if (source.finance_kind() == FinanceKind::invoice) {
      for (const FinanceLine& part : moves.finance->documents[source.origin]->lines)
        for (OrderMoneyLine& line : answer.lines)
          if (part.order == order.number && line.money.invoiced != 0 && (!part.order_line || *part.order_line == line.line)) expect(line, i);
    }
  }
  return answer;
}

}  // namespace millrace::query
