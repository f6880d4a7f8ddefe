#include "simulator/listener.h"

#include <doctest/doctest.h>

#include "outbound/http_client.h"
#include "simulator/script.h"
#include "simulator/service_layer.h"

namespace millrace::simulator {
namespace {

struct Plant {
  Plant() : server({}, random_company({.seed = 1, .orders = 30, .now = Stamp{20'514, 0}}), clock) {
    auto started = Listener::start({}, answer());
    REQUIRE(started.has_value());
    listener = std::move(*started);
    auto made = outbound::make_http_client({});
    REQUIRE(made.has_value());
    client = std::move(*made);
  }
  Listener::Answer answer() {
    return [this](const outbound::Call& call) { return server.answer(call); };
  }
  outbound::Reply send(std::string method, const std::string& path, std::string cookies = "", std::string body = "") {
    outbound::Call call;
    call.method = std::move(method);
    call.url = listener->url() + path;
    if (!cookies.empty()) call.headers.emplace_back("Cookie", cookies);
    call.body = std::move(body);
    call.deadline = std::chrono::seconds(10);
    return client->send(call);
  }
  std::string log_in() {
    std::string cookies;
    const auto reply =
        send("POST", "/b1s/v2/Login", "", R"({"CompanyDB":"NORDWERK","UserName":"manager","Password":"manager"})");
    for (const std::string_view cookie : reply.all("Set-Cookie"))
      cookies += std::string(cookie.substr(0, cookie.find(';'))) + "; ";
    return cookies;
  }
  SystemClock clock;
  ServiceLayer server;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<outbound::Transport> client;
};

TEST_CASE("over the wire the server says what it says inside the process") {
  Plant plant;
  const std::string cookies = plant.log_in();
  const auto reply = plant.send("GET", "/b1s/v2/Orders?$select=DocEntry&$top=3", cookies);
  CHECK(reply.status == 200);
  CHECK(reply.body.contains("\"DocEntry\":3}"));
  CHECK(reply.header("Content-Type").starts_with("application/json"));
  CHECK(plant.send("GET", "/b1s/v2/Orders").status == 401);
  CHECK(plant.send("GET", "/b1s/v2/Orders?$filter=" + std::string(9000, 'x'), cookies).status == 414);
}

TEST_CASE("a reset breaks the connection and the next call is answered again") {
  Plant plant;
  const std::string cookies = plant.log_in();
  plant.server.fail_next(Fault::reset, 2);  // a client may send once more on a fresh connection by itself
  CHECK(plant.send("GET", "/b1s/v2/Orders", cookies).failure != outbound::Failure::none);
  plant.server.fail_next(Fault::reset, 0);
  CHECK(plant.send("GET", "/b1s/v2/Orders", cookies).status == 200);
}

TEST_CASE("it listens on loopback only and says when a port is taken") {
  Plant plant;
  const auto outside = Listener::start({.address = "0.0.0.0"}, plant.answer());
  REQUIRE_FALSE(outside.has_value());
  CHECK(outside.error().code() == ErrorCode::invalid_input);
  const std::string url = plant.listener->url();
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  const auto taken = Listener::start({.port = port}, plant.answer());
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().code() == ErrorCode::unavailable);
}

}  // namespace
}  // namespace millrace::simulator
