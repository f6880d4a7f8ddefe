// Splits delimited text into records and fields, as bytes: a field is exactly what the file says, quotes included, so
// that writing the fields back gives the file.
//
// Invariants
//   * Outside bytes: every length and count is bounded, and what is refused is named with its row. Memory is bounded by
//     `record_bytes_max` whatever the file.
//   * A field that begins with a quote ends at its closing quote ("" inside is a quote); what stands between may be
//     delimiters and line ends. A quote elsewhere is a letter like others.
//   * Fields live until the next call.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::columns {

struct CsvLimits {
  std::size_t field_bytes_max = 1 << 20;
  std::size_t record_bytes_max = 4 << 20;
  std::size_t fields_max = 1024;
};

// How the fields of a file are put together.
struct CsvDialect {
  std::string byte_order_mark;  // as found, mostly ""
  char delimiter = ',';         // , ; tab or |, the most frequent one of the first record
  bool crlf = false;            // every record ends in CR LF
  bool last_line_ends = true;   // the last record has its line end
  bool operator==(const CsvDialect&) const = default;
};

// Fills the buffer from the start; fewer bytes than asked for only at the end, 0 when nothing is left.
using ByteSource = std::function<Result<std::size_t>(std::span<char>)>;

class CsvReader {
 public:
  enum class Answer : std::uint8_t {
    record,
    end,
    mixed_line_ends,  // this record lacks the CR of the others: read again with keep_carriage_returns
  };

  // `keep_carriage_returns`: CR is a letter like others, records end in LF.
  CsvReader(ByteSource source, CsvLimits limits, bool keep_carriage_returns = false);

  // The first record, which says the dialect.
  // Errors   invalid_input  nothing there, or no text
  //          what the source says
  Result<std::vector<std::string>> head();
  // Errors   invalid_input  quotes that are not closed or go on after closing; the text names the row
  //          limit_reached  a field, a record or their number is too large
  Result<Answer> next(std::vector<std::string_view>& fields);

  const CsvDialect& dialect() const { return dialect_; }  // last_line_ends is known at the end
  std::uint64_t row() const { return row_; }              // of the last record, 1 is the head
  std::uint64_t bytes() const { return bytes_; }          // read so far

 private:
  // The fields of one record, or what stopped it.
  enum class Split : std::uint8_t { done, more_bytes, refused };

  Split split(std::vector<std::string_view>& fields);
  Split quoted_end(std::size_t& at);
  bool end_field(std::vector<std::string_view>& fields, std::size_t& start, std::size_t end);
  void refuse_field(std::size_t before, std::size_t length);
  std::size_t next_mark();
  std::uint64_t marks_at(std::size_t position) const;
  void restart(std::size_t position);
  Result<void> fill();
  Split refuse(ErrorCode code, std::string what);

  ByteSource source_;
  CsvLimits limits_;
  bool keep_carriage_returns_;
  CsvDialect dialect_;
  std::vector<char> buffer_;  // with room behind `filled_` for reading 64 bytes at a time
  std::size_t begin_ = 0;     // of the record at hand
  std::size_t filled_ = 0;
  bool source_at_end_ = false;
  std::size_t marks_from_ = 0;  // the 64 bytes whose marks are in marks_
  std::uint64_t marks_ = 0;     // delimiters, line feeds and quotes not looked at yet
  std::uint64_t row_ = 0;
  std::uint64_t bytes_ = 0;
  Error refusal_{ErrorCode::internal, ""};
};

}  // namespace millrace::columns
