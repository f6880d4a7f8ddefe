// Appends JSON to a string. Commas and escapes are its business; nesting is the caller's.
//
// Invariants
//   * Text that is not valid UTF-8 is written as `printable` shows it, so the document is always valid.
//   * Numbers are integers; there is no double in our answers except ratios, given with their digits.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& ratio(double value, int digits);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // Already valid JSON.
  JsonWriter& raw(std::string_view json);

  JsonWriter& field(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, const char* value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, std::int64_t value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, std::uint64_t value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, int value) { return key(name).number(std::int64_t{value}); }
  JsonWriter& field(std::string_view name, unsigned value) { return key(name).number(std::uint64_t{value}); }
  JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& out_;
  bool comma_ = false;  // the next value needs a comma before it
};

// `value` as a JSON string with its quotes.
void append_json_text(std::string& out, std::string_view value);

// The same for writers that make room once for many values: writes at `to`, where at least `json_text_room(value)` bytes
// are free, and answers where the text ends.
char* put_json_text(char* to, std::string_view value);
constexpr std::size_t json_text_room(std::string_view value) { return 6 * value.size() + 2; }

// Lets `write(char* to) -> char* end` write up to `room` bytes behind what `out` holds.
template <class Write>
void append_in_place(std::string& out, std::size_t room, Write write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
    return static_cast<std::size_t>(write(data + before) - data);
  });
}

}  // namespace millrace
