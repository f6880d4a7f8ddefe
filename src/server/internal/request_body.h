// The body of a request, as its head framed it: by length or in chunks.
//
// Invariants
//   * Takes exactly the bytes of this body and leaves those of the next request.
//   * Bounded: the body by `body_max`, what surrounds chunks (extensions, trailers) by `framing_bytes_max`.
//   * Chunk lines are read strictly; trailers are checked like fields and then dropped, so that nothing after a body
//     changes what stood before it.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "server/internal/request_head.h"

namespace millrace::server {

inline constexpr std::size_t framing_bytes_max = 8 << 10;
inline constexpr std::size_t chunk_line_max = 256;

class BodyReader {
 public:
  BodyReader(Framing framing, std::size_t body_max);

  // Returns how many of the bytes it took. After a problem it takes nothing.
  std::size_t take(std::string_view bytes);
  bool is_done() const { return step_ == Step::done; }
  const std::optional<Problem>& problem() const { return problem_; }
  std::size_t received() const { return received_; }  // bytes of all kinds
  std::string body;

 private:
  enum class Step { size_line, data, data_end, trailer, done };
  std::size_t take_data(std::string_view bytes);
  std::size_t take_line(std::string_view bytes);
  void on_line(std::string_view line);
  void on_size_line(std::string_view line);
  void refuse(Problem problem);

  const std::size_t body_max_;
  const bool chunked_;
  Step step_ = Step::done;
  std::uint64_t left_ = 0;  // of the body by length, or of this chunk
  std::string line_;        // the part of a line that is there
  std::size_t framing_bytes_ = 0;
  std::size_t received_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace millrace::server
