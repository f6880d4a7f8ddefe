// OpenAPI 3.1 from the route table.
#include <set>

#include "base/json_writer.h"
#include "query/fields.h"
#include "server/internal/message.h"
#include "server/internal/router.h"

namespace millrace::server {

namespace {

struct Examples {
  std::string_view order, source, rejection;
  std::string_view of(std::string_view text) const {
    if (text == "{order}") return order;
    if (text == "{source}") return source;
    if (text == "{rejection}") return rejection;
    return text;
  }
};

void write_parameter(JsonWriter& json, std::string_view name, std::string_view place, std::string_view type,
                     std::string_view help, std::string_view example) {
  json.begin_object().field("name", name).field("in", place).field("required", place == "path");
  json.field("description", help);
  json.key("schema").begin_object().field("type", type).end_object();
  if (!example.empty()) {
    json.key("example");
    if (type == "integer") {
      json.raw(example);
    } else {
      json.text(example);
    }
  }
  json.end_object();
}

void write_parameters(JsonWriter& json, const Route& route, const Examples& examples) {
  json.key("parameters").begin_array();
  std::set<std::string_view> written;
  for (const ParameterRow& row : route.parameters) {
    const bool in_path = route.path.find("{" + std::string(row.name) + "}") != std::string_view::npos;
    write_parameter(json, row.name, in_path ? "path" : "query", row.type, row.help, examples.of(row.example));
    written.insert(row.name);
  }
  if (route.order_filters) {
    for (const auto& field : query::order_fields())
      if (field.filter && written.insert(field.name).second)
        write_parameter(json, field.name, "query", "string", field.help, "");
    for (const auto& filter : query::line_filters())
      if (written.insert(filter.name).second) write_parameter(json, filter.name, "query", "string", filter.help, "");
  }
  json.end_array();
}

std::string_view media_of(Answer answer) {
  switch (answer) {
    case Answer::data:
    case Answer::document:
      return "application/json";
    case Answer::text:
      return "text/plain";
    case Answer::csv:
      return "text/csv";
    case Answer::ndjson:
      return "application/x-ndjson";
    case Answer::page:
      return "text/html";
    case Answer::xlsx:
      return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    case Answer::live:
      return "text/event-stream";
  }
  return "application/json";
}

std::string schema_of(const Route& route) {
  const auto reference = [](std::string_view name) {
    return R"({"$ref":"#/components/schemas/)" + std::string(name) + "\"}";
  };
  if (route.answer == Answer::data)
    return reference(route.name == "listOrders" || route.name == "windowOrders" ? "OrderPage" : "Answer");
  if (route.answer == Answer::document) return R"({"type":"object"})";
  return R"({"type":"string"})";
}

void write_responses(JsonWriter& json, const Route& route) {
  json.key("responses").begin_object();
  const bool live = route.answer == Answer::live;
  json.key(std::to_string(route.status)).begin_object();
  json.field("description", live ? "Switching to WebSocket" : "The answer");
  if (!live) {
    json.key("content").begin_object().key(media_of(route.answer)).begin_object();
    json.key("schema").raw(schema_of(route)).end_object().end_object();
  }
  json.end_object();
  if (live) {
    json.key("200").begin_object().field("description", "Server-sent events: one message per delta of the changes");
    json.key("content").begin_object().key("text/event-stream").begin_object();
    json.key("schema").raw(R"({"type":"string"})").end_object().end_object().end_object();
    json.key("426").raw(R"({"$ref":"#/components/responses/Problem"})");
  }
  if (route.answer == Answer::data || route.answer == Answer::csv)
    json.key("304").begin_object().field("description", "The client has this state").end_object();
  for (const char* status : {"400", "401", "403", "404", "503"})
    json.key(status).raw(R"({"$ref":"#/components/responses/Problem"})");
  json.key("default").raw(R"({"$ref":"#/components/responses/Problem"})");
  json.end_object();
}

std::string_view body_schema(const Route& route) {
  if (route.name == "changeSource")
    return R"({"type":"object","properties":{"interval_s":{"type":"integer","minimum":10,"maximum":604800}},"required":["interval_s"]})";
  if (route.name == "decideDifference")
    return R"({"type":"object","properties":{"field":{"type":"string"},"line":{"type":"integer","minimum":0},)"
           R"("source":{"type":"string"},"by":{"type":"string"}},"required":["field","source"]})";
  return R"({"type":["object","array"]})";
}

// Who may, where it is not simply whoever has signed in.
void write_security(JsonWriter& json, const Route& route) {
  if (route.right.asks_nobody()) {
    json.key("security").raw("[]");
  } else if (route.right.asks_own_key()) {
    json.key("security").raw(R"([{"token":[]},{"source":[]}])");
  } else if (!route.right.rights().empty()) {
    json.key("x-millrace-rights").begin_array();
    for (const std::string_view right : people::words(route.right.rights())) json.text(right);
    json.end_array();
  }
  json.field("x-millrace-own-orders", route.own == Own::filtered ? "filtered" : route.own == Own::open ? "open" : "closed");
}

void write_operation(JsonWriter& json, const Route& route, const Examples& examples) {
  std::string method(name_of(route.method));
  for (char& c : method) c = static_cast<char>(c | 0x20);
  json.key(method).begin_object();
  json.field("operationId", route.name).field("summary", route.summary);
  write_parameters(json, route, examples);
  if (!route.example_body.empty()) {
    json.key("requestBody").begin_object().field("required", true).key("content").begin_object();
    json.key("application/json").begin_object();
    json.key("schema").raw(body_schema(route));
    json.key("example").raw(route.example_body).end_object().end_object().end_object();
  }
  write_security(json, route);
  write_responses(json, route);
  json.end_object();
}

std::string_view json_type(query::FieldType type) {
  switch (type) {
    case query::FieldType::number:
      return R"({"type":["integer","null"]})";
    case query::FieldType::money:
      return R"({"$ref":"#/components/schemas/Money"})";
    case query::FieldType::day:
      return R"({"type":["string","null"],"format":"date"})";
    case query::FieldType::instant:
      return R"({"type":["string","null"],"format":"date-time"})";
    case query::FieldType::flag:
      return R"({"type":"boolean"})";
    case query::FieldType::text:
    case query::FieldType::quantity:
      return R"({"type":"string"})";
  }
  return R"({"type":"string"})";
}

constexpr std::string_view envelope_properties =
    R"("as_of":{"type":"integer"},"as_of_time":{"type":"string","format":"date-time"},)"
    R"("sources":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"state":{"type":"string"},)"
    R"("as_of_time":{"type":["string","null"]},"age_s":{"type":["integer","null"]}}}})";

void write_schemas(JsonWriter& json) {
  json.key("schemas").begin_object();
  json.key("Money").raw(
      R"({"type":"object","description":"Whole minor units of one currency","properties":{"minor":{"type":"integer"},"currency":{"type":"string"}},"required":["minor","currency"]})");
  json.key("OrderRow").begin_object().field("type", "object").key("properties").begin_object();
  for (const auto& field : query::order_fields()) json.key(field.name).raw(json_type(field.type));
  json.key("sequence").raw(R"({"type":"integer"})");
  json.end_object().key("required").raw(R"(["order","sequence"])").end_object();
  json.key("CurrencySum")
      .raw(
          R"({"type":"object","properties":{"currency":{"type":"string"},"orders":{"type":"integer"},"lines":{"type":"integer"},)"
          R"("net":{"$ref":"#/components/schemas/Money"},"total":{"$ref":"#/components/schemas/Money"},"open_amount":{"$ref":"#/components/schemas/Money"},)"
          R"("open_orders":{"type":"integer"},"late_orders":{"type":"integer"},"late_amount":{"$ref":"#/components/schemas/Money"}}})");
  json.key("Answer").raw(R"({"type":"object","properties":{)" + std::string(envelope_properties) +
                         R"(},"required":["as_of","as_of_time","sources"]})");
  json.key("OrderPage")
      .raw(
          R"({"type":"object","properties":{)" + std::string(envelope_properties) +
          R"(,"data":{"type":"array","items":{"$ref":"#/components/schemas/OrderRow"}},"total":{"type":"integer"},"total_is_exact":{"type":"boolean"},)"
          R"("next_cursor":{"type":["string","null"]},"prev_cursor":{"type":["string","null"]},"offset":{"type":"integer"},)"
          R"("sums":{"type":"array","items":{"$ref":"#/components/schemas/CurrencySum"}}},"required":["as_of","data","total","sums"]})");
  json.key("Problem").begin_object().field("type", "object").key("properties").begin_object();
  json.key("type").begin_object().field("type", "string").key("enum").begin_array();
  for (const ProblemKind& kind : problem_kinds()) json.text("/problems/" + std::string(kind.code));
  json.end_array().end_object();
  json.key("title").raw(R"({"type":"string"})").key("status").raw(R"({"type":"integer"})");
  json.key("detail").raw(R"({"type":"string"})").key("instance").raw(R"({"type":"string"})");
  json.key("errors").raw(
      R"({"type":"array","items":{"type":"object","properties":{"parameter":{"type":"string"},"pointer":{"type":"string"},"code":{"type":"string"},"detail":{"type":"string"}}}})");
  json.end_object().key("required").raw(R"(["type","title","status"])").end_object();
  json.end_object();
}

}  // namespace

std::string openapi_json(const std::vector<Route>& routes, std::string_view version, std::string_view order_example,
                         std::string_view source_example, std::string_view rejection_example) {
  const Examples examples{order_example, source_example, rejection_example};
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("openapi", "3.1.0");
  json.key("info").begin_object().field("title", "Millrace").field("version", version.empty() ? "0" : version);
  json.field("summary", "Open orders, exact and at once.");
  json.key("license").raw(R"({"name":"Apache-2.0","identifier":"Apache-2.0"})").end_object();
  json.key("servers").raw(R"([{"url":"/"}])");
  json.key("security").raw(R"([{"session":[]},{"token":[]}])");
  json.key("paths").begin_object();
  std::set<std::string_view> written;
  for (const Route& route : routes) {
    if (!written.insert(route.path).second) continue;
    json.key(route.path).begin_object();
    for (const Route& same : routes)
      if (same.path == route.path) write_operation(json, same, examples);
    json.end_object();
  }
  json.end_object();
  json.key("components").begin_object();
  write_schemas(json);
  json.key("responses")
      .raw(
          R"({"Problem":{"description":"What is wrong and what to do","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}})");
  json.key("securitySchemes")
      .raw(
          R"({"session":{"type":"apiKey","in":"cookie","name":"millrace","description":"A browser's session; writes also carry X-CSRF-Token"},)"
          R"("token":{"type":"http","scheme":"bearer","description":"A token: millrace token add"},)"
          R"("source":{"type":"http","scheme":"bearer","description":"The token or signature of one source, from the settings"}})");
  json.end_object().end_object();
  return out;
}

}  // namespace millrace::server
