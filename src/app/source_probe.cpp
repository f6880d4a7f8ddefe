#include "app/source_probe.h"

#include <algorithm>
#include <thread>
#include <variant>

#include "app/source_wiring.h"
#include "base/text.h"
#include "outbound/caller.h"
#include "outbound/http_client.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto stop_look = 100ms;
constexpr auto deadline_max = 20s;  // somebody sits before the terminal

// Waits in small steps, so that Ctrl-C ends it.
class StoppablePace final : public outbound::Pace {
 public:
  explicit StoppablePace(const std::atomic<bool>& stop) : stop_(stop) {}
  std::chrono::steady_clock::time_point now() const override { return std::chrono::steady_clock::now(); }
  bool wait_until(std::chrono::steady_clock::time_point until) override {
    while (!stop_ && now() < until) std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(until - now(), stop_look));
    return !stop_;
  }

 private:
  const std::atomic<bool>& stop_;
};

Check check_push(const SourceSettings& source, const Environment& environment) {
  Check check{"source " + source.id, Verdict::good, "source " + source.id + ": takes batches at /api/v1/ingest/" + source.id + "/orders", ""};
  if (source.push_token_file.empty()) {
    check.text += " from anybody on this machine";
    return check;
  }
  if (const auto token = read_secret(source.push_token_file, environment); !token) {
    check.verdict = Verdict::bad;
    check.text = "source " + source.id + ": " + token.error().text();
    check.advice = "push_token_file of [source." + source.id + "]";
  }
  return check;
}

// The user may sign in and still not see everything: one key of each stream that is wanted. The orders were asked for by
// `connect`.
std::optional<erp::RemoteError> missing_right(erp::Remote& remote, const erp::ServiceSourceOptions& options) {
  for (const erp::StreamDescriptor& stream : erp::streams_of(options.dialect)) {
    const bool wanted = options.streams.empty() || std::ranges::find(options.streams, word(stream.name)) != options.streams.end();
    if (!wanted || stream.name == erp::StreamName::orders) continue;
    erp::PageQuestion question;
    question.kind = erp::PageQuestion::Kind::slice;
    question.rows_max = 1;
    auto answer = remote.ask(stream, question);
    if (auto* error = std::get_if<erp::RemoteError>(&answer)) return std::move(*error);
  }
  return std::nullopt;
}

}  // namespace

ProbedSource probe_source(const SourceSettings& source, const Environment& environment, const Clock& clock, const std::atomic<bool>& stop) {
  ProbedSource probed;
  const auto refused = [&](const Error& error) {
    probed.needs_person = true;
    probed.text = error.text();
    return probed;
  };
  auto options = service_options(source, environment);
  if (!options) return refused(options.error());
  options->connect.deadline = std::min<std::chrono::milliseconds>(options->connect.deadline, deadline_max);
  auto transport = outbound::make_http_client(options->http);
  if (!transport) return refused(transport.error());
  StoppablePace pace(stop);
  options->care.tries_max = 1;
  outbound::Caller caller(options->care, **transport, pace, clock, 1);
  const auto remote = erp::make_remote(options->dialect, options->connect, caller);
  auto error = remote->connect();
  if (!error) error = missing_right(*remote, *options);
  if (error) {
    probed.needs_person = error->kind == erp::RemoteErrorKind::denied || error->kind == erp::RemoteErrorKind::refused;
    probed.text = error->text;
  } else {
    probed.reached = true;
    probed.capabilities = remote->capabilities();
  }
  remote->log_out();
  return probed;
}

std::vector<Check> check_sources(const Settings& settings, const Environment& environment, const Clock& clock, const std::atomic<bool>& stop) {
  std::vector<Check> checks;
  for (const SourceSettings& source : settings.sources) {
    if (stop) break;
    if (!is_service(source.kind)) {
      checks.push_back(check_push(source, environment));
      continue;
    }
    const ProbedSource probed = probe_source(source, environment, clock, stop);
    const std::string name = "source " + source.id;
    if (!source.webhook_secret_file.empty())
      if (const auto key = read_secret(source.webhook_secret_file, environment); !key)
        checks.push_back({name + " webhooks", Verdict::bad, name + ": " + key.error().text(), "webhook_secret_file of [source." + source.id + "]"});
    if (!probed.reached) {
      checks.push_back({name, Verdict::bad, name + ": " + probed.text, "[source." + source.id + "] in the settings"});
      continue;
    }
    std::string text = name + ": " + source.url + " answers";
    for (const auto& capability : probed.capabilities) text += "; " + capability.name + " " + printable(capability.value);
    checks.push_back({name, source.insecure ? Verdict::warning : Verdict::good, text,
                      source.insecure ? "insecure trusts any certificate: set pin or ca_file of [source." + source.id + "] instead" : ""});
  }
  return checks;
}

}  // namespace millrace::app
