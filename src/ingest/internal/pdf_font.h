// Fonts of a PDF as far as reading needs them: which letter a code is, and how wide.
//
// Invariants
//   * Only what is beyond doubt: a code whose letter or width would have to be guessed has no glyph.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ingest/internal/qpdf.h"

namespace millrace::ingest {

struct StandardFont {
  std::string_view name;
  double ascent;
  double descent;
  const std::array<std::uint16_t, 224>& widths;  // codes 32 to 255 of WinAnsiEncoding
};
// One of the fonts that need no description; nullptr when the name is none of them.
const StandardFont* standard_font(std::string_view name);

// Letters of codes, from a ToUnicode map.
class LetterMap {
 public:
  // Nothing when the map is out of the ordinary, or its codes are not `code_bytes` wide.
  static std::optional<LetterMap> parse(std::string_view text, std::size_t code_bytes);
  char32_t letter(std::uint32_t code) const;  // 0: none, or more than one letter

 private:
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    char32_t letter = 0;  // of the first
  };
  std::vector<Range> ranges_;  // by first, not overlapping
};

struct PdfGlyph {
  char32_t letter = 0;
  double width = 0;  // of a font of size 1
};

class PdfFont {
 public:
  // Nothing when the font is out of the ordinary.
  static std::optional<PdfFont> read(QPDFObjectHandle font);

  std::size_t code_bytes() const { return code_bytes_; }
  double ascent() const { return ascent_; }    // of a font of size 1
  double descent() const { return descent_; }  // negative
  std::optional<PdfGlyph> glyph(std::uint32_t code) const;

 private:
  struct WidthRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::vector<double> each;  // or one for all
  };
  bool read_simple(QPDFObjectHandle font);
  bool read_composite(QPDFObjectHandle font);
  bool read_letters(QPDFObjectHandle font, const StandardFont* standard);
  bool read_wide_widths(QPDFObjectHandle list);
  bool read_line(QPDFObjectHandle descriptor);

  std::size_t code_bytes_ = 1;
  double ascent_ = 0;
  double descent_ = 0;
  std::array<PdfGlyph, 256> simple_{};
  std::array<bool, 256> has_width_{};
  std::optional<LetterMap> letters_;
  std::vector<WidthRange> wide_widths_;
  double wide_width_default_ = 1;
};

}  // namespace millrace::ingest
