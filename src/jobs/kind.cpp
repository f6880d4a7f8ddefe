#include "jobs/kind.h"

namespace millrace::jobs {

std::string_view word(Place place) { return place == Place::inside ? "inside" : "worker"; }

std::string_view word(MemberType type) {
  switch (type) {
    case MemberType::text: return "text";
    case MemberType::number: return "number";
    case MemberType::flag: return "flag";
    case MemberType::choice: return "choice";
    case MemberType::source: return "source";
    case MemberType::filters: return "filters";
  }
  return "";
}

std::string payload_help(const std::vector<PayloadMember>& members) {
  std::string text;
  for (const PayloadMember& member : members) {
    text += (text.empty() ? "" : "; ") + member.name;
    std::string more = member.help;
    for (const std::string& choice : member.choices) more += (&choice == &member.choices.front() ? (more.empty() ? "" : ", ") : "|") + choice;
    if (member.choices.empty() && !member.standard.empty()) more += (more.empty() ? "" : ", ") + member.standard;
    if (!more.empty()) text += ": " + more;
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace millrace::jobs
