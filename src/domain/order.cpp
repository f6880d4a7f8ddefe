#include "domain/order.h"

#include <tuple>

#include "base/hash.h"
#include "base/text.h"

namespace millrace {
namespace {

// 5 -> "E": how sheets name their columns.
std::string column_letters(std::uint32_t column) {
  std::string letters;
  for (; column > 0; column = (column - 1) / 26) letters.insert(letters.begin(), static_cast<char>('A' + (column - 1) % 26));
  return letters;
}

}  // namespace

std::size_t OrderNumberHash::operator()(const OrderNumber& number) const { return hash64(number.text); }
bool operator<(const OrderNumber& left, const OrderNumber& right) { return natural_less(left.text, right.text); }

std::string_view word(DocumentStatus status) {
  switch (status) {
    case DocumentStatus::open: return "open";
    case DocumentStatus::closed: return "closed";
    case DocumentStatus::unknown: break;
  }
  return "unknown";
}

std::string_view word(LineStatus status) {
  switch (status) {
    case LineStatus::open: return "open";
    case LineStatus::closed: return "closed";
    case LineStatus::cancelled: break;
  }
  return "cancelled";
}

std::string place_text(const Place& place) {
  switch (place.kind) {
    case Place::Kind::none: return "";
    case Place::Kind::line: return "line " + std::to_string(place.number);
    case Place::Kind::row: return "row " + std::to_string(place.number);
    case Place::Kind::cell:
      if (place.column == 0) return "row " + std::to_string(place.number);
      return "cell " + column_letters(place.column) + std::to_string(place.number);
    case Place::Kind::page: break;
  }
  return "page " + std::to_string(place.number);
}

bool equal_but_status(const SalesOrder& left, const SalesOrder& right) {
  // Named one by one: a new field does not compile until somebody decides about it here.
  const auto fields = [](const SalesOrder& order) {
    const auto& [number, source_key, status, document_status, cancelled, revision, customer_code, customer_name,
                 customer_reference, salesperson, payment_terms, comment, currency, order_date, requested_date, promise_date,
                 tax, freight, document_total, updated, extra, lines] = order;
    return std::tie(number, source_key, document_status, cancelled, revision, customer_code, customer_name, customer_reference,
                    salesperson, payment_terms, comment, currency, order_date, requested_date, promise_date, tax, freight,
                    document_total, updated, extra, lines);
  };
  return fields(left) == fields(right);
}

}  // namespace millrace
