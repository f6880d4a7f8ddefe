// millrace_erp_simulator: a Service Layer with a made-up company on loopback, and a door to change its orders.
//
//   millrace_erp_simulator [--orders N] [--seed N] [--first-number N] [--port N] [--delay-ms N]
//
// Prints "erp http://127.0.0.1:PORT/b1s/v2" and "control http://127.0.0.1:PORT", then answers until it is ended. The
// company is NORDWERK, user and password are "manager". Times are microseconds of the steady clock, which all programs
// of a machine share.
//
//   GET  /stats                                    what the Service Layer counted itself
//   POST /change?count=N[&which=open][&key=K][&trace=version_only|silent][&push=1]
//                                                  changes N orders, or N times order K, then (push) tells the
//                                                  subscribers of webhooks
//   POST /deed?what=close|cancel|remove[&count=N]  does that to the first N open orders
//   POST /delay?ms=N                               every answer takes so much longer from now on
//   POST /push                                     tells subscribers what they have not heard yet
//
// Subscriptions must begin with https://; whoever is told hears it over http, as behind a proxy that ends TLS.
#include <csignal>

#include <atomic>
#include <charconv>
#include <iostream>
#include <map>
#include <span>

#include "base/json_writer.h"
#include "base/text.h"
#include "outbound/http_client.h"
#include "simulator/listener.h"
#include "simulator/query.h"
#include "simulator/script.h"
#include "simulator/service_layer.h"
#include "testing/erp_simulator/changes.h"

namespace {

using namespace millrace;

struct Wish {
  std::uint64_t orders = 1000, seed = 1, first_number = 0, port = 0, delay_ms = 0;
};

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Wish> read(std::span<char* const> words) {
  Wish wish;
  const std::map<std::string_view, std::uint64_t*> known = {{"--orders", &wish.orders},
                                                            {"--seed", &wish.seed},
                                                            {"--first-number", &wish.first_number},
                                                            {"--port", &wish.port},
                                                            {"--delay-ms", &wish.delay_ms}};
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto option = known.find(words[i]);
    const auto number = number_of(i + 1 < words.size() ? words[i + 1] : "");
    if (option == known.end() || !number || *number > 2'000'000'000) return std::nullopt;
    *option->second = *number;
  }
  return wish.port < 65'536 ? std::optional(wish) : std::nullopt;
}

// What a proxy in front of Millrace does: takes TLS, passes plain HTTP on.
class BehindProxy final : public outbound::Transport {
 public:
  explicit BehindProxy(outbound::Transport& way) : way_(way) {}
  outbound::Reply send(const outbound::Call& call) override {
    outbound::Call plain = call;
    if (plain.url.starts_with("https://")) plain.url.erase(4, 1);
    return way_.send(plain);
  }
  void cancel() override { way_.cancel(); }

 private:
  outbound::Transport& way_;
};

class Control {
 public:
  Control(simulator::ServiceLayer& server, outbound::Transport& wire, std::uint64_t seed, std::atomic<std::uint64_t>& delay_ms)
      : server_(server), wire_(wire), changes_(seed), delay_ms_(delay_ms) {}

  // Called by one thread.
  outbound::Reply answer(const outbound::Call& call) {
    const std::size_t path = call.url.find('/', call.url.find("://") + 3);
    const std::size_t question = call.url.find('?', path);
    const std::string route = call.method + " " + call.url.substr(path, question - path);
    const auto words = question == std::string::npos ? std::map<std::string, std::string>{} : words_of(call.url.substr(question + 1));
    if (route == "GET /stats") return reply(200, stats());
    if (route == "POST /change") return change(words);
    if (route == "POST /deed") return deed(words);
    if (route == "POST /push") return reply(200, "{\"calls\":" + std::to_string(server_.push_events(wire_)) + "}");
    if (route == "POST /delay") {
      const auto wanted = words.contains("ms") ? number_of(words.at("ms")) : std::nullopt;
      if (!wanted) return reply(400, R"({"error":"say ms=N"})");
      delay_ms_ = *wanted;
      return reply(200, "{}");
    }
    return reply(404, R"({"error":"there are GET /stats and POST /change, /deed, /delay, /push"})");
  }

 private:
  static std::map<std::string, std::string> words_of(std::string_view query) {
    std::map<std::string, std::string> words;
    for (const std::string_view part : split(query, '&')) {
      const std::size_t equal = part.find('=');
      words[simulator::percent_decoded(part.substr(0, equal))] =
          equal == std::string_view::npos ? "" : simulator::percent_decoded(part.substr(equal + 1));
    }
    return words;
  }

  static outbound::Reply reply(int status, std::string json) {
    outbound::Reply reply;
    reply.status = status;
    reply.headers.emplace_back("Content-Type", "application/json");
    reply.body = std::move(json);
    return reply;
  }

  outbound::Reply change(const std::map<std::string, std::string>& words) {
    const auto word = [&](const std::string& name, const char* otherwise) {
      const auto found = words.find(name);
      return found == words.end() ? std::string(otherwise) : found->second;
    };
    const auto count = number_of(word("count", "1"));
    const std::string traced = word("trace", "stamped");
    const bool known = traced == "stamped" || traced == "version_only" || traced == "silent";
    if (!count || *count > 100'000 || !known) return reply(400, R"({"error":"say count=N and a trace that is stamped, version_only or silent"})");
    const auto trace = traced == "stamped" ? simulator::Trace::stamped : traced == "silent" ? simulator::Trace::silent : simulator::Trace::version_only;
    const auto which = word("which", "all") == "open" ? testing::WhichOrders::open : testing::WhichOrders::all;
    const auto key = number_of(word("key", ""));
    std::string json;
    JsonWriter out(json);
    out.begin_object().key("changes").begin_array();
    for (std::uint64_t i = 0; i < *count; ++i) {
      // One at a time: others may read between two changes, and each has its own moment.
      const bool changed = server_.with_company([&](simulator::Company& company) {
        const simulator::Stamp stamp = server_.local_time();
        const simulator::Document* order = key ? changes_.change_one(company, static_cast<std::int32_t>(*key), stamp, trace)
                                               : changes_.change(company, stamp, trace, which);
        if (order == nullptr) return false;
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        out.begin_object().field("order", std::to_string(order->number)).field("key", std::int64_t{order->entry});
        out.field("at_us", std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(now).count()}).end_object();
        return true;
      });
      if (!changed) return reply(409, R"({"error":"there is no such order"})");
    }
    out.end_array();
    if (word("push", "0") == "1") out.field("pushed", std::uint64_t{server_.push_events(wire_)});
    out.end_object();
    return reply(200, std::move(json));
  }

  outbound::Reply deed(const std::map<std::string, std::string>& words) {
    const std::string what = words.contains("what") ? words.at("what") : "";
    const auto count = number_of(words.contains("count") ? words.at("count") : "1");
    if (!count || (what != "close" && what != "cancel" && what != "remove"))
      return reply(400, R"({"error":"say what=close, cancel or remove, and count=N"})");
    std::string json;
    JsonWriter out(json);
    out.begin_object().key("orders").begin_array();
    server_.with_company([&](simulator::Company& company) {
      std::vector<std::int32_t> open;
      for (const auto& [entry, order] : company.orders)
        if (order.open && open.size() < *count) open.push_back(entry);
      for (const std::int32_t entry : open) {
        simulator::Document& order = company.orders.at(entry);
        out.text(std::to_string(order.number));
        if (what == "close") company.close(order, server_.local_time(), simulator::Trace::stamped);
        if (what == "cancel") company.cancel(order, server_.local_time(), simulator::Trace::stamped);
        if (what == "remove") company.remove(entry);
      }
      return 0;
    });
    out.end_array().end_object();
    return reply(200, std::move(json));
  }

  std::string stats() const {
    const simulator::Stats stats = server_.stats();
    std::string json;
    JsonWriter out(json);
    out.begin_object().field("calls", stats.calls).field("logins", stats.logins).field("logouts", stats.logouts).field("pings", stats.pings);
    out.field("pages", stats.pages).field("rows", stats.rows).field("bytes", stats.bytes).field("faults", stats.faults);
    out.field("refused", stats.refused).key("by_set").begin_object();
    for (const auto& [set, calls] : stats.by_set) out.field(set, calls);
    out.end_object().end_object();
    return json;
  }

  simulator::ServiceLayer& server_;
  outbound::Transport& wire_;
  testing::OrderChanges changes_;
  std::atomic<std::uint64_t>& delay_ms_;
};

void fill(simulator::ServiceLayer& server, const Wish& wish) {
  simulator::RandomCompanyOptions options;
  options.seed = wish.seed;
  options.orders = wish.orders;
  options.items = 500;
  options.manufacturers = 25;
  options.partners = 300;
  options.now = server.local_time();
  server.with_company([&](simulator::Company& company) {
    company = simulator::random_company(options);
    if (wish.first_number == 0) return 0;
    auto number = static_cast<std::int32_t>(wish.first_number);
    for (auto& [key, order] : company.orders) order.number = number++;
    return 0;
  });
}

int serve(const Wish& wish) {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread: all inherit it

  const SystemClock clock;
  simulator::ServiceLayer server({}, {}, clock);
  fill(server, wish);
  auto client = outbound::make_http_client({});
  if (!client) {
    std::cerr << client.error().text() << std::endl;
    return 1;
  }
  BehindProxy wire(**client);
  std::atomic<std::uint64_t> delay_ms{wish.delay_ms};
  Control control(server, wire, wish.seed, delay_ms);
  simulator::ListenerOptions listen;
  listen.port = static_cast<std::uint16_t>(wish.port);
  auto erp = simulator::Listener::start(listen, [&](const outbound::Call& call) {
    outbound::Reply reply = server.answer(call);
    reply.took += std::chrono::milliseconds(delay_ms);
    return reply;
  });
  auto door = simulator::Listener::start({}, [&](const outbound::Call& call) { return control.answer(call); });
  if (!erp || !door) {
    std::cerr << (erp ? door : erp).error().text() << std::endl;
    return 1;
  }
  std::cout << "erp " << (*erp)->url() << "/b1s/v2\ncontrol " << (*door)->url() << std::endl;
  int signal = 0;
  ::sigwait(&ends, &signal);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto wish = read(std::span<char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!wish) {
    std::cerr << "usage: millrace_erp_simulator [--orders N] [--seed N] [--first-number N] [--port N] [--delay-ms N]\n";
    return 2;
  }
  return serve(*wish);
}
