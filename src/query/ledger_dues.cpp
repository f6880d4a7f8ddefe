#include "query/ledger_dues.h"

#include <algorithm>

namespace millrace::query {
namespace {

// Documents are rows and found by their place; few have a second due day, which is chained behind the first.
class Dues {
 public:
  void add(std::uint32_t document, const LedgerDue& posting) {
    if (document >= first_.size()) first_.resize(std::max<std::size_t>(document + 1, first_.size() * 2), none);
    std::uint32_t* link = &first_[document];
    while (*link != none && entries_[*link].due != posting.due) link = &next_[*link];
    if (*link == none) {
      *link = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back(posting);
      next_.push_back(none);  // `link` may be gone now
      return;
    }
    LedgerDue& entry = entries_[*link];
    entry.open += posting.open;
    entry.owed += posting.owed;
    if (posting.owed > 0 && (entry.posted == readmodel::no_day || posting.posted < entry.posted)) entry.posted = posting.posted;
    entry.settled = std::max(entry.settled, posting.settled);
  }
  std::vector<LedgerDue> in_order() const {
    std::vector<LedgerDue> all;
    all.reserve(entries_.size());
    for (const std::uint32_t first : first_)
      for (std::uint32_t at = first; at != none; at = next_[at]) all.push_back(entries_[at]);
    return all;
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  std::vector<std::uint32_t> first_, next_;
  std::vector<LedgerDue> entries_;
};

}  // namespace

std::vector<LedgerDue> ledger_dues(const readmodel::FinanceBook& book, readmodel::LedgerSide side) {
  Dues dues;
  for (std::size_t c = 0; c < book.chunk_count(side); ++c) {
    const readmodel::LedgerChunk& chunk = book.chunk(side, c);
    for (std::size_t i = 0; i < chunk.amount.size(); ++i) {
      const std::int64_t amount = chunk.amount[i];
      if (amount == 0) continue;
      const std::int32_t posted = chunk.posted[i];
      dues.add(chunk.document[i], {chunk.document[i], chunk.party[i], chunk.currency[i], chunk.due[i], amount > 0 ? posted : readmodel::no_day,
                                   amount < 0 ? posted : readmodel::no_day, std::max<std::int64_t>(amount, 0), amount});
    }
  }
  return dues.in_order();
}

}  // namespace millrace::query
