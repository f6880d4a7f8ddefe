#include "ingest/internal/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace millrace::ingest {

Result<UniqueFd> memory_file(std::string_view text) {
  UniqueFd memory(::memfd_create("document", MFD_CLOEXEC));
  const auto refused = [] { return fail(ErrorCode::unavailable, "there is no memory to hand a document to a parser; try again later"); };
  if (!memory) return refused();
  while (!text.empty()) {
    const ssize_t written = ::write(memory.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return refused();
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return memory;
}

}  // namespace millrace::ingest
