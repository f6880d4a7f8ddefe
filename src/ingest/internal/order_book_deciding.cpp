// What counts for one order: the best document where one source speaks of it, else what all of them join to.
#include "base/text.h"
#include "ingest/internal/order_book_state.h"

namespace millrace::ingest {

feed::OrderDocument OrderBook::Impl::document_of(const Claim& claim) const {
  const CandidateView& summary = claim.candidate;
  feed::OrderDocument document;
  document.source = claim.source;
  document.path = claim.path;
  document.format = claim.format;
  document.hash = table.row(summary.file).hash;
  document.modified = Instant{std::chrono::milliseconds{claim.mtime_ns / 1'000'000}};
  document.updated = summary.updated;
  document.status = status_of_path(claim.path, profile);
  document.total = summary.total;
  document.open = summary.open;
  document.line_count = summary.line_count;
  document.damaged_since = claim.damaged;
  return document;
}

// Services and folders that a rule names speak for themselves, all other folders with one voice.
bool OrderBook::Impl::same_voice(const Claim& left, const Claim& right) const {
  const auto alone = [&](const Claim& claim) { return claim.is_service || rules.names(claim.source); };
  return alone(left) || alone(right) ? left.source == right.source : true;
}

std::vector<OrderBook::Impl::Voice> OrderBook::Impl::voices_of(const std::vector<Claim>& claims) const {
  std::vector<Voice> voices;
  for (const Claim& claim : claims) {
    if (std::ranges::any_of(voices, [&](const Voice& known) { return same_voice(*known.claim, claim); })) continue;
    voices.push_back({&claim, {std::string(claim.source), claim.is_service, claim.by_reference, stamp(claim), nullptr}});
  }
  if (voices.size() < 2) return voices;
  std::vector<JoinSide> sides;
  for (const Voice& voice : voices) sides.push_back(voice.side);
  std::vector<Voice> in_order;
  for (const std::size_t place : ranked(sides, rules.usual)) in_order.push_back(std::move(voices[place]));
  return in_order;
}

std::vector<std::string> OrderBook::Impl::flags_of(const std::vector<Voice>& voices) {
  std::vector<std::string> flags = voices.front().claim->candidate.flags();
  for (const Voice& voice : voices)
    if (voice.claim->damaged) flags.push_back(printable(voice.claim->path) + " cannot be read now; this is its last good content");
  return flags;
}

const std::vector<Decision>& OrderBook::Impl::decisions_of(std::string_view number) const {
  static const std::vector<Decision> none;
  const auto found = decisions.find(number);
  return found == decisions.end() ? none : found->second;
}

// Everything a person would see of the order except mtimes: touching a file is not a change of the order.
std::uint64_t OrderBook::Impl::digest_of(std::string_view number, const std::vector<Claim>& claims) const {
  std::string seen;
  for (const Claim& claim : claims) {
    seen.append(claim.source).append(1, '\0').append(claim.path).append(1, '\0').append(status_of_path(claim.path, profile));
    seen.append(1, '\0').append(std::to_string(claim.candidate.digest)).append(1, claim.damaged ? 'd' : 'g');
  }
  for (const std::string& flag : flags_of(voices_of(claims))) seen.append(1, '\0').append(flag);
  for (const Decision& decision : decisions_of(number)) seen.append(1, '\1').append(encode(decision));
  if (const KeptOverlay* overlay = overlays.find(number)) seen.append(1, '\2').append(encode(*overlay));
  return std::max<std::uint64_t>(1, hash64(seen));
}

// Filed under this status already, unless the status words of the profile changed since it was read.
Result<std::shared_ptr<const SalesOrder>> OrderBook::Impl::filed_content(const Claim& claim) {
  auto filed = content(claim);
  if (!filed) return filed;
  std::string status = status_of_path(claim.path, profile);
  if ((*filed)->status == status) return filed;
  SalesOrder anew = **filed;
  anew.status = std::move(status);
  return std::make_shared<const SalesOrder>(std::move(anew));
}

Result<feed::OrderPut> OrderBook::Impl::sources_put(const std::string& number, const std::vector<Claim>& claims) {
  std::vector<Voice> voices = voices_of(claims);
  feed::OrderPut put;
  put.flags = flags_of(voices);
  std::vector<JoinSide> sides;
  for (Voice& voice : voices) {
    auto filed = filed_content(*voice.claim);
    if (!filed) return pass_on(filed, "order " + number);
    voice.side.order = std::move(*filed);
    put.documents.push_back(document_of(*voice.claim));
    sides.push_back(voice.side);
  }
  for (const Claim& claim : claims) {
    const auto voice = std::ranges::find_if(voices, [&](const Voice& each) { return same_voice(*each.claim, claim); });
    if (voice->claim == &claim) continue;
    put.documents.push_back(document_of(claim));
    if (auto differs = disagreement(*voice->claim, claim, voice->side.order->currency)) put.flags.push_back(std::move(*differs));
  }
  put.order = sides.front().order;
  if (sides.size() < 2) return put;
  JoinedOrder joined = join_orders(sides, rules, decisions_of(number));
  joined.order.number.text = number;
  put.order = std::make_shared<const SalesOrder>(std::move(joined.order));
  put.differences = std::move(joined.differences);
  put.origins = std::move(joined.origins);
  return put;
}

Result<feed::OrderPut> OrderBook::Impl::put_of(const std::string& number, const std::vector<Claim>& claims) {
  auto put = sources_put(number, claims);
  const KeptOverlay* overlay = put ? overlays.find(number) : nullptr;
  if (overlay == nullptr) return put;
  put->overlay_version = overlay->version();
  for (const OverlayValue& value : overlay->values) put->overlay.push_back({value, beneath(*put->order, value.field)});
  SalesOrder over = *put->order;
  lay_over(over, overlay->values);
  put->order = std::make_shared<const SalesOrder>(std::move(over));
  return put;
}

Result<void> OrderBook::Impl::decide(const std::string& number, const Touched& order, std::vector<feed::Change>& changes) {
  note_joined_away(number);
  const std::vector<Claim> claims = claims_of(number);
  if (claims.empty()) {
    if (order.digest == 0) return {};
    const std::string other = stands_for(number);
    changes.push_back(feed::order_removed(OrderNumber{number}, other == number ? order.lost_because : "it is order " + other + ", which has it as customer reference"));
    return {};
  }
  if (digest_of(number, claims) == order.digest) return {};
  auto put = put_of(number, claims);
  if (!put) return pass_on(put);
  put->by = order.by;
  changes.push_back(feed::order_put(std::move(*put)));
  return {};
}

}  // namespace millrace::ingest
