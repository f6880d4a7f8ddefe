// What the process answers to the shell: one table, also in the help text.
#pragma once
#include "base/result.h"

namespace millrace::app {

enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_not_ready = 3,
  exit_not_found = 4,
  exit_conflict = 5,
  exit_partial = 6,  // done, but some files or rows were rejected
  exit_try_again = 75,
  exit_interrupted = 130,
};

inline ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return exit_usage;
    case ErrorCode::not_found:
      return exit_not_found;
    case ErrorCode::conflict:
      return exit_conflict;
    case ErrorCode::unavailable:
    case ErrorCode::storage_full:
      return exit_try_again;
    case ErrorCode::limit_reached:
      return exit_try_again;
    case ErrorCode::cancelled:
      return exit_interrupted;
    case ErrorCode::read_only:
    case ErrorCode::denied:
    case ErrorCode::corrupt:
    case ErrorCode::internal:
      return exit_failed;
  }
  return exit_failed;
}

}  // namespace millrace::app
