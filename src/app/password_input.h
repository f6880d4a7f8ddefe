// Where a command takes a password from: a file, or a terminal that does not show it. Never an argument: those stand in
// the process list and in the shell's history.
#pragma once
#include <atomic>
#include <string>

#include "base/result.h"
#include "people/secret.h"

namespace millrace::app {

// The first line of a file without its end, "-" is standard input.
// Errors   not_found  the file cannot be read; invalid_input  it is empty or no small text
Result<people::Secret> password_of_file(const std::string& path);

// Asks twice on the terminal of this process.
// Errors   invalid_input  there is no terminal, or the two differ; cancelled  `stop`, or the terminal was closed
Result<people::Secret> new_password_of_terminal(const std::string& login, const std::atomic<bool>& stop);

}  // namespace millrace::app
