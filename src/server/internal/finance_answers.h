// What handlers of finance documents share.
#pragma once
#include "ingest/finance_desk.h"
#include "server/internal/backend.h"

namespace millrace::server {

Response finance_json_response(int status);
// What sources say of a document, by the newest Snapshot.
ingest::FinanceDoor::Others others_of(Backend& backend);

}  // namespace millrace::server
