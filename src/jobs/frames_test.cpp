// What server and worker say to each other.
#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "jobs/internal/frames.h"
#include "jobs/retry.h"

namespace millrace::jobs {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    left = UniqueFd(ends[0]);
    right = UniqueFd(ends[1]);
  }
  UniqueFd left, right;
};

}  // namespace

TEST_CASE("frames arrive whole and in order, however the bytes are cut") {
  Pair pair;
  FrameReader reader;
  REQUIRE(send_frame(pair.left.get(), FrameType::ask, "/api/v1/orders.csv"));
  REQUIRE(send_frame(pair.left.get(), FrameType::heartbeat, ""));
  std::string all(64, '\0');
  const ssize_t got = ::recv(pair.right.get(), all.data(), all.size(), 0);
  REQUIRE(got > 0);
  Pair slow;
  std::string told;
  for (ssize_t i = 0; i < got; ++i) {
    REQUIRE(::send(slow.left.get(), all.data() + i, 1, 0) == 1);
    REQUIRE(reader.receive(slow.right.get()));
    const auto frame = reader.take();
    REQUIRE(frame);
    if (*frame) told += std::to_string(static_cast<int>((*frame)->type)) + ":" + (*frame)->content + " ";
  }
  CHECK(told == "19:/api/v1/orders.csv 17: ");
}

TEST_CASE("a peer that is gone or announces too much is noticed") {
  Pair pair;
  FrameReader reader;
  CHECK(reader.receive(pair.right.get()));  // nothing there is no error
  REQUIRE(::send(pair.left.get(), "\xFF\xFF\xFF\xFF\x01", 5, 0) == 5);
  REQUIRE(reader.receive(pair.right.get()));
  CHECK(reader.take().error().code() == ErrorCode::corrupt);
  pair.left.reset();
  CHECK(reader.receive(pair.right.get()).error().code() == ErrorCode::unavailable);
  CHECK(send_frame(pair.right.get(), FrameType::heartbeat, "").error().code() == ErrorCode::unavailable);
  CHECK(send_frame(pair.right.get(), FrameType::block, std::string(frame_bytes_max, 'x')).error().code() == ErrorCode::internal);
}

TEST_CASE("messages say again what they were told, and cut or foreign ones are refused") {
  CHECK(rc::check("messages", [](const std::string& first, const std::string& second, std::uint64_t lease, bool flag) {
    EndMessage end;
    end.lease = lease;
    end.outcome.result = first;
    if (flag) end.outcome.file = ResultFile{first, second, 0};
    else end.error = second;
    end.again = flag;
    const std::string bytes = encode(end);
    const auto read = decode_end(bytes);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->lease == lease);
    RC_ASSERT(read->outcome.result == first);
    RC_ASSERT(read->outcome.file == end.outcome.file);
    RC_ASSERT(read->error == end.error);
    RC_ASSERT(!decode_end(std::string_view(bytes).substr(0, bytes.size() - 1)).has_value());
    RC_ASSERT(!decode_end(bytes + "x").has_value());
    const auto job = decode_job_message(encode(JobMessage{first, second, first, second, first, lease}));
    RC_ASSERT(job.has_value());
    RC_ASSERT(job->payload == first);
    RC_ASSERT(job->brief == second);
    RC_ASSERT(job->lease == lease);
  }));
}

TEST_CASE("a stored job is read back as it was, and damage is noticed") {
  CHECK(rc::check("jobs", [](const std::string& text, std::uint32_t tries, std::int32_t priority, bool flag) {
    Job job;
    job.id = "0123456789abcde";
    job.kind = text;
    job.payload = text + text;
    job.priority = priority;
    job.tries = tries;
    job.cancel_wanted = flag;
    job.created = Instant(std::chrono::milliseconds(tries));
    if (flag) job.run_after = job.created;
    if (flag) job.file = ResultFile{text, "text/csv", tries};
    note_attempt(job, "its worker was killed", job.created);
    const std::string bytes = encode(job);
    const auto read = decode_job(bytes);
    RC_ASSERT(read.has_value());
    RC_ASSERT(encode(*read) == bytes);
    RC_ASSERT(read->attempts == job.attempts);
    RC_ASSERT(!decode_job(std::string_view(bytes).substr(0, bytes.size() / 2)).has_value());
  }));
}

TEST_CASE("a try that failed waits longer and longer up to five minutes, one that died never more than two seconds") {
  CHECK(rc::check("delays", [](std::uint16_t tries, std::uint8_t part) {
    const double chance = part / 255.0;
    const auto failed = retry_delay(TryEnd::failed, tries, chance), died = retry_delay(TryEnd::died, tries, chance);
    RC_ASSERT(failed >= std::chrono::milliseconds(500) && failed <= failed_delay_max);
    RC_ASSERT(died >= std::chrono::milliseconds(125) && died <= died_delay_max);
    RC_ASSERT(retry_delay(TryEnd::failed, static_cast<std::uint32_t>(tries) + 1, chance) >= failed);
  }));
  CHECK(retry_delay(TryEnd::failed, 1, 0) == std::chrono::milliseconds(500));
  CHECK(retry_delay(TryEnd::failed, 1, 1) == std::chrono::milliseconds(1000));
  CHECK(retry_delay(TryEnd::failed, 30, 1) == failed_delay_max);
}

}  // namespace millrace::jobs
