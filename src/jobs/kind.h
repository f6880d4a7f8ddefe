// What kinds of work there are: one row each, made by whoever knows the work (`app`). The queue knows names and payloads.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "store/record.h"

namespace millrace::jobs {

enum class Place : std::uint8_t {
  inside,  // on a bounded thread of the server: short waits and work of the server's own parts
  worker,  // in a process of its own: what takes processor time, or may crash
};
std::string_view word(Place place);

// What becomes of a wish for a job whose unique key another job has.
enum class UniqueRule : std::uint8_t {
  none,     // both run, also at the same time
  waiting,  // while the other waits it is the answer; once it runs a second one waits behind it: news may have come since
  live,     // while the other waits or runs it is the answer
};

// One member of a payload, as a form asks for it. `KindRow::check` has the last word.
enum class MemberType : std::uint8_t {
  text,
  number,
  flag,
  choice,   // one of `choices`
  source,   // the id of a source
  filters,  // an object: filters of the order list
};
std::string_view word(MemberType type);
struct PayloadMember {
  std::string name = {};
  MemberType type = MemberType::text;
  std::string help = {};                  // a few words
  std::string standard = {};              // what counts when it is left out, "" nothing
  std::vector<std::string> choices = {};
  bool required = false;
};
// All in one line, for the command line: "keep: how many backups stay, 7".
std::string payload_help(const std::vector<PayloadMember>& members);

// How a try ended well.
struct Outcome {
  std::string result = "{}";        // JSON text
  std::optional<ResultFile> file = {};   // written at `Run::result_path`
};

// What an inside kind sees of its own run. Any thread may call.
class Run {
 public:
  virtual ~Run() = default;
  virtual const Job& job() const = 0;
  // Somebody asked to stop, the server stops, or its time is over: end soon with an error.
  virtual bool stop_wanted() const = 0;
  virtual void progress(Progress now) = 0;
  // Where a result file is written, whole and synced, before the outcome is answered.
  virtual std::string result_path() const = 0;
};

struct KindRow {
  std::string name = {};
  Place place = Place::worker;
  std::chrono::seconds time_max{300};
  std::uint32_t tries_max = 3;
  UniqueRule unique = UniqueRule::none;
  std::string right = {};         // what a person needs to start one: "run_jobs"
  std::string summary = {};       // one sentence
  std::vector<PayloadMember> payload = {};
  // Errors   invalid_input  the payload is wrong; the text names the member. Answers the unique key, "" none.
  std::function<Result<std::string>(std::string_view payload)> check = {};
  // Of inside kinds. An error of a code that says "try again" (base/result.h) is tried again, every other one is final.
  std::function<Result<Outcome>(Run&)> run = {};
  // Of worker kinds: what the worker is told beside the payload, JSON text. Errors as those of `run`.
  std::function<Result<std::string>(const Job&)> brief = {};
  // Rows that commit together with the end of the job, or nothing. May change what the outcome says.
  std::function<Result<store::Batch>(const Job&, Outcome&)> effect = {};
  // Adds to the batch that forgets the job what else goes with it.
  std::function<void(const Job&, store::Batch&)> forget = {};
};

}  // namespace millrace::jobs
