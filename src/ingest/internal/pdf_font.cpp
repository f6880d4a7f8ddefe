#include "ingest/internal/pdf_font.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace millrace::ingest {
namespace {

constexpr std::size_t ranges_max = 100'000;
constexpr std::size_t map_bytes_max = 4u << 20;

// WinAnsiEncoding from 0x80; 0 where the code is no letter or readers disagree.
constexpr std::array<char16_t, 32> win_ansi_high{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                                 0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                                 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

char32_t win_ansi(std::uint32_t code) {
  if (code < 0x20 || code == 0x7F || code == 0xA0 || code == 0xAD || code > 0xFF) return 0;
  return code >= 0x80 && code < 0xA0 ? win_ansi_high[code - 0x80] : code;
}

// StandardEncoding, which holds where nothing is said, as far as it is plain ASCII.
char32_t standard_encoding(std::uint32_t code) {
  if (code == 0x27 || code == 0x60 || code < 0x20 || code > 0x7E) return 0;  // curly quotes there
  return code;
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0'; }

// The words of a ToUnicode map: <hex>, [, ], numbers and operators.
class MapWords {
 public:
  explicit MapWords(std::string_view text) : rest_(text) {}
  std::string_view next() {
    while (!rest_.empty() && (is_blank(rest_.front()) || rest_.front() == '%')) {
      rest_.remove_prefix(rest_.front() == '%' ? std::min(rest_.find_first_of("\r\n"), rest_.size()) : 1);
    }
    if (rest_.empty()) return {};
    std::size_t end = 1;
    if (rest_.front() == '<' && !rest_.starts_with("<<")) {
      end = std::min(rest_.find('>'), rest_.size() - 1) + 1;
    } else if (rest_.starts_with("<<") || rest_.starts_with(">>")) {
      end = 2;
    } else if (rest_.front() != '[' && rest_.front() != ']') {
      while (end < rest_.size() && !is_blank(rest_[end]) && std::string_view("<>[]/%").find(rest_[end]) == std::string_view::npos) ++end;
    }
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

 private:
  std::string_view rest_;
};

// "<0120>" -> 0x120 and 2 bytes; nothing when it is longer than `bytes_max` or no hexadecimal.
struct HexCode {
  std::uint32_t value = 0;
  std::size_t bytes = 0;
};
std::optional<HexCode> hex_code(std::string_view word) {
  if (word.size() < 4 || word.size() > 10 || word.front() != '<' || word.back() != '>' || word.size() % 2 != 0) return std::nullopt;
  HexCode code;
  const auto [end, error] = std::from_chars(word.data() + 1, word.data() + word.size() - 1, code.value, 16);
  if (error != std::errc() || end != word.data() + word.size() - 1) return std::nullopt;
  code.bytes = (word.size() - 2) / 2;
  return code;
}

// The one letter a map names as UTF-16; 0 when it names several or none.
char32_t letter_of(std::string_view word) {
  const auto code = hex_code(word);
  if (!code || code->bytes != 2) return 0;
  return code->value >= 0xD800 && code->value < 0xE000 ? 0 : code->value;
}

std::optional<double> number_of(QPDFObjectHandle object) {
  if (!object.isNumber()) return std::nullopt;
  const double value = object.getNumericValue();
  if (!std::isfinite(value) || std::abs(value) > 1e6) return std::nullopt;
  return value;
}

// Poppler's rule for unlikely values: they are not believed.
double believed(double thousandths, double otherwise) {
  const double value = std::abs(thousandths) / 1000;
  return value == 0 || value > 1.9 ? otherwise : value;
}

}  // namespace

std::optional<LetterMap> LetterMap::parse(std::string_view text, std::size_t code_bytes) {
  LetterMap map;
  MapWords words(text);
  for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
    if (word == "usecmap" || word == "begincidrange" || word == "begincidchar") return std::nullopt;
    const bool range = word == "beginbfrange";
    if (!range && word != "beginbfchar") continue;
    const std::string_view end = range ? "endbfrange" : "endbfchar";
    for (word = words.next(); word != end; word = words.next()) {
      const auto first = hex_code(word);
      const auto last = range ? hex_code(words.next()) : first;
      if (!first || !last || first->bytes != code_bytes || last->bytes != code_bytes || last->value < first->value) return std::nullopt;
      std::string_view target = words.next();
      if (target == "[") {
        for (std::uint32_t code = first->value; code <= last->value; ++code) {
          target = words.next();
          if (target.empty() || target == "]" || map.ranges_.size() >= ranges_max) return std::nullopt;
          map.ranges_.push_back({code, code, letter_of(target)});
        }
        if (words.next() != "]") return std::nullopt;
      } else {
        if (target.empty() || target.front() != '<' || map.ranges_.size() >= ranges_max) return std::nullopt;
        map.ranges_.push_back({first->value, last->value, letter_of(target)});
      }
    }
  }
  std::stable_sort(map.ranges_.begin(), map.ranges_.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < map.ranges_.size(); ++i) {
    if (map.ranges_[i].first <= map.ranges_[i - 1].last) return std::nullopt;  // two letters for one code
  }
  return map;
}

char32_t LetterMap::letter(std::uint32_t code) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), code, [](std::uint32_t c, const Range& range) { return c < range.first; });
  if (after == ranges_.begin()) return 0;
  const Range& range = *std::prev(after);
  return code > range.last || range.letter == 0 ? 0 : range.letter + (code - range.first);
}

std::optional<PdfFont> PdfFont::read(QPDFObjectHandle font) {
  if (!font.isDictionary()) return std::nullopt;
  QPDFObjectHandle kind = font.getKey("/Subtype");
  PdfFont result;
  QPDFObjectHandle map = font.getKey("/ToUnicode");
  result.code_bytes_ = kind.isNameAndEquals("/Type0") ? 2 : 1;
  if (map.isStream()) {
    QPDFObjectHandle stream = map;
    const auto data = stream.getStreamData(qpdf_dl_generalized);
    if (data->getSize() > map_bytes_max) return std::nullopt;
    result.letters_ = LetterMap::parse({reinterpret_cast<const char*>(data->getBuffer()), data->getSize()}, result.code_bytes_);
    if (!result.letters_) return std::nullopt;
  } else if (!map.isNull()) {
    return std::nullopt;
  }
  const bool simple = kind.isNameAndEquals("/Type1") || kind.isNameAndEquals("/TrueType");
  const bool read = simple ? result.read_simple(font) : kind.isNameAndEquals("/Type0") && result.read_composite(font);
  if (!read) return std::nullopt;
  return result;
}

bool PdfFont::read_simple(QPDFObjectHandle font) {
  const std::string name = font.getKey("/BaseFont").isName() ? font.getKey("/BaseFont").getName().substr(1) : "";
  const StandardFont* const standard = standard_font(name);
  if (standard != nullptr) {
    ascent_ = standard->ascent;
    descent_ = standard->descent;
  }
  QPDFObjectHandle descriptor = font.getKey("/FontDescriptor");
  if (standard == nullptr && !descriptor.isDictionary()) return false;
  if (descriptor.isDictionary() && !read_line(descriptor)) return false;
  if (!read_letters(font, standard)) return false;
  QPDFObjectHandle widths = font.getKey("/Widths");
  if (!widths.isArray()) {
    if (standard == nullptr) return false;
    for (std::size_t code = 0x20; code < 0x100; ++code) {
      simple_[code].width = standard->widths[code - 0x20] / 1000.0;
      has_width_[code] = true;
    }
    return true;
  }
  const auto first = number_of(font.getKey("/FirstChar"));
  if (!first || *first < 0 || *first > 255) return false;
  const int count = widths.getArrayNItems();
  for (int i = 0; i < count && static_cast<std::size_t>(*first) + static_cast<std::size_t>(i) < 256; ++i) {
    const auto width = number_of(widths.getArrayItem(i));
    if (!width) return false;
    const std::size_t code = static_cast<std::size_t>(*first) + static_cast<std::size_t>(i);
    simple_[code].width = *width / 1000;
    has_width_[code] = true;
  }
  return true;
}

// A ToUnicode map wins; else the encoding must be one that is known by heart.
bool PdfFont::read_letters(QPDFObjectHandle font, const StandardFont* standard) {
  QPDFObjectHandle encoding = font.getKey("/Encoding");
  const bool win = encoding.isNameAndEquals("/WinAnsiEncoding");
  const bool none = encoding.isNull() && standard != nullptr;
  if (!letters_ && !win && !none) return false;
  for (std::uint32_t code = 0; code < 256; ++code) {
    simple_[code].letter = letters_ ? letters_->letter(code) : win ? win_ansi(code) : standard_encoding(code);
  }
  return true;
}

bool PdfFont::read_composite(QPDFObjectHandle font) {
  if (!letters_ || !font.getKey("/Encoding").isNameAndEquals("/Identity-H")) return false;
  QPDFObjectHandle below = font.getKey("/DescendantFonts");
  if (!below.isArray() || below.getArrayNItems() != 1) return false;
  QPDFObjectHandle descendant = below.getArrayItem(0);
  if (!descendant.isDictionary()) return false;
  QPDFObjectHandle kind = descendant.getKey("/Subtype");
  if (!kind.isNameAndEquals("/CIDFontType2") && !kind.isNameAndEquals("/CIDFontType0")) return false;
  if (!descendant.getKey("/FontDescriptor").isDictionary() || !read_line(descendant.getKey("/FontDescriptor"))) return false;
  if (QPDFObjectHandle width = descendant.getKey("/DW"); !width.isNull()) {
    const auto value = number_of(width);
    if (!value) return false;
    wide_width_default_ = *value / 1000;
  }
  QPDFObjectHandle widths = descendant.getKey("/W");
  return widths.isNull() || read_wide_widths(widths);
}

//   first [width ...]   or   first last width
bool PdfFont::read_wide_widths(QPDFObjectHandle list) {
  if (!list.isArray()) return false;
  const auto items = list.getArrayAsVector();
  for (std::size_t i = 0; i + 1 < items.size();) {
    const auto first = number_of(items[i]);
    if (!first || *first < 0 || *first > 0xFFFF || wide_widths_.size() >= ranges_max) return false;
    WidthRange range;
    range.first = static_cast<std::uint32_t>(*first);
    if (QPDFObjectHandle widths = items[i + 1]; widths.isArray()) {
      for (QPDFObjectHandle& item : widths.getArrayAsVector()) {
        const auto width = number_of(item);
        if (!width) return false;
        range.each.push_back(*width / 1000);
      }
      if (range.each.empty()) return false;
      range.last = range.first + static_cast<std::uint32_t>(range.each.size()) - 1;
      i += 2;
    } else {
      const auto last = number_of(items[i + 1]);
      const auto width = i + 2 < items.size() ? number_of(items[i + 2]) : std::nullopt;
      if (!last || !width || *last < *first || *last > 0xFFFF) return false;
      range.last = static_cast<std::uint32_t>(*last);
      range.each.push_back(*width / 1000);
      i += 3;
    }
    wide_widths_.push_back(std::move(range));
  }
  std::stable_sort(wide_widths_.begin(), wide_widths_.end(), [](const WidthRange& a, const WidthRange& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < wide_widths_.size(); ++i) {
    if (wide_widths_[i].first <= wide_widths_[i - 1].last) return false;
  }
  return true;
}

bool PdfFont::read_line(QPDFObjectHandle descriptor) {
  const bool known = ascent_ > 0;  // a standard font is known without it
  const auto ascent = number_of(descriptor.getKey("/Ascent"));
  const auto descent = number_of(descriptor.getKey("/Descent"));
  if (!known && (!ascent || !descent)) return false;
  ascent_ = believed(ascent.value_or(0), known ? ascent_ : 0.95);
  descent_ = -believed(descent.value_or(0), known ? -descent_ : 0.35);
  return true;
}

std::optional<PdfGlyph> PdfFont::glyph(std::uint32_t code) const {
  if (code_bytes_ == 1) {
    const PdfGlyph& glyph = simple_[code & 0xFF];
    if (glyph.letter == 0 || !has_width_[code & 0xFF]) return std::nullopt;
    return glyph;
  }
  PdfGlyph glyph{letters_->letter(code), wide_width_default_};
  if (glyph.letter == 0) return std::nullopt;
  const auto after = std::upper_bound(wide_widths_.begin(), wide_widths_.end(), code, [](std::uint32_t c, const WidthRange& range) { return c < range.first; });
  if (after == wide_widths_.begin()) return glyph;
  const WidthRange& range = *std::prev(after);
  if (code <= range.last) glyph.width = range.each.size() == 1 ? range.each.front() : range.each[code - range.first];
  return glyph;
}

}  // namespace millrace::ingest
