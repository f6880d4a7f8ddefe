// Decisions of people on single differences, and what happens when the rules of joining change.
//
//   kept row   space "decisions", key "<field>/<line>/<order number>", content `encode(Decision)`

#include "base/text.h"
#include "ingest/internal/order_book_state.h"

namespace millrace::ingest {
namespace {

std::string key_of(const DifferenceChoice& choice) { return choice.field + "/" + std::to_string(choice.line) + "/" + choice.order; }

// "quantity of line 2 of order 43659"
std::string spoken(const DifferenceChoice& choice) {
  const std::string line = choice.line == 0 ? "" : " of line " + std::to_string(choice.line);
  return printable(choice.field) + line + " of order " + printable(choice.order);
}

bool speaks_of(const Decision& decision, const DifferenceChoice& choice) { return decision.field == choice.field && decision.line == choice.line; }

}  // namespace

Result<void> OrderBook::restore_decision(const store::KeptRow& row) {
  auto decision = decode_decision(row.content);
  if (!decision) return pass_on(decision, printable(row.key));
  const std::string front = key_of({"", decision->field, decision->line});
  if (!row.key.starts_with(front)) return fail(ErrorCode::corrupt, "the kept decision " + printable(row.key) + " is about another value than its key says");
  impl_->decisions[row.key.substr(front.size())].push_back(std::move(*decision));
  return {};
}

bool OrderBook::rules_are(const std::optional<std::string>& before) const { return before.value_or(JoinRules().text()) == impl_->rules.text(); }

void OrderBook::restore_rules(const std::optional<std::string>& before) {
  if (rules_are(before)) return;
  Impl& book = *impl_;
  book.kept_put.push_back({std::string(rules_space), std::string(rules_key), book.rules.text()});
  // What the feed knows was decided by other rules: no digest of ours is that. Whether it knows the number at all
  // follows from whether references joined then.
  constexpr std::uint64_t other_digest = 1;
  const bool joined_before = before.value_or(JoinRules().text()).find(";reference") != std::string::npos;
  const auto decide_anew = [&](std::string_view number) {
    const bool joins_now = std::exchange(book.rules.join_by_reference, joined_before);
    const bool known = !book.claims_of(number).empty();
    book.rules.join_by_reference = joins_now;
    book.touched[std::string(number)].digest = known ? other_digest : 0;
  };
  for (std::uint16_t source = 0; source < book.table.source_count(); ++source) {
    for (const FileId file : book.table.sorted(source)) {
      for (const CandidateView& candidate : book.table.candidate_views(file)) {
        if (!book.claim_of(candidate).is_service && !book.rules.names(book.table.source_name(source))) break;
        const bool referred = !candidate.reference.empty() && book.table.knows_order(candidate.reference);
        if (referred) decide_anew(candidate.reference);
        if (const auto claims = book.claims_of(candidate.number); referred || book.voices_of(claims).size() > 1) decide_anew(candidate.number);
      }
    }
  }
}

// The last word on a key is the only one in a batch.
void OrderBook::Impl::forget_kept(std::string_view space, const std::string& key) {
  std::erase_if(kept_put, [&](const store::KeptRow& row) { return row.space == space && row.key == key; });
  std::erase_if(kept_removed, [&](const store::KeptKey& row) { return row.space == space && row.key == key; });
}

Result<std::string> OrderBook::decide(const DifferenceChoice& choice, const std::string& source, const std::string& by, Instant now) {
  Impl& book = *impl_;
  const std::vector<Claim> claims = book.claims_of(choice.order);
  if (claims.empty()) return fail(ErrorCode::not_found, "there is no order " + printable(choice.order) + "; check the number without the source's prefix");
  const auto put = book.put_of(choice.order, claims);
  if (!put) return pass_on(put);
  const auto difference = std::ranges::find_if(put->differences, [&](const feed::Difference& each) { return each.field == choice.field && each.line == choice.line; });
  if (difference == put->differences.end())
    return fail(ErrorCode::not_found, "the sources do not differ in " + spoken(choice) + " (any more); look at the order again");
  Decision decision{choice.field, choice.line, source, by, now, {}};
  std::string speakers;
  for (const auto& value : difference->values) {
    decision.values.emplace_back(put->documents[value.document].source, value.text);
    speakers += (speakers.empty() ? "" : ", ") + decision.values.back().first;
  }
  if (std::ranges::find(decision.values, source, &std::pair<std::string, std::string>::first) == decision.values.end())
    return fail(ErrorCode::invalid_input, "\"" + printable(source) + "\" says nothing of " + spoken(choice) + "; choose one of " + speakers);
  book.touch_one(choice.order);
  book.forget_kept(decisions_space, key_of(choice));
  std::vector<Decision>& decisions = book.decisions[choice.order];
  std::erase_if(decisions, [&](const Decision& known) { return speaks_of(known, choice); });
  book.kept_put.push_back({std::string(decisions_space), key_of(choice), encode(decision)});
  decisions.push_back(std::move(decision));
  return std::string(claims.front().source);
}

Result<std::string> OrderBook::undecide(const DifferenceChoice& choice) {
  Impl& book = *impl_;
  const auto order = book.decisions.find(choice.order);
  const bool decided = book.table.source_count() > 0 && order != book.decisions.end() && std::ranges::any_of(order->second, [&](const Decision& known) { return speaks_of(known, choice); });
  if (!decided) return fail(ErrorCode::not_found, "nobody decided the " + spoken(choice) + "; the rule counts already");
  const std::vector<Claim> claims = book.claims_of(choice.order);
  const std::string source(claims.empty() ? std::string_view(book.table.source_name(0)) : claims.front().source);
  book.touch_one(choice.order);
  std::erase_if(order->second, [&](const Decision& known) { return speaks_of(known, choice); });
  if (order->second.empty()) book.decisions.erase(order);
  book.forget_kept(decisions_space, key_of(choice));
  book.kept_removed.push_back({std::string(decisions_space), key_of(choice)});
  return source;
}

}  // namespace millrace::ingest
