// The simulated Service Layer as a Transport: no sockets, no threads, no waiting.
#pragma once
#include <atomic>

#include "outbound/http.h"
#include "simulator/service_layer.h"

namespace millrace::simulator {

class InProcess final : public outbound::Transport {
 public:
  // `server` outlives it.
  explicit InProcess(ServiceLayer& server) : server_(server) {}

  outbound::Reply send(const outbound::Call& call) override {
    outbound::Reply reply;
    if (cancelled_) {
      reply.failure = outbound::Failure::cancelled;
      reply.text = "The call was ended because Millrace stops.";
      return reply;
    }
    return server_.answer(call);
  }
  void cancel() override { cancelled_ = true; }

 private:
  ServiceLayer& server_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace millrace::simulator
