#include "planning/ageing.h"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>

#include "base/check.h"
#include "domain/decimal.h"
#include "planning/cash_paths.h"

namespace millrace::planning {
namespace {

constexpr std::int32_t bound_max = 36'500;
constexpr std::size_t cells_max = 16'000'000;
constexpr std::size_t lanes = 4;  // sums side by side, so that one addition need not wait for the one before
constexpr std::int32_t period_days = 8;

Result<void> check_bounds(std::span<const std::int32_t> bounds) {
  if (bounds.size() > ageing_bounds_max)
    return fail(ErrorCode::invalid_input, std::to_string(bounds.size()) + " ageing buckets are too many; give at most " + std::to_string(ageing_bounds_max) + " bounds");
  std::int32_t before = 0;
  for (const std::int32_t bound : bounds) {
    if (bound <= before || bound > bound_max)
      return fail(ErrorCode::invalid_input, "the ageing bound " + std::to_string(bound) + " has to be above " + std::to_string(before) + " and at most " +
                                                std::to_string(bound_max) + " days; give rising numbers like 30,60,90");
    before = bound;
  }
  return {};
}

Result<void> check_columns(std::span<const PostingColumns> chunks) {
  for (const PostingColumns& columns : chunks) {
    const std::size_t rows = columns.amount.size();
    if (columns.posted.size() != rows || columns.due.size() != rows || columns.party.size() != rows || columns.currency.size() != rows || columns.document.size() != rows)
      return fail(ErrorCode::invalid_input, "the columns of the postings differ in length; build the book anew");
  }
  return {};
}

Failure currency_too_large(std::uint32_t code, std::uint32_t count) {
  return fail(ErrorCode::invalid_input, "a posting has currency code " + std::to_string(code) + ", but there are only " + std::to_string(count) + "; build the book anew");
}

// The bucket of every age from 0 to just above the last bound.
class Buckets {
 public:
  explicit Buckets(std::span<const std::int32_t> bounds)
      : last_(bounds.empty() ? 1 : bounds.back() + 1), no_day_(static_cast<std::uint8_t>(bounds.size() + 2)), of_age_(static_cast<std::size_t>(last_) + 1) {
    for (std::int32_t age = 1; age <= last_; ++age)
      of_age_[static_cast<std::size_t>(age)] = static_cast<std::uint8_t>(1 + (std::ranges::lower_bound(bounds, age) - bounds.begin()));
  }
  std::size_t of(std::int32_t basis_day, std::int32_t as_of) const {
    if (basis_day == ageing_no_day) return no_day_;
    const std::int64_t age = std::int64_t{as_of} - basis_day;
    return of_age_[static_cast<std::size_t>(std::clamp<std::int64_t>(age, 0, last_))];
  }

 private:
  std::int32_t last_;
  std::uint8_t no_day_;
  std::vector<std::uint8_t> of_age_;
};

std::int32_t posted_of(std::span<const std::int32_t> document_posted, std::uint32_t document) {
  return document < document_posted.size() ? document_posted[document] : ageing_no_day;
}

// Per currency and bucket, without groups: everything stays in the first cache.
struct TotalsScan {
  const AgeingQuestion& question;
  const Buckets& buckets;
  std::size_t bucket_count;
  std::vector<std::int64_t> sums;  // [lane][currency][bucket]
  std::uint32_t currency_seen = 0;

  TotalsScan(const AgeingQuestion& q, const Buckets& b, std::size_t count)
      : question(q), buckets(b), bucket_count(count), sums(lanes * q.currency_count * count) {}

  template <bool ByDue>
  void scan(const PostingColumns& columns) {
    const std::size_t lane_size = question.currency_count * bucket_count;
    for (std::size_t row = 0; row < columns.amount.size(); ++row) {
      const std::uint32_t currency = columns.currency[row];
      currency_seen = std::max(currency_seen, currency);
      if (currency >= question.currency_count) continue;  // told afterwards
      const std::int32_t basis = ByDue ? columns.due[row] : posted_of(question.document_posted, columns.document[row]);
      const std::int64_t counts = columns.posted[row] <= question.as_of ? -1 : 0;  // a mask, no branch: both are frequent
      sums[row % lanes * lane_size + currency * bucket_count + buckets.of(basis, question.as_of)] += columns.amount[row] & counts;
    }
  }
};

struct GroupScan {
  const AgeingQuestion& question;
  const Buckets& buckets;
  AgeingAnswer answer;
  std::uint32_t currency_seen = 0, group_seen = 0;

  GroupScan(const AgeingQuestion& q, const Buckets& b, std::size_t count) : question(q), buckets(b), answer(q.group_count, q.currency_count, count) {}

  // Places first, then sums: while one row's sum is on its way from memory, those of the next are asked for.
  template <bool ByDue>
  void scan(const PostingColumns& columns) {
    constexpr std::size_t batch = 64;
    std::array<std::int64_t*, batch> places;
    std::array<std::int64_t, batch> amounts;
    const std::size_t rows = columns.amount.size();
    for (std::size_t first = 0; first < rows; first += batch) {
      std::size_t count = 0;
      for (std::size_t row = first; row < std::min(first + batch, rows); ++row) {
        if (columns.posted[row] > question.as_of) continue;
        const std::uint32_t currency = columns.currency[row], party = columns.party[row];
        const std::uint32_t group = party < question.group_of_party.size() ? question.group_of_party[party] : 0;
        currency_seen = std::max(currency_seen, currency);
        group_seen = std::max(group_seen, group);
        if (currency >= question.currency_count || group >= question.group_count) continue;  // told afterwards
        const std::int32_t basis = ByDue ? columns.due[row] : posted_of(question.document_posted, columns.document[row]);
        places[count] = answer.row(group, currency).data() + buckets.of(basis, question.as_of);
        __builtin_prefetch(places[count], 1);
        amounts[count++] = columns.amount[row];
      }
      for (std::size_t i = 0; i < count; ++i) *places[i] += amounts[i];
    }
  }
};

template <class Scan>
void scan_all(std::vector<Scan>& scans, std::span<const PostingColumns> chunks, const AgeingQuestion& question) {
  paths::in_parallel(static_cast<unsigned>(scans.size()), scans.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t n = first; n < last; ++n)
      for (std::size_t chunk = chunks.size() * n / scans.size(); chunk < chunks.size() * (n + 1) / scans.size(); ++chunk)
        question.basis == AgeingBasis::due ? scans[n].template scan<true>(chunks[chunk]) : scans[n].template scan<false>(chunks[chunk]);
  });
}

Result<AgeingAnswer> ageing_totals(std::span<const PostingColumns> chunks, const AgeingQuestion& question, const Buckets& buckets, std::size_t bucket_count) {
  std::vector<TotalsScan> scans(question.threads, TotalsScan(question, buckets, bucket_count));
  scan_all(scans, chunks, question);
  AgeingAnswer answer(1, question.currency_count, bucket_count);
  for (const TotalsScan& scan : scans) {
    if (scan.currency_seen >= question.currency_count) return currency_too_large(scan.currency_seen, question.currency_count);
    for (std::size_t i = 0; i < scan.sums.size(); ++i) {
      const std::size_t cell = i % (question.currency_count * bucket_count);
      answer.row(0, static_cast<std::uint32_t>(cell / bucket_count))[cell % bucket_count] += scan.sums[i];
    }
  }
  return answer;
}

Result<AgeingAnswer> ageing_groups(std::span<const PostingColumns> chunks, const AgeingQuestion& question, const Buckets& buckets, std::size_t bucket_count) {
  std::vector<GroupScan> scans(question.threads, GroupScan(question, buckets, bucket_count));
  scan_all(scans, chunks, question);
  AgeingAnswer answer(question.group_count, question.currency_count, bucket_count);
  for (const GroupScan& scan : scans) {
    if (scan.currency_seen >= question.currency_count) return currency_too_large(scan.currency_seen, question.currency_count);
    if (scan.group_seen >= question.group_count)
      return fail(ErrorCode::invalid_input, "a party is in group " + std::to_string(scan.group_seen) + ", but there are only " + std::to_string(question.group_count));
    for (std::uint32_t group = 0; group < question.group_count; ++group)
      for (std::uint32_t currency = 0; currency < question.currency_count; ++currency) {
        const auto from = scan.answer.row(group, currency);
        std::ranges::transform(from, answer.row(group, currency), answer.row(group, currency).begin(), std::plus<>());
      }
  }
  return answer;
}

}  // namespace

std::int64_t AgeingAnswer::total(std::uint32_t group, std::uint32_t currency) const {
  std::int64_t sum = 0;
  for (const std::int64_t amount : row(group, currency)) sum += amount;
  return sum;
}

std::int64_t AgeingAnswer::total(std::uint32_t currency) const {
  std::int64_t sum = 0;
  for (std::uint32_t group = 0; group < groups_; ++group) sum += total(group, currency);
  return sum;
}

std::size_t ageing_bucket(std::int32_t basis_day, std::int32_t as_of, std::span<const std::int32_t> bounds) {
  if (basis_day == ageing_no_day) return bounds.size() + 2;
  const std::int64_t age = std::int64_t{as_of} - basis_day;
  return age <= 0 ? 0 : 1 + static_cast<std::size_t>(std::ranges::lower_bound(bounds, age) - bounds.begin());
}

Result<AgeingAnswer> ageing(std::span<const PostingColumns> chunks, const AgeingQuestion& question) {
  if (auto bounds = check_bounds(question.bounds); !bounds) return pass_on(bounds);
  if (auto columns = check_columns(chunks); !columns) return pass_on(columns);
  const std::size_t bucket_count = question.bounds.size() + 3;
  const std::size_t cells = std::size_t{question.group_count} * question.currency_count * bucket_count;
  if (cells == 0 || cells > cells_max || question.threads < 1 || question.threads > 64)
    return fail(ErrorCode::invalid_input, "an ageing of " + std::to_string(question.group_count) + " groups and " + std::to_string(question.currency_count) +
                                              " currencies is too large or empty; group by less or give fewer buckets");
  const Buckets buckets(question.bounds);
  return question.group_of_party.empty() && question.group_count == 1 ? ageing_totals(chunks, question, buckets, bucket_count)
                                                                       : ageing_groups(chunks, question, buckets, bucket_count);
}

// ---- the index

namespace {

std::int32_t period_of(std::int32_t posted) { return posted >= 0 ? posted / period_days : -((-(posted + 1)) / period_days) - 1; }

// A posting as the index sees it.
struct Entry {
  std::int32_t posted = 0, basis_day = 0;
  std::uint32_t currency = 0;
  std::int64_t amount = 0;
  auto place() const { return std::tie(posted, basis_day, currency); }
};

// Sorted, those of one place added up, those of nothing gone.
void combine(std::vector<Entry>& entries) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) { return a.place() < b.place(); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size();) {
    Entry sum = entries[i];
    for (++i; i < entries.size() && entries[i].place() == sum.place(); ++i) sum.amount += entries[i].amount;
    if (sum.amount != 0) entries[kept++] = sum;
  }
  entries.resize(kept);
}

std::vector<Entry> entries_of(const PostingColumns& columns, AgeingBasis basis, std::span<const std::int32_t> document_posted, std::uint32_t& currency_seen) {
  std::vector<Entry> entries(columns.amount.size());
  for (std::size_t row = 0; row < entries.size(); ++row) {
    currency_seen = std::max<std::uint32_t>(currency_seen, columns.currency[row]);
    const std::int32_t day = basis == AgeingBasis::due ? columns.due[row] : posted_of(document_posted, columns.document[row]);
    entries[row] = {columns.posted[row], day, columns.currency[row], columns.amount[row]};
  }
  combine(entries);
  return entries;
}

}  // namespace

void AgeingIndex::add_to(Cells& cells, const Cell& cell) {
  const auto before = [](const Cell& a, const Cell& b) { return std::tie(a.basis_day, a.currency) < std::tie(b.basis_day, b.currency); };
  const auto at = std::ranges::lower_bound(cells, cell, before);
  if (at == cells.end() || before(cell, *at)) {
    cells.insert(at, cell);
  } else if ((at->amount += cell.amount) == 0) {
    cells.erase(at);
  }
}

void AgeingIndex::make_checkpoints() {
  std::map<std::pair<std::int32_t, std::uint32_t>, std::int64_t> open;
  for (const auto& [posted, cells] : days_) {
    if (const std::int32_t period = period_of(posted); checkpoints_.empty() || checkpoints_.rbegin()->first < period) {
      Cells& now = checkpoints_[period];
      for (const auto& [place, amount] : open) now.push_back({place.first, place.second, amount});
    }
    for (const Cell& cell : cells) {
      const auto found = open.try_emplace({cell.basis_day, cell.currency}, 0).first;
      if ((found->second += cell.amount) == 0) open.erase(found);
    }
  }
}

Result<AgeingIndex> AgeingIndex::build(std::span<const PostingColumns> chunks, AgeingBasis basis, std::uint32_t currency_count,
                                       std::span<const std::int32_t> document_posted, unsigned threads) {
  if (auto columns = check_columns(chunks); !columns) return pass_on(columns);
  std::vector<std::vector<Entry>> entries(chunks.size());
  std::vector<std::uint32_t> currency_seen(chunks.size());
  paths::in_parallel(std::clamp(threads, 1U, 64U), chunks.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t chunk = first; chunk < last; ++chunk) entries[chunk] = entries_of(chunks[chunk], basis, document_posted, currency_seen[chunk]);
  });
  for (const std::uint32_t seen : currency_seen)
    if (seen >= currency_count) return currency_too_large(seen, currency_count);
  AgeingIndex index;
  index.currency_count_ = currency_count;
  std::map<std::int32_t, std::vector<Entry>> days;
  for (const std::vector<Entry>& chunk : entries)
    for (std::size_t i = 0; i < chunk.size();) {
      std::vector<Entry>& day = days[chunk[i].posted];
      const std::size_t first = i;
      while (i < chunk.size() && chunk[i].posted == chunk[first].posted) ++i;
      day.insert(day.end(), chunk.begin() + static_cast<std::ptrdiff_t>(first), chunk.begin() + static_cast<std::ptrdiff_t>(i));
    }
  for (auto& [posted, day] : days) {
    combine(day);
    Cells& cells = index.days_[posted];
    for (const Entry& entry : day) cells.push_back({entry.basis_day, entry.currency, entry.amount});
  }
  index.make_checkpoints();
  return index;
}

void AgeingIndex::add(std::int32_t posted, std::int32_t basis_day, std::uint32_t currency, std::int64_t amount) {
  check(currency < currency_count_, "a posting of a known currency is added");
  if (amount == 0) return;
  const Cell cell{basis_day, currency, amount};
  const std::int32_t period = period_of(posted);
  auto checkpoint = checkpoints_.lower_bound(period);
  if (checkpoint == checkpoints_.end() || checkpoint->first != period) {
    // A period of its own begins: with what was open before it.
    Cells open;
    if (checkpoint != checkpoints_.begin()) {
      const auto before = std::prev(checkpoint);
      open = before->second;
      for (auto day = days_.lower_bound(before->first * period_days); day != days_.end() && day->first < posted; ++day)
        for (const Cell& earlier : day->second) add_to(open, earlier);
    }
    checkpoint = checkpoints_.emplace_hint(checkpoint, period, std::move(open));
  }
  add_to(days_[posted], cell);
  for (++checkpoint; checkpoint != checkpoints_.end(); ++checkpoint) add_to(checkpoint->second, cell);
}

Result<AgeingAnswer> AgeingIndex::answer(std::int32_t as_of, std::span<const std::int32_t> bounds) const {
  if (auto checked = check_bounds(bounds); !checked) return pass_on(checked);
  const Buckets buckets(bounds);
  AgeingAnswer answer(1, currency_count_, bounds.size() + 3);
  const auto count = [&](const Cells& cells) {
    for (const Cell& cell : cells) answer.row(0, cell.currency)[buckets.of(cell.basis_day, as_of)] += cell.amount;
  };
  auto checkpoint = checkpoints_.upper_bound(period_of(as_of));
  if (checkpoint == checkpoints_.begin()) return answer;
  --checkpoint;
  count(checkpoint->second);
  const std::int64_t first = std::int64_t{checkpoint->first} * period_days;
  for (auto day = days_.lower_bound(static_cast<std::int32_t>(std::max<std::int64_t>(first, INT32_MIN))); day != days_.end() && day->first <= as_of; ++day) count(day->second);
  return answer;
}

// ---- measures

namespace {

// Rounded half away from zero.
std::optional<std::int64_t> tenths(Int128 days_times_weight, Int128 weight) {
  if (weight <= 0) return std::nullopt;
  const Int128 result = divide_half_away(days_times_weight * 10, weight);
  if (result > bound_max * 10 || result < -bound_max * 10) return std::nullopt;
  return static_cast<std::int64_t>(result);
}

}  // namespace

std::vector<DayAmount> owed_by_day(std::span<const PostingColumns> chunks, std::uint16_t currency, std::int32_t from, std::int32_t until) {
  std::map<std::int32_t, std::int64_t> days;
  for (const PostingColumns& columns : chunks)
    for (std::size_t row = 0; row < columns.amount.size(); ++row)
      if (columns.posted[row] > from && columns.posted[row] <= until && columns.currency[row] == currency && columns.amount[row] > 0)
        days[columns.posted[row]] += columns.amount[row];
  std::vector<DayAmount> answer;
  for (const auto& [day, amount] : days) answer.push_back({day, amount});
  return answer;
}

std::optional<std::int64_t> days_outstanding(std::int64_t open, std::int64_t sales, std::int32_t days) { return tenths(static_cast<Int128>(open) * days, sales); }

std::optional<std::int64_t> days_by_count_back(std::int64_t open, std::span<const DayAmount> sales, std::int32_t as_of) {
  if (open <= 0) return 0;
  Int128 left = open;
  // Between two days of sales nothing was sold: they count as whole days.
  for (std::size_t i = sales.size(); i-- > 0;) {
    if (sales[i].day > as_of || sales[i].amount <= 0) continue;
    const std::int32_t days_after = as_of - sales[i].day;
    if (left <= sales[i].amount) return tenths(static_cast<Int128>(days_after) * sales[i].amount + left, sales[i].amount);
    left -= sales[i].amount;
  }
  return std::nullopt;
}

std::optional<std::int64_t> average_days_late(std::span<const PostingColumns> chunks, std::uint16_t currency, std::int32_t as_of, std::int32_t days) {
  Int128 late = 0, settled = 0;
  for (const PostingColumns& columns : chunks)
    for (std::size_t row = 0; row < columns.amount.size(); ++row) {
      const std::int32_t posted = columns.posted[row];
      if (posted > as_of || posted <= as_of - days || columns.currency[row] != currency || columns.amount[row] >= 0 || columns.due[row] == ageing_no_day) continue;
      late += static_cast<Int128>(-columns.amount[row]) * (std::int64_t{posted} - columns.due[row]);
      settled -= columns.amount[row];
    }
  return tenths(late, settled);
}

}  // namespace millrace::planning
