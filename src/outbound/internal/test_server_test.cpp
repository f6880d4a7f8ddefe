#include "outbound/internal/test_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <csignal>

#include "base/check.h"
#include "base/text.h"
#include "outbound/internal/server_check.h"

namespace millrace::outbound::testing {
namespace {

using SslOwner = std::unique_ptr<SSL, decltype(&SSL_free)>;

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), X509_EXTENSION_free);
  check(extension != nullptr, "an extension of a test certificate");
  X509_add_ext(certificate, extension.get(), -1);
}

bool is_address(const std::string& name) {
  in_addr v4;
  return ::inet_pton(AF_INET, name.c_str(), &v4) == 1;
}

std::size_t content_length(std::string_view head) {
  for (const auto line : split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), "Content-Length")) continue;
    const std::string_view value = trim(line.substr(colon + 1));
    std::size_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    return length;
  }
  return 0;
}

}  // namespace

Identity::Identity(const Wish& wish) : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
  static std::atomic<long> serial{1};
  X509* const made = certificate_.get();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
  X509_time_adj_ex(X509_getm_notBefore(made), wish.valid_from_days, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(made), wish.valid_until_days, 0, nullptr);
  X509_NAME* const subject = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(wish.name.c_str()),
                             -1, -1, 0);
  X509* const issuer = wish.signed_by == nullptr ? made : wish.signed_by->certificate();
  X509_set_issuer_name(made, X509_get_subject_name(issuer));
  X509_set_pubkey(made, key_.get());
  add_extension(made, issuer, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wish.authority)
    add_extension(made, issuer, NID_subject_alt_name, (is_address(wish.name) ? "IP:" : "DNS:") + wish.name);
  check(X509_sign(made, wish.signed_by == nullptr ? key_.get() : wish.signed_by->key(), EVP_sha256()) > 0,
        "a test certificate is signed");
}

std::string Identity::pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(memory.get(), certificate_.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string Identity::pin() const { return internal::pin_of(certificate_.get()); }

long Connection::read_some(char* to, std::size_t room) {
  if (tls_ != nullptr) return SSL_read(tls_, to, static_cast<int>(room));
  return ::recv(socket_, to, room, 0);
}

bool Connection::read_request() {
  std::array<char, 16384> buffer;
  std::size_t wanted = 0;
  for (;;) {
    const auto end = read_ahead_.find("\r\n\r\n");
    if (end != std::string::npos && wanted == 0)
      wanted = end + 4 + content_length(std::string_view(read_ahead_).substr(0, end));
    if (wanted > 0 && read_ahead_.size() >= wanted) break;
    const long size = read_some(buffer.data(), buffer.size());
    if (size <= 0) return false;
    read_ahead_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  request_ = read_ahead_.substr(0, wanted);
  read_ahead_.erase(0, wanted);
  return true;
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long size = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

bool Connection::client_gone_within(std::chrono::milliseconds time) {
  pollfd watched{socket_, POLLIN | POLLRDHUP, 0};
  if (::poll(&watched, 1, static_cast<int>(time.count())) <= 0) return false;
  return (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// Bytes may come before the end does.
void Connection::wait_until_client_goes() {
  pollfd watched{socket_, POLLRDHUP, 0};
  ::poll(&watched, 1, -1);
}

void Connection::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  // A connection to "nowhere" drops this one with RST.
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  ::connect(socket_, &nowhere, sizeof nowhere);
}

TestServer::TestServer(Script script, std::optional<TlsWish> tls) : script_(std::move(script)) {
  if (tls) {
    tls_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_security_level(tls_.get(), 0);  // else OpenSSL itself refuses TLS 1.0
    SSL_CTX_set_max_proto_version(tls_.get(), tls->version_max);
    SSL_CTX_set_min_proto_version(tls_.get(), TLS1_VERSION);
    SSL_CTX_use_certificate(tls_.get(), tls->identity->certificate());
    SSL_CTX_use_PrivateKey(tls_.get(), tls->identity->key());
  }
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  check(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_.get(), 16) == 0,
        "a test server listens");
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

TestServer::~TestServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  accepting_.join();
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
}

std::string TestServer::url(std::string_view path, std::string_view host) const {
  return (tls_ ? "https://" : "http://") + std::string(host) + ":" + std::to_string(port_) + std::string(path);
}

void TestServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    {
      const std::scoped_lock lock(mutex_);
      sockets_.emplace_back(socket);
    }
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void TestServer::serve(int socket) {
  // Only for this thread: the client under test has to live without that.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  SslOwner tls(tls_ ? SSL_new(tls_.get()) : nullptr, SSL_free);
  if (tls) {
    SSL_set_fd(tls.get(), socket);
    if (SSL_accept(tls.get()) <= 0) {
      ::shutdown(socket, SHUT_RDWR);
      return;
    }
  }
  Connection connection(socket, tls.get());
  script_(connection);
  if (tls) SSL_shutdown(tls.get());
  ::shutdown(socket, SHUT_RDWR);
}

TestServer::Script always(std::string answer) {
  return [answer = std::move(answer)](Connection& connection) {
    while (connection.read_request()) connection.send(answer);
  };
}

std::string http_answer(std::string_view body, std::string_view headers, std::string_view status) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

}  // namespace millrace::outbound::testing
