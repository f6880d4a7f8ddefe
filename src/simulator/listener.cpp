// Boost's headers do not know our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "base/boost_asio_options.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#pragma GCC diagnostic pop

#include <thread>

#include "base/log.h"
#include "simulator/listener.h"

namespace millrace::simulator {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr auto idle_max = std::chrono::minutes(5);
constexpr std::uint32_t header_max = 64 * 1024;  // longer than what the server refuses with 414
constexpr std::uint64_t body_max = 1 << 20;

outbound::Call call_of(const http::request<http::string_body>& request, const std::string& origin) {
  outbound::Call call;
  call.method = request.method_string();
  call.url = origin + std::string(request.target());
  for (const auto& field : request) call.headers.emplace_back(field.name_string(), field.value());
  call.body = request.body();
  return call;
}

http::response<http::string_body> response_of(outbound::Reply reply, const http::request<http::string_body>& request) {
  http::response<http::string_body> response(static_cast<http::status>(reply.status), request.version());
  for (const auto& [name, value] : reply.headers) response.insert(name, value);
  response.keep_alive(request.keep_alive());
  response.body() = std::move(reply.body);
  response.prepare_payload();
  return response;
}

}  // namespace

struct Listener::Impl {
  Impl(ListenerOptions given, Answer answering)
      : options(std::move(given)),
        answer(std::move(answering)),
        acceptor(network),
        tls(asio::ssl::context::tls_server) {}

  bool speaks_tls() const { return !options.certificate_file.empty(); }
  std::string origin() const {
    return (speaks_tls() ? "https://" : "http://") + options.address + ":" +
           std::to_string(acceptor.local_endpoint().port());
  }

  Result<void> open();
  asio::awaitable<void> accept();
  template <class Stream>
  asio::awaitable<void> converse(Stream& stream);
  asio::awaitable<void> serve(tcp::socket socket);

  const ListenerOptions options;
  const Answer answer;
  asio::io_context network{1};
  tcp::acceptor acceptor;
  asio::ssl::context tls;
  std::string url;
  std::thread thread;
};

Result<void> Listener::Impl::open() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error || !address.is_loopback())
    return fail(ErrorCode::invalid_input,
                options.address + ": the simulated ERP listens on loopback only; use 127.0.0.1");
  if (options.certificate_file.empty() != options.key_file.empty())
    return fail(ErrorCode::invalid_input, "the simulated ERP needs both a certificate and its key, or neither");
  if (speaks_tls()) {
    tls.use_certificate_chain_file(options.certificate_file, error);
    if (!error) tls.use_private_key_file(options.key_file, asio::ssl::context::pem, error);
    if (error)
      return fail(ErrorCode::invalid_input,
                  options.certificate_file + ": the certificate and its key cannot be used: " + error.message());
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return fail(ErrorCode::unavailable, "the simulated ERP cannot listen on " + options.address + ":" +
                                            std::to_string(options.port) + ": " + error.message() +
                                            "; choose another port");
  url = origin();
  return {};
}

asio::awaitable<void> Listener::Impl::accept() {
  for (;;) {
    boost::system::error_code error;
    tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (!error) asio::co_spawn(network, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Listener::Impl::serve(tcp::socket socket) {
  boost::system::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  if (!speaks_tls()) {
    beast::tcp_stream stream(std::move(socket));
    co_await converse(stream);
    co_return;
  }
  beast::ssl_stream<beast::tcp_stream> stream(std::move(socket), tls);
  beast::get_lowest_layer(stream).expires_after(idle_max);
  co_await stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    log_debug("simulator_handshake_failed", {{"reason", error.message()}});
    co_return;
  }
  co_await converse(stream);
}

// Requests of one connection, one after the other, until it ends.
template <class Stream>
asio::awaitable<void> Listener::Impl::converse(Stream& stream) {
  beast::flat_buffer buffer;
  asio::steady_timer timer(network);
  for (;;) {
    boost::system::error_code error;
    http::request_parser<http::string_body> parser;
    parser.header_limit(header_max);
    parser.body_limit(body_max);
    beast::get_lowest_layer(stream).expires_after(idle_max);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const auto request = parser.release();
    outbound::Reply reply = answer(call_of(request, url));
    if (reply.failure == outbound::Failure::timeout) reply.took = idle_max;
    if (reply.took.count() > 0) {
      timer.expires_after(reply.took);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    if (reply.failure != outbound::Failure::none) co_return;  // the connection breaks without an answer
    const auto response = response_of(std::move(reply), request);
    beast::get_lowest_layer(stream).expires_after(idle_max);
    co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
    if (error || response.need_eof()) co_return;
  }
}

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Listener>> Listener::start(ListenerOptions options, Answer answer) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(answer));
  if (const auto opened = impl->open(); !opened) return pass_on(opened);
  asio::co_spawn(impl->network, impl->accept(), asio::detached);
  impl->thread = std::thread([network = &impl->network] { network->run(); });
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::~Listener() { stop(); }

void Listener::stop() {
  impl_->network.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

std::string Listener::url() const { return impl_->url; }

}  // namespace millrace::simulator
