// What the commands `user`, `token` and `audit` ask for, said once: carried out by the command itself when no server runs, else by
// the server that holds the record (app/control_socket.h), with the same answer.
//
// Invariants
//   * A password is never an argument and never in an answer. An answer shows a new secret once.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "people/directory.h"

namespace millrace::app {

struct PeopleOrder {
  std::string verb;  // "user.add", "token.revoke", ...
  std::map<std::string, std::string, std::less<>> words;
  people::Secret password;

  std::string word(std::string_view name) const;
  bool has(std::string_view name) const { return words.contains(name); }
};

// Where people reach the server: "https://plant.example:8443".
using BaseAddress = std::function<std::string()>;

// The answer as JSON: {"data": ...}.
// Errors   what the directory says; invalid_input  an unknown verb or word
Result<std::string> carry_out(people::Directory& directory, const people::Audit& audit, const PeopleOrder& order, const Clock& clock, const BaseAddress& base);

// As one text, for the control socket.
std::string encode_order(const PeopleOrder& order);
Result<PeopleOrder> decode_order(std::string_view text);
std::string encode_answer(const Result<std::string>& answer);
Result<std::string> decode_answer(std::string_view text);

// The page that takes a setup link. The secret stands behind #: browsers send that to nobody.
std::string setup_address(const std::string& base, const people::Secret& secret);

}  // namespace millrace::app
