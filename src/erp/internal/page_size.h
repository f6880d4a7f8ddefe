// How much is asked for at once: halved when the other side is too slow, grown back slowly.
#pragma once
#include <algorithm>
#include <cstddef>

namespace millrace::erp {

class PageSize {
 public:
  static constexpr unsigned good_pages_to_grow = 4;

  PageSize(std::size_t wish, std::size_t least, std::size_t first = 0)
      : wish_(std::max<std::size_t>(wish, 1)), least_(std::clamp<std::size_t>(least, 1, wish_)),
        now_(first == 0 ? wish_ : std::clamp(first, least_, wish_)) {}

  std::size_t now() const { return now_; }
  bool is_least() const { return now_ == least_; }
  void slow() {
    now_ = std::max(least_, now_ / 2);
    good_ = 0;
  }
  void good() {
    if (now_ == wish_ || ++good_ < good_pages_to_grow) return;
    now_ = std::min(wish_, now_ + std::max<std::size_t>(1, now_ / 4));
    good_ = 0;
  }

 private:
  std::size_t wish_, least_, now_;
  unsigned good_ = 0;
};

}  // namespace millrace::erp
