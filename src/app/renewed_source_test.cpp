#include "app/renewed_source.h"

#include <doctest/doctest.h>

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

// Says which secret it was made with.
class Plain final : public ingest::Source {
 public:
  Plain(std::string secret, std::vector<std::string>& heard) : secret_(std::move(secret)), heard_(heard) {
    heard_.push_back("made with " + secret_);
  }
  ~Plain() override { heard_.push_back("gone with " + secret_); }
  bool step(std::chrono::milliseconds) override { return false; }
  ingest::SourceStatus status() const override {
    ingest::SourceStatus status;
    status.id = "sap";
    status.message = secret_;
    status.state = ingest::SourceState::polling;
    return status;
  }
  std::optional<Stopwatch::time_point> hangs_since() const override { return std::nullopt; }
  void tell_news() const override {}
  void request_refresh(bool) override { heard_.push_back("refresh"); }
  void request_pause() override { heard_.push_back("pause"); }
  void request_resume() override {}
  void request_interval(std::chrono::seconds interval) override {
    heard_.push_back("interval " + std::to_string(interval.count()));
  }
  void request_accept() override {}
  void request_reject() override {}
  void request_replay(const std::string&) override {}
  void request_keys(std::string_view, std::vector<std::string>) override {}
  void request_stop() override { heard_.push_back("stop"); }

 private:
  const std::string secret_;
  std::vector<std::string>& heard_;
};

struct Desk {
  std::string secret, stamp = "1";
  std::string settings_are_wrong;
  std::vector<std::string> heard;
  std::unique_ptr<RenewedSource> source;

  explicit Desk(std::string first) : secret(std::move(first)) {
    RenewedSourceOptions options;
    options.failed.id = "sap";
    options.settle = 0ms;
    options.files = [this] { return std::vector<SecretFile>{{stamp, [this] { return secret; }}}; };
    options.make = [this]() -> Result<std::unique_ptr<ingest::Source>> {
      if (secret.empty()) return fail(ErrorCode::invalid_input, "the secret is empty; write it into the file");
      if (!settings_are_wrong.empty()) return fail(ErrorCode::invalid_input, settings_are_wrong);
      return std::make_unique<Plain>(secret, heard);
    };
    auto started = RenewedSource::start(std::move(options));
    REQUIRE(started);
    source = std::move(*started);
  }
  void write(std::string text) {
    secret = std::move(text);
    stamp += "+";
  }
  void touch() { stamp += "+"; }
  void step() { source->step(0ms); }
};

}  // namespace

TEST_CASE("a source whose secret was put right starts without a restart") {
  Desk desk("");
  CHECK(desk.source->status().state == ingest::SourceState::failed);
  CHECK(desk.source->status().needs_person);
  CHECK(desk.source->status().message == "the secret is empty; write it into the file");
  desk.step();
  CHECK(desk.heard.empty());
  desk.write("right");
  desk.step();
  CHECK(desk.heard == std::vector<std::string>{"made with right"});
  CHECK(desk.source->status().state == ingest::SourceState::polling);
}

TEST_CASE("a source whose password was wrong is made anew with the new one, paused if it was, at its own pace") {
  Desk desk("wrong");
  desk.source->request_pause();
  desk.source->request_interval(60s);
  desk.heard.clear();
  desk.write("right");
  desk.step();
  CHECK(desk.heard == std::vector<std::string>{"stop", "gone with wrong", "made with right", "pause", "interval 60"});
}

TEST_CASE("a file that is only touched, or away for a while, changes nothing") {
  Desk desk("right");
  desk.heard.clear();
  desk.touch();
  desk.step();
  CHECK(desk.heard.empty());
  desk.write("");
  desk.step();
  CHECK(desk.heard.empty());
  CHECK(desk.source->status().message == "right");
  desk.write("right");
  desk.step();
  CHECK(desk.heard.empty());
}

TEST_CASE("a person who asks has the source tried at once, and a wrong setting wants a restart") {
  Desk desk("right");
  desk.source.reset();
  Desk wrong("");
  wrong.secret = "right";
  wrong.settings_are_wrong = "the pin is none";
  wrong.source->request_refresh(false);
  wrong.step();
  CHECK(wrong.source->status().message == "the pin is none; then restart Millrace");
  wrong.settings_are_wrong.clear();
  wrong.source->request_refresh(false);
  wrong.step();
  CHECK(wrong.heard == std::vector<std::string>{"made with right"});
}

}  // namespace millrace::app
