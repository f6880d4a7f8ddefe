// Whatever comes over the network: a head, its body, frames behind an upgrade.
#include "server/internal/request_body.h"
#include "server/internal/request_head.h"
#include "server/internal/websocket_frames.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace::server;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const HeadCheck check = check_head(bytes, 16 << 10);
  if (check.complete && !check.problem) {
    Request request;
    Framing framing;
    if (!read_fields(check, request, framing) && !split_target(check.target, request)) {
      BodyReader body(framing, 64 << 10);
      std::string_view rest = bytes.substr(check.size);
      while (!rest.empty() && !body.problem() && !body.is_done()) rest.remove_prefix(body.take(rest.substr(0, 7)));
    }
  }
  WebSocketReader frames(16 << 10);
  while (!bytes.empty()) frames.next(bytes);
  return 0;
}
