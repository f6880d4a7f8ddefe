#include "columns/block.h"

#include <algorithm>
#include <array>
#include <limits>

namespace millrace::columns {
namespace {

using Numbers = std::array<std::int64_t, block_rows>;
static_assert(sizeof(std::int64_t) == sizeof(std::uint64_t));

std::size_t exception_words(const Segment& segment) {
  const std::size_t count = segment.exception_count;
  return (count + 1) / 2 + count * (segment.wide_exceptions ? 2 : 1);
}

}  // namespace

std::int64_t Block::exception_value(const Segment& segment, std::size_t index) const {
  const std::uint32_t* values = words_.data() + segment.exceptions + (segment.exception_count + 1U) / 2;
  const auto origin = static_cast<std::uint64_t>(segment.origin());
  if (!segment.wide_exceptions) return static_cast<std::int64_t>(origin + values[index]);
  return static_cast<std::int64_t>(std::uint64_t{values[2 * index]} | std::uint64_t{values[2 * index + 1]} << 32);
}

std::size_t Block::exception_at_or_after(const Segment& segment, std::size_t row) const {
  std::size_t first = 0;
  std::size_t count = segment.exception_count;
  while (count > 0) {
    const std::size_t half = count / 2;
    if (position(segment, first + half) < row) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

std::size_t Block::run_start(std::size_t run) const {
  if (run >= runs_) return rows_;
  // Runs are mostly of like length: the word of marks is near where it would be if they all were.
  std::size_t word = run * mark_words() / runs_;
  while (run_rank(word) > run) --word;
  while (word + 1 < mark_words() && run_rank(word + 1) <= run) ++word;
  std::uint64_t bits = run_bits(word);
  for (std::size_t skip = run - run_rank(word); skip > 0; --skip) bits &= bits - 1;
  return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
}

std::size_t Block::start_at_or_before(std::size_t row) const {
  std::size_t word = row / 64;
  std::uint64_t bits = run_bits(word) & (~std::uint64_t{0} >> (63 - row % 64));
  while (bits == 0) bits = run_bits(--word);  // row 0 begins a run
  return word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(bits));
}

std::size_t Block::start_after(std::size_t row) const {
  std::size_t word = row / 64;
  std::uint64_t bits = row % 64 == 63 ? 0 : run_bits(word) & (~std::uint64_t{0} << (row % 64 + 1));
  while (bits == 0) {
    if (++word == mark_words()) return rows_;
    bits = run_bits(word);
  }
  return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
}

std::int64_t Block::formula(const Shape& shape, const Segment& segment, std::size_t row) const {
  switch (segment.basis) {
    case Basis::row:
      return at_place(segment, row, row);
    case Basis::run: {
      const std::size_t run = run_of(row);
      return at_place(segment, run, run);
    }
    case Basis::place:
      return at_place(segment, row - start_at_or_before(row), row);
    case Basis::derived:
      break;
  }
  const auto code = static_cast<std::size_t>(value(shape, segment.source, row));
  return shape.derivations[static_cast<std::size_t>(&segment - segments_.data())]->by_code[code];
}

std::int64_t Block::value(const Shape& shape, std::size_t column, std::size_t row) const {
  const Segment& segment = segments_[column];
  if (segment.exception_count > 0) {
    const std::size_t index = exception_at_or_after(segment, row);
    if (index < segment.exception_count && position(segment, index) == row)
      return plain_value(segment, exception_value(segment, index));
  }
  return plain_value(segment, formula(shape, segment, row));
}

void Block::decode_numbers(const Segment& segment, std::size_t count, std::int64_t* out) const {
  if (segment.width == 0) {
    std::int64_t value = segment.base;
    for (std::size_t index = 0; index < count; ++index) {
      out[index] = value;
      value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) +
                                        static_cast<std::uint64_t>(std::int64_t{segment.step}));
    }
    return;
  }
  auto* const numbers = reinterpret_cast<std::uint64_t*>(out);  // the same type but for its sign
  unpack(words_.data() + segment.rest, count, segment.width, numbers);
  const auto base = static_cast<std::uint64_t>(segment.base);
  if (segment.step == 0) {
    for (std::size_t index = 0; index < count; ++index) numbers[index] += base;
  } else {
    const auto step = static_cast<std::uint64_t>(std::int64_t{segment.step});
    for (std::size_t index = 0; index < count; ++index) numbers[index] += base + step * index;
  }
}

void Block::spread_runs(const std::int64_t* of_run, std::int64_t* out) const {
  std::size_t row = 0;
  std::size_t run = 0;
  for (std::size_t word = 0; word < mark_words(); ++word) {
    std::uint64_t bits = run_bits(word);
    while (bits != 0) {
      const std::size_t start = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      bits &= bits - 1;
      if (start == 0) continue;
      std::fill(out + row, out + start, of_run[run++]);
      row = start;
    }
  }
  std::fill(out + row, out + rows_, of_run[run]);
}

void Block::apply_exceptions(const Segment& segment, std::int64_t* out) const {
  for (std::size_t index = 0; index < segment.exception_count; ++index)
    out[position(segment, index)] = exception_value(segment, index);
}

void Block::decode(const Shape& shape, std::size_t column, std::int64_t* out) const {
  const Segment& segment = segments_[column];
  switch (segment.basis) {
    case Basis::row:
      decode_numbers(segment, rows_, out);
      break;
    case Basis::run: {
      Numbers of_run;
      decode_numbers(segment, runs_, of_run.data());
      spread_runs(of_run.data(), out);
      break;
    }
    case Basis::place: {
      for (std::size_t start = 0, end = 0; start < rows_; start = end) {
        end = start_after(start);
        for (std::size_t row = start; row < end; ++row) out[row] = at_place(segment, row - start, row);
      }
      break;
    }
    case Basis::derived: {
      decode(shape, segment.source, out);
      const auto& by_code = shape.derivations[column]->by_code;
      for (std::size_t row = 0; row < rows_; ++row) out[row] = by_code[static_cast<std::size_t>(out[row])];
      break;
    }
  }
  apply_exceptions(segment, out);
  if (segment.has_absent)
    for (std::size_t row = 0; row < rows_; ++row) out[row] = plain_value(segment, out[row]);
}

// Neighbouring rows of a column packed per row.
void Block::values_at(const Segment& segment, std::size_t row, std::size_t count, std::int64_t* out) const {
  const std::int64_t base = segment.base;
  if (segment.width == 0 || segment.width > 32) {
    for (std::size_t index = 0; index < count; ++index) out[index] = at_place(segment, row + index, row + index);
    return;
  }
  auto* const numbers = reinterpret_cast<std::uint64_t*>(out);
  plane_values(words_.data() + segment.rest, row, count, segment.width, numbers);
  const auto step = static_cast<std::uint64_t>(std::int64_t{segment.step});
  std::uint64_t line = static_cast<std::uint64_t>(base) + step * row;
  for (std::size_t index = 0; index < count; ++index, line += step) numbers[index] += line;
}

void Block::read(const Shape& shape, std::size_t row, std::size_t count, std::int64_t* out) const {
  std::array<std::uint16_t, 64> runs;
  std::array<std::uint16_t, 64> places;
  if (runs_ > 0) {
    std::size_t run = run_of(row);
    std::size_t start = start_at_or_before(row);
    std::size_t next = start_after(row);
    for (std::size_t index = 0; index < count; ++index) {
      if (row + index == next) {
        start = next;
        next = start_after(start);
        ++run;
      }
      runs[index] = static_cast<std::uint16_t>(run);
      places[index] = static_cast<std::uint16_t>(row + index - start);
    }
  }
  for (std::size_t column = 0; column < segments_.size(); ++column) {
    const Segment& segment = segments_[column];
    std::int64_t* const to = out + column * count;
    if (segment.basis == Basis::row) {
      values_at(segment, row, count, to);
    } else if (segment.basis == Basis::run) {
      for (std::size_t index = 0; index < count; ++index)
        to[index] =
            index > 0 && runs[index] == runs[index - 1] ? to[index - 1] : at_place(segment, runs[index], runs[index]);
    } else if (segment.basis == Basis::place) {
      for (std::size_t index = 0; index < count; ++index) to[index] = at_place(segment, places[index], row + index);
    } else {
      // The source is no derived column, and texts know no absence: its formula and exceptions are its value.
      const auto& by_code = shape.derivations[column]->by_code;
      for (std::size_t index = 0; index < count; ++index)
        to[index] = by_code[static_cast<std::size_t>(
            segment.source < column ? out[segment.source * count + index] : value(shape, segment.source, row + index))];
    }
    if (segment.exception_count > 0) {
      for (std::size_t at = exception_at_or_after(segment, row); at < segment.exception_count; ++at) {
        const std::size_t excepted = position(segment, at);
        if (excepted >= row + count) break;
        to[excepted - row] = exception_value(segment, at);
      }
    }
    if (segment.has_absent)
      for (std::size_t index = 0; index < count; ++index) to[index] = plain_value(segment, to[index]);
  }
}

// Bits of the packed numbers that stand for `wanted`, exceptions not looked at.
bool Block::select_numbers(const Segment& segment, std::int64_t wanted, std::uint32_t* selection) const {
  if (segment.step != 0 || segment.width > 32 || wanted == absent) return false;
  const std::size_t count = numbers_of(segment);
  std::fill_n(selection, block_rows / 32, 0U);
  const std::uint64_t above = static_cast<std::uint64_t>(wanted) - static_cast<std::uint64_t>(segment.base);
  // The stand-in for absent is nobody's value.
  if (above >> segment.width != 0 || (segment.has_absent && wanted == segment.low - 1)) return true;
  select_equal(words_.data() + segment.rest, count, segment.width, static_cast<std::uint32_t>(above), selection);
  if (count % 32 != 0) selection[count / 32] &= (1U << (count % 32)) - 1;
  for (std::size_t word = (count + 31) / 32; word < padded_count(count) / 32; ++word) selection[word] = 0;
  return true;
}

bool Block::select_packed(std::size_t column, std::int64_t wanted, std::uint32_t* selection) const {
  const Segment& segment = segments_[column];
  if (segment.basis != Basis::row || !select_numbers(segment, wanted, selection)) return false;
  for (std::size_t index = 0; index < segment.exception_count; ++index) {
    const std::size_t row = position(segment, index);
    const std::uint32_t bit = 1U << (row % 32);
    if (plain_value(segment, exception_value(segment, index)) == wanted)
      selection[row / 32] |= bit;
    else
      selection[row / 32] &= ~bit;
  }
  return true;
}

bool Block::select_runs(std::size_t column, std::int64_t wanted, std::uint32_t* selection) const {
  const Segment& segment = segments_[column];
  return segment.basis == Basis::run && segment.exception_count == 0 && select_numbers(segment, wanted, selection);
}

void Block::spread(const std::uint32_t* runs, std::uint32_t* rows) const {
  std::fill_n(rows, block_rows / 32, 0U);
  const auto fill = [rows](std::size_t first, std::size_t end) {
    for (std::size_t row = first; row < end;) {
      const std::size_t stop = std::min(end, (row / 32 + 1) * 32);
      rows[row / 32] |= static_cast<std::uint32_t>(((std::uint64_t{1} << (stop - row)) - 1) << (row % 32));
      row = stop;
    }
  };
  std::size_t mark = 0;  // the word of marks in which the last run asked for begins
  const auto start_of = [&](std::size_t run) {
    if (run >= runs_) return std::size_t{rows_};
    while (mark + 1 < mark_words() && run_rank(mark + 1) <= run) ++mark;
    std::uint64_t bits = run_bits(mark);
    for (std::size_t skip = run - run_rank(mark); skip > 0; --skip) bits &= bits - 1;
    return mark * 64 + static_cast<std::size_t>(std::countr_zero(bits));
  };
  for (std::size_t word = 0; word < (runs_ + 31) / 32; ++word) {
    for (std::uint32_t bits = runs[word]; bits != 0;) {
      const auto low = static_cast<unsigned>(std::countr_zero(bits));
      const auto length = static_cast<unsigned>(std::countr_one(bits >> low));
      const std::size_t first = start_of(word * 32 + low);
      fill(first, start_of(word * 32 + low + length));
      bits &= static_cast<std::uint32_t>(~(((std::uint64_t{1} << length) - 1) << low));
    }
  }
}

std::size_t Block::lower_bound(const Shape& shape, std::size_t column, std::int64_t wanted) const {
  const Segment& segment = segments_[column];
  const bool by_run = segment.basis == Basis::run && segment.exception_count == 0 && !segment.has_absent;
  std::size_t first = 0;
  std::size_t count = by_run ? runs_ : rows_;
  if (by_run && segment.width == 0 && segment.step == 1) {  // numbers without gaps: no search
    if (wanted <= segment.base) return 0;
    const auto run = static_cast<std::uint64_t>(wanted) - static_cast<std::uint64_t>(segment.base);
    return run < runs_ ? run_start(static_cast<std::size_t>(run)) : rows_;
  }
  while (count > 0) {
    const std::size_t half = count / 2;
    const std::size_t middle = first + half;
    const std::int64_t found = by_run ? at_place(segment, middle, middle) : value(shape, column, middle);
    if (found < wanted) {
      first = middle + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return by_run ? run_start(first) : first;
}

std::size_t Block::upper_bound(const Shape& shape, std::size_t column, std::int64_t wanted, std::size_t from) const {
  if (from >= rows_) return rows_;
  const Segment& segment = segments_[column];
  if (segment.basis == Basis::run && segment.exception_count == 0 && segment.width == 0 && segment.step > 0) {
    const std::size_t run = run_of(from);
    return at_place(segment, run, run) > wanted ? from : start_after(from);
  }
  if (wanted == std::numeric_limits<std::int64_t>::max()) return rows_;
  return lower_bound(shape, column, wanted + 1);
}

std::size_t Block::column_bytes(std::size_t column) const {
  const Segment& segment = segments_[column];
  const std::size_t packed = segment.basis == Basis::derived ? 0 : packed_words(numbers_of(segment), segment.width);
  return (packed + exception_words(segment)) * sizeof(std::uint32_t) + sizeof(Segment);
}

std::size_t Block::run_bytes() const {
  return runs_ == 0 ? 0 : (2 * mark_words() + (mark_words() + 1) / 2) * sizeof(std::uint32_t);
}

std::size_t Block::bytes() const {
  return sizeof(Block) + segments_.capacity() * sizeof(Segment) + words_.capacity() * sizeof(std::uint32_t);
}

}  // namespace millrace::columns
