// `config show` and `version`.
#include "app/build_info.h"
#include "app/commands.h"
#include "app/settings_report.h"
#include "base/json_writer.h"
#include "store/record.h"

namespace millrace::app {
namespace {

// What this build was made with and a person may ask for.
constexpr std::string_view features[] = {"json", "csv", "xlsx", "pdf", "file-events", "sandbox", "websocket", "sse"};

}  // namespace

int run_config(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  if (invocation.arguments.front() != "show") {
    return report(context.console, Error(ErrorCode::invalid_input,
                                         "config knows one thing to do: show; try `millrace config show --origin`"));
  }
  std::ostream& out = context.console.out();
  if (invocation.has("--example")) {
    out << example_settings_file() << std::flush;
  } else if (invocation.json) {
    out << settings_json(context.settings) << "\n" << std::flush;
  } else {
    const bool origin_wanted = invocation.has("--origin");
    std::vector<Table::Column> columns = {{"setting"}, {"value"}};
    if (origin_wanted) columns.push_back({"origin"});
    Table table(std::move(columns));
    for (const SettingOrigin& origin : context.settings.origins) {
      std::vector<std::string> cells = {origin.name, joined(origin.values)};
      if (origin_wanted) cells.push_back(origin.origin);
      table.row(std::move(cells));
    }
    out << table.text() << std::flush;
  }
  return exit_ok;
}

int run_version(const CommandContext& context) {
  const server::BuildInfo& info = build_info();
  std::ostream& out = context.console.out();
  if (!context.invocation.json) {
    out << "millrace " << info.version << " (" << info.commit << ", " << info.compiler << ")\n"
        << "data format " << store::record_format() << ", no telemetry\n"
        << std::flush;
    return exit_ok;
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("version", info.version).field("commit", info.commit).field("compiler", info.compiler);
  json.key("features").begin_array();
  for (const auto feature : features) json.text(feature);
  json.end_array().field("data_format", store::record_format()).end_object();
  out << text << "\n" << std::flush;
  return exit_ok;
}

}  // namespace millrace::app
