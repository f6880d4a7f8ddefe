#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace millrace {
namespace {

// Code point of one valid UTF-8 sequence at `at`; advances. 0xFFFFFFFF when the bytes are not valid there.
constexpr char32_t invalid = 0xFFFFFFFF;

char32_t decode_one(std::string_view bytes, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::uint8_t first = byte(at);
  if (first < 0x80) {
    ++at;
    return first;
  }
  std::size_t length = 0;
  char32_t value = 0, smallest = 0;
  if ((first & 0xE0) == 0xC0) {
    length = 2, value = first & 0x1F, smallest = 0x80;
  } else if ((first & 0xF0) == 0xE0) {
    length = 3, value = first & 0x0F, smallest = 0x800;
  } else if ((first & 0xF8) == 0xF0) {
    length = 4, value = first & 0x07, smallest = 0x10000;
  } else {
    return invalid;
  }
  if (at + length > bytes.size()) return invalid;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return invalid;
    value = (value << 6) | (byte(at + i) & 0x3F);
  }
  if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return invalid;
  at += length;
  return value;
}

// How many bytes at the front are ASCII, eight at a time.
std::size_t ascii_prefix(std::string_view bytes) {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes.data() + at, 8);
    if ((eight & high_bits) != 0) break;
  }
  while (at < bytes.size() && static_cast<std::uint8_t>(bytes[at]) < 0x80) ++at;
  return at;
}

// Blanks that documents put around values: ASCII, no-break space, thin and narrow spaces, BOM.
constexpr std::array<std::string_view, 4> wide_blanks{"\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xAF", "\xEF\xBB\xBF"};

std::size_t blank_at_front(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<std::uint8_t>(text.front());
  if (first <= 0x20) return 1;
  if (first < 0x80) return 0;  // nearly every text: every value of every document comes by here
  for (const std::string_view blank : wide_blanks)
    if (text.starts_with(blank)) return blank.size();
  return 0;
}

std::size_t blank_at_back(std::string_view text) {
  if (text.empty()) return 0;
  const auto last = static_cast<std::uint8_t>(text.back());
  if (last <= 0x20) return 1;
  if (last < 0x80) return 0;
  for (const std::string_view blank : wide_blanks)
    if (text.ends_with(blank)) return blank.size();
  return 0;
}

// Latin-1 letters from U+00C0 without their accents; "" keeps the letter.
constexpr std::array<std::string_view, 64> latin1_folds{
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o",
    "o", "",  "o", "u", "u", "u", "u",  "y", "th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e",
    "i", "i", "i", "i", "d", "n", "o",  "o", "o", "o", "o", "",  "o", "u", "u", "u", "u", "y", "th", "y"};

// Latin Extended-A, U+0100..U+017F: the plain letter of each.
constexpr std::string_view latin_a_folds =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

void append_folded(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c));
  } else if (c >= 0xC0 && c <= 0xFF && !latin1_folds[c - 0xC0].empty()) {
    out.append(latin1_folds[c - 0xC0]);
  } else if (c >= 0x100 && c < 0x100 + latin_a_folds.size()) {
    out.push_back(latin_a_folds[c - 0x100]);
  } else if (c >= 0x300 && c <= 0x36F) {
    // a combining accent: the letter before it stands alone
  } else if (c >= 0x391 && c <= 0x3A9) {
    append_utf8(out, c + 32);
  } else if (c >= 0x410 && c <= 0x42F) {
    append_utf8(out, c + 32);
  } else if (c >= 0x400 && c <= 0x40F) {
    append_utf8(out, c + 80);
  } else {
    append_utf8(out, c);
  }
}

std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit) {
  if (left.size() > right.size() + limit || right.size() > left.size() + limit) return limit + 1;
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t substituted = diagonal + (left[i - 1] != right[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (const std::size_t n = blank_at_front(text)) text.remove_prefix(n);
  while (const std::size_t n = blank_at_back(text)) text.remove_suffix(n);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) {
           const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
           return lower(a) == lower(b);
         });
}

bool is_valid_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    at += ascii_prefix(bytes.substr(at));
    if (at < bytes.size() && decode_one(bytes, at) == invalid) return false;
  }
  return true;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (c >> 18)));
    out.push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

std::string utf8_from_cp1252(std::string_view bytes) {
  // 0x80..0x9F of Windows-1252; the five undefined bytes map to their C1 control, as the WHATWG table does.
  static constexpr std::array<char16_t, 32> high{
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char raw : bytes) {
    const auto byte = static_cast<std::uint8_t>(raw);
    append_utf8(out, byte >= 0x80 && byte < 0xA0 ? high[byte - 0x80] : byte);
  }
  return out;
}

std::string search_fold(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t c = decode_one(utf8, at);
    if (c == invalid) {
      out.push_back(utf8[at++]);
    } else {
      append_folded(out, c);
    }
  }
  return out;
}

std::string printable(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t first = at;
    const char32_t c = decode_one(bytes, at);
    // Control characters and the marks that turn the writing direction would make a name read as another one.
    const bool hidden = c == invalid || c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
                        (c >= 0x2066 && c <= 0x2069);
    if (c == invalid) at = first + 1;
    for (std::size_t i = first; i < at; ++i) {
      if (hidden) {
        const auto byte = static_cast<std::uint8_t>(bytes[i]);
        out += "\\x";
        out += digits[byte >> 4];
        out += digits[byte & 15];
      } else {
        out += bytes[i];
      }
    }
  }
  return out;
}

bool natural_less(std::string_view left, std::string_view right) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  while (i < left.size() && j < right.size()) {
    if (is_digit(left[i]) && is_digit(right[j])) {
      std::size_t a = i, b = j;
      while (a < left.size() && left[a] == '0') ++a;
      while (b < right.size() && right[b] == '0') ++b;
      std::size_t ae = a, be = b;
      while (ae < left.size() && is_digit(left[ae])) ++ae;
      while (be < right.size() && is_digit(right[be])) ++be;
      if (ae - a != be - b) return ae - a < be - b;
      if (const int order = left.substr(a, ae - a).compare(right.substr(b, be - b))) return order < 0;
      i = ae, j = be;
    } else {
      if (left[i] != right[j]) return static_cast<std::uint8_t>(left[i]) < static_cast<std::uint8_t>(right[j]);
      ++i, ++j;
    }
  }
  const bool left_done = i == left.size(), right_done = j == right.size();
  if (left_done != right_done) return left_done;
  return left < right;  // they differ in leading zeros only
}

std::string_view closest(std::string_view word, std::span<const std::string_view> words) {
  // Two letters of three are another word.
  const std::size_t limit = word.size() <= 3 ? 1 : std::max<std::size_t>(2, word.size() / 3);
  const std::string lower = lower_ascii(word.substr(0, 64));
  std::string_view best;
  std::size_t best_distance = limit + 1;
  for (const std::string_view candidate : words) {
    const std::size_t distance = edit_distance(lower, lower_ascii(candidate), limit);
    if (distance < best_distance && distance < candidate.size()) best = candidate, best_distance = distance;
  }
  return best;
}

}  // namespace millrace
