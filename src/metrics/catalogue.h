// The one table of what we measure about ourselves.
//
// Invariants
//   * A metric exists only by its row here; names, units and help texts are written nowhere else.
//   * Names are `millrace_<thing>_<unit>`, counters end in `_total`, durations are seconds, sizes bytes.
//   * The values of a label come from a bounded set; beyond `label_values_max` they are counted under "other".
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::metrics {

inline constexpr std::size_t label_values_max = 1'000;  // different label values (or pairs) of one metric

enum class MetricType : std::uint8_t { counter, gauge, timing };
std::string_view word(MetricType type);

struct MetricRow {
  std::string_view name;
  MetricType type;
  std::string_view unit;  // "seconds", "bytes", "requests", ...: for the reference page
  std::string_view help;
  std::array<std::string_view, 2> labels{};  // "" where there is none

  std::size_t label_count() const { return labels[0].empty() ? 0 : labels[1].empty() ? 1 : 2; }
};

// Sorted by name.
std::span<const MetricRow> catalogue();
// nullptr when there is no such row.
const MetricRow* find_row(std::string_view name);

}  // namespace millrace::metrics
