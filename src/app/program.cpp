#include "app/program.h"

#include <array>

#include "app/commands.h"
#include "app/serve.h"

namespace millrace::app {
namespace {

struct Dispatch {
  std::string_view command;
  int (*run)(const CommandContext& context);
};

constexpr std::array dispatch_table = std::to_array<Dispatch>({
    {"serve", [](const CommandContext& context) { return run_serve(context.settings, ServeMode::serve); }},
    {"demo", [](const CommandContext& context) { return run_serve(context.settings, ServeMode::demo); }},
    {"scan", run_scan},
    {"sync", run_sync},
    {"export", run_export},
    {"import", run_import},
    {"pack", run_pack},
    {"cash", run_cash},
    {"status", run_status},
    {"doctor", run_doctor},
    {"backup", run_backup},
    {"restore", run_restore},
    {"user", run_user},
    {"token", run_token},
    {"tls", run_tls},
    {"audit", run_audit},
    {"jobs", run_jobs},
    {"version", run_version},
    {"config", run_config},
});

// The demo keeps to a folder of its own, unless somebody names one.
void separate_demo_data(ResolvedSettings& settings) {
  for (SettingOrigin& origin : settings.origins) {
    if (origin.name != "data" || !origin.is_default) continue;
    settings.values.data += "/demo";
    origin.values = {settings.values.data};
  }
}

int show_help(const Invocation& invocation, Console& console) {
  const bool full = invocation.help == HelpWanted::full_page;
  if (invocation.command == nullptr)
    console.out() << (full ? full_help() : short_help());
  else
    console.out() << (full ? full_help(*invocation.command) : short_help(*invocation.command));
  console.out() << std::flush;
  return exit_ok;
}

}  // namespace

int report(Console& console, const Error& error) {
  console.error(error.text());
  return exit_code_of(error.code());
}

int run_program(std::span<const std::string> arguments, std::ostream& out, std::ostream& err,
                ConsoleOptions console_options, const Environment& environment, const std::atomic<bool>& stop) {
  const auto invocation = parse_command_line(arguments);
  if (!invocation) {
    Console console(out, err, console_options);
    return report(console, invocation.error());
  }
  console_options.color = invocation->color;
  console_options.quiet = invocation->quiet;
  Console console(out, err, std::move(console_options));
  if (invocation->help != HelpWanted::none) return show_help(*invocation, console);

  SettingsSources sources;
  sources.flags = invocation->settings;
  sources.environment = environment;
  sources.config_file = invocation->config_file;
  auto settings = resolve_settings(sources);
  if (!settings) return report(console, settings.error());

  const SystemClock clock;
  Invocation chosen = *invocation;
  if (chosen.command == nullptr && chosen.version) chosen.command = find_command("version");
  if (chosen.command == nullptr) {
    if (!server_answers(settings->values.listen)) {
      out << first_steps() << std::flush;
      return exit_ok;
    }
    chosen.command = find_command("status");
  }
  if (chosen.command->name == "demo") separate_demo_data(*settings);
  const CommandContext context{chosen, *settings, console, clock, stop};
  for (const Dispatch& row : dispatch_table) {
    if (row.command == chosen.command->name) return row.run(context);
  }
  console.error(std::string(chosen.command->name) + " is started by the server, not by people");
  return exit_usage;
}

}  // namespace millrace::app
