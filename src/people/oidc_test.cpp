// Signing in with a provider of our own: it has keys, publishes them, and signs real tokens.
#include "people/oidc.h"

#include <cjose/cjose.h>
#include <doctest/doctest.h>
#include <sodium.h>

#include <map>

#include "base/text.h"
#include "people/internal/id_token.h"
#include "people/people_test_world.h"

namespace millrace::people {
namespace {

using namespace std::chrono_literals;

const std::string issuer = "https://id.example";
const std::string back = "https://plant.example/api/v1/sign-in/oidc/back";

std::string sha256_base64url(const std::string& text) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  ::crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return base64url(hash);
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') out += text[i];
    else {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    }
  }
  return out;
}

std::map<std::string, std::string> fields_of(std::string_view form) {
  std::map<std::string, std::string> fields;
  for (const auto pair : split(form, '&')) {
    const auto equals = pair.find('=');
    fields[std::string(pair.substr(0, equals))] = unescaped(pair.substr(equals + 1));
  }
  return fields;
}

// A key with its name, and tokens it signs.
class Signer {
 public:
  enum class Kind : std::uint8_t { rsa, rsa_short, ec, shared };
  Signer(Kind kind, std::string id, std::string_view secret = "") : id_(std::move(id)) {
    cjose_err error{};
    const std::array<std::uint8_t, 3> exponent{1, 0, 1};
    if (kind == Kind::rsa) key_ = ::cjose_jwk_create_RSA_random(2048, exponent.data(), exponent.size(), &error);
    if (kind == Kind::rsa_short) key_ = ::cjose_jwk_create_RSA_random(1024, exponent.data(), exponent.size(), &error);
    if (kind == Kind::ec) key_ = ::cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error);
    if (kind == Kind::shared) key_ = ::cjose_jwk_create_oct_spec(reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size(), &error);
    REQUIRE(key_ != nullptr);
    REQUIRE(::cjose_jwk_set_kid(key_, id_.data(), id_.size(), &error));
  }
  ~Signer() { ::cjose_jwk_release(key_); }
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  std::string published() const {
    cjose_err error{};
    char* const text = ::cjose_jwk_to_json(key_, false, &error);
    REQUIRE(text != nullptr);
    std::string json(text);
    ::cjose_get_dealloc()(text);
    return json;
  }
  std::string signed_token(const std::string& claims, const char* method, const std::string& key_id = "?", const char* critical = nullptr) const {
    cjose_err error{};
    cjose_header_t* const header = ::cjose_header_new(&error);
    REQUIRE(::cjose_header_set(header, CJOSE_HDR_ALG, method, &error));
    const std::string named = key_id == "?" ? id_ : key_id;
    if (!named.empty()) REQUIRE(::cjose_header_set(header, CJOSE_HDR_KID, named.c_str(), &error));
    if (critical != nullptr) REQUIRE(::cjose_header_set_raw(header, "crit", critical, &error));
    cjose_jws_t* const jws = ::cjose_jws_sign(key_, header, reinterpret_cast<const std::uint8_t*>(claims.data()), claims.size(), &error);
    REQUIRE_MESSAGE(jws != nullptr, std::string(error.message == nullptr ? "" : error.message));
    const char* text = nullptr;
    REQUIRE(::cjose_jws_export(jws, &text, &error));
    std::string token(text);
    ::cjose_jws_release(jws);
    ::cjose_header_release(header);
    return token;
  }

 private:
  const std::string id_;
  cjose_jwk_t* key_ = nullptr;
};

// The provider: gives codes, and exchanges each once against a token when the verifier fits.
class Provider {
 public:
  explicit Provider(const Clock& clock) : clock_(clock) {}

  Signer rsa{Signer::Kind::rsa, "r1"};
  Signer ec{Signer::Kind::ec, "e1"};
  std::vector<const Signer*> published{&rsa, &ec};
  const Signer* signs = &rsa;
  const char* method = "RS256";
  std::string description;                   // replaces the right one
  std::map<std::string, std::string> claims;  // raw JSON that replaces or, when empty, removes a claim
  std::function<std::string(const std::string& claims)> sign;  // replaces signing
  int calls_of_keys = 0, calls_of_token = 0;
  bool down = false;
  std::string last_authorization;

  // What the browser brings back from there: the code.
  std::string entered(const std::string& url) {
    const auto fields = fields_of(url.substr(url.find('?') + 1));
    CHECK(url.starts_with("https://id.example/authorize?"));
    CHECK(fields.at("response_type") == "code");
    CHECK(fields.at("client_id") == "millrace");
    CHECK(fields.at("redirect_uri") == back);
    CHECK(fields.at("code_challenge_method") == "S256");
    const std::string code = "code" + std::to_string(codes_.size());
    codes_[code] = {fields.at("nonce"), fields.at("code_challenge")};
    return code;
  }
  Result<ProviderAnswer> answer(const ProviderCall& call) {
    if (down) return fail(ErrorCode::unavailable, "connection refused");
    if (call.url == issuer + "/.well-known/openid-configuration") {
      const std::string right = R"({"issuer":"https://id.example","authorization_endpoint":"https://id.example/authorize","token_endpoint":"https://id.example/token","jwks_uri":"https://id.example/keys"})";
      return ProviderAnswer{200, description.empty() ? right : description};
    }
    if (call.url == issuer + "/keys") {
      ++calls_of_keys;
      std::string list;
      for (const Signer* key : published) list += (list.empty() ? "" : ",") + key->published();
      return ProviderAnswer{200, R"({"keys":[)" + list + "]}"};
    }
    CHECK(call.url == issuer + "/token");
    CHECK(call.method == "POST");
    ++calls_of_token;
    return token(call);
  }
  std::string claims_json(const std::string& nonce) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
    std::map<std::string, std::string> all{{"iss", "\"https://id.example\""}, {"aud", "\"millrace\""}, {"sub", "\"77\""}, {"nonce", "\"" + nonce + "\""},
                                           {"iat", std::to_string(seconds)}, {"exp", std::to_string(seconds + 300)}, {"email", "\"anna@example.com\""},
                                           {"email_verified", "true"}, {"name", "\"Anna\""}};
    for (const auto& [name, value] : claims) all[name] = value;
    std::string json;
    for (const auto& [name, value] : all)
      if (!value.empty()) json += (json.empty() ? "{\"" : ",\"") + name + "\":" + value;
    return json + "}";
  }

 private:
  struct Code {
    std::string nonce, challenge;
  };
  Result<ProviderAnswer> token(const ProviderCall& call) {
    for (const auto& [name, value] : call.headers)
      if (name == "Authorization") last_authorization = value;
    const auto fields = fields_of(call.body);
    const auto code = codes_.find(fields.at("code"));
    if (code == codes_.end() || sha256_base64url(fields.at("code_verifier")) != code->second.challenge || fields.at("redirect_uri") != back)
      return ProviderAnswer{400, R"({"error":"invalid_grant"})"};
    const std::string json = claims_json(code->second.nonce);
    codes_.erase(code);  // once
    return ProviderAnswer{200, R"({"access_token":"a","token_type":"Bearer","id_token":")" + (sign ? sign(json) : signs->signed_token(json, method)) + "\"}"};
  }

  const Clock& clock_;
  std::map<std::string, Code> codes_;
};

class Way {
 public:
  Way() : provider(clock) {
    OidcOptions options;
    options.issuer = issuer;
    options.client_id = "millrace";
    options.client_secret = Secret("hush: hush");
    options.redirect_uri = back;
    auto made = Oidc::make(options, [this](const ProviderCall& call) { return provider.answer(call); }, clock);
    REQUIRE_MESSAGE(made, made.error().text());
    oidc = std::move(*made);
  }
  std::string state_of(const OidcBegun& begun) const { return fields_of(begun.url.substr(begun.url.find('?') + 1)).at("state"); }
  // "77 anna@example.com to /orders", or why not.
  std::string there_and_back(const std::string& return_to = "/orders") {
    const auto begun = oidc->begin(return_to);
    if (!begun) return begun.error().text();
    return told(oidc->finish(state_of(*begun), provider.entered(begun->url), "", begun->cookie));
  }
  static std::string told(const Result<OidcProven>& proven) {
    if (!proven) return proven.error().text();
    return proven->user.subject + " " + proven->user.email + (proven->user.email_verified ? "" : " unproven") + " to " + proven->return_to;
  }

  TurnedClock clock;
  Provider provider;
  std::unique_ptr<Oidc> oidc;
};

const std::string good = "77 anna@example.com to /orders";
const std::string no = "the sign-in provider's answer is not accepted: ";

TEST_CASE("Whom the provider vouches for is known by his number there") {
  Way way;
  CHECK(way.there_and_back() == good);
  CHECK(way.provider.last_authorization == "Basic bWlsbHJhY2U6aHVzaCUzQSUyMGh1c2g=");
  way.provider.signs = &way.provider.ec;
  way.provider.method = "ES256";
  CHECK(way.there_and_back() == good);
  CHECK(way.provider.calls_of_keys == 1);  // kept
  way.provider.claims["email_verified"] = "false";
  CHECK(way.there_and_back() == "77 anna@example.com unproven to /orders");
  way.provider.claims["email_verified"] = "\"true\"";  // as some write it
  CHECK(way.there_and_back() == good);
  way.provider.claims["aud"] = R"(["millrace"])";
  CHECK(way.there_and_back() == good);
}

TEST_CASE("A token that is not for us, not now or not from there is refused") {
  Way way;
  const auto with = [&](const std::string& claim, const std::string& value) {
    way.provider.claims = {{claim, value}};
    return way.there_and_back();
  };
  const auto seconds = [&](std::chrono::seconds from_now) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>((way.clock.now() + from_now).time_since_epoch()).count());
  };
  CHECK(with("iss", "\"https://evil.example\"") == no + "its ID token is of another issuer");
  CHECK(with("iss", "") == no + "its ID token is of another issuer");
  CHECK(with("aud", "\"another\"") == no + "its ID token is for another client");
  CHECK(with("aud", R"(["another"])") == no + "its ID token is for another client");
  CHECK(with("aud", R"(["millrace","another"])") == no + "its ID token is for another client");  // without azp
  CHECK(with("aud", "") == no + "its ID token is for another client");
  CHECK(with("azp", "\"another\"") == no + "its ID token is for another client");
  CHECK(with("nonce", "\"of another try\"") == no + "its ID token answers another try to sign in");
  CHECK(with("nonce", "") == no + "its ID token answers another try to sign in");
  CHECK(with("exp", seconds(-61s)) == no + "its ID token ended at 2026-03-01T07:58:59.000Z");
  CHECK(with("exp", seconds(-59s)) == good);  // clocks differ a little
  CHECK(with("exp", "") == no + "its ID token does not say when it was made and when it ends");
  CHECK(with("exp", "\"soon\"") == no + "its ID token does not say when it was made and when it ends");
  CHECK(with("exp", "1e300") == no + "its ID token does not say when it was made and when it ends");
  CHECK(with("exp", "-1") == no + "its ID token does not say when it was made and when it ends");
  CHECK(with("iat", seconds(61s)).find("compare the clocks") != std::string::npos);
  CHECK(with("nbf", seconds(61s)).find("compare the clocks") != std::string::npos);
  CHECK(with("iat", seconds(-25h)) == no + "its ID token was made over a day ago");
  CHECK(with("sub", "") == no + "its ID token names nobody");
  CHECK(with("sub", "\"" + std::string(256, 'x') + "\"") == no + "its ID token names nobody");
  CHECK(with("name", "\"Anna\"") == good);
}

TEST_CASE("A token that the provider did not sign is refused whatever it says of itself") {
  Way way;
  CHECK(way.there_and_back() == good);
  const auto with = [&](std::function<std::string(const std::string&)> sign) {
    way.provider.sign = std::move(sign);
    return way.there_and_back();
  };
  const auto part = [](const std::string& text) { return base64url(text); };
  const std::string not_ours = no + "its ID token is not signed with RS256 or ES256";
  // alg none, in all its spellings
  for (const char* none : {"none", "None", "NONE", ""}) {
    const std::string answer = with([&](const std::string& claims) { return part(std::string(R"({"alg":")") + none + R"("})") + "." + part(claims) + "."; });
    CHECK_MESSAGE(answer.starts_with(no), answer);
  }
  // A published key taken for a shared one.
  const std::string published = way.provider.rsa.published();
  const Signer confused(Signer::Kind::shared, "r1", published);
  CHECK(with([&](const std::string& claims) { return confused.signed_token(claims, "HS256"); }) == not_ours);
  // The right name, another key.
  const Signer thief(Signer::Kind::rsa, "r1");
  CHECK(with([&](const std::string& claims) { return thief.signed_token(claims, "RS256"); }) == no + "the signature of its ID token does not hold");
  // A method that does not fit the key it names.
  CHECK(with([&](const std::string& claims) { return way.provider.ec.signed_token(claims, "ES256", "r1"); }).find("does not publish: r1") != std::string::npos);
  CHECK(with([&](const std::string& claims) { return way.provider.rsa.signed_token(claims, "RS512"); }) == not_ours);
  // Without a name every key of the method is tried.
  CHECK(with([&](const std::string& claims) { return way.provider.rsa.signed_token(claims, "RS256", ""); }) == good);
  CHECK(with([&](const std::string& claims) { return thief.signed_token(claims, "RS256", ""); }) == no + "the signature of its ID token does not hold");
  CHECK(with([&](const std::string& claims) { return way.provider.rsa.signed_token(claims, "RS256", "?", R"(["b64"])"); }).find("(crit)") != std::string::npos);
  // Content or signature exchanged.
  CHECK(with([&](const std::string& claims) {
    const std::string token = way.provider.rsa.signed_token(claims, "RS256");
    std::string other = claims;
    other.replace(other.find("77"), 2, "78");
    return token.substr(0, token.find('.') + 1) + part(other) + token.substr(token.rfind('.'));
  }) == no + "the signature of its ID token does not hold");
  for (const char* nonsense : {"x", "a.b", "a.b.c", "..", "a.b.c.d.e"}) CHECK(with([&](const std::string&) { return std::string(nonsense); }).starts_with(no));
  CHECK(with([&](const std::string&) { return std::string(100'000, 'a'); }).starts_with(no));
}

TEST_CASE("A new key is read when a token names it, at most once a minute") {
  Way way;
  CHECK(way.there_and_back() == good);
  const Signer fresh(Signer::Kind::rsa, "r2"), unknown(Signer::Kind::rsa, "r3");
  way.provider.published.push_back(&fresh);
  way.provider.signs = &fresh;
  CHECK(way.there_and_back() == "the sign-in provider signed with a key that it does not publish: r2");  // read a moment ago
  CHECK(way.provider.calls_of_keys == 1);
  way.clock.turn(60s);
  CHECK(way.there_and_back() == good);
  CHECK(way.provider.calls_of_keys == 2);
  way.provider.signs = &unknown;
  for (int i = 0; i < 20; ++i) CHECK(way.there_and_back().ends_with("does not publish: r3"));
  CHECK(way.provider.calls_of_keys == 2);
  way.clock.turn(60s);
  for (int i = 0; i < 20; ++i) CHECK(way.there_and_back().ends_with("does not publish: r3"));
  CHECK(way.provider.calls_of_keys == 3);
}

TEST_CASE("Keys that are too short or meant for something else are not used") {
  Way way;
  const Signer weak(Signer::Kind::rsa_short, "w");
  way.provider.published = {&weak};
  way.provider.signs = &weak;
  CHECK(way.there_and_back().ends_with("does not publish: w"));
  const auto keys = parse_provider_keys(R"({"keys":[{"kty":"oct","k":"AAAA","kid":"o"},{"kty":"EC","crv":"P-256","use":"enc","kid":"e"},{"kty":"EC","crv":"P-521","kid":"p"},7]})");
  REQUIRE(keys);
  CHECK(keys->keys.empty());
  CHECK_FALSE(parse_provider_keys("[]"));
  CHECK_FALSE(parse_provider_keys("{}"));
}

TEST_CASE("The way back belongs to the browser that began, once and for ten minutes") {
  Way way;
  const auto mine = way.oidc->begin("/orders"), other = way.oidc->begin("/orders");
  REQUIRE(mine);
  REQUIRE(other);
  const std::string code = way.provider.entered(mine->url), state = way.state_of(*mine);
  const std::string not_here = "this sign-in was not begun in this browser, or too long ago; begin again";
  CHECK(Way::told(way.oidc->finish(state, code, "", other->cookie)) == not_here);
  CHECK(Way::told(way.oidc->finish(state, code, "", Secret(""))) == not_here);
  CHECK(Way::told(way.oidc->finish("", code, "", mine->cookie)) == not_here);
  CHECK(Way::told(way.oidc->finish(state, "", "", mine->cookie)) == not_here);
  std::string forged = mine->cookie.reveal();
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  CHECK(Way::told(way.oidc->finish(state, code, "", Secret(forged))) == not_here);
  CHECK(Way::told(way.oidc->finish(state, code, "https://evil.example", mine->cookie)) == "another sign-in provider answered than was asked; begin again");
  CHECK(way.provider.calls_of_token == 0);
  CHECK(Way::told(way.oidc->finish(state, code, issuer, mine->cookie)) == good);
  CHECK(Way::told(way.oidc->finish(state, code, issuer, mine->cookie)) == "the sign-in provider https://id.example refused its token with 400");
  const std::string code_of_other = way.provider.entered(other->url);
  CHECK(Way::told(way.oidc->finish(way.state_of(*mine), code_of_other, "", mine->cookie)).ends_with("with 400"));  // another challenge
  way.clock.turn(10min);
  CHECK(Way::told(way.oidc->finish(way.state_of(*other), code_of_other, "", other->cookie)) == not_here);
}

TEST_CASE("A description that speaks for somebody else or without TLS is refused") {
  Way way;
  const auto with = [&](const std::string& description) {
    way.provider.description = description;
    return way.there_and_back();
  };
  CHECK(with(R"({"issuer":"https://evil.example"})").find("of the issuer \"https://evil.example\" and not of https://id.example") != std::string::npos);
  CHECK(with(R"({"issuer":"https://id.example","authorization_endpoint":"http://id.example/a","token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/k"})")
            .find("\"http://id.example/a\" is no https address") != std::string::npos);
  CHECK(with("<html>").find("no JSON object") != std::string::npos);
  way.provider.description.clear();
  way.provider.down = true;
  CHECK(way.there_and_back() == "the sign-in provider https://id.example cannot be asked for its description: connection refused");
  way.provider.down = false;
  CHECK(way.there_and_back() == good);
  OidcOptions plain;
  plain.issuer = "http://id.example";
  CHECK_FALSE(Oidc::make(plain, {}, way.clock));
}

TEST_CASE("After signing in nobody is sent to another site") {
  for (const char* away : {"//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "", "orders", "/\t/evil.example", "/a\nb", "javascript:alert(1)", "/x\\y"})
    CHECK_MESSAGE(local_path(away) == "/", std::string(away));
  CHECK(local_path("/orders?late=true&q=M%C3%BCller#top") == "/orders?late=true&q=M%C3%BCller#top");
  CHECK(local_path(std::string(3000, '/')) == "/");
  Way way;
  CHECK(way.there_and_back("//evil.example") == "77 anna@example.com to /");
}

TEST_CASE("A person signs in with the provider and is who the directory says") {
  Office office;
  office.add("boss", Role::admin);
  const User anna = office.add("anna", Role::planner);
  REQUIRE(office.directory().change(anna.id, {.email = "anna@example.com"}, command_line_actor()));
  Way way;
  const auto begun = way.oidc->begin("/today");
  REQUIRE(begun);
  const auto proven = way.oidc->finish(way.state_of(*begun), way.provider.entered(begun->url), "", begun->cookie);
  REQUIRE_MESSAGE(proven, proven.error().text());
  const auto entered = office.directory().sign_in_outside(proven->user, "192.0.2.1", "a browser");
  REQUIRE_MESSAGE(entered, entered.error().text());
  CHECK(office.directory().identify_session(entered->session.reveal())->rights == rights_of(Role::planner));
  CHECK(office.directory().user(anna.id)->has_outside_sign_in);
  CHECK(office.trail(2) == "sign-in user:2 by anna, user.link user:2 by anna");
}

}  // namespace
}  // namespace millrace::people
