// The words a page's content stream shows, placed as poppler places them.
//
// Invariants
//   * Answers false for anything out of the ordinary - rotated or invisible text, forms, marked replacements, codes
//     without a letter: whoever asks then lets pdftotext read the page.
//   * Words end at blanks, at gaps over a tenth of the letter size, and where the size or the line changes.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/internal/pdf_font.h"
#include "ingest/internal/pdf_page.h"

namespace millrace::ingest {

// Words whose texts lie in one piece.
struct PdfWords {
  std::vector<PdfWord> words;
  std::vector<char> letters;        // of all words, one behind the other
  std::vector<std::size_t> begins;  // of each word in them
  void finish();                    // gives the words their texts, when all letters are there
};

struct PdfBox {
  double left = 0;
  double bottom = 0;
  double right = 0;
  double top = 0;
};

class PdfFonts {
 public:
  virtual ~PdfFonts() = default;
  // nullptr when there is no such font, or it cannot be read.
  virtual const PdfFont* font(std::string_view resource) = 0;
  // True when showing the resource cannot change the text: an image, a graphics state without a font.
  virtual bool is_harmless(std::string_view kind, std::string_view resource) = 0;
};

// Appends the words of one page.
class PdfContent {
 public:
  PdfContent(PdfFonts& fonts, PdfBox page, int page_number, PdfWords& into) : fonts_(fonts), page_(page), page_number_(page_number), into_(into) {}
  bool read(std::string_view stream);

 private:
  struct Matrix {  // upright only: scale and shift
    double a = 1, d = 1, e = 0, f = 0;
  };
  struct State {
    Matrix page;
    const PdfFont* font = nullptr;
    double size = 0, letter_gap = 0, blank_gap = 0, stretch = 1, leading = 0;
  };
  struct Operand {
    enum class Kind : std::uint8_t { number, name, text, array_begin, array_end, other } kind = Kind::other;
    double number = 0;
    std::string_view bytes;   // of a name
    std::size_t text = 0;     // place in texts_
  };
  struct OpenWord {
    double left = 0, right = 0, last_left = 0, base = 0, size = 0;
    const PdfFont* font = nullptr;
    std::size_t letters = 0;  // where its letters begin
    bool open = false;
  };

  bool step();
  bool literal_text();
  bool hex_text();
  bool dictionary();
  bool operate(std::string_view name);
  bool operate_text(std::string_view name);
  bool operate_state(std::string_view name);
  bool numbers(std::size_t count, double* to) const;
  bool set_matrix(Matrix& matrix, bool times);
  bool show(std::string_view codes);
  bool show_array();
  bool show_letter(PdfGlyph glyph, double extra);
  void next_line(double x, double y);
  bool end_word();

  PdfFonts& fonts_;
  const PdfBox page_;
  const int page_number_;
  PdfWords& into_;
  std::string_view rest_;
  std::vector<Operand> operands_;
  std::vector<std::string> texts_;
  State state_;
  std::vector<State> saved_;
  Matrix text_, line_;
  bool in_text_ = false;
  OpenWord word_;
};

}  // namespace millrace::ingest
