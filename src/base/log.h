// Our own log: one line per event on stderr, logfmt on a terminal, JSON lines otherwise, with the
// syslog priority in front under journald. Secrets are never passed in.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

namespace millrace {

enum class LogLevel { debug, info, warning, error };

struct LogField {
  std::string_view key;
  std::string value;
};

void set_log_level(LogLevel level);
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view event, std::initializer_list<LogField> fields = {}) { log(LogLevel::debug, event, fields); }
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) { log(LogLevel::info, event, fields); }
inline void log_warning(std::string_view event, std::initializer_list<LogField> fields = {}) { log(LogLevel::warning, event, fields); }
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) { log(LogLevel::error, event, fields); }

}  // namespace millrace
