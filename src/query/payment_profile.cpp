#include "query/payment_profile.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "query/ledger_dues.h"

namespace millrace::query {
namespace {

constexpr std::int32_t no_day = readmodel::no_day;

std::optional<std::uint32_t> book_code(const readmodel::FinanceBook& book, std::string_view customer) {
  for (std::uint32_t code = 0; code < book.party_count(); ++code)
    if (book.party(code) == customer) return code;
  return std::nullopt;
}

}  // namespace

Result<CustomerPayments> customer_payments(const CashMoves& moves, const readmodel::FinanceBook& book, std::string_view customer, std::size_t limit) {
  CustomerPayments answer;
  answer.party = customer;
  const auto party = std::ranges::find_if(moves.parties, [&](const CashParty& one) { return !one.supplier && one.code == customer; });
  if (party == moves.parties.end())
    return fail(ErrorCode::not_found, "there is no customer \"" + printable(customer.substr(0, 64)) + "\" with an invoice or an open order; check the code");
  answer.name = party->name;
  const auto code = book_code(book, customer);
  answer.profile = moves.finance->customers.profile(code.value_or(UINT32_MAX));
  const auto index = static_cast<std::uint32_t>(party - moves.parties.begin());
  for (const planning::CashItem& item : moves.list.items)
    if (item.party == index && (item.layer == planning::CashLayer::ordered || item.layer == planning::CashLayer::delivered))
      answer.not_invoiced.add({item.amount, Currency::from_packed(item.currency)});
  if (!code) return answer;
  std::set<std::pair<std::int32_t, std::int32_t>> outliers;
  for (const planning::PaymentCase& one : answer.profile.outliers) outliers.emplace(one.due, one.paid);
  for (const LedgerDue& due : ledger_dues(book, readmodel::LedgerSide::receivables)) {
    if (due.party != *code || due.owed <= 0) continue;
    PaidInvoice invoice;
    invoice.document = book.document(due.document);
    if (!invoice.document) continue;
    invoice.amount = due.owed;
    invoice.open = due.open;
    const bool paid = due.open <= 0 && due.settled != no_day;
    if (paid) invoice.paid = day_from_number(due.settled);
    if (due.due != no_day) {
      invoice.due = day_from_number(due.due);
      invoice.days_late = (paid ? due.settled : moves.finance->today) - due.due;
      invoice.outlier = paid && outliers.contains({due.due, due.settled});
    }
    if (due.open != 0) {
      ++answer.open_count;
      answer.open.add({due.open, book.currency(due.currency)});
    }
    answer.history.push_back(std::move(invoice));
  }
  std::ranges::stable_sort(answer.history, [](const PaidInvoice& left, const PaidInvoice& right) {
    const auto day = [](const PaidInvoice& invoice) { return invoice.document->posted ? day_number(*invoice.document->posted) : no_day; };
    return day(left) != day(right) ? day(left) > day(right) : left.document->number > right.document->number;
  });
  if (answer.history.size() > limit) answer.history.resize(limit);
  return answer;
}

}  // namespace millrace::query
