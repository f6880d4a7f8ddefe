#include "app/control_socket.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fstream>

#include "app/people_answer.h"
#include "app/people_orders.h"
#include "testing/temporary_folder.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<ControlSocket> listening(const std::string& path) {
  auto made = ControlSocket::open(path, [](std::string_view request) { return "heard " + std::to_string(request.size()); });
  REQUIRE_MESSAGE(made, made.error().text());
  return std::move(*made);
}

std::string said(const std::string& path, const std::string& request) {
  const auto answer = ask_control(path, request, 10s);
  return answer ? *answer : std::string(traits(answer.error().code()).name);
}

TEST_CASE("A command asks the server of the data folder and gets one answer") {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "control.sock";
  CHECK(said(path, "x") == "not_found");
  {
    const auto control = listening(path);
    struct stat found{};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    CHECK(said(path, "four") == "heard 4");
    CHECK(said(path, "") == "heard 0");
    CHECK(said(path, std::string(ControlSocket::request_bytes_max, 'x')) == "heard 65536");
    CHECK(said(path, std::string(ControlSocket::request_bytes_max + 1, 'x')) == "unavailable");
    CHECK(said(path, "four") == "heard 4");
  }
  CHECK_FALSE(std::ifstream(path).good());
  CHECK(said(path, "x") == "not_found");
}

TEST_CASE("A path longer than an address of a socket is reached too") {
  const testing::TemporaryFolder folder;
  const std::string deep = std::string(90, 'a') + "/" + std::string(90, 'b');
  folder.write(deep + "/x", "");
  const std::string path = folder / (deep + "/control.sock");
  const auto control = listening(path);
  CHECK(said(path, "four") == "heard 4");
}

TEST_CASE("What a killed server left is replaced") {
  const testing::TemporaryFolder folder;
  folder.write("control.sock", "left behind");
  CHECK(said(folder / "control.sock", "x") == "not_found");
  const auto control = listening(folder / "control.sock");
  CHECK(said(folder / "control.sock", "four") == "heard 4");
}

TEST_CASE("An order and its answer arrive as they were sent") {
  PeopleOrder order;
  order.verb = "user.add";
  order.words = {{"name", "änne"}, {"email", ""}};
  order.password = people::Secret("three small words");
  const auto read = decode_order(encode_order(order));
  REQUIRE(read);
  CHECK(read->verb == order.verb);
  CHECK(read->words == order.words);
  CHECK(read->password.reveal() == order.password.reveal());
  const std::string text = encode_order(order);
  for (std::size_t length = 0; length < text.size(); ++length) CHECK_FALSE(decode_order(text.substr(0, length)));
  CHECK_FALSE(decode_order(text + "x"));
  CHECK(*decode_answer(encode_answer(std::string("{}"))) == "{}");
  const auto refused = decode_answer(encode_answer(fail(ErrorCode::conflict, "there is one already")));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::conflict);
  CHECK(refused.error().text() == "there is one already");
  CHECK_FALSE(decode_answer("\xFF"));
  CHECK_FALSE(decode_answer(""));
}

TEST_CASE("Lists read as tables, and what is no list says so") {
  const Instant now = *parse_instant("2026-11-22T10:00:00Z");
  const auto users = user_list_text(R"({"data":[{"name":"anna","display_name":"Anna B.","email":"","role":"sales","active":true,"own_orders":"Meyer","has_password":true,
    "last_sign_in":"2026-11-22T09:59:00Z","sessions":2,"tokens":1},{"name":"bert","role":"viewer","active":false,"last_sign_in":null,"sessions":0,"tokens":0}]})", now);
  REQUIRE_MESSAGE(users, users.error().text());
  CHECK(*users ==
        "login  name     role    state     orders of  e-mail  last sign-in    sessions  tokens\n"
        "anna   Anna B.  sales   active    Meyer              1 min 00 s ago         2       1\n"
        "bert            viewer  inactive  all                never                  0       0\n");
  CHECK(user_list_text(R"({"data":[]})", now)->starts_with("nobody yet"));
  CHECK_FALSE(user_list_text("nonsense", now));
  CHECK_FALSE(token_list_text("{}", now));
  CHECK(field_of(R"({"data":{"id":7,"link":"x"}})", "id") == "7");
  CHECK(field_of("nonsense", "id") == "");
}

}  // namespace
}  // namespace millrace::app
