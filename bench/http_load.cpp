// Sends requests at a given pace, whatever the server does, and says how long each waited: an open loop. Time counts from
// the moment a request was due, so a server that stalls cannot hide it.
//
// Usage: http_load PORT --rate R --seconds S --connections N [--skip S] [--sockets W] [--idle S] [--fields FILE] [--host H] PATH...
//   --skip     answers of the first seconds are counted and not measured: how a steady load is served
//   --sockets  WebSockets that are opened before and held meanwhile; --idle: hold them so long and send nothing
//   --fields   one line of header fields per connection and socket, such as a Cookie; used in turn
// Prints one line of JSON: counts by outcome, and milliseconds of the answers with 200 and of the refusals with 503.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Wish {
  int port = 0;
  double rate = 100;
  double seconds = 5;
  double idle = 0;
  double skip = 0;
  std::size_t connections = 100;
  std::size_t sockets = 0;
  std::string host = "127.0.0.1";
  std::vector<std::string> fields;
  std::vector<std::string> paths;
};

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "http_load: " << why << "\n";
  std::exit(1);
}

struct Line {
  int fd = -1;
  bool is_socket = false;  // a WebSocket
  bool is_busy = false;
  Clock::time_point due;
  std::string fields;
  std::string in;
};

class Load {
 public:
  explicit Load(Wish wish) : wish_(std::move(wish)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    lines_.resize(wish_.connections + wish_.sockets);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      lines_[i].is_socket = i >= wish_.connections;
      if (!wish_.fields.empty()) lines_[i].fields = wish_.fields[i % wish_.fields.size()] + "\r\n";
    }
  }

  void run() {
    for (std::size_t i = wish_.connections; i < lines_.size(); ++i) open_socket(i);
    std::cerr << "held " << sockets_open_ << " WebSockets" << std::endl;
    if (wish_.idle > 0) {
      const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wish_.idle));
      while (Clock::now() < end) step(100);
      return;
    }
    for (std::size_t i = 0; i < wish_.connections; ++i) {
      connect(i);
      free_.push_back(i);
    }
    const auto start = Clock::now();
    measured_from_ = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wish_.skip));
    const auto spacing = std::chrono::duration<double>(1 / wish_.rate);
    const auto total = static_cast<std::size_t>(wish_.rate * wish_.seconds);
    std::size_t sent = 0;
    while (sent < total) {
      const auto now = Clock::now();
      while (sent < total && start + std::chrono::duration_cast<Clock::duration>(spacing * static_cast<double>(sent)) <= now) {
        due_.push_back(start + std::chrono::duration_cast<Clock::duration>(spacing * static_cast<double>(sent)));
        ++sent;
      }
      hand_out();
      step(due_.empty() ? 1 : 0);
    }
    const auto patience = Clock::now() + 5s;
    while ((!due_.empty() || busy_ > 0) && Clock::now() < patience) {
      hand_out();
      step(1);
    }
    unanswered_ = due_.size() + busy_;
    took_ = std::chrono::duration<double>(Clock::now() - start).count();
  }

  void print() const {
    const auto at = [](std::vector<double> all, double part) {
      if (all.empty()) return 0.0;
      std::sort(all.begin(), all.end());
      return all[std::min(all.size() - 1, static_cast<std::size_t>(part * static_cast<double>(all.size())))];
    };
    std::printf("{\"ok\":%zu,\"refused\":%zu,\"limited\":%zu,\"errors\":%zu,\"unanswered\":%zu,\"seconds\":%.3f,\"sockets\":%zu,\"socket_ends\":%zu,"
                "\"ok_p50\":%.3f,\"ok_p95\":%.3f,\"ok_p99\":%.3f,\"refused_p50\":%.3f,\"refused_p99\":%.3f,\"retry_after\":%zu}\n",
                ok_count_, refused_count_, limited_, errors_, unanswered_, took_, sockets_open_, socket_ends_, at(ok_, 0.5), at(ok_, 0.95), at(ok_, 0.99),
                at(refused_, 0.5), at(refused_, 0.99), retry_after_);
  }

 private:
  void connect(std::size_t i) {
    Line& line = lines_[i];
    line.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (line.fd < 0) give_up(std::strerror(errno));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(wish_.port));
    if (::inet_pton(AF_INET, wish_.host.c_str(), &to.sin_addr) != 1) give_up("not an address: " + wish_.host);
    sockaddr generic{};
    std::memcpy(&generic, &to, sizeof to);
    if (::connect(line.fd, &generic, sizeof to) != 0) give_up(std::string("connect: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(line.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, line.fd, &event);
    line.in.clear();
  }

  void open_socket(std::size_t i) {
    connect(i);
    Line& line = lines_[i];
    const std::string text = "GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + line.fields + "\r\n";
    char answer[12];
    if (::send(line.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()) ||
        ::recv(line.fd, answer, sizeof answer, MSG_WAITALL) != static_cast<ssize_t>(sizeof answer) || std::string_view(answer, 12) != "HTTP/1.1 101")
      give_up("WebSocket " + std::to_string(sockets_open_) + " was not opened: " + std::string(answer, 12));
    ++sockets_open_;
  }

  void hand_out() {
    while (!due_.empty() && !free_.empty()) {
      const std::size_t i = free_.front();
      free_.pop_front();
      Line& line = lines_[i];
      line.due = due_.front();
      due_.pop_front();
      line.is_busy = true;
      ++busy_;
      const std::string text = "GET " + wish_.paths[turn_++ % wish_.paths.size()] + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + line.fields + "\r\n";
      if (::send(line.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) fail(i);
    }
  }

  void step(int wait_ms) {
    epoll_event events[256];
    const int count = ::epoll_wait(epoll_, events, 256, wait_ms);
    for (int k = 0; k < count; ++k) take(events[k].data.u64);
  }

  void take(std::size_t i) {
    Line& line = lines_[i];
    char block[65536];
    const ssize_t count = ::recv(line.fd, block, sizeof block, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (line.is_socket) {
      if (count <= 0) {
        ++socket_ends_;
        ::close(line.fd);
        line.fd = -1;
      } else if (count == 2 && static_cast<unsigned char>(block[0]) == 0x89) {
        const char pong[] = {static_cast<char>(0x8A), static_cast<char>(0x80), 0, 0, 0, 0};
        if (::send(line.fd, pong, sizeof pong, MSG_NOSIGNAL) < 0) ++socket_ends_;
      }
      return;
    }
    if (count <= 0) return fail(i);
    line.in.append(block, static_cast<std::size_t>(count));
    const std::size_t end = line.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::size_t named = line.in.find("Content-Length: ");
    const std::size_t length = named < end ? std::strtoull(line.in.c_str() + named + 16, nullptr, 10) : 0;
    if (line.in.size() >= end + 4 + length) answered(i);
  }

  void answered(std::size_t i) {
    Line& line = lines_[i];
    const double waited = std::chrono::duration<double, std::milli>(Clock::now() - line.due).count();
    const std::string_view status = std::string_view(line.in).substr(9, 3);
    const bool measured = line.due >= measured_from_;
    if (status == "200") {
      ++ok_count_;
      if (measured) ok_.push_back(waited);
    } else if (status == "503") {
      ++refused_count_;
      if (measured) refused_.push_back(waited);
      if (line.in.find("Retry-After: ") != std::string::npos) ++retry_after_;
    } else if (status == "429") ++limited_;
    else ++errors_;
    line.in.clear();
    line.is_busy = false;
    --busy_;
    free_.push_back(i);
  }

  void fail(std::size_t i) {
    Line& line = lines_[i];
    ::close(line.fd);
    if (line.is_busy) {
      ++errors_;
      --busy_;
      free_.push_back(i);
    }
    line.is_busy = false;
    connect(i);
  }

  const Wish wish_;
  const int epoll_;
  std::vector<Line> lines_;
  std::deque<std::size_t> free_;
  std::deque<Clock::time_point> due_;
  Clock::time_point measured_from_;
  std::size_t ok_count_ = 0, refused_count_ = 0;
  std::size_t busy_ = 0, turn_ = 0, errors_ = 0, limited_ = 0, unanswered_ = 0, sockets_open_ = 0, socket_ends_ = 0, retry_after_ = 0;
  double took_ = 0;
  std::vector<double> ok_, refused_;
};

Wish wish_of(int count, char** words) {
  Wish wish;
  if (count < 2) give_up("which port?");
  wish.port = std::atoi(words[1]);
  for (int i = 2; i < count; ++i) {
    const std::string word = words[i];
    if (!word.starts_with("--")) {
      wish.paths.push_back(word);
      continue;
    }
    if (++i >= count) give_up(word + " needs a value");
    const std::string value = words[i];
    if (word == "--rate") wish.rate = std::atof(value.c_str());
    else if (word == "--seconds") wish.seconds = std::atof(value.c_str());
    else if (word == "--skip") wish.skip = std::atof(value.c_str());
    else if (word == "--idle") wish.idle = std::atof(value.c_str());
    else if (word == "--connections") wish.connections = std::strtoul(value.c_str(), nullptr, 10);
    else if (word == "--sockets") wish.sockets = std::strtoul(value.c_str(), nullptr, 10);
    else if (word == "--host") wish.host = value;
    else if (word == "--fields") {
      std::ifstream file(value);
      for (std::string line; std::getline(file, line);) wish.fields.push_back(line);
    } else give_up("there is no " + word);
  }
  if (wish.paths.empty()) wish.paths.push_back("/livez");
  return wish;
}

}  // namespace

int main(int count, char** words) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Load load(wish_of(count, words));
  load.run();
  load.print();
  return 0;
}
