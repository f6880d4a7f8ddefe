#include "app/source_wiring.h"

#include <condition_variable>
#include <mutex>

#include "base/log.h"
#include "base/text.h"

namespace millrace::app {
namespace {

// Stands for a source that cannot run as it is configured, so that everybody sees why.
class FailedSource final : public ingest::Source {
 public:
  FailedSource(const SourceSettings& source, const Error& why) {
    status_.id = source.id;
    status_.kind = word(source.kind);
    status_.root = source.url;
    status_.state = ingest::SourceState::failed;
    status_.message = why.text() + "; then restart Millrace";
    log_error("source_failed", {{"source", source.id}, {"reason", why.text()}});
  }
  bool step(std::chrono::milliseconds patience) override {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, patience, [&] { return stop_; });
    return false;
  }
  ingest::SourceStatus status() const override { return status_; }
  std::optional<Stopwatch::time_point> hangs_since() const override { return std::nullopt; }
  void tell_news() const override {}
  void request_refresh(bool) override {}
  void request_pause() override {}
  void request_resume() override {}
  void request_interval(std::chrono::seconds) override {}
  void request_accept() override {}
  void request_reject() override {}
  void request_replay(const std::string&) override {}
  void request_keys(std::string_view, std::vector<std::string>) override {}
  void request_stop() override {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    stopped_.notify_all();
  }

 private:
  ingest::SourceStatus status_;  // fixed after construction
  std::mutex mutex_;
  // guarded by mutex_
  std::condition_variable stopped_;
  bool stop_ = false;
};

erp::Dialect dialect_of(SourceKind kind) {
  switch (kind) {
    case SourceKind::sap_b1_v1: return erp::Dialect::sap_b1_v1;
    case SourceKind::odata: return erp::Dialect::odata_v4;
    case SourceKind::sap_b1:
    case SourceKind::push: break;
  }
  return erp::Dialect::sap_b1_v2;
}

using Made = Result<std::unique_ptr<ingest::Source>>;

// Where the world refuses for good, a source that says so takes the place.
Made or_failed(const SourceSettings& source, Made made) {
  if (made || made.error().code() != ErrorCode::invalid_input) return made;
  return std::make_unique<FailedSource>(source, made.error());
}

Made make_service(const SourceSettings& source, const Environment& environment, metrics::Registry& metrics, const Clock& clock,
                  std::function<void()> news, ingest::Intake& intake, store::Record& record) {
  auto options = service_options(source, environment);
  if (!options) return pass_on(options);
  options->news = std::move(news);
  return erp::make_service_source(std::move(*options), intake, record, metrics, clock);
}

Made make_push(const SourceSettings& source, const Environment& environment, const ingest::ParserPoolOptions& parsers, ingest::PushDesk& desk,
               const Clock& clock, std::function<void()> news, ingest::Intake& intake, store::Record& record) {
  ingest::PushSourceOptions options;
  options.id = source.id;
  options.gone_share_max = source.gone_share;
  options.parsers = parsers;
  options.news = std::move(news);
  if (!source.push_token_file.empty()) {
    auto token = read_secret(source.push_token_file, environment);
    if (!token) return pass_on(token, "source " + source.id);
    options.token = std::move(*token);
  }
  auto made = ingest::PushSource::open(std::move(options), intake, record, clock);
  if (!made) return pass_on(made);
  desk.add(source.id, **made);
  return std::move(*made);
}

}  // namespace

Result<erp::ServiceSourceOptions> service_options(const SourceSettings& source, const Environment& environment) {
  erp::ServiceSourceOptions options;
  options.id = source.id;
  options.dialect = dialect_of(source.kind);
  options.connect.url = source.url;
  options.connect.company = source.company;
  options.connect.user = source.user;
  options.connect.oauth_token_url = source.oauth_token_url;
  options.connect.oauth_client = source.oauth_client;
  options.connect.oauth_scope = source.oauth_scope;
  options.connect.deadline = source.sync_timeout;
  for (const auto& [file, secret] : {std::pair{&source.password_file, &options.connect.password},
                                     std::pair{&source.bearer_file, &options.connect.bearer},
                                     std::pair{&source.oauth_secret_file, &options.connect.oauth_secret}}) {
    if (file->empty()) continue;
    auto read = read_secret(*file, environment);
    if (!read) return pass_on(read, "source " + source.id);
    *secret = std::move(*read);
  }
  options.http.tls = {source.ca_file, source.pin, source.insecure};
  options.care.calls_per_hour = source.calls_per_hour;
  options.care.quiet_from_hour = source.quiet_from_hour;
  options.care.quiet_until_hour = source.quiet_until_hour;
  options.care.quiet_calls_per_hour = source.quiet_calls_per_hour;
  options.guard.gone_share_max = source.gone_share;
  options.guard.closed_share_max = source.closed_share;
  options.guard.total_share_max = source.total_share;
  options.interval = source.interval;
  options.interval_max = source.interval_max;
  options.first_sync_days = source.first_sync_days;
  options.recent_days = source.recent_days;
  options.overlap = std::chrono::duration_cast<std::chrono::minutes>(source.overlap);
  options.slice_keys = source.slice_keys;
  options.streams = source.streams;
  auto zone = TimeZone::load(source.time_zone);
  if (!zone) return pass_on(zone, "source " + source.id + ", time_zone");
  options.time_zone = std::move(*zone);
  return options;
}

std::vector<ingest::ServiceOptions> wire_sources(const std::vector<SourceSettings>& sources, const Wiring& wiring) {
  std::vector<ingest::ServiceOptions> services;
  for (const SourceSettings& source : sources) {
    ingest::ServiceOptions service;
    service.id = source.id;
    service.is_erp = is_service(source.kind);  // what is pushed are documents, as in a folder
    service.make = [source, wiring](ingest::Intake& intake, store::Record& record) -> Made {
      if (is_service(source.kind))
        return or_failed(source, make_service(source, wiring.environment, wiring.metrics, wiring.clock, wiring.news, intake, record));
      return or_failed(source, make_push(source, wiring.environment, wiring.parsers, wiring.desk, wiring.clock, wiring.news, intake, record));
    };
    services.push_back(std::move(service));
  }
  return services;
}

std::map<std::string, std::string, std::less<>> webhook_keys(const std::vector<SourceSettings>& sources, const Environment& environment) {
  std::map<std::string, std::string, std::less<>> keys;
  for (const SourceSettings& source : sources) {
    if (source.webhook_secret_file.empty()) continue;
    auto key = read_secret(source.webhook_secret_file, environment);
    if (key) keys.emplace(source.id, std::move(*key));
    else log_error("webhooks_refused", {{"source", source.id}, {"reason", key.error().text()}});
  }
  return keys;
}

std::vector<std::string> source_ids(const Settings& settings) {
  std::vector<std::string> ids;
  for (const std::string& root : settings.orders) ids.push_back(ingest::source_id_of(root));
  for (const SourceSettings& source : settings.sources) ids.push_back(source.id);
  return ids;
}

Result<SourceSettings> find_source(const Settings& settings, std::string_view id) {
  std::string there;
  for (const SourceSettings& source : settings.sources) {
    if (source.id == id) return source;
    there += (there.empty() ? "" : ", ") + source.id;
  }
  return fail(ErrorCode::not_found, "there is no source \"" + printable(id) + "\" in the settings; " +
                                        (there.empty() ? "give it a table [source." + printable(id) + "]" : "there is: " + there));
}

}  // namespace millrace::app
