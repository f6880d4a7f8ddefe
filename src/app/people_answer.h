// The answers to `user`, `token` and `audit` as text for people.
#pragma once
#include <string>

#include "app/console.h"

namespace millrace::app {

// Errors   unavailable  not the JSON that carry_out answers
Result<std::string> user_list_text(const std::string& answer, Instant now);
Result<std::string> token_list_text(const std::string& answer, Instant now);
Result<std::string> audit_text(const std::string& answer);
// One field of {"data":{...}}, "" when it is not there.
std::string field_of(const std::string& answer, std::string_view name);

}  // namespace millrace::app
