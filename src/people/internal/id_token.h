// The documents of an OpenID Connect provider: its description, its keys, and ID tokens it signed.
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "people/directory.h"
#include "people/oidc.h"

namespace millrace::people {

struct ProviderDocument {
  std::string authorization_endpoint, token_endpoint, jwks_uri;
  bool secret_in_body = false;  // client_secret_post: the provider does not take it in a header
};

// A key that signatures are checked with, as the provider publishes it.
struct ProviderKey {
  std::string id;
  std::string method;  // RS256 or ES256: what its kind is good for
  std::string json;
};
struct ProviderKeys {
  std::vector<ProviderKey> keys;
};

struct TokenWanted {
  std::string issuer, client_id, nonce;
  Instant now;
  std::chrono::seconds skew{60};
};

// Errors   corrupt  what is wrong with it
Result<ProviderDocument> parse_provider_document(std::string_view json, const std::string& issuer);
// Keys of other kinds, and RSA keys under 2048 bits, are left out.
Result<ProviderKeys> parse_provider_keys(std::string_view json);
// The ID token of a token answer.
Result<std::string> id_token_of(std::string_view json);

// Errors   denied     the token is not what it must be; the text says why
//          not_found  no key has the id that the token names: read the keys again
Result<OutsideUser> prove_id_token(const std::string& token, const ProviderKeys& keys, const TokenWanted& wanted);

}  // namespace millrace::people
