// Looks a ZIP archive over before any library unpacks it.
//
// Refused: overlapping entries, names that leave the archive, encrypted or ZIP64 entries, more than 1,000 entries,
// a ratio over 100 beyond 10 MB, more than 256 MB in all, sizes that lie, XML with a document type or entities.
// Inflating for the check runs in a fixed window and stops at the first broken limit.
#pragma once
#include <string_view>

#include "base/result.h"

namespace millrace::ingest {

// Errors   invalid_input  damaged or dishonest; the text says what and names the entry
//          limit_reached  a bomb
Result<void> check_zip(std::string_view content);

}  // namespace millrace::ingest
