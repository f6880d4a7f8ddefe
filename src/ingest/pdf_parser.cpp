#include "ingest/pdf_parser.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/text.h"
#include "ingest/internal/csv_text.h"
#include "ingest/internal/flat_table.h"
#include "ingest/internal/pdf_page.h"

namespace millrace::ingest {
namespace {

constexpr double edge_slack = 22.0;  // a heading ends this near to the numbers below it, columns are further apart

struct PageColumn {
  FieldMatch match;
  double left = 0;
  double right = 0;
  bool number = false;
  double numbers_end = 0;  // the right edge most numbers of the column share; 0 until known
};

bool looks_like_number(std::string_view text) {
  bool digit = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      digit = true;
    } else if (c != '.' && c != ',' && c != '-' && c != '(' && c != ')' && c != '\'' && c != '+') {
      return false;
    }
  }
  return digit;
}

FieldMatch label_match(std::string_view label, const CompiledLayout& layout) {
  FieldMatch match = layout.find(label, Scope::order);
  if (match.field != Field::unknown) return match;
  const std::size_t blank = label.rfind(' ');  // "Total USD"
  if (blank != std::string_view::npos && Currency::parse(trim(label.substr(blank + 1)))) match = layout.find(label.substr(0, blank), Scope::order);
  return match;
}

class PageReader {
 public:
  PageReader(std::vector<PdfRow> rows, const CompiledLayout& layout) : rows_(std::move(rows)), layout_(layout), draft_(layout) {}

  ParsedDocument read() {
    ParsedDocument answer;
    answer.format = Format::pdf;
    find_number_style();
    learn_number_edges();
    for (const PdfRow& row : rows_) read_row(row);
    if (!draft_.has(Field::order_number) && columns_.empty()) {
      answer.ignored_because = "the pages name no order";
      return answer;
    }
    if (!draft_.has(Field::net_total) && !draft_.has(Field::document_total)) {
      draft_.refuse("", "needs eyes: no printed total proves that the lines are complete");
    }
    draft_.finish(answer, Disagreement::reject);
    return answer;
  }

 private:
  static std::string place(const PdfRow& row) { return "page " + std::to_string(row.page); }

  void find_number_style() {
    NumberVote vote;
    for (const PdfRow& row : rows_) {
      for (const PdfWord& word : row.words) {
        if (looks_like_number(word.text) && !day_parts(word.text)) vote.hear(word.text);
      }
    }
    if (vote.comma() && !vote.point()) style_.decimal_mark = ',';
    const std::string& wish = layout_.profile().csv_date_order;
    style_.date_order = wish == "mdy" ? DateOrder::mdy : wish == "dmy" ? DateOrder::dmy : DateOrder::ymd;
  }

  // Bold headings of narrow columns touch: "OpenUnit price" is two of them.
  std::vector<PdfCell> split_headings(const std::vector<PdfCell>& cells) const {
    std::vector<PdfCell> headings;
    for (const PdfCell& cell : cells) {
      headings.push_back(cell);
      if (cell.text.size() > 40 || layout_.find(cell.text, Scope::line).field != Field::unknown) continue;
      for (std::size_t i = 1; i + 1 < cell.text.size(); ++i) {
        const std::string_view text = cell.text;
        if (layout_.find(text.substr(0, i), Scope::line).field == Field::unknown ||
            layout_.find(text.substr(i), Scope::line).field == Field::unknown) {
          continue;
        }
        const double seam = cell.left + (cell.right - cell.left) * static_cast<double>(i) / static_cast<double>(text.size());
        headings.back() = {cell.left, seam, std::string(text.substr(0, i))};
        headings.push_back({seam, cell.right, std::string(text.substr(i))});
        break;
      }
    }
    return headings;
  }

  std::vector<PageColumn> head(const std::vector<PdfCell>& cells) const {
    std::vector<PageColumn> columns;
    bool what = false;
    bool how_much = false;
    for (const PdfCell& cell : split_headings(cells)) {
      const FieldMatch match = layout_.find(cell.text, Scope::line);
      if (match.field == Field::unknown) continue;
      columns.push_back({match, cell.left, cell.right, is_number_field(match.field) && match.field != Field::line_number, 0});
      what = what || match.field == Field::item_code || match.field == Field::item_name;
      how_much = how_much || match.field == Field::quantity_ordered || match.field == Field::line_total;
    }
    if (columns.size() < 3 || !what || !how_much) columns.clear();
    return columns;
  }

  // Headings end only roughly where their numbers end; the numbers themselves agree exactly.
  void learn_number_edges() {
    std::vector<std::map<long, int>> edges;
    for (const PdfRow& row : rows_) {
      if (columns_.empty()) {
        columns_ = head(row.cells());
        edges.resize(columns_.size());
        continue;
      }
      for (const PdfWord& word : row.words) {
        if (!looks_like_number(word.text)) continue;
        if (const auto column = nearest(word.right, false)) ++edges[*column][std::lround(word.right * 2)];
      }
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      int best = 0;
      for (const auto& [edge, count] : edges[i]) {
        const bool closer = count == best && std::abs(static_cast<double>(edge) / 2 - columns_[i].right) < std::abs(columns_[i].numbers_end - columns_[i].right);
        if (count > best || closer) columns_[i].numbers_end = static_cast<double>(edge) / 2;
        best = std::max(best, count);
      }
    }
  }

  std::optional<std::size_t> nearest(double right, bool learned) const {
    std::optional<std::size_t> best;
    double distance = edge_slack;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].number) continue;
      const bool exact = learned && columns_[i].numbers_end > 0;
      const double d = std::abs(right - (exact ? columns_[i].numbers_end : columns_[i].right));
      if (d < distance && (!exact || d <= 1.5)) {
        distance = d;
        best = i;
      }
    }
    return best;
  }

  void read_row(const PdfRow& row) {
    const auto cells = row.cells();
    if (!head(cells).empty()) {
      in_table_ = true;
      return;
    }
    if (in_table_ && read_line(row)) return;
    read_labels(row, cells);
  }

  // A row is a line when its numbers stand in the number columns and something stands in the columns before them.
  bool read_line(const PdfRow& row) {
    std::vector<const PdfWord*> numbers(columns_.size(), nullptr);
    std::vector<bool> taken(row.words.size(), false);
    for (std::size_t w = row.words.size(); w-- > 0;) {
      const PdfWord& word = row.words[w];
      if (!looks_like_number(word.text)) continue;
      const auto column = nearest(word.right, true);
      if (!column || numbers[*column] != nullptr) continue;
      numbers[*column] = &word;
      taken[w] = true;
    }
    std::vector<std::string> texts(columns_.size());
    for (std::size_t w = 0; w < row.words.size(); ++w) {
      if (taken[w]) continue;
      const auto column = text_column(row.words[w].left);
      if (!column) return false;
      std::string& text = texts[*column];
      if (!text.empty()) text += ' ';
      text += row.words[w].text;
    }
    bool quantity = false;
    bool total = false;
    bool item = false;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Field field = columns_[i].match.field;
      quantity = quantity || (field == Field::quantity_ordered && numbers[i] != nullptr);
      total = total || (field == Field::line_total && numbers[i] != nullptr);
      item = item || ((field == Field::item_code || field == Field::item_name) && !texts[i].empty());
    }
    if (!item || (!quantity && !total)) return false;
    if ((!quantity || !total) && is_sum(row)) return false;
    draft_.add_line(Place{Place::Kind::page, static_cast<std::uint32_t>(row.page), 0});
    if (!quantity || !total) draft_.refuse(place(row), "needs eyes: an order line lacks its quantity or its total");
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].number) {
        if (numbers[i] != nullptr) set_on_line(row, columns_[i].match, numbers[i]->text);
      } else {
        set_text_on_line(row, columns_[i].match, std::move(texts[i]));
      }
    }
    return true;
  }

  bool is_sum(const PdfRow& row) const {
    const Field field = label_match(row.cells().front().text, layout_).field;
    return field == Field::net_total || field == Field::tax || field == Field::freight || field == Field::document_total ||
           field == Field::open_total;
  }

  std::optional<std::size_t> text_column(double left) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].number && columns_[i].left <= left + 2.0) best = i;
    }
    return best;
  }

  void set_on_line(const PdfRow& row, FieldMatch match, std::string_view text) {
    if (auto wrong = draft_.set_on_line(match, FieldValue::of_text(text), style_); !wrong.empty()) {
      draft_.refuse(place(row), "needs eyes: " + wrong, text);
    }
  }

  void set_text_on_line(const PdfRow& row, FieldMatch match, std::string text) {
    if (match.field == Field::item_name) {
      for (const std::string_view mark : {"(cancelled)", "(canceled)", "(storniert)"}) {
        if (!lower_ascii(text).ends_with(mark)) continue;
        draft_.last_line()->cancelled = true;
        text = std::string(trim(std::string_view(text).substr(0, text.size() - mark.size())));
      }
    }
    set_on_line(row, match, text);
  }

  void read_labels(const PdfRow& row, const std::vector<PdfCell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::string label = cells[i].text;
      std::string value;
      FieldMatch match = label_match(label, layout_);
      if (const std::size_t colon = label.find(": "); match.field == Field::unknown && colon != std::string::npos) {
        match = label_match(std::string_view(label).substr(0, colon), layout_);  // label and value stand close together
        value = label.substr(colon + 2);
      }
      if (match.field == Field::unknown || match.field == Field::lines || match.field == Field::expenses) continue;
      while (i + 1 < cells.size() && !cells[i + 1].text.ends_with(':')) {
        if (!value.empty()) value += ' ';
        value += cells[++i].text;
      }
      set(row, match, value);
    }
  }

  void set(const PdfRow& row, FieldMatch match, std::string_view text) {
    const std::string before = draft_.number();
    // Totals stand once, at the end; the same word in running text is no sum.
    if (is_number_field(match.field) && !decimal_from_text(text, style_.decimal_mark)) return;
    if (match.field == Field::order_number && std::none_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return;
    if (auto wrong = draft_.set(match, FieldValue::of_text(text), style_); !wrong.empty()) {
      draft_.refuse(place(row), "needs eyes: " + wrong, text);
    }
    if (match.field != Field::order_number) return;
    OrderDraft other(layout_);
    other.set({Field::order_number, 0}, FieldValue::of_text(text));
    if (!before.empty() && other.number() != before) {
      draft_.refuse(place(row), "needs eyes: the file names two order numbers, " + printable(before) + " and " + printable(other.number()), text);
    }
  }

  std::vector<PdfRow> rows_;
  const CompiledLayout& layout_;
  OrderDraft draft_;
  TextStyle style_;
  std::vector<PageColumn> columns_;
  bool in_table_ = false;
};

ParsedDocument refused(std::string reason) {
  ParsedDocument answer;
  answer.format = Format::pdf;
  answer.is_order_document = true;
  answer.findings.push_back({feed::Outcome::reject, "", std::move(reason), "", ""});
  return answer;
}

}  // namespace

std::optional<Finding> pdf_damage(std::string_view content) {
  constexpr std::size_t tail_bytes = 2048;
  const std::string_view tail = content.substr(content.size() > tail_bytes ? content.size() - tail_bytes : 0);
  if (tail.find("%%EOF") == std::string_view::npos || tail.find("startxref") == std::string_view::npos) {
    return Finding{feed::Outcome::reject, "", "the PDF is cut off or still being written: its end is missing", "", ""};
  }
  return std::nullopt;
}

ParsedDocument parse_pdf_words(std::string_view tsv, const CompiledLayout& layout) {
  auto rows = pdf_rows(tsv);
  if (!rows) return refused(rows.error().text());
  return parse_pdf_rows(std::move(*rows), layout);
}

ParsedDocument parse_pdf_rows(std::vector<PdfRow> rows, const CompiledLayout& layout) {
  if (rows.empty()) return refused("needs eyes: scanned page without text; keep the order as a text PDF or type it in");
  return PageReader(std::move(rows), layout).read();
}

}  // namespace millrace::ingest
