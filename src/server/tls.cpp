#include "server/tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/fd.h"
#include "base/text.h"
#include "server/internal/openssl.h"

namespace millrace::server {

namespace {

inline constexpr std::size_t names_max = 64;

struct Pair {
  X509Pointer certificate;
  KeyPointer key;
};

BioPointer open_file(const std::string& path) { return BioPointer(BIO_new_file(path.c_str(), "rb")); }

Result<void> check_key_mode(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return fail(ErrorCode::not_found, "The key file " + printable(path) + " cannot be read: " + std::strerror(errno) + ".");
  if ((found.st_mode & 0007) != 0)
    return fail(ErrorCode::denied, printable(path) + " is a private key and everybody may read it; run chmod 600 " + printable(path) + ".");
  return {};
}

Result<Pair> read_pair(const TlsFiles& files) {
  Pair pair;
  const BioPointer certificate = open_file(files.certificate);
  if (!certificate) {
    ERR_clear_error();
    return fail(ErrorCode::not_found, "The certificate file " + printable(files.certificate) + " cannot be read: " + std::strerror(errno) + ".");
  }
  pair.certificate.reset(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
  if (!pair.certificate) return fail(ErrorCode::invalid_input, printable(files.certificate) + " holds no certificate in PEM form: " + openssl_error() + ".");
  if (const auto mode = check_key_mode(files.key); !mode) return pass_on(mode);
  const BioPointer key = open_file(files.key);
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };  // nobody is there to type one
  if (key) pair.key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, no_passphrase, nullptr));
  if (!pair.key) return fail(ErrorCode::invalid_input, printable(files.key) + " holds no private key in PEM form without a passphrase: " + openssl_error() + ".");
  if (X509_check_private_key(pair.certificate.get(), pair.key.get()) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::invalid_input, printable(files.key) + " is not the key of " + printable(files.certificate) + ".");
  }
  return pair;
}

std::string name_text(const X509_NAME* name) {
  char text[256] = "";
  X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), NID_commonName, text, sizeof text);
  return printable(text);
}

Instant instant_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::time_point_cast<Instant::duration>(std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

std::string fingerprint_of(X509& certificate) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), hash, &size) != 1) return {};
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    char two[4];
    std::snprintf(two, sizeof two, i ? ":%02X" : "%02X", unsigned{hash[i]});
    text += two;
  }
  return text;
}

std::vector<std::string> names_of(X509& certificate) {
  std::vector<std::string> names;
  const NamesPointer all(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      names.push_back(printable(std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                                 static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)))));
    } else if (name->type == GEN_IPADD) {
      char text[INET6_ADDRSTRLEN] = "";
      const int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
      if (::inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text)) names.emplace_back(text);
    }
  }
  return names;
}

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || name.starts_with('.') || name.starts_with('-')) return false;
  for (const std::string_view part : split(name, '.'))
    if (part.empty() || part.size() > 63) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
  });
}

// "keyUsage", "critical,keyCertSign": as the library's own settings write it.
bool add_extension(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPointer extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

struct Wish {
  std::string common_name;
  std::chrono::days lifetime;
  std::vector<std::pair<int, std::string>> extensions;
};

// A certificate with a fresh key, signed by `issuer` or by itself.
Result<Pair> make_pair(const Wish& wish, const Pair* issuer, Instant now) {
  Pair made{X509Pointer(X509_new()), KeyPointer(EVP_EC_gen("P-256"))};
  const BignumPointer serial(BN_new());
  const auto from = std::chrono::system_clock::to_time_t(now - std::chrono::minutes(5));  // clocks of others are a little behind
  const auto until = std::chrono::system_clock::to_time_t(now + wish.lifetime);
  X509* certificate = made.certificate.get();
  bool done = certificate && made.key && serial && BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) && X509_set_version(certificate, 2) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(certificate), from) && ASN1_TIME_set(X509_getm_notAfter(certificate), until) &&
              X509_set_pubkey(certificate, made.key.get()) == 1;
  const auto* name = reinterpret_cast<const unsigned char*>(wish.common_name.data());
  done = done && X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8, name,
                                            static_cast<int>(wish.common_name.size()), -1, 0) == 1;
  X509* signer = issuer ? issuer->certificate.get() : certificate;
  done = done && X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1;
  for (const auto& [kind, value] : wish.extensions) done = done && add_extension(*certificate, *signer, kind, value);
  done = done && X509_sign(certificate, (issuer ? issuer->key : made.key).get(), EVP_sha256()) > 0;
  if (!done) return fail(ErrorCode::internal, "No certificate could be made: " + openssl_error() + ".");
  return made;
}

Result<void> write_file(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  const UniqueFd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool written = file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file.get()) == 0 &&
                       ::rename(beside.c_str(), path.c_str()) == 0;
  if (!written) return fail(ErrorCode::unavailable, "The file " + printable(path) + " cannot be written: " + std::strerror(errno) + ".");
  return {};
}

Result<void> write_pair(const Pair& pair, const TlsFiles& files) {
  const BioPointer certificate(BIO_new(BIO_s_mem())), key(BIO_new(BIO_s_mem()));
  const bool done = certificate && key && PEM_write_bio_X509(certificate.get(), pair.certificate.get()) == 1 &&
                    PEM_write_bio_PKCS8PrivateKey(key.get(), pair.key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!done) return fail(ErrorCode::internal, "The certificate could not be written as text: " + openssl_error() + ".");
  const auto text = [](BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string_view(data, static_cast<std::size_t>(size));
  };
  // The key first: who sees a new certificate finds its key there.
  if (const auto written = write_file(files.key, text(key.get())); !written) return pass_on(written);
  return write_file(files.certificate, text(certificate.get()));
}

TlsFiles authority_files(const std::string& folder) { return {folder + "/ca.pem", folder + "/ca.key"}; }

Result<Pair> authority_of(const std::string& folder, const std::string& machine, Instant now, bool& is_new) {
  const TlsFiles files = authority_files(folder);
  is_new = !std::filesystem::exists(files.certificate);
  if (!is_new) return read_pair(files);
  const Wish wish{"Millrace authority of " + machine,
                  std::chrono::days(3650),
                  {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"}, {NID_key_usage, "critical,keyCertSign,cRLSign"}, {NID_subject_key_identifier, "hash"}}};
  auto made = make_pair(wish, nullptr, now);
  if (!made) return made;
  if (const auto written = write_pair(*made, files); !written) return pass_on(written);
  return made;
}

Result<std::string> alternative_names(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > names_max)
    return fail(ErrorCode::invalid_input, "A certificate needs between 1 and " + std::to_string(names_max) + " names; give them with --host.");
  std::string text;
  for (const std::string& name : names) {
    const bool address = is_address(name);
    if (!address && !is_host_name(name))
      return fail(ErrorCode::invalid_input, "\"" + printable(name) + "\" is neither a host name, such as plant.example.com, nor an address.");
    text += (text.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  return text;
}

}  // namespace

std::string tls_folder(const std::string& data) { return data + "/tls"; }
TlsFiles made_tls_files(const std::string& folder) { return {folder + "/cert.pem", folder + "/key.pem"}; }

Result<CertificateFacts> check_tls_files(const TlsFiles& files) {
  const auto pair = read_pair(files);
  if (!pair) return pass_on(pair);
  X509& certificate = *pair->certificate;
  return CertificateFacts{name_text(X509_get_subject_name(&certificate)), name_text(X509_get_issuer_name(&certificate)), names_of(certificate),
                          instant_of(X509_get0_notBefore(&certificate)),  instant_of(X509_get0_notAfter(&certificate)),  fingerprint_of(certificate)};
}

Result<MadeTls> make_tls_files(const std::string& folder, const std::vector<std::string>& names, Instant now) {
  const auto alternatives = alternative_names(names);
  if (!alternatives) return pass_on(alternatives);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || ::chmod(folder.c_str(), 0700) != 0)
    return fail(ErrorCode::unavailable, "The folder " + printable(folder) + " cannot be made: " + (error ? error.message() : std::strerror(errno)) + ".");
  MadeTls made{made_tls_files(folder), authority_files(folder).certificate, {}, false};
  const auto authority = authority_of(folder, names.front(), now, made.authority_is_new);
  if (!authority) return pass_on(authority);
  made.authority_fingerprint = fingerprint_of(*authority->certificate);
  const Wish wish{names.front().substr(0, 64),
                  std::chrono::days(397),
                  {{NID_basic_constraints, "critical,CA:FALSE"},
                   {NID_key_usage, "critical,digitalSignature"},
                   {NID_ext_key_usage, "serverAuth"},
                   {NID_subject_alt_name, *alternatives},
                   {NID_subject_key_identifier, "hash"},
                   {NID_authority_key_identifier, "keyid:always"}}};
  const auto leaf = make_pair(wish, &*authority, now);
  if (!leaf) return pass_on(leaf);
  if (const auto written = write_pair(*leaf, made.files); !written) return pass_on(written);
  return made;
}

}  // namespace millrace::server
