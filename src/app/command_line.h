// The commands of the program, said once: one table gives parsing, dispatch, help and "did you mean".
//
// Invariants
//   * Parsing changes nothing and reads nothing but its arguments.
//   * Flags that set a setting name its row; their value is checked where all settings are (app/settings.h).
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/console.h"
#include "app/settings.h"
#include "base/result.h"

namespace millrace::app {

struct OptionRow {
  std::string_view flag;     // "--orders-csv"
  std::string_view value;    // "FILE"; "" is a switch
  std::string_view setting;  // the setting it sets, "" when it belongs to the command alone
  std::string_view help;     // "" takes the setting's help
  bool repeated = false;
};

struct CommandRow {
  std::string_view name;
  std::string_view arguments;  // "DIR", "orders|lines", "" for none; one argument each, separated by blanks
  std::string_view summary;
  std::string_view details;  // what --help adds
  std::span<const OptionRow> options;
  std::span<const std::string_view> examples;  // three, shown first
  bool hidden = false;
  bool rare = false;  // the first help page only names it
};
std::span<const CommandRow> command_rows();
const CommandRow* find_command(std::string_view name);
std::span<const OptionRow> common_options();

enum class HelpWanted : std::uint8_t { none, short_page, full_page };

struct Invocation {
  const CommandRow* command = nullptr;  // nullptr: no command was given
  std::vector<std::string> arguments;
  std::map<std::string, std::vector<std::string>, std::less<>> options;  // by flag; switches hold ""
  std::vector<FlagValue> settings;
  HelpWanted help = HelpWanted::none;
  bool version = false;
  // common to all commands
  bool json = false;
  bool quiet = false;
  ColorMode color = ColorMode::automatic;
  std::string config_file;

  bool has(std::string_view flag) const { return options.contains(flag); }
  std::string option(std::string_view flag, std::string_view otherwise = "") const;
};

// `arguments` without the program's name.
// Errors   invalid_input  unknown command or flag (with the nearest known one), missing or surplus argument
Result<Invocation> parse_command_line(std::span<const std::string> arguments);

std::string short_help();                           // one screen for the program
std::string full_help();                            // every command, flag, setting and exit code
std::string short_help(const CommandRow& command);  // examples first
std::string full_help(const CommandRow& command);
std::string first_steps();  // what to do when nothing runs yet

}  // namespace millrace::app
