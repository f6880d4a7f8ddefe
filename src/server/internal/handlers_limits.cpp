// What is counted per minute, as a client may read it before it hears 429.
#include "base/json_writer.h"
#include "server/internal/handlers.h"
#include "server/internal/rate_limit.h"
#include "server/internal/router.h"

namespace millrace::server {

Response rate_limits(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  Response response;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  JsonWriter json(response.body);
  json.begin_object().field("window_seconds", rate_window.count()).key("classes").begin_array();
  for (const RateClass rate : {RateClass::sensitive, RateClass::sign_in, RateClass::write, RateClass::read}) {
    const RateRow& row = rate_row(rate);
    json.begin_object().field("name", row.name).field("limit", row.limit).field("loopback_counts", row.loopback_counts);
    json.key("routes").begin_array();
    for (const Route& route : backend.router.routes())
      if (rate_class_of(route) == rate && rate != RateClass::read && rate != RateClass::write) json.text(route.path);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return response;
}

}  // namespace millrace::server
