#include <algorithm>
#include <utility>

#include "base/log.h"
#include "erp/internal/service_loop.h"

namespace millrace::erp {
using namespace std::chrono_literals;

namespace {

constexpr auto commit_retry = 500ms;  // between tries while the record refuses: a full disk is asked, not hammered
constexpr auto failed_retry = 15s;    // after a sync that failed, doubled each time up to the interval
constexpr unsigned doublings_max = 10;
// Wrong credentials lock users: only a person, or half an hour, makes us try again (and the session bounds the person).
constexpr auto denied_retry = 30min;
constexpr auto denied_retry_max = 24h;

}  // namespace

ServiceLoop::ServiceLoop(ServiceSourceOptions options, Peer peer, ingest::Intake& intake, store::Record& record, metrics::Registry& metrics,
                         const Clock& clock, SyncRules rules)
    : options_(std::move(options)),
      rules_(rules),
      intake_(intake),
      record_(record),
      metrics_(metrics),
      clock_(clock),
      peer_(std::move(peer)),
      names_(clock),
      sink_(std::make_unique<FinanceSync>(options_.id, record, options_.dialect, options_.streams, options_.finance), options_.id, intake, record, names_, clock, stop_, options_.time_zone),
      pace_(options_.interval, options_.interval_max) {
  due_ = peer_.pace->now();
  now_.id = options_.id;
  now_.kind = "service";
  now_.root = options_.connect.url;
  publish_status();
}

ServiceLoop::~ServiceLoop() { sign_out(); }

// The session is given back unless a call had to be cut off for the stop.
void ServiceLoop::sign_out() {
  if (std::exchange(connected_, false) && !cancelled_) peer_.remote->log_out();
}

// ---- the loop

bool ServiceLoop::step(std::chrono::milliseconds patience) {
  asking_ = Stopwatch::now().time_since_epoch().count();  // before looking at stop_: whoever stops us sees one or the other
  if (stop_) {
    if (connected_) {
      sign_out();
      publish_status();
    }
    asking_ = 0;
    return false;
  }
  take_requests();
  const bool did = turn();
  asking_ = 0;
  if (stop_) return false;  // a late answer touches nothing any more
  publish_status();
  return did || wait(patience);
}

bool ServiceLoop::turn() {
  if (!blocked_.empty() && peer_.pace->now() < commit_due_) return false;
  if (!loaded_ && !load()) return false;
  if (!blocked_.empty()) return turn_blocked();
  if (paused_) return false;
  const bool hints = std::ranges::any_of(streams_, [](const auto& sync) { return sync->hinted(); });
  const bool due = peer_.pace->now() >= due_;
  const bool names = !due && names_may_go();
  if (!syncing_ && !hints && !names && !due) return false;
  if (!connected_ && (peer_.pace->now() < due_ || !connect())) return false;
  // Hints go before the sync that runs, to their end, then it has a turn: webhooks without end must not keep it from ending.
  if (hints && !(syncing_ && sync_waits_)) return turn_hints();
  sync_waits_ = false;
  if (syncing_) return turn_sync();
  if (names) {
    turn_rename();
    return true;
  }
  begin_sync();
  return true;
}

bool ServiceLoop::wait(std::chrono::milliseconds patience) {
  const auto now = peer_.pace->now();
  auto until = patience;
  const auto at_most = [&](TimePoint due) {
    until = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(due - now), 0ms, until);
  };
  if (!blocked_.empty()) {
    at_most(commit_due_);
  } else if (!paused_) {
    at_most(due_);
  }
  std::unique_lock lock(mutex_);
  const bool requests_count = loaded_ && blocked_.empty();
  changed_.wait_for(lock, until, [&] { return stop_ || (requests_count && requests_.any()); });
  return requests_count && requests_.any();
}

// Reads what the record holds; the order book was restored before.
bool ServiceLoop::load() {
  streams_.clear();
  blocked_.clear();
  if (const auto read = sink_.load(); !read) {
    note_blocked(read.error().text());
    return false;
  }
  for (const StreamDescriptor& stream : streams_of(options_.dialect)) {
    const bool wanted = options_.streams.empty() || std::ranges::find(options_.streams, word(stream.name)) != options_.streams.end();
    if (!wanted) continue;
    auto sync = load_stream(stream);
    if (!sync) return false;
    if (stream.name == StreamName::items) names_.items_are_known(!stream.key_is_guid);  // else orders do not say the key
    streams_.push_back(std::move(sync));
  }
  loaded_ = true;
  return true;
}

std::unique_ptr<StreamSync> ServiceLoop::load_stream(const StreamDescriptor& stream) {
  std::vector<NameBook::Entry> entries;
  const bool names = stream.name == StreamName::items || stream.name == StreamName::manufacturers;
  auto ledger = load_ledger(record_, options_.id, stream, [&](const Key& key, std::string_view content) {
    if (names && !content.empty()) entries.push_back({stream.name, code_in(std::string(content), key_text(key)), std::string(content)});
  });
  auto state = load_sync_state(record_, options_.id, stream);
  if (!ledger || !state) {
    note_blocked((ledger ? state.error() : ledger.error()).text());
    return nullptr;
  }
  names_.put(entries);
  StreamSyncOptions options;
  options.guard = options_.guard;
  options.overlap = options_.overlap;
  options.slice_keys = options_.slice_keys;
  if (stream.name == StreamName::orders) {
    options.first_sync_days = options_.first_sync_days;
    options.recent_days = options_.recent_days;
  }
  const Dialect dialect = options_.dialect;
  return std::make_unique<StreamSync>(
      stream, *peer_.remote,
      [this, dialect](const StreamDescriptor& of, std::string_view json) { return map_document(dialect, of, json, names_, options_.time_zone); }, sink_,
      std::move(*ledger), std::move(*state), options, clock_, rules_);
}

// A system that was read before needs no call to see whether it can be read: the first question of the sync tells.
bool ServiceLoop::connect() {
  const bool known = std::ranges::any_of(streams_, [](const auto& sync) { return sync->ledger().rows() > 0; });
  if (auto error = known ? peer_.remote->sign_in() : peer_.remote->connect()) {
    refuse_all(*error);
    return false;
  }
  connected_ = true;
  denials_ = 0;
  needs_person_ = false;
  return true;
}

// ---- a sync: every stream in turn

void ServiceLoop::begin_sync() {
  syncing_ = true;
  everything_ = std::exchange(everything_next_, false);
  again_ = false;
  at_ = 0;
  sync_began_ = clock_.now();
  calls_before_ = peer_.remote->calls().counts.all();
  failure_.clear();
  needs_person_ = false;
  wrote_ = false;
  first_ = everything_ || std::ranges::any_of(streams_, [](const auto& sync) { return sync->state().phase == SyncState::Phase::backfill; });
  now_.refresh_started = sync_began_;
  if (streams_.empty()) return end_sync();
  begin_stream();
}

void ServiceLoop::begin_stream() {
  const StreamSync& sync = *streams_[at_];
  scans_ = sync.stream().read_whole || sync.state().phase == SyncState::Phase::following;
  streams_[at_]->begin(everything_, pace_.interval());
}

bool ServiceLoop::turn_sync() {
  StreamSync& sync = *streams_[at_];
  take_step(sync, sync.step(), false);
  return true;
}

bool ServiceLoop::turn_hints() {
  for (const auto& sync : streams_)
    if (sync->hinted()) {
      take_step(*sync, sync->hint_step(), true);
      return true;
    }
  return false;
}

void ServiceLoop::take_step(StreamSync& sync, const SyncStep& step, bool hint) {
  switch (step.kind) {
    case SyncStep::Kind::more: return;
    case SyncStep::Kind::blocked: return note_blocked(step.text);
    case SyncStep::Kind::failed:
      if (step.error->kind == RemoteErrorKind::denied && !step.error->one_set) return refuse_all(*step.error);
      if (step.error->kind == RemoteErrorKind::cancelled) return;
      log_warning("erp_sync_failed", {{"source", options_.id}, {"stream", std::string(word(sync.stream().name))}, {"reason", step.text}});
      failure_ = step.text;
      needs_person_ |= step.error->kind == RemoteErrorKind::denied;  // the other streams go on
      // A hint that was lost is found by the sync that comes now.
      if (hint && !syncing_) due_ = std::min(due_, peer_.pace->now() + failed_retry);
      break;
    case SyncStep::Kind::held:
      log_warning("erp_sync_held", {{"source", options_.id}, {"stream", std::string(word(sync.stream().name))}, {"reason", step.text}});
      break;
    case SyncStep::Kind::finished: break;
  }
  if (hint) {
    sync_waits_ = true;
    return ask_unknown_items();
  }
  if (sync.stream().name == StreamName::orders) orders_in_step_ = scans_ && step.kind == SyncStep::Kind::finished;
  count_stream(sync);
  end_stream();
}

void ServiceLoop::end_stream() {
  ask_unknown_items();
  if (++at_ < streams_.size()) return begin_stream();
  end_sync();
}

void ServiceLoop::end_sync() {
  syncing_ = false;
  if (options_.one_sync && std::exchange(connected_, false)) peer_.remote->log_out();
  const auto calls = peer_.remote->calls().counts.all();
  now_.refresh_took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - sync_began_);
  ++now_.refresh_count;
  now_.refresh_with_changes += wrote_ ? 1 : 0;
  now_.bytes_read = calls.bytes - calls_before_.bytes;
  metrics_.gauge("millrace_erp_last_sync_milliseconds", options_.id).set(now_.refresh_took.count());
  metrics_.gauge("millrace_erp_last_sync_timestamp_seconds", options_.id).set(std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()).count());
  pace_.note(now_.refresh_took, calls.calls - calls_before_.calls, calls.time - calls_before_.time, first_);
  failures_ = failure_.empty() ? 0 : failures_ + 1;
  const auto now = peer_.pace->now();
  const auto interval = pace_.interval();
  due_ = now + std::max<std::chrono::milliseconds>(interval / 10, interval - now_.refresh_took);
  if (failures_ > 0) due_ = now + std::min<std::chrono::seconds>(interval, failed_retry * (1u << std::min(failures_ - 1, doublings_max)));
  if (again_) due_ = now;
}

// Somebody must act: credentials, rights, the company or the certificate.
void ServiceLoop::refuse_all(const RemoteError& error) {
  if (error.kind == RemoteErrorKind::cancelled) return;
  for (const auto& sync : streams_)
    if (!sync->blocked()) sync->abandon();
  syncing_ = false;
  connected_ = false;
  failure_ = error.text;
  needs_person_ = error.kind == RemoteErrorKind::denied;
  const bool denied = needs_person_ && error.credentials;  // a right or a certificate may be asked for as often as we like
  const std::chrono::seconds wait = denied ? std::min<std::chrono::seconds>(denied_retry_max, denied_retry * (1u << std::min(denials_, doublings_max)))
                                           : std::min<std::chrono::seconds>(pace_.interval(), failed_retry * (1u << std::min(failures_, doublings_max)));
  denials_ += denied ? 1 : 0;
  ++failures_;
  due_ = peer_.pace->now() + wait;
  log_warning("erp_not_reached", {{"source", options_.id}, {"reason", error.text}});
}

void ServiceLoop::note_blocked(std::string text) {
  if (stop_) return;
  if (blocked_.empty()) log_error("erp_record_refuses", {{"source", options_.id}, {"reason", text}});
  blocked_ = std::move(text);
  commit_due_ = peer_.pace->now() + commit_retry;
}

bool ServiceLoop::turn_blocked() {
  blocked_.clear();
  for (const auto& sync : streams_) {
    if (!sync->blocked()) continue;
    if (const SyncStep step = sync->step(); step.kind == SyncStep::Kind::blocked) note_blocked(step.text);
    return true;
  }
  return true;
}

// ---- names

// Items that orders named and nobody knew: asked for together, once.
void ServiceLoop::ask_unknown_items() {
  StreamSync* items = find(StreamName::items);
  if (items == nullptr) return;
  std::vector<Key> keys;
  for (const std::string& code : names_.take_unknown()) keys.push_back(key_of(items->stream(), code));
  if (!keys.empty()) items->hint(keys);
}

// Orders take new names between two syncs: what a running one collected still carries the names of its time. And after
// they were synced well: an order that changed as well is then written once, with both.
bool ServiceLoop::names_may_go() const { return !syncing_ && sink_.renames_wait() && (orders_in_step_ || find(StreamName::orders) == nullptr); }

void ServiceLoop::turn_rename() {
  StreamSync* orders = find(StreamName::orders);
  if (const auto done = sink_.rename_some(orders); !done) note_blocked(done.error().text());
}

StreamSync* ServiceLoop::find(StreamName name) const {
  const auto found = std::ranges::find_if(streams_, [&](const auto& sync) { return sync->stream().name == name; });
  return found == streams_.end() ? nullptr : found->get();
}
StreamSync* ServiceLoop::find(std::string_view name) const {
  const auto found = std::ranges::find_if(streams_, [&](const auto& sync) { return word(sync->stream().name) == name; });
  return found == streams_.end() ? nullptr : found->get();
}

// ---- requests

template <class Change>
void ServiceLoop::request(Change change) {
  {
    const std::lock_guard lock(mutex_);
    change(requests_);
  }
  changed_.notify_all();
}

void ServiceLoop::request_refresh(bool everything) {
  request([&](Requests& r) { r.refresh = true, r.everything |= everything; });
}
void ServiceLoop::request_pause() {
  request([](Requests& r) { r.pause = true, r.resume = false; });
}
void ServiceLoop::request_resume() {
  request([](Requests& r) { r.resume = true, r.pause = false; });
}
void ServiceLoop::request_interval(std::chrono::seconds interval) {
  request([&](Requests& r) { r.interval = interval; });
}
void ServiceLoop::request_accept() {
  request([](Requests& r) { r.accept = true, r.reject = false; });
}
void ServiceLoop::request_reject() {
  request([](Requests& r) { r.reject = true, r.accept = false; });
}
void ServiceLoop::request_replay(const std::string& path) {
  request([&](Requests& r) { r.replay.insert(path); });
}
void ServiceLoop::request_keys(std::string_view stream, std::vector<std::string> keys) {
  request([&](Requests& r) {
    if (r.keys.size() + keys.size() > hints_max) {
      r.refresh = true;  // a sync finds them all
      return;
    }
    for (std::string& key : keys) r.keys.emplace_back(stream, std::move(key));
  });
}

void ServiceLoop::request_stop() {
  stop_ = true;
  if (asking_ != 0 || peer_.remote->asks_ahead()) {
    cancelled_ = true;
    peer_.cancel();
  }
  changed_.notify_all();
}

void ServiceLoop::take_requests() {
  if (!loaded_ || !blocked_.empty()) return;  // they wait: nothing may change while a commit waits
  Requests requests;
  {
    const std::lock_guard lock(mutex_);
    // Beside a sync what is being asked for because of hints comes to its end first: it takes no more.
    auto keys = syncing_ && std::ranges::any_of(streams_, [](const auto& sync) { return sync->hinted(); }) ? std::exchange(requests_.keys, {}) : decltype(requests_.keys){};
    requests = std::exchange(requests_, Requests{});
    requests_.keys = std::move(keys);
  }
  const auto at_once = [&] { due_ = peer_.pace->now(); };
  if (requests.interval) pace_.set(*requests.interval), due_ = std::min(due_, peer_.pace->now() + *requests.interval);
  if (requests.pause) {
    paused_ = true;
    syncing_ = false;
    for (const auto& sync : streams_) sync->abandon();
  }
  if (requests.resume) paused_ = false, at_once();
  if (requests.refresh || requests.resume) peer_.remote->insist();
  if (requests.refresh) {
    everything_next_ |= requests.everything;
    again_ = syncing_;
    at_once();
  }
  if (requests.accept && std::ranges::any_of(streams_, [](const auto& sync) { return sync->held() != nullptr; })) {
    // What is accepted is read again, as it is now: rows and names that were collected before are old.
    for (const auto& sync : streams_) {
      sync->abandon();
      sync->accept();
    }
    begin_sync();
  }
  if (requests.reject) {
    for (const auto& sync : streams_) sync->reject();
    at_once();
  }
  take_hints(requests);
}

void ServiceLoop::take_hints(const Requests& requests) {
  std::map<StreamSync*, std::vector<Key>> hints;
  for (const auto& [stream, key] : requests.keys)
    if (StreamSync* sync = find(stream)) hints[sync].push_back(key_of(sync->stream(), key));
  for (const auto& [sync, keys] : hints) sync->hint(keys);
  for (const std::string& path : requests.replay)
    for (const auto& sync : streams_)
      if (const auto key = key_in_path(sync->stream(), path)) sync->hint({*key}, true);
}

}  // namespace millrace::erp
