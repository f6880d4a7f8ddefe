// Whole lists as files: streamed, bounded in memory, honest about their last row.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "query/cells.h"
#include "server/internal/backend.h"

namespace millrace::server {

// bom, sep and decimal of the query.
query::CsvStyle csv_style(const Request& request, std::vector<query::ParameterError>& errors);

// A remark, not a row: it is never quoted, so that it reads the same with every separator.
std::string last_line(std::uint64_t rows, const Moment& at);

}  // namespace millrace::server
