#include "app/settings.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace millrace::app {
namespace {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "millrace-settings-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  std::string file(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

SettingsSources nothing() {
  SettingsSources sources;
  sources.system_file = "";
  sources.environment = {{"HOME", "/nowhere"}};
  return sources;
}

const SettingOrigin& origin(const ResolvedSettings& settings, std::string_view name) {
  for (const SettingOrigin& row : settings.origins) {
    if (row.name == name) return row;
  }
  FAIL("no such setting");
  return settings.origins.front();
}

TEST_CASE("every setting has a valid default, a help text and a name of its own") {
  const auto settings = resolve_settings(nothing());
  REQUIRE_MESSAGE(settings, settings.error().text());
  CHECK(settings->values.listen == "127.0.0.1:8080");
  CHECK(settings->values.refresh_interval == std::chrono::minutes(30));
  CHECK(settings->values.parser_memory == 512u << 20);
  CHECK(settings->values.data == "/nowhere/.local/share/millrace");
  for (const SettingRow& row : setting_rows()) {
    CHECK_FALSE(row.help.empty());
    CHECK(find_setting(row.name) == &row);
    CHECK(origin(*settings, row.name).is_default);
  }
}

TEST_CASE("a flag wins over the environment, the environment over the user's file, that over the system's") {
  const Folder folder;
  SettingsSources sources = nothing();
  sources.system_file = folder.file(
      "etc.toml", "company = \"system\"\nlisten = \"127.0.0.1:1\"\nwatch = \"poll\"\nlog_level = \"debug\"\n");
  folder.file("millrace/millrace.toml", "# ours\ncompany = \"user\"\nlisten = \"127.0.0.1:2\"\nwatch = \"events\"\n");
  sources.environment = {
      {"XDG_CONFIG_HOME", folder.path()}, {"MILLRACE_COMPANY", "environment"}, {"MILLRACE_LISTEN", "127.0.0.1:3"}};
  sources.flags = {{"company", "--company", {"flag"}}};
  const auto settings = resolve_settings(sources);
  REQUIRE_MESSAGE(settings, settings.error().text());
  CHECK(settings->values.company == "flag");
  CHECK(settings->values.listen == "127.0.0.1:3");
  CHECK(settings->values.watch == ingest::WatchMode::events);
  CHECK(settings->values.log_level == LogLevel::debug);
  CHECK(origin(*settings, "company").origin == "flag --company");
  CHECK(origin(*settings, "listen").origin == "environment MILLRACE_LISTEN");
  CHECK(origin(*settings, "watch").origin == folder.path() + "/millrace/millrace.toml:4");
  CHECK(origin(*settings, "log_level").origin == folder.path() + "/etc.toml:4");
  CHECK(settings->files.size() == 2);
}

TEST_CASE("a mistyped key is refused with its place and the nearest known one") {
  const Folder folder;
  SettingsSources sources = nothing();
  sources.config_file = folder.file("my.toml", "company = \"x\"\nlistn = \"127.0.0.1:1\"\n");
  const auto settings = resolve_settings(sources);
  REQUIRE_FALSE(settings);
  CHECK(settings.error().code() == ErrorCode::invalid_input);
  CHECK(settings.error().text() == sources.config_file + ":2: there is no setting \"listn\"; did you mean listen?");
}

TEST_CASE("a mistyped variable is refused, a stranger's variable is left alone") {
  SettingsSources sources = nothing();
  sources.environment.emplace_back("MILLRACE_LISTN", "127.0.0.1:1");
  auto settings = resolve_settings(sources);
  REQUIRE_FALSE(settings);
  CHECK(settings.error().text().find("did you mean MILLRACE_LISTEN?") != std::string::npos);
  sources.environment.back() = {"MILLRACE_TREE_OF_A_TEST", "x"};
  CHECK(resolve_settings(sources));
  sources.environment.back() = {"MILLRACE_BIN", "x"};  // short, and near DATA only by what all names begin with
  CHECK(resolve_settings(sources));
}

TEST_CASE("wrong values are refused with what would be right") {
  const auto refused = [](const std::string& name, const std::string& value) {
    SettingsSources sources = nothing();
    sources.flags = {{name, "--" + name, {value}}};
    const auto settings = resolve_settings(sources);
    REQUIRE_FALSE(settings);
    CHECK(settings.error().code() == ErrorCode::invalid_input);
    return settings.error().text();
  };
  CHECK(refused("refresh_interval", "soon").find("45s, 30m, 2h or 1d") != std::string::npos);
  CHECK(refused("refresh_interval", "9s").find("10 s to 604800 s") != std::string::npos);
  CHECK(refused("watch", "evens").find("did you mean events?") != std::string::npos);
  CHECK(refused("listen", "8080").find("127.0.0.1:8080") != std::string::npos);
  CHECK(refused("listen", "127.0.0.1:99999").find("is not an address") != std::string::npos);
  CHECK(refused("parser_memory", "1MiB").find("64 MiB to") != std::string::npos);
  CHECK(refused("parser_workers", "2x").find("whole number") != std::string::npos);
  CHECK(refused("data", "").find("not a folder") != std::string::npos);
}

TEST_CASE("a broken settings file says file and line, a missing one is not found") {
  const Folder folder;
  SettingsSources sources = nothing();
  sources.config_file = folder.file("broken.toml", "company = \"x\"\nlisten = \n");
  auto settings = resolve_settings(sources);
  REQUIRE_FALSE(settings);
  CHECK(settings.error().text().find("broken.toml:2") != std::string::npos);
  sources.config_file = folder.path() + "/none.toml";
  settings = resolve_settings(sources);
  REQUIRE_FALSE(settings);
  CHECK(settings.error().code() == ErrorCode::not_found);
}

TEST_CASE("order folders are a list in a file, colon-separated in the environment, repeated as a flag") {
  const Folder folder;
  SettingsSources sources = nothing();
  sources.config_file = folder.file("a.toml", "orders = [\"/a\", \"/b c\"]\n");
  CHECK(resolve_settings(sources)->values.orders == std::vector<std::string>{"/a", "/b c"});
  sources.environment.emplace_back("MILLRACE_ORDERS", "/c:/d");
  CHECK(resolve_settings(sources)->values.orders == std::vector<std::string>{"/c", "/d"});
  sources.flags = {{"orders", "--orders", {"/e", "/f"}}};
  CHECK(resolve_settings(sources)->values.orders == std::vector<std::string>{"/e", "/f"});
}

TEST_CASE("the service keeps its record where systemd says, a user where XDG says") {
  SettingsSources sources = nothing();
  sources.environment = {{"STATE_DIRECTORY", "/var/lib/millrace:/var/lib/other"}, {"XDG_DATA_HOME", "/data"}};
  CHECK(resolve_settings(sources)->values.data == "/var/lib/millrace");
  sources.environment = {{"XDG_DATA_HOME", "/data"}};
  CHECK(resolve_settings(sources)->values.data == "/data/millrace");
}

TEST_CASE("times and sizes are written as people write them") {
  CHECK(parse_duration("90") == std::chrono::seconds(90));
  CHECK(parse_duration(" 30 m ") == std::chrono::minutes(30));
  CHECK(parse_duration("2h") == std::chrono::hours(2));
  CHECK(parse_duration("1d") == std::chrono::hours(24));
  CHECK_FALSE(parse_duration("-1s"));
  CHECK_FALSE(parse_duration("m"));
  CHECK_FALSE(parse_duration("99999999999999999999d"));
  CHECK(parse_bytes("64MiB") == 64u << 20);
  CHECK(parse_bytes("1 gib") == 1u << 30);
  CHECK(parse_bytes("4096") == 4096u);
  CHECK(parse_bytes("5 MB") == 5'000'000u);
  CHECK_FALSE(parse_bytes("5 XB"));
  CHECK_FALSE(parse_bytes("18446744073709551615 GiB"));
}

TEST_CASE("the example settings file names every setting and is a valid file when every key is switched on") {
  const std::string example = example_settings_file();
  std::string active;
  std::size_t at = 0;
  while (at < example.size()) {
    const auto end = example.find('\n', at);
    const std::string line = example.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("#") && !line.starts_with("# ") && !line.starts_with("#data "))
      active += line.substr(1) + "\n";
  }
  for (const SettingRow& row : setting_rows())
    CHECK(example.find("\n#" + std::string(row.name) + " = ") != std::string::npos);
  const Folder folder;
  SettingsSources sources = nothing();
  sources.config_file = folder.file("all.toml", active);
  const auto settings = resolve_settings(sources);
  REQUIRE_MESSAGE(settings, settings.error().text());
  CHECK(settings->values.demo_orders == 3000);
}

}  // namespace
}  // namespace millrace::app
