// Sign-in with the company's OpenID Connect provider, when the settings name one.
#pragma once
#include <memory>
#include <mutex>

#include "app/settings.h"
#include "outbound/http.h"
#include "people/oidc.h"

namespace millrace::app {

class OutsideSignIn {
 public:
  // Nothing without `oidc_issuer`.
  // Errors   invalid_input  public_url or oidc_client_id is missing, an address is not https, or the secret's file cannot be used
  static Result<std::unique_ptr<OutsideSignIn>> make(const Settings& settings, const Environment& environment, const Clock& clock);
  // With a transport of a test.
  static Result<std::unique_ptr<OutsideSignIn>> make(const Settings& settings, const Environment& environment, const Clock& clock,
                                                     std::unique_ptr<outbound::Transport> transport);
  // Ends a call that runs, and every later one.
  ~OutsideSignIn() { transport_->cancel(); }

  people::Oidc& oidc() { return *oidc_; }

 private:
  explicit OutsideSignIn(std::unique_ptr<outbound::Transport> transport) : transport_(std::move(transport)) {}
  Result<people::ProviderAnswer> call(const people::ProviderCall& wanted);

  const std::unique_ptr<outbound::Transport> transport_;
  std::mutex mutex_;  // one call at a time
  std::unique_ptr<people::Oidc> oidc_;
};

}  // namespace millrace::app
