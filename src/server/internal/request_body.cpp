#include "server/internal/request_body.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace millrace::server {

namespace {

Problem bad(std::string detail) { return {400, "bad-request", std::move(detail), {}}; }

// ;name, ;name=word or ;name="text", again and again (RFC 9112, section 7.1.1), without blanks.
bool are_extensions(std::string_view text) {
  while (!text.empty()) {
    if (text.front() != ';') return false;
    text.remove_prefix(1);
    const std::size_t name_end = std::min(text.find_first_of("=;"), text.size());
    if (!is_token(text.substr(0, name_end))) return false;
    text.remove_prefix(name_end);
    if (!text.starts_with('=')) continue;
    text.remove_prefix(1);
    if (text.starts_with('"')) {
      std::size_t at = 1;
      while (at < text.size() && text[at] != '"') {
        const auto byte = static_cast<unsigned char>(text[at]);
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) return false;
        at += text[at] == '\\' ? 2 : 1;
      }
      if (at >= text.size()) return false;
      text.remove_prefix(at + 1);
    } else {
      const std::size_t end = std::min(text.find(';'), text.size());
      if (!is_token(text.substr(0, end))) return false;
      text.remove_prefix(end);
    }
  }
  return true;
}

// What a trailer may not say, since it was decided without it.
constexpr std::array<std::string_view, 12> never_after_a_body = {
    "Host",   "Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Type", "Authorization",
    "Cookie", "Connection",     "Expect",            "Upgrade",          "Origin",       "Trailer"};

}  // namespace

BodyReader::BodyReader(Framing framing, std::size_t body_max)
    : body_max_(body_max), chunked_(framing.body == Framing::Body::chunked), left_(framing.length) {
  if (chunked_) step_ = Step::size_line;
  if (framing.body != Framing::Body::length) return;
  step_ = Step::data;
  if (framing.length > body_max) refuse({413, "body-too-large", "The body is larger than " + std::to_string(body_max) + " bytes.", {}});
}

void BodyReader::refuse(Problem problem) { problem_ = std::move(problem); }

std::size_t BodyReader::take(std::string_view bytes) {
  const std::size_t offered = bytes.size();
  while (!problem_ && step_ != Step::done && !bytes.empty())
    bytes.remove_prefix(step_ == Step::data ? take_data(bytes) : take_line(bytes));
  received_ += offered - bytes.size();
  return offered - bytes.size();
}

std::size_t BodyReader::take_data(std::string_view bytes) {
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  body.append(bytes.substr(0, count));
  left_ -= count;
  if (left_ == 0) step_ = chunked_ ? Step::data_end : Step::done;
  return count;
}

// One line at a time; a line end is CR LF and nothing else.
std::size_t BodyReader::take_line(std::string_view bytes) {
  const std::size_t newline = bytes.find('\n');
  const std::size_t count = newline == std::string_view::npos ? bytes.size() : newline + 1;
  const std::size_t line_max = step_ == Step::trailer ? framing_bytes_max : step_ == Step::data_end ? 2 : chunk_line_max;
  framing_bytes_ += step_ == Step::trailer ? count : 0;
  if (line_.size() + count > line_max || framing_bytes_ > framing_bytes_max) {
    if (step_ == Step::trailer) refuse({431, "head-too-large", "The trailer of the body is larger than 8 KB.", {}});
    else refuse(bad(step_ == Step::data_end ? "A chunk does not end where its size says." : "The size line of a chunk is too long."));
    return count;
  }
  line_.append(bytes.substr(0, count));
  const std::size_t carriage = line_.find('\r');
  if (newline == std::string_view::npos) {
    // "1\r" may go on with a newline, everything else behind a carriage return may not.
    if (carriage != std::string::npos && carriage + 1 != line_.size()) refuse(bad("Lines of a chunked body end with CR LF."));
    else if (step_ == Step::data_end && line_ != "\r") refuse(bad("A chunk does not end where its size says."));
    return count;
  }
  if (carriage == std::string::npos || carriage + 2 != line_.size()) {
    refuse(bad("Lines of a chunked body end with CR LF."));
    return count;
  }
  on_line(std::string_view(line_).substr(0, carriage));
  line_.clear();
  return count;
}

void BodyReader::on_line(std::string_view line) {
  switch (step_) {
    case Step::size_line:
      return on_size_line(line);
    case Step::data_end:
      step_ = Step::size_line;
      return;
    case Step::trailer:
      if (line.empty()) {
        step_ = Step::done;
        return;
      }
      if (auto problem = check_field_line(line)) return refuse(std::move(*problem));
      for (const std::string_view name : never_after_a_body)
        if (equal_ignoring_case(name, line.substr(0, line.find(':')))) return refuse(bad("A trailer may not say " + std::string(name) + "."));
      return;
    case Step::data:
    case Step::done:
      return;
  }
}

void BodyReader::on_size_line(std::string_view line) {
  const std::size_t end = std::min(line.find(';'), line.size());
  const std::string_view digits = line.substr(0, end);
  std::uint64_t size = 0;
  const auto [stop, code] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  const bool is_number = !digits.empty() && digits.front() != '-' && code == std::errc() && stop == digits.data() + digits.size() && digits.size() <= 16;
  if (!is_number) return refuse(bad("The size of a chunk is not a hexadecimal number."));
  if (!are_extensions(line.substr(end))) return refuse(bad("What follows the size of a chunk is not well-formed."));
  framing_bytes_ += line.size() - end;
  if (framing_bytes_ > framing_bytes_max) return refuse(bad("The extensions of the chunks are too long."));
  if (size > body_max_ || body.size() + size > body_max_)
    return refuse({413, "body-too-large", "The body is larger than " + std::to_string(body_max_) + " bytes.", {}});
  left_ = size;
  step_ = size == 0 ? Step::trailer : Step::data;
}

}  // namespace millrace::server
