// The pack on paper: A4 upright, as many pages as it needs.
//
//   title                                                company
//   sentence
//   figures in three columns
//   curve with its band
//   tables, each with its head repeated on every page
//   as of Sequence N, time                         page i of n
#include <hpdf.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "app/internal/pdf_document.h"
#include "app/report_pack.h"
#include "base/text.h"
#include "domain/money_text.h"

namespace millrace::app {
namespace {

constexpr float left = 40, right = 555, top = 800, bottom = 56;
constexpr float row_height = 12, text_size = 7.5F, text_size_min = 4.5F, pad = 3;
constexpr float curve_height = 150;

// Where Debian keeps a font with letters of all of Europe and beyond; without it the PDF has Western letters only.
constexpr std::array<const char*, 2> plain_fonts = {"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/dejavu/DejaVuSans.ttf"};
constexpr std::array<const char*, 2> bold_fonts = {"/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", "/usr/share/fonts/dejavu/DejaVuSans-Bold.ttf"};

struct Colour {
  float red, green, blue;
};
constexpr Colour ink{0.1F, 0.1F, 0.12F}, quiet{0.42F, 0.42F, 0.46F}, rule{0.8F, 0.8F, 0.82F}, band{0.86F, 0.9F, 0.96F}, line_colour{0.1F, 0.35F, 0.7F}, warn{0.75F, 0.15F, 0.1F};

std::string shown(const query::Cell& cell) {
  if (cell.text.empty()) return "";
  return cell.type == query::FieldType::money ? grouped_text({cell.number, cell.currency}) : cell.text;
}

class PaperWriter {
 public:
  PaperWriter(HPDF_Doc document, const Pack& pack) : document_(document), pack_(pack) {
    plain_ = font(plain_fonts, "Helvetica");
    bold_ = font(bold_fonts, "Helvetica-Bold");
  }

  void write() {
    new_page();
    put(left, y_, pack_.title, 15, bold_, ink);
    put_right(right, y_, pack_.company, 9, plain_, quiet);
    y_ -= 20;
    for (const std::string& line : wrapped(pack_.sentence, right - left, 9)) {
      put(left, y_, line, 9, plain_, ink);
      y_ -= 13;
    }
    y_ -= 6;
    write_figures();
    if (pack_.curve && pack_.curve->points.size() > 1) write_curve(*pack_.curve);
    for (const PackTable& table : pack_.tables) write_table(table);
    write_feet();
  }

 private:
  template <std::size_t N>
  HPDF_Font font(const std::array<const char*, N>& paths, const char* otherwise) {
    for (const char* path : paths) {
      std::error_code error;
      if (!std::filesystem::exists(path, error)) continue;
      if (const char* name = HPDF_LoadTTFontFromFile(document_, path, HPDF_TRUE)) {
        is_unicode_ = true;
        return HPDF_GetFont(document_, name, "UTF-8");
      }
    }
    return HPDF_GetFont(document_, otherwise, "WinAnsiEncoding");
  }

  // The library's own fonts know Windows-1252 only; a letter that is missing there is a box.
  std::string encoded(const std::string& text) const {
    if (is_unicode_) return text;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at + 1;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      out += internal::to_cp1252(std::string_view(text).substr(at, end - at)).value_or("\x7F");
      at = end;
    }
    return out;
  }

  void new_page() {
    page_ = HPDF_AddPage(document_);
    pages_.push_back(page_);
    HPDF_Page_SetSize(page_, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    y_ = top;
  }

  void fill(Colour colour) { HPDF_Page_SetRGBFill(page_, colour.red, colour.green, colour.blue); }
  void stroke(Colour colour, float width) {
    HPDF_Page_SetRGBStroke(page_, colour.red, colour.green, colour.blue);
    HPDF_Page_SetLineWidth(page_, width);
  }

  float width(const std::string& text, float size, HPDF_Font font) {
    HPDF_Page_SetFontAndSize(page_, font, size);
    return HPDF_Page_TextWidth(page_, encoded(text).c_str());
  }

  void put(float x, float y, const std::string& text, float size, HPDF_Font font, Colour colour) {
    if (text.empty()) return;
    HPDF_Page_BeginText(page_);
    fill(colour);
    HPDF_Page_SetFontAndSize(page_, font, size);
    HPDF_Page_TextOut(page_, x, y, encoded(text).c_str());
    HPDF_Page_EndText(page_);
  }
  void put_right(float x, float y, const std::string& text, float size, HPDF_Font font, Colour colour) { put(x - width(text, size, font), y, text, size, font, colour); }

  // As much of the text as fits; what is cut ends with three points.
  std::string fitted(std::string text, float room, float size, HPDF_Font font) {
    if (width(text, size, font) <= room) return text;
    while (!text.empty() && width(text + "...", size, font) > room) {
      do text.pop_back();
      while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80);
      if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
    }
    return text + "...";
  }

  std::vector<std::string> wrapped(const std::string& text, float room, float size) {
    std::vector<std::string> lines;
    std::string line;
    for (const std::string_view word : split(text, ' ')) {
      const std::string longer = line.empty() ? std::string(word) : line + " " + std::string(word);
      if (!line.empty() && width(longer, size, plain_) > room) lines.push_back(std::exchange(line, std::string(word)));
      else line = longer;
    }
    if (!line.empty()) lines.push_back(line);
    return lines;
  }

  void write_figures() {
    constexpr std::size_t columns = 3;
    const float room = (right - left) / columns;
    for (std::size_t i = 0; i < pack_.figures.size(); ++i) {
      const float x = left + room * static_cast<float>(i % columns);
      const query::Cell& value = pack_.figures[i].value;
      const std::string text = shown(value) + (value.type == query::FieldType::money && !value.text.empty() ? " " + value.currency.code() : "");
      put(x, y_, fitted(pack_.figures[i].title, room - 8, 7, plain_), 7, plain_, quiet);
      put(x, y_ - 12, fitted(text.empty() ? "-" : text, room - 8, 10, bold_), 10, bold_, ink);
      if (i % columns == columns - 1 || i + 1 == pack_.figures.size()) y_ -= 32;
    }
  }

  // -- the curve

  struct Scale {
    double low = 0, high = 1;
    float bottom = 0;
    float y(std::int64_t value) const { return bottom + static_cast<float>((static_cast<double>(value) - low) / (high - low)) * curve_height; }
  };

  void write_curve(const PackCurve& curve) {
    if (y_ - curve_height - 40 < bottom) new_page();
    put(left, y_, curve.title, 10, bold_, ink);
    y_ -= 14 + curve_height;
    Scale scale{0, 0, y_};
    for (const auto& point : curve.points) {
      scale.low = std::min({scale.low, static_cast<double>(point.low), static_cast<double>(point.value)});
      scale.high = std::max({scale.high, static_cast<double>(point.high), static_cast<double>(point.value)});
    }
    if (curve.limit) scale.low = std::min(scale.low, static_cast<double>(*curve.limit));
    if (scale.high <= scale.low) scale.high = scale.low + 1;
    const auto x = [&](std::size_t i) { return left + 70 + (right - left - 70) * static_cast<float>(i) / static_cast<float>(curve.points.size() - 1); };
    fill(band);
    HPDF_Page_MoveTo(page_, x(0), scale.y(curve.points[0].high));
    for (std::size_t i = 1; i < curve.points.size(); ++i) HPDF_Page_LineTo(page_, x(i), scale.y(curve.points[i].high));
    for (std::size_t i = curve.points.size(); i-- > 0;) HPDF_Page_LineTo(page_, x(i), scale.y(curve.points[i].low));
    HPDF_Page_ClosePath(page_);
    HPDF_Page_Fill(page_);
    level(scale, 0, "0", rule);
    if (curve.limit) level(scale, *curve.limit, "limit " + grouped_text({*curve.limit, curve.currency}), warn);
    stroke(line_colour, 1.2F);
    HPDF_Page_MoveTo(page_, x(0), scale.y(curve.points[0].value));
    for (std::size_t i = 1; i < curve.points.size(); ++i) HPDF_Page_LineTo(page_, x(i), scale.y(curve.points[i].value));
    HPDF_Page_Stroke(page_);
    const auto lowest = std::ranges::min_element(curve.points, {}, &PackCurve::Point::value);
    const auto at = static_cast<std::size_t>(lowest - curve.points.begin());
    put(std::min(x(at), right - 150), scale.y(lowest->value) + 4, grouped_text({lowest->value, curve.currency}) + " on " + iso(lowest->day), 7, bold_, ink);
    put(left + 70, y_ - 10, iso(curve.points.front().day), 7, plain_, quiet);
    put_right(right, y_ - 10, iso(curve.points.back().day), 7, plain_, quiet);
    y_ -= 30;
  }

  void level(const Scale& scale, std::int64_t value, const std::string& text, Colour colour) {
    stroke(colour, 0.6F);
    HPDF_Page_MoveTo(page_, left + 70, scale.y(value));
    HPDF_Page_LineTo(page_, right, scale.y(value));
    HPDF_Page_Stroke(page_);
    put_right(left + 66, scale.y(value) - 2, fitted(text, 66, 6.5F, plain_), 6.5F, plain_, quiet);
  }

  // -- tables

  std::vector<float> edges(const PackTable& table) const {
    float shares = 0;
    for (const auto& column : table.columns) shares += column.share;
    std::vector<float> at = {left};
    for (const auto& column : table.columns) at.push_back(at.back() + (right - left) * column.share / shares);
    return at;
  }

  void write_head(const PackTable& table, const std::vector<float>& at) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) put_cell(at[i], at[i + 1], table.columns[i].title, table.columns[i].right, bold_, quiet);
    y_ -= 4;
    stroke(rule, 0.6F);
    HPDF_Page_MoveTo(page_, left, y_);
    HPDF_Page_LineTo(page_, right, y_);
    HPDF_Page_Stroke(page_);
    y_ -= row_height - 2;
  }

  void put_cell(float from, float to, const std::string& text, bool at_right, HPDF_Font font, Colour colour) {
    if (at_right) put_right(to - pad, y_, text, cell_size_, font, colour);
    else put(from + pad, y_, fitted(text, to - from - 2 * pad, cell_size_, font), cell_size_, font, colour);
  }

  // The largest size at which no number of the table is wider than its column.
  float size_for(const PackTable& table, const std::vector<float>& at) {
    float size = text_size;
    const auto fit = [&](const std::string& text, std::size_t column) {
      const float room = at[column + 1] - at[column] - 2 * pad;
      const float wide = width(text, text_size, bold_);
      if (wide > room) size = std::min(size, text_size * room / wide);
    };
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (!table.columns[c].right) continue;
      fit(table.columns[c].title, c);
      for (const auto& row : table.rows) fit(shown(row[c]), c);
    }
    return std::max(size, text_size_min);
  }

  void write_table(const PackTable& table) {
    if (y_ - 5 * row_height < bottom) new_page();
    y_ -= 8;
    put(left, y_, table.title, 10, bold_, ink);
    y_ -= 14;
    if (!table.note.empty()) {
      put(left, y_, fitted(table.note, right - left, 7.5F, plain_), 7.5F, plain_, quiet);
      y_ -= 13;
    }
    const std::vector<float> at = edges(table);
    cell_size_ = size_for(table, at);
    write_head(table, at);
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      if (y_ < bottom) {
        new_page();
        write_head(table, at);
      }
      const bool total = table.has_total && i + 1 == table.rows.size();
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const query::Cell& cell = table.rows[i][c];
        const bool bad = table.columns[c].warns && cell.type == query::FieldType::money && cell.number < 0;
        put_cell(at[c], at[c + 1], shown(cell), table.columns[c].right, total ? bold_ : plain_, bad ? warn : ink);
      }
      y_ -= row_height;
    }
    if (table.rows.empty()) {
      put(left + pad, y_, "nothing", cell_size_, plain_, quiet);
      y_ -= row_height;
    }
    y_ -= 8;
  }

  void write_feet() {
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      page_ = pages_[i];
      put(left, 34, "as of Sequence " + std::to_string(pack_.as_of.value) + ", " + rfc3339(pack_.as_of_time) + ", for " + iso(pack_.day), 7, plain_, quiet);
      put_right(right, 34, "page " + std::to_string(i + 1) + " of " + std::to_string(pages_.size()), 7, plain_, quiet);
    }
  }

  HPDF_Doc document_;
  const Pack& pack_;
  HPDF_Font plain_ = nullptr, bold_ = nullptr;
  bool is_unicode_ = false;
  float cell_size_ = text_size;  // of the table at hand
  HPDF_Page page_ = nullptr;
  std::vector<HPDF_Page> pages_;
  float y_ = 0;
};

}  // namespace

Result<std::string> pack_pdf(const Pack& pack) {
  internal::PdfDocument document(pack.title);
  if (document.get()) {
    HPDF_UseUTFEncodings(document.get());
    PaperWriter(document.get(), pack).write();
  }
  return document.bytes();
}

}  // namespace millrace::app
