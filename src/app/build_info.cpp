#include "app/build_info.h"

namespace millrace::app {
namespace {

std::string compiler_text() {
#if defined(__clang__)
  return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + "." +
         std::to_string(__clang_patchlevel__);
#else
  return "g++ " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." +
         std::to_string(__GNUC_PATCHLEVEL__);
#endif
}

}  // namespace

const server::BuildInfo& build_info() {
  static const server::BuildInfo info{MILLRACE_VERSION, MILLRACE_COMMIT, compiler_text()};
  return info;
}

}  // namespace millrace::app
