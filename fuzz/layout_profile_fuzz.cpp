#include <cstdlib>

#include "ingest/layout_profile.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace::ingest;
  const auto profile = parse_layout_profile({reinterpret_cast<const char*>(data), size});
  if (!profile) return 0;
  const auto back = parse_layout_profile(to_toml(*profile));
  if (!back || back->words != profile->words || back->name != profile->name) std::abort();
  return 0;
}
