#include "app/server_problem.h"

#include <boost/json.hpp>

namespace millrace::app {

namespace json = boost::json;

Error error_of(const HttpAnswer& answer, const std::string& asked) {
  boost::system::error_code error;
  const json::value problem = json::parse(answer.body, error);
  const json::value* detail = !error && problem.is_object() ? problem.get_object().if_contains("detail") : nullptr;
  const std::string text = detail && detail->is_string() ? std::string(detail->get_string()) : asked + " was answered " + std::to_string(answer.status);
  switch (answer.status) {
    case 400: case 415: return {ErrorCode::invalid_input, text};
    case 401: case 403: return {ErrorCode::denied, text};
    case 404: return {ErrorCode::not_found, text};
    case 409: return {ErrorCode::conflict, text};
    case 413: case 422: case 429: return {ErrorCode::limit_reached, text};
    default: return {answer.status >= 500 ? ErrorCode::unavailable : ErrorCode::internal, text};
  }
}

}  // namespace millrace::app
