// What the rules of joining are made of: words, decisions as bytes, who counts first.
#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "ingest/order_join.h"

namespace millrace::ingest {
namespace {

constexpr std::array<std::string_view, field_group_count> group_words{"quantity", "price", "dates", "lines", "customer", "terms", "status", "other"};
constexpr std::uint8_t decision_version = 1;

std::string joined(const JoinRules::Preference& preference) {
  std::string text;
  for (const std::string& word : preference) text += (text.empty() ? "" : ",") + word;
  return text;
}

}  // namespace

std::string_view word(FieldGroup group) { return group_words[static_cast<std::size_t>(group)]; }

const JoinRules::Preference& JoinRules::of(FieldGroup group) const {
  const Preference& own = by_group[static_cast<std::size_t>(group)];
  return own.empty() ? usual : own;
}

bool JoinRules::names(std::string_view source) const {
  const auto named = [&](const Preference& preference) { return std::ranges::find(preference, source) != preference.end(); };
  return named(usual) || std::ranges::any_of(by_group, named);
}

std::string JoinRules::text() const {
  std::string text = "default=" + joined(usual);
  for (std::size_t i = 0; i < field_group_count; ++i)
    if (!by_group[i].empty()) text.append(";").append(group_words[i]).append("=").append(joined(by_group[i]));
  return text + (join_by_reference ? ";reference" : "") + ";services=" + joined(services);
}

Result<void> set_rule(JoinRules& rules, std::string_view group, std::string_view words) {
  JoinRules::Preference preference;
  for (const std::string_view part : split(words, ','))
    if (!trim(part).empty()) preference.emplace_back(trim(part));
  if (preference.empty())
    return fail(ErrorCode::invalid_input, "the rule for " + printable(group) + " names nobody; write erp, newest or the ids of sources, best first");
  if (group == "default") {
    rules.usual = std::move(preference);
    return {};
  }
  const auto found = std::ranges::find(group_words, group);
  if (found == group_words.end())
    return fail(ErrorCode::invalid_input, "there is no group of fields \"" + printable(group) +
                                              "\" to make a rule for; there are default, quantity, price, dates, lines, customer, terms, status and other");
  rules.by_group[static_cast<std::size_t>(found - group_words.begin())] = std::move(preference);
  return {};
}

Result<JoinRules> parse_join_rules(std::string_view text) {
  JoinRules rules;
  for (const std::string_view part : split(text, ';')) {
    if (trim(part).empty()) continue;
    const std::size_t colon = part.find(':');
    if (colon == std::string_view::npos)
      return fail(ErrorCode::invalid_input, "the rule \"" + printable(trim(part)) + "\" has no colon; write quantity: erp, newest");
    const std::string_view group = trim(part.substr(0, colon)), words = trim(part.substr(colon + 1));
    if (group == "references") {
      if (words != "yes" && words != "no") return fail(ErrorCode::invalid_input, "references is yes or no, not \"" + printable(words) + "\"");
      rules.join_by_reference = words == "yes";
    } else if (const auto set = set_rule(rules, group, words); !set) {
      return pass_on(set);
    }
  }
  return rules;
}

std::string encode(const Decision& decision) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(decision_version);
  out.text(decision.field);
  out.signed_varint(decision.line);
  out.text(decision.source);
  out.text(decision.by);
  out.signed_varint(decision.at.time_since_epoch().count());
  out.varint(decision.values.size());
  for (const auto& [source, text] : decision.values) out.text(source), out.text(text);
  return bytes;
}

Result<Decision> decode_decision(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != decision_version) return fail(ErrorCode::corrupt, "a kept decision has an unknown format");
  Decision decision;
  decision.field = in.text();
  decision.line = static_cast<std::int32_t>(in.signed_varint());
  decision.source = in.text();
  decision.by = in.text();
  decision.at = Instant{std::chrono::milliseconds{in.signed_varint()}};
  decision.values.resize(in.count(2));
  for (auto& [source, text] : decision.values) source = in.text(), text = in.text();
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "a kept decision is damaged");
  return decision;
}

std::vector<std::size_t> ranked(std::span<const JoinSide> sides, const JoinRules::Preference& preference) {
  std::vector<std::size_t> newest(sides.size());
  for (std::size_t i = 0; i < sides.size(); ++i) newest[i] = i;
  std::ranges::sort(newest, [&](std::size_t left, std::size_t right) {
    if (sides[left].stamp != sides[right].stamp) return sides[left].stamp > sides[right].stamp;
    return sides[left].source < sides[right].source;
  });
  std::vector<std::size_t> ranks;
  const auto take = [&](auto wanted) {
    for (const std::size_t side : newest)
      if (wanted(sides[side]) && std::ranges::find(ranks, side) == ranks.end()) ranks.push_back(side);
  };
  for (const std::string& word : preference) {
    if (word == "erp") take([](const JoinSide& side) { return side.is_service; });
    else if (word == "newest") take([](const JoinSide&) { return true; });
    else take([&](const JoinSide& side) { return side.source == word; });
  }
  take([](const JoinSide&) { return true; });
  return ranks;
}

}  // namespace millrace::ingest
