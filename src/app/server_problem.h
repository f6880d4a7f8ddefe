// What a server on this machine answered when it refused, as our own errors.
#pragma once
#include <string>

#include "app/loopback_http.h"
#include "base/result.h"

namespace millrace::app {

// In the words of the server; `asked` is the path, for an answer without words.
Error error_of(const HttpAnswer& answer, const std::string& asked);

}  // namespace millrace::app
