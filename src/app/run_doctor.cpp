#include "app/commands.h"
#include "app/doctor.h"
#include "base/json_writer.h"

namespace millrace::app {
namespace {

std::string doctor_json(const std::vector<Check>& checks, const std::optional<store::RecordReport>& record) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("verdict", word(worst(checks)))
      .field("summary", verdict_sentence(checks))
      .key("checks")
      .begin_array();
  for (const Check& check : checks) {
    json.begin_object()
        .field("name", check.name)
        .field("verdict", word(check.verdict))
        .field("text", check.text)
        .field("advice", check.advice)
        .end_object();
  }
  json.end_array();
  if (record) {
    json.key("record").begin_object().field("digest", record->digest).field("sequence", record->position.sequence.value);
    json.field("revision", record->position.revision).field("format", std::uint64_t{record->schema_version});
    json.field("changes", record->changes).field("files", record->files).field("documents", record->documents);
    json.field("rejections", record->rejections).end_object();
  }
  json.end_object();
  return text + "\n";
}

void print(Console& console, const std::vector<Check>& checks, bool all) {
  for (const Check& check : checks) {
    if (check.verdict == Verdict::good && !all) continue;
    const std::string_view sign = check.verdict == Verdict::good ? "✓" : check.verdict == Verdict::warning ? "▲" : "✗";
    const Color color = check.verdict == Verdict::good      ? Color::good
                        : check.verdict == Verdict::warning ? Color::warning
                                                            : Color::bad;
    console.out() << console.painted(sign, color) << " " << check.text;
    if (!check.advice.empty()) console.out() << "  → " << check.advice;
    console.out() << "\n";
  }
  console.out() << verdict_sentence(checks) << "\n" << std::flush;
}

}  // namespace

int run_doctor(const CommandContext& context) {
  const Settings& settings = context.settings.values;
  std::optional<store::RecordReport> record;
  const auto checks = context.invocation.has("--record")
                          ? std::vector<Check>{check_record(record_path(settings), context.stop, record)}
                          : all_checks(settings, process_environment(), context.clock, context.stop, record);
  if (context.stop.load()) return exit_interrupted;
  if (context.invocation.json)
    context.console.out() << doctor_json(checks, record) << std::flush;
  else
    print(context.console, checks, context.invocation.has("--verbose") || context.invocation.has("--record"));
  return worst(checks) == Verdict::bad ? exit_failed : exit_ok;
}

}  // namespace millrace::app
