#include "ingest/internal/pdf_content.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t operands_max = 4096;
constexpr std::size_t saved_max = 64;
constexpr std::size_t words_max = 200'000;  // more than that is no order
constexpr std::size_t text_bytes_max = 65'536;
constexpr double magnitude_max = 1e6;
// Poppler's rules for where a word ends, in letter sizes.
constexpr double word_gap = 0.1;
constexpr double word_overlap = 0.2;
constexpr double duplicate_shift = 0.1;
constexpr double duplicate_rise = 0.2;
constexpr double base_slack = 0.5;  // points

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0'; }
bool is_delimiter(char c) { return std::string_view("()<>[]{}/%").find(c) != std::string_view::npos; }

// Letters that stay as they are wherever they stand: no marks that join, no other writing direction, no odd blanks.
bool is_plain_letter(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) return false;
  return c < 0x250 || (c >= 0x370 && c < 0x483) || (c >= 0x48A && c < 0x530) || (c >= 0x1E00 && c < 0x1F00) || (c >= 0x2010 && c < 0x2028) ||
         (c >= 0x2030 && c < 0x205E) || (c >= 0x20A0 && c < 0x20D0) || (c >= 0x2100 && c < 0x2190);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// As `pdftotext -tsv` prints them, so that both roads see the same numbers.
double printed(double value) { return std::round(value * 100) / 100; }

// Operators that draw, mark or colour: no text comes from them.
bool is_drawing(std::string_view name) {
  static constexpr std::array<std::string_view, 48> names{
      "B", "B*", "BX", "CS", "DP", "EMC", "EX", "F",  "G",  "J",  "K",  "M",  "MP", "RG", "S",  "SC", "SCN", "W", "W*", "b", "b*", "c", "cs", "d",
      "f", "f*", "g",  "h",  "i",  "j",   "k",  "l",  "m",  "n",  "re", "rg", "ri", "s",  "sc", "scn", "sh", "v", "w",  "y", "gs", "Do", "BMC", "BDC"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void PdfWords::finish() {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t end = i + 1 < begins.size() ? begins[i + 1] : letters.size();
    words[i].text = {letters.data() + begins[i], end - begins[i]};
  }
}

bool PdfContent::read(std::string_view stream) {
  rest_ = stream;
  while (true) {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    if (rest_.empty()) return !in_text_ && end_word();
    if (!step()) return false;
  }
}

// One operand or operator.
bool PdfContent::step() {
  if (operands_.size() >= operands_max) return false;
  const char c = rest_.front();
  if (c == '%') {
    rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size()));
    return true;
  }
  if (c == '(') return literal_text();
  if (c == '<') return rest_.starts_with("<<") ? dictionary() : hex_text();
  if (c == '[' || c == ']') {
    operands_.push_back({c == '[' ? Operand::Kind::array_begin : Operand::Kind::array_end, 0, {}, 0});
    rest_.remove_prefix(1);
    return true;
  }
  if (c == ')' || c == '>' || c == '{' || c == '}') return false;
  std::size_t end = 1;
  while (end < rest_.size() && !is_blank(rest_[end]) && !is_delimiter(rest_[end])) ++end;
  const std::string_view word = rest_.substr(0, end);
  rest_.remove_prefix(end);
  if (c == '/') {
    if (word.find('#') != std::string_view::npos) return false;
    operands_.push_back({Operand::Kind::name, 0, word.substr(1), 0});
    return true;
  }
  if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') {
    const std::string_view digits = c == '+' ? word.substr(1) : word;
    double value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
    if (error != std::errc() || stop != digits.data() + digits.size() || std::abs(value) > magnitude_max) return false;
    operands_.push_back({Operand::Kind::number, value, {}, 0});
    return true;
  }
  if (word == "true" || word == "false" || word == "null") {
    operands_.push_back({});
    return true;
  }
  const bool fine = operate(word);
  operands_.clear();
  texts_.clear();
  return fine;
}

bool PdfContent::literal_text() {
  std::string text;
  int depth = 0;
  std::size_t i = 0;
  for (; i < rest_.size() && text.size() <= text_bytes_max; ++i) {
    const char c = rest_[i];
    if (c == '(' && depth++ == 0) continue;
    if (c == ')' && --depth == 0) break;
    if (c == '\r') return false;  // line ends inside a text are rare, and read differently
    if (c != '\\') {
      text += c;
      continue;
    }
    if (++i >= rest_.size()) return false;
    const char next = rest_[i];
    if (next >= '0' && next <= '7') {
      unsigned code = 0;
      std::size_t digits = 0;
      for (; digits < 3 && i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '7'; ++digits, ++i) code = code * 8 + static_cast<unsigned>(rest_[i] - '0');
      --i;
      if (code > 255) return false;
      text += static_cast<char>(code);
    } else if (next == '(' || next == ')' || next == '\\') {
      text += next;
    } else {
      return false;
    }
  }
  if (i >= rest_.size() || text.size() > text_bytes_max) return false;
  rest_.remove_prefix(i + 1);
  operands_.push_back({Operand::Kind::text, 0, {}, texts_.size()});
  texts_.push_back(std::move(text));
  return true;
}

bool PdfContent::hex_text() {
  const std::size_t end = rest_.find('>');
  if (end == std::string_view::npos || end > 2 * text_bytes_max) return false;
  std::string text;
  text.reserve(end / 2);
  int high = -1;
  for (const char c : rest_.substr(1, end - 1)) {
    if (is_blank(c)) continue;
    const int digit = hex_digit(c);
    if (digit < 0) return false;
    if (high < 0) {
      high = digit;
    } else {
      text += static_cast<char>(high << 4 | digit);
      high = -1;
    }
  }
  if (high >= 0) return false;
  rest_.remove_prefix(end + 1);
  operands_.push_back({Operand::Kind::text, 0, {}, texts_.size()});
  texts_.push_back(std::move(text));
  return true;
}

// Properties of marked content: passed over when they are plain and replace no text.
bool PdfContent::dictionary() {
  const std::size_t end = rest_.find(">>");
  if (end == std::string_view::npos) return false;
  const std::string_view inside = rest_.substr(2, end - 2);
  if (inside.find_first_of("<(#") != std::string_view::npos || inside.find("ActualText") != std::string_view::npos ||
      inside.find("/OC") != std::string_view::npos) {
    return false;
  }
  rest_.remove_prefix(end + 2);
  operands_.push_back({});
  return true;
}

bool PdfContent::operate(std::string_view name) {
  if (name == "BT" || name == "ET") {
    if (in_text_ != (name == "ET")) return false;
    in_text_ = name == "BT";
    text_ = line_ = Matrix{};
    return true;
  }
  if (name == "q") {
    if (saved_.size() >= saved_max || in_text_) return false;
    saved_.push_back(state_);
    return true;
  }
  if (name == "Q") {
    if (saved_.empty() || in_text_) return false;
    state_ = saved_.back();
    saved_.pop_back();
    return true;
  }
  if (name == "cm") return !in_text_ && set_matrix(state_.page, true);
  if (name == "Do" || name == "gs") {
    return operands_.size() == 1 && operands_[0].kind == Operand::Kind::name &&
           fonts_.is_harmless(name == "Do" ? "XObject" : "ExtGState", operands_[0].bytes);
  }
  if (name == "BDC" || name == "BMC" || name == "DP" || name == "MP") {
    const bool optional = !operands_.empty() && operands_[0].kind == Operand::Kind::name && operands_[0].bytes == "OC";
    const bool by_name = operands_.size() > 1 && operands_[1].kind == Operand::Kind::name;
    return !optional && !by_name;
  }
  if (is_drawing(name)) return true;
  return operate_state(name) || operate_text(name);
}

bool PdfContent::numbers(std::size_t count, double* to) const {
  if (operands_.size() != count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (operands_[i].kind != Operand::Kind::number) return false;
    to[i] = operands_[i].number;
  }
  return true;
}

bool PdfContent::set_matrix(Matrix& matrix, bool times) {
  std::array<double, 6> v{};
  if (!numbers(6, v.data()) || v[1] != 0 || v[2] != 0 || v[0] <= 0 || v[3] <= 0) return false;
  const Matrix own{v[0], v[3], v[4], v[5]};
  matrix = times ? Matrix{own.a * matrix.a, own.d * matrix.d, own.e * matrix.a + matrix.e, own.f * matrix.d + matrix.f} : own;
  return std::abs(matrix.e) < magnitude_max && std::abs(matrix.f) < magnitude_max && matrix.a < magnitude_max && matrix.d < magnitude_max;
}

bool PdfContent::operate_state(std::string_view name) {
  double value = 0;
  if (name == "Tf") {
    if (operands_.size() != 2 || operands_[0].kind != Operand::Kind::name || operands_[1].kind != Operand::Kind::number) return false;
    state_.font = fonts_.font(operands_[0].bytes);
    state_.size = operands_[1].number;
    return state_.font != nullptr && state_.size > 0;
  }
  if (name.size() != 2 || name.front() != 'T' || !numbers(1, &value)) return false;
  switch (name[1]) {
    case 'c': state_.letter_gap = value; return true;
    case 'w': state_.blank_gap = value; return true;
    case 'z': state_.stretch = value / 100; return value > 0;
    case 'L': state_.leading = value; return true;
    case 's': return value == 0;
    case 'r': return value == 0 || value == 1 || value == 2;  // filled, stroked: to be seen
    default: return false;
  }
}

void PdfContent::next_line(double x, double y) {
  line_.e += x * line_.a;
  line_.f += y * line_.d;
  text_ = line_;
}

bool PdfContent::operate_text(std::string_view name) {
  if (!in_text_) return false;
  std::array<double, 2> v{};
  if (name == "Tm") {
    if (!set_matrix(line_, false)) return false;
    text_ = line_;
    return true;
  }
  if (name == "Td" || name == "TD") {
    if (!numbers(2, v.data())) return false;
    if (name == "TD") state_.leading = -v[1];
    next_line(v[0], v[1]);
    return true;
  }
  if (name == "T*") {
    next_line(0, -state_.leading);
    return operands_.empty();
  }
  if (name == "TJ") return show_array();
  if (name == "Tj" || name == "'") {
    if (operands_.size() != 1 || operands_[0].kind != Operand::Kind::text) return false;
    if (name == "'") next_line(0, -state_.leading);
    return show(texts_[operands_[0].text]);
  }
  return false;
}

bool PdfContent::show_array() {
  if (operands_.size() < 2 || operands_.front().kind != Operand::Kind::array_begin || operands_.back().kind != Operand::Kind::array_end) return false;
  for (std::size_t i = 1; i + 1 < operands_.size(); ++i) {
    const Operand& operand = operands_[i];
    if (operand.kind == Operand::Kind::number) {
      text_.e -= operand.number / 1000 * state_.size * state_.stretch * text_.a;
    } else if (operand.kind != Operand::Kind::text || !show(texts_[operand.text])) {
      return false;
    }
  }
  return true;
}

bool PdfContent::show(std::string_view codes) {
  if (state_.font == nullptr) return false;
  const std::size_t step = state_.font->code_bytes();
  if (codes.size() % step != 0) return false;
  for (std::size_t i = 0; i < codes.size(); i += step) {
    std::uint32_t code = static_cast<unsigned char>(codes[i]);
    if (step == 2) code = code << 8 | static_cast<unsigned char>(codes[i + 1]);
    const auto glyph = state_.font->glyph(code);
    if (!glyph) return false;
    const double extra = state_.letter_gap + (step == 1 && code == ' ' ? state_.blank_gap : 0);
    if (!show_letter(*glyph, extra)) return false;
  }
  return true;
}

bool PdfContent::show_letter(PdfGlyph glyph, double extra) {
  const double across = text_.a * state_.page.a;
  const double width = glyph.width * state_.size * state_.stretch * across;
  const double size = state_.size * text_.d * state_.page.d;
  const double x = text_.e * state_.page.a + state_.page.e - page_.left;
  const double y = page_.top - (text_.f * state_.page.d + state_.page.f);
  text_.e += (glyph.width * state_.size + extra) * state_.stretch * text_.a;
  if (!std::isfinite(x) || !std::isfinite(y) || width < 0 || x < 0 || x + width > page_.right - page_.left || y < 0 || y > page_.top - page_.bottom) {
    return false;  // beside the page, or nearly: whether it is seen is not for us to say
  }
  if (glyph.letter == ' ') return end_word();
  if (!is_plain_letter(glyph.letter)) return false;
  if (word_.open) {
    const double gap = x - word_.right;
    const bool overlap = std::abs(x - word_.last_left) < duplicate_shift * word_.size && std::abs(y - word_.base) < duplicate_rise * word_.size;
    if (overlap) return false;
    const bool breaks = gap < -word_overlap * word_.size || gap > word_gap * word_.size || std::abs(y - word_.base) > base_slack || size != word_.size;
    if (breaks && !end_word()) return false;
  }
  if (!word_.open) word_ = {x, x, x, y, size, state_.font, into_.letters.size(), true};
  word_.last_left = x;
  word_.right = x + width;
  std::string utf8;
  append_utf8(utf8, glyph.letter);
  into_.letters.insert(into_.letters.end(), utf8.begin(), utf8.end());
  return true;
}

bool PdfContent::end_word() {
  if (!word_.open) return true;
  word_.open = false;
  if (into_.words.size() >= words_max) return false;
  const double left = printed(word_.left);
  const double top = printed(word_.base - word_.font->ascent() * word_.size);
  const double height = printed((word_.font->ascent() - word_.font->descent()) * word_.size);
  into_.words.push_back({page_number_, left, left + printed(word_.right - word_.left), top + height, height, {}});
  into_.begins.push_back(word_.letters);
  return true;
}

}  // namespace millrace::ingest
