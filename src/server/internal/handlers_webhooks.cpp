// An ERP tells that records changed: a hint to read them soon, never the truth itself.
#include <array>
#include <map>

#include "base/json_writer.h"
#include "base/text.h"
#include "server/internal/handlers.h"
#include "server/internal/json_in.h"
#include "server/internal/webhook_events.h"

namespace millrace::server {
namespace {

// SAP's names of objects and our streams.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> streams = {{
    {"Orders", "orders"},
    {"Items", "items"},
    {"Manufacturers", "manufacturers"},
    {"BusinessPartners", "partners"},
    {"Invoices", "invoices"},
    {"IncomingPayments", "payments"},
    {"PurchaseOrders", "purchase-orders"},
    {"ProductionOrders", "production-orders"},
    {"ProductTrees", "product-trees"},
}};

std::string_view stream_of(std::string_view object) {
  for (const auto& [name, stream] : streams)
    if (name == object) return stream;
  return "";
}

Response answer(std::string body) {
  Response response;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

std::optional<std::string> key_of(const Backend& backend, const std::string& source) {
  return backend.services.webhook_key ? backend.services.webhook_key(source) : std::nullopt;
}

Response no_webhooks(const Request& request, const std::string& source) {
  return problem_response(request, {404, "not-found",
                                    "The source \"" + printable(source) + "\" takes no webhooks; give it a webhook_secret_file in the settings.", {}});
}

}  // namespace

// The handshake: whoever subscribes wants its own word back.
Response greet_webhook(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const std::string& source = request.path_values.at(0);
  if (!key_of(backend, source)) return no_webhooks(request, source);
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("Challenge", request.header("X-B1-Webhook-Token")).end_object();
  return answer(std::move(body));
}

Response take_webhook(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const std::string& source = request.path_values.at(0);
  const auto key = key_of(backend, source);
  if (!key) return no_webhooks(request, source);
  if (!is_signed(request.body, request.header("X-B1-Webhook-Signature"), *key))
    return problem_response(request, {401, "unauthorized", "The signature of this webhook is not ours: check that both sides use the same key.", {}});
  const auto events = parse_webhook(request.body);
  if (!events) return problem_response(request, problem_of(events.error()));
  std::map<std::string_view, std::vector<std::string>> keys;
  std::uint64_t taken = 0, known = 0, ignored = 0;
  for (const WebhookEvent& event : *events) {
    const std::string_view stream = stream_of(event.object);
    if (stream.empty()) {
      ++ignored;
    } else if (backend.webhooks.is_new(source, event.id)) {
      keys[stream].push_back(event.key);
      ++taken;
    } else {
      ++known;
    }
  }
  for (auto& [stream, list] : keys)
    if (const auto told = backend.services.sources.hint(source, stream, std::move(list)); !told)
      return problem_response(request, problem_of(told.error()));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("taken", taken).field("known", known).field("ignored", ignored).end_object();
  return answer(std::move(body));
}

}  // namespace millrace::server
