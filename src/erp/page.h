// Reads what a service answered: pages of rows, error bodies. Bytes from outside: anything may stand there.
//
//   {"value": [{row}, {row}], "odata.nextLink": "..."}            v3; v4 writes "@odata.nextLink"
//   {"error": {"code": -2028, "message": {"value": "..."}}}       code: number or text, message: object or text
//
// Invariants
//   * A page is used as a whole or not at all: cut JSON, a row without its key, rows in the wrong order, a row twice or
//     outside of what was asked for make it `corrupt_page`.
//   * Rows keep their JSON text as it came.
//   * Pure; any thread may call.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "erp/remote.h"

namespace millrace::erp {

struct ReadPage {
  std::vector<RemoteRow> rows;
  bool more_announced = false;  // a next link is there
};

// `whole`: rows keep their text, and their lines must be there. `body` may be given more room, its text stays.
Remotely<ReadPage> read_page(const StreamDescriptor& stream, bool whole, std::string& body);

// Nothing when the rows can be the answer to the question.
std::optional<RemoteError> check_rows(const StreamDescriptor& stream, const PageQuestion& question, std::span<const RemoteRow> rows);

// "2026-01-15" or "2026-01-15T00:00:00Z" and "14:05:33"; instants carry both. Nothing for null, "" and no stamp at all.
std::optional<RemoteStamp> stamp_of(const StreamDescriptor& stream, std::string_view day, std::string_view time);

struct ServiceError {
  std::string code;     // "301", "-2028"; "" when the body is no error of the service
  std::string message;
};
ServiceError read_error(std::string_view body);

// One plain text of a flat JSON object, "" when it is not there: of sign-in answers. Numbers answer their text.
std::string json_text(std::string_view body, std::string_view name);

}  // namespace millrace::erp
