// What a job reads of our own API, without a network in between.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "jobs/job.h"

namespace millrace::jobs {

// An answer, block by block.
class OwnAnswer {
 public:
  virtual ~OwnAnswer() = default;
  virtual int status() const = 0;
  virtual std::string type() const = 0;
  // Appends the next block; false when nothing follows.
  virtual Result<bool> next(std::string& out) = 0;
};

// Answers GET `path` for the job. Any thread may call.
using Asker = std::function<Result<std::unique_ptr<OwnAnswer>>(const Job& job, const std::string& path)>;

}  // namespace millrace::jobs
