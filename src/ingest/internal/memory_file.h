// A text as an open file in memory, for a parser that takes descriptors.
#pragma once
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace millrace::ingest {

// Errors   unavailable  there is no memory for it
Result<UniqueFd> memory_file(std::string_view text);

}  // namespace millrace::ingest
