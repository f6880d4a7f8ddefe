#include "jobs/kind.h"

namespace millrace::jobs {

std::string_view word(Place place) { return place == Place::inside ? "inside" : "worker"; }

}  // namespace millrace::jobs
