#include "ingest/control.h"

namespace millrace::ingest {

std::string_view word(SourceState state) {
  switch (state) {
    case SourceState::starting: return "starting";
    case SourceState::scanning: return "scanning";
    case SourceState::live: return "live";
    case SourceState::polling: return "polling";
    case SourceState::paused: return "paused";
    case SourceState::stopped: return "stopped";
    case SourceState::held: return "held";
    case SourceState::failed: break;
  }
  return "failed";
}

}  // namespace millrace::ingest
