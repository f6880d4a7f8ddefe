// The audit trail, newest first; and the settings as they count.
#include "base/text.h"
#include "server/internal/handlers_people.h"
#include "server/internal/people_answer.h"
#include "server/people_json.h"

namespace millrace::server {

Response show_settings(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  Response response = people_answer(200);
  response.body = backend.services.settings_report;
  return response;
}

Response list_audit(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"limit", "cursor", "who", "object", "verb"})) return problem_response(request, *problem);
  if (auto problem = without_people(backend)) return problem_response(request, *problem);
  std::vector<query::ParameterError> errors;
  const auto limit = number_parameter(request, {"limit", 100, 1, static_cast<std::int64_t>(people::Audit::page_rows_max)}, errors);
  const auto before = number_parameter(request, {"cursor", 0, 1, INT64_MAX}, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  const people::AuditFilter filter{std::string(request.parameter("who")), std::string(request.parameter("object")), std::string(request.parameter("verb"))};
  const auto page = backend.services.audit->page(static_cast<std::uint64_t>(*before), static_cast<std::size_t>(*limit), filter);
  if (!page) return problem_response(request, problem_of(page.error()));
  Response response = people_answer(200);
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_array();
  for (const people::AuditRow& row : page->rows) write_audit_row(json, row);
  json.end_array().key("next_cursor");
  if (page->next) json.text(std::to_string(*page->next));
  else json.null();
  json.field("count", page->count).end_object();
  return response;
}

}  // namespace millrace::server
