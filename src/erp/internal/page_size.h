// How much is asked for at once: halved when the other side is too slow, grown back slowly; twice the wish where full
// pages are small answers, because then calls cost more than bytes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace millrace::erp {

class PageSize {
 public:
  static constexpr unsigned good_pages_to_grow = 4;
  static constexpr std::uint64_t small_answer_bytes = 2 << 20;

  PageSize(std::size_t wish, std::size_t least, std::size_t first = 0)
      : wish_(std::max<std::size_t>(wish, 1)), least_(std::clamp<std::size_t>(least, 1, wish_)), most_(2 * wish_),
        now_(first == 0 ? wish_ : std::clamp(first, least_, most_)) {}

  std::size_t now() const { return now_; }
  bool is_least() const { return now_ == least_; }
  void slow() {
    now_ = std::max(least_, now_ / 2);
    most_ = wish_;
    good_ = 0;
  }
  // `full_bytes`: of an answer that was as long as asked for; 0 when it was not, or nobody knows.
  void good(std::uint64_t full_bytes = 0) {
    if (now_ >= wish_) {
      if (full_bytes > 0 && 2 * full_bytes <= small_answer_bytes) now_ = std::min(most_, 2 * now_);
    } else if (++good_ == good_pages_to_grow) {
      now_ = std::min(wish_, now_ + std::max<std::size_t>(1, now_ / 4));
      good_ = 0;
    }
  }

 private:
  std::size_t wish_, least_, most_, now_;
  unsigned good_ = 0;
};

}  // namespace millrace::erp
