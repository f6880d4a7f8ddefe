#include "columns/csv_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace millrace::columns {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr std::size_t step_bytes = 64;  // looked at together

// Bits of the bytes among 64 that are one of three letters.
std::uint64_t find_letters(const char* bytes, char first, char second, char third) {
  std::uint64_t found = 0;
#if defined(__SSE2__)
  const __m128i a = _mm_set1_epi8(first);
  const __m128i b = _mm_set1_epi8(second);
  const __m128i c = _mm_set1_epi8(third);
  for (std::size_t part = 0; part < step_bytes; part += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + part));
    const __m128i equal =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(text, a), _mm_cmpeq_epi8(text, b)), _mm_cmpeq_epi8(text, c));
    found |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(equal))) << part;
  }
#else
  for (std::size_t index = 0; index < step_bytes; ++index) {
    const char letter = bytes[index];
    found |= static_cast<std::uint64_t>(letter == first || letter == second || letter == third) << index;
  }
#endif
  return found;
}

char likely_delimiter(std::string_view line) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    const auto count = std::count(line.begin(), line.end(), candidate);
    if (count > most) {
      most = count;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

CsvReader::CsvReader(ByteSource source, CsvLimits limits, bool keep_carriage_returns)
    : source_(std::move(source)),
      limits_(limits),
      keep_carriage_returns_(keep_carriage_returns),
      buffer_(chunk_bytes + step_bytes) {}

Result<std::vector<std::string>> CsvReader::head() {
  if (auto filled = fill(); !filled) return pass_on(filled);
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  const std::string_view start(buffer_.data(), filled_);
  if (start.empty()) return fail(ErrorCode::invalid_input, "the file is empty: the first line must name the columns");
  if (start.starts_with(mark)) {
    dialect_.byte_order_mark = mark;
    begin_ = mark.size();
  }
  const auto line_end = start.find('\n');
  const std::string_view line = start.substr(0, line_end);
  if (line.find('\0') != std::string_view::npos)
    return fail(ErrorCode::invalid_input, "row 1 holds zero bytes: this is no delimited text in UTF-8 or a code page");
  dialect_.delimiter = likely_delimiter(line);
  dialect_.crlf = !keep_carriage_returns_ && line_end != std::string_view::npos && line.ends_with('\r');
  restart(begin_);
  std::vector<std::string_view> fields;
  const auto answer = next(fields);
  if (!answer) return pass_on(answer);
  if (*answer != Answer::record) return fail(ErrorCode::invalid_input, "there is no first line that names the columns");
  return std::vector<std::string>(fields.begin(), fields.end());
}

Result<CsvReader::Answer> CsvReader::next(std::vector<std::string_view>& fields) {
  for (;;) {
    const std::size_t record_begin = begin_;
    switch (split(fields)) {
      case Split::refused:
        return Failure(refusal_);
      case Split::more_bytes:
        begin_ = record_begin;
        if (auto filled = fill(); !filled) return pass_on(filled);
        restart(begin_);
        continue;
      case Split::done:
        break;
    }
    if (fields.empty()) return Answer::end;
    ++row_;
    if (dialect_.crlf && dialect_.last_line_ends) {
      if (!fields.back().ends_with('\r')) return Answer::mixed_line_ends;
      fields.back().remove_suffix(1);
    }
    return Answer::record;
  }
}

inline bool CsvReader::end_field(std::vector<std::string_view>& fields, std::size_t& start, std::size_t end) {
  if (end - start > limits_.field_bytes_max || fields.size() == limits_.fields_max) [[unlikely]] {
    refuse_field(fields.size(), end - start);
    return false;
  }
  fields.emplace_back(buffer_.data() + start, end - start);
  start = end + 1;
  return true;
}

void CsvReader::refuse_field(std::size_t before, std::size_t length) {
  if (length > limits_.field_bytes_max)
    refuse(ErrorCode::limit_reached, "field " + std::to_string(before + 1) + " is longer than " +
                                         std::to_string(limits_.field_bytes_max) + " bytes");
  else
    refuse(ErrorCode::limit_reached, "there are more than " + std::to_string(limits_.fields_max) + " fields");
}

// The position of the next delimiter, line feed or quote, or `filled_`.
inline std::size_t CsvReader::next_mark() {
  while (marks_ == 0) {
    if (marks_from_ + step_bytes >= filled_) return filled_;
    marks_from_ += step_bytes;
    marks_ = marks_at(marks_from_);
  }
  const std::size_t at = marks_from_ + static_cast<std::size_t>(std::countr_zero(marks_));
  marks_ &= marks_ - 1;
  return at;
}

// A record that reaches the end of the buffer is split again when more bytes are there: that happens once per chunk.
CsvReader::Split CsvReader::split(std::vector<std::string_view>& fields) {
  fields.clear();
  std::size_t start = begin_;
  if (start == filled_ && source_at_end_) return Split::done;
  for (;;) {
    std::size_t at = next_mark();
    if (at < filled_ && buffer_[at] == '"') {
      if (at != start) continue;
      const Split quoted = quoted_end(at);
      if (quoted != Split::done) return quoted;
    }
    if (at >= filled_) {
      if (!source_at_end_) return Split::more_bytes;
      if (!end_field(fields, start, filled_)) return Split::refused;
      dialect_.last_line_ends = false;
      begin_ = filled_;
      return Split::done;
    }
    const bool line_end = buffer_[at] == '\n';
    if (!end_field(fields, start, at)) return Split::refused;
    if (line_end) {
      begin_ = at + 1;
      return Split::done;
    }
  }
}

// From the opening quote at `at` to the delimiter, line end or end of bytes behind the closing one.
CsvReader::Split CsvReader::quoted_end(std::size_t& at) {
  for (;;) {
    std::size_t closing = next_mark();
    while (closing < filled_ && buffer_[closing] != '"') closing = next_mark();
    if (closing >= filled_) {
      if (!source_at_end_) return Split::more_bytes;
      return refuse(ErrorCode::invalid_input, "a quote is opened and not closed");
    }
    if (closing + 1 >= filled_ && !source_at_end_) return Split::more_bytes;
    if (closing + 1 < filled_ && buffer_[closing + 1] == '"') {
      next_mark();
      continue;
    }
    std::size_t after = closing + 1;
    if (dialect_.crlf && after < filled_ && buffer_[after] == '\r') {
      ++after;
      if (after >= filled_ && !source_at_end_) return Split::more_bytes;
    }
    if (after < filled_ && buffer_[after] != dialect_.delimiter && buffer_[after] != '\n') {
      if (buffer_[after] != '\r' || dialect_.crlf)
        return refuse(ErrorCode::invalid_input, "text goes on after a closing quote");
      // A carriage return that is kept: up to the line end it belongs to.
      if (after + 1 >= filled_ && !source_at_end_) return Split::more_bytes;
      if (after + 1 < filled_ && buffer_[after + 1] != '\n')
        return refuse(ErrorCode::invalid_input, "text goes on after a closing quote");
    }
    at = next_mark();  // the delimiter or line end just seen, or the end
    return Split::done;
  }
}

std::uint64_t CsvReader::marks_at(std::size_t position) const {
  std::uint64_t marks = find_letters(buffer_.data() + position, dialect_.delimiter, '\n', '"');
  if (filled_ - position < step_bytes) marks &= (std::uint64_t{1} << (filled_ - position)) - 1;
  return marks;
}

void CsvReader::restart(std::size_t position) {
  marks_from_ = position;
  marks_ = position < filled_ ? marks_at(position) : 0;
}

// Moves the record at hand to the front and reads on behind it.
Result<void> CsvReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
    filled_ -= begin_;
    begin_ = 0;
  }
  if (filled_ + step_bytes >= buffer_.size()) {
    if (filled_ > limits_.record_bytes_max) {
      refuse(ErrorCode::limit_reached, "the row is longer than " + std::to_string(limits_.record_bytes_max) + " bytes");
      return Failure(refusal_);
    }
    buffer_.resize(buffer_.size() * 2);
  }
  while (filled_ + step_bytes < buffer_.size() && !source_at_end_) {
    const auto got = source_(std::span(buffer_).subspan(filled_, buffer_.size() - step_bytes - filled_));
    if (!got) return pass_on(got);
    source_at_end_ = *got == 0;
    filled_ += *got;
    bytes_ += *got;
  }
  return {};
}

CsvReader::Split CsvReader::refuse(ErrorCode code, std::string what) {
  refusal_ = Error(code, "row " + std::to_string(row_ + 1) + ": " + std::move(what));
  return Split::refused;
}

}  // namespace millrace::columns
