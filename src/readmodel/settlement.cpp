#include "readmodel/settlement.h"

#include <algorithm>

#include "readmodel/no_day.h"

namespace millrace::readmodel {
namespace {

std::int32_t number_or(const std::optional<Day>& day, std::int32_t otherwise) { return day ? day_number(*day) : otherwise; }

std::int32_t posted_of(const FinanceDocument& document) { return number_or(document.posted, number_or(document.due, 0)); }

// Adds to the posting of the same days rather than making one more.
void post(std::vector<Posting>& postings, Posting posting) {
  if (posting.amount == 0) return;
  const auto same = std::ranges::find_if(postings, [&](const Posting& other) { return other.posted == posting.posted && other.due == posting.due; });
  if (same == postings.end()) postings.push_back(posting);
  else same->amount += posting.amount;
}

// From when on a document owes nothing any more whatever was allocated to it.
std::optional<std::int32_t> closed_day(const FinanceDocument& document, std::span<const Settling> settlings) {
  if (document.paid) return day_number(*document.paid);
  if (!document.closed) return std::nullopt;
  std::int32_t last = posted_of(document);
  for (const Settling& settling : settlings) last = std::max(last, settling.posted);
  return last;
}

}  // namespace

std::vector<Instalment> instalments_owed(const FinanceDocument& document) {
  if (!document.instalments.empty()) return document.instalments;
  return {{document.due, document.amount}};
}

Settled settle(const FinanceDocument& document, std::span<const Settling> settlings) {
  Settled result;
  if (document.cancelled) return result;
  const std::vector<Instalment> parts = instalments_owed(document);
  std::vector<std::int32_t> due;
  std::vector<std::size_t> oldest;  // parts in the order in which they fall due, those without a day last
  for (const Instalment& part : parts) {
    due.push_back(number_or(part.due, no_day));
    result.open.push_back(part.amount);
    oldest.push_back(oldest.size());
    post(result.postings, {posted_of(document), due.back(), part.amount});
  }
  std::ranges::stable_sort(oldest, {}, [&](std::size_t part) { return due[part] == no_day ? INT32_MAX : due[part]; });
  const auto take = [&](std::size_t part, std::int64_t amount, std::int32_t day) {
    result.open[part] -= amount;
    post(result.postings, {day, due[part], -amount});
  };
  for (const Settling& settling : settlings) {
    std::int64_t left = settling.amount;
    if (settling.instalment > 0 && static_cast<std::size_t>(settling.instalment) <= parts.size()) {
      take(static_cast<std::size_t>(settling.instalment) - 1, left, settling.posted);
      continue;
    }
    for (const std::size_t part : oldest) {
      const std::int64_t now = std::min(left, std::max<std::int64_t>(0, result.open[part]));
      take(part, now, settling.posted);
      left -= now;
    }
    take(oldest.back(), left, settling.posted);
  }
  if (const auto closed = closed_day(document, settlings))
    for (std::size_t part = 0; part < parts.size(); ++part) take(part, result.open[part], *closed);
  std::erase_if(result.postings, [](const Posting& posting) { return posting.amount == 0; });
  return result;
}

std::vector<Posting> on_account(const FinanceDocument& document, std::int64_t used, std::span<const Settling> taken) {
  std::vector<Posting> postings;
  if (document.cancelled) return postings;
  const std::int32_t posted = posted_of(document), due = number_or(document.due, posted);
  std::int64_t left = used - document.amount;
  post(postings, {posted, due, left});
  for (const Settling& settling : taken) {
    left += settling.amount;
    post(postings, {settling.posted, due, settling.amount});
  }
  if (const auto closed = closed_day(document, taken)) post(postings, {*closed, due, -left});
  std::erase_if(postings, [](const Posting& posting) { return posting.amount == 0; });
  return postings;
}

}  // namespace millrace::readmodel
