// The same road as `parse_document` with the words of a profile made ready once, for reading many documents.
#pragma once
#include <string_view>

#include "ingest/document.h"
#include "ingest/internal/fields.h"

namespace millrace::ingest {

ParsedDocument parse_with(std::string_view content, std::string_view name, const CompiledLayout& layout);

}  // namespace millrace::ingest
