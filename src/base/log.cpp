#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>

#include "base/json_writer.h"
#include "base/time.h"

namespace millrace {
namespace {

enum class Style { logfmt, json, journald };

struct Sink {
  Sink() : logger("millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::info);
    logger.flush_on(spdlog::level::trace);
  }
  spdlog::logger logger;
  const Style style = std::getenv("JOURNAL_STREAM") != nullptr ? Style::journald
                      : ::isatty(STDERR_FILENO) == 1           ? Style::logfmt
                                                               : Style::json;
};

Sink& sink() {
  static Sink one;
  return one;
}

struct LevelRow {
  spdlog::level::level_enum spdlog;
  std::string_view word;
  int syslog;
};
const LevelRow& row(LogLevel level) {
  static constexpr LevelRow rows[] = {{spdlog::level::debug, "debug", 7},
                                      {spdlog::level::info, "info", 6},
                                      {spdlog::level::warn, "warning", 4},
                                      {spdlog::level::err, "error", 3}};
  return rows[static_cast<std::size_t>(level)];
}

void append_logfmt(std::string& line, std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=\\\n\r\t") == std::string_view::npos;
  if (plain) {
    line += value;
  } else {
    append_json_text(line, value);
  }
}

}  // namespace

void set_log_level(LogLevel level) { sink().logger.set_level(row(level).spdlog); }

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  Sink& out = sink();
  const LevelRow& severity = row(level);
  if (!out.logger.should_log(severity.spdlog)) return;
  std::string line;
  const std::string now = rfc3339(SystemClock{}.now());
  if (out.style == Style::json) {
    JsonWriter json(line);
    json.begin_object().field("time", now).field("level", severity.word).field("event", event);
    for (const LogField& field : fields) json.field(field.key, field.value);
    json.end_object();
  } else {
    if (out.style == Style::journald) line = "<" + std::to_string(severity.syslog) + ">";
    line += now.substr(11, 12);
    line += ' ';
    line += severity.word;
    line += ' ';
    line += event;
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      append_logfmt(line, field.value);
    }
  }
  out.logger.log(severity.spdlog, "{}", line);
}

}  // namespace millrace
