// One worker process as its slot sees it.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "jobs/internal/frames.h"

namespace millrace::jobs {

// Killed with its owner. It starts with an empty environment and no descriptor of ours but the socket.
class WorkerProcess {
 public:
  // Errors   unavailable  it cannot be started
  static Result<std::unique_ptr<WorkerProcess>> start(const std::string& executable);
  ~WorkerProcess() { end(); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  Result<void> send(FrameType type, std::string_view content) { return send_frame(socket_.get(), type, content); }
  // Something can be read within `patience`, or the worker is gone.
  bool readable(std::chrono::milliseconds patience) const;
  Result<void> receive() { return reader_.receive(socket_.get()); }
  Result<std::optional<Frame>> take() { return reader_.take(); }

  // Ends the process and says how it ended: "was killed by signal 9", "ended with exit code 1".
  std::string end();
  // After its socket closed a worker ends by itself: its own way of ending is the better reason than our kill.
  std::string reason_of_end();
  pid_t pid() const { return pid_; }

 private:
  WorkerProcess(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}

  pid_t pid_;
  UniqueFd socket_;
  FrameReader reader_;
};

}  // namespace millrace::jobs
