#include "server/internal/access.h"

namespace millrace::server {

std::string Need::words() const {
  switch (who_) {
    case Who::anybody:
      return "anybody";
    case Who::signed_in:
      return "signed in";
    case Who::own_key:
      return "own key";
    case Who::holder:
      break;
  }
  std::string text;
  for (const std::string_view word : people::words(rights_)) text += (text.empty() ? "" : " and ") + std::string(word);
  return text;
}

std::string View::key() const {
  if (whole()) return "";
  // The length keeps a salesperson's name from looking like the rest of the key.
  return std::string(money ? "|money" : "|no money") + "|" + std::to_string(salesman.size()) + ":" + salesman;
}

View view_of(const people::Identity& identity) { return {identity.own_orders, identity.may(Right::see_money)}; }

}  // namespace millrace::server
