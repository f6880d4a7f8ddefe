// `user`: who may sign in, from the command line.
#include <algorithm>
#include <array>
#include <optional>

#include "app/commands.h"
#include "app/password_input.h"
#include "app/people_answer.h"
#include "app/people_desk.h"
#include "base/log.h"
#include "base/text.h"

namespace millrace::app {
namespace {

constexpr std::array<std::string_view, 7> acts{"add", "list", "passwd", "role", "activate", "deactivate", "setup-link"};

Failure wrong_use(std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); }

Result<std::string> argument(const CommandContext& context, std::size_t at, std::string_view what) {
  const auto& arguments = context.invocation.arguments;
  if (arguments.size() <= at) return wrong_use("`millrace user " + arguments.front() + "` needs " + std::string(what) + "; `millrace user -h` shows examples");
  return arguments[at];
}

// The password, or nothing when the user is to have none.
Result<std::optional<people::Secret>> password(const CommandContext& context, const std::string& login) {
  const Invocation& invocation = context.invocation;
  if (invocation.has("--no-password")) {
    if (invocation.has("--password-file")) return wrong_use("--no-password and --password-file say different things; give one of them");
    return std::optional<people::Secret>{};
  }
  auto typed = invocation.has("--password-file") ? password_of_file(invocation.option("--password-file")) : new_password_of_terminal(login, context.stop);
  if (!typed) return pass_on(typed);
  return std::optional<people::Secret>{std::move(*typed)};
}

Result<PeopleOrder> order_of(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  const std::string& act = invocation.arguments.front();
  PeopleOrder order;
  if (act == "list" || act == "setup-link") {
    if (invocation.arguments.size() > 1) return wrong_use("`millrace user " + act + "` takes nothing more, not \"" + printable(invocation.arguments[1]) + "\"");
    order.verb = "user." + act;
    return order;
  }
  const auto login = argument(context, 1, "a login");
  if (!login) return pass_on(login);
  order.words["name"] = *login;
  if (act != "role" && invocation.arguments.size() > 2)
    return wrong_use("`millrace user " + act + "` takes one login, not \"" + printable(invocation.arguments[2]) + "\" too");
  if (act == "role") {
    const auto role = argument(context, 2, "a role: " + people::role_words());
    if (!role) return pass_on(role);
    order.verb = "user.change";
    order.words["role"] = *role;
  } else if (act == "activate" || act == "deactivate") {
    order.verb = "user.change";
    order.words["active"] = act == "activate" ? "true" : "false";
  } else {
    order.verb = "user." + act;
    if (act == "add") {
      order.words["role"] = invocation.option("--role", "viewer");
      if (!people::parse_role(order.words["role"])) return wrong_use("\"" + printable(order.words["role"]) + "\" is no role; use one of " + people::role_words());
      order.words["email"] = invocation.option("--email");
      order.words["display_name"] = invocation.option("--name");
      order.words["own_orders"] = invocation.option("--orders-of");
    }
    auto typed = password(context, *login);
    if (!typed) return pass_on(typed);
    if (*typed) order.password = std::move(**typed);
    else if (act == "add") order.words["no_password"] = "";
    else return wrong_use("`millrace user passwd` sets a password; --no-password belongs to `user add`");
  }
  return order;
}

Result<std::string> shown(const CommandContext& context, const std::string& answer) {
  const std::string& act = context.invocation.arguments.front();
  if (context.invocation.json) return answer + "\n";
  if (act == "list") return user_list_text(answer, context.clock.now());
  if (act == "setup-link") return field_of(answer, "link") + "\n";
  const std::string who = field_of(answer, "name");
  if (act == "add") return "user " + who + " may sign in as " + field_of(answer, "role") + "\n";
  if (act == "role") return "user " + who + " is " + field_of(answer, "role") + " now; open sessions have ended\n";
  if (act == "passwd") return "user " + who + " has a new password; open sessions have ended\n";
  return "user " + who + (act == "activate" ? " may sign in again\n" : " cannot sign in any more; open sessions have ended\n");
}

}  // namespace

int run_user(const CommandContext& context) {
  const std::string& act = context.invocation.arguments.front();
  if (std::ranges::find(acts, act) == acts.end()) {
    const auto near = closest(act, acts);
    return report(context.console, Error(ErrorCode::invalid_input, "`millrace user` cannot \"" + printable(act) + "\"" +
                                                                       (near.empty() ? "; it knows add, list, passwd, role, activate, deactivate and setup-link"
                                                                                     : "; did you mean " + std::string(near) + "?")));
  }
  const auto order = order_of(context);
  if (!order) return report(context.console, order.error());
  set_log_level(std::max(context.settings.values.log_level, LogLevel::warning));
  const bool make = act == "add" || act == "setup-link";
  const auto answer = carry_out_here(context.settings.values, *order, context.clock, make);
  if (!answer) return report(context.console, answer.error());
  const auto text = shown(context, *answer);
  if (!text) return report(context.console, text.error());
  context.console.out() << *text << std::flush;
  if (act == "setup-link") context.console.note("valid for 24 hours, once: who opens it makes himself an administrator");
  return exit_ok;
}

}  // namespace millrace::app
