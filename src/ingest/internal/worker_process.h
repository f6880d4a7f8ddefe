// One worker process as the pool sees it, and the memory both see.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "base/time.h"
#include "ingest/internal/worker_protocol.h"

namespace millrace::ingest {

// Memory that the pool fills with documents and its worker can only read.
class SharedMemory {
 public:
  static Result<std::unique_ptr<SharedMemory>> create(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  char* data() { return data_; }
  std::size_t size() const { return size_; }
  int descriptor() const { return file_.get(); }

 private:
  SharedMemory(UniqueFd file, char* data, std::size_t size) : file_(std::move(file)), data_(data), size_(size) {}
  UniqueFd file_;
  char* data_;
  std::size_t size_;
};

// Killed with its owner.
class WorkerProcess {
 public:
  // Errors   unavailable  it cannot be started or does not greet
  //          corrupt      it is another program
  static Result<std::unique_ptr<WorkerProcess>> start(const std::string& executable, bool through_bubblewrap, const std::string& setup,
                                                      int shared_memory);
  ~WorkerProcess() { end(); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // A worker that is gone is noticed when its answer is awaited.
  void send(std::string_view batch, int descriptor) { (void)send_frame(socket_.get(), batch, descriptor); }

  // An answer is here already.
  bool has_answer() const { return receiver_.ready(); }
  // Waits for the next answer; lives until the next call.
  // Errors   limit_reached  not before `deadline`
  //          unavailable, corrupt  the worker is gone or says nonsense
  Result<std::string_view> answer_before(Stopwatch::time_point deadline);

  // Ends the process and says how it ended: "signal 11", "exit code 1".
  std::string end();
  // After its socket closed a worker ends by itself: its own way of ending is the better reason than our kill.
  std::string reason_of_end();

 private:
  WorkerProcess(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)), receiver_(socket_.get()) {}
  bool readable_before(Stopwatch::time_point deadline) const;
  Result<void> greet(const std::string& setup, int shared_memory);

  pid_t pid_;
  UniqueFd socket_;
  FrameReceiver receiver_;
};

}  // namespace millrace::ingest
