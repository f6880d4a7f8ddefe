// What people wrote on an order, as JSON.
#include "server/internal/rows.h"

namespace millrace::server {

void write_overlay_value(JsonWriter& json, const OverlayValue& written, std::string_view beneath) {
  json.begin_object().field("field", written.field).field("value", written.value).field("beneath", beneath).field("said", written.said);
  json.field("author", written.author);
  write_instant(json, "time", written.at);
  write_instant(json, "expires", written.expires);
  json.end_object();
}

void write_overlay(JsonWriter& json, const feed::OrderPut& put) {
  json.key("overlay").begin_object().field("version", put.overlay_version).key("fields").begin_array();
  for (const feed::Overlaid& value : put.overlay) write_overlay_value(json, value.written, value.beneath);
  json.end_array().end_object();
}

}  // namespace millrace::server
