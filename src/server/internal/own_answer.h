// Answers GET requests of our own parts: the routes of everybody, without a socket.
#pragma once
#include <memory>
#include <string>

#include "jobs/own_answer.h"
#include "server/internal/backend.h"

namespace millrace::server {

// Runs on the caller's thread. An answer that is no good one (a problem) is an answer too.
// Errors   invalid_input  not an address of ours, or one that never ends (live)
//          not_found      no such route
Result<std::unique_ptr<jobs::OwnAnswer>> own_answer(std::string path, Backend& backend);

}  // namespace millrace::server
