// `audit`: who did what, and whether the trail is what was written.
#include <algorithm>
#include <array>

#include "app/commands.h"
#include "app/people_answer.h"
#include "app/people_desk.h"
#include "base/log.h"
#include "base/text.h"

namespace millrace::app {
namespace {

constexpr std::array<std::string_view, 2> acts{"list", "verify"};

}  // namespace

int run_audit(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  const std::string& act = invocation.arguments.front();
  if (std::ranges::find(acts, act) == acts.end())
    return report(context.console, Error(ErrorCode::invalid_input, "`millrace audit` cannot \"" + printable(act) + "\"; it knows list and verify"));
  PeopleOrder order;
  order.verb = "audit." + act;
  for (const std::string_view flag : {"--who", "--object", "--before", "--limit"})
    if (invocation.has(flag)) order.words[std::string(flag.substr(2))] = invocation.option(flag);
  set_log_level(std::max(context.settings.values.log_level, LogLevel::warning));
  const auto answer = carry_out_here(context.settings.values, order, context.clock, false);
  if (!answer) return report(context.console, answer.error());
  if (invocation.json) {
    context.console.out() << *answer << "\n" << std::flush;
  } else if (act == "list") {
    const auto text = audit_text(*answer);
    if (!text) return report(context.console, text.error());
    context.console.out() << *text << std::flush;
  }
  if (act == "list") return exit_ok;
  const std::string problem = field_of(*answer, "problem");
  if (!problem.empty()) {
    context.console.error(problem + "; " + field_of(*answer, "rows") + " rows before it are right. Compare with a backup");
    return exit_failed;
  }
  if (!invocation.json)
    context.console.out() << "the audit trail is what was written: " << field_of(*answer, "rows") << " rows, newest " << field_of(*answer, "head") << "\n" << std::flush;
  return exit_ok;
}

}  // namespace millrace::app
