// What can be subscribed to, the changes kept for it, and how a delta of each topic is written.
//
// Invariants
//   * A delta is complete: with it a client that knew `from` knows everything up to the last kept change.
//   * Nothing here locks or waits; the hub says who may call when.
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "feed/change.h"
#include "query/orders.h"
#include "query/wording.h"
#include "readmodel/snapshot.h"
#include "server/internal/access.h"
#include "server/internal/message.h"

namespace millrace::server {

inline constexpr std::size_t changes_kept = 4096;

enum class Topic { orders, changes, sources, rejections, totals, jobs, cash };
// What a topic needs, as a route does.
struct TopicRow {
  std::string_view name;
  Topic topic;
  Rights rights;
  Own own;
};
std::span<const TopicRow> topic_rows();

struct Subscription {
  std::string id;
  Topic topic = Topic::orders;
  std::string text;  // the whole topic and what of it the asker may see: what it shares deltas by
  View view;
  query::OrderQuery query;
  std::uint64_t from = 0;  // told up to here
};
// Reads "orders?status=Open" into `wanted`; answers what is wrong with it, or which right is missing.
std::optional<Problem> read_topic(const std::string& text, const people::Identity& asker, Day today, Subscription& wanted);

struct KeptChange {
  feed::Sequence sequence;
  std::string order;            // "" when it is not about an order
  std::string salesman_before;  // whose the order was before it
  std::uint64_t rejection = 0;  // 0 when it is not about a rejection
  query::WordedChange worded;
};

// The last `changes_kept` changes, without holes.
class KeptChanges {
 public:
  // Nothing before `at` is kept any more.
  void restart(feed::Sequence at);
  void add(KeptChange change);

  std::uint64_t floor() const { return floor_; }  // every change after this one, up to `last`, is kept
  std::uint64_t last() const { return last_; }

  template <class Visit>
  void each_after(std::uint64_t from, Visit visit) const {
    auto place = std::upper_bound(
        changes_.begin(), changes_.end(), from,
        [](std::uint64_t sequence, const KeptChange& change) { return sequence < change.sequence.value; });
    for (; place != changes_.end(); ++place) visit(*place);
  }

 private:
  std::deque<KeptChange> changes_;
  std::uint64_t floor_ = 0;
  std::uint64_t last_ = 0;
};

// The changes of one commit after `last` in words; `before` is the Snapshot it was applied to.
std::vector<KeptChange> worded_changes(const std::vector<feed::Change>& changes, std::uint64_t last,
                                       const readmodel::Snapshot& before);

// What a delta is told from.
struct DeltaState {
  const readmodel::Snapshot& snapshot;
  const KeptChanges& kept;
  Day today;
};
// The delta after its id, "" when there is nothing to say, nothing when it would be too large: a fresh page is cheaper.
std::optional<std::string> delta_tail(const Subscription& subscription, std::uint64_t from, const DeltaState& state);

}  // namespace millrace::server
