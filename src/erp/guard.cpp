#include "erp/guard.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace millrace::erp {
namespace {

constexpr std::string_view what_to_do =
    "; nothing of it was taken over. Look at the examples and at the rights of the ERP user, then accept or reject";

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "100 %" : std::to_string(static_cast<std::uint64_t>(std::llround(100.0 * static_cast<double>(part) / static_cast<double>(whole)))) + " %";
}

// Shares are compared as doubles: they are thresholds, not amounts.
bool above(std::uint64_t part, double share, std::uint64_t whole) { return static_cast<double>(part) > share * static_cast<double>(whole); }

std::string rows_of(std::uint64_t count, std::uint64_t all, std::string_view stream) {
  return std::to_string(count) + " of " + std::to_string(all) + " " + std::string(stream) + " (" + percent(count, all) + ")";
}

}  // namespace

bool moves_too_far(const GuardOptions& options, const Consequence::Total& total) {
  if (total.changed <= options.gone_always || total.before == 0) return false;
  const double difference = std::abs(static_cast<double>(total.after) - static_cast<double>(total.before));
  return difference > options.total_share_max * std::abs(static_cast<double>(total.before));
}

std::optional<std::string> why_held(const GuardOptions& options, std::string_view stream, const Consequence& consequence) {
  if (consequence.gone > 1 && consequence.gone >= consequence.rows_before)
    return "the ERP answers none of the " + std::to_string(consequence.rows_before) + " " + std::string(stream) + " held here" + std::string(what_to_do);
  if (consequence.gone > options.gone_always && above(consequence.gone, options.gone_share_max, consequence.rows_before))
    return "the sync would remove " + rows_of(consequence.gone, consequence.rows_before, stream) + std::string(what_to_do);
  if (consequence.closed > options.gone_always && above(consequence.closed, options.closed_share_max, consequence.open_before))
    return "the sync would close " + rows_of(consequence.closed, consequence.open_before, "open " + std::string(stream)) + std::string(what_to_do);
  for (const auto& [currency, total] : consequence.totals) {
    if (!moves_too_far(options, total)) continue;
    return "the sync would move the open total of " + std::string(stream) + " from " + decimal_text(Money{total.before, currency}) + " to " +
           decimal_text(Money{total.after, currency}) + " " + currency.code() + std::string(what_to_do);
  }
  return std::nullopt;
}

}  // namespace millrace::erp
