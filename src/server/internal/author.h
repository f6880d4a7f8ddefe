// Who a request comes from, as it is written beside what he does.
#pragma once
#include <string>

#include "server/internal/message.h"

namespace millrace::server {

// Whoever sits at this machine, until requests carry an identity.
std::string author_of(const Request& request);

}  // namespace millrace::server
