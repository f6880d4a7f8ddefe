#include "readmodel/read_model.h"

#include <algorithm>
#include <mutex>
#include <string>

#include "base/check.h"
#include "base/turns.h"
#include "readmodel/blocks.h"
#include "readmodel/finance_table.h"

namespace millrace::readmodel {

struct ReadModel::Impl {
  // guarded by mutex_: the only thing that readers and the writer share
  mutable std::mutex mutex_;
  SnapshotPtr current_;

  // the writer's own
  std::uint64_t epoch_ = 1;
  Snapshot::Parts head_;  // counts, Sequence and rejections; spines are filled in when publishing
  std::uint64_t rejections_epoch_ = 0;
  Blocks<OrderChunk> chunks_;
  NumberIndex numbers_;
  std::array<KeptSums, kept_group_count> kept_;
  CustomerIndex customers_;
  Dictionaries words_;
  FinanceTable finance_;
  std::vector<RowId> free_rows_;  // a heap, smallest first: rows stay where memory already is
  RowId rows_used_ = 0;

  KeptSums& kept(KeptGroup group) { return kept_[static_cast<std::size_t>(group)]; }

  void publish();
  void restore(WarmParts& parts);
  void restore_kept(const WarmParts& parts);
  void apply(const feed::Change& change);
  void put(const feed::Change& change);
  void remove(std::string_view number);
  RejectionList& own_rejections();
  void put_rejection(const feed::Rejection& rejection);
  void remove_rejection(std::uint64_t id);

  RowId take_row();
  void count_row(RowId row, bool add);
  void count_lines(const OrderChunk& chunk, std::size_t row, KeptGroup group, Code Article::*key, bool add);
  void count(KeptGroup group, std::uint32_t slot, std::uint32_t key, std::uint32_t currency, const Sum& sum, bool add);
  void index_customer(RowId row, std::optional<Code> before, std::optional<Code> now);
  void keep_names(const OrderChunk& chunk, std::size_t row);
};

void ReadModel::Impl::publish() {
  Snapshot::Parts parts = head_;
  parts.chunks = chunks_.share();
  parts.numbers = numbers_.share();
  for (std::size_t i = 0; i < kept_group_count; ++i) parts.kept[i] = kept_[i].share();
  parts.customers = customers_.share();
  parts.words = WordLists(words_.publish());
  parts.finance = finance_.publish();
  auto snapshot = std::make_shared<const Snapshot>(std::move(parts));
  {
    std::lock_guard lock(mutex_);
    current_.swap(snapshot);
  }
  ++epoch_;  // from here on everything published is copied before it is changed
}

void ReadModel::Impl::apply(const feed::Change& change) {
  switch (change.kind) {
    case feed::ChangeKind::order_put: put(change); break;
    case feed::ChangeKind::order_removed: remove(change.removed.number.text); break;
    case feed::ChangeKind::rejection_put: put_rejection(change.rejection_put.rejection); break;
    case feed::ChangeKind::rejection_removed: remove_rejection(change.rejection_removed.id); break;
    case feed::ChangeKind::finance_put: finance_.put(*change.finance_put.document, change.sequence.value); break;
    case feed::ChangeKind::finance_removed: {
      const feed::FinanceRemoved& gone = change.finance_removed;
      finance_.remove(gone.kind, gone.source, gone.key, change.sequence.value);
      break;
    }
  }
  head_.as_of = change.sequence;
  head_.as_of_time = change.at;
}

RowId ReadModel::Impl::take_row() {
  if (free_rows_.empty()) return rows_used_++;
  std::pop_heap(free_rows_.begin(), free_rows_.end(), std::greater<>());
  const RowId row = free_rows_.back();
  free_rows_.pop_back();
  return row;
}

void ReadModel::Impl::put(const feed::Change& change) {
  const std::string& number = change.put.order->number.text;
  const auto found = find_number(*numbers_.share(), *chunks_.share(), number);
  const RowId row = found ? *found : take_row();
  if (found) count_row(row, false);
  OrderChunk& chunk = chunks_.own(row / chunk_rows, epoch_);
  const std::optional<Code> customer_before = found ? std::optional(chunk.customer[row % chunk_rows]) : std::nullopt;
  const bool last_free = chunk.used + 1 == chunk_rows && row % chunk_rows == chunk.used;
  chunk.put(row % chunk_rows, change.put, change.sequence, change.at, words_);
  if (last_free) chunk.pack();
  if (!found) numbers_.insert(number, row, epoch_);
  count_row(row, true);
  index_customer(row, customer_before, chunk.customer[row % chunk_rows]);
  keep_names(chunk, row % chunk_rows);
}

void ReadModel::Impl::remove(std::string_view number) {
  const auto found = find_number(*numbers_.share(), *chunks_.share(), number);
  if (!found) return;  // a file went that never counted
  count_row(*found, false);
  numbers_.erase(number, *found, epoch_);
  index_customer(*found, chunks_.find(*found / chunk_rows)->customer[*found % chunk_rows], std::nullopt);
  chunks_.own(*found / chunk_rows, epoch_).remove(*found % chunk_rows);
  free_rows_.push_back(*found);
  std::push_heap(free_rows_.begin(), free_rows_.end(), std::greater<>());
}

void ReadModel::Impl::count(KeptGroup group, std::uint32_t slot, std::uint32_t key, std::uint32_t currency,
                            const Sum& sum, bool add) {
  if (add) kept(group).add(slot, key, currency, sum, epoch_);
  else kept(group).subtract(slot, key, currency, sum, epoch_);
}

// What one order contributes, read from its columns: the same numbers go in and come out again.
void ReadModel::Impl::count_row(RowId id, bool add) {
  const OrderChunk& chunk = *chunks_.find(id / chunk_rows);
  const std::size_t row = id % chunk_rows;
  const std::uint32_t currency = chunk.currency[row];
  const Sum sum{.orders = 1,
                .lines = chunk.lines[row],
                .open_orders = chunk.open_amount[row] > 0 ? 1u : 0u,
                .net = chunk.net[row],
                .total = chunk.total[row],
                .open_amount = chunk.open_amount[row],
                .open_orders_amount = std::max<std::int64_t>(0, chunk.open_amount[row])};
  const auto by_code = [&](KeptGroup group, Code code) { count(group, code, code, currency, sum, add); };
  by_code(KeptGroup::customer, chunk.customer[row]);
  by_code(KeptGroup::salesman, chunk.salesman[row]);
  by_code(KeptGroup::status, chunk.status[row]);
  count(KeptGroup::due_day, kept(KeptGroup::due_day).slot_of_day(chunk.due[row]),
        static_cast<std::uint32_t>(chunk.due[row]), currency, sum, add);
  count_lines(chunk, row, KeptGroup::item, &Article::item, add);
  count_lines(chunk, row, KeptGroup::manufacturer, &Article::manufacturer, add);
  if (add) head_.order_count += 1, head_.line_count += chunk.lines[row];
  else head_.order_count -= 1, head_.line_count -= chunk.lines[row];
}

// An order counts once per key, however many of its lines carry it.
void ReadModel::Impl::count_lines(const OrderChunk& chunk, std::size_t row, KeptGroup group,
                                  Code Article::*key_of, bool add) {
  std::vector<std::pair<Code, std::uint32_t>> lines;
  lines.reserve(chunk.lines[row]);
  for (std::uint32_t i = 0; i < chunk.lines[row]; ++i) {
    const std::uint32_t at = chunk.line_begin[row] + i;
    lines.emplace_back((*chunk.articles)[chunk.line_article[at]].*key_of, at);
  }
  std::sort(lines.begin(), lines.end());
  for (std::size_t i = 0; i < lines.size();) {
    const Code key = lines[i].first;
    Sum sum;
    for (; i < lines.size() && lines[i].first == key; ++i) {
      const std::uint32_t at = lines[i].second;
      const std::int64_t net = chunk.line_net[at];
      Sum line;
      line.lines = 1, line.net = line.total = net, line.open_amount = chunk.line_open(at);
      sum.add(line);
    }
    sum.orders = 1;
    sum.open_orders = sum.open_amount > 0 ? 1 : 0;
    sum.open_orders_amount = std::max<std::int64_t>(0, sum.open_amount);
    count(group, key, key, chunk.currency[row], sum, add);
  }
}

// Most changes of an order leave it with its customer, and the index as it is.
void ReadModel::Impl::index_customer(RowId row, std::optional<Code> before, std::optional<Code> now) {
  if (before == now) return;
  if (before) customers_.erase(*before, row, epoch_);
  if (!now) return;
  const Words customers = words_.words(Vocabulary::customer);
  for (Code code = customers_.size(); code < customers.size(); ++code) customers_.learn(code, customers.folded(code), epoch_);
  customers_.insert(*now, row, epoch_);
}

void ReadModel::Impl::keep_names(const OrderChunk& chunk, std::size_t row) {
  kept(KeptGroup::customer).set_name(chunk.customer[row], chunk.customer_name[row], epoch_);
  for (std::uint32_t i = chunk.line_begin[row]; i < chunk.line_begin[row] + chunk.lines[row]; ++i) {
    kept(KeptGroup::item).set_name(chunk.line_item(i), chunk.line_item_name(i), epoch_);
  }
}

RejectionList& ReadModel::Impl::own_rejections() {
  if (rejections_epoch_ != epoch_) {
    head_.rejections = std::make_shared<RejectionList>(*head_.rejections);
    rejections_epoch_ = epoch_;
  }
  return const_cast<RejectionList&>(*head_.rejections);  // made above, seen by nobody yet
}

namespace {
auto rejection_place(RejectionList& list, std::uint64_t id) {
  return std::lower_bound(list.begin(), list.end(), id,
                          [](const auto& rejection, std::uint64_t wanted) { return rejection->id < wanted; });
}
}  // namespace

void ReadModel::Impl::put_rejection(const feed::Rejection& rejection) {
  RejectionList& list = own_rejections();
  const auto at = rejection_place(list, rejection.id);
  auto kept_rejection = std::make_shared<const feed::Rejection>(rejection);
  if (at != list.end() && (*at)->id == rejection.id) *at = std::move(kept_rejection);
  else list.insert(at, std::move(kept_rejection));
}

void ReadModel::Impl::remove_rejection(std::uint64_t id) {
  RejectionList& list = own_rejections();
  const auto at = rejection_place(list, id);
  if (at != list.end() && (*at)->id == id) list.erase(at);
}

void ReadModel::Impl::restore_kept(const WarmParts& parts) {
  for (std::size_t g = 0; g < kept_group_count; ++g) {
    const bool days = static_cast<KeptGroup>(g) == KeptGroup::due_day;
    for (const KeptEntry& entry : parts.kept[g]) {
      const std::uint32_t slot = days ? kept_[g].slot_of_day(static_cast<std::int32_t>(entry.key)) : entry.key;
      kept_[g].add(slot, entry.key, entry.currency, entry.sum, epoch_);
    }
    for (const WarmParts::Name& name : parts.names[g]) kept_[g].set_name(name.slot, name.name, epoch_);
  }
}

void ReadModel::Impl::restore(WarmParts& parts) {
  words_ = std::move(parts.words);
  for (std::size_t c = 0; c < parts.chunks.size(); ++c) {
    const OrderChunk& chunk = *parts.chunks[c];
    for (std::size_t row = 0; row < chunk.used; ++row) {
      const RowId id = rows_used_++;
      if (!chunk.live[row]) {
        free_rows_.push_back(id);
        continue;
      }
      numbers_.insert(chunk.number(row), id, epoch_);
      index_customer(id, std::nullopt, chunk.customer[row]);
    }
    chunks_.adopt(c, std::move(parts.chunks[c]), epoch_);
  }
  std::make_heap(free_rows_.begin(), free_rows_.end(), std::greater<>());
  restore_kept(parts);
  for (const WarmParts::Party& party : parts.finance_parties) finance_.restore_party(party.side, party.code, party.name);
  for (const auto& [row, bytes] : parts.finance_documents) finance_.restore(row, bytes);
  finance_.restored(parts.finance_version);
  head_.as_of = parts.as_of;
  head_.as_of_time = parts.as_of_time;
  head_.order_count = parts.order_count;
  head_.line_count = parts.line_count;
  head_.rejections = std::make_shared<RejectionList>(std::move(parts.rejections));
}

void ReadModel::restore(WarmParts parts) {
  check(impl_->head_.as_of.value == 0, "only an empty read model is restored");
  impl_->restore(parts);
  impl_->publish();
}

ReadModel::ReadModel() : impl_(std::make_unique<Impl>()) { impl_->publish(); }
ReadModel::~ReadModel() = default;

Result<void> ReadModel::apply(std::span<const feed::Change> changes) {
  feed::Sequence expected = impl_->head_.as_of.next();
  for (const feed::Change& change : changes) {
    if (change.sequence != expected) {
      return fail(ErrorCode::corrupt, "change " + std::to_string(change.sequence.value) + " came where change " +
                                          std::to_string(expected.value) +
                                          " was due; nothing was applied, rebuild the read model from the record");
    }
    if (change.kind == feed::ChangeKind::order_put && change.put.order == nullptr) {
      return fail(ErrorCode::corrupt, "change " + std::to_string(change.sequence.value) + " puts an order and has none");
    }
    if (change.kind == feed::ChangeKind::finance_put && change.finance_put.document == nullptr)
      return fail(ErrorCode::corrupt, "change " + std::to_string(change.sequence.value) + " puts a finance document and has none");
    expected = expected.next();
  }
  if (changes.empty()) return {};
  for (const feed::Change& change : changes) {
    give_turn();
    impl_->apply(change);
  }
  impl_->publish();
  return {};
}

SnapshotPtr ReadModel::current() const {
  std::lock_guard lock(impl_->mutex_);
  return impl_->current_;
}

}  // namespace millrace::readmodel
