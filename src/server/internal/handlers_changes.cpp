// What happened after a Sequence, and the door to live deltas.
#include <charconv>
#include <map>

#include "base/text.h"
#include "server/internal/handlers.h"
#include "server/internal/live_hub.h"
#include "server/internal/rows.h"
#include "server/internal/websocket_frames.h"
#include "server/internal/who_asks.h"

namespace millrace::server {

namespace {

inline constexpr std::int64_t changes_limit_max = 1000;
inline constexpr std::size_t predecessors_max = 10'000;

// The change of the same order before `change`, from the record.
Result<std::optional<feed::Change>> predecessor(feed::Reader& history, const feed::Change& change) {
  if (!feed::is_of_order(change.kind))
    return std::optional<feed::Change>();
  auto all = history.changes_of_order(OrderNumber{feed::subject(change)}, predecessors_max);
  if (!all) return pass_on(all);
  std::optional<feed::Change> before;
  for (feed::Change& other : *all)
    if (other.sequence < change.sequence) before = std::move(other);
  return before;
}

// For a `since` older than what the hub keeps.
Result<std::vector<query::WordedChange>> changes_of_record(feed::Reader& history, feed::Sequence since,
                                                           std::size_t limit, feed::Sequence as_of) {
  auto changes = history.changes_after(since, limit);
  if (!changes) return pass_on(changes);
  std::map<std::string, const feed::Change*> latest;
  std::vector<query::WordedChange> worded;
  for (const feed::Change& change : *changes) {
    if (change.sequence > as_of) break;
    const std::string subject = feed::subject(change);
    std::optional<feed::Change> stored;
    const feed::Change* before = nullptr;
    if (const auto found = latest.find(subject); found != latest.end()) {
      before = found->second;
    } else {
      auto earlier = predecessor(history, change);
      if (!earlier) return pass_on(earlier);
      stored = std::move(*earlier);
      if (stored) before = &*stored;
    }
    worded.push_back(query::worded(change, before));
    latest[subject] = &change;
  }
  return worded;
}

}  // namespace

Response list_changes(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"since", "limit"})) return problem_response(request, *problem);
  std::vector<query::ParameterError> errors;
  const auto since = number_parameter(request, {"since", 0, -1'000'000, INT64_MAX}, errors);
  const auto limit = number_parameter(request, {"limit", 200, 1, changes_limit_max}, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  return data_response(request, backend, Keep::no, [&](const Moment& at) -> Result<std::string> {
    const auto last = static_cast<std::int64_t>(at.as_of.value);
    const std::int64_t first = *since < 0 ? std::max<std::int64_t>(0, last + *since) : *since;
    const feed::Sequence from{static_cast<std::uint64_t>(first)};
    const auto count = static_cast<std::size_t>(*limit);
    auto worded = backend.hub.kept_changes(from, count);
    if (worded) {
      std::erase_if(*worded, [&](const auto& change) { return change.sequence > at.as_of; });
      // The Snapshot may be published a moment before the hub has worded its changes.
      if (worded->size() < count && from.value + worded->size() < at.as_of.value) worded.reset();
    }
    if (!worded) {
      auto read = changes_of_record(backend.services.history, from, count, at.as_of);
      if (!read) return pass_on(read);
      worded = std::move(*read);
    }
    const std::uint64_t next = worded->empty() ? std::max(from, at.as_of).value : worded->back().sequence.value;
    if (const View view = view_of(*request.caller); !view.salesman.empty())
      std::erase_if(*worded, [&](const query::WordedChange& change) { return !view.shows(change.salesman); });
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& change : *worded) write_change(json, change);
    json.end_array().field("next_since", next).field("more", next < at.as_of.value).end_object();
    return out;
  });
}

Response open_live(const Request& request, Backend&) {
  Response response;
  const bool upgrade = equal_ignoring_case(trim(request.header("Upgrade")), "websocket");
  if (upgrade) {
    if (const auto problem = handshake_problem(request)) {
      Response refusal = problem_response(request, *problem);
      if (problem->status == 426) refusal.header("Sec-WebSocket-Version", "13");
      return refusal;
    }
    response.live = Live::websocket;
    return response;
  }
  if (request.header("Accept").find("text/event-stream") == std::string_view::npos) {
    Response refusal = problem_response(
        request, {426,
                  "upgrade-required",
                  "This address speaks WebSocket, or server-sent events with Accept: text/event-stream.",
                  {}});
    refusal.header("Upgrade", "websocket");
    refusal.header("Connection", "Upgrade");
    refusal.close = true;
    return refusal;
  }
  if (auto problem = unknown_parameters(request, {"since"})) return problem_response(request, *problem);
  if (auto problem = missing_right(*request.caller, told_changes, "listen to changes")) return problem_response(request, *problem);
  std::string_view text = request.header("Last-Event-ID");
  if (text.empty()) text = request.parameter("since");
  std::uint64_t since = since_now;
  if (!text.empty()) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), since);
    if (code != std::errc() || end != text.data() + text.size())
      return problem_response(request,
                              problem_of(std::vector<query::ParameterError>{
                                  {"since", "bad-value", "since is the Sequence of the last event, a whole number."}}));
  }
  response.live = Live::events;
  response.live_since = since;
  return response;
}

}  // namespace millrace::server
