#include "app/live_server.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/build_info.h"
#include "app/commands.h"
#include "app/job_kinds.h"
#include "app/source_wiring.h"
#include "app/tls_settings.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/layout_profile.h"

namespace millrace::app {
namespace {

Result<ingest::LayoutProfile> layout_profile(const std::string& path) {
  if (path.empty()) return ingest::built_in_profile();
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "the layout profile " + path + " cannot be read; check the path");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto profile = ingest::parse_layout_profile(text);
  if (!profile) return pass_on(profile, path);
  return profile;
}

// Whether the source proves itself to us by a token of its own.
bool asks_push_key(const std::vector<SourceSettings>& sources, std::string_view id) {
  return std::ranges::any_of(sources, [&](const SourceSettings& source) { return source.id == id && !source.push_token_file.empty(); });
}

// Resolved here: inside the sandbox of a worker the link would mean the sandbox's own program.
Result<std::string> own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return fail(ErrorCode::unavailable, "cannot find the program file of this process: " + error.message());
  return path;
}

people::DirectoryOptions directory_options(const Settings& settings) {
  people::DirectoryOptions options;
  options.outside_role = people::parse_role(settings.oidc_role);  // "none" is no role
  return options;
}

// Why the record takes no changes, for /health and for whoever asks for some.
std::optional<Error> refusal(const store::RecordCondition& condition) {
  using State = store::RecordCondition::State;
  if (condition.state == State::good) return std::nullopt;
  return Error(condition.state == State::storage_full ? ErrorCode::storage_full : ErrorCode::read_only, condition.text);
}

}  // namespace

Result<ingest::ParserPoolOptions> parser_options(const Settings& settings) {
  auto profile = layout_profile(settings.layout_profile);
  if (!profile) return pass_on(profile);
  ingest::ParserPoolOptions parsers;
  auto program = own_program();
  if (!program) return pass_on(program);
  parsers.executable = std::move(*program);
  parsers.worker_count = settings.parser_workers;
  if (settings.parser_memory > 0) parsers.memory_max = settings.parser_memory;
  if (settings.file_size_max > 0) parsers.file_size_max = settings.file_size_max;
  parsers.time_max = settings.parser_time;
  parsers.hash_method = settings.hash_method;
  parsers.profile = std::move(*profile);
  return parsers;
}

Result<std::unique_ptr<LiveServer>> LiveServer::start(const Settings& settings, const Clock& clock, const Road::Progress& progress,
                                                       std::string settings_report) {
  std::unique_ptr<LiveServer> live(new LiveServer);
  auto road = Road::open(settings, clock, progress, {});
  if (!road) return pass_on(road);
  live->road_ = std::move(*road);
  live->results_ = std::make_unique<cache::MemoryCache>(settings.cache_memory, live->road_->metrics());
  auto people = PeopleDesk::open(settings, live->road_->record(), live->road_->metrics(), clock, [raw = live.get()](const people::Revoked& revoked) {
    if (server::Server* const server = raw->hears_of_people_.load()) server->revoke(revoked);
  }, directory_options(settings));
  if (!people) return pass_on(people);
  live->people_ = std::move(*people);
  auto outside = OutsideSignIn::make(settings, process_environment(), clock);
  if (!outside) return pass_on(outside);
  live->outside_ = std::move(*outside);
  live->asks_sign_in_ = app::asks_sign_in(settings, live->people_->directory());
  auto cash = ingest::CashDesk::open(live->road_->record());
  if (!cash) return pass_on(cash);
  live->cash_ = std::move(*cash);
  if (const auto opened = live->open_jobs(settings, clock); !opened) return pass_on(opened);
  if (const auto started = live->start_server(settings, clock, std::move(settings_report)); !started) return pass_on(started);
  live->people_->listens_on(live->server_->address(), live->url());
  live->road_->follow([raw = live.get()](const std::vector<feed::Change>& changes, const readmodel::SnapshotPtr& snapshot) {
    raw->server_->publish(changes, snapshot);
  });
  live->forecasts_ = std::make_unique<ForecastKeeper>(ForecastKeeper::Parts{
      .snapshot = [raw = live.get()] { return raw->road_->snapshot(); },
      .ready = [raw = live.get()] {
        std::string why_not;
        return raw->ready(why_not);
      },
      .keeper = *live->cash_keeper_, .desk = *live->cash_, .clock = clock});
  live->forecasts_->start();
  live->jobs_->start([raw = live.get()](const jobs::Job&, const std::string& path) { return raw->server_->ask(path); });
  return live;
}

std::string LiveServer::url() const {
  const auto certificate = server_->certificate();
  std::string host = address();
  if (certificate && !certificate->names.empty() && (host.starts_with("0.0.0.0:") || host.starts_with("[::]:")))
    host = certificate->names.front() + host.substr(host.rfind(':'));
  return (certificate ? "https://" : "http://") + host;
}

LiveServer::~LiveServer() { stop(std::chrono::milliseconds{0}); }

Result<void> LiveServer::open_jobs(const Settings& settings, const Clock& clock) {
  auto program = own_program();
  if (!program) return pass_on(program);
  jobs::ServiceOptions options;
  options.queue.results_folder = results_path(settings);
  options.runner.workers = settings.job_workers;
  options.runner.executable = std::move(*program);
  options.time_zone = settings.time_zone;
  remove_leftovers(settings.data);
  const JobParts parts{settings.data, record_path(settings), road_->record(), road_->control(), clock, settings.company};
  auto jobs = jobs::Service::open(std::move(options), job_kinds(parts), road_->record(), road_->metrics(), clock);
  if (!jobs) return pass_on(jobs);
  jobs_ = std::move(*jobs);
  return {};
}

Result<void> LiveServer::start_server(const Settings& settings, const Clock& clock, std::string settings_report) {
  server::Services services{
      .snapshot = [this] { return road_->snapshot(); },
      .history = road_->record(),
      .sources = road_->control(),
      .metrics = road_->metrics(),
      .results = *results_,
      .clock = clock,
      .record_facts =
          [this] {
            const store::RecordStatistics numbers = road_->record().statistics();
            return server::RecordFacts{numbers.database_bytes, numbers.log_bytes, numbers.commits, numbers.free_bytes, numbers.memory_bytes,
                                       refusal(road_->record().condition())};
          },
      .ready = [this](std::string& why_not) { return ready(why_not); },
      .build = build_info(),
      .company = settings.company,
      .push = road_->push(),
      .jobs = *jobs_,
      .overlays = road_->overlays(),
      .webhook_key = [keys = std::make_shared<WebhookKeys>(settings.sources, process_environment())](std::string_view source) { return keys->of(source); },
      .push_key = [sources = settings.sources](std::string_view source) { return asks_push_key(sources, source); },
      .people = &people_->directory(),
      .audit = &people_->audit(),
      .sign_in = asks_sign_in_,
      .outside = outside_ ? &outside_->oidc() : nullptr,
      .finance = &road_->finance(),
      .cash = cash_.get(),
      .cash_keeper = cash_keeper_,
      .settings_report = std::move(settings_report),
  };
  server::ServerOptions options;
  options.listen = settings.listen;
  options.thread_count = settings.server_threads;
  options.connections_max = settings.connections_max;
  options.connections_per_address = settings.connections_per_address;
  options.loopback_is_free = settings.loopback_is_free;
  options.trusted_proxies = settings.trusted_proxies;
  for (const std::string_view name : split(settings.host_names, ','))
    if (!trim(name).empty()) options.names.emplace_back(trim(name));
  options.tls = tls_files(settings);
  auto server = server::Server::start(std::move(services), std::move(options));
  if (!server) return pass_on(server);
  server_ = std::move(*server);
  hears_of_people_ = server_.get();
  return {};
}

bool LiveServer::ready(std::string& why_not) const {
  if (road_->broken()) {
    why_not = "the read model could not follow the record; restart, and run `millrace doctor` if it happens again";
    return false;
  }
  // A full disk heals by itself and every answer is as right as before; the other conditions need a person.
  if (const auto refused = refusal(road_->record().condition()); refused && refused->code() == ErrorCode::read_only) {
    why_not = refused->text();
    return false;
  }
  // With a record, answers are whole from the start and their age is shown; without one they would be a part of the truth.
  const Road::Loaded loaded = road_->loaded();
  if (loaded.changes > 0 || loaded.warm_as_of.value > 0) return true;
  for (const ingest::SourceStatus& source : road_->sources()) {
    if (source.service) continue;  // a service may be away for hours; every answer says how old its data is
    const bool first_look = source.refresh_count == 0 && (source.state == ingest::SourceState::starting || source.state == ingest::SourceState::scanning);
    if (first_look) {
      why_not = "source " + source.id + " is read for the first time: " + std::to_string(source.progress_done) + " of " +
                std::to_string(source.progress_total) + " files";
      return false;
    }
  }
  if (first_load_told_) return true;
  const auto position = road_->record().position();
  if (!position) {
    why_not = position.error().text();
    return false;
  }
  if (const feed::Sequence told = road_->snapshot()->as_of(); told < position->sequence) {
    why_not = "what was read is being told: change " + std::to_string(told.value) + " of " + std::to_string(position->sequence.value);
    return false;
  }
  first_load_told_ = true;
  return true;
}

void LiveServer::refresh_all() {
  for (const ingest::SourceStatus& source : road_->sources())
    if (const auto asked = road_->control().refresh(source.id, false); !asked) log_error("refresh_failed", {{"reason", asked.error().text()}});
}

void LiveServer::stop(std::chrono::milliseconds patience) {
  if (stopped_.exchange(true)) return;
  if (forecasts_) forecasts_->stop();
  if (jobs_) jobs_->stop();  // what runs asks the server
  if (server_) server_->stop(patience);
  outside_.reset();
  people_.reset();
  if (road_) road_->stop();
}

}  // namespace millrace::app
