// What the commands write: results on stdout, everything else on stderr; tables, colour and progress for people only.
//
// Invariants
//   * Colour and moving progress appear only where the stream is a terminal (or CLICOLOR_FORCE asks for it) and
//     neither NO_COLOR, TERM=dumb nor --color=never forbids it. Machine output is never coloured.
//   * Streams and times are given: tests capture what a person would see.
#pragma once
#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.h"
#include "base/time.h"
#include "domain/money.h"

namespace millrace::app {

enum class ColorMode : std::uint8_t { automatic, always, never };
enum class Color : std::uint8_t { plain, good, warning, bad, dim, strong };

struct ConsoleOptions {
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::size_t width = 80;
  ColorMode color = ColorMode::automatic;
  bool quiet = false;
  Environment environment;  // NO_COLOR, CLICOLOR_FORCE, TERM
};

class Console {
 public:
  Console(std::ostream& out, std::ostream& err, ConsoleOptions options);

  std::ostream& out() { return out_; }
  // Notes for the person: nothing with --quiet.
  void note(std::string_view text);
  // Errors are always shown: what, where, what next.
  void error(std::string_view text);
  std::string painted(std::string_view text, Color color) const;  // for stdout
  bool quiet() const { return options_.quiet; }
  bool progress_moves() const { return options_.err_is_terminal && !dumb_; }
  std::size_t width() const { return options_.width; }
  std::ostream& err() { return err_; }

 private:
  bool colored(bool terminal) const;

  std::ostream& out_;
  std::ostream& err_;
  ConsoleOptions options_;
  bool dumb_ = false;
};

ConsoleOptions console_of_process(const Environment& environment);

// A progress bar on a terminal, a line per ten percent elsewhere, nothing during the first half second or when quiet.
class Progress {
 public:
  static constexpr std::chrono::milliseconds appears_after{500};
  static constexpr std::chrono::milliseconds redraw_pause{100};

  Progress(Console& console, std::string label, std::string unit, Stopwatch::time_point started);
  // `total` 0: not known yet.
  void update(std::uint64_t done, std::uint64_t total, Stopwatch::time_point now);
  // Takes the bar off the screen; the result says the rest.
  void finish();

 private:
  std::string line(std::uint64_t done, std::uint64_t total, std::chrono::milliseconds elapsed) const;

  Console& console_;
  std::string label_, unit_;
  Stopwatch::time_point started_;
  Stopwatch::time_point drawn_;
  std::uint64_t tenths_said_ = 0;
  bool visible_ = false;
};

// Columns as wide as their content, numbers at the right edge. Width counts letters, not bytes.
class Table {
 public:
  struct Column {
    std::string head;
    bool right = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

std::size_t letter_count(std::string_view utf8);
std::string grouped(std::uint64_t number);                  // "1 240 111"
std::string grouped(const Money& money);                    // "1 240 111.05"
std::string duration_text(std::chrono::milliseconds time);  // "0.8 s", "2 min 05 s", "3 d 04:11"
std::string bytes_text(std::uint64_t bytes);                // "41.2 GB"
// RFC 4180: quotes only where needed.
std::string csv_field(std::string_view text);

}  // namespace millrace::app
