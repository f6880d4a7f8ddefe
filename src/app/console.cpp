#include "app/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/check.h"

namespace millrace::app {
namespace {

std::string_view escape_of(Color color) {
  switch (color) {
    case Color::plain:
      return "";
    case Color::good:
      return "\x1b[32m";
    case Color::warning:
      return "\x1b[33m";
    case Color::bad:
      return "\x1b[31m";
    case Color::dim:
      return "\x1b[2m";
    case Color::strong:
      return "\x1b[1m";
  }
  return "";
}

std::string with_groups(std::string digits) {
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  const auto point = std::min(digits.find('.'), digits.size());
  for (std::size_t at = point; at > first + 3;) {
    at -= 3;
    digits.insert(at, " ");
  }
  return digits;
}

std::string one_decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace

Console::Console(std::ostream& out, std::ostream& err, ConsoleOptions options)
    : out_(out), err_(err), options_(std::move(options)) {
  dumb_ = find(options_.environment, "TERM").value_or("") == "dumb";
}

bool Console::colored(bool terminal) const {
  if (options_.color != ColorMode::automatic) return options_.color == ColorMode::always;
  if (const auto no = find(options_.environment, "NO_COLOR"); no && !no->empty()) return false;
  if (const auto force = find(options_.environment, "CLICOLOR_FORCE"); force && !force->empty() && *force != "0")
    return true;
  return terminal && !dumb_;
}

void Console::note(std::string_view text) {
  if (!options_.quiet) err_ << text << '\n' << std::flush;
}

void Console::error(std::string_view text) {
  if (colored(options_.err_is_terminal))
    err_ << escape_of(Color::bad) << "error:" << "\x1b[0m ";
  else
    err_ << "error: ";
  err_ << text << '\n' << std::flush;
}

std::string Console::painted(std::string_view text, Color color) const {
  if (color == Color::plain || !colored(options_.out_is_terminal)) return std::string(text);
  return std::string(escape_of(color)) + std::string(text) + "\x1b[0m";
}

ConsoleOptions console_of_process(const Environment& environment) {
  ConsoleOptions options;
  options.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  options.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) options.width = size.ws_col;
  options.environment = environment;
  return options;
}

Progress::Progress(Console& console, std::string label, std::string unit, Stopwatch::time_point started)
    : console_(console), label_(std::move(label)), unit_(std::move(unit)), started_(started), drawn_(started) {}

std::string Progress::line(std::uint64_t done, std::uint64_t total, std::chrono::milliseconds elapsed) const {
  const double seconds = std::max(0.001, static_cast<double>(elapsed.count()) / 1000.0);
  const double rate = static_cast<double>(done) / seconds;
  std::string tail = " " + grouped(done);
  if (total > 0) tail += " of " + grouped(total);
  tail += " " + unit_ + " · " + grouped(static_cast<std::uint64_t>(rate)) + "/s";
  if (total > done && rate > 0) {
    tail += " · " +
            duration_text(
                std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(total - done) / rate * 1000))) +
            " left";
  }
  if (!console_.progress_moves() || total == 0) return label_ + tail;
  constexpr std::size_t bar_width = 20;
  const std::size_t filled = static_cast<std::size_t>(std::min(done, total) * bar_width / total);
  std::string bar = " [" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "]";
  const std::size_t bar_letters = bar.size();
  if (letter_count(label_) + bar_letters + letter_count(tail) >= console_.width()) bar.clear();
  return label_ + bar + tail;
}

void Progress::update(std::uint64_t done, std::uint64_t total, Stopwatch::time_point now) {
  if (console_.quiet() || now - started_ < appears_after) return;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
  if (console_.progress_moves()) {
    if (visible_ && now - drawn_ < redraw_pause && done < total) return;
    console_.err() << "\r\x1b[K" << line(done, total, elapsed) << std::flush;
    visible_ = true;
    drawn_ = now;
    return;
  }
  if (total == 0) return;
  const std::uint64_t tenths = std::min<std::uint64_t>(10, done * 10 / total);
  if (tenths <= tenths_said_) return;
  tenths_said_ = tenths;
  console_.err() << tenths * 10 << " % " << line(done, total, elapsed) << '\n' << std::flush;
}

void Progress::finish() {
  if (visible_) console_.err() << "\r\x1b[K" << std::flush;
  visible_ = false;
}

void Table::row(std::vector<std::string> cells) {
  check(cells.size() == columns_.size(), "a table row needs one cell per column");
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = letter_count(columns_[i].head);
    for (const auto& cells : rows_) width = std::max(width, letter_count(cells[i]));
    widths.push_back(width);
  }
  std::string text;
  const auto add = [&](const auto& cell_at) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_at(i);
      const std::string padding(widths[i] - letter_count(cell), ' ');
      line += (i == 0 ? "" : "  ") + (columns_[i].right ? padding + cell : cell + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add([&](std::size_t i) -> const std::string& { return columns_[i].head; });
  for (const auto& cells : rows_) add([&](std::size_t i) -> const std::string& { return cells[i]; });
  return text;
}

std::size_t letter_count(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string grouped(std::uint64_t number) { return with_groups(std::to_string(number)); }
std::string grouped(const Money& money) { return with_groups(decimal_text(money)); }

std::string duration_text(std::chrono::milliseconds time) {
  const auto milliseconds = std::max<std::int64_t>(0, time.count());
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  if (milliseconds < 60'000) return one_decimal(static_cast<double>(milliseconds) / 1000.0) + " s";
  const auto seconds = milliseconds / 1000;
  const auto padded = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + padded(seconds % 60) + " s";
  if (seconds < 86400) return std::to_string(seconds / 3600) + " h " + padded(seconds / 60 % 60) + " min";
  return std::to_string(seconds / 86400) + " d " + padded(seconds / 3600 % 24) + ":" + padded(seconds / 60 % 60);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  static constexpr const char* units[] = {"kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes) / 1000.0;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(units)) {
    value /= 1000.0;
    ++unit;
  }
  return one_decimal(value) + " " + units[unit];
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace millrace::app
