// Who a request comes from, as it is written beside what he does.
#pragma once
#include <string>

#include "server/internal/message.h"

namespace millrace::server {

// The login of the caller; "local admin" where nobody has to sign in.
std::string author_of(const Request& request);

}  // namespace millrace::server
