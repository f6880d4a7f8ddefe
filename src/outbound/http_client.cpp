#include "outbound/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <optional>

#include "base/log.h"
#include "base/text.h"
#include "outbound/internal/curl.h"
#include "outbound/internal/exchange.h"
#include "outbound/internal/server_check.h"

namespace millrace::outbound {
namespace {

using namespace internal;
using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr long kept_connections_max = 2;
constexpr long receive_buffer = 256 << 10;
constexpr auto poll_at_most = 1s;  // a bound only: the library's timers and `cancel` end a poll earlier

class CurlTransport final : public Transport {
 public:
  CurlTransport(HttpClientOptions options, ServerCheck server_check)
      : options_(std::move(options)),
        server_check_(std::move(server_check)),
        multi_(curl_multi_init()),
        easy_(curl_easy_init()) {
    check(multi_ && easy_, "libcurl gives its handles");
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kept_connections_max);
  }

  Reply send(const Call& call) override;
  void cancel() override {
    stopped_.store(true);
    curl_multi_wakeup(multi_.get());
  }

 private:
  void set_call(const Call& call, CURLU* url, curl_slist* headers);
  void set_care(const Call& call);
  void set_tls();
  // nullopt when we were cancelled.
  std::optional<CURLcode> run();
  void judge(Exchange& exchange, CURLcode code, milliseconds took) const;

  // Fixed; the check outlives the connections that ask it.
  const HttpClientOptions options_;
  ServerCheck server_check_;
  CurlMulti multi_;
  CurlEasy easy_;
  std::array<char, CURL_ERROR_SIZE> library_text_{};
  std::atomic<bool> stopped_{false};
};

// A sentence about a call that cannot be sent as it is, "" when it can. Nothing of a header's value is shown.
std::string mistake_in(const Call& call) {
  for (const auto& [name, value] : call.headers) {
    if (name.empty() || name.find_first_of("\r\n: ") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos || value.find('\0') != std::string::npos) {
      return "a header of the call to " + printable(host_of(call.url)) +
             " holds a line break or has no name: check the settings of this source";
    }
  }
  return "";
}

Reply failed(Failure failure, std::string text) {
  Reply reply;
  reply.failure = failure;
  reply.text = std::move(text);
  return reply;
}

// nullptr when the address is none that may be called.
CurlUrl parsed(const std::string& address) {
  CurlUrl url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, address.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) return nullptr;
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  return scheme == "http" || scheme == "https" ? std::move(url) : nullptr;
}

CurlList header_list(const Call& call) {
  CurlList list;
  const auto add = [&list](const std::string& line) {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    check(longer != nullptr, "memory for a header");
    list.release();
    list.reset(longer);
  };
  add("Expect:");  // taken out: SAP's balancer answers it with an empty 500
  const bool has_type = std::ranges::any_of(
      call.headers, [](const auto& header) { return equal_ignoring_case(header.first, "Content-Type"); });
  if (!has_type) add("Content-Type:");  // else the library claims a form
  for (const auto& [name, value] : call.headers) {
    if (!equal_ignoring_case(name, "Expect")) add(value.empty() ? name + ";" : name + ": " + value);
  }
  return list;
}

void CurlTransport::set_call(const Call& call, CURLU* url, curl_slist* headers) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_CURLU, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  if (call.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (call.method == "POST" || !call.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  if (call.method != "GET" && call.method != "HEAD" && call.method != "POST")
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, call.fresh_connection ? 1L : 0L);
}

void CurlTransport::set_care(const Call& call) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.deadline.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max(options_.connect_timeout, 1ms).count()));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a name server that hangs does not hold the deadline up
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // also none from the environment
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, receive_buffer);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "millrace");
  // What is not asked for but comes compressed is unpacked too, under the same bound.
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, options_.compression ? "gzip, deflate" : "identity");
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, library_text_.data());
}

CURLcode install_check(CURL*, void* context, void* server_check) noexcept {
  static_cast<ServerCheck*>(server_check)->install(static_cast<SSL_CTX*>(context));
  return CURLE_OK;
}

void CurlTransport::set_tls() {
  CURL* const easy = easy_.get();
  const TlsOptions& tls = server_check_.options();
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (server_check_.trusts_anybody()) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &install_check);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &server_check_);
  if (!tls.pin_sha256.empty()) curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, tls.pin_sha256.c_str());
  if (server_check_.pin_only()) {
    // The pinned key is the server, whatever its certificate says; no root is needed, so none are loaded.
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  } else if (!tls.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
}

std::optional<CURLcode> CurlTransport::run() {
  while (!stopped_.load()) {
    int running = 0;
    const CURLMcode turned = curl_multi_perform(multi_.get(), &running);
    check(turned == CURLM_OK, "libcurl's turn");
    int waiting = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &waiting)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(duration_cast<milliseconds>(poll_at_most).count()),
                    nullptr);
  }
  return std::nullopt;
}

Reply CurlTransport::send(const Call& call) {
  const std::string host = printable(host_of(call.url));
  const auto stop_text = [&host] {
    return failed(Failure::cancelled, "the call to " + host + " was ended because Millrace stops");
  };
  if (stopped_.load()) return stop_text();
  if (call.deadline <= 0ms)
    return failed(Failure::timeout, "the call to " + host + " has no time left: raise the timeout of this source");
  const CurlUrl url = parsed(call.url);
  if (!url)
    return failed(Failure::address_denied,
                  "the address " + (host.empty() ? std::string("of this source") : host) +
                      " is not one that may be called: write it as https://host:port/path, without user and password");
  if (const std::string mistake = mistake_in(call); !mistake.empty()) return failed(Failure::protocol, mistake);

  const CurlList headers = header_list(call);
  Exchange exchange{.call = call, .loopback_allowed = options_.loopback_allowed};
  curl_easy_reset(easy_.get());
  set_call(call, url.get(), headers.get());
  set_care(call);
  set_tls();
  exchange.set_callbacks(easy_.get());
  server_check_.forget();
  library_text_.fill('\0');

  const auto began = Stopwatch::now();
  check(curl_multi_add_handle(multi_.get(), easy_.get()) == CURLM_OK, "a handle is used by one call");
  const auto code = run();
  const auto took = Stopwatch::now() - began;
  if (code) {
    judge(exchange, *code, duration_cast<milliseconds>(took));
  } else {
    exchange.reply = stop_text();
  }
  curl_multi_remove_handle(multi_.get(), easy_.get());
  exchange.reply.took = duration_cast<std::chrono::microseconds>(took);
  return std::move(exchange.reply);
}

struct Verdict {
  Failure failure = Failure::none;
  std::string text;
};

std::string whole_seconds(milliseconds time) {
  return time % 1s == 0ms ? fmt::format("{} s", time / 1s) : fmt::format("{} ms", time.count());
}

Verdict timeout_verdict(const Exchange& exchange, CURL* easy, std::string_view host, milliseconds took,
                        milliseconds connect_timeout) {
  curl_off_t resolved = 0;
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
  // Only before the request leaves does the library end a call earlier than its deadline.
  const bool before_deadline = took + 1ms < exchange.call.deadline;
  const std::string limit = whole_seconds(before_deadline ? connect_timeout : exchange.call.deadline);
  if (before_deadline && resolved == 0)
    return {Failure::resolve,
            fmt::format("the name of {} was not found within {}: check the name server of this machine", host, limit)};
  if (before_deadline)
    return {Failure::connect, fmt::format("no connection to {} was made within {}: check the address and the port, and "
                                          "that no firewall is in between",
                                          host, limit)};
  return {Failure::timeout, fmt::format("{} gave no whole answer within {} ({} bytes came): ask for less at a time or "
                                        "raise the timeout of this source",
                                        host, limit, exchange.reply.bytes_received)};
}

Verdict connect_verdict(const Exchange& exchange, CURL* easy, std::string_view host) {
  if (!exchange.denied_address.empty()) {
    return {
        Failure::address_denied,
        fmt::format("{} leads to {}, an address that may not be called: give this source the address of its own server",
                    host, exchange.denied_address)};
  }
  long reason = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &reason);
  const std::string why = reason == 0 ? "" : fmt::format(" ({})", std::strerror(static_cast<int>(reason)));
  return {Failure::connect,
          fmt::format("nobody listens at {}{}: check the address and the port, and that the server runs", host, why)};
}

bool ended_by_the_other_side(std::string_view library_text) {
  return library_text.find("SYSCALL") != std::string_view::npos ||
         library_text.find("unexpected eof") != std::string_view::npos ||
         library_text.find("reset by peer") != std::string_view::npos;
}

Verdict broken_verdict(std::string_view host, std::string_view what) {
  return {Failure::protocol,
          fmt::format(
              "the answer of {} is not proper HTTP ({}): check that address and port are those of the server itself",
              host, what)};
}

Verdict reset_verdict(const Exchange& exchange, std::string_view host) {
  const std::string of = exchange.content_length.empty() ? "" : " of " + exchange.content_length;
  return {Failure::reset, fmt::format("{} ended the connection before the answer was whole ({}{} bytes came): if it "
                                      "stays so, look into the log of that server",
                                      host, exchange.reply.bytes_received, of)};
}

void CurlTransport::judge(Exchange& exchange, CURLcode code, milliseconds took) const {
  CURL* const easy = easy_.get();
  Reply& reply = exchange.reply;
  const std::string host = printable(host_of(exchange.call.url));
  const std::string_view library_text = library_text_[0] != '\0' ? library_text_.data() : curl_easy_strerror(code);
  curl_off_t body_bytes = 0;
  long header_bytes = 0, status = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &body_bytes);
  curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &header_bytes);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  reply.bytes_received = static_cast<std::uint64_t>(body_bytes) + static_cast<std::uint64_t>(header_bytes);
  reply.status = static_cast<int>(status);

  const auto verdict = [&]() -> Verdict {
    if (exchange.broken != nullptr) return broken_verdict(host, exchange.broken);
    if (exchange.body_too_large)
      return {Failure::too_large, fmt::format("the answer of {} is larger than {} MB: ask for smaller pages", host,
                                              std::max<std::uint64_t>(exchange.call.body_max >> 20, 1))};
    switch (code) {
      case CURLE_OK:
        return exchange.header_whole ? Verdict{} : reset_verdict(exchange, host);
      case CURLE_COULDNT_RESOLVE_HOST:
        return {Failure::resolve, fmt::format("the host name of {} is not known: check the address of this source and "
                                              "the name server of this machine",
                                              host)};
      case CURLE_COULDNT_CONNECT:
        return connect_verdict(exchange, easy, host);
      case CURLE_OPERATION_TIMEDOUT:
        return timeout_verdict(exchange, easy, host, took, options_.connect_timeout);
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return {Failure::tls, server_check_.failure_text(host, true, library_text)};
      case CURLE_SSL_CONNECT_ERROR:
        if (ended_by_the_other_side(library_text)) return reset_verdict(exchange, host);
        return {Failure::tls, server_check_.failure_text(host, false, library_text)};
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CIPHER:
      case CURLE_SSL_CERTPROBLEM:
        return {Failure::tls, server_check_.failure_text(host, false, library_text)};
      case CURLE_RECV_ERROR:
        if (library_text.find("chunked-encoding") != std::string_view::npos)
          return broken_verdict(host, printable(library_text));
        return reset_verdict(exchange, host);
      case CURLE_PARTIAL_FILE:
      case CURLE_SEND_ERROR:
      case CURLE_GOT_NOTHING:
        return reset_verdict(exchange, host);
      default:
        return broken_verdict(host, printable(library_text));
    }
  }();
  reply.failure = verdict.failure;
  reply.text = verdict.text;
  if (reply.failure != Failure::none) reply.body.clear();  // part of an answer is none
}

}  // namespace

Result<std::unique_ptr<Transport>> make_http_client(HttpClientOptions options) {
  start_curl();
  auto server_check = ServerCheck::make(options.tls);
  if (!server_check) return pass_on(server_check);
  if (server_check->trusts_anybody()) {
    log_warning("tls_not_verified",
                {{"text", "a source trusts any certificate because it says insecure: set pin or ca_file instead"}});
  }
  return std::make_unique<CurlTransport>(std::move(options), std::move(*server_check));
}

Result<std::string> url_on_same_host(const std::string& base, const std::string& reference) {
  start_curl();
  const CurlUrl from = parsed(base);
  if (!from)
    return fail(ErrorCode::invalid_input, "the address " + printable(host_of(base)) +
                                              " is not one that may be called: write it as https://host:port/path");
  const CurlUrl to(curl_url_dup(from.get()));
  const bool whole = to && curl_url_set(to.get(), CURLUPART_URL, reference.c_str(), CURLU_DISALLOW_USER) == CURLUE_OK;
  const bool same =
      whole && std::ranges::all_of(std::array{CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}, [&](CURLUPart part) {
        return equal_ignoring_case(part_of(from.get(), part), part_of(to.get(), part));
      });
  if (!same) {
    const std::string_view other = host_of(reference);
    return fail(ErrorCode::denied,
                printable(host_of(base)) + " sends us on to " +
                    (other.empty() ? std::string("an address that is none") : printable(other)) +
                    ", which is not the same server: if that is right, give this source that address");
  }
  return part_of(to.get(), CURLUPART_URL);
}

}  // namespace millrace::outbound
