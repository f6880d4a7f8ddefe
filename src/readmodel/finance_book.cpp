#include "readmodel/finance_book.h"

namespace millrace::readmodel {

FinancePtr FinanceBook::find_of(FinanceKind kind, std::string_view source, std::string_view key) const {
  FinancePtr found;
  each(kind, [&](const FinancePtr& document) {
    if (document->source == source && finance_key(*document) == key) found = document;
    return found == nullptr;
  });
  return found;
}

}  // namespace millrace::readmodel
