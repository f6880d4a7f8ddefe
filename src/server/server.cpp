#include "server/server.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "server/internal/network.h"
#include "server/internal/own_answer.h"
#include "server/internal/webhook_events.h"

namespace millrace::server {

namespace {

struct Listen {
  asio::ip::address address;
  std::uint16_t port = 0;
};

Result<Listen> parse_listen(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::invalid_input,
                "\"" + std::string(text) + "\" is not an address to listen on; write it as 127.0.0.1:8080.");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  Listen listen;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (code != std::errc() || end != port.data() + port.size()) return wrong();
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  error_code error;
  listen.address = asio::ip::make_address(host, error);
  if (error) return wrong();
  return listen;
}

std::vector<std::string> route_names() {
  std::vector<std::string> names;
  for (const Route& route : route_table()) {
    std::string name(route.path);
    if (route.method != Method::get) name = std::string(name_of(route.method)) + " " + name;
    names.push_back(std::move(name));
  }
  names.push_back("other");
  return names;
}

class ServerImpl final : public Server {
 public:
  ServerImpl(Services services, ServerOptions options)
      : services_(std::move(services)),
        router_(route_table()),
        statistics_(services_.metrics, route_names()),
        hub_(std::make_unique<LiveHub>(services_, LiveOptions{.queue_max = options.live_queue_max})),
        core_{.backend = {services_, statistics_, *hub_, router_, webhooks_}, .options = options, .workers = workers_, .hashing = hashing_, .exports = exports_} {}

  ~ServerImpl() override { stop(std::chrono::milliseconds(0)); }

  Result<void> open_tls() {
    if (core_.options.tls.empty()) return {};
    auto context = TlsContext::open(core_.options.tls);
    if (!context) return pass_on(context);
    tls_ = std::move(*context);
    core_.tls = tls_.get();
    const CertificateFacts facts = tls_->facts();
    log_info("tls", {{"fingerprint", facts.fingerprint}, {"until", rfc3339(facts.not_after)}});
    return {};
  }

  Result<void> trust_proxies() {
    auto proxies = ProxyList::parse(core_.options.trusted_proxies);
    if (!proxies) return pass_on(proxies, "trusted_proxies");
    core_.proxies = std::move(*proxies);
    return {};
  }

  Result<void> listen(const Listen& listen) {
    std::vector<IoThread*> answering;
    for (std::size_t i = 0; i < std::max<std::size_t>(core_.options.thread_count, 1); ++i)
      answering.push_back(threads_.emplace_back(std::make_unique<IoThread>(core_)).get());
    IoThread& door = *threads_.emplace_back(std::make_unique<IoThread>(core_));
    if (const auto done = door.listen({listen.address, listen.port}, std::move(answering)); !done) return done;
    address_ = listen.address.is_v6() ? "[" + listen.address.to_string() + "]" : listen.address.to_string();
    address_ += ":" + std::to_string(door.endpoint().port());
    for (const auto& thread : threads_) thread->start();
    log_info("listening", {{"address", address_}});
    return {};
  }

  std::string address() const override { return address_; }
  Result<bool> renew_tls(bool anyway) override {
    if (!tls_) return false;
    return tls_->renew(anyway);
  }
  std::optional<CertificateFacts> certificate() const override {
    if (!tls_) return std::nullopt;
    return tls_->facts();
  }

  void publish(const std::vector<feed::Change>& changes, readmodel::SnapshotPtr snapshot) override {
    hub_->publish(changes, std::move(snapshot));
  }

  void revoke(const people::Revoked& revoked) override { hub_->revoke(revoked); }

  Result<std::unique_ptr<jobs::OwnAnswer>> ask(const std::string& path) override { return own_answer(path, core_.backend); }

  std::chrono::milliseconds silence() const override {
    Stopwatch::duration longest{};
    for (const auto& thread : threads_) longest = std::max(longest, thread->silence());
    return std::chrono::duration_cast<std::chrono::milliseconds>(longest);
  }

  void stop(std::chrono::milliseconds patience) override {
    if (stopped_) return;
    stopped_ = true;
    core_.stopping = true;
    for (const auto& thread : threads_) thread->begin_stop();
    {
      std::unique_lock lock(core_.mutex);
      core_.retired.wait_for(lock, patience, [&] { return core_.connections.load() == 0; });
    }
    hashing_.stop();
    workers_.stop();
    exports_.stop();
    for (const auto& thread : threads_) thread->join();
    hub_->stop();
  }

 private:
  Services services_;
  const Router router_;
  RequestStatistics statistics_;
  WebhookEvents webhooks_;
  std::unique_ptr<TlsContext> tls_;
  // Live clients hold sockets of the threads, so the hub goes before them (members end in reverse order).
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::unique_ptr<LiveHub> hub_;
  WorkerPool workers_{2};
  WorkerPool hashing_{4};  // they only wait; the desk of the directory says how many hash
  WorkerPool exports_{1};
  Core core_;
  std::string address_;
  bool stopped_ = false;
};

}  // namespace

Result<void> may_listen(std::string_view address, bool is_loopback, bool sign_in, bool tls) {
  if (is_loopback) return {};
  const std::string refused = "Millrace does not listen on " + std::string(address) + ": ";
  if (!sign_in)
    return fail(ErrorCode::invalid_input, refused + "without sign-in everybody on the network could read and change everything. "
                                                    "Leave out --auth none, or listen on 127.0.0.1.");
  if (!tls)
    return fail(ErrorCode::invalid_input, refused + "without TLS passwords and orders could be read on their way. "
                                                    "Run `millrace tls init`, or set tls_certificate and tls_key.");
  return {};
}

Result<std::unique_ptr<Server>> Server::start(Services services, ServerOptions options) {
  const auto listen = parse_listen(options.listen);
  if (!listen) return pass_on(listen);
  const bool tls = !options.tls.empty();
  if (const auto allowed = may_listen(options.listen, listen->address.is_loopback(), services.sign_in, tls); !allowed) return pass_on(allowed);
  auto server = std::make_unique<ServerImpl>(std::move(services), options);
  if (const auto trusted = server->trust_proxies(); !trusted) return pass_on(trusted);
  if (const auto opened = server->open_tls(); !opened) return pass_on(opened);
  if (const auto done = server->listen(*listen); !done) return pass_on(done);
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace millrace::server
