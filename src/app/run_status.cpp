// Asks the running server. Small JSON documents: Boost.JSON.
#include <boost/json.hpp>

#include "app/commands.h"
#include "app/loopback_http.h"
#include "app/people_desk.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace millrace::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto patience = 3s;

Result<json::value> ask(const LocalServer& server, const std::string& path) {
  const std::string& address = server.address;
  const auto answer = get_from(server, path, patience);
  if (!answer) return pass_on(answer);
  if (answer->status == 401) return fail(ErrorCode::denied, address + " asks for a sign-in; run the command under the server's account and with its --data");
  if (answer->status != 200)
    return fail(ErrorCode::unavailable, address + path + " answered " + std::to_string(answer->status));
  boost::system::error_code error;
  json::value value = json::parse(answer->body, error);
  if (error) return fail(ErrorCode::unavailable, address + path + " did not answer in JSON: is that a Millrace?");
  return value;
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::uint64_t number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::uint64_t>(error);
  return error ? 0 : number;
}

double ratio_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  const double number = value != nullptr && value->is_number() ? value->to_number<double>(error) : 0.0;
  return error ? 0.0 : number;
}

const json::object* object_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::string one_decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string sources_table(const json::value& sources) {
  Table table(
      {{"source"}, {"state"}, {"age", true}, {"orders", true}, {"rejected", true}, {"files", true}, {"message"}});
  const json::object* top = sources.if_object();
  const json::value* rows = top == nullptr ? nullptr : top->if_contains("data");
  if (rows == nullptr || !rows->is_array()) return "";
  for (const json::value& row : rows->get_array()) {
    const json::object* source = row.if_object();
    if (source == nullptr) continue;
    const json::value* age = source->if_contains("age_s");
    table.row(
        {printable(text_at(*source, "id")), text_at(*source, "state"),
         age != nullptr && age->is_number() ? duration_text(std::chrono::seconds(number_at(*source, "age_s"))) : "-",
         grouped(number_at(*source, "orders")), grouped(number_at(*source, "rejections")),
         grouped(number_at(*source, "files")), printable(text_at(*source, "message"))});
  }
  return table.text();
}

std::string performance_lines(const json::value& performance) {
  const json::object* top = performance.if_object();
  if (top == nullptr) return "";
  std::string text;
  if (const auto* requests = object_at(*top, "requests")) {
    text += "requests  " + grouped(number_at(*requests, "count")) + ", p50 " +
            one_decimal(ratio_at(*requests, "p50_ms")) + " ms, p95 " + one_decimal(ratio_at(*requests, "p95_ms")) +
            " ms, p99 " + one_decimal(ratio_at(*requests, "p99_ms")) + " ms, " +
            grouped(number_at(*requests, "errors")) + " errors\n";
  }
  if (const auto* cache = object_at(*top, "cache")) {
    text += "cache     " + one_decimal(100.0 * ratio_at(*cache, "hit_rate")) + " % hits (" + text_at(*cache, "word") +
            ")\n";
  }
  if (const auto* memory = object_at(*top, "memory"))
    text += "memory    " + bytes_text(number_at(*memory, "rss_bytes")) + "\n";
  if (const auto* record = object_at(*top, "record"))
    text += "record    " + bytes_text(number_at(*record, "database_bytes")) + "\n";
  return text;
}

struct Readiness {
  bool ready = false;
  std::string why_not;
};

Result<Readiness> ask_ready(const std::string& address) {
  const auto answer = get_from(address, "/readyz", patience);
  if (!answer) return pass_on(answer);
  return Readiness{answer->status == 200, answer->status == 200 ? "" : printable(trim(answer->body))};
}

}  // namespace

bool server_answers(const std::string& address) {
  const auto answer = get_from(address, "/livez", 300ms);
  return answer && answer->status == 200;
}

int run_status(const CommandContext& context) {
  const std::string& address = context.settings.values.listen;
  Console& console = context.console;
  const auto readiness = ask_ready(address);
  if (!readiness) {
    if (context.invocation.json) console.out() << "{\"address\":\"" << address << "\",\"ready\":false}\n" << std::flush;
    console.error(readiness.error().text() +
                  "; `millrace serve` or `millrace demo` starts a server, --listen names another address");
    return readiness.error().code() == ErrorCode::invalid_input ? exit_usage : exit_not_ready;
  }
  const LocalServer server = local_server(context.settings.values);
  const auto performance = ask(server, "/api/v1/performance");
  const auto sources = ask(server, "/api/v1/sources");
  const bool complete = performance.has_value() && sources.has_value();
  if (context.invocation.json) {
    std::string text;
    JsonWriter writer(text);
    writer.begin_object()
        .field("address", address)
        .field("ready", readiness->ready)
        .field("why_not", readiness->why_not);
    if (sources) writer.key("sources").raw(json::serialize(*sources));
    if (performance) writer.key("performance").raw(json::serialize(*performance));
    writer.end_object();
    console.out() << text << "\n" << std::flush;
  } else if (!console.quiet()) {
    std::ostream& out = console.out();
    out << "millrace at " << address << ": "
        << (readiness->ready ? console.painted("ready", Color::good)
                             : console.painted("not ready: " + readiness->why_not, Color::warning))
        << "\n\n";
    if (sources) out << sources_table(*sources) << "\n";
    if (performance) out << performance_lines(*performance);
    out << std::flush;
  }
  if (!complete) console.error((performance ? sources.error() : performance.error()).text());
  return readiness->ready && complete ? exit_ok : exit_not_ready;
}

}  // namespace millrace::app
