#include "app/console.h"

#include <doctest/doctest.h>

#include <sstream>

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

struct Screen {
  explicit Screen(ConsoleOptions options) : console(out, err, std::move(options)) {}
  std::ostringstream out, err;
  Console console;
};

ConsoleOptions terminal(Environment environment = {}) {
  ConsoleOptions options;
  options.out_is_terminal = options.err_is_terminal = true;
  options.environment = std::move(environment);
  return options;
}

TEST_CASE("progress stays silent for half a second, then draws a bar with rate and time left") {
  Screen screen(terminal());
  const Stopwatch::time_point start{};
  Progress progress(screen.console, "reading", "files", start);
  progress.update(10, 100, start + 400ms);
  CHECK(screen.err.str().empty());
  progress.update(50, 100, start + 1000ms);
  CHECK(screen.err.str() == "\r\x1b[Kreading [##########..........] 50 of 100 files · 50/s · 1.0 s left");
  progress.update(51, 100, start + 1010ms);  // too soon to draw again
  CHECK(screen.err.str().find("51 of") == std::string::npos);
  progress.finish();
  CHECK(screen.err.str().ends_with("\r\x1b[K"));
}

TEST_CASE("progress into a file says a line per ten percent") {
  Screen screen(ConsoleOptions{});
  const Stopwatch::time_point start{};
  Progress progress(screen.console, "reading", "files", start);
  for (int done = 0; done <= 100; ++done)
    progress.update(static_cast<std::uint64_t>(done), 100, start + 1s + done * 10ms);
  const std::string text = screen.err.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 10);
  CHECK(text.starts_with("10 % reading 10 of 100 files"));
  CHECK(text.find('\r') == std::string::npos);
}

TEST_CASE("quiet means no notes and no progress, but errors") {
  ConsoleOptions options = terminal();
  options.quiet = true;
  Screen screen(std::move(options));
  screen.console.note("hello");
  Progress progress(screen.console, "reading", "files", Stopwatch::time_point{});
  progress.update(1, 2, Stopwatch::time_point{} + 10s);
  CHECK(screen.err.str().empty());
  screen.console.error("it failed");
  CHECK(screen.err.str().find("it failed") != std::string::npos);
}

TEST_CASE("colour follows the terminal, NO_COLOR, CLICOLOR_FORCE, TERM=dumb and --color") {
  const auto painted = [](ConsoleOptions options) {
    return Screen(std::move(options)).console.painted("x", Color::good) != "x";
  };
  CHECK(painted(terminal()));
  CHECK_FALSE(painted(ConsoleOptions{}));
  CHECK_FALSE(painted(terminal({{"NO_COLOR", "1"}})));
  CHECK(painted(terminal({{"NO_COLOR", ""}})));
  CHECK_FALSE(painted(terminal({{"TERM", "dumb"}})));
  ConsoleOptions forced;
  forced.environment = {{"CLICOLOR_FORCE", "1"}};
  CHECK(painted(forced));
  ConsoleOptions never = terminal();
  never.color = ColorMode::never;
  CHECK_FALSE(painted(never));
}

TEST_CASE("table columns are as wide as their letters, numbers stand at the right") {
  Table table({{"customer"}, {"open", true}});
  table.row({"Müller & Söhne", "1 200.00"});
  table.row({"ACME", "7.50"});
  CHECK(table.text() ==
        "customer            open\n"
        "Müller & Söhne  1 200.00\n"
        "ACME                7.50\n");
}

TEST_CASE("numbers, times and sizes read as people say them") {
  CHECK(grouped(std::uint64_t{1240111}) == "1 240 111");
  CHECK(grouped(Money{-123456789, *Currency::parse("EUR")}) == "-1 234 567.89");
  CHECK(grouped(Money{1234567, *Currency::parse("JPY")}) == "1 234 567");
  CHECK(duration_text(125ms) == "125 ms");
  CHECK(duration_text(1250ms) == "1.2 s");
  CHECK(duration_text(125s) == "2 min 05 s");
  CHECK(duration_text(76h + 11min + 5s) == "3 d 04:11");
  CHECK(bytes_text(999) == "999 B");
  CHECK(bytes_text(41'200'000'000) == "41.2 GB");
}

TEST_CASE("CSV fields are quoted only where needed") {
  CHECK(csv_field("plain text") == "plain text");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("say \"hi\"") == "\"say \"\"hi\"\"\"");
}

}  // namespace
}  // namespace millrace::app
