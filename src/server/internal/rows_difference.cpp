// What sources say differently, as JSON.
#include "base/text.h"
#include "server/internal/rows.h"

namespace millrace::server {

void write_difference(JsonWriter& json, const feed::Difference& difference, const std::vector<feed::OrderDocument>& documents) {
  json.field("field", difference.field).field("line", std::int64_t{difference.line});
  json.key("values").begin_array();
  for (const feed::Difference::Value& value : difference.values) {
    const feed::OrderDocument& document = documents.at(value.document);
    json.begin_object().field("source", document.source).field("text", value.text);
    write_instant(json, "updated", document.updated ? document.updated : std::optional(document.modified));
    json.field("path", printable(document.path)).end_object();
  }
  json.end_array();
  json.field("counts", documents.at(difference.values.at(difference.counts).document).source).field("rule", difference.rule);
  json.key("decided_by");
  if (difference.decided_by.empty()) json.null();
  else json.text(difference.decided_by);
  write_instant(json, "decided_at", difference.decided_at);
}

void write_joined(JsonWriter& json, const feed::OrderPut& put) {
  json.key("differences").begin_array();
  for (const feed::Difference& difference : put.differences) {
    json.begin_object();
    write_difference(json, difference, put.documents);
    json.end_object();
  }
  json.end_array().key("origins").begin_array();
  for (const feed::Origin& origin : put.origins) {
    const feed::OrderDocument& document = put.documents.at(origin.document);
    json.begin_object().field("field", origin.field).field("line", std::int64_t{origin.line});
    json.field("source", document.source).field("path", printable(document.path)).end_object();
  }
  json.end_array();
}

}  // namespace millrace::server
