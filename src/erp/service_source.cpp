#include "erp/service_source.h"

#include "base/log.h"
#include "erp/internal/service_loop.h"
#include "outbound/pace.h"

namespace millrace::erp {
namespace {

// "https://sap:50000/ping" of "https://sap:50000/b1s/v2": needs no session there. Other systems have no such address.
outbound::Call probe_of(Dialect dialect, const std::string& url) {
  outbound::Call call;
  if (!is_service_layer(dialect)) return call;
  const std::size_t host = url.find("://");
  if (host == std::string::npos) return call;
  call.url = url.substr(0, url.find('/', host + 3)) + "/ping";
  call.deadline = std::chrono::seconds(10);
  return call;
}

Result<void> check_options(const ServiceSourceOptions& options) {
  const ConnectOptions& connect = options.connect;
  const auto refuse = [&](const std::string& what) { return fail(ErrorCode::invalid_input, "source " + options.id + ": " + what); };
  if (connect.url.empty()) return refuse("the address of the ERP is missing; set its url, such as https://sap:50000/b1s/v2");
  if (!connect.url.starts_with("https://") && !connect.url.starts_with("http://"))
    return refuse("the address must begin with https:// (or http:// inside one machine): " + connect.url);
  const int secrets = !connect.password.empty() + !connect.bearer.empty() + !connect.oauth_secret.empty();
  if (secrets > 1) return refuse("give one of password, bearer token and OAuth secret, not several");
  if (is_service_layer(options.dialect) && (connect.company.empty() || connect.user.empty()))
    return refuse("SAP Business One needs company (CompanyDB) and user");
  if (options.interval < std::chrono::seconds(1)) return refuse("the interval must be at least a second");
  if (options.first_sync_days < 0 || options.recent_days < 0) return refuse("days of the first sync and recent days are not negative");
  for (const std::string& stream : options.streams)
    if (find_stream(options.dialect, stream) == nullptr) {
      std::string known;
      for (const StreamDescriptor& one : streams_of(options.dialect)) known += (known.empty() ? "" : ", ") + std::string(word(one.name));
      return refuse("there is no stream " + stream + "; this ERP has " + known);
    }
  return {};
}

std::uint64_t seed_of(const ServiceSourceOptions& options, const Clock& clock) {
  return options.seed != 0 ? options.seed : static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
}

Peer peer_over(const ServiceSourceOptions& options, outbound::Transport& transport, outbound::Pace& pace, metrics::Registry& metrics,
               const Clock& clock, ConnectOptions::Ahead ahead) {
  Peer peer;
  peer.pace = &pace;
  peer.caller = std::make_unique<outbound::Caller>(options.care, transport, pace, clock, seed_of(options, clock),
                                                   probe_of(options.dialect, options.connect.url));
  peer.caller->count_in(metrics, options.id);
  ConnectOptions connect = options.connect;
  connect.clock = &clock;
  connect.ahead = ahead;
  peer.remote = make_remote(options.dialect, std::move(connect), *peer.caller);
  peer.cancel = [&transport] { transport.cancel(); };
  return peer;
}

}  // namespace

Result<std::unique_ptr<ingest::Source>> make_service_source(ServiceSourceOptions options, ingest::Intake& intake, store::Record& record,
                                                            metrics::Registry& metrics, const Clock& clock) {
  if (const auto good = check_options(options); !good) return pass_on(good);
  auto client = outbound::make_http_client(options.http);
  if (!client) return pass_on(client, "source " + options.id);
  auto pace = std::make_unique<outbound::SteadyPace>();
  if (options.http.tls.insecure)
    log_warning("erp_certificate_not_checked", {{"source", options.id}, {"address", options.connect.url}});
  outbound::SteadyPace& steady = *pace;
  outbound::Transport& transport = **client;
  Peer peer = peer_over(options, transport, steady, metrics, clock, ConnectOptions::Ahead::on_a_thread);
  peer.own_transport = std::move(*client);
  peer.own_pace = std::move(pace);
  peer.cancel = [&transport, &steady] {
    transport.cancel();
    steady.stop();
  };
  return make_service_loop(std::move(options), std::move(peer), intake, record, metrics, clock);
}

std::unique_ptr<ingest::Source> make_service_source(ServiceSourceOptions options, ingest::Intake& intake, store::Record& record,
                                                    metrics::Registry& metrics, const Clock& clock, outbound::Transport& transport,
                                                    outbound::Pace& pace) {
  return make_service_source_with_rules({}, std::move(options), intake, record, metrics, clock, transport, pace);
}

std::unique_ptr<ingest::Source> make_service_source_with_rules(SyncRules rules, ServiceSourceOptions options, ingest::Intake& intake,
                                                               store::Record& record, metrics::Registry& metrics, const Clock& clock,
                                                               outbound::Transport& transport, outbound::Pace& pace) {
  // A peer of one's own answers in one order with everything else: that is what makes schedules repeatable.
  Peer peer = peer_over(options, transport, pace, metrics, clock, ConnectOptions::Ahead::at_once);
  return make_service_loop(std::move(options), std::move(peer), intake, record, metrics, clock, rules);
}

std::unique_ptr<ingest::Source> make_service_loop(ServiceSourceOptions options, Peer peer, ingest::Intake& intake, store::Record& record,
                                                  metrics::Registry& metrics, const Clock& clock, SyncRules rules) {
  return std::make_unique<ServiceLoop>(std::move(options), std::move(peer), intake, record, metrics, clock, rules);
}

}  // namespace millrace::erp
