#include "server/internal/author.h"

#include "server/internal/who_asks.h"

namespace millrace::server {

std::string author_of(const Request& request) {
  return request.caller->by == people::Identity::By::local ? "local admin" : actor_of(request).who;
}

}  // namespace millrace::server
