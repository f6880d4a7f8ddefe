#include "app/outside_sign_in.h"

#include "outbound/http_client.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

// Somebody waits in front of a browser, and a thread with him.
constexpr auto call_deadline = 10s;
constexpr std::uint64_t answer_bytes_max = 1 << 20;

}  // namespace

Result<std::unique_ptr<OutsideSignIn>> OutsideSignIn::make(const Settings& settings, const Environment& environment, const Clock& clock) {
  if (settings.oidc_issuer.empty()) return std::unique_ptr<OutsideSignIn>();
  auto transport = outbound::make_http_client({});
  if (!transport) return pass_on(transport);
  return make(settings, environment, clock, std::move(*transport));
}

Result<std::unique_ptr<OutsideSignIn>> OutsideSignIn::make(const Settings& settings, const Environment& environment, const Clock& clock,
                                                           std::unique_ptr<outbound::Transport> transport) {
  if (settings.public_url.empty() || settings.oidc_client_id.empty())
    return fail(ErrorCode::invalid_input, "oidc_issuer needs public_url and oidc_client_id too: the provider sends people back to the one and knows us by the other");
  people::OidcOptions options;
  options.issuer = settings.oidc_issuer;
  options.client_id = settings.oidc_client_id;
  options.redirect_uri = settings.public_url + "/api/v1/sign-in/oidc/back";
  if (!settings.oidc_client_secret_file.empty()) {
    auto secret = read_secret(settings.oidc_client_secret_file, environment);
    if (!secret) return pass_on(secret, "oidc_client_secret_file");
    options.client_secret = people::Secret(std::move(*secret));
  }
  std::unique_ptr<OutsideSignIn> made(new OutsideSignIn(std::move(transport)));
  auto oidc = people::Oidc::make(std::move(options), [raw = made.get()](const people::ProviderCall& call) { return raw->call(call); }, clock);
  if (!oidc) return pass_on(oidc);
  made->oidc_ = std::move(*oidc);
  return made;
}

Result<people::ProviderAnswer> OutsideSignIn::call(const people::ProviderCall& wanted) {
  outbound::Call call;
  call.method = wanted.method;
  call.url = wanted.url;
  call.headers = wanted.headers;
  call.body = wanted.body;
  call.deadline = call_deadline;
  call.body_max = answer_bytes_max;
  std::lock_guard lock(mutex_);
  outbound::Reply reply = transport_->send(call);
  if (reply.failure != outbound::Failure::none) return fail(ErrorCode::unavailable, "the sign-in provider: " + reply.text);
  return people::ProviderAnswer{reply.status, std::move(reply.body)};
}

}  // namespace millrace::app
