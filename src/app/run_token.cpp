// `token`: what machines sign in with.
#include <algorithm>
#include <array>

#include "app/commands.h"
#include "app/people_answer.h"
#include "app/people_desk.h"
#include "base/log.h"
#include "base/text.h"

namespace millrace::app {
namespace {

constexpr std::array<std::string_view, 3> acts{"add", "list", "revoke"};

Failure wrong_use(std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); }

Result<PeopleOrder> order_of(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  const auto& arguments = invocation.arguments;
  PeopleOrder order;
  order.verb = "token." + arguments.front();
  if (arguments.front() == "list") {
    if (arguments.size() > 1) return wrong_use("`millrace token list` takes nothing more, not \"" + printable(arguments[1]) + "\"");
    return order;
  }
  if (arguments.size() < 2) return wrong_use("`millrace " + std::string(arguments.front() == "add" ? "token add` needs a name that says what uses it" : "token revoke` needs the number of the token; `millrace token list` shows them"));
  order.words[arguments.front() == "add" ? "name" : "id"] = arguments[1];
  if (arguments.front() == "add") {
    if (!invocation.has("--user")) return wrong_use("a token has the rights of a user; name one with --user LOGIN");
    order.words["user"] = invocation.option("--user");
    order.words["scope"] = invocation.option("--scope", "read");
    order.words["expires"] = invocation.option("--expires", "never");
  }
  return order;
}

}  // namespace

int run_token(const CommandContext& context) {
  const std::string& act = context.invocation.arguments.front();
  if (std::ranges::find(acts, act) == acts.end())
    return report(context.console, Error(ErrorCode::invalid_input, "`millrace token` cannot \"" + printable(act) + "\"; it knows add, list and revoke"));
  const auto order = order_of(context);
  if (!order) return report(context.console, order.error());
  set_log_level(std::max(context.settings.values.log_level, LogLevel::warning));
  const auto answer = carry_out_here(context.settings.values, *order, context.clock, false);
  if (!answer) return report(context.console, answer.error());
  std::ostream& out = context.console.out();
  if (context.invocation.json) {
    out << *answer << "\n" << std::flush;
  } else if (act == "list") {
    const auto text = token_list_text(*answer, context.clock.now());
    if (!text) return report(context.console, text.error());
    out << *text << std::flush;
  } else if (act == "add") {
    out << field_of(*answer, "secret") << "\n" << std::flush;
    context.console.note("shown this once; send it as `Authorization: Bearer ...`. Token " + field_of(*answer, "id") + " may " + field_of(*answer, "scope") + " what " +
                         field_of(*answer, "user") + " may");
  } else {
    out << "token " << field_of(*answer, "id") << " opens nothing any more\n" << std::flush;
  }
  return exit_ok;
}

}  // namespace millrace::app
