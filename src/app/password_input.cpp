#include "app/password_input.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "people/password.h"

namespace millrace::app {
namespace {

constexpr std::size_t file_bytes_max = 4096;
constexpr int look_pause_ms = 100;

// Shows nothing that is typed while it lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  bool silent() const { return changed_; }

 private:
  const int fd_;
  termios before_{};
  bool changed_ = false;
};

void say(int fd, const std::string& text) {
  // A terminal that takes no text will not give any: reading tells.
  [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
}

Result<people::Secret> ask_line(int fd, const std::string& question, const std::atomic<bool>& stop) {
  const SilentTerminal silent(fd);
  if (!silent.silent()) return fail(ErrorCode::invalid_input, "this terminal shows what is typed; use --password-file");
  say(fd, question);
  const auto ended = [&] {
    say(fd, "\n");
    return fail(ErrorCode::cancelled, "stopped; nothing was changed");
  };
  std::string line;
  while (line.find('\n') == std::string::npos) {
    pollfd entry{fd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, look_pause_ms);
    if (stop) return ended();
    if (ready <= 0) continue;
    std::array<char, 256> block;
    const auto count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || line.size() > people::password_bytes_max + 1) return ended();
    line.append(block.data(), static_cast<std::size_t>(count));
  }
  say(fd, "\n");
  return people::Secret(line.substr(0, line.find('\n')));
}

}  // namespace

Result<people::Secret> password_of_file(const std::string& path) {
  const UniqueFd opened(path == "-" ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (path != "-" && !opened) return fail(ErrorCode::not_found, "the password file " + path + " cannot be read: " + std::strerror(errno));
  const int fd = path == "-" ? STDIN_FILENO : opened.get();
  std::string text;
  std::array<char, 1024> block;
  for (;;) {
    const auto count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::not_found, "the password file " + path + " cannot be read: " + std::strerror(errno));
    if (count == 0) break;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > file_bytes_max) return fail(ErrorCode::invalid_input, "the password file " + path + " is over " + std::to_string(file_bytes_max) + " bytes; its first line alone should be the password");
  }
  std::string line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return fail(ErrorCode::invalid_input, "the password file " + path + " has nothing in its first line");
  return people::Secret(std::move(line));
}

Result<people::Secret> new_password_of_terminal(const std::string& login, const std::atomic<bool>& stop) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal) return fail(ErrorCode::invalid_input, "there is no terminal to ask for the password; use --password-file FILE, or - for standard input");
  auto first = ask_line(terminal.get(), "New password of " + login + ": ", stop);
  if (!first) return first;
  if (const auto checked = people::check_new_password(*first, login); !checked) return pass_on(checked);
  const auto second = ask_line(terminal.get(), "The same again: ", stop);
  if (!second) return pass_on(second);
  if (first->reveal() != second->reveal()) return fail(ErrorCode::invalid_input, "the two passwords differ; start again");
  return first;
}

}  // namespace millrace::app
