// Logins: letters of one alphabet in their composed form, lower case.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "people/people.h"

namespace millrace::people {
namespace {

constexpr std::size_t letters_max = 64;

// What a letter and a mark behind it make, as Unicode composes them (NFC) in Latin-1, Latin Extended-A and Cyrillic. A
// Mac writes u and two dots where others write one letter; both are one login.
struct Composition {
  char32_t mark;
  std::u32string_view letters;   // without the mark
  std::u32string_view composed;  // with it, in the same order
};
constexpr std::array compositions = std::to_array<Composition>({
    {0x300, U"aeiou\u0435\u0438", U"\u00E0\u00E8\u00EC\u00F2\u00F9\u0450\u045D"},
    {0x301, U"aeiouyclnrsz\u0433\u043A", U"\u00E1\u00E9\u00ED\u00F3\u00FA\u00FD\u0107\u013A\u0144\u0155\u015B\u017A\u0453\u045C"},
    {0x302, U"aeioucghjswy", U"\u00E2\u00EA\u00EE\u00F4\u00FB\u0109\u011D\u0125\u0135\u015D\u0175\u0177"},
    {0x303, U"anoiu", U"\u00E3\u00F1\u00F5\u0129\u0169"},
    {0x304, U"aeiou", U"\u0101\u0113\u012B\u014D\u016B"},
    {0x306, U"aegiou\u0438\u0443", U"\u0103\u0115\u011F\u012D\u014F\u016D\u0439\u045E"},
    {0x307, U"cegz", U"\u010B\u0117\u0121\u017C"},
    {0x308, U"aeiouy\u0435\u0456", U"\u00E4\u00EB\u00EF\u00F6\u00FC\u00FF\u0451\u0457"},
    {0x30A, U"au", U"\u00E5\u016F"},
    {0x30B, U"ou", U"\u0151\u0171"},
    {0x30C, U"cdenrstzl", U"\u010D\u010F\u011B\u0148\u0159\u0161\u0165\u017E\u013E"},
    {0x327, U"cgklnrst", U"\u00E7\u0123\u0137\u013C\u0146\u0157\u015F\u0163"},
    {0x328, U"aeiu", U"\u0105\u0119\u012F\u0173"},
});

// Valid UTF-8 only.
std::u32string code_points(std::string_view utf8) {
  std::u32string points;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto first = static_cast<std::uint8_t>(utf8[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? first : first & (0xFF >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) point = (point << 6) | (static_cast<std::uint8_t>(utf8[at + i]) & 0x3F);
    points.push_back(point);
    at += length;
  }
  return points;
}

char32_t lower(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xFF;
  const bool odd_is_lower = (c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177);
  if (odd_is_lower && c % 2 == 0) return c + 1;
  const bool even_is_lower = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if (even_is_lower && c % 2 == 1) return c + 1;
  if (c >= 0x391 && c <= 0x3A9) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

std::optional<char32_t> composed(char32_t letter, char32_t mark) {
  const auto row = std::ranges::find(compositions, mark, &Composition::mark);
  if (row == compositions.end()) return std::nullopt;
  const auto at = row->letters.find(letter);
  return at == std::u32string_view::npos ? std::nullopt : std::optional(row->composed[at]);
}

enum class Alphabet : std::uint8_t { none, any, latin, greek, cyrillic };
Alphabet alphabet_of(char32_t c) {
  if ((c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '@' || c == '+') return Alphabet::any;
  if (c >= 'a' && c <= 'z') return Alphabet::latin;
  if (c >= 0xDF && c <= 0x17F && c != 0xF7) return Alphabet::latin;
  if (c >= 0x3AC && c <= 0x3CE) return Alphabet::greek;
  if (c >= 0x430 && c <= 0x45F) return Alphabet::cyrillic;
  return Alphabet::none;
}

Failure refused(std::string_view typed, const std::string& why) {
  return fail(ErrorCode::invalid_input, "\"" + printable(typed.substr(0, 80)) + "\" cannot be a login: " + why);
}

}  // namespace

Result<std::string> login_name(std::string_view typed) {
  const std::string_view trimmed = trim(typed);
  if (trimmed.empty()) return fail(ErrorCode::invalid_input, "a login is missing; give a name such as anna or anna@example.com");
  if (trimmed.size() > 4 * letters_max || !is_valid_utf8(trimmed)) return refused(trimmed, "it is over 64 letters or no UTF-8");
  std::u32string letters;
  for (const char32_t point : code_points(trimmed)) {
    if (point >= 0x300 && point < 0x370 && !letters.empty()) {
      if (const auto made = composed(letters.back(), point)) {
        letters.back() = *made;
        continue;
      }
    }
    letters.push_back(lower(point));
  }
  if (letters.size() > letters_max) return refused(trimmed, "it is over 64 letters");
  Alphabet used = Alphabet::any;
  std::string name;
  for (const char32_t letter : letters) {
    const Alphabet alphabet = alphabet_of(letter);
    if (alphabet == Alphabet::none) return refused(trimmed, "use letters, digits and . _ - @ + only");
    if (alphabet != Alphabet::any) {
      if (used != Alphabet::any && used != alphabet) return refused(trimmed, "its letters come from two alphabets; use one");
      used = alphabet;
    }
    append_utf8(name, letter);
  }
  return name;
}

}  // namespace millrace::people
