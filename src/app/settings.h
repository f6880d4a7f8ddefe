// The settings of the program, said once: one table of rows gives names, defaults, bounds, help, flags,
// environment variables, the settings file and `millrace config show`.
//
//   flag  >  MILLRACE_<NAME>  >  $XDG_CONFIG_HOME/millrace/millrace.toml  >  /etc/millrace/millrace.toml  >  default
//
// Invariants
//   * A value that is out of bounds or of the wrong type is an error with its place, never silently corrected.
//   * An unknown key of a file is an error that names the nearest known one; so is a MILLRACE_* variable that looks
//   like
//     a known one mistyped. Other MILLRACE_* words belong to wrappers and tests.
//   * The environment is a parameter: no function here reads it by itself.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/source_settings.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/result.h"
#include "domain/overlay.h"
#include "ingest/folder_source.h"
#include "ingest/order_join.h"

namespace millrace::app {

// The values that count. Modules get their own options struct filled from here, never the table.
struct Settings {
  std::string data;                 // folder of the record; created when missing
  std::vector<std::string> orders;  // folders of order files
  std::string listen;               // "127.0.0.1:8080"
  std::string auth;                 // "auto", "sign-in", "none"
  std::string public_url;           // "https://plant.example:8443", "" when nobody said
  std::string oidc_issuer, oidc_client_id, oidc_client_secret_file;  // "" signs nobody in from outside
  std::string oidc_role;            // "none", or the role of people only the provider knows
  std::string company;              // shown in the header
  std::string tls_certificate, tls_key;  // PEM files; "" both: see tls_files()
  std::chrono::seconds refresh_interval{1800};
  ingest::WatchMode watch = ingest::WatchMode::automatic;
  ingest::PollBounds poll;
  std::chrono::seconds share_patience{30};
  HashMethod hash_method = HashMethod::xxh3_128;
  std::string layout_profile;  // file, "" is the built-in one
  ingest::JoinRules join;      // whose value counts where several sources speak of one order
  std::vector<OwnColumn> own_columns;  // what people write on orders beside the fields that are always there
  unsigned parser_workers = 2;
  std::uint64_t parser_memory = 0;  // bytes of address space of one worker
  std::chrono::seconds parser_time{10};
  std::uint64_t file_size_max = 0;  // bytes
  unsigned server_threads = 2;
  unsigned connections_max = 2048;
  unsigned connections_per_address = 512;
  bool loopback_is_free = false;   // its connections are not counted per address
  std::string trusted_proxies;     // addresses, comma between them
  std::string host_names;          // names, comma between them
  std::uint64_t cache_memory = 0;  // bytes of kept results
  unsigned job_workers = 4;        // processes
  std::string time_zone;           // the plant's, for schedules; "" is that of this machine
  LogLevel log_level = LogLevel::info;
  // of the demo company
  std::size_t demo_orders = 3000;
  std::uint64_t demo_seed = 42;
  std::chrono::milliseconds demo_pause{3000};  // between two changes of the ticking ERP; 0 stands still
  bool demo_open_browser = true;
  std::vector<SourceSettings> sources;  // what is no folder: the tables [source.NAME]
};

enum class SettingType : std::uint8_t {
  text, path, path_list, address, choice, count, bytes, duration, flag,
  percent,    // "2%"
  hours,      // "22-06"
  text_list,  // each one of `choices`
};
std::string_view word(SettingType type);

struct SettingRow {
  std::string_view name;  // key in the file; MILLRACE_<NAME> in the environment
  SettingType type;
  std::string_view unit;      // "" when the type says it all
  std::string_view fallback;  // the default as text; "" for data means: by XDG or STATE_DIRECTORY
  std::int64_t least;         // bounds of count, bytes and duration (seconds or milliseconds by unit)
  std::int64_t most;
  std::string_view choices;  // "auto|events|poll" for choice
  std::string_view flag;     // "--listen", "" when only the file and the environment set it
  std::string_view value;    // what a help text shows after the flag: "ADDRESS"
  std::string_view help;
};
std::span<const SettingRow> setting_rows();
const SettingRow* find_setting(std::string_view name);
std::string environment_name(const SettingRow& row);

struct SettingOrigin {
  std::string name;                 // "listen", "source.sap.url"
  const SettingRow* row = nullptr;  // of the table it belongs to
  std::string environment;          // the variable that sets it
  std::vector<std::string> values;  // as text; more than one only for lists
  std::string origin;  // "flag --listen", "environment MILLRACE_LISTEN", "/etc/millrace/millrace.toml:3", "default"
  bool is_default = false;
};

struct ResolvedSettings {
  Settings values;
  std::vector<SettingOrigin> origins;  // in the order of the table, then those of sources
  std::vector<std::string> files;      // settings files that were read
};

struct FlagValue {
  std::string setting;
  std::string flag;  // as typed, for messages
  std::vector<std::string> values;
};

std::optional<std::string> find(const Environment& environment, std::string_view name);
Environment process_environment();

struct SettingsSources {
  std::vector<FlagValue> flags;
  Environment environment;
  std::string config_file;  // of --config; "" looks in the two usual places
  std::string system_file = "/etc/millrace/millrace.toml";
};

// Errors   invalid_input  a value or key is wrong; the text names place, key, value and what would be right
//          not_found      --config names a file that is not there
//          unavailable    a settings file exists but cannot be read
Result<ResolvedSettings> resolve_settings(const SettingsSources& sources);

// "1800", "30m", "45 s", "2h", "1d" as seconds. "64MiB", "512 MB", "1GiB", "4096" as bytes. Nothing when wrong.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);
std::optional<std::uint64_t> parse_bytes(std::string_view text);
// "2%", "0.5 %" in hundredths of a percent.
std::optional<std::int64_t> parse_percent(std::string_view text);

// A settings file with every key commented out with its default and help: the one a package installs.
std::string example_settings_file();

// Where the record lives inside the data folder.
std::string record_path(const Settings& settings);
// What makes the next start quick; may be deleted at any time.
std::string warm_path(const Settings& settings);
// What jobs leave for people.
std::string results_path(const Settings& settings);
// Where the demo company writes its order files.
std::string demo_orders_path(const Settings& settings);

}  // namespace millrace::app
