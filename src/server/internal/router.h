// The one table of routes. Who may use them, dispatch, 404, 405 with Allow, HEAD, OPTIONS and OpenAPI follow from its rows.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/internal/access.h"
#include "server/internal/message.h"
#include "server/internal/rate_limit.h"

namespace millrace::server {

struct Backend;

enum class Method { get, post, put, patch, remove };
std::string_view name_of(Method method);

// Where a parameter's text comes from and what the example says.
struct ParameterRow {
  std::string_view name;
  std::string_view type;  // string, integer, boolean
  std::string_view help;
  std::string_view example;  // "" no example in the description
};

enum class Answer { data, document, text, csv, xlsx, ndjson, page, live };

struct Route {
  Method method;
  std::string_view path;  // "/api/v1/orders/{order}"
  Response (*handler)(const Request&, Backend&);
  Answer answer;
  int status;             // of the good answer
  bool slow;              // reads the record or writes a file: runs on the small pool, not on a network thread
  Need right;             // who may use it; has no default
  Own own;                // what a user gets who is limited to his own orders
  std::string_view name;  // operationId
  std::string_view summary;
  bool order_filters;  // takes the filters of the order list
  std::vector<ParameterRow> parameters;
  std::string_view example_body;  // of POST and PATCH
  RateClass rate = RateClass::by_method;  // how often it may be asked
  bool hashes = false;  // waits for a password to be hashed: runs on threads of its own, so that a flood holds up nothing else
};

const std::vector<Route>& route_table();
RateClass rate_class_of(const Route& route);

class Router {
 public:
  explicit Router(const std::vector<Route>& routes);

  struct Match {
    const Route* route = nullptr;  // nullptr: `refusal` says why
    std::size_t index = 0;         // of the row, `routes().size()` when there is none
    bool head = false;
    std::optional<Response> refusal;
  };
  // Fills the request's path values.
  Match match(Request& request) const;
  // Whether this target of a request is one that is never refused and costs nothing: health.
  bool is_health(std::string_view target) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Pattern {
    std::vector<std::string_view> parts;  // "{}" for a {name}
  };
  bool fits(const Pattern& pattern, const std::vector<std::string>& parts) const;
  Response options(const std::string& allow) const;

  const std::vector<Route>& routes_;
  std::vector<Pattern> patterns_;
  std::vector<const Route*> health_;
};

// The description of every route for clients: OpenAPI 3.1, examples from the data as it is now.
std::string openapi_json(const std::vector<Route>& routes, std::string_view version, std::string_view order_example,
                         std::string_view source_example, std::string_view rejection_example);

}  // namespace millrace::server
