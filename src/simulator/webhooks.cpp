#include "simulator/webhooks.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/check.h"
#include "base/hash.h"
#include "base/json_writer.h"

namespace millrace::simulator {
namespace {

namespace json = boost::json;

Failure wrong(std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); }

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string hmac_sha256(std::string_view body, std::string_view key) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  check(::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(body.data()), body.size(), bytes, &size) != nullptr,
        "OpenSSL computes an HMAC");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += digits[bytes[i] >> 4];
    hex += digits[bytes[i] & 15];
  }
  return hex;
}

std::string_view key_property(std::string_view set) {
  if (set == "Items") return "ItemCode";
  return set == "BusinessPartners" ? "CardCode" : "DocEntry";
}

}  // namespace

Result<void> Webhooks::subscribe(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  const json::object* body = error ? nullptr : parsed.if_object();
  if (body == nullptr) return wrong("Invalid JSON in the request body");
  const std::string id = text_of(*body, "WebhookID");
  Subscription subscription;
  subscription.url = text_of(*body, "WebhookURL");
  subscription.secret = text_of(*body, "AuthenticationCred");
  const std::string authentication = text_of(*body, "AuthenticationType");
  if (id.empty()) return wrong("WebhookID is missing");
  if (!subscription.url.starts_with("https://")) return wrong("WebhookURL must begin with https://");
  if (!authentication.empty() && authentication != "HMAC")
    return wrong("AuthenticationType '" + authentication + "' is not simulated; use HMAC");
  if (subscription.secret.empty()) return wrong("AuthenticationCred is missing");
  const json::value* events = body->if_contains("EventCollection");
  if (events == nullptr || !events->is_array() || events->get_array().empty())
    return wrong("EventCollection is missing");
  for (const json::value& event : events->get_array()) {
    if (!event.is_object()) return wrong("EventCollection holds something that is no event");
    subscription.wanted.emplace_back(text_of(event.get_object(), "BusinessObject"),
                                     text_of(event.get_object(), "TransactionType"));
  }
  if (!subscriptions_.emplace(id, std::move(subscription)).second)
    return wrong("WebhookID '" + id + "' exists already");
  return {};
}

bool Webhooks::unsubscribe(std::string_view id) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return false;
  subscriptions_.erase(found);
  return true;
}

std::vector<Webhooks::Push> Webhooks::pushes(const std::deque<Event>& events, Instant now) {
  std::vector<Push> pushes;
  for (auto& [id, subscription] : subscriptions_) {
    if (!enabled_ || !subscription.active) continue;
    for (const Event& event : events) {
      if (std::ranges::find(subscription.wanted, std::pair(event.set, event.transaction_type)) ==
          subscription.wanted.end())
        continue;
      subscription.waiting.push_back(event);
      if (subscription.waiting.size() > Company::events_max) subscription.waiting.pop_front();
    }
    if (!subscription.shook_hands) {
      Push push{.subscription = id,
                .handshake = true,
                .token = hex(content_hash(id + rfc3339(now))),
                .call = {},
                .events = 0};
      push.call.url = subscription.url;
      push.call.headers.emplace_back("X-B1-Webhook-Token", push.token);
      push.call.deadline = std::chrono::seconds(10);
      pushes.push_back(std::move(push));
    } else if (!subscription.waiting.empty()) {
      pushes.push_back(delivery(id, subscription, now));
    }
  }
  return pushes;
}

Webhooks::Push Webhooks::delivery(const std::string& id, const Subscription& subscription, Instant now) {
  Push push{.subscription = id,
            .handshake = false,
            .token = {},
            .call = {},
            .events = std::min(subscription.waiting.size(), events_in_call)};
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for (std::size_t i = 0; i < push.events; ++i) {
    const Event& event = subscription.waiting[i];
    out.begin_object().field("id", std::to_string(event.id)).field("source", "simulator").field("specversion", "1.0");
    out.field("type", "sap.b1." + event.set + "." + event.transaction_type + ".v1")
        .field("subject", event.key)
        .field("time", rfc3339(now));
    out.key("data").begin_object().field(key_property(event.set), event.key).end_object().end_object();
  }
  out.end_array();
  push.call.method = "POST";
  push.call.url = subscription.url;
  push.call.deadline = std::chrono::seconds(10);
  push.call.headers = {{"Content-Type", "application/json"},
                       {"X-B1-Webhook-Signature", hmac_sha256(body, subscription.secret)}};
  push.call.body = std::move(body);
  return push;
}

void Webhooks::pushed(const Push& push, const outbound::Reply& reply) {
  const auto found = subscriptions_.find(push.subscription);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  const bool answered = reply.failure == outbound::Failure::none && reply.status == 200;
  const bool later =
      reply.failure != outbound::Failure::none || reply.status >= 500 || reply.status == 408 || reply.status == 429;
  if (push.handshake) subscription.shook_hands = answered && reply.body.contains("\"" + push.token + "\"");
  if (answered && (!push.handshake || subscription.shook_hands)) {
    subscription.failures = 0;
  } else if (++subscription.failures >= failures_max) {
    subscription.active = false;
    subscription.waiting.clear();
  }
  // Other refusals are dropped for good.
  if (!push.handshake && (answered || !later) && subscription.waiting.size() >= push.events)
    subscription.waiting.erase(subscription.waiting.begin(),
                               subscription.waiting.begin() + static_cast<std::ptrdiff_t>(push.events));
}

bool Webhooks::active(std::string_view id) const {
  const auto found = subscriptions_.find(id);
  return found != subscriptions_.end() && found->second.active;
}

}  // namespace millrace::simulator
