// Signing in with an OpenID Connect provider: authorization code with PKCE.
//
//   begin    browser goes to the provider with state, nonce and challenge; a sealed cookie remembers them
//   finish   browser comes back with state and code; the code is exchanged and the ID token proven
//
// Invariants
//   * Nothing is kept per try: what has to be remembered is in the sealed cookie, which only this process can open, for ten
//     minutes. A flood of tries takes no memory.
//   * An ID token is believed when its signature holds under a key that the provider publishes (RS256 or ES256, no other
//     method), and issuer, audience, nonce and times are ours. Keys that a token brings along are not looked at.
//   * Keys are read once and again when a token names an unknown one, at most once a minute.
//   * This file speaks no HTTP: the caller gives the calls. They may block; call from a thread that may wait.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "people/directory.h"
#include "people/secret.h"

namespace millrace::people {

struct ProviderCall {
  std::string method;  // GET or POST
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};
struct ProviderAnswer {
  int status = 0;
  std::string body;
};
using CallProvider = std::function<Result<ProviderAnswer>(const ProviderCall&)>;

struct OidcOptions {
  std::string issuer;        // "https://login.example.com", as the provider spells it
  std::string client_id;
  Secret client_secret;      // empty: a public client, PKCE alone
  std::string redirect_uri;  // "https://plant.example/api/v1/sign-in/oidc/back"
  std::string scopes = "openid email profile";
  std::chrono::seconds clock_skew{60};
  std::chrono::seconds try_life{600};           // from begin to finish
  std::chrono::seconds document_life{24 * 3600};
  std::chrono::seconds keys_pause{60};          // between two readings of the keys
};

struct OidcBegun {
  std::string url;  // where the browser goes
  Secret cookie;    // HttpOnly, Secure, SameSite=Lax, for `try_life`
};
struct OidcProven {
  OutsideUser user;
  std::string return_to;  // a path of ours
};

struct ProviderDocument;
struct ProviderKeys;

class Oidc {
 public:
  // Errors   invalid_input  an address is not https, or something is missing
  static Result<std::unique_ptr<Oidc>> make(OidcOptions options, CallProvider call, const Clock& clock);
  ~Oidc();

  // `return_to` is a path of ours ("/orders?late=true"); anything else becomes "/".
  // Errors   unavailable  the provider does not answer; corrupt  its description is not what it must be
  Result<OidcBegun> begin(const std::string& return_to);
  // `issuer` is the parameter `iss` of the way back, "" when there is none.
  // Errors   denied       the way back does not belong to this browser, is too late, or the provider's answer is not for us
  //          unavailable  the provider does not answer
  Result<OidcProven> finish(const std::string& state, const std::string& code, const std::string& issuer, const Secret& cookie);

 private:
  Oidc(OidcOptions options, CallProvider call, const Clock& clock);
  Result<std::shared_ptr<const ProviderDocument>> document();
  Result<std::shared_ptr<const ProviderKeys>> keys(const ProviderDocument& document, bool anew);
  Result<std::string> exchange(const ProviderDocument& document, const std::string& code, const std::string& verifier);
  Result<std::string> answer_of(const ProviderCall& call, const std::string& what);

  // fixed after construction
  const OidcOptions options_;
  const CallProvider call_;
  const Clock& clock_;
  const std::string seal_;  // key of the cookies; gone with the process, and no secret of anybody else
  std::mutex mutex_;
  // guarded by mutex_
  std::shared_ptr<const ProviderDocument> document_;
  std::shared_ptr<const ProviderKeys> keys_;
  Instant document_read_{}, keys_asked_{};
};

// "/orders?x=1" stays; what would leave this site, or is no path, becomes "/".
std::string local_path(std::string_view wanted);

}  // namespace millrace::people
