#include "columns/block_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "base/check.h"

namespace millrace::columns {
namespace {

constexpr std::uint64_t bits_per_word = 32;

std::uint64_t above(std::int64_t value, std::int64_t base) {
  return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(base);
}

std::int64_t on_line(std::int64_t base, std::int64_t step, std::size_t place) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(step) * place);
}

std::uint64_t exception_bits(const Segment& segment) { return segment.wide_exceptions ? 16 + 64 : 16 + 32; }

// The slope from the first to the last number, 0 where none is worth trying or the arithmetic could overflow.
std::int32_t slope(std::span<const std::int64_t> numbers, const Segment& described) {
  constexpr std::int64_t far = std::int64_t{1} << 61;
  if (numbers.size() < 2 || described.low <= -far || described.high >= far) return 0;
  const std::int64_t step = (numbers.back() - numbers.front()) / static_cast<std::int64_t>(numbers.size() - 1);
  return step == static_cast<std::int32_t>(step) ? static_cast<std::int32_t>(step) : 0;
}

}  // namespace

std::shared_ptr<const Block> BlockEncoder::encode(std::span<const std::int64_t* const> columns, std::size_t rows) {
  check(rows > 0 && rows <= block_rows, "a block has 1 to block_rows rows");
  auto block = std::make_shared<Block>();
  block_ = block.get();
  rows_ = rows;
  block_->rows_ = static_cast<std::uint32_t>(rows);
  starts_.clear();
  if (shape_.run_key) find_runs({columns[*shape_.run_key], rows});

  // The marks of runs are paid once for all columns: they must save more than they cost.
  std::vector<Form> alone(columns.size());
  std::vector<Form> with_runs(columns.size());
  std::uint64_t saved = 0;
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const Segment described = describe({columns[column], rows});
    const Numbers numbers = without_absent({columns[column], rows}, described);
    Form best = row_form(numbers, described);
    if (const auto& derivation = shape_.derivations[column]; derivation && best.bits > 0) {
      const Form derived = derived_form(column, numbers, columns[derivation->source], described, best.bits);
      if (derived.bits < best.bits) best = derived;
    }
    alone[column] = best;
    if (!starts_.empty() && best.bits > 0) {
      for (const Form& form : {run_form(numbers, described, best.bits), place_form(numbers, described, best.bits)})
        if (form.bits < best.bits) best = form;
    }
    with_runs[column] = best;
    saved += alone[column].bits - best.bits;
  }
  const bool keep_runs = saved > mark_bits();
  if (!keep_runs) starts_.clear();
  const std::vector<Form>& chosen = keep_runs ? with_runs : alone;

  std::uint64_t bits = mark_bits();
  for (const Form& form : chosen) bits += form.bits;
  block_->words_.reserve(bits / bits_per_word + chosen.size() + 2);
  block_->segments_.reserve(chosen.size());
  write_marks();
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const Segment& segment = chosen[column].segment;
    const Numbers numbers = without_absent({columns[column], rows}, segment);
    write(segment, numbers, segment.basis == Basis::derived ? columns[segment.source] : nullptr);
  }
  block_->words_.shrink_to_fit();
  block_ = nullptr;
  return block;
}

void BlockEncoder::find_runs(Numbers key) {
  for (std::size_t row = 0; row < key.size(); ++row)
    if (row == 0 || key[row] != key[row - 1]) starts_.push_back(static_cast<std::uint16_t>(row));
  if (starts_.size() * 4 > key.size() * 3) starts_.clear();
}

std::uint64_t BlockEncoder::mark_bits() const {
  if (starts_.empty()) return 0;
  const std::size_t words = (rows_ + 63) / 64;
  return (2 * words + (words + 1) / 2) * bits_per_word;
}

void BlockEncoder::write_marks() {
  block_->runs_ = static_cast<std::uint32_t>(starts_.size());
  if (starts_.empty()) return;
  const std::size_t words = (rows_ + 63) / 64;
  auto& out = block_->words_;
  out.resize(2 * words + (words + 1) / 2, 0);
  for (const std::uint16_t start : starts_) out[start / 32] |= 1U << (start % 32);
  std::uint32_t rank = 0;
  for (std::size_t word = 0; word < words; ++word) {
    out[2 * words + word / 2] |= rank << (word % 2 * 16);
    rank += static_cast<std::uint32_t>(std::popcount(out[2 * word]) + std::popcount(out[2 * word + 1]));
  }
}

Segment BlockEncoder::describe(Numbers values) const {
  Segment segment;
  std::int64_t low = std::numeric_limits<std::int64_t>::max();
  std::int64_t high = absent;
  std::size_t missing = 0;
  for (const std::int64_t value : values) {
    const bool there = value != absent;
    missing += there ? 0 : 1;
    low = std::min(low, there ? value : low);
    high = std::max(high, value);
  }
  segment.has_absent = missing > 0;
  if (missing == values.size()) {  // no value at all: an empty range
    segment.low = 1;
    segment.high = 0;
  } else {
    segment.low = low;
    segment.high = high;
  }
  segment.wide_exceptions = above(segment.high, segment.origin()) > 0xFFFF'FFFF && segment.low <= segment.high;
  return segment;
}

BlockEncoder::Numbers BlockEncoder::without_absent(Numbers values, const Segment& described) {
  if (!described.has_absent) return values;
  values_.resize(values.size());
  std::transform(values.begin(), values.end(), values_.begin(),
                 [&](std::int64_t value) { return value == absent ? described.low - 1 : value; });
  return values_;
}

// Base and width for numbers from `low` to `high`.
BlockEncoder::Form BlockEncoder::packed_form(std::size_t count, std::int64_t low, std::int64_t high,
                                             const Segment& described) const {
  Form form{described, 0};
  form.segment.base = low;
  form.segment.width = static_cast<std::uint8_t>(std::bit_width(above(high, low)));
  form.bits = packed_words(count, form.segment.width) * bits_per_word;
  return form;
}

// Fewer bits, and exceptions for the few numbers that need more; one base for all, or the value that most rows share.
// A sample says first whether this can pay.
BlockEncoder::Form BlockEncoder::excepting_form(Numbers numbers, const Form& packed) const {
  const std::int64_t low = packed.segment.base;
  const std::uint64_t each = exception_bits(packed.segment);
  const auto best_width = [&](std::size_t stride) {
    std::array<std::uint32_t, 65> of_width{};
    std::size_t seen = 0;
    for (std::size_t row = 0; row < numbers.size(); row += stride, ++seen)
      ++of_width[static_cast<std::size_t>(std::bit_width(above(numbers[row], low)))];
    Form best = packed;
    std::uint64_t excepted = 0;
    for (unsigned width = packed.segment.width; width-- > 0;) {
      excepted += of_width[width + 1];
      const std::uint64_t bits =
          packed_words(numbers.size(), width) * bits_per_word + excepted * numbers.size() / seen * each + 31;
      if (bits >= best.bits) continue;
      best.bits = bits;
      best.segment.width = static_cast<std::uint8_t>(width);
    }
    return best;
  };
  constexpr std::size_t stride = 37;  // no multiple of the lines of an order
  Form best = best_width(stride);
  if (best.bits < packed.bits) best = best_width(1);

  std::int64_t candidate = numbers.front();
  std::size_t lead = 0;
  std::size_t sampled = 0;
  for (std::size_t row = 0; row < numbers.size(); row += stride) {
    if (lead == 0) candidate = numbers[row];
    lead += numbers[row] == candidate ? 1 : std::size_t(-1);
    ++sampled;
  }
  // Exceptions cost more than packed numbers: without a clear majority there is nothing to win.
  if (lead * 4 < sampled) return best;
  const auto others = static_cast<std::uint64_t>(
      numbers.size() - static_cast<std::size_t>(std::count(numbers.begin(), numbers.end(), candidate)));
  if (others * each + 31 < best.bits) {
    best.bits = others * each + 31;
    best.segment.base = candidate;
    best.segment.width = 0;
  }
  return best;
}

BlockEncoder::Form BlockEncoder::sloped_form(Numbers numbers, const Segment& described) const {
  const std::int32_t step = slope(numbers, described);
  if (step == 0) return {};
  std::int64_t low = std::numeric_limits<std::int64_t>::max();
  std::int64_t high = std::numeric_limits<std::int64_t>::min();
  for (std::size_t place = 0; place < numbers.size(); ++place) {
    const std::int64_t rest = numbers[place] - std::int64_t{step} * static_cast<std::int64_t>(place);
    low = std::min(low, rest);
    high = std::max(high, rest);
  }
  Form form = packed_form(numbers.size(), low, high, described);
  form.segment.step = step;
  return form;
}

BlockEncoder::Form BlockEncoder::row_form(Numbers numbers, const Segment& described) const {
  const std::int64_t high = described.low > described.high ? described.origin() : described.high;
  const Form packed = packed_form(numbers.size(), described.origin(), high, described);
  if (packed.bits == 0) return packed;
  const Form sloped = sloped_form(numbers, described);
  const Form excepting = excepting_form(numbers, packed);
  return sloped.bits < excepting.bits ? sloped : excepting;
}

BlockEncoder::Form BlockEncoder::run_form(Numbers numbers, const Segment& described, std::uint64_t worth) {
  std::uint64_t excepted = 0;
  run_values_.resize(starts_.size());
  for (std::size_t run = 0; run < starts_.size(); ++run) {
    const std::int64_t value = numbers[starts_[run]];
    run_values_[run] = value;
    for (std::size_t row = starts_[run] + 1U; row < run_end(run); ++row) excepted += numbers[row] != value ? 1 : 0;
    if (excepted * exception_bits(described) >= worth) return {};
  }
  const Numbers of_run(run_values_);
  const auto [low, high] = std::minmax_element(of_run.begin(), of_run.end());
  Form form = packed_form(of_run.size(), *low, *high, described);
  if (form.bits > 0)
    if (const Form sloped = sloped_form(of_run, described); sloped.bits < form.bits) form = sloped;
  form.segment.basis = Basis::run;
  if (excepted > 0) form.bits += excepted * exception_bits(described) + 31;
  return form;
}

BlockEncoder::Form BlockEncoder::place_form(Numbers numbers, const Segment& described, std::uint64_t worth) const {
  // The first run of two rows shows the step; the first rows of a block may be the end of a longer run.
  std::size_t sample = 1;
  while (sample < starts_.size() && run_end(sample) - starts_[sample] < 2) ++sample;
  if (sample >= starts_.size()) return {};
  Form form{described, 0};
  const std::int64_t base = numbers[starts_[sample]];
  const std::uint64_t step = above(numbers[starts_[sample] + 1U], base);
  if (static_cast<std::int64_t>(step) != static_cast<std::int32_t>(step)) return {};
  form.segment.basis = Basis::place;
  form.segment.base = base;
  form.segment.step = static_cast<std::int32_t>(step);
  std::uint64_t excepted = 0;
  for (std::size_t run = 0; run < starts_.size(); ++run) {
    for (std::size_t row = starts_[run]; row < run_end(run); ++row)
      excepted += numbers[row] != on_line(base, form.segment.step, row - starts_[run]) ? 1 : 0;
    if (excepted * exception_bits(described) >= worth) return {};
  }
  if (excepted > 0) form.bits = excepted * exception_bits(described) + 31;
  return form;
}

BlockEncoder::Form BlockEncoder::derived_form(std::size_t column, Numbers numbers, const std::int64_t* source,
                                              const Segment& described, std::uint64_t worth) const {
  if (described.has_absent) return {};
  Derivation& derivation = *shape_.derivations[column];
  auto& by_code = derivation.by_code;
  Form form{described, 0};
  form.segment.basis = Basis::derived;
  form.segment.source = static_cast<std::uint16_t>(derivation.source);
  std::uint64_t excepted = 0;
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    const auto code = static_cast<std::size_t>(source[row]);
    if (code >= by_code.size()) by_code.resize(code + 1, absent);
    if (by_code[code] == absent) by_code[code] = numbers[row];  // the first one is believed
    excepted += by_code[code] != numbers[row] ? 1 : 0;
    if (excepted * exception_bits(described) >= worth) return {};
  }
  if (excepted > 0) form.bits = excepted * exception_bits(described) + 31;
  return form;
}

void BlockEncoder::write(Segment segment, Numbers numbers, const std::int64_t* source) {
  excepted_.clear();
  const std::int64_t base = segment.base;
  const std::int64_t step = segment.step;
  switch (segment.basis) {
    case Basis::row:
      rest_.resize(rows_);
      for (std::size_t row = 0; row < rows_; ++row) {
        rest_[row] = above(numbers[row], on_line(base, step, row));
        if (segment.width < 64 && rest_[row] >> segment.width != 0) {
          rest_[row] = 0;
          excepted_.push_back(static_cast<std::uint16_t>(row));
        }
      }
      segment.rest = write_packed(segment.width);
      break;
    case Basis::run:
      rest_.resize(starts_.size());
      for (std::size_t run = 0; run < starts_.size(); ++run) {
        const std::int64_t value = numbers[starts_[run]];
        rest_[run] = above(value, on_line(base, step, run));
        for (std::size_t row = starts_[run]; row < run_end(run); ++row)
          if (numbers[row] != value) excepted_.push_back(static_cast<std::uint16_t>(row));
      }
      segment.rest = write_packed(segment.width);
      break;
    case Basis::place:
      for (std::size_t run = 0; run < starts_.size(); ++run)
        for (std::size_t row = starts_[run]; row < run_end(run); ++row)
          if (numbers[row] != on_line(base, step, row - starts_[run]))
            excepted_.push_back(static_cast<std::uint16_t>(row));
      break;
    case Basis::derived: {
      const auto& by_code = shape_.derivations[block_->segments_.size()]->by_code;
      for (std::size_t row = 0; row < rows_; ++row)
        if (by_code[static_cast<std::size_t>(source[row])] != numbers[row])
          excepted_.push_back(static_cast<std::uint16_t>(row));
      break;
    }
  }
  write_exceptions(segment, numbers);
  block_->segments_.push_back(segment);
}

std::uint32_t BlockEncoder::write_packed(unsigned width) {
  auto& out = block_->words_;
  const std::size_t first = out.size();
  out.resize(first + packed_words(rest_.size(), width), 0);
  pack(rest_.data(), rest_.size(), width, out.data() + first);
  return static_cast<std::uint32_t>(first);
}

void BlockEncoder::write_exceptions(Segment& segment, Numbers numbers) {
  auto& out = block_->words_;
  segment.exceptions = static_cast<std::uint32_t>(out.size());
  segment.exception_count = static_cast<std::uint16_t>(excepted_.size());
  for (std::size_t index = 0; index < excepted_.size(); index += 2) {
    const std::uint32_t second = index + 1 < excepted_.size() ? excepted_[index + 1] : 0U;
    out.push_back(excepted_[index] | second << 16);
  }
  for (const std::uint16_t row : excepted_) {
    if (segment.wide_exceptions) {
      const auto value = static_cast<std::uint64_t>(numbers[row]);
      out.push_back(static_cast<std::uint32_t>(value));
      out.push_back(static_cast<std::uint32_t>(value >> 32));
    } else {
      out.push_back(static_cast<std::uint32_t>(above(numbers[row], segment.origin())));
    }
  }
}

}  // namespace millrace::columns
