#include "app/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "app/internal/socket_wait.h"
#include "base/log.h"
#include "base/time.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_patience = 10s;  // until the other side has taken the whole answer

// The address of a socket in a folder whose own path may be longer than an address holds.
class SocketAddress {
 public:
  static Result<SocketAddress> of(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    SocketAddress made;
    made.folder_ = UniqueFd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!made.folder_) return fail(ErrorCode::not_found, "there is no folder " + folder + ": " + std::strerror(errno));
    const std::string reached = "/proc/self/fd/" + std::to_string(made.folder_.get()) + "/" + path.substr(slash == std::string::npos ? 0 : slash + 1);
    made.address_.sun_family = AF_UNIX;
    if (reached.size() >= sizeof made.address_.sun_path) return fail(ErrorCode::invalid_input, "the name of the socket " + path + " is too long");
    reached.copy(made.address_.sun_path, reached.size());
    return made;
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static constexpr socklen_t size() { return sizeof(sockaddr_un); }

 private:
  UniqueFd folder_;
  sockaddr_un address_{};
};

bool send_all(int fd, std::string_view bytes, Stopwatch::time_point deadline) {
  while (!bytes.empty()) {
    if (!wait_for(fd, POLLOUT, deadline)) return false;
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Everything until the other side ends, or nothing when it is too much or too late.
bool receive_all(int fd, std::string& received, std::size_t bytes_max, Stopwatch::time_point deadline) {
  std::array<char, 16384> block;
  for (;;) {
    if (!wait_for(fd, POLLIN, deadline)) return false;
    const auto count = ::recv(fd, block.data(), block.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return false;
    if (count == 0) return true;
    received.append(block.data(), static_cast<std::size_t>(count));
    if (received.size() > bytes_max) return false;
  }
}

bool is_ours(int fd) {
  ucred other{};
  socklen_t size = sizeof other;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &other, &size) == 0 && (other.uid == ::geteuid() || other.uid == 0);
}

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(std::string path, std::function<std::string(std::string_view request)> answer) {
  const auto refused = [&](const char* what) { return fail(ErrorCode::unavailable, "the control socket " + path + " cannot be made: " + what + ": " + std::strerror(errno)); };
  auto address = SocketAddress::of(path);
  if (!address) return pass_on(address);
  std::unique_ptr<ControlSocket> made(new ControlSocket);
  made->listening_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made->listening_) return refused("socket");
  ::unlink(path.c_str());  // of a server that was killed; who holds the record is the only one here
  if (::bind(made->listening_.get(), address->get(), SocketAddress::size()) != 0) return refused("bind");
  // Before anybody can connect: that needs `listen`.
  if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) return refused("chmod");
  if (::listen(made->listening_.get(), 8) != 0) return refused("listen");
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return refused("pipe");
  made->stop_read_ = UniqueFd(ends[0]);
  made->stop_write_ = UniqueFd(ends[1]);
  made->path_ = std::move(path);
  made->answer_ = std::move(answer);
  made->thread_ = std::thread([raw = made.get()] { raw->serve(); });
  return made;
}

ControlSocket::~ControlSocket() {
  stop_write_.reset();  // its other end becomes readable
  if (thread_.joinable()) thread_.join();
  if (!path_.empty()) ::unlink(path_.c_str());
}

void ControlSocket::serve() {
  for (;;) {
    std::array<pollfd, 2> waited{pollfd{listening_.get(), POLLIN, 0}, pollfd{stop_read_.get(), POLLIN, 0}};
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) {
      log_error("control_socket_failed", {{"reason", std::strerror(errno)}});
      return;
    }
    if (waited[1].revents != 0) return;
    if (waited[0].revents == 0) continue;
    const UniqueFd client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) attend(client.get());
  }
}

void ControlSocket::attend(int fd) const {
  if (!is_ours(fd)) return;
  std::string request;
  if (!receive_all(fd, request, request_bytes_max, Stopwatch::now() + request_patience)) return;
  const std::string answer = answer_(request);
  if (!send_all(fd, answer, Stopwatch::now() + answer_patience)) log_warning("control_answer_not_taken", {});
}

Result<std::string> ask_control(const std::string& path, std::string_view request, std::chrono::milliseconds patience) {
  const auto deadline = Stopwatch::now() + patience;
  const auto nobody = [&] { return fail(ErrorCode::not_found, "no server listens at " + path); };
  const auto address = SocketAddress::of(path);
  if (!address) return nobody();
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(ErrorCode::unavailable, std::string("no socket can be made: ") + std::strerror(errno));
  if (::connect(fd.get(), address->get(), SocketAddress::size()) != 0) {
    if (errno == EACCES || errno == EPERM)
      return fail(ErrorCode::denied, "another account runs the server of this data folder; run this command as that account or as root");
    return nobody();
  }
  const auto silent = [&] { return fail(ErrorCode::unavailable, "the server at " + path + " did not answer; try again, or restart it"); };
  if (!send_all(fd.get(), request, deadline)) return silent();
  ::shutdown(fd.get(), SHUT_WR);
  std::string answer;
  if (!receive_all(fd.get(), answer, ControlSocket::answer_bytes_max, deadline) || answer.empty()) return silent();
  return answer;
}

}  // namespace millrace::app
