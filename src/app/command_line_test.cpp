#include "app/command_line.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "app/program.h"
#include "store/record.h"

namespace millrace::app {
namespace {

Result<Invocation> parse(std::vector<std::string> arguments) { return parse_command_line(arguments); }

std::string refusal(std::vector<std::string> arguments) {
  const auto parsed = parse(std::move(arguments));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code() == ErrorCode::invalid_input);
  return parsed.error().text();
}

struct Said {
  int code = 0;
  std::string out, err;
};
Said run(std::vector<std::string> arguments, Environment environment = {}) {
  std::ostringstream out, err;
  const std::atomic<bool> stop{false};
  environment.emplace_back("HOME", "/nowhere");
  environment.emplace_back("MILLRACE_LISTEN", "127.0.0.1:1");  // nobody answers there
  const int code = run_program(arguments, out, err, ConsoleOptions{}, environment, stop);
  return {code, out.str(), err.str()};
}

TEST_CASE("every command has a summary, at least three examples and only known settings") {
  std::set<std::string_view> names;
  for (const CommandRow& row : command_rows()) {
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.summary.empty());
    if (!row.hidden) CHECK(row.examples.size() >= 3);
    for (const auto example : row.examples) CHECK(example.starts_with("millrace "));
    for (const OptionRow& option : row.options) {
      if (!option.setting.empty()) CHECK_MESSAGE(find_setting(option.setting) != nullptr, std::string(option.flag));
      CHECK((!option.help.empty() || !option.setting.empty()));
    }
  }
}

TEST_CASE("flags become settings, repeated ones become a list, and the rest stays with the command") {
  const auto serve =
      parse({"serve", "--orders", "/a", "--orders=/b", "--listen", "127.0.0.1:9", "--quiet", "--config", "x.toml"});
  REQUIRE_MESSAGE(serve, serve.error().text());
  REQUIRE(serve->settings.size() == 2);
  CHECK(serve->settings[0].setting == "orders");
  CHECK(serve->settings[0].values == std::vector<std::string>{"/a", "/b"});
  CHECK(serve->settings[1].setting == "listen");
  CHECK(serve->quiet);
  CHECK(serve->config_file == "x.toml");
  const auto scan = parse({"scan", "/a tree", "--orders-csv", "o.csv", "--json"});
  REQUIRE_MESSAGE(scan, scan.error().text());
  CHECK(scan->arguments == std::vector<std::string>{"/a tree"});
  CHECK(scan->option("--orders-csv") == "o.csv");
  CHECK(scan->json);
  CHECK(scan->settings.empty());
}

TEST_CASE("the demo's orders are a number and --no-open keeps the browser closed") {
  const auto demo = parse({"demo", "--orders", "500", "--seed", "7", "--no-open"});
  REQUIRE_MESSAGE(demo, demo.error().text());
  REQUIRE(demo->settings.size() == 3);
  CHECK(demo->settings[0].setting == "demo_orders");
  CHECK(demo->settings[2].setting == "demo_open_browser");
  CHECK(demo->settings[2].values == std::vector<std::string>{"false"});
}

TEST_CASE("a repeated filter keeps its order") {
  const auto exported = parse({"export", "orders", "--where", "late=true", "--where", "status=in.(Open,Shipped)"});
  REQUIRE_MESSAGE(exported, exported.error().text());
  CHECK(exported->options.find("--where")->second == std::vector<std::string>{"late=true", "status=in.(Open,Shipped)"});
}

TEST_CASE("what is not known is answered with what was probably meant") {
  CHECK(refusal({"scna", "/x"}) == "there is no command \"scna\"; did you mean scan?");
  CHECK(refusal({"scan", "/x", "--order-csv", "f"}).find("did you mean --orders-csv?") != std::string::npos);
  CHECK(refusal({"serve", "--listn=127.0.0.1:1"}).find("did you mean --listen?") != std::string::npos);
  CHECK(refusal({"scan"}).find("an argument is missing: millrace scan DIR") != std::string::npos);
  CHECK(refusal({"scan", "/a", "/b"}).find("one argument too many") != std::string::npos);
  CHECK(refusal({"scan", "/a", "--color", "red"}).find("auto, always or never") != std::string::npos);
  CHECK_FALSE(refusal({"serve", "--orders"}).empty());
}

TEST_CASE("wrong use ends with exit code 2, says why on stderr and nothing on stdout") {
  const Said said = run({"scna"});
  CHECK(said.code == 2);
  CHECK(said.out.empty());
  CHECK(said.err == "error: there is no command \"scna\"; did you mean scan?\n");
}

TEST_CASE("help shows examples first and fits one screen, the full page shows exit codes") {
  const Said brief = run({"-h"});
  CHECK(brief.code == 0);
  CHECK(brief.out.find("Examples") < brief.out.find("Commands"));
  CHECK(std::count(brief.out.begin(), brief.out.end(), '\n') <= 24);
  const Said scan = run({"scan", "-h"});
  CHECK(scan.code == 0);
  CHECK(scan.out.starts_with("Examples\n  millrace scan"));
  CHECK(scan.out.find("--orders-csv FILE") != std::string::npos);
  const Said all = run({"--help"});
  CHECK(all.out.find("Exit codes") != std::string::npos);
  CHECK(all.out.find("parse-worker") == std::string::npos);
}

TEST_CASE("without arguments and without a server the first three things to do are shown") {
  const Said said = run({});
  CHECK(said.code == 0);
  CHECK(said.out.find("millrace demo") != std::string::npos);
  CHECK(said.out.find("millrace scan") != std::string::npos);
}

TEST_CASE("status of a server that is not there is exit code 3") {
  const Said said = run({"status"});
  CHECK(said.code == 3);
  CHECK(said.err.find("no answer from 127.0.0.1:1") != std::string::npos);
}

TEST_CASE("version names version, commit and compiler, also for programs") {
  CHECK(run({"version"}).out.starts_with("millrace "));
  CHECK(run({"--version"}).out.starts_with("millrace "));
  const Said json = run({"version", "--json"});
  CHECK(json.out.find("\"commit\":") != std::string::npos);
  CHECK(json.out.find("\"data_format\":" + std::to_string(store::record_format()) + "}") != std::string::npos);
}

TEST_CASE("config show says where each value came from") {
  const Said said = run({"config", "show", "--origin"}, {{"MILLRACE_WATCH", "poll"}});
  CHECK(said.code == 0);
  CHECK(said.out.find("environment MILLRACE_WATCH") != std::string::npos);
  CHECK(said.out.find("default") != std::string::npos);
  CHECK(run({"config", "shwo"}).code == 2);
  CHECK(run({"config", "show", "--json"}).out.find("\"origin\":\"default\"") != std::string::npos);
}

TEST_CASE("a wrong setting is exit code 2 for every command") {
  CHECK(run({"version"}, {{"MILLRACE_WATCH", "sometimes"}}).code == 2);
}

TEST_CASE("an export without a record is exit code 4, a wrong filter exit code 2") {
  CHECK(run({"export", "orders", "--data", "/nowhere/at/all"}).code == 4);
  const Said wrong = run({"export", "orders", "--data", "/nowhere/at/all", "--where", "statsu=Open"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("status") != std::string::npos);
  CHECK(run({"export", "cash", "--data", "/nowhere/at/all"}).code == 2);
}

}  // namespace
}  // namespace millrace::app
