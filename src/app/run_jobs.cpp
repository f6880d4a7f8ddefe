// `jobs`: asks the running server about its work for later. Small JSON documents: Boost.JSON.
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/commands.h"
#include "app/loopback_http.h"
#include "app/people_desk.h"
#include "app/server_problem.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace millrace::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto patience = 30s;     // one commit of a busy record
constexpr auto look_pause = 200ms;

struct Call {
  std::string method = "GET";
  std::string path;
  std::string body;
};

Result<std::string> ask(const CommandContext& context, const Call& call) {
  const auto answer = send_to(local_server(context.settings.values), call.method, call.path, call.body, patience);
  if (!answer) return pass_on(answer);
  if (answer->status / 100 != 2) return Failure(error_of(*answer, call.path));
  return answer->body;
}

Result<json::object> ask_object(const CommandContext& context, const Call& call) {
  const auto body = ask(context, call);
  if (!body) return pass_on(body);
  boost::system::error_code error;
  json::value value = json::parse(*body, error);
  if (error || !value.is_object()) return fail(ErrorCode::unavailable, call.path + " was not answered in JSON: is that a Millrace?");
  return std::move(value.get_object());
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? printable(std::string_view(value->get_string())) : "";
}
std::uint64_t number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  const auto number = value && value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
  return error ? 0 : number;
}
const json::object* object_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}
json::array array_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_array() ? value->get_array() : json::array{};
}

std::string progress_text(const json::object& job) {
  const json::object* progress = object_at(job, "progress");
  if (!progress || number_at(*progress, "done") + number_at(*progress, "total") == 0) return "";
  std::string text = grouped(number_at(*progress, "done"));
  if (const auto total = number_at(*progress, "total"); total > 0) text += " of " + grouped(total);
  return text + " " + text_at(*progress, "unit");
}

std::string jobs_table(const json::object& answer) {
  Table table({{"job"}, {"kind"}, {"state"}, {"tries", true}, {"created"}, {"progress"}, {"error"}});
  for (const json::value& row : array_at(answer, "data")) {
    const json::object* job = row.if_object();
    if (!job) continue;
    table.row({text_at(*job, "id"), text_at(*job, "kind"), text_at(*job, "state"), std::to_string(number_at(*job, "tries")) + "/" + std::to_string(number_at(*job, "tries_max")),
               text_at(*job, "created_at").substr(0, 19), progress_text(*job), text_at(*job, "error")});
  }
  std::string text = table.text();
  if (const json::object* counts = object_at(answer, "counts")) {
    std::string line;
    for (const std::string_view state : {"waiting", "paused", "running", "done", "failed", "dead", "cancelled"})
      line += (line.empty() ? "" : ", ") + grouped(number_at(*counts, state)) + " " + std::string(state);
    text += line + "\n";
  }
  return text;
}

std::string job_text(const json::object& job) {
  std::string text = text_at(job, "kind") + " " + text_at(job, "id") + ": " + text_at(job, "state");
  if (const std::string progress = progress_text(job); !progress.empty()) text += ", " + progress;
  text += ", try " + std::to_string(number_at(job, "tries")) + " of " + std::to_string(number_at(job, "tries_max")) + "\n";
  for (const json::value& row : array_at(job, "attempts"))
    if (const json::object* attempt = row.if_object())
      text += "  try " + std::to_string(number_at(*attempt, "number")) + " ended " + text_at(*attempt, "ended").substr(0, 19) + ": " + text_at(*attempt, "reason") + "\n";
  if (const std::string error = text_at(job, "error"); !error.empty()) text += "  " + error + "\n";
  if (const json::value* result = job.if_contains("result"); result && !result->is_null()) text += "  result " + json::serialize(*result) + "\n";
  if (const json::object* file = object_at(job, "file"))
    text += "  file " + text_at(*file, "name") + ", " + bytes_text(number_at(*file, "bytes")) + ", at " + text_at(job, "result_url") + "\n";
  return text;
}

std::string schedules_table(const json::object& answer) {
  Table table({{"schedule"}, {"kind"}, {"timing"}, {"zone"}, {"next"}, {"turns", true}, {"skipped", true}});
  for (const json::value& row : array_at(answer, "data"))
    if (const json::object* schedule = row.if_object())
      table.row({text_at(*schedule, "name"), text_at(*schedule, "kind"), text_at(*schedule, "timing"), text_at(*schedule, "time_zone"),
                 text_at(*schedule, "next_due").substr(0, 19), grouped(number_at(*schedule, "turns")), grouped(number_at(*schedule, "skipped"))});
  return table.text();
}

int exit_code_of_job(const json::object& job) {
  const std::string state = text_at(job, "state");
  if (state == "done") return exit_ok;
  return state == "failed" || state == "dead" || state == "cancelled" ? exit_failed : exit_ok;
}

// Prints what the server answered: as it is with --json, else in words.
int show(const CommandContext& context, const Result<json::object>& answer, const std::function<std::string(const json::object&)>& words) {
  if (!answer) return report(context.console, answer.error());
  context.console.out() << (context.invocation.json ? json::serialize(*answer) + "\n" : words(*answer)) << std::flush;
  return exit_ok;
}

int show_job(const CommandContext& context, const Result<json::object>& answer) {
  return show(context, answer, [](const json::object& whole) {
    const json::object* job = object_at(whole, "job");
    return job ? job_text(*job) : std::string();
  });
}

Result<std::string> payload_of(const CommandContext& context) {
  const std::string path = context.invocation.option("--payload");
  if (path.empty()) return std::string("{}");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "the payload " + path + " cannot be read; check the path");
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

// Starts a job and follows it to its end, unless told not to wait.
int run_one(const CommandContext& context, const std::string& kind) {
  const auto payload = payload_of(context);
  if (!payload) return report(context.console, payload.error());
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().field("kind", kind).field("by", "command line").key("payload").raw(*payload).end_object();
  auto answer = ask_object(context, {"POST", "/api/v1/jobs", body});
  if (!answer) return report(context.console, answer.error());
  const json::object* job = object_at(*answer, "job");
  const std::string path = job ? text_at(*job, "url") : "";
  if (context.invocation.has("--no-wait")) return show_job(context, answer);
  Progress progress(context.console, kind, "steps", Stopwatch::now());
  while (answer && !context.stop) {
    job = object_at(*answer, "job");
    if (!job) break;
    const std::string state = text_at(*job, "state");
    if (state != "waiting" && state != "running" && state != "paused") break;
    if (const json::object* now = object_at(*job, "progress")) progress.update(number_at(*now, "done"), number_at(*now, "total"), Stopwatch::now());
    std::this_thread::sleep_for(look_pause);
    answer = ask_object(context, {"GET", path, ""});
  }
  progress.finish();
  if (context.stop) return report(context.console, Error(ErrorCode::cancelled, "no longer watching; the server goes on with it: millrace jobs show " + path.substr(path.rfind('/') + 1)));
  const int shown = show_job(context, answer);
  job = answer ? object_at(*answer, "job") : nullptr;
  return shown != exit_ok || !job ? shown : exit_code_of_job(*job);
}

int pause_or_resume(const CommandContext& context, const std::string& what, const std::string& kind) {
  const auto answer = ask_object(context, {"POST", "/api/v1/jobs/" + what + (kind.empty() ? "" : "?kind=" + kind), ""});
  return show(context, answer, [&](const json::object&) { return (kind.empty() ? "the queue" : "kind " + kind) + (what == "pause" ? " is paused; what runs goes on\n" : " goes on\n"); });
}

}  // namespace

int run_jobs(const CommandContext& context) {
  const std::string& what = context.invocation.arguments.at(0);
  const std::string which = context.invocation.arguments.size() > 1 ? context.invocation.arguments[1] : "";
  const bool harmless = std::ranges::all_of(which, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_'; });
  const bool needs_name = what == "show" || what == "cancel" || what == "retry" || what == "run";
  if (!harmless || (needs_name && which.empty()))
    return report(context.console, Error(ErrorCode::invalid_input, what + " needs " + (what == "run" ? "the kind of job, such as report" : "the id of a job, as `millrace jobs list` shows it")));
  if (what == "list") return show(context, ask_object(context, {"GET", "/api/v1/jobs?limit=50" + (which.empty() ? "" : "&state=" + which), ""}), jobs_table);
  if (what == "show") return show_job(context, ask_object(context, {"GET", "/api/v1/jobs/" + which, ""}));
  if (what == "cancel" || what == "retry") return show_job(context, ask_object(context, {"POST", "/api/v1/jobs/" + which + "/" + what, ""}));
  if (what == "pause" || what == "resume") return pause_or_resume(context, what, which);
  if (what == "run") return run_one(context, which);
  if (what == "schedules") return show(context, ask_object(context, {"GET", "/api/v1/jobs/schedules", ""}), schedules_table);
  return report(context.console, Error(ErrorCode::invalid_input, "\"" + printable(what) + "\" is not known; there is list, show, cancel, retry, pause, resume, run and schedules"));
}

}  // namespace millrace::app
