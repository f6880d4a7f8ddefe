#include "outbound/internal/server_check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include "base/text.h"

namespace millrace::outbound::internal {
namespace {

constexpr std::string_view pin_start = "sha256//";
constexpr std::size_t pin_base64_size = 44;  // 32 bytes
constexpr std::size_t names_max = 3;
constexpr std::size_t name_size_max = 80;

std::string base64(std::span<const unsigned char> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

bool is_pin(std::string_view text) {
  if (!text.starts_with(pin_start)) return false;
  text.remove_prefix(pin_start.size());
  if (text.size() != pin_base64_size || text.back() != '=') return false;
  std::array<unsigned char, 3 * pin_base64_size / 4> bytes{};
  return EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                         static_cast<int>(text.size())) == static_cast<int>(bytes.size());
}

std::optional<Day> day_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return Day{std::chrono::year{parts.tm_year + 1900}, std::chrono::month{static_cast<unsigned>(parts.tm_mon + 1)},
             std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
}

std::string shown(const ASN1_STRING* text) {
  const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(ASN1_STRING_length(text)));
  return printable(bytes.substr(0, name_size_max));
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int at = 0; alternatives && at < sk_GENERAL_NAME_num(alternatives.get()) && names.size() < names_max; ++at) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives.get(), at);
    if (name->type == GEN_DNS) names.push_back(shown(name->d.dNSName));
  }
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const int common = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (names.empty() && common >= 0)
    names.push_back(shown(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, common))));
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "no name at all" : text;
}

Result<void> check_ca_file(const std::string& path) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
  if (!file) {
    const int reason = errno;
    return fail(ErrorCode::invalid_input, "ca_file " + printable(path) + " cannot be read (" + std::strerror(reason) +
                                              "): check its path and its rights");
  }
  const std::unique_ptr<X509, decltype(&X509_free)> first(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr),
                                                          X509_free);
  if (!first)
    return fail(
        ErrorCode::invalid_input,
        "ca_file " + printable(path) + " holds no certificate in PEM form: it starts with -----BEGIN CERTIFICATE-----");
  return {};
}

bool is_untrusted(int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // by somebody who only calls himself so
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string pin_of(X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
  if (size <= 0) return "";
  const auto release = [](unsigned char* bytes) { OPENSSL_free(bytes); };
  const std::unique_ptr<unsigned char, decltype(release)> owner(encoded, release);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_size = 0;
  if (EVP_Digest(encoded, static_cast<std::size_t>(size), digest.data(), &digest_size, EVP_sha256(), nullptr) != 1)
    return "";
  return std::string(pin_start) + base64(std::span(digest).first(digest_size));
}

Result<ServerCheck> ServerCheck::make(TlsOptions options) {
  if (!options.ca_file.empty()) {
    if (const auto readable = check_ca_file(options.ca_file); !readable) return pass_on(readable);
  }
  if (!options.pin_sha256.empty() && !is_pin(options.pin_sha256)) {
    return fail(ErrorCode::invalid_input,
                "the pin is not a fingerprint of a public key: it is written sha256// and 44 characters of base64");
  }
  return ServerCheck(std::move(options));
}

void ServerCheck::install(SSL_CTX* context) { SSL_CTX_set_cert_verify_callback(context, &ServerCheck::verify, this); }

// Instead of OpenSSL's own verification, which it calls unless the pin alone decides.
int ServerCheck::verify(X509_STORE_CTX* chain, void* self_pointer) {
  ServerCheck& self = *static_cast<ServerCheck*>(self_pointer);
  X509* const server = X509_STORE_CTX_get0_cert(chain);
  if (server == nullptr) return 0;
  SeenCertificate& seen = self.seen_.emplace();
  seen.pin = pin_of(server);
  seen.names = names_of(server);
  const std::string& pin = self.options_.pin_sha256;
  if (!pin.empty() && seen.pin != pin) {
    seen.error = X509_V_ERR_APPLICATION_VERIFICATION;
    X509_STORE_CTX_set_error(chain, seen.error);
    return 0;
  }
  if (self.pin_only()) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
  }
  const int good = X509_verify_cert(chain);
  seen.error = X509_STORE_CTX_get_error(chain);
  X509* const about = X509_STORE_CTX_get_current_cert(chain);
  seen.of_server = about == nullptr || X509_cmp(about, server) == 0;
  seen.valid_from = day_of(X509_get0_notBefore(about == nullptr ? server : about));
  seen.valid_until = day_of(X509_get0_notAfter(about == nullptr ? server : about));
  return good > 0 ? 1 : 0;
}

std::string ServerCheck::certificate_text(std::string_view host) const {
  const std::string whose =
      (seen_->of_server ? "the certificate of " : "a certificate that signed the one of ") + std::string(host);
  const std::string pin_it = "set pin to " + seen_->pin + " once you have compared that with the server";
  switch (seen_->error) {
    case X509_V_OK:
      return whose + " is for " + joined(seen_->names) + ": use that name in the address of this source, or " + pin_it;
    case X509_V_ERR_APPLICATION_VERIFICATION:
      return "the key of " + std::string(host) +
             " is not the one this source is pinned to: if it was changed on purpose, " + pin_it;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return whose + " expired on " + (seen_->valid_until ? iso(*seen_->valid_until) : "an unreadable day") +
             ": renew it, or set pin for this source";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return whose + " is valid only from " + (seen_->valid_from ? iso(*seen_->valid_from) : "an unreadable day") +
             ": check the clock of both machines";
    default:
      break;
  }
  if (is_untrusted(seen_->error)) {
    const std::string by = options_.ca_file.empty() ? " is signed by nobody this machine trusts"
                                                    : " is not signed by a certificate in ca_file";
    return "the certificate of " + std::string(host) + by + ": set ca_file to its issuer's certificate, or " + pin_it;
  }
  return whose + " is refused (" + X509_verify_cert_error_string(seen_->error) + "): renew it, or " + pin_it;
}

std::string ServerCheck::failure_text(std::string_view host, bool refused, std::string_view library_text) const {
  struct Sign {
    std::string_view library;
    std::string_view text;
  };
  // OpenSSL's reasons; before any certificate is judged.
  static constexpr std::array<Sign, 6> signs{{
      {"unsupported protocol", " speaks only TLS older than 1.2: update it, or put a proxy with TLS 1.2 before it"},
      {"protocol version", " speaks only TLS older than 1.2: update it, or put a proxy with TLS 1.2 before it"},
      {"wrong version number",
       " does not speak TLS at this port: check the port, or write http:// if it is meant to be without"},
      {"certificate required",
       " wants a certificate of ours: sources cannot show one, switch that off for this server"},
      {"key too small", " uses a key too small to be safe: renew its certificate"},
      {"handshake failure", " has no encryption in common with us: update it"},
  }};
  for (const auto& sign : signs) {
    if (library_text.find(sign.library) != std::string_view::npos) return std::string(host) + std::string(sign.text);
  }
  // A forged signature is an error of the library's own kind; what the verification said counts more.
  if (seen_ && (refused || seen_->error != X509_V_OK)) return certificate_text(host);
  return "the TLS connection to " + std::string(host) + " was not made (" + printable(library_text) +
         "): check its address and its certificate";
}

}  // namespace millrace::outbound::internal
