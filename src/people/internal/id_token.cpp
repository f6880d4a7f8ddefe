#include "people/internal/id_token.h"

#include <cjose/cjose.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <optional>

#include "base/text.h"

namespace millrace::people {
namespace {

namespace json = boost::json;

constexpr std::size_t token_bytes_max = 32 << 10;
constexpr std::size_t keys_max = 50;
constexpr std::size_t rsa_modulus_letters_min = 342;  // 2048 bits in base64url
constexpr std::size_t subject_bytes_max = 255;

struct ReleasesToken {
  void operator()(cjose_jws_t* token) const { ::cjose_jws_release(token); }
};
struct ReleasesKey {
  void operator()(cjose_jwk_t* key) const { ::cjose_jwk_release(key); }
};
using Jws = std::unique_ptr<cjose_jws_t, ReleasesToken>;
using Jwk = std::unique_ptr<cjose_jwk_t, ReleasesKey>;

Failure refused(const std::string& why) { return fail(ErrorCode::denied, "the sign-in provider's answer is not accepted: " + why); }
Failure broken(const std::string& what, const std::string& why) { return fail(ErrorCode::corrupt, "the sign-in provider's " + what + " cannot be used: " + why); }

Result<json::object> object_of(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return fail(ErrorCode::corrupt, "it is no JSON object");
  return std::move(value.get_object());
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// Whole seconds since the epoch; some providers write them as 1.7e9.
std::optional<Instant> instant_at(const json::object& object, std::string_view key) {
  constexpr double seconds_max = 1e11;
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto seconds = value->to_number<double>(error);
  if (error || !(seconds >= 0 && seconds <= seconds_max)) return std::nullopt;
  return Instant{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
}

bool is_https(std::string_view url) { return url.starts_with("https://") && url.size() > 8; }

// The method a published key is good for, "" for none that we use.
std::string method_of(const json::object& key) {
  const std::string use = text_at(key, "use"), kind = text_at(key, "kty"), named = text_at(key, "alg");
  if (!use.empty() && use != "sig") return "";
  std::string method;
  if (kind == "RSA" && text_at(key, "n").size() >= rsa_modulus_letters_min) method = "RS256";
  if (kind == "EC" && text_at(key, "crv") == "P-256") method = "ES256";
  return named.empty() || named == method ? method : "";
}

Result<Jwk> import_key(const ProviderKey& key) {
  cjose_err error{};
  Jwk imported(::cjose_jwk_import(key.json.data(), key.json.size(), &error));
  if (!imported) return refused("its key " + printable(key.id) + " cannot be read");
  return imported;
}

// The keys that may have signed it: the one it names, or when it names none, all of the method.
Result<std::vector<const ProviderKey*>> keys_for(cjose_header_t* header, const std::string& method, const ProviderKeys& keys) {
  cjose_err error{};
  const char* const named = ::cjose_header_get(header, CJOSE_HDR_KID, &error);
  std::vector<const ProviderKey*> fitting;
  for (const ProviderKey& key : keys.keys)
    if (key.method == method && (named == nullptr || key.id == named)) fitting.push_back(&key);
  if (fitting.empty())
    return fail(ErrorCode::not_found, "the sign-in provider signed with a key that it does not publish" + (named == nullptr ? std::string() : ": " + printable(std::string(named).substr(0, 80))));
  return fitting;
}

Result<json::object> proven_claims(const std::string& token, const ProviderKeys& keys) {
  if (token.size() > token_bytes_max || std::ranges::count(token, '.') != 2) return refused("its ID token is no signed token");
  cjose_err error{};
  const Jws jws(::cjose_jws_import(token.data(), token.size(), &error));
  if (!jws) return refused("its ID token cannot be read");
  cjose_header_t* const header = ::cjose_jws_get_protected(jws.get());
  const char* const method = ::cjose_header_get(header, CJOSE_HDR_ALG, &error);
  // No other method, above all not "none", and not HS256, which would take a published key for a shared one.
  if (method == nullptr || (std::string_view(method) != "RS256" && std::string_view(method) != "ES256"))
    return refused("its ID token is not signed with RS256 or ES256");
  if (char* const critical = ::cjose_header_get_raw(header, "crit", &error)) {
    ::cjose_get_dealloc()(critical);
    return refused("its ID token wants something that we do not know (crit)");
  }
  const auto fitting = keys_for(header, method, keys);
  if (!fitting) return pass_on(fitting);
  bool holds = false;
  for (const ProviderKey* key : *fitting) {
    const auto imported = import_key(*key);
    if (!imported) return pass_on(imported);
    holds = holds || ::cjose_jws_verify(jws.get(), imported->get(), &error);
  }
  if (!holds) return refused("the signature of its ID token does not hold");
  std::uint8_t* text = nullptr;
  std::size_t length = 0;
  if (!::cjose_jws_get_plaintext(jws.get(), &text, &length, &error)) return refused("its ID token has no content");
  auto claims = object_of({reinterpret_cast<const char*>(text), length});
  if (!claims) return refused("the content of its ID token is no JSON");
  return claims;
}

bool is_for(const json::object& claims, const std::string& client) {
  const json::value* const audience = claims.if_contains("aud");
  if (audience == nullptr) return false;
  const std::string party = text_at(claims, "azp");
  if (!party.empty() && party != client) return false;
  if (audience->is_string()) return audience->get_string() == client;
  if (!audience->is_array()) return false;
  const json::array& list = audience->get_array();
  const bool named = std::ranges::any_of(list, [&](const json::value& one) { return one.is_string() && one.get_string() == client; });
  return named && (list.size() == 1 || party == client);
}

bool is_true(const json::object& claims, std::string_view key) {
  const json::value* const value = claims.if_contains(key);
  if (value == nullptr) return false;
  return value->is_bool() ? value->get_bool() : value->is_string() && value->get_string() == "true";
}

Result<void> check_times(const json::object& claims, const TokenWanted& wanted) {
  const auto expires = instant_at(claims, "exp"), issued = instant_at(claims, "iat"), not_before = instant_at(claims, "nbf");
  if (!expires || !issued) return refused("its ID token does not say when it was made and when it ends");
  if (wanted.now >= *expires + wanted.skew) return refused("its ID token ended at " + rfc3339(*expires));
  if (*issued > wanted.now + wanted.skew || (not_before && *not_before > wanted.now + wanted.skew))
    return refused("its ID token is of a later time than ours; compare the clocks of both machines");
  if (*issued + std::chrono::hours(24) < wanted.now) return refused("its ID token was made over a day ago");
  return {};
}

}  // namespace

Result<ProviderDocument> parse_provider_document(std::string_view text, const std::string& issuer) {
  const auto object = object_of(text);
  if (!object) return broken("description", object.error().text());
  // A description for another issuer would let that one speak for ours.
  if (text_at(*object, "issuer") != issuer) return broken("description", "it is of the issuer \"" + printable(text_at(*object, "issuer").substr(0, 200)) + "\" and not of " + issuer);
  ProviderDocument document{text_at(*object, "authorization_endpoint"), text_at(*object, "token_endpoint"), text_at(*object, "jwks_uri"), false};
  for (const std::string& address : {document.authorization_endpoint, document.token_endpoint, document.jwks_uri})
    if (!is_https(address)) return broken("description", "\"" + printable(address.substr(0, 200)) + "\" is no https address");
  if (const json::value* const methods = object->if_contains("token_endpoint_auth_methods_supported"); methods != nullptr && methods->is_array()) {
    const auto has = [&](std::string_view name) {
      return std::ranges::any_of(methods->get_array(), [&](const json::value& one) { return one.is_string() && one.get_string() == name; });
    };
    document.secret_in_body = !has("client_secret_basic") && has("client_secret_post");
  }
  return document;
}

Result<ProviderKeys> parse_provider_keys(std::string_view text) {
  const auto object = object_of(text);
  if (!object) return broken("list of keys", object.error().text());
  const json::value* const list = object->if_contains("keys");
  if (list == nullptr || !list->is_array() || list->get_array().size() > keys_max) return broken("list of keys", "it has none, or too many");
  ProviderKeys keys;
  for (const json::value& one : list->get_array()) {
    if (!one.is_object()) continue;
    const std::string method = method_of(one.get_object());
    if (!method.empty()) keys.keys.push_back({text_at(one.get_object(), "kid"), method, json::serialize(one)});
  }
  return keys;
}

Result<std::string> id_token_of(std::string_view text) {
  const auto object = object_of(text);
  if (!object) return refused("the answer to the code is no JSON");
  std::string token = text_at(*object, "id_token");
  if (token.empty()) return refused("the answer to the code has no ID token; does the client have the scope openid?");
  return token;
}

Result<OutsideUser> prove_id_token(const std::string& token, const ProviderKeys& keys, const TokenWanted& wanted) {
  const auto claims = proven_claims(token, keys);
  if (!claims) return pass_on(claims);
  if (text_at(*claims, "iss") != wanted.issuer) return refused("its ID token is of another issuer");
  if (!is_for(*claims, wanted.client_id)) return refused("its ID token is for another client");
  if (const auto timely = check_times(*claims, wanted); !timely) return pass_on(timely);
  if (wanted.nonce.empty() || !(digest_of(text_at(*claims, "nonce")) == digest_of(wanted.nonce))) return refused("its ID token answers another try to sign in");
  OutsideUser user;
  user.issuer = wanted.issuer;
  user.subject = text_at(*claims, "sub");
  if (user.subject.empty() || user.subject.size() > subject_bytes_max) return refused("its ID token names nobody");
  user.email = text_at(*claims, "email");
  user.email_verified = !user.email.empty() && is_true(*claims, "email_verified");
  user.name = text_at(*claims, "name");
  return user;
}

}  // namespace millrace::people
