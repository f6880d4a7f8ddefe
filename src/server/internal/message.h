// One HTTP request and its answer as plain values: handlers know nothing of sockets.
//
// Invariants
//   * Views in a Request live as long as the session that read it, which is until the answer is written.
//   * `Response` carries its bytes in `body` followed by `kept`, or in `fixed`, or in `stream`.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/percent.h"
#include "base/result.h"
#include "people/people.h"
#include "query/orders.h"

namespace millrace::server {

struct Request {
  std::string_view method;
  std::string_view raw_path;  // percent-encoded, without the query
  std::string_view raw_query;
  query::Parameters parameters;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::vector<std::string> path_values;  // decoded, in the order of the template's {names}
  std::string body;
  std::string id;    // X-Request-Id, taken from the client or ours
  std::string host;  // of the Host header or the absolute target
  std::shared_ptr<const people::Identity> caller;  // set by dispatch before any handler runs
  bool keep_alive = true;
  bool http_1_0 = false;
  bool secure = false;        // came over TLS; kept by reset
  std::string peer;           // address of the client, without its port; "" for our own questions; kept by reset
  bool host_is_ours = false;  // its certificate speaks for `host`

  // Empty again; what was allocated is kept for the next request of the connection.
  void reset();
  // "" when absent; names are compared without case.
  std::string_view header(std::string_view name) const;
  std::string_view parameter(std::string_view name) const;  // first of that name, "" when absent
  bool has_parameter(std::string_view name) const;
};

// A body that is made while it is sent, block by block.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // Appends the next block to `out`; false when nothing follows. After an error the connection is cut, so that a
  // client cannot take half an answer for a whole one; what `out` holds then is still sent.
  virtual Result<bool> next(std::string& out) = 0;
  // Known length, or nothing for chunked.
  virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
};

enum class Live { no, websocket, events };

struct Response {
  int status = 200;
  std::string_view content_type;  // static text
  std::vector<std::pair<std::string_view, std::string>> headers;
  std::string body;
  std::shared_ptr<const std::string> kept;
  std::string_view fixed;  // embedded bytes
  std::unique_ptr<BodyStream> stream;
  bool encoded = false;  // Content-Encoding is decided, do not compress again
  bool close = false;    // end the connection after this answer
  Live live = Live::no;  // hand the connection to the live hub instead
  std::uint64_t live_since = 0;

  // What is sent of `body` or `fixed`, and what follows it: a kept result goes out without being copied.
  std::string_view first() const { return fixed.empty() ? std::string_view(body) : fixed; }
  std::string_view second() const { return kept ? std::string_view(*kept) : std::string_view(); }
  std::size_t size() const { return first().size() + second().size(); }
  void header(std::string_view name, std::string value) { headers.emplace_back(name, std::move(value)); }
};

// What is wrong with a request, as RFC 9457 problem details.
struct ProblemPart {
  std::string parameter;  // or
  std::string pointer;    // JSON pointer into the body
  std::string code;
  std::string detail;
};
struct Problem {
  int status = 500;
  std::string code;    // the page /problems/<code>
  std::string detail;  // one sentence a person can act on
  std::vector<ProblemPart> errors;
};

struct ProblemKind {
  std::string_view code;
  int status;
  std::string_view title;
};
// Every problem type there is; OpenAPI lists them.
const std::vector<ProblemKind>& problem_kinds();

Response problem_response(const Request& request, const Problem& problem);
std::string problem_json(const Problem& problem, std::string_view instance);
Problem problem_of(const Error& error);
Problem problem_of(const std::vector<query::ParameterError>& errors);

std::string_view status_text(int status);
// nullopt for a broken percent sequence or a NUL.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);
// Pairs of a query string; nullopt when it is not well-formed.
std::optional<query::Parameters> parse_query_string(std::string_view text);

}  // namespace millrace::server
