#include "people/oidc.h"

#include <sodium.h>

#include <array>

#include "base/bytes.h"
#include "base/text.h"
#include "people/internal/id_token.h"

namespace millrace::people {
namespace {

constexpr std::size_t answer_bytes_max = 256 << 10;
constexpr std::size_t path_bytes_max = 2000;
constexpr int base64_variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

// What a try to sign in must remember.
struct Try {
  std::string state, nonce, verifier, return_to;
  Instant begun;
};

std::string percent(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string form(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += (text.empty() ? "" : "&") + name + "=" + percent(value);
  return text;
}

std::string challenge_of(const std::string& verifier) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash;
  ::crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size());
  return base64url({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string new_seal() {
  prepare_crypto();
  std::string key(crypto_secretbox_KEYBYTES, '\0');
  ::randombytes_buf(key.data(), key.size());
  return key;
}

const unsigned char* bytes(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Secret sealed(const Try& made, const std::string& key) {
  std::string plain;
  ByteWriter out(plain);
  for (const std::string* text : {&made.state, &made.nonce, &made.verifier, &made.return_to}) out.text(*text);
  out.signed_varint(made.begun.time_since_epoch().count());
  std::string box(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.size(), '\0');
  ::randombytes_buf(box.data(), crypto_secretbox_NONCEBYTES);
  ::crypto_secretbox_easy(bytes(box) + crypto_secretbox_NONCEBYTES, bytes(plain), plain.size(), bytes(box), bytes(key));
  return Secret(base64url(box));
}

std::optional<Try> opened(const Secret& cookie, const std::string& key) {
  const std::string& text = cookie.reveal();
  std::string box(text.size(), '\0');
  std::size_t length = 0;
  if (::sodium_base642bin(bytes(box), box.size(), text.data(), text.size(), nullptr, &length, nullptr, base64_variant) != 0) return std::nullopt;
  if (length < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES) return std::nullopt;
  box.resize(length);
  std::string plain(length - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES, '\0');
  if (::crypto_secretbox_open_easy(bytes(plain), bytes(box) + crypto_secretbox_NONCEBYTES, length - crypto_secretbox_NONCEBYTES, bytes(box), bytes(key)) != 0)
    return std::nullopt;
  ByteReader in(plain);
  Try made;
  for (std::string* field : {&made.state, &made.nonce, &made.verifier, &made.return_to}) *field = in.text();
  made.begun = Instant{std::chrono::milliseconds{in.signed_varint()}};
  return in.ok() && in.at_end() ? std::optional(made) : std::nullopt;
}

bool same(const std::string& left, const std::string& right) { return !left.empty() && digest_of(left) == digest_of(right); }

}  // namespace

std::string local_path(std::string_view wanted) {
  const bool path = wanted.starts_with('/') && wanted.size() <= path_bytes_max;
  // "//evil" and "/\evil" are other hosts to a browser; it also drops tabs and line ends before it looks.
  const bool leaves = wanted.size() > 1 && (wanted[1] == '/' || wanted[1] == '\\');
  const bool plain = wanted.find_first_of("\t\r\n\\") == std::string_view::npos && printable(wanted) == wanted;
  return path && !leaves && plain ? std::string(wanted) : "/";
}

Oidc::Oidc(OidcOptions options, CallProvider call, const Clock& clock)
    : options_(std::move(options)), call_(std::move(call)), clock_(clock), seal_(new_seal()) {}

Oidc::~Oidc() = default;

Result<std::unique_ptr<Oidc>> Oidc::make(OidcOptions options, CallProvider call, const Clock& clock) {
  if (!options.issuer.starts_with("https://")) return fail(ErrorCode::invalid_input, "the issuer of the sign-in provider must be an https address, not \"" + printable(options.issuer) + "\"");
  if (options.client_id.empty()) return fail(ErrorCode::invalid_input, "the sign-in provider needs a client id; make one there for this server");
  if (options.redirect_uri.empty()) return fail(ErrorCode::invalid_input, "the sign-in provider needs the address it sends people back to");
  return std::unique_ptr<Oidc>(new Oidc(std::move(options), std::move(call), clock));
}

Result<std::string> Oidc::answer_of(const ProviderCall& call, const std::string& what) {
  auto answer = call_(call);
  const std::string start = "the sign-in provider " + options_.issuer + " ";
  if (!answer) return fail(ErrorCode::unavailable, start + "cannot be asked for its " + what + ": " + answer.error().text());
  if (answer->status != 200) {
    const bool later = answer->status >= 500 || answer->status == 429 || answer->status == 408;
    return fail(later ? ErrorCode::unavailable : ErrorCode::denied, start + "refused its " + what + " with " + std::to_string(answer->status));
  }
  if (answer->body.size() > answer_bytes_max) return fail(ErrorCode::corrupt, start + "sent a " + what + " of over 256 KiB");
  return std::move(answer->body);
}

Result<std::shared_ptr<const ProviderDocument>> Oidc::document() {
  {
    std::lock_guard lock(mutex_);
    if (document_ && clock_.now() < document_read_ + options_.document_life) return document_;
  }
  const bool slash = options_.issuer.ends_with('/');
  const auto text = answer_of({"GET", options_.issuer + (slash ? "" : "/") + ".well-known/openid-configuration", {{"Accept", "application/json"}}, ""}, "description");
  if (!text) return pass_on(text);
  auto parsed = parse_provider_document(*text, options_.issuer);
  if (!parsed) return pass_on(parsed);
  auto made = std::make_shared<const ProviderDocument>(std::move(*parsed));
  std::lock_guard lock(mutex_);
  document_ = made;
  document_read_ = clock_.now();
  return made;
}

Result<std::shared_ptr<const ProviderKeys>> Oidc::keys(const ProviderDocument& document, bool anew) {
  {
    std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    const bool soon = keys_asked_ != Instant{} && now < keys_asked_ + options_.keys_pause;
    if (keys_ && (!anew || soon)) return keys_;
    if (soon) return fail(ErrorCode::unavailable, "the keys of the sign-in provider could not be read a moment ago; try again in a minute");
    keys_asked_ = now;
  }
  const auto text = answer_of({"GET", document.jwks_uri, {{"Accept", "application/json"}}, ""}, "list of keys");
  if (!text) return pass_on(text);
  auto parsed = parse_provider_keys(*text);
  if (!parsed) return pass_on(parsed);
  auto made = std::make_shared<const ProviderKeys>(std::move(*parsed));
  std::lock_guard lock(mutex_);
  keys_ = made;
  return made;
}

Result<OidcBegun> Oidc::begin(const std::string& return_to) {
  const auto provider = document();
  if (!provider) return pass_on(provider);
  const Try made{new_secret("").reveal(), new_secret("").reveal(), new_secret("").reveal(), local_path(return_to), clock_.now()};
  const std::string& endpoint = (*provider)->authorization_endpoint;
  OidcBegun begun;
  begun.url = endpoint + (endpoint.find('?') == std::string::npos ? "?" : "&") +
              form({{"response_type", "code"},
                    {"client_id", options_.client_id},
                    {"redirect_uri", options_.redirect_uri},
                    {"scope", options_.scopes},
                    {"state", made.state},
                    {"nonce", made.nonce},
                    {"code_challenge", challenge_of(made.verifier)},
                    {"code_challenge_method", "S256"}});
  begun.cookie = sealed(made, seal_);
  return begun;
}

Result<std::string> Oidc::exchange(const ProviderDocument& document, const std::string& code, const std::string& verifier) {
  ProviderCall call{"POST", document.token_endpoint, {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}}, ""};
  std::vector<std::pair<std::string, std::string>> fields{
      {"grant_type", "authorization_code"}, {"code", code}, {"redirect_uri", options_.redirect_uri}, {"code_verifier", verifier}};
  const std::string& secret = options_.client_secret.reveal();
  if (secret.empty() || document.secret_in_body) fields.emplace_back("client_id", options_.client_id);
  if (!secret.empty() && document.secret_in_body) fields.emplace_back("client_secret", secret);
  if (!secret.empty() && !document.secret_in_body) {
    const std::string pair = percent(options_.client_id) + ":" + percent(secret);
    constexpr int variant = sodium_base64_VARIANT_ORIGINAL;
    std::string encoded(::sodium_base64_encoded_len(pair.size(), variant), '\0');
    ::sodium_bin2base64(encoded.data(), encoded.size(), bytes(pair), pair.size(), variant);
    encoded.resize(encoded.size() - 1);
    call.headers.emplace_back("Authorization", "Basic " + encoded);
  }
  call.body = form(fields);
  const auto text = answer_of(call, "token");
  if (!text) return pass_on(text);
  return id_token_of(*text);
}

Result<OidcProven> Oidc::finish(const std::string& state, const std::string& code, const std::string& issuer, const Secret& cookie) {
  const auto begun = opened(cookie, seal_);
  const auto other = [] { return fail(ErrorCode::denied, "this sign-in was not begun in this browser, or too long ago; begin again"); };
  if (!begun || !same(begun->state, state) || code.empty()) return other();
  const Instant now = clock_.now();
  if (now >= begun->begun + options_.try_life || now < begun->begun - options_.clock_skew) return other();
  if (!issuer.empty() && issuer != options_.issuer) return fail(ErrorCode::denied, "another sign-in provider answered than was asked; begin again");
  const auto provider = document();
  if (!provider) return pass_on(provider);
  const auto token = exchange(**provider, code, begun->verifier);
  if (!token) return pass_on(token);
  const TokenWanted wanted{options_.issuer, options_.client_id, begun->nonce, now, options_.clock_skew};
  auto known = keys(**provider, false);
  if (!known) return pass_on(known);
  auto user = prove_id_token(*token, **known, wanted);
  if (!user && user.error().code() == ErrorCode::not_found) {
    known = keys(**provider, true);
    if (!known) return pass_on(known);
    user = prove_id_token(*token, **known, wanted);
    if (!user && user.error().code() == ErrorCode::not_found) return fail(ErrorCode::denied, user.error().text());
  }
  if (!user) return pass_on(user);
  return OidcProven{std::move(*user), begun->return_to};
}

}  // namespace millrace::people
