// Delimited text: decoding, records, and which delimiter, decimal mark and date order a file uses.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/values.h"

namespace millrace::ingest {

// UTF-8 of the content: UTF-8 with or without BOM, UTF-16 with BOM, else Windows-1252.
// Errors   invalid_input  NUL bytes or half surrogates: binary, or UTF-16 without its mark
Result<std::string> decode_text(std::string_view content);

// Records of RFC 4180 with any delimiter and any line end. Fields live until the next call.
//
// A field is at most 1 MiB, a record at most 4,096 fields: beyond that `next` answers false, `damage` says why and
// `fields` holds what was read of the record before.
class RecordReader {
 public:
  RecordReader(std::string_view text, char delimiter) : rest_(text), delimiter_(delimiter) {}
  bool next(std::vector<std::string_view>& fields);
  std::uint32_t row() const { return row_; }         // of the record just read, 1-based
  const std::string& damage() const { return damage_; }  // why reading ended early, "" at the end of the text

 private:
  bool quoted_field(std::vector<std::string_view>& fields);
  void plain_field(std::vector<std::string_view>& fields);
  bool end_of_record();

  std::string_view rest_;
  char delimiter_;
  std::uint32_t row_ = 0;
  std::string damage_;
  std::deque<std::string> unescaped_;
};

// What the values of one column say about their writing.
class NumberVote {
 public:
  void hear(std::string_view text);
  bool comma() const { return comma_; }
  bool point() const { return point_; }
  bool undecided() const { return undecided_; }
  const std::string& sample() const { return sample_; }

 private:
  bool comma_ = false;
  bool point_ = false;
  bool undecided_ = false;  // "1,234" or "1.234" was seen
  std::string sample_;
};

class DateVote {
 public:
  void hear(std::string_view text);
  bool silent() const { return !heard_; }
  bool can_be(DateOrder order) const { return order == DateOrder::dmy ? dmy_ : mdy_; }
  bool matters() const { return matters_; }  // some value differs under the two orders
  bool dotted() const { return dotted_; }
  const std::string& sample() const { return sample_; }

 private:
  bool heard_ = false;
  bool dmy_ = true;
  bool mdy_ = true;
  bool matters_ = false;
  bool dotted_ = true;
  std::string sample_;
};

}  // namespace millrace::ingest
