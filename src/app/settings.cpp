#include "app/settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>  // with exceptions, as everywhere: its two modes must not meet in one program
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <limits>
#include <map>

#include "app/setting_values.h"
#include "base/check.h"
#include "base/fd.h"
#include "base/text.h"

extern char** environ;

namespace millrace::app {
namespace {

constexpr std::array setting_table = std::to_array<SettingRow>({
    {"data", SettingType::path, "", "", 0, 0, "", "--data", "DIR",
     "folder of the record; default $STATE_DIRECTORY, else $XDG_DATA_HOME/millrace"},
    {"orders", SettingType::path_list, "", "", 0, 0, "", "--orders", "DIR",
     "folder of order files; may be given several times"},
    {"listen", SettingType::address, "", "127.0.0.1:8080", 0, 0, "", "--listen", "ADDRESS",
     "address and port to serve on; others than this machine reach it only with sign-in"},
    {"auth", SettingType::choice, "", "auto", 0, 0, "auto|sign-in|none", "--auth", "MODE",
     "who may enter: sign-in asks everybody, none nobody and is allowed on loopback only; auto asks once there are users or others than this machine can reach it"},
    {"public_url", SettingType::text, "", "", 0, 0, "", "", "URL",
     "how people reach this server, such as https://plant.example:8443: stands in links for them"},
    {"oidc_issuer", SettingType::text, "", "", 0, 0, "", "", "URL",
     "the company's OpenID Connect provider, as it spells itself; people may then sign in with it too"},
    {"oidc_client_id", SettingType::text, "", "", 0, 0, "", "", "ID", "what that provider calls this server"},
    {"oidc_client_secret_file", SettingType::path, "", "", 0, 0, "", "", "FILE", "file with the secret that it gave for this server; empty: PKCE alone"},
    {"oidc_role", SettingType::choice, "", "none", 0, 0, "none|viewer|sales|planner|finance|floor", "", "ROLE",
     "role of people whom the provider knows and this server does not; none lets only people in who were entered here by e-mail"},
    {"company", SettingType::text, "", "", 0, 0, "", "--company", "NAME", "name shown in the header of every screen"},
    {"tls_certificate", SettingType::path, "", "", 0, 0, "", "", "FILE",
     "certificate in PEM form, followed by those between it and its authority; then the address speaks HTTPS"},
    {"tls_key", SettingType::path, "", "", 0, 0, "", "", "FILE", "private key of tls_certificate, readable by the server alone"},
    {"refresh_interval", SettingType::duration, "s", "30m", 10, 7 * 86400, "", "--refresh-interval", "TIME",
     "how often every source is compared in full, beside file events"},
    {"watch", SettingType::choice, "", "auto", 0, 0, "auto|events|poll", "--watch", "MODE",
     "how changes are noticed: file events where they work, or polling"},
    {"poll_interval_min", SettingType::duration, "s", "2s", 1, 3600, "", "", "TIME",
     "shortest time between two listings of a folder without file events; the pace follows cost and changes"},
    {"poll_interval_max", SettingType::duration, "s", "60s", 1, 86400, "", "", "TIME",
     "longest time between two listings of a folder without file events"},
    {"share_patience", SettingType::duration, "s", "30s", 2, 3600, "", "", "TIME",
     "a folder that does not answer for so long is said to hang"},
    {"hash_method", SettingType::choice, "", "xxh3", 0, 0, "xxh3|md5", "--hash-method", "METHOD",
     "fingerprint of file contents"},
    {"layout_profile", SettingType::path, "", "", 0, 0, "", "--layout-profile", "FILE",
     "where the company's own files keep their fields; empty is the built-in profile"},
    {"join", SettingType::text, "", "default: erp, newest", 0, 0, "", "", "RULES",
     "whose value counts where a folder and an ERP speak of one order, per group of fields and best first, such as "
     "\"quantity: erp; dates: orders, erp; references: no\""},
    {"own_columns", SettingType::text, "", "", 0, 0, "", "", "NAMES",
     "columns of our own that people may write into on every order, at most 8, such as \"Truck, Packing list\""},
    {"parser_workers", SettingType::count, "processes", "2", 1, 64, "", "--parser-workers", "N",
     "sandboxed processes that read documents"},
    {"parser_memory", SettingType::bytes, "bytes", "512MiB", 64 * mebibyte, 16384 * mebibyte, "", "", "SIZE",
     "address space one worker may use"},
    {"parser_time", SettingType::duration, "s", "10s", 1, 600, "", "", "TIME", "time one document may take"},
    {"file_size_max", SettingType::bytes, "bytes", "64MiB", mebibyte, 1024 * mebibyte, "", "", "SIZE",
     "larger files are rejected unread"},
    {"server_threads", SettingType::count, "threads", "2", 1, 64, "", "", "N", "threads that answer requests"},
    {"connections_max", SettingType::count, "connections", "2048", 16, 100000, "", "", "N", "open connections at once"},
    {"connections_per_address", SettingType::count, "connections", "512", 1, 100000, "", "", "N", "open connections of one address at once"},
    {"loopback_is_free", SettingType::flag, "", "false", 0, 0, "", "", "true|false", "connections from this machine are not counted per address"},
    {"trusted_proxies", SettingType::text, "", "", 0, 0, "", "", "ADDRESSES",
     "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, such as \"10.0.0.5, 10.1.0.0/16\""},
    {"host_names", SettingType::text, "", "", 0, 0, "", "", "NAMES",
     "names by which browsers may call this server, beside localhost and those of its certificate, such as \"plant.example.com\""},
    {"cache_memory", SettingType::bytes, "bytes", "8MiB", 0, 4096 * mebibyte, "", "", "SIZE",
     "memory for kept results"},
    {"job_workers", SettingType::count, "processes", "4", 1, 64, "", "", "N",
     "processes that run jobs at the same time; started when needed"},
    {"time_zone", SettingType::text, "", "", 0, 0, "", "", "ZONE",
     "time zone of the plant, such as Europe/Berlin: when schedules are due; empty is that of this machine"},
    {"log_level", SettingType::choice, "", "info", 0, 0, "debug|info|warning|error", "--log-level", "LEVEL",
     "least important event that is logged"},
    {"demo_orders", SettingType::count, "orders", "3000", 50, 200000, "", "", "N", "size of the demo company"},
    {"demo_seed", SettingType::count, "", "42", 0, std::numeric_limits<std::int64_t>::max(), "", "", "N",
     "same seed and day, same demo company"},
    {"demo_pause", SettingType::count, "ms", "3000", 0, 3600000, "", "", "N",
     "time between two changes of the demo's ERP; 0 stands still"},
    {"demo_open_browser", SettingType::flag, "", "true", 0, 0, "", "", "true|false",
     "open the first screen when the demo is ready"},
});

using Values = std::vector<std::string>;

// Puts values that were already checked into the struct: the only place that pairs row names with members.
void store_number(Settings& settings, std::string_view name, std::int64_t number) {
  if (name == "refresh_interval")
    settings.refresh_interval = std::chrono::seconds(number);
  else if (name == "poll_interval_min")
    settings.poll.shortest = std::chrono::seconds(number);
  else if (name == "poll_interval_max")
    settings.poll.longest = std::chrono::seconds(number);
  else if (name == "share_patience")
    settings.share_patience = std::chrono::seconds(number);
  else if (name == "parser_workers")
    settings.parser_workers = static_cast<unsigned>(number);
  else if (name == "parser_memory")
    settings.parser_memory = static_cast<std::uint64_t>(number);
  else if (name == "parser_time")
    settings.parser_time = std::chrono::seconds(number);
  else if (name == "file_size_max")
    settings.file_size_max = static_cast<std::uint64_t>(number);
  else if (name == "server_threads")
    settings.server_threads = static_cast<unsigned>(number);
  else if (name == "connections_max")
    settings.connections_max = static_cast<unsigned>(number);
  else if (name == "connections_per_address")
    settings.connections_per_address = static_cast<unsigned>(number);
  else if (name == "job_workers")
    settings.job_workers = static_cast<unsigned>(number);
  else if (name == "cache_memory")
    settings.cache_memory = static_cast<std::uint64_t>(number);
  else if (name == "demo_orders")
    settings.demo_orders = static_cast<std::size_t>(number);
  else if (name == "demo_seed")
    settings.demo_seed = static_cast<std::uint64_t>(number);
  else if (name == "demo_pause")
    settings.demo_pause = std::chrono::milliseconds(number);
  else
    check(false, "a number setting of the table has no member");
}

void store_text(Settings& settings, std::string_view name, const std::string& text) {
  if (name == "data")
    settings.data = text.size() > 1 && text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
  else if (name == "listen")
    settings.listen = text;
  else if (name == "auth")
    settings.auth = text;
  else if (name == "public_url")
    settings.public_url = text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
  else if (name == "oidc_issuer")
    settings.oidc_issuer = text;
  else if (name == "oidc_client_id")
    settings.oidc_client_id = text;
  else if (name == "oidc_client_secret_file")
    settings.oidc_client_secret_file = text;
  else if (name == "oidc_role")
    settings.oidc_role = text;
  else if (name == "time_zone")
    settings.time_zone = text;
  else if (name == "trusted_proxies")
    settings.trusted_proxies = text;
  else if (name == "host_names")
    settings.host_names = text;
  else if (name == "company")
    settings.company = text;
  else if (name == "layout_profile")
    settings.layout_profile = text;
  else if (name == "tls_certificate")
    settings.tls_certificate = text;
  else if (name == "tls_key")
    settings.tls_key = text;
  else if (name == "hash_method")
    settings.hash_method = text == "md5" ? HashMethod::md5 : HashMethod::xxh3_128;
  else if (name == "watch")
    settings.watch = text == "events" ? ingest::WatchMode::events
                     : text == "poll" ? ingest::WatchMode::poll
                                      : ingest::WatchMode::automatic;
  else if (name == "log_level")
    settings.log_level = text == "debug"     ? LogLevel::debug
                         : text == "warning" ? LogLevel::warning
                         : text == "error"   ? LogLevel::error
                                             : LogLevel::info;
  else
    check(false, "a text setting of the table has no member");
}

Result<void> store(Settings& settings, const SettingRow& row, const Values& values) {
  if (row.type == SettingType::path_list) {
    check(row.name == "orders", "a list setting of the table has no member");
    for (const std::string& value : values) {
      if (value.empty()) return fail(ErrorCode::invalid_input, "an empty text is not a folder");
    }
    settings.orders = values;
    return {};
  }
  if (values.size() != 1)
    return fail(ErrorCode::invalid_input, "takes one value, " + std::to_string(values.size()) + " were given");
  const std::string& text = values.front();
  switch (row.type) {
    case SettingType::count:
    case SettingType::bytes:
    case SettingType::duration: {
      const auto number = bounded_number(row, text);
      if (!number) return pass_on(number);
      store_number(settings, row.name, *number);
      return {};
    }
    case SettingType::flag: {
      const auto value = parse_flag(text);
      if (!value) return pass_on(value);
      check(row.name == "demo_open_browser" || row.name == "loopback_is_free", "a flag setting of the table has no member");
      (row.name == "loopback_is_free" ? settings.loopback_is_free : settings.demo_open_browser) = *value;
      return {};
    }
    case SettingType::choice:
      if (auto known = check_choice(row, text); !known) return known;
      break;
    case SettingType::address:
      if (auto address = check_address(text); !address) return address;
      break;
    case SettingType::path:
      if (row.name == "data" && text.empty()) return fail(ErrorCode::invalid_input, "an empty text is not a folder");
      break;
    case SettingType::text:
      if (row.name == "own_columns") {
        auto columns = parse_own_columns(text);
        if (!columns) return pass_on(columns);
        settings.own_columns = std::move(*columns);
        return {};
      }
      if (row.name == "join") {
        auto rules = ingest::parse_join_rules(text);
        if (!rules) return pass_on(rules);
        settings.join = std::move(*rules);
        return {};
      }
      break;
    case SettingType::path_list:
      break;
    case SettingType::percent:
    case SettingType::hours:
    case SettingType::text_list:
      check(false, "a setting of the program has a type that only sources have");
  }
  store_text(settings, row.name, text);
  return {};
}

std::string default_data_folder(const Environment& environment) {
  // systemd gives a colon-separated list; the first folder is ours.
  if (const auto state = find(environment, "STATE_DIRECTORY"); state && !state->empty())
    return state->substr(0, state->find(':'));
  if (const auto xdg = find(environment, "XDG_DATA_HOME"); xdg && xdg->starts_with('/')) return *xdg + "/millrace";
  if (const auto home = find(environment, "HOME"); home && home->starts_with('/'))
    return *home + "/.local/share/millrace";
  return "millrace-data";
}

std::string user_file(const Environment& environment) {
  if (const auto xdg = find(environment, "XDG_CONFIG_HOME"); xdg && xdg->starts_with('/'))
    return *xdg + "/millrace/millrace.toml";
  if (const auto home = find(environment, "HOME"); home && home->starts_with('/'))
    return *home + "/.config/millrace/millrace.toml";
  return "";
}

constexpr std::size_t settings_file_bytes_max = 1 << 20;

// Nothing when there is no such file.
Result<std::optional<std::string>> read_settings_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return fail(ErrorCode::unavailable, path + ": cannot be read: " + std::strerror(errno));
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(ErrorCode::unavailable, path + ": is not a regular file");
  }
  std::string text;
  std::array<char, 16384> block;
  for (;;) {
    const auto count = ::read(fd.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::unavailable, path + ": cannot be read: " + std::strerror(errno));
    if (count == 0) return std::optional(std::move(text));
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > settings_file_bytes_max)
      return fail(ErrorCode::unavailable, path + ": is larger than 1 MiB and cannot be a settings file");
  }
}

Result<Values> values_of(const toml::node& node, const std::string& where) {
  if (const auto text = node.value_exact<std::string>()) return Values{*text};
  if (const auto number = node.value_exact<std::int64_t>()) return Values{std::to_string(*number)};
  if (const auto flag = node.value_exact<bool>()) return Values{*flag ? "true" : "false"};
  if (const auto* list = node.as_array()) {
    Values values;
    for (const auto& element : *list) {
      const auto text = element.value_exact<std::string>();
      if (!text) return fail(ErrorCode::invalid_input, where + ": a list holds texts only");
      values.push_back(*text);
    }
    return values;
  }
  return fail(ErrorCode::invalid_input, where + ": must be a text, a number, true, false or a list of texts");
}

std::vector<std::string_view> known_names() {
  std::vector<std::string_view> names;
  for (const SettingRow& row : setting_table) names.push_back(row.name);
  return names;
}

struct Given {
  std::map<std::string, GivenValue, std::less<>> own;  // by name
  GivenSources sources;
};

// The tables `[source.NAME]`.
Result<void> take_sources(const std::string& path, const toml::node& node, Given& given) {
  const auto place = [&](const toml::node& at) { return path + ":" + std::to_string(at.source().begin.line) + ": "; };
  const toml::table* const tables = node.as_table();
  if (tables == nullptr) return fail(ErrorCode::invalid_input, place(node) + "sources are tables: write [source.NAME]");
  for (const auto& [name, one] : *tables) {
    const toml::table* const keys = one.as_table();
    if (keys == nullptr) return fail(ErrorCode::invalid_input, place(one) + "a source is a table: write [source." + printable(name.str()) + "]");
    if (const auto fits = check_source_name(name.str()); !fits) return pass_on(fits, place(one).substr(0, place(one).size() - 2));
    auto& source = given.sources[std::string(name.str())];
    for (const auto& [key, value] : *keys) {
      const std::string where = place(value).substr(0, place(value).size() - 2);
      if (const auto known = check_source_key(key.str()); !known) return pass_on(known, where);
      auto values = values_of(value, where + ": " + std::string(key.str()));
      if (!values) return pass_on(values);
      source[std::string(key.str())] = GivenValue{std::move(*values), where};
    }
  }
  return {};
}

Result<void> take_file(const std::string& path, const std::string& text, Given& given) {
  toml::table parsed;
  try {
    parsed = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input,
                path + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  for (const auto& [key, node] : parsed) {
    const std::string where = path + ":" + std::to_string(node.source().begin.line);
    if (key.str() == "source") {
      if (auto taken = take_sources(path, node, given); !taken) return taken;
      continue;
    }
    if (find_setting(key.str()) == nullptr) {
      return fail(ErrorCode::invalid_input, where + ": " + unknown_name("setting", key.str(), known_names()));
    }
    auto values = values_of(node, where + ": " + std::string(key.str()));
    if (!values) return pass_on(values);
    given.own[std::string(key.str())] = GivenValue{std::move(*values), where};
  }
  return {};
}

Result<void> take_environment(const Environment& environment, Given& given) {
  if (auto taken = take_source_environment(environment, given.sources); !taken) return taken;
  std::vector<std::string> names;
  for (const SettingRow& row : setting_table) names.push_back(environment_name(row));
  // Compared without what they all begin with: it would make every short word look like every other.
  constexpr std::string_view prefix = "MILLRACE_";
  std::vector<std::string_view> words;
  for (const std::string& name : names) words.push_back(std::string_view(name).substr(prefix.size()));
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(prefix) || is_source_variable(name)) continue;
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
      // A near miss is a typing error. Other MILLRACE_ words belong to wrappers and tests.
      const std::string_view near = closest(std::string_view(name).substr(prefix.size()), words);
      if (near.empty()) continue;
      return fail(ErrorCode::invalid_input, "environment: there is no variable \"" + printable(name) +
                                                "\"; did you mean " + std::string(prefix) + std::string(near) + "?");
    }
    const SettingRow& row = setting_table[static_cast<std::size_t>(found - names.begin())];
    Values values{value};
    if (row.type == SettingType::path_list) {
      values.clear();
      for (const auto folder : split(value, ':')) {
        if (!folder.empty()) values.emplace_back(folder);
      }
    }
    given.own[std::string(row.name)] = GivenValue{std::move(values), "environment " + name};
  }
  return {};
}

Result<void> take_files(const SettingsSources& sources, Given& given, std::vector<std::string>& read) {
  std::vector<std::string> paths;
  if (sources.config_file.empty()) {
    paths = {sources.system_file, user_file(sources.environment)};  // the later one wins
  } else {
    paths = {sources.config_file};
  }
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    auto text = read_settings_file(path);
    if (!text) return pass_on(text);
    if (!*text) {
      if (path == sources.config_file) return fail(ErrorCode::not_found, path + ": there is no such settings file");
      continue;
    }
    if (auto taken = take_file(path, **text, given); !taken) return taken;
    read.push_back(path);
  }
  return {};
}

}  // namespace

std::string_view word(SettingType type) {
  switch (type) {
    case SettingType::text:
      return "text";
    case SettingType::path:
      return "path";
    case SettingType::path_list:
      return "list of paths";
    case SettingType::address:
      return "address";
    case SettingType::choice:
      return "choice";
    case SettingType::count:
      return "number";
    case SettingType::bytes:
      return "size";
    case SettingType::duration:
      return "time";
    case SettingType::flag:
      return "true or false";
    case SettingType::percent:
      return "share";
    case SettingType::hours:
      return "hours";
    case SettingType::text_list:
      return "list";
  }
  return "";
}

std::span<const SettingRow> setting_rows() { return setting_table; }

const SettingRow* find_setting(std::string_view name) {
  const auto found = std::ranges::find(setting_table, name, &SettingRow::name);
  return found == setting_table.end() ? nullptr : &*found;
}

std::string environment_name(const SettingRow& row) {
  std::string name = "MILLRACE_";
  for (const char c : row.name) name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return name;
}

std::optional<std::string> find(const Environment& environment, std::string_view name) {
  for (const auto& [key, value] : environment) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Environment process_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Result<ResolvedSettings> resolve_settings(const SettingsSources& sources) {
  ResolvedSettings resolved;
  Given given;
  if (auto taken = take_files(sources, given, resolved.files); !taken) return pass_on(taken);
  if (auto taken = take_environment(sources.environment, given); !taken) return pass_on(taken);
  for (const FlagValue& flag : sources.flags) {
    check(find_setting(flag.setting) != nullptr, "a command's flag names no setting");
    given.own[flag.setting] = GivenValue{flag.values, "flag " + flag.flag};
  }
  for (const SettingRow& row : setting_table) {
    SettingOrigin origin;
    origin.name = row.name;
    origin.row = &row;
    origin.environment = environment_name(row);
    const auto found = given.own.find(row.name);
    if (found != given.own.end()) {
      origin.values = found->second.values;
      origin.origin = found->second.origin;
    } else {
      origin.is_default = true;
      origin.origin = "default";
      if (row.name == "data")
        origin.values = {default_data_folder(sources.environment)};
      else if (row.type != SettingType::path_list)
        origin.values = {std::string(row.fallback)};
    }
    if (auto stored = store(resolved.values, row, origin.values); !stored) {
      return pass_on(stored, origin.origin + ": " + origin.name);
    }
    resolved.origins.push_back(std::move(origin));
  }
  if (auto taken = resolve_sources(given.sources, resolved.values.sources, resolved.origins); !taken) return pass_on(taken);
  return resolved;
}

std::string example_settings_file() {
  std::string text =
      "# Settings of Millrace. A flag of the command line or a variable MILLRACE_<NAME> wins over this file.\n"
      "# `millrace config show --origin` says which value counts and where it came from.\n";
  for (const SettingRow& row : setting_table) {
    text += "\n# " + std::string(row.help);
    if (!row.choices.empty()) text += " (" + std::string(row.choices) + ")";
    if (row.name != "demo_seed")
      if (const std::string bounds = bounds_text(row); !bounds.empty()) text += " (" + bounds + ")";
    text += "\n#" + std::string(row.name) + " = ";
    if (row.type == SettingType::path_list)
      text += "[]";
    else if (row.type == SettingType::count || row.type == SettingType::flag)
      text += row.fallback;
    else
      text += "\"" + std::string(row.fallback) + "\"";
    text += "\n";
  }
  return text + example_sources();
}

std::string record_path(const Settings& settings) { return settings.data + "/record.sqlite"; }
std::string warm_path(const Settings& settings) { return settings.data + "/warm.bin"; }
std::string results_path(const Settings& settings) { return settings.data + "/results"; }
std::string demo_orders_path(const Settings& settings) { return settings.data + "/orders"; }

}  // namespace millrace::app
