#include "server/internal/live_hub.h"

#include <algorithm>

#include "base/json_writer.h"
#include "server/internal/handlers.h"
#include "server/internal/json_in.h"
#include "server/internal/rows.h"

namespace millrace::server {

namespace {

inline constexpr std::size_t merge_from_messages = 8;  // beyond this, deltas wait and become one
inline constexpr auto behind_max = std::chrono::seconds(30);
inline constexpr auto tick_period = std::chrono::seconds(1);

inline constexpr auto revocations_kept = std::chrono::seconds(60);  // longer than any request is on its way to us
inline constexpr std::string_view sign_in_again = "sign in again";

struct Client {
  std::shared_ptr<LiveClient> out;
  LiveCaller caller;
  std::vector<Subscription> subscriptions;
  bool behind = false;
  Stopwatch::time_point behind_since;
};

struct Commit {
  std::vector<feed::Change> changes;  // empty: too many to tell one by one
  readmodel::SnapshotPtr snapshot;
};

struct Command {
  enum class Kind { join, leave, say, drained, revoke } kind;
  std::shared_ptr<LiveClient> client = nullptr;
  const LiveClient* who = nullptr;
  std::string text = {};
  std::optional<std::uint64_t> since = {};
  LiveCaller caller = {};
  people::Revoked revoked = {};
};

// What was taken away lately.
struct Revocation {
  Stopwatch::time_point at;
  people::Revoked what;

  bool hits(const LiveCaller& caller) const {
    using By = people::Identity::By;
    const people::Identity& identity = *caller.identity;
    if (caller.found > at) return false;
    const auto has = [&](const auto& list) { return std::ranges::any_of(list, [&](const auto& id) { return std::uint64_t{id.value} == identity.credential; }); };
    return (identity.by == By::session && has(what.sessions)) || (identity.by == By::token && has(what.tokens));
  }
};

}  // namespace

struct LiveHub::Impl {
  const Services& services;
  const LiveOptions options;
  std::atomic<std::size_t>& client_count;
  metrics::Gauge& clients_gauge;
  metrics::Counter& dropped;
  metrics::Gauge& depth;

  // guarded by mutex
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Command> commands;
  std::deque<Commit> commits;
  std::size_t commit_changes = 0;
  bool stopping = false;

  // guarded by kept_mutex; written by the hub's thread only
  mutable std::mutex kept_mutex;
  KeptChanges kept;
  std::vector<Load> loads;

  // the hub's thread only
  readmodel::SnapshotPtr current;
  std::unordered_map<const LiveClient*, Client> clients;
  std::string sources_told;
  std::uint64_t jobs_told = 0, cash_told = 0;
  Day day_told{};
  std::deque<Revocation> revocations;
  std::map<std::string, std::uint64_t> refresh_counts;
  std::jthread thread;

  Impl(const Services& given, LiveOptions chosen, std::atomic<std::size_t>& count)
      : services(given),
        options(chosen),
        client_count(count),
        clients_gauge(given.metrics.gauge("millrace_live_clients")),
        dropped(given.metrics.counter("millrace_live_queue_dropped_total")),
        depth(given.metrics.gauge("millrace_queue_depth", "live")) {
    current = services.snapshot();
    kept.restart(current->as_of());
    day_told = utc_day(services.clock.now());
    if (services.cash != nullptr) cash_told = services.cash->revision();
    thread = std::jthread([this] { run(); });
  }

  void run() {
    auto next_tick = Stopwatch::now() + tick_period;
    for (;;) {
      std::deque<Command> taken_commands;
      std::deque<Commit> taken_commits;
      {
        std::unique_lock lock(mutex);
        wake.wait_until(lock, next_tick, [&] { return stopping || !commands.empty() || !commits.empty(); });
        if (stopping) return;
        taken_commands.swap(commands);
        taken_commits.swap(commits);
        commit_changes = 0;
      }
      depth.set(static_cast<std::int64_t>(taken_commits.size()));
      // Commits first: who joins or asks after a commit was published never hears an older state.
      for (const Commit& commit : taken_commits) take_in(commit);
      if (!taken_commits.empty()) deliver_to_all();
      for (Command& command : taken_commands) handle(command);
      if (Stopwatch::now() >= next_tick) {
        tick();
        next_tick = Stopwatch::now() + tick_period;
      }
    }
  }

  // -- what was committed

  void take_in(const Commit& commit) {
    if (commit.changes.empty() || commit.changes.size() > changes_kept ||
        commit.changes.front().sequence.value > kept.last() + 1) {
      std::lock_guard lock(kept_mutex);
      kept.restart(commit.snapshot->as_of());
    } else {
      word_changes(commit);
    }
    current = commit.snapshot;
  }

  void word_changes(const Commit& commit) {
    std::vector<KeptChange> fresh = worded_changes(commit.changes, kept.last(), *current);
    std::lock_guard lock(kept_mutex);
    for (KeptChange& change : fresh) kept.add(std::move(change));
  }

  // -- what clients say

  void handle(Command& command) {
    switch (command.kind) {
      case Command::Kind::join: {
        if (std::ranges::any_of(revocations, [&](const Revocation& one) { return one.hits(command.caller); })) {
          command.client->close(1008, sign_in_again);
          return;
        }
        Client& client = clients[command.client.get()];
        client.out = command.client;
        client.caller = std::move(command.caller);
        count_clients();
        greet(client);
        if (command.since) {
          LiveCommand wanted{LiveCommand::Op::subscribe, "changes", "changes", command.since};
          if (*command.since == since_now) wanted.since.reset();
          subscribe(client, wanted);
        }
        return;
      }
      case Command::Kind::leave:
        clients.erase(command.who);
        count_clients();
        return;
      case Command::Kind::say:
        if (const auto found = clients.find(command.client.get()); found != clients.end()) obey(found->second, command.text);
        command.client->may_speak();
        return;
      case Command::Kind::drained:
        if (const auto found = clients.find(command.who); found != clients.end()) {
          Shared shared;
          found->second.behind = false;
          deliver(found->second, shared);
        }
        return;
      case Command::Kind::revoke:
        revoke(std::move(command.revoked));
        return;
    }
  }

  void revoke(people::Revoked revoked) {
    const auto now = Stopwatch::now();
    while (!revocations.empty() && now - revocations.front().at > revocations_kept) revocations.pop_front();
    const Revocation& last = revocations.emplace_back(now, std::move(revoked));
    std::erase_if(clients, [&](const auto& entry) {
      if (!last.hits(entry.second.caller)) return false;
      entry.second.out->close(1008, sign_in_again);
      return true;
    });
    count_clients();
  }

  void count_clients() {
    client_count.store(clients.size(), std::memory_order_relaxed);
    clients_gauge.set(static_cast<std::int64_t>(clients.size()));
  }

  void send(Client& client, std::string text, std::string_view op) {
    client.out->send({std::make_shared<const std::string>(std::move(text)), kept.last(), op});
  }

  void greet(Client& client) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("op", "hello").field("as_of", kept.last());
    json.field("version", services.build.version).field("company", services.company).end_object();
    send(client, std::move(out), "hello");
  }

  void refuse(Client& client, const std::string& id, const Problem& problem) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("op", "error");
    if (!id.empty()) json.field("id", id);
    json.key("problem").raw(problem_json(problem, "")).end_object();
    send(client, std::move(out), "error");
  }

  void obey(Client& client, const std::string& text) {
    auto command = parse_live_command(text);
    if (!command) return refuse(client, "", problem_of(command.error()));
    if (command->op == LiveCommand::Op::unsubscribe) {
      std::erase_if(client.subscriptions, [&](const Subscription& known) { return known.id == command->id; });
      return;
    }
    subscribe(client, *command);
  }

  void subscribe(Client& client, const LiveCommand& command) {
    Subscription wanted;
    wanted.id = command.id;
    if (const auto problem = read_topic(command.topic, *client.caller.identity, utc_day(services.clock.now()), wanted))
      return refuse(client, command.id, *problem);
    std::erase_if(client.subscriptions, [&](const Subscription& known) { return known.id == command.id; });
    if (client.subscriptions.size() >= options.subscriptions_max)
      return refuse(client, command.id,
                    {422,
                     "limit-reached",
                     "One connection carries at most " + std::to_string(options.subscriptions_max) + " subscriptions.",
                     {}});
    wanted.from = command.since.value_or(kept.last());
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("op", "subscribed").field("id", wanted.id).field("as_of", kept.last()).end_object();
    send(client, std::move(out), "subscribed");
    client.subscriptions.push_back(std::move(wanted));
    if (client.subscriptions.back().topic == Topic::sources) {
      tell_sources(client, client.subscriptions.back(), sources_text(services.clock.now()));
    } else if (client.subscriptions.back().topic == Topic::jobs) {
      tell(client, client.subscriptions.back(), "jobs", jobs_news(services.jobs, services.clock.now()));
    } else {
      Shared shared;
      catch_up(client, client.subscriptions.back(), shared);
    }
  }

  // -- what clients get

  // Built once per topic and starting point, however many wait for it.
  using Shared = std::map<std::pair<std::string, std::uint64_t>, std::optional<std::string>>;

  void deliver_to_all() {
    Shared shared;
    for (auto& [who, client] : clients)
      if (!client.behind) deliver(client, shared);
  }
  void deliver(Client& client, Shared& shared) {
    for (Subscription& subscription : client.subscriptions) {
      if (is_told_by_clock(subscription.topic) || subscription.from == kept.last()) continue;
      if (client.out->backlog() >= std::min(merge_from_messages, options.queue_max)) {
        fall_behind(client);
        return;
      }
      catch_up(client, subscription, shared);
    }
  }

  void fall_behind(Client& client) {
    dropped.add();
    client.behind = true;
    client.behind_since = Stopwatch::now();
    client.out->tell_when_drained();
  }

  void catch_up(Client& client, Subscription& subscription, Shared& shared) {
    const std::uint64_t from = subscription.from;
    if (from == kept.last()) return;
    subscription.from = kept.last();
    if (from > kept.last() || from < kept.floor()) return resync(client, subscription);
    const auto key = std::pair(subscription.text, from);
    auto found = shared.find(key);
    if (found == shared.end()) {
      const DeltaState state{*current, kept, utc_day(services.clock.now())};
      found = shared.emplace(key, delta_tail(subscription, from, state)).first;
    }
    if (!found->second) return resync(client, subscription);
    if (found->second->empty()) return;
    std::string out = "{\"op\":\"delta\",\"id\":";
    append_json_text(out, subscription.id);
    out += *found->second;
    send(client, std::move(out), "delta");
  }

  void resync(Client& client, const Subscription& subscription) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("op", "resync").field("id", subscription.id).field("as_of", kept.last()).end_object();
    send(client, std::move(out), "resync");
  }

  // -- once a second

  void tick() {
    const Instant now = services.clock.now();
    const auto sources = services.sources.sources();
    observe_loads(sources);
    for (const auto& source : sources)
      if (source.as_of_time)
        services.metrics.gauge("millrace_source_age_seconds", source.id)
            .set(std::chrono::floor<std::chrono::seconds>(now - *source.as_of_time).count());
    const std::string unaged = sources_text(Instant{});
    const bool sources_changed = unaged != sources_told;
    sources_told = unaged;
    const bool new_day = utc_day(now) != day_told;
    day_told = utc_day(now);
    const std::string text = sources_changed ? sources_text(now) : std::string();
    const std::uint64_t jobs_revision = services.jobs.revision();
    std::string jobs_text;  // made when somebody listens
    const std::uint64_t cash_revision = services.cash == nullptr ? 0 : services.cash->revision();
    std::vector<const LiveClient*> lost;
    for (auto& [who, client] : clients) {
      if (client.behind && Stopwatch::now() - client.behind_since > behind_max) {
        client.out->close(1013, "not reading");
        lost.push_back(who);
        continue;
      }
      if (client.behind) continue;
      for (const Subscription& subscription : client.subscriptions) {
        if (subscription.topic == Topic::sources && sources_changed) tell_sources(client, subscription, text);
        if (subscription.topic == Topic::jobs && jobs_revision != jobs_told) {
          if (jobs_text.empty()) jobs_text = jobs_news(services.jobs, now);
          tell(client, subscription, "jobs", jobs_text);
        }
        // What is late depends on the day, not only on what was committed.
        if (new_day && (subscription.topic == Topic::orders || subscription.topic == Topic::totals))
          resync(client, subscription);
        // Scenarios and kept forecasts have no Sequence.
        if (subscription.topic == Topic::cash && (new_day || cash_revision != cash_told)) resync(client, subscription);
      }
    }
    jobs_told = jobs_revision;
    cash_told = cash_revision;
    for (const LiveClient* who : lost) clients.erase(who);
    if (!lost.empty()) count_clients();
  }

  std::string sources_text(Instant now) const {
    std::string out;
    JsonWriter json(out);
    json.begin_array();
    for (const auto& source : services.sources.sources()) write_source(json, source, now);
    json.end_array();
    return out;
  }

  // What changes without a Sequence and is looked at once a second.
  static bool is_told_by_clock(Topic topic) { return topic == Topic::sources || topic == Topic::jobs; }

  void tell_sources(Client& client, const Subscription& subscription, const std::string& text) { tell(client, subscription, "sources", text); }

  void tell(Client& client, const Subscription& subscription, std::string_view name, const std::string& text) {
    if (client.out->backlog() >= std::min(merge_from_messages, options.queue_max)) return;  // the next tick tells it
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("op", "delta").field("id", subscription.id).field("as_of", kept.last());
    json.key(name).raw(text).end_object();
    send(client, std::move(out), "delta");
  }

  void observe_loads(const std::vector<ingest::SourceStatus>& sources) {
    for (const auto& source : sources) {
      std::uint64_t& count = refresh_counts[source.id];
      if (source.refresh_count == count || source.files == 0) continue;
      count = source.refresh_count;
      std::lock_guard lock(kept_mutex);
      auto load =
          std::find_if(loads.begin(), loads.end(), [&](const Load& known) { return known.source == source.id; });
      if (load == loads.end()) {
        loads.emplace_back();
        load = loads.end() - 1;
        load->source = source.id;
      }
      const auto took = static_cast<std::uint64_t>(source.refresh_took.count());
      if (source.files_read * 2 >= source.files) {
        load->fresh_ms = took;
        load->fresh_files = source.files_read;
      } else {
        load->unchanged_ms = took;
        load->unchanged_files = source.files_unchanged;
      }
    }
  }

  void put(Command command) {
    {
      std::lock_guard lock(mutex);
      if (stopping) return;
      commands.push_back(std::move(command));
    }
    wake.notify_one();
  }
};

LiveHub::LiveHub(const Services& services, LiveOptions options)
    : impl_(std::make_unique<Impl>(services, options, client_count_)) {}
LiveHub::~LiveHub() { stop(); }

void LiveHub::join(std::shared_ptr<LiveClient> client, LiveCaller caller, std::optional<std::uint64_t> changes_since) {
  impl_->put({.kind = Command::Kind::join, .client = std::move(client), .since = changes_since, .caller = std::move(caller)});
}
void LiveHub::revoke(people::Revoked revoked) { impl_->put({.kind = Command::Kind::revoke, .revoked = std::move(revoked)}); }
void LiveHub::leave(const LiveClient* client) { impl_->put({.kind = Command::Kind::leave, .who = client}); }
void LiveHub::say(const std::shared_ptr<LiveClient>& client, std::string text) {
  impl_->put({.kind = Command::Kind::say, .client = client, .text = std::move(text)});
}
void LiveHub::drained(const LiveClient* client) { impl_->put({.kind = Command::Kind::drained, .who = client}); }

void LiveHub::publish(const std::vector<feed::Change>& changes, readmodel::SnapshotPtr snapshot) {
  // A bulk load nobody watches is not worth wording; histories read it from the record.
  const bool tell = changes.size() <= changes_kept && (changes.size() <= 512 || client_count() > 0);
  Commit commit{tell ? changes : std::vector<feed::Change>(), std::move(snapshot)};
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    impl_->commit_changes += commit.changes.size();
    if (impl_->commit_changes > 2 * changes_kept) {  // the hub is behind: the newest state is enough
      impl_->commits.clear();
      impl_->commit_changes = 0;
      commit.changes.clear();
    }
    impl_->commits.push_back(std::move(commit));
  }
  impl_->wake.notify_one();
}

std::optional<std::vector<query::WordedChange>> LiveHub::kept_changes(feed::Sequence since, std::size_t limit) const {
  std::lock_guard lock(impl_->kept_mutex);
  if (since.value < impl_->kept.floor()) return std::nullopt;
  std::vector<query::WordedChange> found;
  impl_->kept.each_after(since.value, [&](const KeptChange& change) {
    if (found.size() < limit) found.push_back(change.worded);
  });
  return found;
}

std::vector<LiveHub::Load> LiveHub::loads() const {
  std::lock_guard lock(impl_->kept_mutex);
  return impl_->loads;
}

void LiveHub::stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace millrace::server
