// What the handlers about people share.
#pragma once
#include <optional>

#include "server/internal/backend.h"

namespace millrace::server {

// 415 when the body is said to be something else.
std::optional<Problem> not_json(const Request& request);
// JSON that nobody keeps.
Response people_answer(int status);
// Where nobody can sign in there are no users.
std::optional<Problem> without_people(const Backend& backend);

}  // namespace millrace::server
