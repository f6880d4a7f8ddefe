#include "server/internal/own_answer.h"

#include "base/text.h"
#include "server/internal/dispatch.h"
#include "server/internal/request_head.h"
#include "server/internal/router.h"

namespace millrace::server {
namespace {

// What a job may read: all of the data, and nothing of who works here. Who may start jobs may read as much.
constexpr people::Rights jobs_read{people::Right::see_orders, people::Right::see_money, people::Right::see_changes, people::Right::see_sources};

class OwnAnswerImpl final : public jobs::OwnAnswer {
 public:
  explicit OwnAnswerImpl(std::string path) : path_(std::move(path)) {}

  Result<void> ask(Backend& backend) {
    request_.method = "GET";
    request_.id = request_id("");
    const auto refused = [this](std::string_view why) { return fail(ErrorCode::invalid_input, printable(path_) + ": " + std::string(why)); };
    if (const auto problem = split_target(path_, request_)) return refused(problem->detail);
    if (!request_.host.empty()) return refused("only our own addresses can be asked for, beginning with a slash");
    Dispatch found = dispatch_own(request_, backend, jobs_read);
    if (found.response) {
      response_ = std::move(*found.response);
      return {};
    }
    if (found.route->answer == Answer::live || found.route->answer == Answer::page) return refused("this address has no answer that ends");
    response_ = run(*found.route, request_, backend);
    return {};
  }

  int status() const override { return response_.status; }
  std::string type() const override { return std::string(response_.content_type); }
  Result<bool> next(std::string& out) override {
    if (!begun_) {
      begun_ = true;
      out.append(response_.first()).append(response_.second());
      return response_.stream != nullptr;
    }
    return response_.stream->next(out);
  }

 private:
  const std::string path_;  // the request refers to it
  Request request_;
  Response response_;
  bool begun_ = false;
};

}  // namespace

Result<std::unique_ptr<jobs::OwnAnswer>> own_answer(std::string path, Backend& backend) {
  auto answer = std::make_unique<OwnAnswerImpl>(std::move(path));
  if (const auto asked = answer->ask(backend); !asked) return pass_on(asked);
  return answer;
}

}  // namespace millrace::server
