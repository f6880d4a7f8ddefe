#include "ingest/internal/pdf_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t words_max = 2'000'000;
constexpr double baseline_slack = 3.0;   // points; rows of a readable page are 9 or more apart
constexpr double cell_gap_heights = 0.45;  // a blank between words is about 0.3 letter heights wide

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || std::abs(value) > 1e6) return std::nullopt;
  return value;
}

// level page par block line word left top width height conf text
std::optional<PdfWord> word_of(std::string_view row) {
  std::array<std::string_view, 12> columns;
  for (std::size_t i = 0; i < 11; ++i) {
    const std::size_t tab = row.find('\t');
    if (tab == std::string_view::npos) return std::nullopt;
    columns[i] = row.substr(0, tab);
    row.remove_prefix(tab + 1);
  }
  columns[11] = row;
  const auto page = number(columns[1]);
  const auto left = number(columns[6]);
  const auto top = number(columns[7]);
  const auto width = number(columns[8]);
  const auto height = number(columns[9]);
  if (!page || !left || !top || !width || !height || *page < 1) return std::nullopt;
  PdfWord word{static_cast<int>(*page), *left, *left + *width, *top + *height, *height, trim(columns[11])};
  return word;
}

}  // namespace

std::vector<PdfCell> PdfRow::cells() const {
  std::vector<PdfCell> cells;
  double height = 0;
  for (const PdfWord& word : words) {
    if (!cells.empty() && word.left - cells.back().right < cell_gap_heights * std::max(height, word.height)) {
      cells.back().text += ' ';
      cells.back().text += word.text;
      cells.back().right = std::max(cells.back().right, word.right);
    } else {
      cells.push_back({word.left, word.right, std::string(word.text)});
    }
    height = word.height;
  }
  return cells;
}

std::vector<PdfRow> rows_of(std::vector<PdfWord> words) {
  std::stable_sort(words.begin(), words.end(), [](const PdfWord& a, const PdfWord& b) {
    return a.page != b.page ? a.page < b.page : a.bottom < b.bottom;
  });
  std::vector<PdfRow> rows;
  double baseline = 0;
  for (const PdfWord& word : words) {
    if (rows.empty() || rows.back().page != word.page || word.bottom - baseline > baseline_slack) {
      rows.push_back({word.page, {}});
      baseline = word.bottom;
    }
    rows.back().words.push_back(word);
  }
  for (PdfRow& row : rows) {
    std::stable_sort(row.words.begin(), row.words.end(), [](const PdfWord& a, const PdfWord& b) { return a.left < b.left; });
  }
  return rows;
}

Result<std::vector<PdfRow>> pdf_rows(std::string_view tsv) {
  std::vector<PdfWord> words;
  if (!tsv.starts_with("level\t")) return fail(ErrorCode::invalid_input, "the text of the pages could not be read");
  while (!tsv.empty()) {
    const std::size_t end = std::min(tsv.find('\n'), tsv.size());
    std::string_view row = tsv.substr(0, end);
    tsv.remove_prefix(std::min(end + 1, tsv.size()));
    if (!row.starts_with("5\t")) continue;  // 1 page, 3 flow, 4 line: poppler's own idea of the layout
    const auto word = word_of(row);
    if (!word) return fail(ErrorCode::invalid_input, "the text of the pages could not be read");
    if (word->text.empty()) continue;
    if (words.size() >= words_max) return fail(ErrorCode::limit_reached, "the pages hold more than 2,000,000 words");
    words.push_back(*word);
  }
  return rows_of(std::move(words));
}

}  // namespace millrace::ingest
