#include "app/source_wiring.h"

#include <array>
#include <fstream>
#include <iterator>

#include "app/renewed_source.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

namespace millrace::app {
namespace {

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

Made make_service(const SourceSettings& source, const Environment& environment, metrics::Registry& metrics, const Clock& clock,
                  std::function<void()> news, ingest::Intake& intake, store::Record& record) {
  auto options = service_options(source, environment);
  if (!options) return pass_on(options);
  options->news = std::move(news);
  return erp::make_service_source(std::move(*options), intake, record, metrics, clock);
}

Made make_push(const SourceSettings& source, const Environment& environment, const ingest::ParserPoolOptions& parsers, ingest::PushDesk& desk,
               metrics::Registry& metrics, const Clock& clock, std::function<void()> news, ingest::Intake& intake, store::Record& record) {
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
  auto made = ingest::PushSource::open(std::move(options), intake, record, metrics, clock);
  if (!made) return pass_on(made);
  desk.add(source.id, **made);
  return std::move(*made);
}

// The hash of a secret as it is read, or of a file of certificates; "" when it cannot be read.
std::string content_of(const SourceSettings& source, const std::string& file, const Environment& environment) {
  if (file == source.ca_file) {
    std::ifstream certificates(file, std::ios::binary);
    return certificates ? hex(content_hash(std::string(std::istreambuf_iterator<char>(certificates), {}))) : "";
  }
  const auto secret = read_secret(file, environment);
  return secret ? hex(content_hash(*secret)) : "";
}

// What a source is made from beside its settings.
std::vector<SecretFile> files_of(const SourceSettings& source, const Environment& environment) {
  std::vector<SecretFile> files;
  for (const std::string& file : {source.password_file, source.bearer_file, source.oauth_secret_file, source.push_token_file, source.ca_file})
    if (!file.empty()) files.push_back({file_stamp(file, environment), [=] { return content_of(source, file, environment); }});
  return files;
}

// What is shown of a source that could not be made.
ingest::SourceStatus failed_status(const SourceSettings& source) {
  ingest::SourceStatus status;
  status.id = source.id;
  status.kind = is_service(source.kind) ? "service" : "push";
  status.root = is_service(source.kind) ? source.url : "/api/v1/ingest/" + source.id + "/orders";
  if (is_service(source.kind)) status.refresh_interval = source.interval;
  ingest::ServiceStatus& service = status.service.emplace();
  service.dialect = is_service(source.kind) ? word(dialect_of(source.kind)) : "push";
  service.address = source.url;
  service.company = source.company;
  service.insecure = source.insecure;
  service.breaker = "closed";
  return status;
}

Made make_renewed(const SourceSettings& source, const Wiring& wiring, ingest::Intake& intake, store::Record& record) {
  RenewedSourceOptions options;
  options.failed = failed_status(source);
  options.files = [source, environment = wiring.environment] { return files_of(source, environment); };
  // Sources are made anew long after the start: what they are made from is theirs, or lives as long as the road.
  if (is_service(source.kind)) {
    options.make = [source, environment = wiring.environment, news = wiring.news, &metrics = wiring.metrics, &clock = wiring.clock, &intake, &record] {
      return make_service(source, environment, metrics, clock, news, intake, record);
    };
  } else {
    wiring.desk.remove(source.id);
    options.gone = [&desk = wiring.desk, id = source.id] { desk.remove(id); };
    options.make = [source, environment = wiring.environment, parsers = wiring.parsers, news = wiring.news, &desk = wiring.desk, &metrics = wiring.metrics,
                    &clock = wiring.clock, &intake, &record] {
      return make_push(source, environment, parsers, desk, metrics, clock, news, intake, record);
    };
  }
  auto made = RenewedSource::start(std::move(options));
  if (!made) return pass_on(made);
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
  options.finance = source.finance;
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
      return make_renewed(source, wiring, intake, record);
    };
    services.push_back(std::move(service));
  }
  return services;
}

WebhookKeys::WebhookKeys(const std::vector<SourceSettings>& sources, Environment environment) : environment_(std::move(environment)) {
  for (const SourceSettings& source : sources)
    if (!source.webhook_secret_file.empty()) keys_[source.id].file = source.webhook_secret_file;
}

std::optional<std::string> WebhookKeys::of(std::string_view source) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(source);
  if (found == keys_.end()) return std::nullopt;
  Kept& kept = found->second;
  if (std::string stamp = file_stamp(kept.file, environment_); !kept.looked || stamp != kept.stamp) {
    kept.looked = true;
    kept.stamp = std::move(stamp);
    auto key = read_secret(kept.file, environment_);
    if (!key) log_error("webhooks_refused", {{"source", std::string(source)}, {"reason", key.error().text()}});
    kept.key = key ? std::optional(std::move(*key)) : std::nullopt;
  }
  return kept.key;
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
