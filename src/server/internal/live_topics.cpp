#include "server/internal/live_topics.h"

#include <array>
#include <unordered_map>
#include <unordered_set>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "server/internal/order_question.h"
#include "server/internal/rows.h"
#include "server/internal/who_asks.h"

namespace millrace::server {

namespace {

inline constexpr std::size_t delta_rows_max = 1000;  // a larger delta costs more than a fresh page

// As the routes of the same things.
constexpr std::array topics = std::to_array<TopicRow>({
    {"orders", Topic::orders, Rights{Right::see_orders}, Own::filtered},
    {"changes", Topic::changes, told_changes, Own::filtered},
    {"sources", Topic::sources, Rights{Right::see_sources}, Own::closed},
    {"rejections", Topic::rejections, source_values, Own::closed},
    {"totals", Topic::totals, amounts, Own::filtered},
    {"jobs", Topic::jobs, Rights{Right::run_jobs}, Own::closed},
    {"cash", Topic::cash, Rights{Right::see_money}, Own::closed},
});

}  // namespace

std::span<const TopicRow> topic_rows() { return topics; }

std::optional<Problem> read_topic(const std::string& text, const people::Identity& asker, Day today, Subscription& wanted) {
  wanted.view = view_of(asker);
  wanted.text = text + wanted.view.key();
  const std::size_t mark = text.find('?');
  const auto topic = std::find_if(topics.begin(), topics.end(), [&](const TopicRow& row) { return row.name == std::string_view(text).substr(0, mark); });
  if (topic == topics.end())
    return Problem{404,
                   "not-found",
                   "There is no topic \"" + printable(text.substr(0, std::min<std::size_t>(mark, 40))) +
                       "\"; there are orders, changes, sources, rejections, totals, jobs and cash.",
                   {}};
  if (auto problem = missing_right(asker, topic->rights, "listen to " + std::string(topic->name))) return problem;
  if (!asker.own_orders.empty() && topic->own == Own::closed)
    return Problem{403, "denied", "You see the orders of " + printable(asker.own_orders) + " only, and " + std::string(topic->name) + " are about all orders.", {}};
  wanted.topic = topic->topic;
  auto parameters =
      parse_query_string(mark == std::string::npos ? std::string_view() : std::string_view(text).substr(mark + 1));
  if (!parameters) return Problem{400, "bad-request", "The filter of the topic is not well-formed.", {}};
  const bool filtered = wanted.topic == Topic::orders || wanted.topic == Topic::totals;
  if (!filtered && !parameters->empty()) return Problem{400, "unknown-parameter", "This topic takes no filter.", {}};
  OrderQuestion question = read_order_question(*parameters, wanted.view, today);
  if (question.problem) return question.problem;
  wanted.query = std::move(question.query);
  wanted.query.cursor.clear();
  return std::nullopt;
}

void KeptChanges::restart(feed::Sequence at) {
  changes_.clear();
  floor_ = last_ = at.value;
}

void KeptChanges::add(KeptChange change) {
  last_ = change.sequence.value;
  changes_.push_back(std::move(change));
  while (changes_.size() > changes_kept) {
    floor_ = changes_.front().sequence.value;
    changes_.pop_front();
  }
}

namespace {

std::optional<feed::Change> finance_before(const readmodel::Snapshot& before, FinanceKind kind, std::string_view source, std::string_view key) {
  const auto document = before.finance().find_of(kind, source, key);
  if (document == nullptr) return std::nullopt;
  return feed::finance_put(*document);
}

// What the subject was in the Snapshot before the commit.
std::optional<feed::Change> change_before(const feed::Change& change, const std::string& subject,
                                          const readmodel::Snapshot& before) {
  switch (change.kind) {
    case feed::ChangeKind::order_put:
    case feed::ChangeKind::order_removed: {
      const auto row = before.find(subject);
      if (!row) return std::nullopt;
      return feed::order_put(before.order(*row));
    }
    case feed::ChangeKind::rejection_put:
    case feed::ChangeKind::rejection_removed: {
      const std::uint64_t id = change.kind == feed::ChangeKind::rejection_put ? change.rejection_put.rejection.id
                                                                              : change.rejection_removed.id;
      for (const auto& rejection : before.rejections())
        if (rejection->id == id) return feed::rejection_put(*rejection);
      return std::nullopt;
    }
    case feed::ChangeKind::finance_put: {
      const FinanceDocument& document = *change.finance_put.document;
      return finance_before(before, document.kind, document.source, finance_key(document));
    }
    case feed::ChangeKind::finance_removed:
      return finance_before(before, change.finance_removed.kind, change.finance_removed.source, change.finance_removed.key);
  }
  return std::nullopt;
}

KeptChange kept_change(const feed::Change& change, const std::string& subject, const feed::Change* before) {
  KeptChange result;
  result.sequence = change.sequence;
  result.worded = query::worded(change, before);
  switch (change.kind) {
    case feed::ChangeKind::order_put:
    case feed::ChangeKind::order_removed:
      result.order = subject;
      if (before != nullptr && before->put.order != nullptr) result.salesman_before = before->put.order->salesperson;
      break;
    case feed::ChangeKind::rejection_put:
      result.rejection = change.rejection_put.rejection.id;
      break;
    case feed::ChangeKind::rejection_removed:
      result.rejection = change.rejection_removed.id;
      break;
    case feed::ChangeKind::finance_put:
    case feed::ChangeKind::finance_removed: break;
  }
  return result;
}

}  // namespace

std::vector<KeptChange> worded_changes(const std::vector<feed::Change>& changes, std::uint64_t last,
                                       const readmodel::Snapshot& before) {
  std::unordered_map<std::string, const feed::Change*> latest;  // of this commit, by subject
  std::vector<KeptChange> fresh;
  for (const feed::Change& change : changes) {
    if (change.sequence.value <= last) continue;
    const std::string subject = feed::subject(change);
    if (const auto found = latest.find(subject); found != latest.end()) {
      fresh.push_back(kept_change(change, subject, found->second));
    } else {
      const auto earlier = change_before(change, subject, before);
      fresh.push_back(kept_change(change, subject, earlier ? &*earlier : nullptr));
    }
    latest[subject] = &change;
  }
  return fresh;
}

namespace {

std::optional<query::OrderPage> page_sums(const query::OrderQuery& wanted, const DeltaState& state) {
  query::OrderQuery one = wanted;
  one.limit = 1;
  auto page = query::orders(state.snapshot, one, state.today);
  if (!page) {
    log_error("live_sums_failed", {{"reason", page.error().text()}});
    return std::nullopt;
  }
  return std::move(*page);
}

bool write_orders(JsonWriter& json, const Subscription& subscription, std::uint64_t from, const DeltaState& state) {
  std::vector<std::string_view> numbers;
  std::unordered_set<std::string_view> seen;
  state.kept.each_after(from, [&](const KeptChange& change) {
    // An order that was never his is not even named.
    if (!subscription.view.shows(change.salesman_before) && !subscription.view.shows(change.worded.salesman)) return;
    if (!change.order.empty() && seen.insert(change.order).second) numbers.push_back(change.order);
  });
  if (numbers.size() > delta_rows_max) return false;
  const auto page = page_sums(subscription.query, state);
  if (!page) return false;
  json.field("total", page->matching);
  write_sums(json, "sums", page->sums, subscription.view.money);
  std::vector<std::string_view> gone;
  json.key("rows").begin_array();
  for (const std::string_view number : numbers) {
    const auto row = query::order_row(state.snapshot, number, state.today);
    if (row && query::matches(state.snapshot, number, subscription.query, state.today)) {
      write_row(json, *row, subscription.query.fields);
    } else {
      gone.push_back(number);
    }
  }
  json.end_array();
  json.key("gone").begin_array();
  for (const std::string_view number : gone) json.text(number);
  json.end_array();
  return true;
}

bool write_changes(JsonWriter& json, const View& view, std::uint64_t from, const DeltaState& state) {
  std::size_t count = 0;
  json.key("changes").begin_array();
  state.kept.each_after(from, [&](const KeptChange& change) {
    if (view.shows(change.worded.salesman) && ++count <= delta_rows_max) write_change(json, change.worded);
  });
  json.end_array();
  return count <= delta_rows_max;
}

bool write_rejections(JsonWriter& json, std::uint64_t from, const DeltaState& state) {
  std::unordered_set<std::uint64_t> touched;
  state.kept.each_after(from, [&](const KeptChange& change) {
    if (change.rejection != 0) touched.insert(change.rejection);
  });
  if (touched.empty()) return false;
  json.key("put").begin_array();
  for (const auto& rejection : state.snapshot.rejections())
    if (touched.erase(rejection->id) > 0) write_rejection(json, *rejection);
  json.end_array();
  json.key("removed").begin_array();
  for (const std::uint64_t id : touched) json.number(id);
  json.end_array();
  return true;
}

void write_totals(JsonWriter& json, const Subscription& subscription, const DeltaState& state) {
  const auto page = page_sums(subscription.query, state);
  write_sums(json, "sums", page ? page->sums : std::vector<query::CurrencySum>());
}

}  // namespace

std::optional<std::string> delta_tail(const Subscription& subscription, std::uint64_t from, const DeltaState& state) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("as_of", state.kept.last());
  write_instant(json, "as_of_time", state.snapshot.as_of_time());
  json.field("from", from);
  bool worth = true;
  switch (subscription.topic) {
    case Topic::orders:
      worth = write_orders(json, subscription, from, state);
      break;
    case Topic::changes:
      worth = write_changes(json, subscription.view, from, state);
      break;
    case Topic::rejections:
      if (!write_rejections(json, from, state)) return std::string();
      break;
    case Topic::totals:
      write_totals(json, subscription, state);
      break;
    case Topic::cash:
      json.field("type", "cash");  // the figures may differ: ask again
      break;
    case Topic::sources:
    case Topic::jobs:
      return std::string();
  }
  if (!worth) return std::nullopt;
  json.end_object();
  out.front() = ',';
  return out;
}

}  // namespace millrace::server
