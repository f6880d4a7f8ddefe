// What handlers answer from: the services, the route table, our own request statistics and the kept recent changes.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/internal/message.h"
#include "server/internal/request_statistics.h"
#include "server/server.h"

namespace millrace::server {

class LiveHub;
class Router;
class WebhookEvents;

struct Backend {
  Services services;
  RequestStatistics& statistics;
  LiveHub& hub;
  const Router& router;
  WebhookEvents& webhooks;
};

// One moment of the data: everything one answer says comes from here.
struct Moment {
  readmodel::SnapshotPtr snapshot;
  feed::Sequence as_of;
  Instant as_of_time;
  Instant now;
  Day today;
};
Moment moment(const Services& services);

// The common part of every data answer, without braces: as_of, as_of_time, sources.
std::string envelope(const Moment& moment, const std::vector<ingest::SourceStatus>& sources);

// What a builder made: a whole JSON object, whose fields follow the envelope in the answer, or what is wrong.
struct Built {
  Built(std::string object) : text(std::move(object)) {}
  Built(Problem wrong) : problem(std::move(wrong)) {}
  Built(Result<std::string> result) {
    if (result) text = std::move(*result);
    else problem = problem_of(result.error());
  }
  // An index found it, so that keeping it would only push out what was dear to make.
  Built&& cheap() && {
    is_cheap = true;
    return std::move(*this);
  }

  std::string text;
  std::optional<Problem> problem;
  bool is_cheap = false;
};

enum class Keep { no, yes };
// Answers from one Snapshot: 304 when the client has this state, the kept result when there is one, else builds.
//
// `keep` says whether what `build` makes may be kept under (Sequence, day, address); what depends on anything but the
// Snapshot, the day and the address must not be. `build` reads the parameters too, so that a kept result needs neither.
// `also` is what else it depends on that has no Sequence, with a number that changes with it: it belongs to the key.
Response data_response(const Request& request, Backend& backend, Keep keep,
                       const std::function<Built(const Moment&)>& build, std::string_view also = {});
// The same headers for exports: as-of and ETag. Answers 304 in `response` when the client has it.
bool not_modified(const Request& request, const Moment& at, std::string_view variant, Response& response);

// Parameters that a route without filters knows; nothing when all are known.
std::optional<Problem> unknown_parameters(const Request& request, std::initializer_list<std::string_view> known);
// A number between bounds. The error text names both.
struct NumberParameter {
  std::string_view name;
  std::int64_t fallback, smallest, largest;
};
std::optional<std::int64_t> number_parameter(const Request& request, const NumberParameter& parameter,
                                             std::vector<query::ParameterError>& errors);

}  // namespace millrace::server
