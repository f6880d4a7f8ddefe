// Pushed batches and webhooks on their routes.
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <boost/json.hpp>

#include "server/internal/webhook_events.h"
#include "server/test_plant.h"

namespace millrace::server {

namespace {

const std::string json_type = "Content-Type: application/json\r\n";

std::string hmac_hex(const EVP_MD* method, std::string_view key, std::string_view body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned length = 0;
  HMAC(method, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(body.data()), body.size(), bytes.data(), &length);
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

}  // namespace

TEST_CASE("a pushed batch is answered with its receipt and where to ask for it") {
  TestPlant plant;
  const auto pushed = ask(plant.address, "POST", "/api/v1/ingest/shop/orders?mode=snapshot&rows=1", json_type, "[{}]");
  CHECK(pushed.status == 202);
  CHECK(pushed.header("location") == "/api/v1/ingest/shop/orders/b1");
  CHECK(pushed.header("idempotency-replayed").empty());
  const auto batch = boost::json::parse(pushed.body).at("batch");
  CHECK(batch.at("state").as_string() == "waiting");
  CHECK(batch.at("mode").as_string() == "snapshot");
  CHECK(ask(plant.address, "POST", "/api/v1/ingest/shop/orders", json_type + "Idempotency-Key: again\r\n", "[{}]").header("idempotency-replayed") == "true");
  const auto shown = plant.get("/api/v1/ingest/shop/orders/b1");
  CHECK(shown.status == 200);
  const auto row = boost::json::parse(shown.body).at("batch").at("rejected_rows").at(0);
  CHECK(row.at("row").as_int64() == 3);
  CHECK(row.at("field").as_string() == "DocDate");
  CHECK(row.at("value").as_string() == "soon");
  CHECK(plant.get("/api/v1/ingest/shop/orders/b2").status == 404);
}

TEST_CASE("the type of the body decides how a batch is read") {
  TestPlant plant;
  const auto format = [&](const std::string& type) {
    const auto answer = ask(plant.address, "POST", "/api/v1/ingest/shop/orders", "Content-Type: " + type + "\r\n", "x");
    return answer.status == 202 ? std::string(boost::json::parse(answer.body).at("batch").at("format").as_string()) : std::to_string(answer.status);
  };
  CHECK(format("application/json; charset=utf-8") == "json");
  CHECK(format("application/x-ndjson") == "ndjson");
  CHECK(format("text/csv") == "csv");
  CHECK(format("text/plain") == "415");
}

TEST_CASE("a batch that cannot be taken says why, and when to come again") {
  TestPlant plant;
  const auto push = [&](const std::string& target, const std::string& headers = "") {
    return ask(plant.address, "POST", target, json_type + headers, "[{}]");
  };
  CHECK(push("/api/v1/ingest/mail/orders").status == 404);
  CHECK(push("/api/v1/ingest/shop/orders?mode=merge").status == 400);
  CHECK(push("/api/v1/ingest/shop/orders?rows=many").status == 400);
  CHECK(push("/api/v1/ingest/shop/orders?row=1").status == 400);
  CHECK(push("/api/v1/ingest/shop/orders", "Idempotency-Key: used\r\n").status == 409);
  const auto full = push("/api/v1/ingest/shop/orders", "Idempotency-Key: full\r\n");
  CHECK(full.status == 429);
  CHECK(full.header("retry-after") == "5");
  const auto denied = push("/api/v1/ingest/shop/orders", "Authorization: Bearer wrong\r\n");
  CHECK(denied.status == 401);
  CHECK(denied.header("www-authenticate") == "Bearer");
}

TEST_CASE("a batch may be longer than other bodies, up to a bound") {
  ServerOptions options;
  options.body_max = 1000;
  options.batch_max = 5000;
  TestPlant plant(options);
  CHECK(ask(plant.address, "POST", "/api/v1/ingest/shop/orders", json_type, std::string(4000, ' ')).status == 202);
  CHECK(ask(plant.address, "POST", "/api/v1/ingest/shop/orders", json_type, std::string(6000, ' ')).status == 413);
  CHECK(ask(plant.address, "PATCH", "/api/v1/sources/orders", json_type, std::string(4000, ' ')).status == 413);
  options.batches_reading_max = 0;
  TestPlant busy(options);
  CHECK(ask(busy.address, "POST", "/api/v1/ingest/shop/orders", json_type, std::string(4000, ' ')).status == 503);
}

TEST_CASE("a webhook is greeted back, and its signed events become hints, each once") {
  TestPlant plant;
  CHECK(plant.get("/api/v1/webhooks/orders", "X-B1-Webhook-Token: t0ken\r\n").body == R"({"Challenge":"t0ken"})");
  CHECK(plant.get("/api/v1/webhooks/mail").status == 404);
  const std::string body = R"([{"id":"e1","type":"sap.b1.Orders.Updated.v1","subject":"4711","time":"2026-03-10T08:00:00Z","data":{"DocEntry":4711}},)"
                           R"({"id":"e2","type":"sap.b1.Orders.Closed.v1","subject":4712},{"id":"e3","type":"sap.b1.Users.Updated.v1","subject":"7"}])";
  const auto send = [&](const std::string& signature) {
    return ask(plant.address, "POST", "/api/v1/webhooks/orders", json_type + "X-B1-Webhook-Signature: " + signature + "\r\n", body);
  };
  const std::string right = hmac_hex(EVP_sha256(), "webhook key", body);
  const auto first = send(right);
  CHECK(first.status == 200);
  CHECK(first.body == R"({"taken":2,"known":0,"ignored":1})");
  CHECK(plant.sources.sources().at(0).message == "orders 4711;orders 4712;");
  CHECK(send("sha384=" + hmac_hex(EVP_sha384(), "webhook key", body)).body == R"({"taken":0,"known":2,"ignored":1})");
  CHECK(plant.sources.sources().at(0).message == "orders 4711;orders 4712;");
  CHECK(send(hmac_hex(EVP_sha512(), "another key", body)).status == 401);
  CHECK(send("").status == 401);
  CHECK(send(right.substr(2)).status == 401);
}

TEST_CASE("more events than SAP ever sends at once, and what is no JSON, are refused") {
  TestPlant plant;
  const auto send = [&](const std::string& body) {
    return ask(plant.address, "POST", "/api/v1/webhooks/orders",
               json_type + "X-B1-Webhook-Signature: " + hmac_hex(EVP_sha256(), "webhook key", body) + "\r\n", body).status;
  };
  std::string many = "[";
  for (int i = 0; i < 1025; ++i) many += std::string(i == 0 ? "" : ",") + "{}";
  CHECK(send(many + "]") == 400);
  CHECK(send("[{") == 400);
  CHECK(send("[]") == 200);
}

TEST_CASE("a signature may be hex or base64, and an empty key signs nothing") {
  const std::string body = "[]";
  CHECK(is_signed(body, hmac_hex(EVP_sha512(), "k", body), "k"));
  CHECK_FALSE(is_signed(body, hmac_hex(EVP_sha256(), "", body), ""));
  CHECK_FALSE(is_signed("[ ]", hmac_hex(EVP_sha256(), "k", body), "k"));
  // printf '[]' | openssl dgst -sha256 -hmac k -binary | base64
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned length = 0;
  HMAC(EVP_sha256(), "k", 1, reinterpret_cast<const unsigned char*>("[]"), 2, bytes.data(), &length);
  std::array<unsigned char, 64> text;
  const int size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(length));
  CHECK(is_signed(body, std::string(reinterpret_cast<char*>(text.data()), static_cast<std::size_t>(size)), "k"));
}

TEST_CASE("webhook events are forgotten in the order they came when too many were heard") {
  WebhookEvents events;
  CHECK(events.is_new("sap", "0"));
  CHECK_FALSE(events.is_new("sap", "0"));
  CHECK(events.is_new("bc", "0"));
  for (std::size_t i = 1; i <= WebhookEvents::events_max; ++i) CHECK(events.is_new("sap", std::to_string(i)));
  CHECK(events.is_new("sap", "0"));
}

}  // namespace millrace::server
