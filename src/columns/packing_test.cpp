#include "columns/packing.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <vector>

namespace millrace::columns {
namespace {

std::uint64_t mask(unsigned width) { return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1; }

TEST_CASE("Numbers of every width from 0 to 64 bits come back from packing, together and alone") {
  std::uint64_t state = 1;
  for (unsigned width = 0; width <= 64; ++width) {
    for (const std::size_t count : {1U, 31U, 128U, 129U, 1023U, 1024U, 1025U, 4096U}) {
      std::vector<std::uint64_t> numbers(count);
      for (auto& number : numbers) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        number = (state ^ (state >> 29)) & mask(width);
      }
      numbers.front() = mask(width);
      std::vector<std::uint32_t> words(packed_words(count, width));
      pack(numbers.data(), count, width, words.data());
      std::vector<std::uint64_t> back(padded_count(count), 7);
      unpack(words.data(), count, width, back.data());
      back.resize(count);
      REQUIRE(back == numbers);
      for (std::size_t index = 0; index < count; index += 17)
        REQUIRE(packed_value(words.data(), count, width, index) == numbers[index]);
    }
  }
}

TEST_CASE("Rows with a wanted number are found in packed form") {
  CHECK(rc::check("select_equal", [] {
    const auto width = *rc::gen::inRange(0U, 33U);
    const auto count = *rc::gen::inRange<std::size_t>(1, 3000);
    const auto numbers = *rc::gen::container<std::vector<std::uint64_t>>(
        count, rc::gen::inRange<std::uint64_t>(0, std::min<std::uint64_t>(mask(width), 5) + 1));
    std::vector<std::uint32_t> words(packed_words(count, width));
    pack(numbers.data(), count, width, words.data());
    const auto wanted = static_cast<std::uint32_t>(*rc::gen::inRange(0, 7));
    std::vector<std::uint32_t> selection(padded_count(count) / 32);
    select_equal(words.data(), count, width, wanted, selection.data());
    for (std::size_t index = 0; index < count; ++index)
      RC_ASSERT(((selection[index / 32] >> (index % 32)) & 1U) == (numbers[index] == wanted ? 1U : 0U));
  }));
}

}  // namespace
}  // namespace millrace::columns
