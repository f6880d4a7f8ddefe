#include "readmodel/narrow_column.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace millrace::readmodel {
namespace {

// Values as columns see them: mostly close together, now and then anything the type can hold.
template <class T>
T some_value() {
  const auto kind = *rc::gen::inRange(0, 10);
  if (kind < 6) return static_cast<T>(20'000 + *rc::gen::inRange(0, 40));
  if (kind < 8) return static_cast<T>(1'000 * *rc::gen::inRange(-50, 50));
  if (kind == 8) return *rc::gen::element(std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), T{0});
  return *rc::gen::arbitrary<T>();
}

template <class Column>
void check_equal(const Column& column, const std::vector<typename Column::value_type>& expected) {
  RC_ASSERT(column.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) RC_ASSERT(column[i] == expected[i]);
  std::vector<typename Column::value_type> all(expected.size());
  column.decode(0, all);
  RC_ASSERT(all == expected);
}

template <class T, bool none_is_lowest>
void behaves_like_a_vector() {
  rc::check("a narrow column reads back what was written, packed or not, copied or restored", [] {
    NarrowColumn<T, none_is_lowest> column;
    std::vector<T> expected;
    const int steps = *rc::gen::inRange(1, 60);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 8)) {
        case 0: column.pack(); break;
        case 1: {
          const auto more = static_cast<std::size_t>(*rc::gen::inRange(1, 20));
          column.resize(expected.size() + more);
          for (std::size_t i = 0; i < more; ++i) {
            expected.push_back(some_value<T>());
            column.set(expected.size() - 1, expected.back());
          }
          break;
        }
        case 2: column = NarrowColumn<T, none_is_lowest>(column); break;
        case 3: {
          NarrowColumn<T, none_is_lowest> again;
          RC_ASSERT(again.restore(column.form()));
          column = std::move(again);
          break;
        }
        default:
          if (expected.empty()) break;
          const auto at = *rc::gen::inRange<std::size_t>(0, expected.size());
          expected[at] = some_value<T>();
          column.set(at, expected[at]);
      }
      check_equal(column, expected);
    }
  });
}

TEST_CASE("narrow columns of every type behave like a vector") {
  behaves_like_a_vector<std::uint8_t, false>();
  behaves_like_a_vector<std::uint32_t, false>();
  behaves_like_a_vector<std::int32_t, true>();
  behaves_like_a_vector<std::int64_t, false>();
  behaves_like_a_vector<std::int64_t, true>();
  behaves_like_a_vector<std::uint64_t, false>();
}

template <class T>
NarrowColumn<T, true> packed(const std::vector<T>& values) {
  NarrowColumn<T, true> column(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) column.set(i, values[i]);
  column.pack();
  return column;
}

TEST_CASE("a column takes the bits its range needs") {
  constexpr std::int32_t none = std::numeric_limits<std::int32_t>::min();
  CHECK(packed<std::int32_t>({20'780, 20'780, 20'780}).bits() == 0);
  CHECK(packed<std::int32_t>({none, none}).bits() == 0);
  CHECK(packed<std::int32_t>({20'780, 20'787}).bits() == 1);         // one step of seven days
  CHECK(packed<std::int32_t>({20'780, 20'781, 20'795}).bits() == 4);
  CHECK(packed<std::int32_t>({20'780, 20'781, 20'795, none}).bits() == 5);
  CHECK(packed<std::int64_t>({4'000'000, 12'000'000, 1'000'000}).bits() == 4);  // quantities in whole pieces
  CHECK(packed<std::int64_t>({std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min() + 1, 5}).bits() == 64);
  CHECK(packed<std::int32_t>({1, 1, 1}).heap_bytes() == 0);
}

TEST_CASE("values at both ends of the range keep apart, whatever came before them") {
  constexpr auto low = std::numeric_limits<std::int64_t>::min(), high = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t first : {high, low, std::int64_t{0}, high - 1}) {
    for (const std::int64_t second : {std::int64_t{20'000}, low, low + 1, high}) {
      NarrowColumn<std::int64_t, true> column;
      column.pack();
      column.resize(3);
      column.set(0, first), column.set(1, second), column.set(2, low);
      CHECK(column[0] == first);
      CHECK(column[1] == second);
      CHECK(column[2] == low);
    }
  }
}

TEST_CASE("a form that contradicts itself is refused") {
  const auto column = packed<std::int32_t>({1, 2, 3, 4});
  const auto broken = [&](auto change) {
    auto form = column.form();
    change(form);
    NarrowColumn<std::int32_t, true> target;
    return !target.restore(form) && target.size() == 0;
  };
  CHECK(broken([](auto& form) { form.bits = 58; }));
  CHECK(broken([](auto& form) { form.bits = 5; }));
  CHECK(broken([](auto& form) { form.size = 4'000'000'000; }));
  CHECK(broken([](auto& form) { form.nones = 2; }));
  CHECK(broken([](auto& form) { form.step = 0; }));
  CHECK(broken([](auto& form) { form.open = true; }));
  CHECK_FALSE(broken([](auto&) {}));
}

}  // namespace
}  // namespace millrace::readmodel
